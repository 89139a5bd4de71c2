/** Lists of the console that are not orders: refunds, reversals, notifications, bills, and what reconciling found. */
import type { NotificationState, RefundState } from '@acopay/core'
import { type Db, run } from './db.ts'
import { LISTED_NOTIFICATIONS, type ListedNotification } from './notification-lists.ts'
import { LAST_ANSWER, type RefundPart, type ReversalPart } from './order-lists.ts'
import type { StrayPayment } from './stray-payments.ts'

/** Null: of every merchant. `before`: the number of the last row of the page before. */
export type ListFilter = { mchNo: string | null; state: string | null; number: string | null; before: string | null }

type OfOrder = { mchNo: string; transactionNo: string }

/** Few are under way at any time: their index holds only those, if the statement itself says that they are meant. */
const isUnderWay = (state: string | null): boolean => state === 'PROCESSING' || state === 'STUCK'
const underWay = (state: string | null): string => (isUnderWay(state) ? " and r.state = 'PROCESSING'" : '')

/** The newest first, at most `limit`; `state` `STUCK` is under way since before `stuckBefore`. */
export const listRefunds = (
  db: Db,
  { mchNo, state, number, before }: ListFilter & { state: RefundState | 'STUCK' | null },
  stuckBefore: Date,
  limit: number,
): Promise<(RefundPart & OfOrder)[]> =>
  run(
    db,
    `listRefunds${isUnderWay(state) ? 'UnderWay' : ''}`,
    `select r.mch_no as "mchNo", r.transaction_no as "transactionNo", r.refund_no as "refundNo",
            r.mch_refund_no as "mchRefundNo", r.attempt_no as "attemptNo", a.channel, r.amount_fen as "amountFen", r.reason,
            r.state, r.failure, r.created_at as "createdAt", r.success_time as "successTime",
            ${LAST_ANSWER('r')}
       from refund r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where ($1::text is null or r.mch_no = $1) and ($3::text is null or $3 in (r.refund_no, r.mch_refund_no, r.transaction_no))
        and ($2::text is null or ($2 = 'STUCK' and r.created_at < $5) or r.state = $2)${underWay(state)}
        and ($4::text is null or r.refund_no < $4)
      order by r.refund_no desc limit $6`,
    [mchNo, state, number, before, stuckBefore, limit],
  )

/** As `listRefunds`. */
export const listReversals = (
  db: Db,
  { mchNo, state, number, before }: ListFilter,
  stuckBefore: Date,
  limit: number,
): Promise<(ReversalPart & OfOrder)[]> =>
  run(
    db,
    `listReversals${isUnderWay(state) ? 'UnderWay' : ''}`,
    `select r.mch_no as "mchNo", r.transaction_no as "transactionNo", r.refund_no as "refundNo", r.attempt_no as "attemptNo",
            r.payment_no as "paymentNo", a.channel, r.amount_fen as "amountFen", r.state, r.created_at as "createdAt",
            r.changed_at as "changedAt", ${LAST_ANSWER('r')}
       from reversal r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where ($1::text is null or r.mch_no = $1) and ($3::text is null or $3 in (r.refund_no, r.payment_no, r.transaction_no))
        and ($2::text is null or ($2 = 'STUCK' and r.created_at < $5) or r.state = $2)${underWay(state)}
        and ($4::text is null or r.refund_no < $4)
      order by r.refund_no desc limit $6`,
    [mchNo, state, number, before, stuckBefore, limit],
  )

export type NotificationPlace = { createdAt: Date; mchNo: string; transactionNo: string; seq: number }

/** Notifications of all merchants that were not heard yet, or are not tried any more; the newest first. */
export const listUnheard = (
  db: Db,
  state: Exclude<NotificationState, 'DELIVERED'> | null,
  before: NotificationPlace | null,
  limit: number,
): Promise<ListedNotification[]> =>
  run<ListedNotification>(
    db,
    'listUnheard',
    `${LISTED_NOTIFICATIONS}
      where n.state <> 'DELIVERED' and ($1::text is null or n.state = $1)
        and ($2::timestamptz is null or (n.created_at, n.mch_no, n.transaction_no, n.seq) < ($2, $3::text, $4::text, $5::int))
      order by n.created_at desc, n.mch_no desc, n.transaction_no desc, n.seq desc limit $6`,
    [state, before?.createdAt, before?.mchNo, before?.transactionNo, before?.seq, limit],
  )

export type ListedBill = {
  mchNo: string
  day: string
  lines: bigint
  sizeBytes: bigint
  sha256: string | null
  fileNo: string | null
  madeAt: Date
}

/** A page of things that belong to a merchant and a day: the newest day first. */
export type DayFilter = { mchNo: string | null; before: { day: string; mchNo: string; channel: string } | null }

export const listBills = (db: Db, { mchNo, before }: DayFilter, limit: number): Promise<ListedBill[]> =>
  run<ListedBill>(
    db,
    'listBills',
    `select mch_no as "mchNo", bill_day::text as day, lines, size_bytes as "sizeBytes", sha256, file_no as "fileNo",
            made_at as "madeAt"
       from bill where ($1::text is null or mch_no = $1) and ($2::date is null or (bill_day, mch_no) < ($2, $3::text))
      order by bill_day desc, mch_no desc limit $4`,
    [mchNo, before?.day, before?.mchNo, limit],
  )

export type ListedReconciliation = {
  mchNo: string
  channel: string
  day: string
  lines: number
  differences: number
  unsettled: number
  doneAt: Date
}

export const listReconciliations = (
  db: Db,
  { mchNo, before }: DayFilter,
  limit: number,
): Promise<ListedReconciliation[]> =>
  run<ListedReconciliation>(
    db,
    'listReconciliations',
    `select r.mch_no as "mchNo", r.channel, r.day::text, r.lines, r.differences, r.done_at as "doneAt",
            (select count(*)::int from reconciliation_difference d
              where d.mch_no = r.mch_no and d.channel = r.channel and d.day = r.day and not d.settled) as unsettled
       from reconciliation r
      where ($1::text is null or r.mch_no = $1)
        and ($2::date is null or (r.day, r.mch_no, r.channel) < ($2, $3::text, $4::text))
      order by r.day desc, r.mch_no desc, r.channel desc limit $5`,
    [mchNo, before?.day, before?.mchNo, before?.channel, limit],
  )

export type DifferenceKey = {
  mchNo: string
  channel: string
  day: string
  kind: string
  attemptNo: string
  paymentNo: string
  refundNo: string
}
export type ListedDifference = DifferenceKey & {
  oursFen: bigint | null
  theirsFen: bigint | null
  isSettled: boolean
  note: string | null
  settledBy: string | null
  foundAt: Date
  /** The order it belongs to, where we know of one. */
  transactionNo: string | null
}

/** At most `limit`: what nobody settled first, then the newest days. A day's bill has few; more are told by count. */
export const listDifferences = (
  db: Db,
  filter: { mchNo: string | null; channel: string | null; day: string | null; isSettled: boolean | null },
  limit: number,
): Promise<ListedDifference[]> =>
  run<ListedDifference>(
    db,
    'listDifferences',
    `select d.mch_no as "mchNo", d.channel, d.day::text, d.kind, d.attempt_no as "attemptNo", d.payment_no as "paymentNo",
            d.refund_no as "refundNo", d.ours_fen as "oursFen", d.theirs_fen as "theirsFen", d.settled as "isSettled", d.note,
            d.settled_by as "settledBy", d.found_at as "foundAt", a.transaction_no as "transactionNo"
       from reconciliation_difference d left join attempt a on a.mch_no = d.mch_no and a.attempt_no = d.attempt_no
      where ($1::text is null or d.mch_no = $1) and ($2::text is null or d.channel = $2)
        and ($3::date is null or d.day = $3) and ($4::boolean is null or d.settled = $4)
      order by d.settled, d.day desc, d.mch_no, d.attempt_no limit $5`,
    [filter.mchNo, filter.channel, filter.day, filter.isSettled, limit],
  )

/** Says that somebody settled a difference, and how; false when there is none, or it is settled. */
export async function settleDifference(
  db: Db,
  key: DifferenceKey,
  by: { username: string; note: string },
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'settleDifference',
    `update reconciliation_difference set settled = true, note = $8, settled_by = $9, settled_at = $10
      where mch_no = $1 and channel = $2 and day = $3 and kind = $4 and attempt_no = $5 and payment_no = $6
        and refund_no = $7 and not settled returning 1`,
    [
      ...[key.mchNo, key.channel, key.day, key.kind, key.attemptNo, key.paymentNo, key.refundNo],
      ...[by.note, by.username, now],
    ],
  )
  return rows.length === 1
}

export type ListedStray = StrayPayment & { heardAt: Date }

/** The newest first, at most `limit`. There should be none. */
export const listStrays = (db: Db, mchNo: string | null, limit: number): Promise<ListedStray[]> =>
  run<ListedStray>(
    db,
    'listStrays',
    `select mch_no as "mchNo", channel, attempt_no as "attemptNo", payment_no as "paymentNo", amount_fen as "amountFen",
            currency, paid_at as "paidAt", heard_at as "heardAt"
       from stray_payment where ($1::text is null or mch_no = $1) order by heard_at desc limit $2`,
    [mchNo, limit],
  )
