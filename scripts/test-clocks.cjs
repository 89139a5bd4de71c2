/**
 * `npm run test:clocks`: the unit tier and sessions of the db tier, each under eight clocks and time zones. Every test file
 * begins at the named moment. `-- --write` writes the table to docs/proof/clocks.md; `-- --only N` runs one of them.
 */
require('./check-node.cjs').checkNode()
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')

const ROOT = path.dirname(__dirname)
const PAGE = path.join(ROOT, 'docs', 'proof', 'clocks.md')

/** A year's end, a leap day, ends of months, midnights in China and in UTC, hours that come twice, a clock set back. */
const CLOCKS = [
  { why: 'two seconds before the year ends in China', at: '2026-12-31T23:59:58+08:00', zone: 'Asia/Shanghai' },
  { why: 'two seconds before the year ends in UTC', at: '2026-12-31T23:59:58Z', zone: 'UTC' },
  {
    why: 'the year has begun in China, and nowhere else',
    at: '2027-01-01T00:00:00.005+08:00',
    zone: 'America/Los_Angeles',
  },
  { why: 'a leap day, at noon', at: '2028-02-29T12:00:00+08:00', zone: 'Asia/Kathmandu' },
  { why: 'the leap day ends in China', at: '2028-02-29T23:59:58+08:00', zone: 'America/Los_Angeles' },
  { why: 'a month of 30 days ends in UTC', at: '2026-04-30T23:59:58Z', zone: 'Asia/Kathmandu' },
  { why: "Los Angeles' hour that comes twice", at: '2026-11-01T08:59:58Z', zone: 'America/Los_Angeles' },
  {
    why: 'a month ends in China, while the clock goes back 3 s and forward again',
    at: '2026-03-31T23:59:59+08:00',
    zone: 'Asia/Kathmandu',
    swing: 3000,
  },
]

/** The sessions of the db tier: an order's life over HTTP, and the days of the books. */
const SESSIONS = ['test/order-life.test.ts', 'test/calendar.test.ts']

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false }, only: { type: 'string' } } })
const chosen = CLOCKS.filter((_, index) => values.only === undefined || String(index + 1) === values.only)
const rows = chosen.map((clock) => ({ clock, counts: run(clock) }))
const lineOf = ({ clock, counts }) =>
  `| ${clock.at} | ${clock.zone} | ${clock.why} | ${counts.passed} | ${counts.failed} |`
console.log(`\n${rows.map(lineOf).join('\n')}`)
if (values.write) writePage()
const failed = rows.reduce((sum, { counts }) => sum + counts.failed, 0)
console.log(`${rows.reduce((sum, { counts }) => sum + counts.passed, 0)} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

/** Both tiers under one clock. A run that ends badly without a failed test counts as one failure. */
function run({ at, zone, swing }) {
  const file = path.join(os.tmpdir(), `acopay-clock-${process.pid}.jsonl`)
  const env = {
    ...process.env,
    ...{ TZ: zone, ACOPAY_TEST_TZ: zone, ACOPAY_TEST_CLOCK: at, ACOPAY_TEST_COUNTS: file },
    ...(swing === undefined ? {} : { ACOPAY_CLOCK_SWING_MS: String(swing) }),
  }
  const test = path.join(__dirname, 'test.cjs')
  const codes = [['unit'], ['db', ...SESSIONS]].map(
    (args) => spawnSync(process.execPath, [test, ...args], { cwd: ROOT, env, stdio: 'inherit' }).status,
  )
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
  fs.rmSync(file, { force: true })
  const counts = { passed: 0, failed: 0 }
  for (const line of text.split('\n').filter((some) => some !== '')) {
    counts.passed += JSON.parse(line).passed
    counts.failed += JSON.parse(line).failed
  }
  return codes.every((code) => code === 0) ? counts : { ...counts, failed: Math.max(1, counts.failed) }
}

/** Writes the rows of this run; a clock that was not chosen keeps the row that it has. */
function writePage() {
  const before = fs.existsSync(PAGE) ? fs.readFileSync(PAGE, 'utf8').split('\n') : []
  const lines = CLOCKS.flatMap((clock) => {
    const row = rows.find((one) => one.clock === clock)
    return row === undefined ? before.filter((line) => line.startsWith(`| ${clock.at} |`)) : lineOf(row)
  })
  const text = [
    '# Under other clocks',
    '',
    'Made by `npm run test:clocks -- --write`: the unit tier and the sessions of the db tier, each test file beginning at the',
    "moment in the first column, on a machine in the zone of the second. Besides, `npm test` runs the unit tier in Kathmandu's",
    "zone and the db tier in that of Los Angeles, and `test/calendar.test.ts` lives an order's life at ten such moments.",
    '',
    '| begins at | zone of the machine | why | passed | failed |',
    '|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
  fs.mkdirSync(path.dirname(PAGE), { recursive: true })
  fs.writeFileSync(PAGE, text)
}
