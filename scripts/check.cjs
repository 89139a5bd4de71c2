/** `npm run check`: everything that can be said of the sources without running them. No build, no tests. */
require('./check-node.cjs').checkNode()
const { spawn } = require('node:child_process')
const path = require('node:path')
const { PAGES, prepare } = require('./prepare.cjs')
const { seconds } = require('./progress.cjs')

const ROOT = path.dirname(__dirname)
const installed = (file) => path.join(ROOT, 'node_modules', ...file.split('/'))

/** The compiler keeps what it found below node_modules, so that the next check reads only what changed. */
const types = (project, name) => ({
  name: `tsc -p ${project}`,
  args: [
    installed('typescript-native/bin/tsc'),
    '-p',
    project,
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    path.join(ROOT, 'node_modules', '.cache', 'tsc', `${name}.tsbuildinfo`),
  ],
})

/** The longest first. */
const STEPS = [
  types('tsconfig.test.json', 'all'),
  { name: 'biome check .', args: [installed('@biomejs/biome/bin/biome'), 'check', '.'] },
  { name: 'check-imports', args: [path.join(__dirname, 'check-imports.mjs')] },
  ...PAGES.map((name) => types(`apps/${name}`, name)),
  { name: 'knip', args: [installed('knip/bin/knip.js'), '--no-progress'] },
]
const AT_ONCE = 2

/** Runs all checks, and prints what each says once it has ended; answers whether all are fine. */
exports.check = async function check() {
  const waiting = [...STEPS]
  let areFine = true
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const { name, args } = step
      const started = Date.now()
      const { isFine, output } = await outcomeOf(args)
      process.stdout.write(`${output}${isFine ? 'ok' : 'FAILED'}  ${name}  ${seconds(started)}\n`)
      areFine &&= isFine
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return areFine
}

function outcomeOf(args) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => child.on('close', (code) => resolve({ isFine: code === 0, output })))
}

if (require.main === module) {
  prepare({ build: false })
    .then(exports.check)
    .then(
      (areFine) => process.exit(areFine ? 0 : 1),
      (error) => {
        console.error(error)
        process.exit(1)
      },
    )
}
