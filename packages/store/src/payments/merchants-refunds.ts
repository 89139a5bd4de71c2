/** A merchant's refunds as it lists them: the newest first, which is the order of the platform's numbers. */
import { type Fen, fen, type RefundRef, type RefundState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { type Looked, ROWS_LOOKED_THROUGH } from '../orders/merchants-orders.ts'

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

/** Those of a state are looked for among so many rows at once (`ROWS_LOOKED_THROUGH`). */
export async function listMerchantsRefunds(
  db: Db,
  mchNo: string,
  { transactionNo, refundRef, state, from, before }: MerchantsRefundFilter,
  { limit, lookThrough = ROWS_LOOKED_THROUGH }: { limit: number; lookThrough?: number },
): Promise<Looked<MerchantsRefund>> {
  const values: unknown[] = [mchNo, from, before, limit]
  const bind = (value: unknown): string => `$${values.push(value)}`
  const ofOrder = transactionNo === null ? '' : ` and r.transaction_no = ${bind(transactionNo)}`
  const ofNumber = refundRef === null ? '' : ` and ${numberIn(refundRef, bind)}`
  const ofState = state === null ? '' : ` and r.state = ${bind(state)}`
  const name = [transactionNo && 'order', refundRef && Object.keys(refundRef)[0], state && 'state', lookThrough]
  const found = await run<Omit<MerchantsRefund, 'amountFen'> & { amountFen: bigint }>(
    db,
    ['listMerchantsRefunds', ...name.filter((part) => part !== null)].join(' '),
    `select r.refund_no as "refundNo", r.mch_refund_no as "mchRefundNo", r.transaction_no as "transactionNo",
            (select mch_trade_no from orders o where o.mch_no = $1 and o.transaction_no = r.transaction_no) as "mchTradeNo",
            r.amount_fen as "amountFen", r.reason, r.state,
            (select channel from attempt a where a.mch_no = $1 and a.attempt_no = r.attempt_no) as channel,
            r.created_at as "createdAt", r.success_time as "successTime"
       from (select * from refund r where r.mch_no = $1 and r.refund_no >= $2 and r.refund_no < $3${ofOrder}${ofNumber}
              order by r.refund_no desc limit ${lookThrough}) r
      where true${ofState} order by r.refund_no desc limit $4`,
    values,
  )
  const rows = found.map((row) => ({ ...row, amountFen: fen(row.amountFen) }))
  if (found.length === limit || transactionNo !== null || refundRef !== null) return { rows, goOnBefore: null }
  const [last] = await run<{ refundNo: string }>(
    db,
    'lastRefundLookedAt',
    `select refund_no as "refundNo" from refund where mch_no = $1 and refund_no >= $2 and refund_no < $3
      order by refund_no desc offset $4 limit 1`,
    [mchNo, from, before, lookThrough - 1],
  )
  return { rows, goOnBefore: last?.refundNo ?? null }
}

const numberIn = (ref: RefundRef, bind: (value: string) => string): string =>
  'refundNo' in ref ? `r.refund_no = ${bind(ref.refundNo)}` : `r.mch_refund_no = ${bind(ref.mchRefundNo)}`
