/** An event as the order's table knows it, with the rows that it is about. Reads under the order's lock, writes attempts only. */
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

/** `happening`: what the table is asked; null where the event is not new; a refusal where a refund breaks its limits. */
export type Read = { happening: OrderInput | RefundRefusal | null; loaded: Loaded }

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
  { event, refund: { mchRefundNo, amountFen } }: Event & { event: 'refund_asked' },
  now: Date,
): Promise<Read> {
  const refund = await findRefund(db, order.mchNo, { mchRefundNo })
  if (refund !== null) return { happening: null, loaded: { refund, kept: null } }
  const kept = await keptPayment(db, order.mchNo, order.transactionNo)
  const refusal = kept === null ? null : refundRefusal(kept, amountFen, now.getTime())
  return { happening: refusal ?? { event }, loaded: { refund: null, kept } }
}

async function refundEnded(
  db: Db,
  order: Order,
  event: Event & { event: 'refund_done' | 'refund_failed' },
): Promise<Read> {
  const refund = await findRefund(db, order.mchNo, { refundNo: event.refundNo })
  const loaded = { refund, kept: null }
  if (refund?.state !== 'PROCESSING') return { happening: null, loaded }
  // A later call is under way and may be answered otherwise: the refusal of an earlier one is not final.
  const isOld = event.event === 'refund_failed' && refund.inFlightUntil.getTime() !== event.inFlightUntil.getTime()
  return { happening: isOld ? null : { event: event.event }, loaded }
}

/** Writes down which attempts are closed, to be watched from now on; whether none is left that can still be paid. */
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
  // Where a refund of the merchant's may be what sent it back, the money was not returned from outside.
  const isKeptNoMore = isReturned && booked.fate === 'keep' && !booked.goesBack && !booked.isInDoubt
  return isKeptNoMore ? { event: 'money_returned' } : null
}
