/**
 * One state of the model: an order, its attempts and its refunds, each as the gateway and as the upstream sees it. Also the
 * changes: the order's through the real table (`decide` of packages/core), the books' restated here.
 */
import {
  type CloseReason,
  decide,
  type OrderInput,
  type OrderState,
  type RefundState,
  type UpstreamState,
} from '@acopay/core'

/** One attempt. `upstream` is the truth at the upstream; `ours` is what the gateway has written down. */
export type AttemptModel = {
  ours: 'OPENING' | 'OPEN' | 'PAID' | 'SHUT'
  /** `code`: an unscanned code, which a query calls absent. `returned`: it was paid, and all the money was sent back. */
  upstream: 'absent' | 'code' | 'open' | 'paid' | 'closed' | 'returned'
  /** With Alipay an attempt begins as a code, and a query shows that the payment was sent back in full. */
  isAlipay: boolean
  /** A query after the close called the code absent. If a payer scans it later, only the upstream can refuse. */
  isGivenAway: boolean
  /** The gateway's create call may still land at the upstream. */
  mayLand: boolean
  booked: 'no' | 'keep' | 'reverse' | 'returned'
  /** The order kept this payment once, even if it was sent back later. */
  wasKept: boolean
  /** Who sent the payment back. Refunds that the merchant asked for do not count. */
  sentBackBy: null | 'us' | 'outside'
  webhooks: number
  /** A second payer's payment for the same attempt, with its own number at the upstream: being reversed, or returned. */
  second: 'none' | 'reverse' | 'returned'
}

/** One run of the closing procedure: a merchant's call, which gets an answer, or the job. */
export type CloserModel = {
  isCall: boolean
  attempt: number
  step: 'query' | 'close' | 'query again'
  /** The close was answered 'absent'. If the next query finds a trade, the closer closes it again. */
  wasAbsent: boolean
  found: ('closed' | 'paid' | 'returned' | 'unknown')[]
}

/** The amount of a payment, in units. A refund is for one unit or for both. */
export const PAID_UNITS = 2

/** A refund of the kept payment that the merchant asked for. */
export type RefundModel = {
  attempt: number
  units: 1 | 2
  ours: RefundState
  /** `failed`: it was under way, and the upstream called it off. Only WeChat Pay has refunds under way. */
  upstream: 'absent' | 'under way' | 'done' | 'failed'
  /** The deadline that was written down has not passed: a call may be sent, and an unanswered call may still be carried out. */
  mayLand: boolean
  /** A call got no answer, and may still land. */
  isOnItsWay: boolean
  /** The next step of the merchant's call or of the job; null if neither works on it. */
  step: null | 'send' | 'ask after a refusal' | 'ask for its state' | 'write done' | 'write failed'
  /** When the job took the refund, the upstream could still carry out an earlier call. */
  isInDoubt: boolean
}

export type Model = {
  state: OrderState
  closeReason: CloseReason | null
  isExpired: boolean
  attempts: AttemptModel[]
  closers: CloserModel[]
  refunds: RefundModel[]
  hasJob: boolean
  /** A merchant was answered SUCCESS to a close. */
  toldClosed: boolean
  closesLeft: number
  crashesLeft: number
  outsideReturnsLeft: number
  secondPaymentsLeft: number
}

/**
 * `refunds`: how many the gateway accepts; a refused one changes nothing. `outsideReturns`: payments that the upstream or the
 * merchant's back office sends back. `secondPayments`: by another payer, for an attempt whose payment is kept.
 */
export type Bounds = {
  attempts: number
  closes: number
  crashes: number
  webhooks: number
  refunds: number
  outsideReturns: number
  secondPayments: number
}

export const initial = (bounds: Bounds): Model => ({
  state: 'NOTPAY',
  closeReason: null,
  isExpired: false,
  attempts: [],
  closers: [],
  refunds: [],
  hasJob: false,
  toldClosed: false,
  closesLeft: bounds.closes,
  crashesLeft: bounds.crashes,
  outsideReturnsLeft: bounds.outsideReturns,
  secondPaymentsLeft: bounds.secondPayments,
})

export type Move = { says: string; to: Model }

/** Mistakes that the tests put in, to show that the check finds them. */
export type Mistake =
  | 'trust the answer to a close'
  | 'take unknown for closed'
  | 'take absent for closed at once'
  | 'start payments of a closed order'
  | 'keep every payment'
  | 'forget the job'
  | 'forget to watch'
  | 'close without asking'
  | 'close by cancel'
  | 'close a paid order by sending its money back'
  | 'leave open what the watch finds open'
  | 'send back what the watch finds paid'
  | 'reverse the kept payment instead of the second'
  | RefundMistake

export type RefundMistake =
  | 'refund more than was paid'
  | 'forget the job that sends a refund'
  | 'send a refund after its moment'
  | 'take no answer for a failed refund'
  | 'believe a refusal although an earlier call may land'
  | 'take a refund under way for done'
  | 'take a refund for a return from outside'

export type Rules = { bounds: Bounds; mistake: Mistake | null }

/** Written out, because `structuredClone` would take most of the check's time. */
export const copy = (model: Model): Model => ({
  ...model,
  attempts: model.attempts.map((attempt) => ({ ...attempt })),
  closers: model.closers.map((closer) => ({ ...closer, found: [...closer.found] })),
  refunds: model.refunds.map((refund) => ({ ...refund })),
})

/** Lets the real table decide an event: whether it refuses it, and whether the money of a payment is kept or goes back. */
export function happen(model: Model, happening: OrderInput): { isRefused: boolean; money: 'keep' | 'reverse' | null } {
  const order = {
    state: model.state,
    closeReason: model.closeReason,
    attempts: model.attempts.length,
    expiresAtMs: model.isExpired ? 0 : 1,
  }
  const { refused, steps } = decide(order, happening, 0)
  let money: 'keep' | 'reverse' | null = null
  for (const step of steps) {
    if (step.to !== model.state && step.to === 'CLOSING') model.hasJob = true
    model.state = step.to
    model.closeReason = step.closeReason
    money = step.money ?? money
  }
  if (model.state === 'CLOSED') model.hasJob = false
  return { isRefused: refused !== null, money }
}

/** Books a payment. `isBack`: the upstream has already sent it back, and a kept payment is then kept no more. */
export function takeMoney(model: Model, index: number, { mistake }: Rules, isBack: boolean): void {
  const attempt = model.attempts[index] as AttemptModel
  if (attempt.booked === 'keep' && isBack && !mayBeRefunds(model, index, mistake)) {
    happen(model, { event: 'money_returned' })
    attempt.booked = 'returned'
  }
  if (attempt.booked !== 'no') return
  attempt.ours = 'PAID'
  const { money } = happen(model, { event: 'money_arrived', isExact: !isBack })
  if (isBack) attempt.booked = 'returned'
  else if (mistake === 'keep every payment') attempt.booked = 'keep'
  else attempt.booked = money ?? 'no'
  attempt.wasKept = attempt.booked === 'keep'
  if (model.state === 'SUCCESS') model.hasJob = false
}

/** A refund is done or has not ended, so the payment may have gone back by it and not from outside. */
function mayBeRefunds(model: Model, index: number, mistake: Mistake | null): boolean {
  if (refundedUnits(model, index, ({ ours }) => ours === 'SUCCESS') > 0) return true
  return mistake !== 'take a refund for a return from outside' && isRefundInDoubt(model, index)
}

const isRefundInDoubt = ({ refunds }: Model, index: number): boolean =>
  refunds.some(({ attempt, ours }) => attempt === index && ours === 'PROCESSING')

/** The sum of those refunds of an attempt that `such` picks. */
export const refundedUnits = ({ refunds }: Model, index: number, such: (refund: RefundModel) => boolean): number =>
  refunds.reduce((sum, refund) => sum + (refund.attempt === index && such(refund) ? refund.units : 0), 0)

/** How much of a payment the upstream has sent back or is sending back. */
export function sentBackUnits(model: Model, index: number): number {
  if (model.attempts[index]?.upstream === 'returned') return PAID_UNITS
  return refundedUnits(model, index, ({ upstream }) => upstream === 'under way' || upstream === 'done')
}

/** What a query answers. If a payment went back in full, Alipay says so, and WeChat Pay still says 'paid'. */
export function saysOf(model: Model, index: number): UpstreamState {
  const { isAlipay, upstream } = model.attempts[index] as AttemptModel
  if (upstream === 'code') return 'absent'
  if (upstream !== 'paid' && upstream !== 'returned') return upstream
  return isAlipay && sentBackUnits(model, index) === PAID_UNITS ? 'returned' : 'paid'
}

/** Sends the rest of the payment back to the payer. */
export function sendBack(attempt: AttemptModel, by: 'us' | 'outside'): void {
  attempt.upstream = 'returned'
  attempt.sentBackBy = by
}
