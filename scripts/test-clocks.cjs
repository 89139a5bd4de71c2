/**
 * `npm run test:clocks`: the unit tier and sessions of the db tier, each under eight clocks and time zones. Every test file
 * begins at the named moment. `-- --write` writes the table to docs/proof/clocks.md and its Chinese twin; `-- --only N` runs one of them.
 */
require('./check-node.cjs').checkNode()
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')

const ROOT = path.dirname(__dirname)
const PROOF = path.join(ROOT, 'docs', 'proof')

/** A year's end, a leap day, ends of months, midnights in China and in UTC, hours that come twice, a clock set back. */
const CLOCKS = [
  {
    why: 'two seconds before the year ends in China',
    zh: '中国的年末之前两秒',
    at: '2026-12-31T23:59:58+08:00',
    zone: 'Asia/Shanghai',
  },
  { why: 'two seconds before the year ends in UTC', zh: 'UTC 的年末之前两秒', at: '2026-12-31T23:59:58Z', zone: 'UTC' },
  {
    why: 'the year has begun in China, and nowhere else',
    zh: '中国已进入新年，别处还没有',
    at: '2027-01-01T00:00:00.005+08:00',
    zone: 'America/Los_Angeles',
  },
  { why: 'a leap day, at noon', zh: '闰日的正午', at: '2028-02-29T12:00:00+08:00', zone: 'Asia/Kathmandu' },
  {
    why: 'the leap day ends in China',
    zh: '中国的闰日结束',
    at: '2028-02-29T23:59:58+08:00',
    zone: 'America/Los_Angeles',
  },
  {
    why: 'a month of 30 days ends in UTC',
    zh: 'UTC 的30天的月份结束',
    at: '2026-04-30T23:59:58Z',
    zone: 'Asia/Kathmandu',
  },
  {
    why: "Los Angeles' hour that comes twice",
    zh: '洛杉矶重复的那一小时',
    at: '2026-11-01T08:59:58Z',
    zone: 'America/Los_Angeles',
  },
  {
    why: 'a month ends in China, while the clock goes back 3 s and forward again',
    zh: '中国的月末，而时钟倒退3秒又走回来',
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
const lineOf = ({ clock, counts }, why) =>
  `| ${clock.at} | ${clock.zone} | ${why} | ${counts.passed} | ${counts.failed} |`
console.log(`\n${rows.map((row) => lineOf(row, `${row.clock.zh} ${row.clock.why}`)).join('\n')}`)
if (values.write) for (const page of pages()) writePage(page)
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

/** The page of each language: its name, what stands before the rows, and the word for why. */
function pages() {
  return [
    {
      name: 'clocks.md',
      why: ({ why }) => why,
      head: `# Under other clocks

[中文](clocks.zh-CN.md)

Made by \`npm run test:clocks -- --write\`: the unit tier and the sessions of the db tier, each test file beginning at the
moment in the first column, on a machine in the zone of the second. Besides, \`npm test\` runs the unit tier in Kathmandu's
zone and the db tier in that of Los Angeles, and \`test/calendar.test.ts\` lives an order's life at ten such moments.

| begins at | zone of the machine | why | passed | failed |`,
    },
    {
      name: 'clocks.zh-CN.md',
      why: ({ zh }) => zh,
      head: `# 在别的时钟之下

[English](clocks.md)

由 \`npm run test:clocks -- --write\` 生成：unit 层与 db 层的会话，每个测试文件从第一列的时刻开始，机器在第二列的时区。此外，\`npm test\` 用加德满都的时区运行 unit 层，用洛杉矶的运行 db 层；\`test/calendar.test.ts\` 在十个这样的时刻经历订单的一生。

| 开始于 | 机器的时区 | 原因 | 通过 | 失败 |`,
    },
  ]
}

/** Writes the rows of this run; a clock that was not chosen keeps the row that it has. */
function writePage({ name, head, why }) {
  const page = path.join(PROOF, name)
  const before = fs.existsSync(page) ? fs.readFileSync(page, 'utf8').split('\n') : []
  const lines = CLOCKS.flatMap((clock) => {
    const row = rows.find((one) => one.clock === clock)
    return row === undefined ? before.filter((line) => line.startsWith(`| ${clock.at} |`)) : lineOf(row, why(clock))
  })
  fs.mkdirSync(PROOF, { recursive: true })
  fs.writeFileSync(page, [head, '|---|---|---|---|---|', ...lines, ''].join('\n'))
}
