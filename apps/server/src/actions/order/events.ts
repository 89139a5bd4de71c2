/** What can happen to an order, and one change of it from the event to the rows that it writes. */
import type { UpstreamPayment } from '@acopay/channels'
import type { CloseReason, OrderRef, OrderRefusal, RefundRefusal, Step } from '@acopay/core'
import type { Attempt, Db, FoundRefund, KeptPayment, Order, Refund } from '@acopay/store'
import type { World } from '../../world.ts'

export type Event =
  | { event: 'pay_started'; attempt: NewAttempt }
  | { event: 'close_asked'; by: Exclude<CloseReason, 'EXPIRED'> }
  | { event: 'expired' }
  /** These attempts were proven closed upstream; the order closes when no other one is left. */
  | { event: 'all_shut'; attemptNos: string[]; said: UpstreamSaid[] }
  | { event: 'refund_asked'; refund: AskedRefund }
  | { event: 'refund_done'; refundNo: string }
  /** `failure`: the upstream's word for why it will not be made; `inFlightUntil` says which of our calls it answered. */
  | { event: 'refund_failed'; refundNo: string; failure: string; inFlightUntil: Date }
  | MoneyArrived

/** `isReturned`: the upstream has sent it back already; it is booked all the same. */
export type MoneyArrived = {
  event: 'money_arrived'
  attemptNo: string
  payment: UpstreamPayment
  isReturned: boolean
}

export type NewAttempt = Pick<Attempt, 'attemptNo' | 'channel' | 'method' | 'openId' | 'createInFlightUntil'>

export type AskedRefund = Pick<
  Refund,
  'refundNo' | 'mchRefundNo' | 'amountFen' | 'reason' | 'notifyUrl' | 'inFlightUntil'
>

/** One exchange with an upstream, as the timeline keeps it. */
export type UpstreamSaid = {
  at: string
  attemptNo: string
  channel: string
  verb: 'query' | 'close'
  says: string
  requestId: string | null
}

/** Which order, and the nonce of the request, if a signed request asks. */
export type Key = { mchNo: string; ref: OrderRef; nonce?: string }

/** Why an event is refused: by the order's table, or by a limit of refunds. */
export type Refused = OrderRefusal | RefundRefusal

/** The rows beside the order's that an event is about, read once under the order's lock. */
export type Loaded = {
  /** The refund that has this number already, or that has ended. */
  refund: FoundRefund | null
  /** What a refund is asked of. */
  kept: KeptPayment | null
}

/** One step of an order while its transaction is open. */
export type Change = { world: World; db: Db; order: Order; step: Step; event: Event; loaded: Loaded; now: Date }
