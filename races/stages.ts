/** Which orders a run plays, and under which weather. */
import { diceOf } from './dice.ts'
import { inTime, type Plan, planOf } from './plan.ts'
import type { Stage } from './run.ts'
import { ORDERS_A_WEATHER, slowClose, weatherOf } from './weather.ts'

/** Orders 1 to `orders`, other weather every 200. */
export function seededStages(seed: number, orders: number, { hasExpiry }: { hasExpiry: boolean }): Stage[] {
  const all = Array.from({ length: orders }, (_, index) => planOf(seed, index + 1, { hasExpiry }))
  const stages: Stage[] = []
  for (let from = 0; from < orders; from += ORDERS_A_WEATHER) {
    stages.push({ ...weatherAround(seed, from + 1), plans: all.slice(from, from + ORDERS_A_WEATHER) })
  }
  return stages
}

/** One order's plan, so many times, under the weather that it had. */
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

/** How long Alipay takes to answer a close: a third of the orders each. */
export const CLOSE_ANSWER_MS = [0, 400, 2_000] as const

/** Alipay's code that was not scanned, paid 0 to 120 ms after the close began. */
export const unscannedStages = (seed: number, orders: number): Stage[] =>
  CLOSE_ANSWER_MS.map((ms, third) => ({
    plans: Array.from({ length: Math.ceil((orders - third) / CLOSE_ANSWER_MS.length) }, (_, index) =>
      unscannedPlan(seed, third + 1 + index * CLOSE_ANSWER_MS.length),
    ),
    weatherAt: () => slowClose(ms),
    isApart: true,
  }))

/** The third that an order of `unscannedStages` belongs to. */
export const closeAnswerMsOf = (order: number): number => CLOSE_ANSWER_MS[(order - 1) % CLOSE_ANSWER_MS.length] ?? 0

function unscannedPlan(seed: number, order: number): Plan {
  const dice = diceOf(seed, 'unscanned', order)
  const closeMs = 250
  return {
    ...{ seed, order, kind: 'unscanned code', amountFen: dice.between(1, 100_000), expiresInMs: null, mood: 'well' },
    events: inTime([
      { do: 'open', attempt: 0, channel: 'alipay', method: 'native', atMs: 0 },
      { do: 'close', by: 'transaction_no', atMs: closeMs },
      { do: 'pay', attempt: 0, atMs: closeMs + dice.between(0, 120) },
      { do: 'query', atMs: closeMs + dice.between(150, 900) },
      { do: 'query', atMs: closeMs + dice.between(1_000, 2_800) },
    ]),
  }
}
