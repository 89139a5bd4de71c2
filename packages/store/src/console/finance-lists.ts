/** The console's finance pages: bills, upstream bills, differences and unmatched payments. Days are texts, as in bills.ts. */
import type { BillKey } from '../bills/bills.ts'
import { type Db, run } from '../db.ts'
import type { UnmatchedPayment } from '../payments/unmatched-payments.ts'

export type ListedBill = {
  mchNo: string
  day: string
  lines: bigint
  sizeBytes: bigint
  sha256: string | null
  /** Whether the file exists and was not removed since. */
  hasFile: boolean
  madeAt: Date
}

const billColumns = (
  mchNo: string,
): string => `b.mch_no as "mchNo", b.bill_day::text as day, b.lines, b.size_bytes as "sizeBytes", b.sha256,
  b.made_at as "madeAt", exists (select from bill_part p where p.mch_no = ${mchNo} and p.bill_day = b.bill_day
    and p.file_no = b.file_no and p.seq = 1) as "hasFile"`

/** A page of rows that belong to a merchant and a day, the newest day first. */
export type DayFilter = { mchNo: string | null; before: { day: string; mchNo: string; channel: string } | null }

export const listBills = (db: Db, { mchNo, before }: DayFilter, limit: number): Promise<ListedBill[]> =>
  run<ListedBill>(
    db,
    'listBills',
    `select ${billColumns('b.mch_no')} from bill b
      where ($1::text is null or b.mch_no = $1) and ($2::date is null or (b.bill_day, b.mch_no) < ($2, $3::text))
      order by b.bill_day desc, b.mch_no desc limit $4`,
    [mchNo, before?.day, before?.mchNo, limit],
  )

export async function findListedBill(db: Db, { mchNo, day }: BillKey): Promise<ListedBill | null> {
  const sql = `select ${billColumns('$1')} from bill b where b.mch_no = $1 and b.bill_day = $2`
  const rows = await run<ListedBill>(db, 'findListedBill', sql, [mchNo, day])
  return rows[0] ?? null
}

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

/** One channel's part of a merchant's bill: the totals, and the payments that the upstream bill has on another day. */
export type BilledChannel = {
  channel: string
  paid: bigint
  paidFen: bigint
  refunded: bigint
  refundedFen: bigint
  /** Paid on an earlier day, and in this bill because it was booked after that day's bill was complete. */
  earlier: bigint
  earlierFen: bigint
  /** Paid on this day, and in a later bill for the same reason. */
  later: bigint
  laterFen: bigint
}

/** Reads every line of the day. The caller checks first that the bill does not have too many. */
export const billedChannels = (
  db: Db,
  { mchNo, day }: BillKey,
  bounds: { from: Date; until: Date },
): Promise<BilledChannel[]> =>
  run<BilledChannel>(
    db,
    'billedChannels',
    `with lines as (
       select attempt_no, amount_fen, 'paid' as kind, paid_at < $3 as other from payment where mch_no = $1 and bill_day = $2
       union all select attempt_no, amount_fen, 'later', true from payment
        where mch_no = $1 and paid_at >= $3 and paid_at < $4 and bill_day > $2
       union all select attempt_no, amount_fen, 'refunded', false from refund where mch_no = $1 and bill_day = $2
       union all select attempt_no, amount_fen, 'refunded', false from reversal where mch_no = $1 and bill_day = $2),
     arrived as (
       select attempt_no, amount_fen, 'paid' as kind, paid_at < $3 as other from archived_reversal where mch_no = $1 and paid_day = $2
       union all select attempt_no, amount_fen, 'later', true from archived_reversal
        where mch_no = $1 and paid_at >= $3 and paid_at < $4 and paid_day > $2
       union all select attempt_no, amount_fen, 'refunded', false from archived_reversal where mch_no = $1 and bill_day = $2),
     placed as (
       select l.*, a.channel from lines l join attempt a on a.mch_no = $1 and a.attempt_no = l.attempt_no
       union all select l.*, a.channel from arrived l join archived_attempt a on a.mch_no = $1 and a.attempt_no = l.attempt_no)
     select l.channel, count(*) filter (where kind = 'paid') as paid,
            coalesce(sum(l.amount_fen) filter (where kind = 'paid'), 0)::bigint as "paidFen",
            count(*) filter (where kind = 'refunded') as refunded,
            coalesce(sum(l.amount_fen) filter (where kind = 'refunded'), 0)::bigint as "refundedFen",
            count(*) filter (where kind = 'paid' and other) as earlier,
            coalesce(sum(l.amount_fen) filter (where kind = 'paid' and other), 0)::bigint as "earlierFen",
            count(*) filter (where kind = 'later') as later,
            coalesce(sum(l.amount_fen) filter (where kind = 'later'), 0)::bigint as "laterFen"
       from placed l group by l.channel order by l.channel`,
    [mchNo, day, bounds.from, bounds.until],
  )

/** The sums of an upstream bill; null where an older version of the gateway read it. */
export type UpstreamDay = {
  channel: string
  /** Null: the upstream bill was not fetched yet. */
  doneAt: Date | null
  lines: number | null
  paidLines: number | null
  paidFen: bigint | null
  refundedLines: number | null
  refundedFen: bigint | null
  differences: number
  unsettled: number
}

/** A row for each account that the merchant had by the end of that day, and for each upstream bill that was fetched. */
export const upstreamDays = (db: Db, { mchNo, day }: BillKey, end: Date): Promise<UpstreamDay[]> =>
  run<UpstreamDay>(
    db,
    'upstreamDays',
    `select c.channel, r.done_at as "doneAt", r.lines, r.paid_lines as "paidLines", r.paid_fen as "paidFen",
            r.refunded_lines as "refundedLines", r.refunded_fen as "refundedFen", d.differences, d.unsettled
       from channel_account c
       left join reconciliation r on r.mch_no = $1 and r.channel = c.channel and r.day = $2
       cross join lateral (
         select count(*)::int as differences, count(*) filter (where not settled)::int as unsettled
           from reconciliation_difference where mch_no = $1 and channel = c.channel and day = $2) d
      where c.mch_no = $1 and (c.created_at <= $3 or r.done_at is not null) order by c.channel`,
    [mchNo, day, end],
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
  /** The order of its attempt; null where the books do not know the attempt. */
  transactionNo: string | null
}
export type DifferencePlace = DifferenceKey & { isSettled: boolean }
export type DifferenceFilter = {
  mchNo: string | null
  channel: string | null
  day: string | null
  isSettled: boolean | null
  before: DifferencePlace | null
}

/** A page, unsettled differences first, then the newest days; at most `limit`. */
export const listDifferences = (db: Db, filter: DifferenceFilter, limit: number): Promise<ListedDifference[]> => {
  const { mchNo, channel, day, isSettled, before } = filter
  // Two statements instead of one with 'or', so that each uses its own index.
  const which = mchNo === null ? '$1::text is null' : 'd.mch_no = $1'
  return run<ListedDifference>(
    db,
    mchNo === null ? 'listDifferences' : 'listMerchantDifferences',
    `select d.mch_no as "mchNo", d.channel, d.day::text, d.kind, d.attempt_no as "attemptNo", d.payment_no as "paymentNo",
            d.refund_no as "refundNo", d.ours_fen as "oursFen", d.theirs_fen as "theirsFen", d.settled as "isSettled", d.note,
            d.settled_by as "settledBy", d.found_at as "foundAt", a.transaction_no as "transactionNo"
       from reconciliation_difference d left join attempt a on a.mch_no = d.mch_no and a.attempt_no = d.attempt_no
      where ${which} and ($2::text is null or d.channel = $2) and ($3::date is null or d.day = $3)
        and ($4::boolean is null or d.settled = $4)
        and ($5::boolean is null or ((not d.settled), d.day, d.mch_no, d.channel, d.kind, d.attempt_no, d.payment_no, d.refund_no)
             < (not $5, $6::date, $7::text, $8::text, $9::text, $10::text, $11::text, $12::text))
      order by (not d.settled) desc, d.day desc, d.mch_no desc, d.channel desc, d.kind desc, d.attempt_no desc,
               d.payment_no desc, d.refund_no desc limit $13`,
    [
      mchNo,
      channel,
      day,
      isSettled,
      before?.isSettled,
      before?.day,
      before?.mchNo,
      before?.channel,
      before?.kind,
      before?.attemptNo,
      before?.paymentNo,
      before?.refundNo,
      limit,
    ],
  )
}

/** Marks a difference as settled by this user, with a note. False when it does not exist or is settled already. */
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
    [key.mchNo, key.channel, key.day, key.kind, key.attemptNo, key.paymentNo, key.refundNo, by.note, by.username, now],
  )
  return rows.length === 1
}

export type UnmatchedKey = Pick<UnmatchedPayment, 'mchNo' | 'channel' | 'attemptNo' | 'paymentNo'>
export type ListedUnmatched = UnmatchedPayment & {
  /** When the gateway learned of the payment. */
  reportedAt: Date
  isSettled: boolean
  note: string | null
  settledBy: string | null
}
export type UnmatchedPlace = UnmatchedKey & { isSettled: boolean; reportedAt: Date }
export type UnmatchedFilter = {
  mchNo: string | null
  channel: string | null
  isSettled: boolean | null
  before: UnmatchedPlace | null
}

/** A page, unsettled payments first, then the newest; at most `limit`. In good order there are none. */
export const listUnmatched = (
  db: Db,
  { mchNo, channel, isSettled, before }: UnmatchedFilter,
  limit: number,
): Promise<ListedUnmatched[]> => {
  const which = mchNo === null ? '$1::text is null' : 'mch_no = $1'
  return run<ListedUnmatched>(
    db,
    mchNo === null ? 'listUnmatched' : 'listMerchantUnmatched',
    `select mch_no as "mchNo", channel, attempt_no as "attemptNo", payment_no as "paymentNo", amount_fen as "amountFen",
            currency, paid_at as "paidAt", heard_at as "reportedAt", settled_at is not null as "isSettled", note,
            settled_by as "settledBy"
       from stray_payment
      where ${which} and ($2::text is null or channel = $2) and ($3::boolean is null or (settled_at is not null) = $3)
        and ($4::boolean is null or ((settled_at is null), heard_at, mch_no, channel, attempt_no, payment_no)
             < (not $4, $5::timestamptz, $6::text, $7::text, $8::text, $9::text))
      order by (settled_at is null) desc, heard_at desc, mch_no desc, channel desc, attempt_no desc, payment_no desc
      limit $10`,
    [
      mchNo,
      channel,
      isSettled,
      before?.isSettled,
      before?.reportedAt,
      before?.mchNo,
      before?.channel,
      before?.attemptNo,
      before?.paymentNo,
      limit,
    ],
  )
}

/** Like `settleDifference`. */
export async function settleUnmatched(
  db: Db,
  { mchNo, channel, attemptNo, paymentNo }: UnmatchedKey,
  { username, note }: { username: string; note: string },
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'settleUnmatched',
    `update stray_payment set settled_at = $5, settled_by = $6, note = $7
      where mch_no = $1 and channel = $2 and attempt_no = $3 and payment_no = $4 and settled_at is null returning 1`,
    [mchNo, channel, attemptNo, paymentNo, now, username, note],
  )
  return rows.length === 1
}
