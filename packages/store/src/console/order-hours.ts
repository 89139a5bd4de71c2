/**
 * Hourly figures for the overview. A recent hour is counted again; an older one stays as it is. Rows count in the hour in
 * which the gateway wrote them, so after the hour's end only transactions that were still open can add to it.
 */
import { type Db, run } from '../db.ts'
import { HEALTH_MAX, STUCK_JOBS } from '../jobs/stuck-jobs.ts'

/** The `mch_no` of the row for all merchants together; no merchant has this number. */
export const ALL_MERCHANTS = '*'

export type HourFigures = {
  placed: bigint
  /** Kept payments, by the time of booking. */
  paid: bigint
  paidFen: bigint
  /** Closed orders, by reason. */
  closedByMerchant: bigint
  closedByExpiry: bigint
  closedByOperator: bigint
  /** Refunds, by the time at which they were done. */
  refunds: bigint
  refundedFen: bigint
  /** Reversals, by the time at which they were done. */
  reversals: bigint
  reversedFen: bigint
}

/**
 * Counts one hour again. `numbers` are the prefixes of platform numbers at the hour's begin and end; they select the orders,
 * because a platform number begins with its time.
 */
export const countHour = (
  db: Db,
  hour: { begin: Date; end: Date; numbers: { from: string; until: string } },
  now: Date,
): Promise<object[]> =>
  run(
    db,
    'countHour',
    `with rows as (
       select mch_no, count(*) as placed, 0::bigint as paid, 0::bigint as paid_fen, 0::bigint as by_merchant,
              0::bigint as by_expiry, 0::bigint as by_operator, 0::bigint as refunds, 0::bigint as refunded_fen,
              0::bigint as reversals, 0::bigint as reversed_fen
         from orders where transaction_no >= $3 and transaction_no < $4 group by mch_no
       union all
       select mch_no, 0, count(*), sum(amount_fen)::bigint, 0, 0, 0, 0, 0, 0, 0
         from payment where booked_at >= $1 and booked_at < $2 and fate = 'keep' group by mch_no
       union all
       select mch_no, 0, 0, 0, count(*) filter (where close_reason = 'MERCHANT'), count(*) filter (where close_reason = 'EXPIRED'),
              count(*) filter (where close_reason = 'OPERATOR'), 0, 0, 0, 0
         from orders where closed_at >= $1 and closed_at < $2 group by mch_no
       union all
       select mch_no, 0, 0, 0, 0, 0, 0, count(*), sum(amount_fen)::bigint, 0, 0
         from refund where success_time >= $1 and success_time < $2 group by mch_no
       union all
       select mch_no, 0, 0, 0, 0, 0, 0, 0, 0, count(*), sum(amount_fen)::bigint
         from reversal where state = 'SUCCESS' and changed_at >= $1 and changed_at < $2 group by mch_no
       union all
       select mch_no, 0, 0, 0, 0, 0, 0, 0, 0, count(*), sum(amount_fen)::bigint
         from archived_reversal where state = 'SUCCESS' and changed_at >= $1 and changed_at < $2 group by mch_no),
     counted as (
       select coalesce(mch_no, '${ALL_MERCHANTS}') as mch_no, sum(placed)::bigint as placed, sum(paid)::bigint as paid,
              sum(paid_fen)::bigint as paid_fen, sum(by_merchant)::bigint as by_merchant, sum(by_expiry)::bigint as by_expiry,
              sum(by_operator)::bigint as by_operator, sum(refunds)::bigint as refunds, sum(refunded_fen)::bigint as refunded_fen,
              sum(reversals)::bigint as reversals, sum(reversed_fen)::bigint as reversed_fen
         from rows group by grouping sets ((mch_no), ()))
     insert into order_hour (mch_no, hour_at, placed, paid, paid_fen, closed_by_merchant, closed_by_expiry, closed_by_operator,
       refunds, refunded_fen, reversals, reversed_fen, counted_at)
     select mch_no, $1, coalesce(placed, 0), coalesce(paid, 0), coalesce(paid_fen, 0), coalesce(by_merchant, 0),
            coalesce(by_expiry, 0), coalesce(by_operator, 0), coalesce(refunds, 0), coalesce(refunded_fen, 0),
            coalesce(reversals, 0), coalesce(reversed_fen, 0), $5
       from counted
     on conflict (mch_no, hour_at) do update set placed = excluded.placed, paid = excluded.paid, paid_fen = excluded.paid_fen,
       closed_by_merchant = excluded.closed_by_merchant, closed_by_expiry = excluded.closed_by_expiry,
       closed_by_operator = excluded.closed_by_operator, refunds = excluded.refunds, refunded_fen = excluded.refunded_fen,
       reversals = excluded.reversals, reversed_fen = excluded.reversed_fen, counted_at = excluded.counted_at`,
    [hour.begin, hour.end, hour.numbers.from, hour.numbers.until, now],
  )

/** When the hours from `from` on were last counted, the newest last. An hour that was never counted is not in the list. */
export const countedHours = (db: Db, from: Date): Promise<{ hourAt: Date; countedAt: Date }[]> =>
  run(
    db,
    'countedHours',
    `select hour_at as "hourAt", counted_at as "countedAt" from order_hour
      where mch_no = '${ALL_MERCHANTS}' and hour_at >= $1 order by hour_at`,
    [from],
  )

/** The hours of one merchant from `from` on; `mchNo` null: of all merchants together. */
export const readHours = (db: Db, mchNo: string | null, from: Date): Promise<(HourFigures & { hourAt: Date })[]> =>
  run(
    db,
    'readHours',
    `select hour_at as "hourAt", placed, paid, paid_fen as "paidFen", closed_by_merchant as "closedByMerchant",
            closed_by_expiry as "closedByExpiry", closed_by_operator as "closedByOperator", refunds,
            refunded_fen as "refundedFen", reversals, reversed_fen as "reversedFen"
       from order_hour where mch_no = $1 and hour_at >= $2 order by hour_at`,
    [mchNo ?? ALL_MERCHANTS, from],
  )

export type Health = {
  closing: number
  /** Orders that are past their expiry and still NOTPAY. */
  expired: number
  refunds: number
  reversals: number
  jobs: number
  oldestAt: Date | null
  /** Of the jobs that are stuck, and of the notifications that wait. */
  oldestJobAt: Date | null
  oldestNotificationAt: Date | null
  pending: number
  late: number
  dead: number
  differences: number
  unmatched: number
}

/**
 * Counts what is stuck: rows that have been in their state, or jobs that have been waiting, since before `since`. Each
 * count stops at `HEALTH_MAX`.
 */
export async function readHealth(db: Db, mchNo: string | null, since: Date): Promise<Health> {
  const some = (from: string): string =>
    `(select count(*)::int from (select 1 from ${from} and ($1::text is null or mch_no = $1) limit ${HEALTH_MAX}) x)`
  const stuck = {
    closing: `orders where state = 'CLOSING' and changed_at < $2`,
    expired: `orders where state = 'NOTPAY' and time_expire < $2`,
    refunds: `refund where state = 'PROCESSING' and created_at < $2`,
    reversals: `(select mch_no, created_at from reversal where state = 'PROCESSING' and created_at < $2
      union all select mch_no, created_at from archived_reversal where state = 'PROCESSING' and created_at < $2) r where true`,
  }
  const rows = await run<Health>(
    db,
    'readHealth',
    `select ${some(stuck.closing)} as closing, ${some(stuck.expired)} as expired, ${some(stuck.refunds)} as refunds, ${some(stuck.reversals)} as reversals,
            ${some(`${STUCK_JOBS} j where true`)} as jobs,
            least((select min(changed_at) from ${stuck.closing} and ($1::text is null or mch_no = $1)),
                  (select min(time_expire) from ${stuck.expired} and ($1::text is null or mch_no = $1)),
                  (select min(created_at) from ${stuck.refunds} and ($1::text is null or mch_no = $1)),
                  (select min(created_at) from ${stuck.reversals} and ($1::text is null or mch_no = $1))) as "oldestAt",
            (select min(created_at) from ${STUCK_JOBS} j) as "oldestJobAt",
            (select min(round_at) from notification where state = 'PENDING' and ($1::text is null or mch_no = $1))
              as "oldestNotificationAt",
            ${some(`notification where state = 'PENDING'`)} as pending,
            ${some(`notification where state = 'PENDING' and round_at < $2`)} as late,
            ${some(`notification where state = 'DEAD'`)} as dead,
            ${some('reconciliation_difference where not settled')} as differences,
            ${some('stray_payment where settled_at is null')} as unmatched`,
    [mchNo, since],
  )
  const [row] = rows
  if (row === undefined) throw new Error('readHealth returned no row')
  return row
}

export type ChannelHealth = { channel: string; attempts: bigint; paid: bigint; inDoubt: bigint }

/**
 * Attempts opened since a moment, by channel, of those with at least the number `from`. `inDoubt`: the upstream has
 * not answered the create.
 */
export const readChannelHealth = (
  db: Db,
  mchNo: string | null,
  { since, from }: { since: Date; from: string },
): Promise<ChannelHealth[]> =>
  run(
    db,
    'readChannelHealth',
    `select channel, count(*) as attempts, count(*) filter (where state = 'PAID') as paid,
            count(*) filter (where state = 'OPENING') as "inDoubt"
       from (select * from attempt where attempt_no >= $2 and created_at >= $3 and ($1::text is null or mch_no = $1)
              order by attempt_no desc limit 100000) a
      group by channel order by channel`,
    [mchNo, from, since],
  )
