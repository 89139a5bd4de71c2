/**
 * Writes the notification of a payment that an order did not keep and that is back with its payer [ours]. Only apps that asked for it
 * have one: the official SDK reads no such notification.
 */
import { formatYuan } from '@acopay/core'
import { type NotificationNews, SENT_BACK_ANSWERS, type SentBackCode, timeText } from '@acopay/protocol'
import { type Db, insertNotification, type Payment, type SentBackNews, sentBackNews } from '@acopay/store'
import { causeNow } from '../../tracing/along.ts'

/** Call it in the transaction that writes that the money is back. */
export async function tellSentBack(
  db: Db,
  key: Pick<Payment, 'mchNo' | 'transactionNo' | 'attemptNo' | 'paymentNo'>,
  now: Date,
): Promise<void> {
  const back = await sentBackNews(db, key)
  if (back === null) return
  const { mchNo, transactionNo } = key
  const { seq, notifyUrl: url } = back
  const news = JSON.stringify(newsOf(back, key))
  const told = { mchNo, transactionNo, seq, kind: 'sent_back', url, host: new URL(url).host, news } as const
  await insertNotification(db, { ...told, ...causeNow() }, now)
}

/** A closed order stays closed and a paid one paid, so the state of today says which of the two it was when the payment came. */
function codeOf({ amountFen, orderFen, currency, isClosed }: SentBackNews): SentBackCode {
  if (amountFen !== orderFen || currency !== 'CNY') return 'WRONG_AMOUNT'
  return isClosed ? 'LATE' : 'SECOND'
}

function newsOf(
  back: SentBackNews,
  { transactionNo, paymentNo }: Pick<Payment, 'transactionNo' | 'paymentNo'>,
): NotificationNews<'sent_back'> {
  const code = codeOf(back)
  return {
    transaction_no: transactionNo,
    mch_trade_no: back.mchTradeNo,
    app_no: back.appNo,
    extra: back.extra,
    reversal_no: back.refundNo,
    code,
    description: SENT_BACK_ANSWERS[code],
    payment_no: paymentNo,
    amount: formatYuan(back.amountFen),
    currency: back.currency,
    pay_channel: back.channel,
    paid_time: timeText(back.paidAt),
    success_time: timeText(back.backAt),
  }
}
