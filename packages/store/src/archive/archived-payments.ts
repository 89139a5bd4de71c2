/** Payments for attempts of archived orders: what recognises them, and those that arrived after the archiving and go back. Decision 53. */
import { type Db, run } from '../db.ts'
import type { Payment, Reversal } from '../payments/payments.ts'
import type { ArchivedOrder } from './archived.ts'

/** An attempt of an archived order. `payments`: the upstream's numbers of those that were booked before. */
export type ArchivedAttempt = Pick<ArchivedOrder, 'mchNo' | 'transactionNo' | 'state' | 'closeReason' | 'archiveNo'> & {
  attemptNo: string
  channel: string
  /** The order's. */
  amountFen: bigint
  payments: string[]
}

export async function findArchivedAttempt(db: Db, mchNo: string, attemptNo: string): Promise<ArchivedAttempt | null> {
  const rows = await run<ArchivedAttempt>(
    db,
    'findArchivedAttempt',
    `select a.mch_no as "mchNo", a.transaction_no as "transactionNo", o.state, o.close_reason as "closeReason",
            o.archive_no as "archiveNo", a.attempt_no as "attemptNo", a.channel, a.amount_fen as "amountFen", a.payments
       from archived_attempt a join archived_order o on o.mch_no = $1 and o.transaction_no = a.transaction_no
      where a.mch_no = $1 and a.attempt_no = $2`,
    [mchNo, attemptNo],
  )
  return rows[0] ?? null
}

/** A payment for an archived order, which goes back under `refundNo`. `isReturned`: it is back already, and not by us. */
export type ArrivedPayment = Payment & { refundNo: string; isReturned: boolean; entry: string; mac: Buffer }

/**
 * Books the payment and its return. False where that was done before. Fails by a foreign key (23503) where the order was brought back
 * since the caller looked; while this transaction is open, it is not.
 */
export async function bookArchivedPayment(db: Db, arrived: ArrivedPayment, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'bookArchivedPayment',
    `insert into archived_reversal (mch_no, refund_no, transaction_no, attempt_no, payment_no, amount_fen, currency, payer, paid_at,
       state, by_upstream, created_at, changed_at, entry, mac)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)
     on conflict (mch_no, attempt_no, payment_no) do nothing returning 1`,
    [
      arrived.mchNo,
      arrived.refundNo,
      arrived.transactionNo,
      arrived.attemptNo,
      arrived.paymentNo,
      arrived.amountFen,
      arrived.currency,
      arrived.payer,
      arrived.paidAt,
      arrived.isReturned ? 'SUCCESS' : 'PROCESSING',
      arrived.isReturned,
      now,
      arrived.entry,
      arrived.mac,
    ],
  )
  return rows.length === 1
}

/** Of a payment that arrived after the archiving; null where none with this number did. */
export async function findArrivedPayment(
  db: Db,
  { mchNo, attemptNo, paymentNo }: Pick<Payment, 'mchNo' | 'attemptNo' | 'paymentNo'>,
): Promise<{ amountFen: bigint } | null> {
  const rows = await run<{ amountFen: bigint }>(
    db,
    'findArrivedPayment',
    `select amount_fen as "amountFen" from archived_reversal where mch_no = $1 and attempt_no = $2 and payment_no = $3`,
    [mchNo, attemptNo, paymentNo],
  )
  return rows[0] ?? null
}

export async function findArchivedReversal(db: Db, mchNo: string, refundNo: string): Promise<Reversal | null> {
  const rows = await run<Reversal>(
    db,
    'findArchivedReversal',
    `select r.mch_no as "mchNo", r.refund_no as "refundNo", r.transaction_no as "transactionNo", r.attempt_no as "attemptNo",
            r.payment_no as "paymentNo", r.amount_fen as "amountFen", r.state, a.channel, r.upstream_no as "upstreamNo",
            r.by_upstream as "byUpstream", r.created_at as "createdAt"
       from archived_reversal r join archived_attempt a on a.mch_no = $1 and a.attempt_no = r.attempt_no
      where r.mch_no = $1 and r.refund_no = $2`,
    [mchNo, refundNo],
  )
  return rows[0] ?? null
}

/** Like `finishReversal`. */
export async function finishArchivedReversal(
  db: Db,
  { mchNo, refundNo, byUpstream }: Pick<Reversal, 'mchNo' | 'refundNo' | 'byUpstream'>,
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'finishArchivedReversal',
    `update archived_reversal set state = 'SUCCESS', changed_at = $3, by_upstream = $4
      where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING' returning 1`,
    [mchNo, refundNo, now, byUpstream],
  )
  return rows.length === 1
}

/** Like `renumberReversal`. */
export async function renumberArchivedReversal(
  db: Db,
  { mchNo, refundNo }: Pick<Reversal, 'mchNo' | 'refundNo'>,
  upstreamNo: string,
): Promise<void> {
  await run(
    db,
    'renumberArchivedReversal',
    `update archived_reversal set upstream_no = $3 where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING'`,
    [mchNo, refundNo, upstreamNo],
  )
}

/** Payments that arrived for archived orders, with what they belong to, for the verifier and for a restore. */
export type StampedPayment = Payment & Pick<Reversal, 'refundNo' | 'createdAt'> & { entry: string; mac: Buffer }

const STAMPED = `select mch_no as "mchNo", refund_no as "refundNo", transaction_no as "transactionNo", attempt_no as "attemptNo",
  payment_no as "paymentNo", amount_fen as "amountFen", currency, payer, paid_at as "paidAt", created_at as "createdAt", entry, mac
  from archived_reversal`

/** Of these orders, locked until the transaction ends, the oldest first. */
export const lockArrivedPayments = (db: Db, mchNo: string, transactionNos: string[]): Promise<StampedPayment[]> =>
  run(
    db,
    'lockArrivedPayments',
    `${STAMPED} where mch_no = $1 and transaction_no = any ($2) order by created_at, refund_no for update`,
    [mchNo, transactionNos],
  )

/** Of every merchant, or of one. There are few: they are late by a month and more. */
export const arrivedPayments = (db: Db, mchNo: string | null): Promise<StampedPayment[]> =>
  run(
    db,
    'arrivedPayments',
    `${STAMPED} where $1::text is null or mch_no = $1 order by mch_no, created_at, refund_no`,
    [mchNo],
  )

/** Its order is in the tables again: it becomes a payment of it, with its reversal. Call it before `forgetArchived`. */
export async function putBackArrived(db: Db, { mchNo, refundNo }: Pick<Reversal, 'mchNo' | 'refundNo'>): Promise<void> {
  await run(
    db,
    'putBackArrivedPayment',
    `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, payer, paid_at, fate, booked_at)
     select mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, payer, paid_at, 'reverse', created_at
       from archived_reversal where mch_no = $1 and refund_no = $2`,
    [mchNo, refundNo],
  )
  await run(
    db,
    'putBackArrivedReversal',
    `insert into reversal (mch_no, refund_no, transaction_no, attempt_no, payment_no, amount_fen, state, created_at, changed_at,
       last_answer, last_answer_at, upstream_no, by_upstream)
     select mch_no, refund_no, transaction_no, attempt_no, payment_no, amount_fen, state, created_at, changed_at, last_answer,
            last_answer_at, upstream_no, by_upstream from archived_reversal where mch_no = $1 and refund_no = $2`,
    [mchNo, refundNo],
  )
  await run(db, 'removeArrived', 'delete from archived_reversal where mch_no = $1 and refund_no = $2', [
    mchNo,
    refundNo,
  ])
}
