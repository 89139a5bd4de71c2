/** `npm run check`: everything that can be said of the sources without running them. No build, no tests. */
require('./check-node.cjs').checkNode()
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { PAGES, prepare, seconds } = require('./prepare.cjs')

const ROOT = path.dirname(__dirname)
const installed = (file) => path.join(ROOT, 'node_modules', ...file.split('/'))

/** The compiler keeps what it found below node_modules, so that the next check reads only what changed. */
const types = (project, name) => ({
  name: `tsc -p ${project}`,
  args: [
    installed('typescript/bin/tsc'),
    '-p',
    project,
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    path.join(ROOT, 'node_modules', '.cache', 'tsc', `${name}.tsbuildinfo`),
  ],
})

const STEPS = [
  { name: 'biome check .', args: [installed('@biomejs/biome/bin/biome'), 'check', '.'] },
  { name: 'check-imports', args: [path.join(__dirname, 'check-imports.mjs')] },
  types('tsconfig.test.json', 'all'),
  ...PAGES.map((name) => types(`apps/${name}`, name)),
  { name: 'knip', args: [installed('knip/bin/knip.js'), '--no-progress'] },
]

/** Runs the checks up to the first that fails; answers whether all are fine. */
exports.check = function check() {
  return STEPS.every(({ name, args }) => {
    const started = Date.now()
    const isFine = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status === 0
    console.log(`${isFine ? 'ok' : 'FAILED'}  ${name}  ${seconds(started)}`)
    return isFine
  })
}

if (require.main === module) {
  prepare({ build: false }).then(
    () => process.exit(exports.check() ? 0 : 1),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
}
