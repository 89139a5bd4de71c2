/**
 * `node scripts/test.cjs all|unit|db|pages|long [vitest's arguments]`: the npm scripts `test` and `test:…`.
 * `all` runs the checks first, then every tier but for what takes long; `long` runs that, and the tests whose size can be chosen at
 * their full size.
 * The tier of a file: test/support/tiers.ts.
 */
require('./check-node.cjs').checkNode()
const { spawnSync } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const path = require('node:path')
const { check } = require('./check.cjs')
const { HOW, findChromium, installChromium } = require('./chromium.cjs')
const { prepare } = require('./prepare.cjs')

const ROOT = path.dirname(__dirname)
const TIERS = {
  all: ['unit', 'db', 'pages'],
  unit: ['unit'],
  db: ['db'],
  pages: ['pages'],
  long: ['unit', 'db', 'pages'],
}
/** What test/support/size.ts reads. A tier runs all its files, and `npm test` with arguments all that they name. */
const SIZES = { all: 'quick', long: 'long' }

async function test(what, args) {
  if (!Object.hasOwn(TIERS, what)) throw new Error(`say one of ${Object.keys(TIERS).join(', ')}, not ${what}`)
  let tiers = TIERS[what]
  await prepare({ build: false })
  if (what === 'all' && !(await check())) process.exit(1)
  if (tiers.includes('pages') && !isThereABrowser()) tiers = tiers.filter((tier) => tier !== 'pages')
  // Pages are served and tested as they are built, and built when their sources changed; everything else is run from its
  // sources. A file of the db tier looks into a page that the gateway serves.
  if (tiers.some((tier) => tier !== 'unit')) await prepare({ build: 'pages' })
  if (tiers.length === 0) return console.log('0 passed, 0 failed')
  const isCitusFine = what !== 'long' || args.length > 0 || testCitus()
  const size = what === 'all' && args.length > 0 ? undefined : SIZES[what]
  const arePagesInDb = tiers.includes('db') && tiers.includes('pages')
  const env = {
    ...process.env,
    ...(size === undefined ? {} : { ACOPAY_TEST_SIZE: size }),
    ...(arePagesInDb ? { ACOPAY_TEST_PAGES_IN_DB: 'yes' } : {}),
  }
  const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const projects = tiers.filter((tier) => !(arePagesInDb && tier === 'pages')).flatMap((tier) => ['--project', tier])
  // Nothing is printed after this: the last line is the result.
  process.exitCode = await leavingNothing((more) => {
    const options = { cwd: ROOT, env: { ...env, ...more }, stdio: 'inherit' }
    return spawnSync(process.execPath, [vitest, 'run', ...projects, ...args], options).status ?? 1
  })
  if (process.exitCode === 0 && !isCitusFine) {
    console.error('npm run test:citus failed: see above\n0 passed, 1 failed')
    process.exitCode = 1
  }
}

/** Skips itself where there is no Citus. */
function testCitus() {
  const args = ['--import', 'tsx', '--conditions=@acopay/source', path.join(__dirname, 'test-citus.ts')]
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status === 0
}

/**
 * Runs the tests in a temporary folder of their own, and clears away what they left, also when they were interrupted.
 * `run` gets the variables that say so. Answers its exit code; 1 when something was left.
 */
async function leavingNothing(run) {
  const { clearAway, leftovers, OWNER, ownTemporaryFolder, quickFolder } = await import('./leftovers.mjs')
  const owner = `run-${randomBytes(4).toString('hex')}`
  const dir = ownTemporaryFolder(quickFolder(), 'acopay-run-')
  let isInterrupted = false
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      isInterrupted = true
    })
  }
  const status = run({ [OWNER]: owner, ACOPAY_TEST_RUN: owner, TMPDIR: dir })
  const left = await leftovers({ owner, dir })
  await clearAway(owner, dir)
  if (left.length === 0 || isInterrupted) return status
  console.error(`测试留下了 The tests left behind:\n  ${left.join('\n  ')}\n0 passed, 1 failed`)
  return 1
}

/** Without a browser the pages are skipped, except in CI, which installs one or fails. */
function isThereABrowser() {
  if (findChromium() !== null) return true
  if (process.env.CI !== 'true') {
    console.log(`跳过页面测试，没有找到浏览器 SKIPPED the tests of pages: no browser found\n${HOW}`)
    return false
  }
  if (installChromium() !== null) return true
  console.error(`页面测试需要浏览器 The tests of pages need a browser.\n${HOW}`)
  process.exit(1)
}

const [what = 'all', ...args] = process.argv.slice(2)
test(what, args).catch((error) => {
  console.error(error.message)
  process.exit(1)
})
