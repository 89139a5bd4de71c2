/** Unmatched payments: an upstream reported them for an attempt that the books do not know. */
import { type Db, run } from '../db.ts'

export type UnmatchedPayment = {
  mchNo: string
  channel: string
  attemptNo: string
  paymentNo: string
  amountFen: bigint
  currency: string
  paidAt: Date
}

/** Stores the payment. False when it was stored before. */
export async function keepUnmatchedPayment(db: Db, payment: UnmatchedPayment, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'keepUnmatchedPayment',
    `insert into stray_payment (mch_no, channel, attempt_no, payment_no, amount_fen, currency, paid_at, heard_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1`,
    [
      payment.mchNo,
      payment.channel,
      payment.attemptNo,
      payment.paymentNo,
      payment.amountFen,
      payment.currency,
      payment.paidAt,
      now,
    ],
  )
  return rows.length === 1
}
