/**
 * `npm run races -- --seed S --orders N`: plays random orders against running gateways, with faulty upstreams and killed
 * processes, and judges them from outside by the specification alone (docs/proof.md).
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { OrderRecord } from './record.ts'
import { ENDS, endOf, storyOf, summary } from './report.ts'
import type { Outcome, Stage } from './room.ts'
import { run } from './run.ts'
import { CLOSE_ANSWER_MS, closeAnswerMsOf, replayed, seededStages, unscannedStages } from './stages.ts'

const USAGE = `npm run races -- [--seed S] [--orders N] [--gateways 1|2|3] [--kill] [--at-once 16]
                 [--only K | --replay K [--times T]] [--f19] [--gateway-dir DIR] [--no-bill] [--no-expiry] [--stories M]`

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    orders: { type: 'string', default: '1000' },
    gateways: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '16' },
    only: { type: 'string' },
    replay: { type: 'string' },
    times: { type: 'string', default: '20' },
    kill: { type: 'boolean', default: false },
    f19: { type: 'boolean', default: false },
    'no-bill': { type: 'boolean', default: false },
    'no-expiry': { type: 'boolean', default: false },
    'gateway-dir': { type: 'string' },
    stories: { type: 'string', default: '20' },
    help: { type: 'boolean' },
  },
})

if (flags.help) {
  console.log(USAGE)
  process.exit(0)
}

const seed = whole('seed', flags.seed, 0, 2 ** 31)
const orders = whole('orders', flags.orders, 1, 1_000_000)
const gateways = whole('gateways', flags.gateways, 1, 3)
const hasExpiry = !flags['no-expiry']

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const outcome = await run({
  seed,
  gateways,
  isKilled: flags.kill,
  atOnce: whole('at-once', flags['at-once'], 1, 256),
  hasBill: !flags['no-bill'],
  stages: stagesOf(),
  dir: path.resolve(flags['gateway-dir'] ?? path.dirname(import.meta.dirname)),
  say: (line) => console.log(`  ${line}`),
  found: ({ plan }, { rule, why }) => console.log(`  违反 violation: order ${plan.order}: ${rule}: ${why}`),
})
for (const line of summary(outcome)) console.log(line)
if (flags.f19) printSplit(outcome)
printStories(outcome)
process.exit(outcome.violations.size === 0 ? 0 : 1)

function stagesOf(): Stage[] {
  const one = flags.replay ?? flags.only
  if (one !== undefined) {
    const times = flags.replay === undefined ? 1 : whole('times', flags.times, 1, 100_000)
    return replayed(seed, whole('replay', one, 1, 1_000_000), { times, hasExpiry })
  }
  return flags.f19 ? unscannedStages(seed, orders) : seededStages(seed, orders, { hasExpiry })
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  console.error(`--${name} should be a whole number from ${min} to ${max}\n${USAGE}`)
  process.exit(2)
}

/** How the orders ended, by how long Alipay took to answer a close. */
function printSplit({ records, rests, violations }: Outcome): void {
  console.log('\nclose answered after   closed, unpaid   closed, sent back   paid and kept   violations')
  for (const ms of CLOSE_ANSWER_MS) {
    const own = records.filter(({ plan }) => closeAnswerMsOf(plan.order) === ms)
    const ends = (end: string): number =>
      own.filter((record) => !violations.has(record) && endOf(record, rests.get(record)) === end).length
    const wrong = own.filter((record) => violations.has(record)).length
    const cells = [`${ms} ms`, ends(ENDS[0]), ends(ENDS[1]), ends(ENDS[2]), wrong]
    console.log(cells.map((cell, index) => String(cell).padStart([20, 17, 20, 16, 13][index] ?? 0)).join(''))
  }
}

function printStories({ records, rests, violations }: Outcome): void {
  const max = whole('stories', flags.stories, 0, 1_000_000)
  // Wrong money and wrong answers come first, late answers last.
  const isLateOnly = (record: OrderRecord): boolean => !violations.get(record)?.some(({ rule }) => rule !== 'answered')
  const wrong = [...violations.keys()].sort((one, other) => Number(isLateOnly(one)) - Number(isLateOnly(other)))
  // A replay shows one story even without a violation.
  const shown = flags.replay !== undefined && violations.size === 0 ? records.slice(0, 1) : wrong.slice(0, max)
  for (const record of shown) {
    const found = { rest: rests.get(record), violations: violations.get(record) ?? [], replay: replayOf(record) }
    console.log(`\n${storyOf(record, found).join('\n')}`)
  }
  if (violations.size > shown.length) console.log(`\n… and ${violations.size - shown.length} more`)
}

/** The command that plays an order again; --f19 plays all orders, since it has no replay of one. */
function replayOf({ plan }: OrderRecord): string {
  if (flags.f19) return `npm run races -- --seed ${seed} --orders ${orders} --f19`
  const more = [
    gateways > 1 ? `--gateways ${gateways}` : '',
    flags.kill ? '--kill' : '',
    hasExpiry ? '' : '--no-expiry',
  ].filter((flag) => flag !== '')
  return [`npm run races -- --seed ${seed} --replay ${plan.order}`, ...more].join(' ')
}
