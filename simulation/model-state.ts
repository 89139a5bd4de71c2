/**
 * What the model knows at one moment: an order, its attempts and refunds, ours and the upstreams' side of each; and how
 * the order changes: through the real table (`decide` of packages/core), and in the books.
 */
import {
  type CloseReason,
  decide,
  type OrderInput,
  type OrderState,
  type RefundState,
  type UpstreamState,
} from '@acopay/core'

/** One try to pay. `upstream` is the truth, `ours` what we have written down. */
export type AttemptModel = {
  ours: 'OPENING' | 'OPEN' | 'PAID' | 'SHUT'
  /** `code`: handed out and not scanned, which a query calls absent. `returned`: it was paid, and all the money has gone back. */
  upstream: 'absent' | 'code' | 'open' | 'paid' | 'closed' | 'returned'
  /** Whether it is opened with Alipay, where it begins as a code and where a query says that money went back. */
  isAlipay: boolean
  /** A query called the code absent after it was closed: whoever scans it later is the upstream's to let in. */
  isGivenAway: boolean
  /** Our create is still under way and may land. */
  mayLand: boolean
  booked: 'no' | 'keep' | 'reverse' | 'returned'
  /** The order kept what it was paid with, whatever became of it since. */
  wasKept: boolean
  /** Who sent the money back, apart from refunds that the merchant asked for. */
  sentBackBy: null | 'us' | 'outside'
  notifications: number
  /** Another payer's payment under the same number, with a number of its own upstream: on its way back, or back. */
  second: 'none' | 'reverse' | 'returned'
}

/** Somebody who shuts the order: a merchant's call (which will be answered) or the job. */
export type CloserModel = {
  isCall: boolean
  attempt: number
  step: 'query' | 'close' | 'query again'
  /** The close was told that there is no trade: one that is there by now is closed again. */
  wasAbsent: boolean
  found: ('shut' | 'paid' | 'returned' | 'unknown')[]
}

/** What is paid, in units: refunds are of the half or of the whole. */
export const PAID_UNITS = 2

/** A refund that a merchant asked for, of the payment that is kept. */
export type RefundModel = {
  attempt: number
  units: 1 | 2
  ours: RefundState
  /** `failed`: it was under way and was called off; only WeChat Pay has refunds under way. */
  upstream: 'absent' | 'under way' | 'done' | 'failed'
  /** The moment that is written down has not come yet: a call may be made, and one without an answer be carried out. */
  mayLand: boolean
  /** A call had no answer: while it may, it still lands. */
  isOnItsWay: boolean
  /** What whoever sends it does next, the merchant's call or the job; null where nobody is at it. */
  step: null | 'send' | 'ask after a refusal' | 'ask how it stands' | 'write done' | 'write failed'
  /** When the job took it, an earlier call could still be carried out. */
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
 * `refunds`: how many of them the gateway accepts; those that it refuses change nothing. `outsideReturns`: money that the
 * upstream or the merchant's back office sends back. `secondPayments`: of what was paid and kept, under the same number.
 */
export type Bounds = {
  attempts: number
  closes: number
  crashes: number
  notifications: number
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

/** Mistakes that can be put in, to see that the checker finds them. */
export type Mistake =
  | 'trust the answer to a close'
  | 'take unknown for shut'
  | 'take absent for shut at once'
  | 'start payments of a closed order'
  | 'keep every payment'
  | 'forget the job'
  | 'forget to watch'
  | 'close without asking'
  | 'close by cancel'
  | 'close a paid order by sending its money back'
  | 'leave open what the watch meets'
  | 'send back what the watch finds paid'
  | 'reverse the kept payment instead of the second'
  | RefundMistake

export type RefundMistake =
  | 'refund whatever was refunded before'
  | 'forget the job that sends a refund'
  | 'send a refund after its moment'
  | 'take no answer for a failed refund'
  | 'believe a refusal although an earlier call may land'
  | 'take a refund under way for done'
  | 'take a refund for a return from outside'

export type Rules = { bounds: Bounds; mistake: Mistake | null }

/** By hand: most of the check's time would go into a clone that knows nothing of the model. */
export const copy = (model: Model): Model => ({
  ...model,
  attempts: model.attempts.map((attempt) => ({ ...attempt })),
  closers: model.closers.map((closer) => ({ ...closer, found: [...closer.found] })),
  refunds: model.refunds.map((refund) => ({ ...refund })),
})

/** The event goes through the table; whether it was allowed. */
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

/** Books what an upstream took; `isBack`: and has sent back already. What was kept and has gone back is kept no more. */
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

/** A refund was done, or has not ended: then 'all sent back' does not say that others did it. */
function mayBeRefunds(model: Model, index: number, mistake: Mistake | null): boolean {
  if (refundedUnits(model, index, ({ ours }) => ours === 'SUCCESS') > 0) return true
  return mistake !== 'take a refund for a return from outside' && isRefundInDoubt(model, index)
}

const isRefundInDoubt = ({ refunds }: Model, index: number): boolean =>
  refunds.some(({ attempt, ours }) => attempt === index && ours === 'PROCESSING')

/** What the refunds of an attempt that are `such` come to. */
export const refundedUnits = ({ refunds }: Model, index: number, such: (refund: RefundModel) => boolean): number =>
  refunds.reduce((sum, refund) => sum + (refund.attempt === index && such(refund) ? refund.units : 0), 0)

/** What the upstream has sent back of a payment, or has under way to the payer. */
export function sentBackUnits(model: Model, index: number): number {
  if (model.attempts[index]?.upstream === 'returned') return PAID_UNITS
  return refundedUnits(model, index, ({ upstream }) => upstream === 'under way' || upstream === 'done')
}

/** What a query says. Alipay says of what went back in full, by whomever, that it did; WeChat Pay that it was paid. */
export function saysOf(model: Model, index: number): UpstreamState {
  const { isAlipay, upstream } = model.attempts[index] as AttemptModel
  if (upstream === 'code') return 'absent'
  if (upstream !== 'paid' && upstream !== 'returned') return upstream
  return isAlipay && sentBackUnits(model, index) === PAID_UNITS ? 'returned' : 'paid'
}

/** All that is left of it goes back to the payer. */
export function sendBack(attempt: AttemptModel, by: 'us' | 'outside'): void {
  attempt.upstream = 'returned'
  attempt.sentBackBy = by
}
