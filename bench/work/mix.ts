/** The day of a platform, as counts of each kind of call; how it was counted is said in bench/README.md. */

export const DAY = { place: 100, query: 150, attempt: 80, pay: 70, close: 20, refund: 3 } as const

export type Share = keyof typeof DAY

const WHOLE = Object.values(DAY).reduce((sum, one) => sum + one, 0)

/** How many of each there are among about `count`; at least one of each. */
export const mixedShares = (count: number): Record<Share, number> =>
  Object.fromEntries(
    Object.entries(DAY).map(([name, share]) => [name, Math.max(1, Math.round((count * share) / WHOLE))]),
  ) as Record<Share, number>

/**
 * The members of all lists in one list, in their own order, each list spread evenly over the whole: the same in every run, so that two runs
 * can be compared.
 */
export function mixOf<One>(lists: One[][]): One[] {
  const placed = lists.flatMap((list) => list.map((one, index) => ({ one, at: (index + 0.5) / list.length })))
  return placed.sort((a, b) => a.at - b.at).map(({ one }) => one)
}

export type Step = 'place' | 'query' | 'attempt' | 'pay' | 'close' | 'refund'

const HUNDRED = 100
const PAID = 70
const ATTEMPTED = 80
const CLOSED = 90
const REFUNDED = 3

/** What happens to the nth order. Ten of a hundred are left to expire. */
export function stepsOf(order: number): Step[] {
  const n = order % HUNDRED
  const asked: Step[] = n % 2 === 0 ? ['query', 'query'] : ['query']
  if (n < PAID) return ['place', 'attempt', 'pay', ...asked, ...(n < REFUNDED ? (['refund'] as const) : [])]
  if (n < ATTEMPTED) return ['place', 'attempt', ...asked, 'close']
  return n < CLOSED ? ['place', ...asked, 'close'] : ['place', ...asked]
}
