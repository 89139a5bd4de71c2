/** Visits every state that the model can reach, breadth first, and checks the invariants of spec/order-lifecycle.md. */
import { moves, restMoves } from './model.ts'
import {
  type Bounds,
  initial,
  type Mistake,
  type Model,
  type Move,
  PAID_UNITS,
  type Rules,
  refundedUnits,
  sentBackUnits,
} from './model-state.ts'

export type Violation = { invariant: string; story: string[] }

export type Checked = { states: number; transitions: number; violation: Violation | null }

type Reached = { from: string | null; says: string; model: Model }

/** The invariant that this state breaks; null if it breaks none. Must hold in every state. */
export function brokenNow(model: Model): string | null {
  const { state, attempts, toldClosed } = model
  const kept = attempts.filter(({ booked }) => booked === 'keep').length
  if (kept > 1) return 'I1: one order keeps two payments'
  if (state === 'CLOSED' && kept > 0) return 'I2: a closed order keeps a payment'
  if (toldClosed && state !== 'CLOSED') return `I3: the merchant was told SUCCESS, and the order is ${state}`
  // Exception: the upstream cannot withdraw a code that no payer has scanned.
  const isPayable = attempts.some(
    ({ upstream, mayLand, isGivenAway }) => mayLand || (upstream === 'open' && !isGivenAway),
  )
  if (toldClosed && isPayable) return 'P1: the merchant was told SUCCESS, and the order can still be paid'
  if (state === 'SUCCESS' && kept !== 1) return 'I1: a paid order keeps no payment'
  // Once an order keeps a payment, the merchant is told SUCCESS, and a close is answered 'paid'.
  if (attempts.some(({ wasKept, sentBackBy }) => wasKept && sentBackBy === 'us')) {
    return 'I10: the gateway sends back a payment that it kept'
  }
  const isSentBack = attempts.some(({ wasKept, sentBackBy }) => wasKept && sentBackBy === 'outside')
  if (state === 'REFUND' && !isSentBack && model.refunds.every(({ ours }) => ours !== 'SUCCESS')) {
    return "I9: the order is REFUND without a refund of the merchant's"
  }
  return attempts.map((_attempt, index) => brokenRefunds(model, index)).find((broken) => broken !== null) ?? null
}

function brokenRefunds(model: Model, index: number): string | null {
  const asked = refundedUnits(model, index, ({ ours }) => ours !== 'FAIL')
  const booked = model.attempts[index]?.booked
  for (const { ours, upstream } of model.refunds) {
    const isSent = upstream === 'done' || upstream === 'under way'
    if (ours === 'FAIL' && isSent) return 'I9: the merchant was told that a refund failed, and it was sent'
    if (ours === 'SUCCESS' && upstream !== 'done')
      return 'I9: the merchant was told that a refund is done, and it is not'
  }
  if (asked > (booked === 'keep' ? PAID_UNITS : 0)) return 'I4: refunds exceed what is kept'
  if (sentBackUnits(model, index) > PAID_UNITS) return 'I4: the upstream sends back more than it took'
  return null
}

/** How much of a payment was sent back, according to the books. */
const bookedBackUnits = (model: Model, index: number): number =>
  model.attempts[index]?.booked === 'returned'
    ? PAID_UNITS
    : refundedUnits(model, index, ({ ours }) => ours === 'SUCCESS')

/** The invariant that this state breaks although nothing is left to do; null if it breaks none. */
export function brokenAtRest(model: Model): string | null {
  const { state, attempts, refunds } = model
  if (attempts.some(({ upstream, booked }) => upstream === 'paid' && booked === 'no')) {
    return 'I6: the upstream took a payment that is not in the books'
  }
  if (attempts.some(({ booked }) => booked === 'reverse')) return 'I4: a reversal never reached the payer'
  if (state === 'CLOSING') return 'I8: the order is still being closed'
  if (refunds.some(({ ours }) => ours === 'PROCESSING')) return 'I8: a refund is still under way'
  if (attempts.some(({ second }) => second === 'reverse')) return 'I4: a second payment never went back'
  if (state === 'CLOSED' && attempts.some(({ upstream }) => upstream === 'open')) {
    return 'P1: a code that was scanned after the close is left open'
  }
  // If others send back a payment after it was booked, only the daily bill shows it, and the model has no bill.
  const isKnown = ({ sentBackBy }: (typeof attempts)[number], index: number): boolean =>
    sentBackBy === 'outside' || sentBackUnits(model, index) === bookedBackUnits(model, index)
  if (!attempts.every(isKnown)) {
    return 'I6: what the upstream sent back is not what the books say'
  }
  return null
}

export function check(bounds: Bounds, mistake: Mistake | null = null): Checked {
  const rules = { bounds, mistake }
  const start = initial(bounds)
  const reached = new Map<string, Reached>([[keyOf(start), { from: null, says: 'an order is placed', model: start }]])
  /** States that were already checked to end well if only the gateway and the upstreams go on. */
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

/**
 * Lets the gateway and the upstreams finish their work, without faults, payers or merchants. Every state on the way and
 * every end must keep the invariants, and an end must be reachable from every state.
 */
function brokenLater(start: string, model: Model, rules: Rules, restful: Set<string>): Violation | null {
  if (restful.has(start)) return null
  const visited = new Map<string, Reached>([[start, { from: null, says: '', model }]])
  const cameFrom = new Map<string, string[]>()
  const ending = new Set<string>()
  for (const [key, { model: at }] of visited) {
    if (restful.has(key)) {
      ending.add(key)
      continue
    }
    restful.add(key)
    const onward = restMoves(at, rules)
    if (onward.length === 0) ending.add(key)
    const invariant = brokenAt(at, onward)
    if (invariant !== null) return { invariant, story: storyOf(visited, key).slice(1) }
    for (const { says, to } of onward) {
      const next = keyOf(to)
      if (!visited.has(next)) visited.set(next, { from: key, says, model: to })
      cameFrom.set(next, [...(cameFrom.get(next) ?? []), key])
    }
  }
  spread(ending, cameFrom)
  const endless = [...visited.keys()].find((key) => !ending.has(key))
  if (endless === undefined) return null
  return { invariant: 'I8: the work never comes to an end', story: storyOf(visited, endless).slice(1) }
}

/** Adds every state from which an end can be reached. A loop over a Set also visits the members that it adds. */
function spread(ending: Set<string>, cameFrom: Map<string, string[]>): void {
  for (const key of ending) for (const before of cameFrom.get(key) ?? []) ending.add(before)
}

const brokenAt = (model: Model, onward: Move[]): string | null =>
  brokenNow(model) ?? (onward.length === 0 ? brokenAtRest(model) : null)

/** The moves that lead from the first state to this one. */
function storyOf(reached: Map<string, Reached>, key: string): string[] {
  const story: string[] = []
  for (let at: string | null = key; at !== null; ) {
    const { from, says } = reached.get(at) as Reached
    story.unshift(says)
    at = from
  }
  return story
}

/** All values of a state in their order. JSON, with its names, is four times as long: most of the check's time and memory. */
function keyOf({ attempts, closers, refunds, ...own }: Model): string {
  const lists = [attempts, closers, refunds].map((list) => list.map(valuesOf).join('/'))
  return `${valuesOf(own)};${lists.join(';')}`
}

const valuesOf = (record: object): string => Object.values(record).join()
