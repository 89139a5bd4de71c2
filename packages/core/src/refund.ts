/** A merchant's refunds (spec/protocol.md 3.4): their states, and the limits of an order's refunds. */
import type { Fen } from './money.ts'

export const REFUND_STATES = ['PROCESSING', 'SUCCESS', 'FAIL'] as const
export type RefundState = (typeof REFUND_STATES)[number]

/** Identifies a refund by the platform's number or by the merchant's. */
export type RefundRef = { refundNo: string } | { mchRefundNo: string }

export const REFUNDS_MAX = 20
export const REFUND_WINDOW_MS = 180 * 24 * 3_600_000

export type RefundRefusal = 'REFUND_TIME_EXCEED' | 'REFUND_TIMES_EXCEED' | 'REFUND_AMOUNT_EXCEED'

/** What was paid, and what has been or is being refunded; failed refunds do not count. */
export type Refundable = { paidFen: bigint; paidAtMs: number; refundedFen: bigint; refunds: number }

/** Null when the refund may be made. The order's table decides whether the order is paid at all. */
export function refundRefusal(of: Refundable, askedFen: Fen, nowMs: number): RefundRefusal | null {
  if (nowMs - of.paidAtMs > REFUND_WINDOW_MS) return 'REFUND_TIME_EXCEED'
  if (of.refunds >= REFUNDS_MAX) return 'REFUND_TIMES_EXCEED'
  return of.refundedFen + askedFen > of.paidFen ? 'REFUND_AMOUNT_EXCEED' : null
}
