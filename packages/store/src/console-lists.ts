/** Lists of the console over all merchants: refunds, reversals, notifications. */
import type { NotificationState, RefundState } from '@acopay/core'
import { type Db, run } from './db.ts'
import { LISTED_NOTIFICATIONS, type ListedNotification } from './notification-lists.ts'
import type { RefundPart, ReversalPart } from './order-lists.ts'

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
            r.state, r.failure, r.created_at as "createdAt", r.success_time as "successTime"
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
            r.changed_at as "changedAt"
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
