/** `npm run demo:race`: a small run of the races, and a table of three columns. */
import path from 'node:path'
import { ENDS, type End, endOf, storyOf } from './report.ts'
import { run } from './run.ts'
import { demoStages } from './stages.ts'

const SEED = 1
const ORDERS = 200

/** Each column counts the orders with these ends. */
const COLUMNS: readonly [name: string, ends: readonly End[]][] = [
  ['关单，无人付款 closed, unpaid', [ENDS[0]]],
  ['已付款，关单被拒 paid, close refused', [ENDS[2], ENDS[3]]],
  ['关单，款项退回 closed, money sent back', [ENDS[1]]],
]

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

console.log(`${ORDERS} orders: two codes each, scanned in two apps, paid and closed at the same moment, faults on`)
const { records, rests, violations } = await run({
  seed: SEED,
  gateways: 1,
  isKilled: false,
  atOnce: 10,
  hasBill: true,
  stages: demoStages(SEED, ORDERS),
  dir: path.dirname(import.meta.dirname),
  say: (line) => console.log(`  ${line}`),
})
const right = records.filter((record) => !violations.has(record))
console.log('')
for (const [name, ends] of COLUMNS) {
  const count = right.filter((record) => ends.includes(endOf(record, rests.get(record)))).length
  console.log(`${String(count).padStart(5)}  ${name}`)
}
console.log(`${String(violations.size).padStart(5)}  违反规则 against a rule of docs/order-states.md`)

const yuan = (fen: number): string => (fen / 100).toFixed(2)
const money = [...rests.values()].flatMap((rest) => rest.money)
const taken = money.reduce((sum, { takenFen }) => sum + takenFen, 0)
const returned = money.reduce((sum, { returnedFen }) => sum + returnedFen, 0)
console.log(`\n上游共收 taken ${yuan(taken)}，退回 sent back ${yuan(returned)}，留存 kept ${yuan(taken - returned)}`)
for (const [record, found] of violations) {
  console.log(
    `\n${storyOf(record, { rest: rests.get(record), violations: found, replay: 'npm run demo:race' }).join('\n')}`,
  )
}
process.exit(violations.size === 0 ? 0 : 1)
