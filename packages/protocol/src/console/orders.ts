/** Orders and all that belongs to them, as the console sees them. Every list takes `after` and `limit` (1 to 100, 50). */
import type { Page } from './session.ts'

export type OrderStateName = 'NOTPAY' | 'CLOSING' | 'CLOSED' | 'SUCCESS' | 'REFUND'

/**
 * `GET orders`: all optional. `number` is any number there is: transaction_no, mch_trade_no, refund_no, mch_refund_no,
 * attempt_no or the upstream's payment number; with it every other filter is left out.
 * `GET orders.csv` takes the same and answers a file of at most 100 000 rows, times in UTC+8; where it does not hold all
 * there is, its last line says so.
 */
export type OrderFilter = {
  number?: string
  mch_no?: string
  /** STUCK: being closed, or past its time and not closed, for more than ten minutes. */
  state?: OrderStateName | 'STUCK'
  channel?: string
  /** Yuan, with at most two decimals. */
  amount_min?: string
  amount_max?: string
  /** When it was placed: from, and before. ISO 8601. */
  from?: string
  until?: string
  after?: string
  limit?: string
}

export type OrderRow = {
  mch_no: string
  transaction_no: string
  mch_trade_no: string
  app_no: string
  description: string
  amount_total: string
  state: OrderStateName
  close_reason: 'MERCHANT' | 'EXPIRED' | 'OPERATOR' | null
  pay_channel: string | null
  pay_method: string | null
  created_at: string
  time_expire: string
  success_time: string | null
}
export type OrderList = Page<OrderRow>

/** `GET orders/{mch_no}/{transaction_no}`. */
export type OrderDetail = OrderRow & {
  extra: string | null
  notify_url: string | null
  acoid: string | null
  /** Sandbox mode: where the payer goes. */
  cashier_url: string
  /** What the table and the user's role allow now. */
  allowed: ('close' | 'refund' | 'resend')[]
  /** What can still be refunded, in yuan. */
  refundable: string
  /** The table's moves, for drawing: every state, and each way from one to another with the events that take it. */
  states: OrderStateName[]
  moves: { from: OrderStateName; to: OrderStateName; events: string[] }[]
  timeline: TimelineRow[]
  /** False: somebody changed the books by hand. The number of the first entry that does not follow. */
  timeline_broken_at: number | null
  attempts: AttemptRow[]
  payments: PaymentRow[]
  refunds: RefundRow[]
  reversals: ReversalRow[]
  notifications: NotificationRow[]
  /** Work that is still to be done for this order. */
  jobs: JobRow[]
}

/** One entry of the hash-chained timeline. `detail`: what it says beyond these, as it was written down. */
export type TimelineRow = {
  seq: number
  at: string
  event: string
  from: OrderStateName | null
  to: OrderStateName
  detail: Record<string, unknown>
  /** Lower-case hex. */
  hash: string
}

export type AttemptRow = {
  attempt_no: string
  channel: string
  method: string
  state: 'OPENING' | 'OPEN' | 'PAID' | 'SHUT'
  upstream_expire: string
  created_at: string
  changed_at: string
  /** When the watch looks again at a shut attempt; null when nobody does. */
  watched_until: string | null
} & LastAnswer

/** What the upstream said last, with its own number of the exchange; null where there is nothing to tell. */
export type LastAnswer = { last_answer: string | null; last_answer_at: string | null }

export type PaymentRow = {
  attempt_no: string
  payment_no: string
  channel: string
  amount: string
  currency: string
  paid_at: string
  booked_at: string
  fate: 'keep' | 'reverse'
}

/** Also a row of `GET refunds` (`number`, `mch_no`, `state`, which may be STUCK). `upstream` says what FAIL means. */
export type RefundRow = {
  mch_no: string
  transaction_no: string
  refund_no: string
  mch_refund_no: string
  attempt_no: string
  channel: string
  amount: string
  reason: string
  state: 'PROCESSING' | 'SUCCESS' | 'FAIL'
  failure: string | null
  created_at: string
  success_time: string | null
  /** Longer under way than it should be. */
  is_stuck: boolean
} & LastAnswer
export type RefundList = Page<RefundRow>

/**
 * Also a row of `GET reversals` (the same filters): money the gateway sends back by itself. `POST reversals/settle` {mch_no,
 * refund_no, note}: somebody has sent it back by hand; only what is stuck.
 */
export type ReversalRow = {
  mch_no: string
  transaction_no: string
  refund_no: string
  attempt_no: string
  payment_no: string
  channel: string
  amount: string
  state: 'PROCESSING' | 'SUCCESS'
  created_at: string
  changed_at: string
  is_stuck: boolean
} & LastAnswer
export type ReversalList = Page<ReversalRow>

/**
 * Also a row of `GET notifications` (`mch_no`, `state`, `transaction_no`, `from`, `until`: when it was written). An order's
 * number tells its merchant. Without either, those that were heard are looked for among the newest, a stretch a page. Its
 * tries: `GET notifications/{mch_no}/{transaction_no}/{seq}/tries`. `POST notifications/resend` takes `ResendAsk`.
 */
export type NotificationRow = {
  mch_no: string
  transaction_no: string
  seq: number
  kind: 'payment' | 'refund'
  state: 'PENDING' | 'DELIVERED' | 'DEAD'
  url: string
  tries: number
  created_at: string
  next_at: string | null
  tried_at: string | null
  http_status: number | null
  failure: string | null
}
export type NotificationList = Page<NotificationRow>
export type TryRow = {
  at: string
  ms: number
  http_status: number | null
  reply: string | null
  failure: string | null
}
/** One, all of an order, or dead letters: a merchant's or an order's, of a stretch of time; at most 10 000 at once. */
export type ResendAsk =
  | { mch_no: string; transaction_no: string; seq?: number }
  | { mch_no: string; dead: true; transaction_no?: string; from?: string; until?: string }
/**
 * `GET notifications/dead` (as `GET notifications`): whose dead letters such a call would send again and how many, the oldest
 * of more where `has_more`.
 */
export type DeadLetters = { mch_no: string; count: number; has_more: boolean }
export type Resent = { resent: number }

export type JobRow = { kind: string; subject: string; due_at: string; tries: number; created_at: string }

/** `POST orders/{mch_no}/{transaction_no}/close` {}: as the merchant's own close, by an operator. */
export type Closed = { outcome: 'closed' | 'expired' | 'paid' | 'closing' }

/** `POST orders/{mch_no}/{transaction_no}/refunds`; the same `mch_refund_no` again gives the same refund. 409 says why not. */
export type RefundAsk = { mch_refund_no: string; amount: string; reason: string }

/** `GET orders/{mch_no}/{transaction_no}/evidence`: what proves that the order is shut, as the merchant can fetch it. */
export type Evidence = Record<string, unknown>
