/** The merchants' bills: the rows of a day, and the files that were made. Days are texts, `yyyy-MM-dd`, in UTC+8. */
import { type Reach, runOver } from '../citus/reach.ts'
import { type Db, run } from '../db.ts'
import type { Job } from '../jobs/jobs.ts'

export const BILL_KINDS = ['PAYMENT', 'REFUND', 'REVERSAL'] as const

/** A payment, a refund that was made, or a reversal that was made. */
export type BillRow = {
  kind: (typeof BILL_KINDS)[number]
  at: Date
  transactionNo: string
  mchTradeNo: string
  appNo: string
  channel: string
  method: string
  paymentNo: string
  attemptNo: string
  refundNo: string | null
  mchRefundNo: string | null
  amountFen: bigint
  currency: string
  /** For a payment: whether the order kept it. */
  isKept: boolean | null
  /** The order's description, or the refund's reason; of a reversal why it went back, where the app is told of that. */
  note: string | null
}

/** `mchNo`'s bill of `day`. */
export type BillKey = { mchNo: string; day: string }

/**
 * Why a payment went back that its order did not keep, for apps that are told of it: the codes of the notification. `paid` is the alias of
 * the payment, `orderFen` the order's amount; `o` is the order, or what stays of it, and `app` its app.
 */
export const whyBack = (paid: string, orderFen: string): string =>
  `when not app.told_of_sent_back then null when ${paid}.amount_fen <> ${orderFen} or ${paid}.currency <> 'CNY' then 'WRONG_AMOUNT'
         when o.state = 'CLOSED' then 'LATE' else 'SECOND'`

/** Of one merchant; conditions follow. */
export const BILL_SELECTS = {
  PAYMENT: `select 'PAYMENT' as kind, p.paid_at as at, p.attempt_no as "attemptNo", p.payment_no as "paymentNo",
       null as "refundNo", null as "mchRefundNo", p.amount_fen as "amountFen", p.currency, p.fate = 'keep' as "isKept",
       o.description as note, p.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo", o.app_no as "appNo",
       a.channel, a.method
     from payment p join orders o on o.mch_no = p.mch_no and o.transaction_no = p.transaction_no
       join attempt a on a.mch_no = p.mch_no and a.attempt_no = p.attempt_no
    where p.mch_no = $1`,
  REFUND: `select 'REFUND' as kind, r.success_time as at, r.attempt_no as "attemptNo", r.payment_no as "paymentNo",
       r.refund_no as "refundNo", r.mch_refund_no as "mchRefundNo", r.amount_fen as "amountFen", 'CNY' as currency,
       null::boolean as "isKept", r.reason as note, r.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo",
       o.app_no as "appNo", a.channel, a.method
     from refund r join orders o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
       join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
    where r.mch_no = $1`,
  REVERSAL: `select 'REVERSAL' as kind, r.changed_at as at, r.attempt_no as "attemptNo", r.payment_no as "paymentNo",
       r.refund_no as "refundNo", null as "mchRefundNo", r.amount_fen as "amountFen", p.currency,
       null::boolean as "isKept", case when p.fate = 'keep' then null ${whyBack('p', 'o.amount_fen')} end as note, r.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo",
       o.app_no as "appNo", a.channel, a.method
     from reversal r join orders o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
       join app on app.mch_no = o.mch_no and app.app_no = o.app_no
       join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
       join payment p on p.mch_no = r.mch_no and p.attempt_no = r.attempt_no and p.payment_no = r.payment_no
    where r.mch_no = $1`,
} as const satisfies Record<BillRow['kind'], string>

const PAGES = {
  PAYMENT: `${BILL_SELECTS.PAYMENT} and p.bill_day = $2
      and ($3::timestamptz is null or (p.paid_at, p.attempt_no, p.payment_no) > ($3, $4::text, $5::text))
    order by p.paid_at, p.attempt_no, p.payment_no limit $6`,
  REFUND: `${BILL_SELECTS.REFUND} and r.bill_day = $2
      and ($3::timestamptz is null or (r.success_time, r.refund_no) > ($3, $4::text))
    order by r.success_time, r.refund_no limit $5`,
  REVERSAL: `${BILL_SELECTS.REVERSAL} and r.bill_day = $2
      and ($3::timestamptz is null or (r.changed_at, r.refund_no) > ($3, $4::text))
    order by r.changed_at, r.refund_no limit $5`,
} as const satisfies Record<BillRow['kind'], string>

/** One page of a day's rows of one kind that are in the tables, ordered by time. `billPages` also has those that are archived. */
export const billRows = (
  db: Db,
  { mchNo, day }: BillKey,
  { kind, after, limit }: { kind: BillRow['kind']; after: BillRow | null; limit: number },
): Promise<BillRow[]> => {
  const place = kind === 'PAYMENT' ? [after?.attemptNo, after?.paymentNo] : [after?.refundNo]
  return run<BillRow>(db, `billRows${kind}`, PAGES[kind], [mchNo, day, after?.at, ...place, limit])
}

/** True when a payment, a refund or a reversal belongs to this day's bill. */
export async function hasBillRows(db: Db, { mchNo, day }: BillKey): Promise<boolean> {
  const rows = await run<{ found: boolean }>(
    db,
    'hasBillRows',
    `select exists (select from payment where mch_no = $1 and bill_day = $2)
         or exists (select from refund where mch_no = $1 and bill_day = $2)
         or exists (select from reversal where mch_no = $1 and bill_day = $2)
         or exists (select from archived_lines where mch_no = $1 and bill_day = $2)
         or exists (select from archived_reversal where mch_no = $1 and (paid_day = $2 or bill_day = $2)) as found`,
    [mchNo, day],
  )
  return rows[0]?.found === true
}

/** A bill that was made. `fileNo` and `sha256` (lower-case hex) are null where `lines` is 0: that day has no rows. */
export type Bill = { lines: bigint; fileNo: string | null; sizeBytes: bigint; sha256: string | null }

export async function findBill(db: Db, { mchNo, day }: BillKey): Promise<Bill | null> {
  const rows = await run<Bill>(
    db,
    'findBill',
    `select lines, file_no as "fileNo", size_bytes as "sizeBytes", sha256 from bill where mch_no = $1 and bill_day = $2`,
    [mchNo, day],
  )
  return rows[0] ?? null
}

/** One piece of a bill's file; `seq` counts from 1. */
export type BillPart = { fileNo: string; seq: number }

/** Writes one piece of a file that is not published yet. */
export async function writeBillPart(db: Db, key: BillKey, { fileNo, seq }: BillPart, bytes: Buffer): Promise<void> {
  await run(
    db,
    'writeBillPart',
    'insert into bill_part (mch_no, bill_day, file_no, seq, bytes) values ($1, $2, $3, $4, $5)',
    [key.mchNo, key.day, fileNo, seq, bytes],
  )
}

/** Null after the last piece. */
export async function readBillPart(db: Db, key: BillKey, { fileNo, seq }: BillPart): Promise<Buffer | null> {
  const rows = await run<{ bytes: Buffer }>(
    db,
    'readBillPart',
    'select bytes from bill_part where mch_no = $1 and bill_day = $2 and file_no = $3 and seq = $4',
    [key.mchNo, key.day, fileNo, seq],
  )
  return rows[0]?.bytes ?? null
}

/** Publishes the file. False when this lease has ended, or another process has published its file before. */
export async function publishBill(db: Db, job: Job, bill: Bill, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'publishBill',
    `insert into bill (mch_no, bill_day, lines, file_no, size_bytes, sha256, made_at)
     select $1, $2, $3, $4, $5, $6, $7
      where exists (select from job where mch_no = $1 and kind = 'make_bill' and subject = $8 and tries = $9 for update)
     on conflict do nothing returning 1`,
    [job.mchNo, job.subject, bill.lines, bill.fileNo, bill.sizeBytes, bill.sha256, now, job.subject, job.tries],
  )
  return rows.length === 1
}

/**
 * Removes pieces of this day's files that were never published: their processes were killed or too slow. Removes nothing
 * when this lease has ended, because another process may be writing the pieces now.
 */
export async function removeLeftoverBillParts(db: Db, job: Job, { mchNo, day }: BillKey): Promise<void> {
  await run(
    db,
    'removeLeftoverBillParts',
    `with held as (
       select from job where mch_no = $1 and kind = 'make_bill' and subject = $3 and tries = $4 for update)
     delete from bill_part p where mch_no = $1 and bill_day = $2 and exists (select from held) and not exists (
       select from bill b where b.mch_no = p.mch_no and b.bill_day = p.bill_day and b.file_no = p.file_no)`,
    [mchNo, day, job.subject, job.tries],
  )
}

/** Removes the files of a merchant's bills of before this day, which the merchant can no longer fetch. */
export async function forgetBillFiles(db: Db, { mchNo, day }: BillKey): Promise<void> {
  const sql = 'delete from bill_part where mch_no = $1 and bill_day < $2'
  await run(db, 'forgetBillFiles', sql, [mchNo, day])
}

/** Removes the pieces of one unpublished file. The process that wrote them calls this when it was too slow. */
export async function removeBillFile(db: Db, { mchNo, day }: BillKey, fileNo: string): Promise<void> {
  const sql = 'delete from bill_part where mch_no = $1 and bill_day = $2 and file_no = $3'
  await run(db, 'removeBillFile', sql, [mchNo, day, fileNo])
}

/**
 * Writes a job for each merchant and each of these days whose bill is not made yet, if the merchant existed on that day.
 * Returns how many jobs were added. `begin` is the moment at which the day begins.
 */
export async function planBills(
  db: Db,
  days: { day: string; begin: Date }[],
  now: Date,
  reach?: Reach,
): Promise<number> {
  const rows = await runOver(
    { db, reach },
    'planBills',
    `insert into job (mch_no, kind, subject, due_at, tries, created_at)
     select m.mch_no, 'make_bill', d.day, $3, 0, $3
       from merchant m cross join unnest($1::text[], $2::timestamptz[]) as d (day, begin)
      where m.created_at <= d.begin + interval '1 day'
        and not exists (select from bill b where b.mch_no = m.mch_no and b.bill_day = d.day::date
                         /* of those in reach: b.mch_no */)
        /* of those in reach: m.mch_no */
     on conflict do nothing returning 1`,
    [days.map(({ day }) => day), days.map(({ begin }) => begin), now],
  )
  return rows.length
}

/** Writes the job that makes one missing bill. Changes nothing when the job exists. */
export async function planBill(db: Db, { mchNo, day }: BillKey, now: Date): Promise<void> {
  await run(
    db,
    'planBill',
    `insert into job (mch_no, kind, subject, due_at, tries, created_at) values ($1, 'make_bill', $2, $3, 0, $3)
     on conflict do nothing`,
    [mchNo, day, now],
  )
}
