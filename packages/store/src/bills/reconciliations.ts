/** Reconciliation: the booked rows to compare with upstream bills, and its results. Days are texts, `yyyy-MM-dd`, in UTC+8. */
import { arrivedPaymentsOfDay } from '../archive/arrived-bills.ts'
import { type Reach, runOver } from '../citus/reach.ts'
import { type Db, run } from '../db.ts'

export type BookedPayment = { attemptNo: string; paymentNo: string; amountFen: bigint }
export type BookedRefund = BookedPayment & { refundNo: string }

/** The last payment of a page. */
type PaymentPlace = { billDay: string; paidAt: Date; attemptNo: string; paymentNo: string }

/** Payments per page. A day of a large merchant has many pages. */
const PAYMENTS_PAGE = 5000

/** Payments of one channel that were paid from `from` on and before `until`, page by page. */
export async function* paymentsOfDay(
  db: Db,
  of: DayKey,
  { from, until, page = PAYMENTS_PAGE }: { from: Date; until: Date; page?: number },
): AsyncGenerator<BookedPayment[]> {
  const arrived = await arrivedPaymentsOfDay(db, of, { from, until })
  if (arrived.length > 0) yield arrived
  // A payment's bill day is never before the day on which it was paid, so the index on the bill day finds them all.
  let last: PaymentPlace = { billDay: of.day, paidAt: new Date(0), attemptNo: '', paymentNo: '' }
  for (;;) {
    const rows = await run<BookedPayment & PaymentPlace>(
      db,
      'paymentsOfDay',
      `select p.attempt_no as "attemptNo", p.payment_no as "paymentNo", p.amount_fen as "amountFen",
              p.bill_day::text as "billDay", p.paid_at as "paidAt"
         from payment p join attempt a on a.mch_no = p.mch_no and a.attempt_no = p.attempt_no
        where p.mch_no = $1 and a.channel = $2 and p.paid_at >= $3 and p.paid_at < $4
          and (p.bill_day, p.paid_at, p.attempt_no, p.payment_no) > ($5::date, $6::timestamptz, $7::text, $8::text)
        order by p.bill_day, p.paid_at, p.attempt_no, p.payment_no limit $9`,
      [of.mchNo, of.channel, from, until, last.billDay, last.paidAt, last.attemptNo, last.paymentNo, page],
    )
    yield rows.map(({ attemptNo, paymentNo, amountFen }) => ({ attemptNo, paymentNo, amountFen }))
    const end = rows.at(-1)
    if (rows.length < page || end === undefined) return
    last = end
  }
}

/**
 * Reversals and refunds of one channel that were done, as the upstream said, from `from` on and before `until`. Not those
 * that a bill has corrected: the upstream did them on an earlier day.
 */
export const refundsBetween = (
  db: Db,
  of: { mchNo: string; channel: string },
  from: Date,
  until: Date,
): Promise<BookedRefund[]> =>
  run<BookedRefund>(
    db,
    'refundsBetween',
    `select r.attempt_no as "attemptNo", r.payment_no as "paymentNo", r.refund_no as "refundNo",
            r.amount_fen as "amountFen"
       from reversal r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and a.channel = $2 and r.state = 'SUCCESS' and not r.by_upstream
        and r.changed_at >= $3 and r.changed_at < $4
     union all
     select b.attempt_no, b.payment_no, b.refund_no, b.amount_fen
       from archived_reversal b join archived_attempt a on a.mch_no = $1 and a.attempt_no = b.attempt_no
      where b.mch_no = $1 and a.channel = $2 and b.state = 'SUCCESS' and not b.by_upstream
        and b.changed_at >= $3 and b.changed_at < $4
     union all
     select r.attempt_no, r.payment_no, r.refund_no, r.amount_fen
       from refund r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and a.channel = $2 and r.success_time >= $3 and r.success_time < $4
        and r.corrected_at is null
      order by 3`,
    [of.mchNo, of.channel, from, until],
  )

type DifferenceKind =
  | 'PAYMENT_UNKNOWN'
  | 'PAYMENT_MISSING'
  | 'PAYMENT_AMOUNT'
  /** The upstream, or the merchant in the upstream's own pages, has sent back a kept payment. */
  | 'PAYMENT_RETURNED'
  | 'REFUND_UNKNOWN'
  | 'REFUND_MISSING'
  | 'REFUND_AMOUNT'
  /** The books call the refund failed, and the upstream's bill lists it. */
  | 'REFUND_DONE_THOUGH_FAILED'
  /** The upstream accepted the refund, and its bill says that it was not made. */
  | 'REFUND_NOT_DONE'
  /** One line of the bill cannot be read. */
  | 'LINE_UNREADABLE'

export type Difference = {
  kind: DifferenceKind
  attemptNo: string
  paymentNo: string
  refundNo: string
  oursFen: bigint | null
  theirsFen: bigint | null
  isSettled: boolean
}

export type DayKey = { mchNo: string; channel: string; day: string }

/** The number of lines of each kind in a day's upstream bill, and their sums. */
export type BillSums = { paid: { lines: number; fen: bigint }; refunded: { lines: number; fen: bigint } }

/** Writes one difference. Leaves one that was written before as it is. */
export async function writeDifference(db: Db, key: DayKey, one: Difference, now: Date): Promise<void> {
  await run(
    db,
    'writeDifference',
    `insert into reconciliation_difference (mch_no, channel, day, kind, attempt_no, payment_no, refund_no, ours_fen,
       theirs_fen, settled, found_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
    [
      key.mchNo,
      key.channel,
      key.day,
      one.kind,
      one.attemptNo,
      one.paymentNo,
      one.refundNo,
      one.oursFen,
      one.theirsFen,
      one.isSettled,
      now,
    ],
  )
}

/**
 * Writes the result of a day. It adds new differences, keeps the earlier ones, and counts all: an earlier try of the same job
 * may have written some.
 */
export async function writeReconciliation(
  db: Db,
  key: DayKey,
  found: BillSums & { differences: Difference[] },
  now: Date,
): Promise<void> {
  for (const one of found.differences) await writeDifference(db, key, one, now)
  await run(
    db,
    'writeReconciliation',
    `insert into reconciliation (mch_no, channel, day, lines, differences, done_at, paid_lines, paid_fen, refunded_lines,
       refunded_fen)
     select $1::text, $2::text, $3::date, $6::integer + $8::integer, count(*), $4::timestamptz, $6::integer, $5::bigint, $8::integer,
            $7::bigint
       from reconciliation_difference where mch_no = $1 and channel = $2 and day = $3
     on conflict (mch_no, channel, day) do update set lines = excluded.lines, differences = excluded.differences,
       done_at = excluded.done_at, paid_lines = excluded.paid_lines, paid_fen = excluded.paid_fen,
       refunded_lines = excluded.refunded_lines, refunded_fen = excluded.refunded_fen`,
    [key.mchNo, key.channel, key.day, now, found.paid.fen, found.paid.lines, found.refunded.fen, found.refunded.lines],
  )
}

/**
 * Writes a job for each channel account and each of these days that is not reconciled yet, if the account existed on that
 * day. Returns how many jobs were added. `begin` is the moment at which the day begins.
 */
export async function planReconciliations(
  db: Db,
  days: { day: string; begin: Date }[],
  now: Date,
  reach?: Reach,
): Promise<number> {
  const rows = await runOver(
    { db, reach },
    'planReconciliations',
    `insert into job (mch_no, kind, subject, due_at, tries, created_at)
     select c.mch_no, 'reconcile_day', c.channel || '/' || d.day, $3, 0, $3
       from channel_account c cross join unnest($1::text[], $2::timestamptz[]) as d (day, begin)
      where c.created_at <= d.begin + interval '1 day'
        and not exists (
          select from reconciliation r where r.mch_no = c.mch_no and r.channel = c.channel and r.day = d.day::date
             /* of those in reach: r.mch_no */)
        /* of those in reach: c.mch_no */
     on conflict do nothing returning 1`,
    [days.map(({ day }) => day), days.map(({ begin }) => begin), now],
  )
  return rows.length
}
