/**
 * Turns an event into the input of the order's table, and reads the rows that it needs. Runs under the order's lock. It
 * writes only closed attempts and the jobs that watch them.
 */
import { type OrderInput, type RefundRefusal, refundRefusal, watchPauseMs } from '@acopay/core'
import { attemptsToClose, type Db, findPayment, findRefund, keptPayment, type Order, shutAttempts } from '@acopay/store'
import { answerText } from '../../upstream/call-upstream.ts'
import type { Event, Loaded, MoneyArrived } from './events.ts'

/** `happening`: the table's input; null where the event changes nothing; a refusal where a refund breaks a limit. */
export type Read = { happening: OrderInput | RefundRefusal | 'SECOND_PERSON' | null; loaded: Loaded }

const NOTHING: Loaded = { refund: null, kept: null, attempts: null }

export async function readEvent(db: Db, order: Order, event: Event, now: Date): Promise<Read> {
  switch (event.event) {
    case 'pay_started':
    case 'expired':
      return { happening: { event: event.event }, loaded: NOTHING }
    case 'close_asked':
      return { happening: event, loaded: { ...NOTHING, attempts: await attemptsBefore(db, order) } }
    case 'refund_asked':
      return refundAsked(db, order, event, now)
    case 'refund_done':
    case 'refund_failed':
      return refundEnded(db, order, event)
    case 'all_shut':
      return {
        happening: (await areAllShut(db, order, event, now)) ? { event: 'all_shut' } : null,
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
  if (refund !== null) return { happening: null, loaded: { ...NOTHING, refund } }
  const kept = await keptPayment(db, order.mchNo, order.transactionNo)
  if (kept === null) return { happening: { event }, loaded: { ...NOTHING, kept } }
  const isAbove = aloneUpToFen !== null && kept.refundedFen + amountFen > aloneUpToFen
  const refusal = refundRefusal(kept, amountFen, now.getTime()) ?? (isAbove ? 'SECOND_PERSON' : null)
  return { happening: refusal ?? { event }, loaded: { ...NOTHING, kept } }
}

async function refundEnded(
  db: Db,
  order: Order,
  event: Event & { event: 'refund_done' | 'refund_failed' },
): Promise<Read> {
  const refund = await findRefund(db, order.mchNo, { refundNo: event.refundNo })
  const loaded = { ...NOTHING, refund }
  const isCorrection = event.event === 'refund_done' && event.isCorrection === true
  if (refund?.state !== (isCorrection ? 'FAIL' : 'PROCESSING')) return { happening: null, loaded }
  // A later call is in flight and may succeed: ignore the older call's failure.
  const isOld = event.event === 'refund_failed' && refund.inFlightUntil.getTime() !== event.inFlightUntil.getTime()
  return { happening: isOld ? null : { event: event.event }, loaded }
}

/** Whoever closes an order with attempts closes these upstream as well. Somebody else does where the order is CLOSING already. */
const attemptsBefore = async (db: Db, { state, attempts, mchNo, transactionNo }: Order) =>
  state === 'NOTPAY' && attempts > 0 ? attemptsToClose(db, mchNo, transactionNo) : null

/**
 * Marks these attempts as closed, with the jobs that watch them, and keeps what the upstreams said. Returns whether no attempt can be
 * paid any more.
 */
async function areAllShut(
  db: Db,
  { mchNo, transactionNo }: Order,
  { attemptNos, said }: Event & { event: 'all_shut' },
  now: Date,
): Promise<boolean> {
  const watchAt = new Date(now.getTime() + watchPauseMs(1, 0.5))
  // The timeline keeps the answers once the order is closed. Until then they show the operator why it is still closing.
  const answers = said.map(({ attemptNo: no, verb, says: kind, requestId }) => ({
    no,
    text: answerText(verb, { kind, ...(requestId === null ? {} : { requestId }) }),
  }))
  const states = await shutAttempts(db, { mchNo, transactionNo, attemptNos, answers, watchAt, now })
  return states.every((state) => state === 'SHUT' || state === 'PAID')
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
