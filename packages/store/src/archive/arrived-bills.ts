/** Payments that arrived for archived orders, and their returns, as lines of bills and as rows to compare upstream bills with. */
import { type BillKey, type BillRow, whyBack } from '../bills/bills.ts'
import { type Db, run } from '../db.ts'

const LINE = `r.attempt_no as "attemptNo", r.payment_no as "paymentNo", null as "mchRefundNo", r.amount_fen as "amountFen", r.currency,
  r.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo", a.app_no as "appNo", a.channel, a.method`
const OF = `from archived_reversal r join archived_attempt a on a.mch_no = $1 and a.attempt_no = r.attempt_no
  join archived_order o on o.mch_no = $1 and o.transaction_no = r.transaction_no`

/** As BILL_SELECTS has them; only the order's description is in its file. */
const LINES = {
  PAYMENT: `select 'PAYMENT' as kind, r.paid_at as at, null as "refundNo", false as "isKept", null as note, ${LINE} ${OF}
    where r.mch_no = $1 and r.paid_day = $2`,
  REVERSAL: `select 'REVERSAL' as kind, r.changed_at as at, r.refund_no as "refundNo", null::boolean as "isKept",
       case ${whyBack('r', 'a.amount_fen')} end as note, ${LINE} ${OF}
     join app on app.mch_no = $1 and app.app_no = a.app_no
    where r.mch_no = $1 and r.bill_day = $2`,
} as const

/** All of a day's bill: they are few. */
export const arrivedBillLines = async (db: Db, { mchNo, day }: BillKey, kind: BillRow['kind']): Promise<BillRow[]> =>
  kind === 'REFUND' ? [] : run<BillRow>(db, `arrivedBillLines${kind}`, LINES[kind], [mchNo, day])

/** Those of one channel that were paid from `from` on and before `until`. */
export const arrivedPaymentsOfDay = (
  db: Db,
  { mchNo, channel }: { mchNo: string; channel: string },
  { from, until }: { from: Date; until: Date },
): Promise<{ attemptNo: string; paymentNo: string; amountFen: bigint }[]> =>
  run(
    db,
    'arrivedPaymentsOfDay',
    `select r.attempt_no as "attemptNo", r.payment_no as "paymentNo", r.amount_fen as "amountFen"
       from archived_reversal r join archived_attempt a on a.mch_no = $1 and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and a.channel = $2 and r.paid_at >= $3 and r.paid_at < $4`,
    [mchNo, channel, from, until],
  )
