/** Merchants' refunds. */
import { type Fen, fen, type Refundable, type RefundRef, type RefundState } from '@acopay/core'
import { findArchivedRefund } from '../archive/archived.ts'
import { type Db, run } from '../db.ts'

export type Refund = {
  mchNo: string
  refundNo: string
  mchRefundNo: string
  transactionNo: string
  attemptNo: string
  paymentNo: string
  amountFen: Fen
  reason: string
  notifyUrl: string | null
  state: RefundState
  /** When the last call is given up. The upstream may still carry it out for the channel's `createInFlightMs` after that. */
  inFlightUntil: Date
  /**
   * The word with which the upstream refused the last call. It is final only when a query, made after the upstream's own
   * delay, shows no such refund. Null while the last call is not answered, or was answered otherwise.
   */
  refusal: string | null
  successTime: Date | null
}

/** A refund with fields of its order, its attempt and its payment. */
export type FoundRefund = Refund & {
  appNo: string
  mchTradeNo: string
  channel: string
  /** The whole amount of the payment. */
  totalFen: bigint
}

/**
 * Writes a PROCESSING refund. Throws when the merchant's number was used at the same moment, or by a refund that was archived: see
 * `isRefundNoTaken`. What was archived is looked at afterwards, so that a number which is being archived now is not missed.
 */
export async function insertRefund(
  db: Db,
  refund: Omit<Refund, 'state' | 'refusal' | 'successTime'>,
  now: Date,
): Promise<void> {
  await run(
    db,
    'insertRefund',
    `insert into refund (mch_no, refund_no, mch_refund_no, transaction_no, attempt_no, payment_no, amount_fen, reason,
       notify_url, state, lands_until, created_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'PROCESSING', $10, $11, $11)`,
    [
      refund.mchNo,
      refund.refundNo,
      refund.mchRefundNo,
      refund.transactionNo,
      refund.attemptNo,
      refund.paymentNo,
      refund.amountFen,
      refund.reason,
      refund.notifyUrl,
      refund.inFlightUntil,
      now,
    ],
  )
  if ((await findArchivedRefund(db, refund.mchNo, { mchRefundNo: refund.mchRefundNo })) !== null)
    throw Object.assign(new Error('the number of this refund was archived'), { constraint: ARCHIVED })
}

const ARCHIVED = 'archived_refund_pkey'

/**
 * Whether `insertRefund` failed because the merchant used the refund's number for another order at the same moment. In the same
 * millisecond our number is the same too.
 */
export const isRefundNoTaken = (error: unknown): boolean =>
  error instanceof Error &&
  'constraint' in error &&
  ['refund_mch_no_mch_refund_no_key', 'refund_pkey', ARCHIVED].includes(String(error.constraint))

type Row = Omit<FoundRefund, 'amountFen'> & { amountFen: bigint }

const SELECT = `select r.mch_no as "mchNo", r.refund_no as "refundNo", r.mch_refund_no as "mchRefundNo",
    r.transaction_no as "transactionNo", r.attempt_no as "attemptNo", r.payment_no as "paymentNo",
    r.amount_fen as "amountFen", r.reason, r.notify_url as "notifyUrl", r.state, r.lands_until as "inFlightUntil", r.refusal,
    r.success_time as "successTime", o.app_no as "appNo", o.mch_trade_no as "mchTradeNo", a.channel,
    p.amount_fen as "totalFen"
  from refund r join orders o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
    join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
    join payment p on p.mch_no = r.mch_no and p.attempt_no = r.attempt_no and p.payment_no = r.payment_no
 where r.mch_no = $1`

/** The merchant's refund, by either number; null when the number belongs to another merchant. */
export async function findRefund(db: Db, mchNo: string, ref: RefundRef): Promise<FoundRefund | null> {
  const [row] =
    'refundNo' in ref
      ? await run<Row>(db, 'findRefund', `${SELECT} and r.refund_no = $2`, [mchNo, ref.refundNo])
      : await run<Row>(db, 'findRefundByMchNo', `${SELECT} and r.mch_refund_no = $2`, [mchNo, ref.mchRefundNo])
  return row === undefined ? null : { ...row, amountFen: fen(row.amountFen) }
}

export type KeptPayment = Refundable & { attemptNo: string; paymentNo: string }

/**
 * The order's kept payment, with the amount that has been or is being sent back, or that may have been: the upstream's
 * bill lists a refund that the books call failed. Null when there is none.
 */
export async function keptPayment(db: Db, mchNo: string, transactionNo: string): Promise<KeptPayment | null> {
  const rows = await run<Omit<KeptPayment, 'paidAtMs' | 'refunds'> & { paidAt: Date; refunds: bigint }>(
    db,
    'keptPayment',
    `select p.attempt_no as "attemptNo", p.payment_no as "paymentNo", p.amount_fen as "paidFen", p.paid_at as "paidAt",
            count(r.refund_no) as refunds,
            (coalesce(sum(r.amount_fen), 0) + coalesce((select v.amount_fen from reversal v where v.mch_no = $1
               and v.attempt_no = p.attempt_no and v.payment_no = p.payment_no), 0))::bigint as "refundedFen"
       from payment p left join refund r on r.mch_no = $1 and r.transaction_no = p.transaction_no
            and (r.state <> 'FAIL' or r.contested_at is not null)
      where p.mch_no = $1 and p.transaction_no = $2 and p.fate = 'keep'
      group by p.mch_no, p.attempt_no, p.payment_no`,
    [mchNo, transactionNo],
  )
  const [row] = rows
  if (row === undefined) return null
  const { paidAt, refunds, ...rest } = row
  return { ...rest, paidAtMs: paidAt.getTime(), refunds: Number(refunds) }
}

/** Call it before each call but the first: if its answer is lost, the outcome is in doubt from then on. */
export async function markRefundCall(
  db: Db,
  key: { mchNo: string; refundNo: string },
  inFlightUntil: Date,
): Promise<void> {
  await run(
    db,
    'markRefundCall',
    `update refund set lands_until = $3, refusal = null
      where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING'`,
    [key.mchNo, key.refundNo, inFlightUntil],
  )
}

/** Writes the refusal of the call that `inFlightUntil` identifies. Changes nothing when a later call was made since. */
export async function markRefundRefused(
  db: Db,
  { mchNo, refundNo, inFlightUntil }: Pick<Refund, 'mchNo' | 'refundNo' | 'inFlightUntil'>,
  refusal: string,
): Promise<void> {
  await run(
    db,
    'markRefundRefused',
    `update refund set refusal = $4
      where mch_no = $1 and refund_no = $2 and lands_until = $3 and state || '' = 'PROCESSING'`,
    [mchNo, refundNo, inFlightUntil, refusal],
  )
}

/** Ends a PROCESSING refund. Lock its order first. `failure`: the upstream's reason; null when the money is back. */
export async function endRefund(
  db: Db,
  key: { mchNo: string; refundNo: string },
  failure: string | null,
  now: Date,
): Promise<void> {
  await run(
    db,
    'endRefund',
    `update refund set state = case when $3::text is null then 'SUCCESS' else 'FAIL' end, failure = $3,
            success_time = case when $3::text is null then $4::timestamptz end, changed_at = $4
      where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING'`,
    [key.mchNo, key.refundNo, failure, now],
  )
}

/**
 * A failed refund that the upstream calls done. Lock its order first. It counts from now on, because the merchant's bill of
 * the day on which the upstream did it may be made already.
 */
export async function correctRefund(db: Db, key: { mchNo: string; refundNo: string }, now: Date): Promise<void> {
  await run(
    db,
    'correctRefund',
    `update refund set state = 'SUCCESS', failure = null, success_time = $3, changed_at = $3, corrected_at = $3,
            contested_at = null where mch_no = $1 and refund_no = $2 and state = 'FAIL'`,
    [key.mchNo, key.refundNo, now],
  )
}

/** Sets, or with null ends, the doubt about a failed refund: while it lasts, its amount counts as sent back. */
export async function contestRefund(
  db: Db,
  key: { mchNo: string; refundNo: string },
  since: Date | null,
): Promise<void> {
  await run(
    db,
    'contestRefund',
    `update refund set contested_at = $3 where mch_no = $1 and refund_no = $2 and state = 'FAIL'`,
    [key.mchNo, key.refundNo, since],
  )
}
