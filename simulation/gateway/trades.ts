/** What an upstream stores for an attempt: the trade, its payments, and what was sent back of each. */
import type { ChannelName, UpstreamPayment } from '@acopay/channels'

/**
 * Who sent money back: the merchant by a refund, the gateway by a reversal, a close, or the outside (the upstream itself or
 * the merchant's back office).
 */
export type SentBy = 'merchant' | 'gateway' | 'close' | 'outside'

/**
 * `closes`: the refund ends without sending money, and its number is used up. `isDoubtful`: until it is done, the upstream
 * answers with a word that is neither yes nor no. `askedFen`: where it is not what is sent.
 */
export type SentBack = {
  no: string
  fen: bigint
  askedFen?: bigint
  doneMs: number
  by: SentBy
  closes?: true
  isDoubtful?: true
}

/** `isUnheard`: no webhook tells of it and no query, only the bill. */
export type Payment = UpstreamPayment & { refunds: SentBack[]; isUnheard?: true }

export type Trade = {
  no: string
  channel: ChannelName
  fen: bigint
  expireMs: number
  state: 'open' | 'closed' | 'paid'
  /** An unscanned code: the upstream calls it absent, and it can be paid. */
  isCode: boolean
  /** It began as a code. `tradeSinceMs`: when a payer scanned it, and it became a trade. */
  wasCode: boolean
  tradeSinceMs: number
  shownOpenUntilMs: number
  /** In the order in which they were made. If two payers paid one code, each payment has a number of its own. */
  payments: Payment[]
  /** Until then the account has too little money for refunds. */
  poorUntilMs: number
  /** How often a query has shown the gateway that it is open, since the gateway last asked to close it. */
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

/** The sum of a payment that was sent back or is being sent back. */
export const backFen = ({ refunds }: Payment): bigint => refunds.reduce((sum, { fen }) => sum + fen, 0n)

/** Whether the payer has received all of it. */
export const isAllBack = ({ refunds, amountFen }: Payment, nowMs: number): boolean =>
  refunds.reduce((sum, { fen, doneMs }) => sum + (doneMs <= nowMs ? fen : 0n), 0n) >= amountFen

/** Sends back the rest of a payment; false if nothing is left. */
export function sendRestBack(payment: Payment, by: SentBy, nowMs: number): boolean {
  const left = payment.amountFen - backFen(payment)
  if (left > 0n) payment.refunds.push({ no: `${by}-${payment.paymentNo}`, fen: left, doneMs: nowMs, by })
  return left > 0n
}
