/** Money an upstream told us of for an attempt we do not know. */
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

/** False when it was kept before. */
export async function keepUnmatchedPayment(db: Db, stray: UnmatchedPayment, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'keepStrayPayment',
    `insert into stray_payment (mch_no, channel, attempt_no, payment_no, amount_fen, currency, paid_at, heard_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1`,
    [stray.mchNo, stray.channel, stray.attemptNo, stray.paymentNo, stray.amountFen, stray.currency, stray.paidAt, now],
  )
  return rows.length === 1
}
