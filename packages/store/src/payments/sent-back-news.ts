/** What a merchant is told of a payment that went back to its payer, where its app asked to be told. */
import { type Db, run } from '../db.ts'
import type { Payment } from './payments.ts'

/** `seq`: the timeline's entry that booked the payment. `backAt`: when the money was back. */
export type SentBackNews = {
  seq: number
  appNo: string
  mchTradeNo: string
  extra: string | null
  notifyUrl: string
  isClosed: boolean
  orderFen: bigint
  amountFen: bigint
  currency: string
  paidAt: Date
  channel: string
  refundNo: string
  backAt: Date
}

/**
 * Null where nobody is told: the app did not ask for it, the order has no address, the money is not back, or the order had kept the
 * payment, of which its merchant hears as of any payment. The timeline is the order's own: some rows.
 */
export async function sentBackNews(
  db: Db,
  key: Pick<Payment, 'mchNo' | 'transactionNo' | 'attemptNo' | 'paymentNo'>,
): Promise<SentBackNews | null> {
  const rows = await run<SentBackNews>(
    db,
    'sentBackNews',
    `select t.seq, o.app_no as "appNo", o.mch_trade_no as "mchTradeNo", o.extra, o.notify_url as "notifyUrl",
            o.state = 'CLOSED' as "isClosed", o.amount_fen as "orderFen", p.amount_fen as "amountFen", p.currency,
            p.paid_at as "paidAt", a.channel, r.refund_no as "refundNo", r.changed_at as "backAt"
       from reversal r
       join payment p on p.mch_no = r.mch_no and p.attempt_no = r.attempt_no and p.payment_no = r.payment_no
       join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
       join orders o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
       join app on app.mch_no = o.mch_no and app.app_no = o.app_no
       join timeline t on t.mch_no = r.mch_no and t.transaction_no = r.transaction_no
      where r.mch_no = $1 and r.transaction_no = $2 and r.attempt_no = $3 and r.payment_no = $4 and r.state = 'SUCCESS'
        and p.fate = 'reverse' and app.told_of_sent_back and o.notify_url is not null
        and t.entry::jsonb @> jsonb_build_object('event', 'money_arrived', 'attemptNo', $3::text, 'paymentNo', $4::text)
      order by t.seq limit 1`,
    [key.mchNo, key.transactionNo, key.attemptNo, key.paymentNo],
  )
  return rows[0] ?? null
}
