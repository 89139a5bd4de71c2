/** What a run prints: tables, and the whole story of each order that breaks a rule. */
import type { Fact, OrderRecord, Rest, Violation } from './record.ts'
import type { Outcome } from './room.ts'
import { stateOf } from './rules.ts'

const yuan = (fen: number): string => (fen / 100).toFixed(2)

export const ENDS = [
  '关单，无人付款 closed, unpaid',
  '关单，款项退回 closed, money sent back',
  '已付款，保留 paid and kept',
  '已付款，多付的退回 paid and kept, a second payment sent back',
  '已付款，后退款 paid, refunded by the merchant',
  '都不是 none of these',
] as const
export type End = (typeof ENDS)[number]

/** How an order and its money ended; whether that is right, the rules say. */
export function endOf(record: OrderRecord, rest: Rest | undefined): End {
  const money = rest?.money ?? []
  const sum = (read: (one: (typeof money)[number]) => number): number =>
    money.reduce((total, one) => total + read(one), 0)
  const [takenFen, returnedFen] = [sum(({ takenFen }) => takenFen), sum(({ returnedFen }) => returnedFen)]
  switch (stateOf(record)) {
    case 'CLOSED':
      if (takenFen === 0) return ENDS[0]
      return takenFen === returnedFen ? ENDS[1] : ENDS[5]
    case 'SUCCESS':
      return returnedFen === 0 ? ENDS[2] : ENDS[3]
    case 'REFUND':
      return ENDS[4]
    default:
      return ENDS[5]
  }
}

export function summary({
  records,
  rests,
  violations,
  weathers,
  slowestCloseMs,
  unoffered,
  tookMs,
}: Outcome): string[] {
  const ends = records.map((record) => endOf(record, rests.get(record)))
  const money = [...rests.values()].flatMap((rest) => rest.money)
  const [taken, returned] = [
    money.reduce((sum, { takenFen }) => sum + takenFen, 0),
    money.reduce((sum, { returnedFen }) => sum + returnedFen, 0),
  ]
  return [
    '',
    ...ENDS.filter((end) => end !== ENDS[5] || ends.includes(end)).map((end) =>
      counted(ends.filter((one) => one === end).length, end),
    ),
    counted(violations.size, '违反规则 violations'),
    '',
    `上游共收 taken ${yuan(taken)}，退回 sent back ${yuan(returned)}，留存 kept ${yuan(taken - returned)}`,
    `最慢的关单 slowest close ${slowestCloseMs} ms; ${(tookMs / 1000).toFixed(0)} s in all`,
    ...(weathers.size > 0 ? [`weather: ${[...weathers].map(([name, times]) => `${name} ×${times}`).join(', ')}`] : []),
    ...unoffered.map((what) => `not looked at: ${what}`),
  ]
}

const counted = (count: number, what: string): string => `${String(count).padStart(6)}  ${what}`

/** One order's events in the order of time, its violations, and the command that plays it again. */
export function storyOf(
  record: OrderRecord,
  found: { rest?: Rest | undefined; violations: Violation[]; replay: string },
): string[] {
  const { plan, transactionNo, facts } = record
  const beginMs = Math.min(...facts.map(({ sentMs }) => sentMs))
  const head = `order ${plan.order} of seed ${plan.seed} (${plan.kind}, ${yuan(plan.amountFen)} CNY, merchant's server: ${plan.mood}) ${transactionNo}`
  return [
    head,
    ...found.violations.map(({ rule, why }) => `  违反 ${rule}: ${why}`),
    ...brief(facts).map((fact) => `  ${line(fact, beginMs)}`),
    ...(found.rest?.money ?? []).map(
      ({ attempt, takenFen, returnedFen }) =>
        `  at rest  ${attempt} took ${yuan(takenFen)}, returned ${yuan(returnedFen)}`,
    ),
    `  again: ${found.replay}`,
  ]
}

/** In the order of time; of consecutive queries with the same answer only the first and the last. */
function brief(facts: Fact[]): Fact[] {
  const sorted = [...facts].sort((one, other) => one.sentMs - other.sentMs)
  const isSame = (one: Fact | undefined, other: Fact): boolean =>
    one?.column === 'query' && other.column === 'query' && one.word === other.word
  return sorted.filter((fact, index) => {
    const next = sorted[index + 1]
    return !(isSame(sorted[index - 1], fact) && next !== undefined && isSame(next, fact))
  })
}

function tookText(sentMs: number, knownMs: number | null): string {
  if (knownMs === null) return ' (no answer)'
  return knownMs === sentMs ? '' : ` (${knownMs - sentMs} ms)`
}

function line({ column, word, sentMs, knownMs, refund, attempt, fen, note, answered }: Fact, beginMs: number): string {
  const at = String(sentMs - beginMs).padStart(6)
  const isTold = column.startsWith('told')
  const about = [attempt, refund, fen === undefined ? '' : yuan(fen), isTold ? '' : note, answered && `→ ${answered}`]
  return `${at} ms  ${column.padEnd(13)} ${word}${tookText(sentMs, knownMs)} ${about.filter((text) => text).join(' ')}`.trimEnd()
}
