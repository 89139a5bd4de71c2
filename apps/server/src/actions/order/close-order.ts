/** Closes an order, for a merchant or an operator (spec/protocol.md 3.1, spec/order-lifecycle.md, Closing). */
import { decide, type OrderRef } from '@acopay/core'
import {
  type AttemptToClose,
  findArchivedOrder,
  findOrder,
  type GroupOf,
  leaseJob,
  moveUntouched,
  type Order,
  type Pool,
  removeJob,
  type UntouchedAnswer,
  type UntouchedAsk,
  wakeIdleJob,
} from '@acopay/store'
import { coalesced, STATEMENTS_AT_ONCE } from '../../outbound/coalesce.ts'
import { type Deadline, remainingMs, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { type Changed, changeOrder } from './change-order.ts'
import { closeAttempts } from './close-attempts.ts'
import { entryText } from './timeline-entry.ts'

/**
 * `closed` and `expired` promise that the order will never be paid. `closing` promises only that no new payment can start and
 * that the gateway goes on querying the upstreams.
 */
export type CloseOutcome = 'closed' | 'expired' | 'paid' | 'closing'

export type CloseAnswer =
  | { kind: 'absent' }
  | { kind: 'nonce_used' }
  /** `way`: `cheap` where no attempt was ever opened, which takes one statement. */
  | {
      kind: 'answered'
      order: Pick<Order, 'mchTradeNo' | 'transactionNo'>
      outcome: CloseOutcome
      way: 'cheap' | 'full'
    }

/** `nonce` null: the console asks. Its calls are not signed and need no nonce. */
export type CloseAsk = { mchNo: string; ref: OrderRef; by: 'MERCHANT'; nonce: string } | ConsoleAsk
type ConsoleAsk = { mchNo: string; ref: OrderRef; by: 'MERCHANT' | 'OPERATOR'; nonce: null }

const WAIT_MS = 100

/** Answers within `limits.closeBudgetMs`, also when an upstream does not answer. */
export async function closeOrder(world: World, ask: CloseAsk): Promise<CloseAnswer> {
  const deadline = within(world, world.limits.closeBudgetMs)
  const { mchNo, ref, nonce } = ask
  if (nonce !== null) {
    const entry = entryText(UNTOUCHED_MOVE, { by: 'MERCHANT' }, world.now())
    // The order is not read before it is closed; but one without attempts has a single entry, and the caller has named it.
    const mac = world.stamps.entry({ mchNo, ref, seq: 2, entry })
    const cheap = await world.closeUntouched({ mchNo, ref, nonce, entry, mac })
    if (cheap.kind === 'absent') return absentOrArchived(world, ask)
    if (cheap.kind === 'nonce_used') return cheap
    if (cheap.kind !== 'involved') return answer(cheap.order, 'cheap')
  }

  const key = nonce === null ? { mchNo, ref } : { mchNo, ref, nonce }
  const fenced = await changeOrder(world, key, { event: 'close_asked', by: ask.by })
  if (fenced.kind === 'absent') return absentOrArchived(world, ask)
  if (fenced.kind !== 'answered') return fenced
  if (fenced.order.state !== 'CLOSING') return answer(fenced.order, 'full')
  if (isFencedHere(fenced)) return answer(await closeHere(world, fenced.order, deadline, fenced.attempts), 'full')
  // A person who presses the button does not wait for the job's next try, which may be minutes ahead.
  const leasesEnd = new Date(world.now().getTime() + world.limits.leaseMs)
  if (nonce === null) await wakeIdleJob(world.pool, closeJob(fenced.order), world.now(), leasesEnd)
  return answer(await waitForOthers(world, fenced.order, deadline), 'full')
}

/** The table's step for closing an order for which no attempt was ever opened. The store writes it to such orders only. */
const UNTOUCHED_MOVE = (() => {
  const untouched = { state: 'NOTPAY', closeReason: null, attempts: 0, expiresAtMs: Number.POSITIVE_INFINITY } as const
  const step = decide(untouched, { event: 'close_asked', by: 'MERCHANT' }, 0).steps[0]
  if (step === undefined) throw new Error('the table no longer closes an untouched order')
  return step
})()

const CLOSES_PER_STATEMENT = 128

type Together = { pool: Pool; now: () => Date; groupOf: GroupOf; onBatch: (name: string, size: number) => void }

/** The cheap close of one process: callers of one group of merchants who close at the same time share one statement. */
export function closeUntouchedTogether({ pool, now, groupOf, onBatch }: Together): World['closeUntouched'] {
  const close = coalesced<UntouchedAsk, UntouchedAnswer>({
    name: 'close',
    onBatch,
    run: (_group, asks) => moveUntouched(pool, { move: UNTOUCHED_MOVE, asks, now: now() }),
    inFlightMax: STATEMENTS_AT_ONCE,
    sizeMax: CLOSES_PER_STATEMENT,
  })
  return (ask) => close(groupOf(ask.mchNo), ask)
}

/** An order whose rows were archived had ended: its close is answered as then, and changes nothing. */
async function absentOrArchived({ pool }: World, { mchNo, ref }: CloseAsk): Promise<CloseAnswer> {
  const archived = await findArchivedOrder(pool, mchNo, ref)
  return archived === null ? { kind: 'absent' } : answer(archived, 'cheap')
}

type Ended = Pick<Order, 'mchTradeNo' | 'transactionNo' | 'state' | 'closeReason'>

const answer = (order: Ended, way: 'cheap' | 'full'): CloseAnswer => ({
  kind: 'answered',
  order,
  outcome: outcomeOf(order),
  way,
})

function outcomeOf({ state, closeReason }: Ended): CloseOutcome {
  switch (state) {
    case 'CLOSED':
      return closeReason === 'EXPIRED' ? 'expired' : 'closed'
    case 'SUCCESS':
    case 'REFUND':
      return 'paid'
    // A close never leaves an order in NOTPAY. If it did, 'closing' would be the answer that promises the least.
    case 'CLOSING':
    case 'NOTPAY':
      return 'closing'
  }
}

/** Whether this call has written CLOSING, and so holds the job that closes the attempts. */
const isFencedHere = (fenced: Changed & { kind: 'answered' }): boolean =>
  fenced.steps.some(({ event, to }) => event === 'close_asked' && to === 'CLOSING')

async function closeHere(
  world: World,
  order: Order,
  deadline: Deadline,
  attempts: AttemptToClose[] | null = null,
): Promise<Order> {
  const { order: closed, isDone } = await closeAttempts(world, order, deadline, attempts)
  // Closing the order removes its job. A paid order's job is removed here. If attempts are left, the job goes on.
  if (isDone && closed.state !== 'CLOSED') await removeJob(world.pool, closeJob(order))
  return closed
}

/**
 * Another caller or a job is closing this order's attempts. Waits for its result, so that two closes at once call each
 * upstream once, and takes over the job when its lease ends.
 */
async function waitForOthers(world: World, order: Order, deadline: Deadline): Promise<Order> {
  let current = order
  while (current.state === 'CLOSING' && remainingMs(world, deadline) > 0) {
    const now = world.now()
    const held = await leaseJob(world.pool, closeJob(order), now, new Date(now.getTime() + world.limits.leaseMs))
    if (held !== null) return closeHere(world, order, deadline)
    await world.sleep(Math.min(WAIT_MS, remainingMs(world, deadline)))
    const found = await findOrder(world.pool, order.mchNo, { transactionNo: order.transactionNo })
    if (found === null) throw new Error(`order ${order.transactionNo} was not found while it was being closed`)
    current = found
  }
  return current
}

const closeJob = ({ mchNo, transactionNo }: Order) => ({
  mchNo,
  kind: 'shut_attempts' as const,
  subject: transactionNo,
})
