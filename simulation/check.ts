/** Walks through every state the model can reach, breadth first, and holds the invariants of spec/order-lifecycle.md. */
import { type Bounds, initial, type Mistake, type Model, moves, restMoves } from './model.ts'

export type Violation = { invariant: string; story: string[] }

export type Checked = { states: number; transitions: number; violation: Violation | null }

type Reached = { from: string | null; says: string; model: Model }

/** Null when the state is as it must be at any time. */
export function brokenNow({ state, attempts, toldClosed }: Model): string | null {
  const kept = attempts.filter(({ booked }) => booked === 'keep').length
  if (kept > 1) return 'I1: one order keeps two payments'
  if (state === 'CLOSED' && kept > 0) return 'I2: a closed order keeps a payment'
  if (toldClosed && state !== 'CLOSED') return `I3: the merchant was told SUCCESS, and the order is ${state}`
  // The one exception is the upstream's: a code that nobody has scanned cannot be taken back.
  const isPayable = attempts.some(({ upstream, mayLand }) => upstream === 'open' || mayLand)
  if (toldClosed && isPayable) return 'P1: the merchant was told SUCCESS, and the order can still be paid'
  if (state === 'SUCCESS' && kept !== 1) return 'I1: a paid order keeps no payment'
  return null
}

/** Null when the state is as it must be once nothing is left to do. */
export function brokenAtRest({ state, attempts }: Model): string | null {
  if (attempts.some(({ upstream, booked }) => upstream === 'paid' && booked === 'no')) {
    return 'I6: the upstream took money that is not in the books'
  }
  if (attempts.some(({ upstream, booked }) => upstream === 'returned' && booked !== 'returned')) {
    return 'I6: the upstream has sent money back, and the books do not say so'
  }
  if (attempts.some(({ booked }) => booked === 'reverse')) return 'I4: money that goes back never arrived'
  if (state === 'CLOSING') return 'I8: the order is still being closed'
  return null
}

export function check(bounds: Bounds, mistake: Mistake | null = null): Checked {
  const rules = { bounds, mistake }
  const start = initial(bounds)
  const reached = new Map<string, Reached>([[keyOf(start), { from: null, says: 'an order is placed', model: start }]])
  /** States from which everything that happens by itself ends well. */
  const restful = new Set<string>()
  let transitions = 0
  for (const [key, { model }] of reached) {
    const found = brokenLater(key, model, rules, restful)
    if (found !== null) {
      const story = [...storyOf(reached, key), ...found.story]
      return { states: reached.size, transitions, violation: { invariant: found.invariant, story } }
    }
    for (const { says, to } of moves(model, rules)) {
      transitions += 1
      const next = keyOf(to)
      if (!reached.has(next)) reached.set(next, { from: key, says, model: to })
    }
  }
  return { states: reached.size, transitions, violation: null }
}

/** Lets what happens by itself happen until nothing more does: every state on the way and every end must be good. */
function brokenLater(
  start: string,
  model: Model,
  rules: Parameters<typeof restMoves>[1],
  restful: Set<string>,
): Violation | null {
  const visited = new Map<string, Reached>([[start, { from: null, says: '', model }]])
  for (const [key, { model: at }] of visited) {
    if (restful.has(key)) continue
    restful.add(key)
    const onward = restMoves(at, rules)
    const invariant = brokenNow(at) ?? (onward.length === 0 ? brokenAtRest(at) : null)
    if (invariant !== null) return { invariant, story: storyOf(visited, key).slice(1) }
    for (const { says, to } of onward) {
      const next = keyOf(to)
      if (!visited.has(next)) visited.set(next, { from: key, says, model: to })
    }
  }
  return null
}

/** How a state was reached, from the first one on. */
function storyOf(reached: Map<string, Reached>, key: string): string[] {
  const story: string[] = []
  for (let at: string | null = key; at !== null; ) {
    const { from, says } = reached.get(at) as Reached
    story.unshift(says)
    at = from
  }
  return story
}

const keyOf = (model: Model): string => JSON.stringify(model)
