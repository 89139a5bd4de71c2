/** Orders as the console lists and shows them. Lists are ordered by the platform's number, which begins with the time. */
import type { CloseReason, OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { HEALTH_MAX } from '../jobs/stuck-jobs.ts'

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

const COLUMNS = `o.mch_no as "mchNo", o.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo",
  o.app_no as "appNo", o.description, o.amount_fen as "amountFen", o.state, o.close_reason as "closeReason",
  o.pay_channel as "payChannel", o.pay_method as "payMethod", o.created_at as "createdAt",
  o.time_expire as "timeExpire", o.success_time as "successTime",
  exists (select from reversal b where b.mch_no = o.mch_no and b.transaction_no = o.transaction_no) as "isSentBack"`

/** `from` and `before` are platform numbers or their prefixes: the list holds orders from `from` on and before `before`. */
export type OrderListFilter = {
  mchNo: string | null
  from: string
  before: string
  state: OrderState | null
  channel: string | null
  amountMin: bigint | null
  amountMax: bigint | null
  /** Only orders that have been CLOSING, or past their expiry and NOTPAY, since before this moment. */
  stuckBefore?: Date | null
}

/** Bounds where the filter has none: every platform number of an order lies between them. */
export const FIRST_NUMBER = 'AP'
export const LAST_NUMBER = 'AQ'

/**
 * The newest first: at most `limit` of the `examined` newest orders in the range, so that a filter with few matches does not
 * read the whole table. `next` is where the next page begins, null at the end. All CLOSING orders are examined, because they
 * have an index of their own. Of stuck orders, those that have been stuck the longest, as many as the overview counts.
 */
export async function listOrders(
  db: Db,
  filter: OrderListFilter,
  limit: number,
  examined: number,
): Promise<{ orders: ListedOrder[]; next: string | null }> {
  const { mchNo, from, before, state, channel, amountMin, amountMax, stuckBefore = null } = filter
  if (stuckBefore !== null) return listStuckOrders(db, filter, stuckBefore, limit)
  const isClosing = state === 'CLOSING'
  // A statement for each case instead of one with 'or', so that each uses its own index.
  const which = `${mchNo === null ? '' : 'mch_no = $9 and '}${isClosing ? "state = 'CLOSING' and " : ''}`
  const name = `list${mchNo === null ? '' : 'Merchant'}${isClosing ? 'Closing' : ''}Orders`
  const range = `${which}transaction_no >= $1 and transaction_no < $2`
  const ofMerchant = mchNo === null ? [] : [mchNo]
  const orders = await run<ListedOrder>(
    db,
    name,
    `select ${COLUMNS} from (select * from orders where ${range} order by transaction_no desc limit $3) o
      where ($4::text is null or state = $4) and ($5::text is null or pay_channel = $5)
        and ($6::bigint is null or amount_fen >= $6) and ($7::bigint is null or amount_fen <= $7)
      order by transaction_no desc limit $8`,
    [from, before, isClosing ? null : examined, state, channel, amountMin, amountMax, limit + 1, ...ofMerchant],
  )
  if (orders.length > limit) return { orders: orders.slice(0, limit), next: orders[limit - 1]?.transactionNo ?? null }
  if (isClosing) return { orders, next: null }
  const last = await run<{ number: string }>(
    db,
    `${name}End`,
    `select transaction_no as number from orders where ${which.replace('$9', '$4')}transaction_no >= $1
        and transaction_no < $2 order by transaction_no desc offset $3 limit 1`,
    [from, before, examined - 1, ...ofMerchant],
  )
  return { orders, next: last[0]?.number ?? null }
}

async function listStuckOrders(
  db: Db,
  { mchNo, from, before, state, channel, amountMin, amountMax }: OrderListFilter,
  stuckBefore: Date,
  limit: number,
): Promise<{ orders: ListedOrder[]; next: string | null }> {
  const some = (which: string, by: string): string =>
    `(select * from orders where ${which} and ${by} < $9 and ($3::text is null or mch_no = $3)
       order by ${by} limit ${HEALTH_MAX})`
  const orders = await run<ListedOrder>(
    db,
    'listStuckOrders',
    `select ${COLUMNS}
       from (${some("state = 'CLOSING'", 'changed_at')} union all ${some("state = 'NOTPAY'", 'time_expire')}) o
      where transaction_no >= $1 and transaction_no < $2
        and ($4::text is null or state = $4) and ($5::text is null or pay_channel = $5)
        and ($6::bigint is null or amount_fen >= $6) and ($7::bigint is null or amount_fen <= $7)
      order by transaction_no desc limit $8`,
    [from, before, mchNo, state, channel, amountMin, amountMax, limit + 1, stuckBefore],
  )
  const next = orders.length > limit ? (orders[limit - 1]?.transactionNo ?? null) : null
  return { orders: orders.slice(0, limit), next }
}

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
