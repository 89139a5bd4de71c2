/**
 * What must be in the books at a moment that the outside sees: a call is written down before it is made, with the moment until
 * which the upstream may carry it out, and a payment is booked before its webhook is acknowledged.
 */
import type pg from 'pg'
import { CREATE_LANDS_MS } from './network.ts'

const OPENED = `select 'C1' from attempt where attempt_no = $1 and create_lands_until >= $2`

/** An ended refund needs no moment any more. A reversal that was closed upstream goes on under `…-2`. */
const REFUNDED = `
  select 'C1' from refund where refund_no = $1 and (state <> 'PROCESSING' or lands_until >= $2)
  union all select 'C1' from reversal where refund_no = regexp_replace($1, '-\\d+$', '')`

/** `no`: the attempt's number, or the refund's. */
export async function unwrittenCall(
  connection: pg.Client,
  verb: 'open' | 'refund',
  no: string,
  nowMs: number,
): Promise<string | null> {
  const [name, text, untilMs] =
    verb === 'open' ? (['opened', OPENED, nowMs + CREATE_LANDS_MS] as const) : (['asked', REFUNDED, nowMs] as const)
  const { rows } = await connection.query({ name, text, values: [no, new Date(untilMs)] })
  return rows.length > 0
    ? null
    : `C1: ${verb} ${no.slice(-6)} is called before it is written down until when it may be carried out`
}

/** Whether a payment that a gateway has acknowledged is not in the books. */
export async function unbooked(connection: pg.Client, attemptNo: string, paymentNo: string): Promise<string | null> {
  const { rows } = await connection.query({
    name: 'acknowledged',
    text: `select 1 from payment where attempt_no = $1 and payment_no = $2
           union all select 1 from stray_payment where attempt_no = $1 and payment_no = $2`,
    values: [attemptNo, paymentNo],
  })
  return rows.length > 0 ? null : `W2: the webhook of payment ${paymentNo.slice(-6)} is acknowledged and not booked`
}
