/** Payments upstream took, and the reversals that send them back. */
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
 * What the books say of this payment; null when it is not in them. `goesBack`: some of it has gone, or a reversal is on
 * its way; `isInDoubt`: a refund that a merchant asked for has not ended.
 */
export type Booked = { fate: Disposition; amountFen: bigint; goesBack: boolean; isInDoubt: boolean }

export async function findPayment(
  db: Db,
  key: Pick<Payment, 'mchNo' | 'attemptNo' | 'paymentNo'>,
): Promise<Booked | null> {
  const rows = await run<Booked>(
    db,
    'findPayment',
    `select fate, amount_fen as "amountFen",
            exists (select from reversal r where r.mch_no = p.mch_no and r.attempt_no = p.attempt_no
              and r.payment_no = p.payment_no)
            or exists (select from refund f where f.mch_no = p.mch_no and f.transaction_no = p.transaction_no
              and f.attempt_no = p.attempt_no and f.payment_no = p.payment_no and f.state = 'SUCCESS') as "goesBack",
            exists (select from refund f where f.mch_no = p.mch_no and f.transaction_no = p.transaction_no
              and f.attempt_no = p.attempt_no and f.payment_no = p.payment_no and f.state = 'PROCESSING') as "isInDoubt"
       from payment p where mch_no = $1 and attempt_no = $2 and payment_no = $3`,
    [key.mchNo, key.attemptNo, key.paymentNo],
  )
  return rows[0] ?? null
}

/** Books a payment; a second kept payment of one order is refused by the database, whatever the program thinks. */
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
  /** What the upstream knows it by; null is `refundNo`. */
  upstreamNo: string | null
  /** The upstream sent it back without being asked to by this number: its bill has another, or none. */
  byUpstream: boolean
  createdAt: Date
}

/** Writes the reversal of a booked payment, in the transaction that books it; SUCCESS where the money is back already. */
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

/** A reversal with the channel its payment came by. */
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

/** The upstream has sent the money back; false when that was written before. */
export async function finishReversal(
  db: Db,
  { mchNo, refundNo, byUpstream }: Pick<Reversal, 'mchNo' | 'refundNo' | 'byUpstream'>,
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'finishReversal',
    `update reversal set state = 'SUCCESS', changed_at = $3, by_upstream = $4
      where mch_no = $1 and refund_no = $2 and state = 'PROCESSING' returning 1`,
    [mchNo, refundNo, now, byUpstream],
  )
  return rows.length === 1
}

/** From now on the upstream is asked by this number. */
export const renumberReversal = (
  db: Db,
  { mchNo, refundNo }: Pick<Reversal, 'mchNo' | 'refundNo'>,
  upstreamNo: string,
) =>
  run(
    db,
    'renumberReversal',
    `update reversal set upstream_no = $3 where mch_no = $1 and refund_no = $2 and state = 'PROCESSING'`,
    [mchNo, refundNo, upstreamNo],
  )

/** Whether the books know that the upstream sent this payment back by itself. */
export async function isSentByUpstream(
  db: Db,
  { mchNo, attemptNo, paymentNo, amountFen }: Pick<Reversal, 'mchNo' | 'attemptNo' | 'paymentNo' | 'amountFen'>,
): Promise<boolean> {
  const rows = await run(
    db,
    'isSentByUpstream',
    `select 1 from reversal where mch_no = $1 and attempt_no = $2 and payment_no = $3 and amount_fen = $4 and by_upstream`,
    [mchNo, attemptNo, paymentNo, amountFen],
  )
  return rows.length > 0
}
