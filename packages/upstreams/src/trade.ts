/** One trade of a payment platform, and what happens to it: landing, payment, closing, refunds. */
import type { Fault } from './faults.ts'

export type Trade = {
  no: string
  method: string
  description: string
  totalFen: number
  expireMs: number
  notifyUrl: string
  state: 'open' | 'closed' | 'paid'
  /** The merchant has a code that no payer has scanned: it can be paid, but there is no trade yet. */
  isCode: boolean
  /** From then on an unscanned code opens nothing any more; absent: never. */
  codeUntilMs?: number
  /** WeChat Pay: the app that the order was placed with beside the account's: a mini-program, or the sub-merchant's. */
  appId?: string
  /** WeChat Pay gives it back with the payment. */
  attach?: string
  /** When the create takes effect. Before, the platform does not know the trade. */
  landsMs: number
  /** Until then a query still says that the trade is open, although it is closed. */
  shownOpenUntilMs: number
  payment: { no: string; fen: number; atMs: number; payer: string } | null
  refunds: Refund[]
  notices: Notice[]
}

/** The refund is in progress until `doneMs`; with `isHidden`, the platform says until then that it does not exist. */
export type Refund = { no: string; id: string; fen: number; atMs: number; doneMs: number; isHidden?: true }

/** A notification to send at `nextMs`, and then by the platform's schedule until the merchant acknowledges it. */
export type Notice = {
  id: string
  sent: number
  nextMs: number
  isHeard: boolean
  /** The first sending has a signature that is none. */
  isProbe?: true
  /** Set for a refund's notification, which has an address of its own; otherwise it is about the payment. */
  refund?: { no: string; url: string }
}

/** The time of a notification that the platform has given up: it sends no more. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER

/** When the next notification of this trade is sent; null when the platform has none left to send. */
export function nextNoticeMsOf({ notices }: Trade): number | null {
  const nextMs = Math.min(...notices.filter(({ isHeard }) => !isHeard).map((notice) => notice.nextMs))
  return nextMs < NEVER_MS ? nextMs : null
}

export type NewTrade = Pick<
  Trade,
  'no' | 'method' | 'description' | 'totalFen' | 'expireMs' | 'notifyUrl' | 'isCode' | 'landsMs'
> &
  Pick<Trade, 'codeUntilMs' | 'appId' | 'attach'>

/** How long a fault lasts that names no time of its own. */
const FAULT_MS = 1000

/** When a create with this fault takes effect: 0 is at once. */
export const landsMsOf = (fault: Fault | null, nowMs: number): number =>
  fault?.kind === 'lands_late' ? nowMs + (fault.ms ?? FAULT_MS) : 0

/** How long a refund with this fault stays in progress. */
export const refundLateMsOf = (fault: Fault | null): number =>
  fault?.kind === 'refunds_late' || fault?.kind === 'refused_then_done' ? (fault.ms ?? FAULT_MS) : 0

/** The refund as a query shows it; undefined when it was never made, or is not shown yet. */
export const shownRefund = (trade: Trade, no: unknown, nowMs: number): Refund | undefined =>
  trade.refunds.find((refund) => refund.no === no && !(refund.isHidden && nowMs < refund.doneMs))

export const isPayable = (
  { state, expireMs, isCode, codeUntilMs = Number.MAX_SAFE_INTEGER }: Trade,
  nowMs: number,
): boolean => state === 'open' && expireMs > nowMs && !(isCode && nowMs >= codeUntilMs)

/** Whether a query answers that the trade is closed. A paid trade is neither open nor closed. */
export const isShownClosed = (trade: Trade, nowMs: number): boolean =>
  (trade.state === 'closed' || trade.expireMs <= nowMs) && nowMs >= trade.shownOpenUntilMs

export function closeTrade(trade: Trade, fault: Fault | null, nowMs: number): void {
  if (fault?.kind === 'closes_never') return
  trade.state = 'closed'
  if (fault?.kind === 'closes_late') trade.shownOpenUntilMs = nowMs + (fault.ms ?? FAULT_MS)
}

export const returnedOf = (refunds: Refund[]): number => refunds.reduce((sum, { fen }) => sum + fen, 0)

/** The fen of the payment that are not refunded; 0 without a payment. */
export const leftOf = ({ payment, refunds }: Trade): number => (payment?.fen ?? 0) - returnedOf(refunds)

/**
 * Refunds. The same number again is the same refund. It is done after `lateMs`. Null when the payment has less left, or
 * when the number was used before with another amount.
 */
export function refundTrade(
  trade: Trade,
  refund: Pick<Refund, 'no' | 'fen' | 'isHidden'>,
  nowMs: number,
  lateMs = 0,
): Refund | null {
  const known = trade.refunds.find(({ no }) => no === refund.no)
  if (known !== undefined) return known.fen === refund.fen ? known : null
  if (trade.payment === null || refund.fen > leftOf(trade)) return null
  const made = { ...refund, id: numberOf('50', refund.no), atMs: nowMs, doneMs: nowMs + lateMs }
  trade.refunds.push(made)
  return made
}

/** The platform's own number for a merchant's number: the same every time. */
export const numberOf = (kind: string, no: string): string =>
  `${kind}${no.replace(/\D/g, '').padStart(26, '0').slice(-26)}`
