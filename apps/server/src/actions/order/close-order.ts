/** Closes an order, for a merchant or an operator (spec/protocol.md 3.1, spec/order-lifecycle.md, Closing). */
import { decide, type OrderRef } from '@acopay/core'
import { findOrder, leaseJob, moveUntouched, type Order, type Pool, removeJob } from '@acopay/store'
import { coalesced } from '../../outbound/coalesce.ts'
import { type Deadline, remainingMs, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { type Changed, changeOrder } from './change-order.ts'
import { closeAttempts } from './close-attempts.ts'
import { entryText } from './timeline-entry.ts'

/**
 * `closed` and `expired` promise that the order will never be paid. `closing` promises only that no new payment can
 * start and that the gateway goes on asking.
 */
export type CloseOutcome = 'closed' | 'expired' | 'paid' | 'closing'

export type CloseAnswer =
  | { kind: 'absent' }
  | { kind: 'nonce_used' }
  | { kind: 'answered'; order: Order; outcome: CloseOutcome }

/** `nonce` null: asked at the console, whose sessions protect themselves against repeats. */
export type CloseAsk = { mchNo: string; ref: OrderRef; by: 'MERCHANT'; nonce: string } | ConsoleAsk
type ConsoleAsk = { mchNo: string; ref: OrderRef; by: 'MERCHANT' | 'OPERATOR'; nonce: null }

const WAIT_MS = 100

/** Answers within `limits.closeBudgetMs`, whatever the upstreams do. */
export async function closeOrder(world: World, ask: CloseAsk): Promise<CloseAnswer> {
  const deadline = within(world, world.limits.closeBudgetMs)
  const { mchNo, ref, nonce } = ask
  if (nonce !== null) {
    const entry = entryText(UNTOUCHED_MOVE, { by: 'MERCHANT' }, world.now())
    const simple = await world.closeUntouched(mchNo, { ref, nonce, entry })
    if (simple.kind === 'absent' || simple.kind === 'nonce_used') return simple
    if (simple.kind !== 'involved') return answer(simple.order)
  }

  const key = nonce === null ? { mchNo, ref } : { mchNo, ref, nonce }
  const fenced = await changeOrder(world, key, { event: 'close_asked', by: ask.by })
  if (fenced.kind !== 'answered') return fenced
  if (fenced.order.state !== 'CLOSING') return answer(fenced.order)
  const settled = isFencedHere(fenced)
    ? await shutHere(world, fenced.order, deadline)
    : await waitForOthers(world, fenced.order, deadline)
  return answer(settled)
}

/** What the table says of closing an order for which no attempt was ever opened; the store writes it where that holds. */
const UNTOUCHED_MOVE = (() => {
  const untouched = { state: 'NOTPAY', closeReason: null, attempts: 0, expiresAtMs: Number.POSITIVE_INFINITY } as const
  const step = decide(untouched, { event: 'close_asked', by: 'MERCHANT' }, 0).steps[0]
  if (step === undefined) throw new Error('the table no longer closes an untouched order')
  return step
})()

/** Two statements at a time leave connections for other work and still fill the database's commit. */
const STATEMENTS_AT_ONCE = 2
const CLOSES_PER_STATEMENT = 128

/** The cheap close of one process: callers of one merchant who close at the same time share one statement. */
export const closeUntouchedTogether = ({ pool, now }: { pool: Pool; now: () => Date }): World['closeUntouched'] =>
  coalesced({
    run: (mchNo, asks) => moveUntouched(pool, { mchNo, move: UNTOUCHED_MOVE, asks, now: now() }),
    inFlightMax: STATEMENTS_AT_ONCE,
    sizeMax: CLOSES_PER_STATEMENT,
  })

const answer = (order: Order): CloseAnswer => ({ kind: 'answered', order, outcome: outcomeOf(order) })

function outcomeOf({ state, closeReason }: Order): CloseOutcome {
  switch (state) {
    case 'CLOSED':
      return closeReason === 'EXPIRED' ? 'expired' : 'closed'
    case 'SUCCESS':
    case 'REFUND':
      return 'paid'
    // NOTPAY cannot come back from a close; if it did, 'closing' is the answer that promises least.
    case 'CLOSING':
    case 'NOTPAY':
      return 'closing'
  }
}

/** The call that wrote CLOSING holds the job that closes the attempts. */
const isFencedHere = (fenced: Changed & { kind: 'answered' }): boolean =>
  fenced.steps.some(({ event, to }) => event === 'close_asked' && to === 'CLOSING')

async function shutHere(world: World, order: Order, deadline: Deadline): Promise<Order> {
  const { order: closed, isDone } = await closeAttempts(world, order, deadline)
  // Where the order closed, its job went with it; a paid one's job ends here. Otherwise it goes on with pauses.
  if (isDone) await removeJob(world.pool, shutJob(order))
  return closed
}

/**
 * Another caller, another process, or the job of an expiry is closing this order's attempts. Waits for its result, and
 * takes over when its lease ends, so that two closes at once ask each upstream once.
 */
async function waitForOthers(world: World, order: Order, deadline: Deadline): Promise<Order> {
  let current = order
  while (current.state === 'CLOSING' && remainingMs(world, deadline) > 0) {
    const now = world.now()
    const held = await leaseJob(world.pool, shutJob(order), now, new Date(now.getTime() + world.limits.leaseMs))
    if (held !== null) return shutHere(world, order, deadline)
    await world.sleep(Math.min(WAIT_MS, remainingMs(world, deadline)))
    const found = await findOrder(world.pool, order.mchNo, { transactionNo: order.transactionNo })
    if (found === null) throw new Error(`order ${order.transactionNo} vanished`)
    current = found
  }
  return current
}

const shutJob = ({ mchNo, transactionNo }: Order) => ({
  mchNo,
  kind: 'shut_attempts' as const,
  subject: transactionNo,
})
