/** `npm test`: everything that must hold, the quick checks first; `npm test -- path` runs only those test files. */
require('./check-node.cjs').checkNode()
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { findChromium } = require('./chromium.cjs')
const { PAGES, prepare, seconds } = require('./prepare.cjs')

const ROOT = path.dirname(__dirname)
const installed = (file) => path.join(ROOT, 'node_modules', ...file.split('/'))

const STEPS = [
  { name: 'biome check .', args: [installed('@biomejs/biome/bin/biome'), 'check', '.'] },
  { name: 'check-imports', args: [path.join(__dirname, 'check-imports.mjs')] },
  {
    name: 'tsc -p tsconfig.test.json',
    args: [installed('typescript/bin/tsc'), '-p', 'tsconfig.test.json', '--noEmit'],
  },
  ...PAGES.map((name) => ({
    name: `tsc -p apps/${name}`,
    args: [installed('typescript/bin/tsc'), '-p', `apps/${name}`, '--noEmit'],
  })),
]
const VITEST = [installed('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)]

const run = (args) => spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status === 0

async function test() {
  await prepare({ build: true })
  for (const { name, args } of STEPS) {
    const started = Date.now()
    const isFine = run(args)
    console.log(`${isFine ? 'ok' : 'FAILED'}  ${name}  ${seconds(started)}`)
    if (!isFine) process.exit(1)
  }
  findChromium({ install: true })
  // Nothing is printed after this: vitest's last line is the result.
  console.log('vitest run')
  process.exit(run(VITEST) ? 0 : 1)
}

test().catch((error) => {
  console.error(error)
  process.exit(1)
})
