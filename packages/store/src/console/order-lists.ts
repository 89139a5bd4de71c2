/** Orders as the console finds and shows them. */
import type { CloseReason, OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'

export type ListedOrder = {
  mchNo: string
  transactionNo: string
  mchTradeNo: string
  appNo: string
  description: string
  amountFen: bigint
  state: OrderState
  closeReason: CloseReason | null
  payChannel: string | null
  payMethod: string | null
  createdAt: Date
  timeExpire: Date
  successTime: Date | null
  /** A payment of it has a reversal. */
  isSentBack: boolean
}

export const OWN_COLUMNS = `o.mch_no as "mchNo", o.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo",
  o.app_no as "appNo", o.description, o.amount_fen as "amountFen", o.state, o.close_reason as "closeReason",
  o.pay_channel as "payChannel", o.pay_method as "payMethod", o.created_at as "createdAt",
  o.time_expire as "timeExpire", o.success_time as "successTime"`

export const COLUMNS = `${OWN_COLUMNS},
  exists (select from reversal b where b.mch_no = o.mch_no and b.transaction_no = o.transaction_no) as "isSentBack"`

/**
 * Orders that have this number: the platform's or the merchant's number of the order or of a refund, the number of a reversal
 * or an attempt, or the upstream's number of a payment. At most `limit`. Merchants' numbers are looked up merchant by merchant.
 */
export const findOrdersByNumber = (
  db: Db,
  number: string,
  mchNo: string | null,
  limit: number,
): Promise<ListedOrder[]> =>
  run<ListedOrder>(
    db,
    'findOrdersByNumber',
    `with whose as (select mch_no from merchant where $2::text is null or mch_no = $2),
     found as (
       select mch_no, transaction_no from orders where transaction_no = $1
       union select mch_no, transaction_no from payment where payment_no = $1
       union select w.mch_no, f.transaction_no from whose w cross join lateral (
         select transaction_no from orders x where x.mch_no = w.mch_no and x.mch_trade_no = $1
         union all select transaction_no from refund x where x.mch_no = w.mch_no and x.refund_no = $1
         union all select transaction_no from refund x where x.mch_no = w.mch_no and x.mch_refund_no = $1
         union all select transaction_no from reversal x where x.mch_no = w.mch_no and x.refund_no = $1
         union all select transaction_no from attempt x where x.mch_no = w.mch_no and x.attempt_no = $1) f)
     select ${COLUMNS} from found f join orders o on o.mch_no = f.mch_no and o.transaction_no = f.transaction_no
      where $2::text is null or o.mch_no = $2 order by o.transaction_no desc limit $3`,
    [number, mchNo, limit],
  )

/** The upstream's last answer that did not settle the matter; null where there was none. */
export type LastAnswer = { lastAnswer: string | null; lastAnswerAt: Date | null }

export const LAST_ANSWER = (table: string): string =>
  `${table}.last_answer as "lastAnswer", ${table}.last_answer_at as "lastAnswerAt"`

export type AttemptPart = {
  attemptNo: string
  channel: string
  method: string
  state: string
  upstreamExpire: Date
  createdAt: Date
  changedAt: Date
  watchedUntil: Date | null
} & LastAnswer
export type PaymentPart = {
  attemptNo: string
  paymentNo: string
  channel: string
  amountFen: bigint
  currency: string
  paidAt: Date
  bookedAt: Date
  fate: 'keep' | 'reverse'
}
export type RefundPart = {
  refundNo: string
  mchRefundNo: string
  attemptNo: string
  channel: string
  amountFen: bigint
  reason: string
  state: 'PROCESSING' | 'SUCCESS' | 'FAIL'
  failure: string | null
  createdAt: Date
  successTime: Date | null
} & LastAnswer
export type ReversalPart = {
  refundNo: string
  attemptNo: string
  paymentNo: string
  channel: string
  amountFen: bigint
  state: 'PROCESSING' | 'SUCCESS'
  byUpstream: boolean
  createdAt: Date
  changedAt: Date
} & LastAnswer
export type JobPart = { kind: string; subject: string; dueAt: Date; tries: number; createdAt: Date }

/** An order's rows except timeline and notifications. Each list is read at a moment of its own. */
export async function readOrderParts(db: Db, mchNo: string, transactionNo: string) {
  const of = <Row extends object>(name: string, sql: string) => run<Row>(db, name, sql, [mchNo, transactionNo])
  const attempts = await of<AttemptPart>(
    'readOrderAttempts',
    `select a.attempt_no as "attemptNo", a.channel, a.method, a.state, a.upstream_expire as "upstreamExpire",
            a.created_at as "createdAt", a.changed_at as "changedAt", j.due_at as "watchedUntil",
            ${LAST_ANSWER('a')}
       from attempt a left join job j on j.mch_no = a.mch_no and j.kind = 'watch_attempt' and j.subject = a.attempt_no
      where a.mch_no = $1 and a.transaction_no = $2 order by a.created_at, a.attempt_no`,
  )
  const payments = await of<PaymentPart>(
    'readOrderPayments',
    `select p.attempt_no as "attemptNo", p.payment_no as "paymentNo", a.channel, p.amount_fen as "amountFen", p.currency,
            p.paid_at as "paidAt", p.booked_at as "bookedAt", p.fate
       from payment p join attempt a on a.mch_no = p.mch_no and a.attempt_no = p.attempt_no
      where p.mch_no = $1 and p.transaction_no = $2 order by p.booked_at, p.payment_no`,
  )
  const refunds = await of<RefundPart>(
    'readOrderRefunds',
    `select r.refund_no as "refundNo", r.mch_refund_no as "mchRefundNo", r.attempt_no as "attemptNo", a.channel,
            r.amount_fen as "amountFen", r.reason, r.state, r.failure, r.created_at as "createdAt",
            r.success_time as "successTime", ${LAST_ANSWER('r')}
       from refund r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and r.transaction_no = $2 order by r.refund_no`,
  )
  const reversals = await of<ReversalPart>(
    'readOrderReversals',
    `select r.refund_no as "refundNo", r.attempt_no as "attemptNo", r.payment_no as "paymentNo", a.channel,
            r.amount_fen as "amountFen", r.state, r.by_upstream as "byUpstream", r.created_at as "createdAt",
            r.changed_at as "changedAt", ${LAST_ANSWER('r')}
       from reversal r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and r.transaction_no = $2 order by r.refund_no`,
  )
  const jobs = await of<JobPart>(
    'readOrderJobs',
    `with subject as (
       select $2::text as subject
       union all select attempt_no from attempt where mch_no = $1 and transaction_no = $2
       union all select refund_no from refund where mch_no = $1 and transaction_no = $2
       union all select refund_no from reversal where mch_no = $1 and transaction_no = $2)
     select j.kind, j.subject, j.due_at as "dueAt", j.tries, j.created_at as "createdAt"
       from job j join subject s on s.subject = j.subject
      where j.mch_no = $1 and j.kind in ('shut_attempts', 'reverse_payment', 'watch_attempt', 'resolve_attempt', 'send_refund')
      order by j.due_at`,
  )
  return { attempts, payments, refunds, reversals, jobs }
}
