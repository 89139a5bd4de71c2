/** The refunds of the simulated upstreams. */
import type { Fault, Heard } from './network.ts'
import { REFUND_REASON } from './scenario.ts'
import type { Process } from './scheduler.ts'
import { backFen, type Payment, type SentBack, type Trade } from './trades.ts'
import type { Parts } from './upstream-parts.ts'

/** `absent`: there is no such payment. `doubtful`: a word that names no end; the refund is made later all the same. */
export type MadeAnswer =
  | { kind: 'done' | 'processing' | 'doubtful' | 'closed'; refund: ShownRefund; isRepeated: boolean }
  | { kind: 'not enough' | 'absent' }

/** `refundedFen`: what has gone back of the payment in all. */
export type ShownRefund = { attemptNo: string; paymentNo: string; refundNo: string; fen: bigint; refundedFen: bigint }

type Ask = { paymentNo: string; refundNo: string; amountFen: bigint; reason: string }

export function makesRefund(
  parts: Parts,
  gateway: Process,
  trade: Trade | undefined,
  ask: Ask,
): Promise<Heard<MadeAnswer>> {
  parts.observer.called('refund', ask.refundNo)
  // Of two payments the other one may be back already, and be taken for this one when this one is refused.
  const tempting: Fault[] = trade !== undefined && trade.payments.length > 1 ? ['refund refused'] : []
  return parts.wire.call(gateway, 'refund', { no: trade?.no ?? '', tempting }, (fault) =>
    refunded(parts, ask, trade, fault),
  )
}

export const asksForRefund = (
  parts: Parts,
  gateway: Process,
  trade: Trade | undefined,
  refundNo: string,
): Promise<Heard<MadeAnswer>> =>
  parts.wire.call(gateway, 'queryRefund', { no: trade?.no ?? '' }, () => queriedRefund(parts, trade, refundNo))

/** The trade of which this refund has sent something back. */
export const refundNamed = ({ trades }: Parts, refundNo: string): Trade | undefined =>
  [...trades.values()].find(({ payments }) => payments.some(({ refunds }) => refunds.some(({ no }) => no === refundNo)))

/** The upstream carries out a refund number only once, on the payment that the call names. */
function refunded(parts: Parts, ask: Ask, trade: Trade | undefined, fault: Fault | null): MadeAnswer {
  const { schedule, observer } = parts
  const { paymentNo, refundNo } = ask
  const payment = paymentNamed(trade, paymentNo)
  if (trade === undefined || payment === undefined) return { kind: 'absent' }
  const before = payment.refunds.find(({ no }) => no === refundNo)
  if (before !== undefined) observer.quirk('a refund asked for again')
  const made = before ?? newRefund(parts, ask, { trade, payment }, fault)
  return made === null
    ? { kind: 'not enough' }
    : stateOf(made, { trade, payment }, { nowMs: schedule.nowMs(), isRepeated: before !== undefined })
}

/** What a query says of a refund, by its number. */
function queriedRefund({ schedule }: Parts, trade: Trade | undefined, refundNo: string): MadeAnswer {
  for (const payment of trade?.payments ?? []) {
    const made = payment.refunds.find(({ no }) => no === refundNo)
    if (trade === undefined || made === undefined) continue
    return stateOf(made, { trade, payment }, { nowMs: schedule.nowMs(), isRepeated: true })
  }
  return { kind: 'absent' }
}

function stateOf(
  made: SentBack,
  { trade, payment }: { trade: Trade; payment: Payment },
  { nowMs, isRepeated }: { nowMs: number; isRepeated: boolean },
): MadeAnswer {
  const { no: refundNo, fen, askedFen = fen, doneMs, isDoubtful, closes } = made
  const { no: attemptNo } = trade
  const refund = { attemptNo, paymentNo: payment.paymentNo, refundNo, fen: askedFen, refundedFen: backFen(payment) }
  if (doneMs > nowMs) return { kind: isDoubtful === true ? 'doubtful' : 'processing', refund, isRepeated }
  return { kind: closes ? 'closed' : 'done', refund, isRepeated }
}

/** Null if the payment or the account has too little left. */
function newRefund(
  parts: Parts,
  { refundNo, amountFen, reason }: Ask,
  { trade, payment }: { trade: Trade; payment: Payment },
  fault: Fault | null,
): SentBack | null {
  const { schedule, dice, tell } = parts
  const nowMs = schedule.nowMs()
  if (fault === 'refund refused') trade.poorUntilMs = nowMs + dice.between(1, dice.isOneIn(0.5) ? 5_000 : 90_000)
  if (nowMs < trade.poorUntilMs || backFen(payment) + amountFen > payment.amountFen) return null
  // Alipay has no word for a refund that ended without sending money.
  const closes = fault === 'refund closed' && trade.channel === 'wechat'
  const lateMs = latenessOf(parts, fault)
  const by = reason === REFUND_REASON ? 'merchant' : 'gateway'
  const refund: SentBack = { no: refundNo, fen: closes ? 0n : amountFen, doneMs: nowMs + lateMs, by }
  const made: SentBack = {
    ...refund,
    ...(closes ? { closes, askedFen: amountFen } : {}),
    ...(fault === 'refund in doubt' ? { isDoubtful: true } : {}),
  }
  payment.refunds.push(made)
  if (lateMs > 0) tell(trade.channel, { refundNo }, lateMs)
  return made
}

const LATE: readonly (Fault | null)[] = ['refund closed', 'refund under way', 'refund in doubt']

/** How long it takes to make a refund. One that is answered with a doubtful word may come long after Alipay's query shows none. */
function latenessOf({ dice, faults, observer }: Parts, fault: Fault | null): number {
  const isSlow = faults.includes('refund slow')
  if (isSlow) observer.fault('refund slow', 'refund')
  if (fault === 'refund in doubt') return dice.between(1000, 600_000)
  return isSlow || LATE.includes(fault) ? dice.between(1000, 120_000) : 0
}

/** One attempt may have two payments. The upstream's own number tells them apart. */
export const paymentNamed = (trade: Trade | undefined, paymentNo: string): Payment | undefined =>
  trade?.payments.find((payment) => payment.paymentNo === paymentNo)
