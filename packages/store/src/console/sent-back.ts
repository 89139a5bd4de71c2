/** Payments that went back to their payers without a merchant's refund, each with its order and its reversal. */
import type { OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { inOneList, listArrived } from './arrived.ts'
import { LAST_ANSWER, type ReversalPart } from './order-lists.ts'

export type SentBack = ReversalPart & {
  mchNo: string
  transactionNo: string
  mchTradeNo: string
  orderState: OrderState
  orderFen: bigint
  /** When the order was closed; null for one that is not, or that an old version of the gateway closed. */
  closedAt: Date | null
  method: string
  /** The number under which the upstream knows the reversal. */
  upstreamNo: string
  currency: string
  paidAt: Date
  bookedAt: Date
  fate: 'keep' | 'reverse'
  /** Where its order lies, of a payment that arrived after the order was archived. */
  archiveNo: string | null
}

/** `from` and `before`: numbers of reversals or their prefixes, which begin with the time. */
export type SentBackFilter = {
  mchNo: string | null
  state: 'PROCESSING' | 'SUCCESS' | 'STUCK' | null
  from: string
  before: string
}

export const FIRST_REVERSAL = 'AR'
export const LAST_REVERSAL = 'AS'

/** The newest first, at most `limit`. `state` `STUCK`: PROCESSING since before `stuckBefore`. */
export async function listSentBack(
  db: Db,
  filter: SentBackFilter,
  stuckBefore: Date,
  limit: number,
): Promise<SentBack[]> {
  const rows = await listOfOrders(db, filter, stuckBefore, limit)
  return inOneList<SentBack>(rows, await listArrived(db, filter, stuckBefore, limit)).slice(0, limit)
}

const listOfOrders = (
  db: Db,
  { mchNo, state, from, before }: SentBackFilter,
  stuckBefore: Date,
  limit: number,
): Promise<SentBack[]> => {
  // A statement for each case, so that each uses its own index: few are PROCESSING at any time.
  const isUnderWay = state === 'PROCESSING' || state === 'STUCK'
  const which = mchNo === null ? '$1::text is null' : 'r.mch_no = $1'
  const whose = mchNo === null ? 'r.mch_no' : '$1'
  return run(
    db,
    `list${mchNo === null ? '' : 'Merchants'}SentBack${isUnderWay ? 'UnderWay' : ''}`,
    `select r.mch_no as "mchNo", r.transaction_no as "transactionNo", r.refund_no as "refundNo", r.attempt_no as "attemptNo",
            r.payment_no as "paymentNo", a.channel, a.method, r.amount_fen as "amountFen", r.state, r.by_upstream as "byUpstream",
            coalesce(r.upstream_no, r.refund_no) as "upstreamNo", r.created_at as "createdAt", r.changed_at as "changedAt",
            p.currency, p.paid_at as "paidAt", p.booked_at as "bookedAt", p.fate, o.mch_trade_no as "mchTradeNo",
            o.state as "orderState", o.amount_fen as "orderFen", o.closed_at as "closedAt", null as "archiveNo",
            ${LAST_ANSWER('r')}
       from (select * from reversal r
              where ${which} and r.refund_no >= $2 and r.refund_no < $3${isUnderWay ? " and r.state = 'PROCESSING'" : ''}
                and ($4::text is null or ($4 = 'STUCK' and r.created_at < $5) or r.state = $4)
              order by r.refund_no desc limit $6) r
       join payment p on p.mch_no = ${whose} and p.attempt_no = r.attempt_no and p.payment_no = r.payment_no
       join attempt a on a.mch_no = ${whose} and a.attempt_no = r.attempt_no
       join orders o on o.mch_no = ${whose} and o.transaction_no = r.transaction_no
      order by r.refund_no desc`,
    [mchNo, from, before, state, stuckBefore, limit],
  )
}
