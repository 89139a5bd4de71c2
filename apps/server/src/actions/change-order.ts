/**
 * The only way an order changes: lock, let the table decide, write the steps, the timeline, what the merchant must
 * be told and the jobs that must follow, commit. Closing, paying, expiring and money that arrives all come through here.
 */

import type { UpstreamPayment } from '@acopay/channels'
import {
  type CloseReason,
  decide,
  type Fen,
  type Happening,
  type MoneyFate,
  type OrderRef,
  type OrderRefusal,
  type RefundRefusal,
  refundRefusal,
  type Step,
  watchPauseMs,
} from '@acopay/core'
import {
  type Attempt,
  attemptsOf,
  bookPayment,
  type Db,
  endRefund,
  findPayment,
  findRefund,
  insertAttempt,
  insertHeldJob,
  insertRefund,
  insertReversal,
  keptPayment,
  lockOrder,
  moveAttempt,
  moveOrder,
  type Order,
  type Refund,
  removeJob,
  transaction,
  useNonce,
} from '@acopay/store'
import { platformNumber } from '../numbers.ts'
import type { World } from '../world.ts'
import { detailOf, entryText } from './order-entry.ts'
import type { UpstreamSaid } from './shut-order.ts'
import { tellMerchant } from './tell-merchant.ts'

export type Event =
  | { event: 'pay_started'; attempt: NewAttempt }
  | { event: 'close_asked'; by: Exclude<CloseReason, 'EXPIRED'> }
  | { event: 'expired' }
  /** These attempts were proven shut upstream; the order closes when no other is left. */
  | { event: 'all_shut'; attemptNos: string[]; said: UpstreamSaid[] }
  | { event: 'refund_asked'; refund: AskedRefund }
  /** What the upstream did with a refund: `failure` is its word where it will not be made, as of the call said by `landsUntil`. */
  | { event: 'refund_done'; refundNo: string }
  | { event: 'refund_failed'; refundNo: string; failure: string; landsUntil: Date }
  /** `isReturned`: the upstream has already sent it back; it is booked all the same. */
  | { event: 'money_arrived'; attemptNo: string; payment: UpstreamPayment; isReturned: boolean }

export type NewAttempt = Pick<Attempt, 'attemptNo' | 'channel' | 'method' | 'openId' | 'createLandsUntil'>

export type AskedRefund = Pick<Refund, 'refundNo' | 'mchRefundNo' | 'amountFen' | 'reason' | 'notifyUrl' | 'landsUntil'>

export type Key = { mchNo: string; ref: OrderRef; nonce?: string }

/** What the order's table, or a limit of refunds, says against it. */
export type Refused = OrderRefusal | RefundRefusal

export type Changed =
  | { kind: 'absent' }
  | { kind: 'nonce_used' }
  /** The order as it now stands, and why the event was refused, if it was. */
  | { kind: 'answered'; order: Order; refused: Refused | null; steps: Step[] }

export const changeOrder = (world: World, key: Key, event: Event): Promise<Changed> =>
  transaction(world.pool, async (db): Promise<Changed> => {
    const now = world.now()
    if (key.nonce !== undefined && !(await useNonce(db, { mchNo: key.mchNo, nonce: key.nonce, now }))) {
      return { kind: 'nonce_used' }
    }
    const found = await lockOrder(db, key.mchNo, key.ref)
    if (found === null) return { kind: 'absent' }

    const happening = await happeningOf(db, found, event, now)
    if (happening === null) return { kind: 'answered', order: found, refused: null, steps: [] }
    if (typeof happening === 'string') return { kind: 'answered', order: found, refused: happening, steps: [] }
    const { refused, steps } = decide(standing(found), happening, now.getTime())
    let order = found
    for (const step of steps) order = await writeStep(world, db, order, step, event, now)
    return { kind: 'answered', order, refused, steps }
  })

/** What the table needs to know of an order. */
export const standing = (order: Order) => ({
  state: order.state,
  closeReason: order.closeReason,
  attempts: order.attempts,
  expiresAtMs: order.timeExpire.getTime(),
})

/** The event as the table knows it; null when it says nothing new, a refusal where a refund breaks its limits. */
async function happeningOf(db: Db, order: Order, event: Event, now: Date): Promise<Happening | RefundRefusal | null> {
  switch (event.event) {
    case 'pay_started':
    case 'expired':
      return { event: event.event }
    case 'close_asked':
      return event
    case 'refund_asked': {
      const { mchRefundNo, amountFen } = event.refund
      if ((await findRefund(db, order.mchNo, { mchRefundNo })) !== null) return null
      const kept = await keptPayment(db, order.mchNo, order.transactionNo)
      return (kept && refundRefusal(kept, amountFen, now.getTime())) ?? { event: event.event }
    }
    case 'refund_done':
    case 'refund_failed': {
      const refund = await findRefund(db, order.mchNo, { refundNo: event.refundNo })
      if (refund?.state !== 'PROCESSING') return null
      // Somebody has called again since, and may have been answered otherwise.
      const isOld = event.event === 'refund_failed' && refund.landsUntil.getTime() !== event.landsUntil.getTime()
      return isOld ? null : { event: event.event }
    }
    case 'all_shut':
      return (await shutAttempts(db, order, event.attemptNos, now)) ? { event: 'all_shut' } : null
    case 'money_arrived': {
      const { attemptNo, payment } = event
      const booked = await findPayment(db, { mchNo: order.mchNo, attemptNo, paymentNo: payment.paymentNo })
      if (booked !== null) {
        const isKeptNoMore = event.isReturned && booked.fate === 'keep' && !booked.goesBack && !booked.isInDoubt
        return isKeptNoMore ? { event: 'money_returned' } : null
      }
      const isExact = payment.amountFen === order.amountFen && payment.currency === 'CNY'
      return { event: 'money_arrived', isExact: isExact && !event.isReturned }
    }
  }
}

/** Writes down which attempts are shut, to be watched from now on; whether none is left that could still be paid. */
async function shutAttempts(db: Db, order: Order, attemptNos: string[], now: Date): Promise<boolean> {
  let areAllShut = true
  for (const attempt of await attemptsOf(db, order.mchNo, order.transactionNo)) {
    if (attempt.state === 'SHUT') continue
    if (attempt.state === 'PAID' || !attemptNos.includes(attempt.attemptNo)) areAllShut &&= attempt.state === 'PAID'
    else {
      await moveAttempt(db, attempt, { event: 'shut', payUrl: null, now })
      const { mchNo, attemptNo } = attempt
      await insertHeldJob(db, { mchNo, kind: 'watch_attempt', subject: attemptNo }, watchFrom(now), now)
    }
  }
  return areAllShut
}

const watchFrom = (now: Date): Date => new Date(now.getTime() + watchPauseMs(1, 0.5))

async function writeStep(world: World, db: Db, order: Order, step: Step, event: Event, now: Date): Promise<Order> {
  const isReturn = step.event === 'money_returned'
  const isOwn = step.event === event.event || isReturn
  const isOpening = isOwn && event.event === 'pay_started'
  const money = isOwn && event.event === 'money_arrived' ? event : null
  if (isReturn && money !== null) await writeReversal(world, db, order, money, now)

  if (isOpening) {
    await insertAttempt(db, newAttempt(order, event.attempt, now))
    // Whoever opens it removes the job with the answer; without one it is asked for.
    const resolveAt = new Date(now.getTime() + 2 * world.limits.channelCallMs)
    const { attemptNo } = event.attempt
    await insertHeldJob(db, { mchNo: order.mchNo, kind: 'resolve_attempt', subject: attemptNo }, resolveAt, now)
  }
  if (isOwn) await writeRefund(world, db, order, event, now)
  const attempt =
    money === null || isReturn ? null : await bookMoney(world, db, order, money, step.money ?? 'reverse', now)
  const isKept = step.money === 'keep'
  const moved = await moveOrder(db, order, {
    to: step.to,
    closeReason: step.closeReason,
    attempts: order.attempts + (isOpening ? 1 : 0),
    paid:
      attempt !== null && money !== null && isKept
        ? {
            successTime: money.payment.paidAt,
            payer: money.payment.payer,
            payChannel: attempt.channel,
            payMethod: attempt.method,
          }
        : null,
    entry: entryText(step, isOwn ? detailOf(event) : {}, now),
    now,
  })
  await tellMerchant(db, moved, step, event, now)
  await writeJobs(world, db, moved, step, now)
  return moved
}

const newAttempt = (order: Order, attempt: NewAttempt, now: Date): Attempt => ({
  ...attempt,
  mchNo: order.mchNo,
  transactionNo: order.transactionNo,
  amountFen: order.amountFen as Fen,
  state: 'OPENING',
  payUrl: null,
  upstreamExpire: order.timeExpire,
  createdAt: now,
})

/** Books a payment of an attempt and, where it is not kept, the reversal with its job. */
async function bookMoney(
  world: World,
  db: Db,
  order: Order,
  { attemptNo, payment, isReturned }: { attemptNo: string; payment: UpstreamPayment; isReturned: boolean },
  fate: MoneyFate,
  now: Date,
): Promise<Attempt> {
  const { mchNo, transactionNo } = order
  const attempt = (await attemptsOf(db, mchNo, transactionNo)).find((one) => one.attemptNo === attemptNo)
  if (attempt === undefined) throw new Error(`order ${transactionNo} has no attempt ${attemptNo}`)
  await moveAttempt(db, attempt, { event: 'paid', payUrl: null, now })
  await bookPayment(db, { mchNo, attemptNo, transactionNo, ...payment }, fate, now)
  if (fate === 'reverse') await writeReversal(world, db, order, { attemptNo, payment, isReturned }, now)
  return attempt
}

/** Money that goes back, with the job that sends it; where it is back already, only the books say so. */
async function writeReversal(
  world: World,
  db: Db,
  { mchNo, transactionNo }: Order,
  { attemptNo, payment, isReturned }: { attemptNo: string; payment: UpstreamPayment; isReturned: boolean },
  now: Date,
): Promise<void> {
  const refundNo = platformNumber('AR', now, world.newDigits(19))
  const { paymentNo, amountFen } = payment
  const state = isReturned ? 'SUCCESS' : 'PROCESSING'
  const reversal = { mchNo, refundNo, transactionNo, attemptNo, paymentNo, amountFen, state } as const
  await insertReversal(db, { ...reversal, byUpstream: isReturned }, now)
  if (!isReturned) await insertHeldJob(db, { mchNo, kind: 'reverse_payment', subject: refundNo }, now, now)
}

/** Books a refund that is asked for, with the job that sends it, or how it ended. */
async function writeRefund(world: World, db: Db, { mchNo, transactionNo }: Order, event: Event, now: Date) {
  if (event.event === 'refund_asked') {
    const kept = await keptPayment(db, mchNo, transactionNo)
    if (kept === null) throw new Error(`order ${transactionNo} is paid and keeps no payment`)
    const { attemptNo, paymentNo } = kept
    await insertRefund(db, { ...event.refund, mchNo, transactionNo, attemptNo, paymentNo }, now)
    // Whoever asks sends it at once and holds the job.
    const heldUntil = new Date(now.getTime() + world.limits.leaseMs)
    await insertHeldJob(db, { mchNo, kind: 'send_refund', subject: event.refund.refundNo }, heldUntil, now)
  } else if (event.event === 'refund_done' || event.event === 'refund_failed') {
    const { refundNo } = event
    await endRefund(db, { mchNo, refundNo }, event.event === 'refund_failed' ? event.failure : null, now)
    await removeJob(db, { mchNo, kind: 'send_refund', subject: refundNo })
  }
}

/** What must follow: an order with attempts that may still be paid has a job that shuts them. */
async function writeJobs(world: World, db: Db, order: Order, step: Step, now: Date): Promise<void> {
  // What goes back changes nothing about the codes of a paid order that are still being shut.
  if (step.to === step.from || step.to === 'REFUND') return
  const job = { mchNo: order.mchNo, kind: 'shut_attempts' as const, subject: order.transactionNo }
  // Whoever fences an order to close it for a caller shuts it at once and holds the job; nobody waits for the rest.
  const heldUntil = step.event === 'close_asked' ? new Date(now.getTime() + world.limits.leaseMs) : now
  if (step.to === 'CLOSING') await insertHeldJob(db, job, heldUntil, now)
  // A paid order's other codes are shut too, so that nobody pays it a second time.
  else if (step.to === 'SUCCESS' && order.attempts > 1) await insertHeldJob(db, job, now, now)
  else await removeJob(db, job)
}
