/** Payments, and the reversals that send them back. */
import type { Disposition } from '@acopay/core'
import { type Db, run } from '../db.ts'

export type Payment = {
  mchNo: string
  attemptNo: string
  paymentNo: string
  transactionNo: string
  amountFen: bigint
  currency: string
  payer: string | null
  paidAt: Date
}

/**
 * A payment as it is booked. `goesBack`: it has a reversal, or a refund that was made. `isInDoubt`: a refund of it is
 * PROCESSING.
 */
export type Booked = { fate: Disposition; amountFen: bigint; goesBack: boolean; isInDoubt: boolean }

/** Null when the payment is not booked. */
export async function findPayment(
  db: Db,
  key: Pick<Payment, 'mchNo' | 'attemptNo' | 'paymentNo'>,
): Promise<Booked | null> {
  const rows = await run<Booked>(
    db,
    'findPayment',
    `select fate, amount_fen as "amountFen",
            exists (select from reversal r where r.mch_no = $1 and r.attempt_no = p.attempt_no
              and r.payment_no = p.payment_no)
            or exists (select from refund f where f.mch_no = $1 and f.transaction_no = p.transaction_no
              and f.attempt_no = p.attempt_no and f.payment_no = p.payment_no and f.state = 'SUCCESS') as "goesBack",
            exists (select from refund f where f.mch_no = $1 and f.transaction_no = p.transaction_no
              and f.attempt_no = p.attempt_no and f.payment_no = p.payment_no and f.state || '' = 'PROCESSING') as "isInDoubt"
       from payment p where mch_no = $1 and attempt_no = $2 and payment_no = $3`,
    [key.mchNo, key.attemptNo, key.paymentNo],
  )
  return rows[0] ?? null
}

/** Books a payment. A unique index refuses a second kept payment of one order, also where the program has a bug. */
export async function bookPayment(db: Db, payment: Payment, fate: Disposition, now: Date): Promise<void> {
  await run(
    db,
    'bookPayment',
    `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, payer, paid_at, fate,
       booked_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      payment.mchNo,
      payment.attemptNo,
      payment.paymentNo,
      payment.transactionNo,
      payment.amountFen,
      payment.currency,
      payment.payer,
      payment.paidAt,
      fate,
      now,
    ],
  )
}

export type Reversal = {
  mchNo: string
  refundNo: string
  transactionNo: string
  attemptNo: string
  paymentNo: string
  amountFen: bigint
  state: 'PROCESSING' | 'SUCCESS'
  channel: string
  /** The number under which the upstream knows it; null: `refundNo`. */
  upstreamNo: string | null
  /** The money went back without our request, so the upstream bill has another number for it, or none. */
  byUpstream: boolean
  createdAt: Date
}

/** Call it in the transaction that books the payment. State SUCCESS: the money is back already. */
export async function insertReversal(
  db: Db,
  reversal: Omit<Reversal, 'channel' | 'upstreamNo' | 'createdAt'>,
  now: Date,
): Promise<void> {
  await run(
    db,
    'insertReversal',
    `insert into reversal (mch_no, refund_no, transaction_no, attempt_no, payment_no, amount_fen, state, created_at,
       changed_at, by_upstream) values ($1, $2, $3, $4, $5, $6, $8, $7, $7, $9)`,
    [
      reversal.mchNo,
      reversal.refundNo,
      reversal.transactionNo,
      reversal.attemptNo,
      reversal.paymentNo,
      reversal.amountFen,
      now,
      reversal.state,
      reversal.byUpstream,
    ],
  )
}

/** A reversal with the channel of its payment. */
export async function findReversal(db: Db, mchNo: string, refundNo: string): Promise<Reversal | null> {
  const rows = await run<Reversal>(
    db,
    'findReversal',
    `select r.mch_no as "mchNo", r.refund_no as "refundNo", r.transaction_no as "transactionNo",
            r.attempt_no as "attemptNo", r.payment_no as "paymentNo", r.amount_fen as "amountFen", r.state, a.channel,
            r.upstream_no as "upstreamNo", r.by_upstream as "byUpstream", r.created_at as "createdAt"
       from reversal r join attempt a on a.mch_no = r.mch_no and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and r.refund_no = $2`,
    [mchNo, refundNo],
  )
  return rows[0] ?? null
}

/** Writes that the money is back. False when that was written before. */
export async function finishReversal(
  db: Db,
  { mchNo, refundNo, byUpstream }: Pick<Reversal, 'mchNo' | 'refundNo' | 'byUpstream'>,
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'finishReversal',
    `update reversal set state = 'SUCCESS', changed_at = $3, by_upstream = $4
      where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING' returning 1`,
    [mchNo, refundNo, now, byUpstream],
  )
  return rows.length === 1
}

/** Sets the number under which the upstream is asked from now on. */
export const renumberReversal = (
  db: Db,
  { mchNo, refundNo }: Pick<Reversal, 'mchNo' | 'refundNo'>,
  upstreamNo: string,
) =>
  run(
    db,
    'renumberReversal',
    `update reversal set upstream_no = $3 where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING'`,
    [mchNo, refundNo, upstreamNo],
  )

/** Whether the books say that this payment went back without our request. */
export async function isSentByUpstream(
  db: Db,
  { mchNo, attemptNo, paymentNo, amountFen }: Pick<Reversal, 'mchNo' | 'attemptNo' | 'paymentNo' | 'amountFen'>,
): Promise<boolean> {
  const rows = await run(
    db,
    'isSentByUpstream',
    `select 1 from reversal where mch_no = $1 and attempt_no = $2 and payment_no = $3 and amount_fen = $4 and by_upstream
     union all
     select 1 from archived_reversal
      where mch_no = $1 and attempt_no = $2 and payment_no = $3 and amount_fen = $4 and by_upstream`,
    [mchNo, attemptNo, paymentNo, amountFen],
  )
  return rows.length > 0
}
