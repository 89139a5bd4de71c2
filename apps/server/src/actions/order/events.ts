/** The events of an order, and the record of one change that is passed to everything that writes its rows. */
import type { UpstreamPayment } from '@acopay/channels'
import type { CloseReason, OrderRef, OrderRefusal, RefundRefusal, Step } from '@acopay/core'
import type { Attempt, AttemptToClose, Db, FoundRefund, KeptPayment, Order, Refund } from '@acopay/store'
import type { World } from '../../world.ts'

export type Event =
  | { event: 'pay_started'; attempt: NewAttempt }
  | { event: 'close_asked'; by: Exclude<CloseReason, 'EXPIRED'> }
  | { event: 'expired' }
  /** The upstreams have proven these attempts closed. The order closes when no other attempt is left. */
  | { event: 'all_shut'; attemptNos: string[]; said: UpstreamSaid[] }
  /** `aloneUpToFen`: the event is refused where the order's refunds together would be more than this; null: no bound. */
  | { event: 'refund_asked'; refund: AskedRefund; aloneUpToFen: bigint | null }
  /** `isCorrection`: the books call it failed, and the upstream says that the money is back. */
  | { event: 'refund_done'; refundNo: string; isCorrection?: true }
  /** `failure`: why the upstream will not make the refund. `inFlightUntil` identifies the call that this answers. */
  | { event: 'refund_failed'; refundNo: string; failure: string; inFlightUntil: Date }
  | MoneyArrived

/** What a caller asks for: an attempt gets its number from the order. */
export type AskedEvent =
  | Exclude<Event, { event: 'pay_started' }>
  | { event: 'pay_started'; attempt: Omit<NewAttempt, 'attemptNo'> }

/** `isReturned`: the payment was returned outside already; it is booked all the same. */
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

/** One answer of an upstream, as the timeline stores it. */
export type UpstreamSaid = {
  at: string
  attemptNo: string
  channel: string
  verb: 'query' | 'close'
  says: string
  requestId: string | null
}

/** The order, and the nonce where a signed request asks. */
export type Key = { mchNo: string; ref: OrderRef; nonce?: string }

/** Why an event is refused: by the order's table, by a limit on refunds, or because a second person has to confirm it. */
export type Refused = OrderRefusal | RefundRefusal | 'SECOND_PERSON'

/** The rows that an event needs besides the order, read once under the order's lock. */
export type Loaded = {
  /** The existing refund with this number. `applyEvent` updates it as it writes the row. */
  refund: FoundRefund | null
  /** The kept payment, which a new refund is a part of. */
  kept: KeptPayment | null
  /** The attempts of an order that the merchant or an operator closes, and that may still be paid by them. */
  attempts: AttemptToClose[] | null
}

/** One step of an order while its transaction is open. */
export type Change = { world: World; db: Db; order: Order; step: Step; event: Event; loaded: Loaded; now: Date }
