/**
 * Writes the notification of a change, in the transaction of that change: an order was paid, its payment was returned outside
 * of this gateway, or a refund has ended (spec/protocol.md 3.7).
 */
import { formatYuan } from '@acopay/core'
import {
  type NotificationKind,
  type NotificationNews,
  REFUND_ANSWERS,
  RETURNED_OUTSIDE_TEXT,
  STATE_ANSWERS,
  timeText,
} from '@acopay/protocol'
import { type FoundRefund, insertNotification, type Order } from '@acopay/store'
import { causeNow } from '../../tracing/along.ts'
import type { Change } from '../order/events.ts'
import { tellSentBack } from './tell-sent-back.ts'

/** `order` is the order after the step. Writes nothing where the merchant gave no `notify_url`. */
export async function enqueueNotification(change: Change, order: Order): Promise<void> {
  const { step, event, loaded } = change
  if (step.money === 'keep' || step.event === 'money_returned') {
    const description = step.event === 'money_returned' ? RETURNED_OUTSIDE_TEXT : STATE_ANSWERS[order.state]
    const news = { ...paymentNews(order), description }
    if (order.notifyUrl !== null) await write(change, order, { url: order.notifyUrl, kind: 'payment', news })
  } else if (step.money === 'reverse' && event.event === 'money_arrived' && event.isReturned) {
    // The upstream had sent it back by itself. What the gateway sends back is told when it is back.
    const { attemptNo, payment } = event
    await tellSentBack(change.db, { ...order, attemptNo, paymentNo: payment.paymentNo }, change.now)
  } else if (event.event === step.event && (event.event === 'refund_done' || event.event === 'refund_failed')) {
    const refund = loaded.refund as FoundRefund
    if (refund.notifyUrl !== null)
      await write(change, order, { url: refund.notifyUrl, kind: 'refund', news: refundNews(refund) })
  }
}

const refundNews = (refund: FoundRefund): NotificationNews<'refund'> => ({
  transaction_no: refund.transactionNo,
  mch_trade_no: refund.mchTradeNo,
  refund_no: refund.refundNo,
  mch_refund_no: refund.mchRefundNo,
  code: refund.state,
  description: REFUND_ANSWERS[refund.state],
  refund_amount: formatYuan(refund.amountFen),
  success_time: refund.successTime === null ? null : timeText(refund.successTime),
  refund_reason: refund.reason,
})

const paymentNews = (order: Order): Omit<NotificationNews<'payment'>, 'description'> => ({
  transaction_no: order.transactionNo,
  mch_trade_no: order.mchTradeNo,
  app_no: order.appNo,
  extra: order.extra,
  code: order.state,
  amount_total: formatYuan(order.amountFen),
  amount_currency: 'CNY',
  success_time: order.successTime === null ? null : timeText(order.successTime),
  acoid: order.payer,
})

async function write<Kind extends NotificationKind>(
  { db, now }: Change,
  { mchNo, transactionNo, headSeq: seq }: Order,
  { url, kind, news }: { url: string; kind: Kind; news: NotificationNews<Kind> },
): Promise<void> {
  const { host } = new URL(url)
  await insertNotification(
    db,
    { mchNo, transactionNo, seq, kind, url, host, news: JSON.stringify(news), ...causeNow() },
    now,
  )
}
