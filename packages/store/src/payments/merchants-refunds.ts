/** A merchant's refunds as it lists them: the newest first, which is the order of the platform's numbers. */
import { type Fen, fen, type RefundRef, type RefundState } from '@acopay/core'
import { type Db, run } from '../db.ts'

export type MerchantsRefund = {
  refundNo: string
  mchRefundNo: string
  transactionNo: string
  mchTradeNo: string
  amountFen: Fen
  reason: string
  state: RefundState
  channel: string
  createdAt: Date
  successTime: Date | null
}

/** `from` and `before` are platform numbers or their prefixes: the list has refunds from `from` on and before `before`. */
export type MerchantsRefundFilter = {
  /** The order. */
  transactionNo: string | null
  refundRef: RefundRef | null
  state: RefundState | null
  from: string
  before: string
}

/** At most `limit`. A statement for each way to ask, so that each walks its own index in the order of the list. */
export async function listMerchantsRefunds(
  db: Db,
  mchNo: string,
  { transactionNo, refundRef, state, from, before }: MerchantsRefundFilter,
  limit: number,
): Promise<MerchantsRefund[]> {
  const values: unknown[] = [mchNo, from, before, limit]
  const bind = (value: unknown): string => `$${values.push(value)}`
  const ofOrder = transactionNo === null ? '' : ` and r.transaction_no = ${bind(transactionNo)}`
  const ofNumber = refundRef === null ? '' : ` and ${numberIn(refundRef, bind)}`
  const ofState = state === null ? '' : ` and r.state = ${bind(state)}`
  const name = [transactionNo && 'order', refundRef && Object.keys(refundRef)[0], state && 'state']
  const rows = await run<Omit<MerchantsRefund, 'amountFen'> & { amountFen: bigint }>(
    db,
    ['listMerchantsRefunds', ...name.filter((part) => part !== null)].join(' '),
    `select r.refund_no as "refundNo", r.mch_refund_no as "mchRefundNo", r.transaction_no as "transactionNo",
            o.mch_trade_no as "mchTradeNo", r.amount_fen as "amountFen", r.reason, r.state, a.channel,
            r.created_at as "createdAt", r.success_time as "successTime"
       from refund r join orders o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
         join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and r.refund_no >= $2 and r.refund_no < $3${ofOrder}${ofNumber}${ofState}
      order by r.refund_no desc limit $4`,
    values,
  )
  return rows.map((row) => ({ ...row, amountFen: fen(row.amountFen) }))
}

const numberIn = (ref: RefundRef, bind: (value: string) => string): string =>
  'refundNo' in ref ? `r.refund_no = ${bind(ref.refundNo)}` : `r.mch_refund_no = ${bind(ref.mchRefundNo)}`
