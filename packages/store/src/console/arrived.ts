/** Payments that arrived for archived orders, for the lists of money that goes back: decision 53. There are few, so they are read by themselves. */
import type { OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { bound, ifAsked } from './bound.ts'
import { LAST_ANSWER, type ReversalPart } from './order-lists.ts'

type ArrivedReversal = ReversalPart & {
  mchNo: string
  transactionNo: string
  mchTradeNo: string
  orderState: OrderState
  orderFen: bigint
  /** It is in the file. */
  closedAt: null
  method: string
  upstreamNo: string
  currency: string
  paidAt: Date
  bookedAt: Date
  fate: 'reverse'
  archiveNo: string
}

/** As of a list of reversals; `number`: of the reversal, of its order, or the upstream's of the payment. */
type ArrivedFilter = {
  mchNo: string | null
  number?: string | null
  from: string
  before: string
  state: string | null
  channel?: string | null
  appNo?: string | null
  amountMin?: bigint | null
  amountMax?: bigint | null
  isOldestFirst?: boolean
}

/** The newest first, or the oldest; at most `limit`. */
export function listArrived(
  db: Db,
  filter: ArrivedFilter,
  stuckBefore: Date,
  limit: number,
): Promise<ArrivedReversal[]> {
  const asked = bound()
  const { mchNo, number = null, state, channel = null, appNo = null, amountMin = null, amountMax = null } = filter
  const isStuck = state === 'STUCK'
  const whose = asked.at(mchNo, 'text')
  const conditions = [
    `r.refund_no >= ${asked.at(filter.from, 'text')} and r.refund_no < ${asked.at(filter.before, 'text')}`,
    `(${whose} is null or r.mch_no = ${whose})`,
    ifAsked(asked, number, 'text', (at) => `${at} in (r.refund_no, r.transaction_no, r.payment_no)`),
    ifAsked(asked, isStuck ? 'PROCESSING' : state, 'text', (at) => `r.state = ${at}`),
    ifAsked(asked, isStuck ? stuckBefore : null, 'timestamptz', (at) => `r.created_at < ${at}`),
    ifAsked(asked, channel, 'text', (at) => `a.channel = ${at}`),
    ifAsked(asked, appNo, 'text', (at) => `a.app_no = ${at}`),
    ifAsked(asked, amountMin, 'bigint', (at) => `r.amount_fen >= ${at}`),
    ifAsked(asked, amountMax, 'bigint', (at) => `r.amount_fen <= ${at}`),
  ]
  return run<ArrivedReversal>(
    db,
    filter.isOldestFirst ? 'listArrivedOldest' : 'listArrived',
    `select r.mch_no as "mchNo", r.transaction_no as "transactionNo", r.refund_no as "refundNo", r.attempt_no as "attemptNo",
            r.payment_no as "paymentNo", a.channel, a.method, r.amount_fen as "amountFen", r.state, r.by_upstream as "byUpstream",
            coalesce(r.upstream_no, r.refund_no) as "upstreamNo", r.created_at as "createdAt", r.changed_at as "changedAt",
            r.currency, r.paid_at as "paidAt", r.created_at as "bookedAt", 'reverse' as fate, o.mch_trade_no as "mchTradeNo",
            o.state as "orderState", a.amount_fen as "orderFen", null as "closedAt", o.archive_no as "archiveNo", ${LAST_ANSWER('r')}
       from archived_reversal r
       join archived_attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
       join archived_order o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
      where ${conditions.join(' and ')} order by r.refund_no ${filter.isOldestFirst ? 'asc' : 'desc'} limit ${asked.at(limit, 'bigint')}`,
    asked.values,
  )
}

type Numbered = { refundNo: string }

/** Both lists as one. */
export const inOneList = <Row extends Numbered>(rows: Row[], arrived: Row[], isOldestFirst = false): Row[] =>
  [...rows, ...arrived].sort((one, other) => (one.refundNo < other.refundNo === isOldestFirst ? -1 : 1))
