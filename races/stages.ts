/** Which orders a run plays, and under which weather. */
import { diceOf } from './dice.ts'
import { type Event, inTime, type Plan, planOf } from './plan.ts'
import type { Stage } from './room.ts'
import { ORDERS_A_WEATHER, slowClose, type Weather, weatherOf } from './weather.ts'

/** Orders 1 to `orders`; the weather changes every 200 orders. */
export function seededStages(seed: number, orders: number, { hasExpiry }: { hasExpiry: boolean }): Stage[] {
  const all = Array.from({ length: orders }, (_, index) => planOf(seed, index + 1, { hasExpiry }))
  const stages: Stage[] = []
  for (let from = 0; from < orders; from += ORDERS_A_WEATHER) {
    stages.push({ ...weatherAround(seed, from + 1), plans: all.slice(from, from + ORDERS_A_WEATHER) })
  }
  return stages
}

/** One order's plan, played `times` times under its own weather. */
export const replayed = (
  seed: number,
  order: number,
  { times, hasExpiry }: { times: number; hasExpiry: boolean },
): Stage[] => [
  {
    ...weatherAround(seed, order),
    plans: Array.from({ length: times }, () => planOf(seed, order, { hasExpiry })),
  },
]

function weatherAround(seed: number, order: number): Omit<Stage, 'plans'> {
  const round = Math.floor((order - 1) / ORDERS_A_WEATHER)
  return { weatherAt: (gateway, channel) => weatherOf({ seed, round, gateway, channel }), isApart: false }
}

/** How long Alipay takes to answer a close; each time holds for a third of the orders. */
export const CLOSE_ANSWER_MS = [0, 400, 2_000] as const

/** Unscanned codes of Alipay, paid 0 to 120 ms after the close began. */
export const unscannedStages = (seed: number, orders: number): Stage[] =>
  CLOSE_ANSWER_MS.map((ms, third) => ({
    plans: Array.from({ length: Math.ceil((orders - third) / CLOSE_ANSWER_MS.length) }, (_, index) =>
      unscannedPlan(seed, third + 1 + index * CLOSE_ANSWER_MS.length),
    ),
    weatherAt: () => slowClose(ms),
    isApart: true,
  }))

/** How long Alipay takes to answer the close of this order of `unscannedStages`. */
export const closeAnswerMsOf = (order: number): number => CLOSE_ANSWER_MS[(order - 1) % CLOSE_ANSWER_MS.length] ?? 0

function unscannedPlan(seed: number, order: number): Plan {
  const dice = diceOf(seed, 'unscanned', order)
  const closeMs = 250
  return {
    seed,
    order,
    kind: 'unscanned code',
    amountFen: dice.between(1, 100_000),
    expiresInMs: null,
    mood: 'well',
    events: inTime([
      { do: 'open', attempt: 0, channel: 'alipay', method: 'native', atMs: 0 },
      { do: 'close', by: 'transaction_no', atMs: closeMs },
      { do: 'pay', attempt: 0, atMs: closeMs + dice.between(0, 120) },
      { do: 'query', atMs: closeMs + dice.between(150, 900) },
      { do: 'query', atMs: closeMs + dice.between(1_000, 2_800) },
    ]),
  }
}

/** Most faults, each with a small probability, for `npm run demo:race`. */
const DEMO_WEATHER: Weather = {
  name: 'demo',
  faults: [
    { kind: 'lost_answer', probability: 0.04 },
    { kind: 'error_before', probability: 0.04 },
    { kind: 'error_after', probability: 0.04 },
    { kind: 'unreadable', probability: 0.03 },
    { kind: 'bad_signature', probability: 0.03 },
    { kind: 'closes_late', probability: 0.1, ms: 1500 },
    { kind: 'closes_never', probability: 0.05 },
    { kind: 'lands_late', probability: 0.05, ms: 2000 },
    { kind: 'twin', probability: 0.2 },
  ],
}

/**
 * Each order has two codes, scanned in two apps; no payer, one or both pay while the merchant closes. In every fifth order
 * the second code is scanned and paid only after the close.
 */
export const demoStages = (seed: number, orders: number): Stage[] => [
  {
    plans: Array.from({ length: orders }, (_, index) => demoPlan(seed, index)),
    weatherAt: () => DEMO_WEATHER,
    isApart: true,
  },
]

function demoPlan(seed: number, order: number): Plan {
  const closeMs = 200 + ((order * 7) % 40)
  const isLate = order % 5 === 0
  const events: Event[] = [
    { do: 'open', attempt: 0, channel: 'wechat', method: 'native', atMs: 0 },
    { do: 'open', attempt: 1, channel: 'alipay', method: 'native', atMs: 0 },
    { do: 'scan', attempt: 0, atMs: 80 },
    { do: 'close', by: 'transaction_no', atMs: closeMs },
    { do: 'query', atMs: closeMs + 400 },
    { do: 'query', atMs: closeMs + 2_300 },
  ]
  if (isLate) events.push({ do: 'pay', attempt: 1, atMs: closeMs + 2_500 })
  else events.push({ do: 'scan', attempt: 1, atMs: 80 })
  for (const attempt of isLate ? [] : [0, 1]) {
    const isPaid = ((order % 4) & (attempt + 1)) !== 0
    if (isPaid) events.push({ do: 'pay', attempt, atMs: 200 + ((order * 11 + attempt * 13) % 40) })
  }
  return { seed, order, kind: 'demo', amountFen: 1250, expiresInMs: null, mood: 'well', events: inTime(events) }
}
