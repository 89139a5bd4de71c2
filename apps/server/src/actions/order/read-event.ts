/**
 * Turns an event into the input of the order's table, and reads the rows that it needs. Runs under the order's lock. It
 * writes only closed attempts and the jobs that watch them.
 */
import { type OrderInput, type RefundRefusal, refundRefusal, watchPauseMs } from '@acopay/core'
import {
  attemptsOf,
  type Db,
  findPayment,
  findRefund,
  insertLeasedJob,
  keptPayment,
  moveAttempt,
  type Order,
} from '@acopay/store'
import type { Event, Loaded, MoneyArrived } from './events.ts'

/** `happening`: the table's input; null where the event changes nothing; a refusal where a refund breaks a limit. */
export type Read = { happening: OrderInput | RefundRefusal | 'SECOND_PERSON' | null; loaded: Loaded }

const NOTHING: Loaded = { refund: null, kept: null }

export async function readEvent(db: Db, order: Order, event: Event, now: Date): Promise<Read> {
  switch (event.event) {
    case 'pay_started':
    case 'expired':
      return { happening: { event: event.event }, loaded: NOTHING }
    case 'close_asked':
      return { happening: event, loaded: NOTHING }
    case 'refund_asked':
      return refundAsked(db, order, event, now)
    case 'refund_done':
    case 'refund_failed':
      return refundEnded(db, order, event)
    case 'all_shut':
      return {
        happening: (await areAllShut(db, order, event.attemptNos, now)) ? { event: 'all_shut' } : null,
        loaded: NOTHING,
      }
    case 'money_arrived':
      return { happening: await moneyArrived(db, order, event), loaded: NOTHING }
  }
}

async function refundAsked(
  db: Db,
  order: Order,
  { event, refund: { mchRefundNo, amountFen }, aloneUpToFen }: Event & { event: 'refund_asked' },
  now: Date,
): Promise<Read> {
  const refund = await findRefund(db, order.mchNo, { mchRefundNo })
  if (refund !== null) return { happening: null, loaded: { refund, kept: null } }
  const kept = await keptPayment(db, order.mchNo, order.transactionNo)
  if (kept === null) return { happening: { event }, loaded: { refund: null, kept } }
  const isAbove = aloneUpToFen !== null && kept.refundedFen + amountFen > aloneUpToFen
  const refusal = refundRefusal(kept, amountFen, now.getTime()) ?? (isAbove ? 'SECOND_PERSON' : null)
  return { happening: refusal ?? { event }, loaded: { refund: null, kept } }
}

async function refundEnded(
  db: Db,
  order: Order,
  event: Event & { event: 'refund_done' | 'refund_failed' },
): Promise<Read> {
  const refund = await findRefund(db, order.mchNo, { refundNo: event.refundNo })
  const loaded = { refund, kept: null }
  const isCorrection = event.event === 'refund_done' && event.isCorrection === true
  if (refund?.state !== (isCorrection ? 'FAIL' : 'PROCESSING')) return { happening: null, loaded }
  // A later call is in flight and may succeed: ignore the older call's failure.
  const isOld = event.event === 'refund_failed' && refund.inFlightUntil.getTime() !== event.inFlightUntil.getTime()
  return { happening: isOld ? null : { event: event.event }, loaded }
}

/** Marks these attempts as closed and writes the jobs that watch them. Returns whether no attempt can be paid any more. */
async function areAllShut(db: Db, order: Order, attemptNos: string[], now: Date): Promise<boolean> {
  let areAll = true
  for (const attempt of await attemptsOf(db, order.mchNo, order.transactionNo)) {
    if (attempt.state === 'SHUT') continue
    if (attempt.state === 'PAID' || !attemptNos.includes(attempt.attemptNo)) areAll &&= attempt.state === 'PAID'
    else {
      await moveAttempt(db, attempt, { event: 'shut', payUrl: null, now })
      const { mchNo, attemptNo } = attempt
      const lookAt = new Date(now.getTime() + watchPauseMs(1, 0.5))
      await insertLeasedJob(db, { mchNo, kind: 'watch_attempt', subject: attemptNo }, lookAt, now)
    }
  }
  return areAll
}

async function moneyArrived(
  db: Db,
  { mchNo, amountFen }: Order,
  { attemptNo, payment, isReturned }: MoneyArrived,
): Promise<OrderInput | null> {
  const booked = await findPayment(db, { mchNo, attemptNo, paymentNo: payment.paymentNo })
  if (booked === null) {
    const isExact = payment.amountFen === amountFen && payment.currency === 'CNY'
    return { event: 'money_arrived', isExact: isExact && !isReturned }
  }
  // If a refund of the merchant is done or in doubt, it may be what sent the money back: that is not returned outside.
  const isReturnedOutside = isReturned && booked.fate === 'keep' && !booked.goesBack && !booked.isInDoubt
  return isReturnedOutside ? { event: 'money_returned' } : null
}
