/** What an upstream keeps of an attempt: the trade, the payments it took for it, and what of each went back. */
import type { ChannelName, UpstreamPayment } from '@acopay/channels'

/**
 * Who sent it back: a refund that the merchant asked for, a reversal of the gateway's own, a close, or anyone outside (the
 * upstream itself, the merchant's back office).
 */
export type SentBy = 'merchant' | 'gateway' | 'close' | 'outside'

/** `closes`: it ends without sending anything, and its number is used up. */
export type SentBack = { no: string; fen: bigint; doneMs: number; by: SentBy; closes?: true }

export type Payment = UpstreamPayment & { refunds: SentBack[] }

export type Trade = {
  no: string
  channel: ChannelName
  fen: bigint
  expireMs: number
  state: 'open' | 'closed' | 'paid'
  /** Handed out and not scanned: the upstream calls it absent, and it can be paid. */
  isCode: boolean
  /** It began as a code, and when it became a trade. */
  wasCode: boolean
  tradeSinceMs: number
  shownOpenUntilMs: number
  /** In the order in which they were made. More than one: two payers of one code, each payment with a number of its own. */
  payments: Payment[]
  /** Until then there is no money to refund with. */
  poorUntilMs: number
  /** How often we were told that it is open, since we last asked to close it. */
  openings: number
}

export const newTrade = (of: Pick<Trade, 'no' | 'channel' | 'fen' | 'expireMs' | 'isCode'>, nowMs: number): Trade => ({
  ...of,
  state: 'open',
  wasCode: of.isCode,
  tradeSinceMs: of.isCode ? Number.POSITIVE_INFINITY : nowMs,
  shownOpenUntilMs: 0,
  payments: [],
  poorUntilMs: 0,
  openings: 0,
})

/** What has gone back of a payment or is on its way to the payer. */
export const backFen = ({ refunds }: Payment): bigint => refunds.reduce((sum, { fen }) => sum + fen, 0n)

/** Whether all of it has arrived with the payer. */
export const isAllBack = ({ refunds, amountFen }: Payment, nowMs: number): boolean =>
  refunds.reduce((sum, { fen, doneMs }) => sum + (doneMs <= nowMs ? fen : 0n), 0n) >= amountFen

/** Sends back what is left of a payment; false where nothing is. */
export function sendRestBack(payment: Payment, by: SentBy, nowMs: number): boolean {
  const left = payment.amountFen - backFen(payment)
  if (left > 0n) payment.refunds.push({ no: `${by}-${payment.paymentNo}`, fen: left, doneMs: nowMs, by })
  return left > 0n
}

/** As an upstream speaks of it. */
export const asTold = ({ paymentNo, amountFen, currency, paidAt, payer }: Payment): UpstreamPayment => ({
  paymentNo,
  amountFen,
  currency,
  paidAt,
  payer,
})
