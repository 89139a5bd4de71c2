/**
 * Changes an order. It locks the order, lets the table decide, writes the steps, the timeline, the merchant's notification and
 * the jobs, and commits. All events come through here; only the cheap close in closeOrder and the sweep in
 * expire-order.ts have statements of their own.
 */
import { decide, type Step } from '@acopay/core'
import {
  type AttemptToClose,
  type FoundRefund,
  type JobAfter,
  lockOrder,
  moveOrder,
  type Order,
  transaction,
  useNonce,
} from '@acopay/store'
import { attemptNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'
import { enqueueNotification } from '../notification/enqueue-notification.ts'
import { applyEvent } from './apply-event.ts'
import type { AskedEvent, Change, Event, Key, Refused } from './events.ts'
import { readEvent } from './read-event.ts'
import { detailOf, entryText } from './timeline-entry.ts'

export type Changed =
  | { kind: 'absent' }
  | { kind: 'nonce_used' }
  /**
   * The order after the event, and the reason if the event was refused. `refund`: the refund that the event is about, after
   * the event. `attempts`: those of an order that this event has begun to close.
   */
  | {
      kind: 'answered'
      order: Order
      refused: Refused | null
      steps: Step[]
      refund: FoundRefund | null
      attempts: AttemptToClose[] | null
    }

export const changeOrder = (world: World, key: Key, asked: AskedEvent): Promise<Changed> =>
  transaction(world.pool, async (db): Promise<Changed> => {
    const now = world.now()
    if (key.nonce !== undefined && !(await useNonce(db, { mchNo: key.mchNo, nonce: key.nonce, now }))) {
      return { kind: 'nonce_used' }
    }
    const found = await lockOrder(db, key.mchNo, key.ref)
    if (found === null) return { kind: 'absent' }

    const event = numbered(world, found, asked)
    const { happening, loaded } = await readEvent(db, found, event, now)
    const unchanged = { kind: 'answered' as const, order: found, steps: [], refund: loaded.refund, attempts: null }
    if (happening === null) return { ...unchanged, refused: null }
    if (typeof happening === 'string') return { ...unchanged, refused: happening }
    const { refused, steps } = decide(snapshotOf(found), happening, world.sureNow().getTime())
    let order = found
    for (const step of steps) order = await writeStep({ world, db, order, step, event, loaded, now })
    return { kind: 'answered', order, refused, steps, refund: loaded.refund, attempts: loaded.attempts }
  })

function numbered(world: World, order: Order, asked: AskedEvent): Event {
  if (asked.event !== 'pay_started') return asked
  const { attempt } = asked
  const which = { nth: order.attempts + 1, channel: attempt.channel }
  return { ...asked, attempt: { ...attempt, attemptNo: attemptNumber(world.keyedDigits, order, which) } }
}

/** The part of an order that the table needs. */
export const snapshotOf = (order: Order) => ({
  state: order.state,
  closeReason: order.closeReason,
  attempts: order.attempts,
  expiresAtMs: order.timeExpire.getTime(),
})

async function writeStep(change: Change): Promise<Order> {
  const { db, order, step, event, now } = change
  // The order may have expired before the event. The expiry is a step of its own and writes no rows of the event.
  const isOwn = step.event === event.event || step.event === 'money_returned'
  const { attempts = 0, paid = null } = isOwn ? await applyEvent(change) : {}
  const entry = entryText(step, isOwn ? detailOf(event) : {}, now)
  const { mchNo, transactionNo } = order
  const attemptsAfter = order.attempts + attempts
  const moved = await moveOrder(db, order, {
    to: step.to,
    closeReason: step.closeReason,
    attempts: attemptsAfter,
    paid,
    entry,
    mac: change.world.stamps.entry({ mchNo, ref: { transactionNo }, seq: order.headSeq + 1, entry }),
    now,
    job: jobAfter(change, attemptsAfter),
  })
  await enqueueNotification(change, moved)
  return moved
}

/** An order whose attempts can still be paid, and should not be, has a job that closes them. Null: what there is stays. */
function jobAfter({ world, step, now }: Change, attempts: number): JobAfter {
  // After a refund, the job that closes a paid order's other attempts must stay.
  if (step.to === step.from || step.to === 'REFUND') return null
  const kind = 'shut_attempts'
  // A caller who closes an order does the work and holds the job's first lease; after an expiry the job is due at once.
  const heldUntil = step.event === 'close_asked' ? new Date(now.getTime() + world.limits.leaseMs) : now
  if (step.to === 'CLOSING') return { kind, dueAt: heldUntil }
  // A paid order's other attempts are closed, so that payers cannot pay a second time.
  if (step.to === 'SUCCESS' && attempts > 1) return { kind, dueAt: now }
  return { kind, dueAt: null }
}
