/** Orders and their parts in the console. Every list takes `after` and `limit` (1 to 100, default 50). */
import type { Page } from './session.ts'

export type OrderStateName = 'NOTPAY' | 'CLOSING' | 'CLOSED' | 'SUCCESS' | 'REFUND'

/**
 * `GET orders`: all filters are optional. `number` is a transaction_no, mch_trade_no, refund_no, mch_refund_no,
 * attempt_no or the upstream's payment number; with it the other filters are ignored. What no number is the whole of, and has six
 * characters or more, may be the beginning of the order's or the merchant's number, or the end of the payment's.
 */
export type OrderFilter = {
  number?: string
  mch_no?: string
  /** STUCK: for more than ten minutes in CLOSING, or expired and not closed. */
  state?: OrderStateName | 'STUCK'
  channel?: string
  app_no?: string
  /** 'true': a payment of the order was sent back by the gateway, or is on its way. */
  sent_back?: 'true'
  /** Without it the newest come first. By amount only the paid orders of one merchant are listed. */
  sort?: 'oldest' | 'amount_down' | 'amount_up'
  /** A notification of the order is in this state. */
  notified?: 'PENDING' | 'DELIVERED' | 'DEAD'
  /** Yuan, with at most two decimals. */
  amount_min?: string
  amount_max?: string
  /** The order was placed at `from` or later and before `until`. ISO 8601. */
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
  /** A payment of it was sent back by the gateway, or returned outside: late, second or of the wrong amount. */
  sent_back: boolean
}
export type OrderList = Page<OrderRow>

/** `GET orders/{mch_no}/{transaction_no}`. */
export type OrderDetail = OrderRow & {
  extra: string | null
  notify_url: string | null
  acoid: string | null
  /** The payer's page, in sandbox mode. */
  cashier_url: string
  /** The actions that the order's state and the user's role allow now. */
  allowed: ('close' | 'refund' | 'resend')[]
  /** The amount that can still be refunded, in yuan. */
  refundable: string
  /** The table of states, for the drawing: every state, and each transition with its events. */
  states: OrderStateName[]
  moves: { from: OrderStateName; to: OrderStateName; events: string[] }[]
  timeline: TimelineRow[]
  /** `seq` of the first entry whose hash is wrong, because the table was changed by hand; null when all are right. */
  timeline_broken_at: number | null
  attempts: AttemptRow[]
  payments: PaymentRow[]
  refunds: RefundRow[]
  reversals: ReversalRow[]
  notifications: NotificationRow[]
  /** The order's pending jobs. */
  jobs: JobRow[]
} & OrderNotes

/**
 * `POST orders/{mch_no}/{transaction_no}/notes` {note, for_merchant} adds a note of at most 500 characters; `PUT …/tags` {tags} sets the
 * tags. Both answer what there is then. A merchant's users see the notes that are for them, without their writers, and no tags.
 */
export type OrderNotes = { notes: NoteRow[]; tags: TagRow[] }
export type NoteRow = { at: string; username: string | null; for_merchant: boolean; note: string }
export type TagRow = { tag: string; at: string; username: string }
export type NoteAsk = { note: string; for_merchant?: boolean }

/** One entry of the hash-chained timeline. `detail`: its other fields, as stored. */
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
  /** Until when the gateway queries a closed attempt for late payments; null when it does not. */
  watched_until: string | null
} & LastAnswer

/** The upstream's last answer, with its own number of the exchange; null when there is none. */
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

/**
 * Also a row of `GET refunds`. Filters: `number`, or `mch_no`, `state`, which may be STUCK, `channel`, `app_no`, `amount_min`,
 * `amount_max`, and when it was made, `from` and `until`.
 */
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
  /** In progress for longer than usual. */
  is_stuck: boolean
} & LastAnswer
export type RefundList = Page<RefundRow>

/**
 * Also a row of `GET reversals` (same filters): a payment that the gateway returns by itself. `POST reversals/settle`
 * {mch_no, refund_no, note} records that staff have returned it by hand; for stuck reversals only.
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
  /** The money went back without our request. */
  by_upstream: boolean
  created_at: string
  changed_at: string
  is_stuck: boolean
} & LastAnswer
export type ReversalList = Page<ReversalRow>

/**
 * Also a row of `GET notifications` (filters `mch_no`, `state`, `transaction_no`, and the time of creation `from`,
 * `until`). Without a merchant and an order, a search for delivered notifications covers a limited stretch per page,
 * from the newest on. The tries: `GET notifications/{mch_no}/{transaction_no}/{seq}/tries`. `POST notifications/resend`
 * takes `ResendAsk`.
 */
export type NotificationRow = {
  mch_no: string
  transaction_no: string
  seq: number
  kind: 'payment' | 'refund' | 'sent_back'
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
/**
 * One notification, all of an order, or the dead letters of a merchant or an order in a period; at most 10 000 a call.
 */
export type ResendAsk =
  | { mch_no: string; transaction_no: string; seq?: number }
  | { mch_no: string; dead: true; transaction_no?: string; from?: string; until?: string }
/**
 * `GET notifications/dead` (filters of `GET notifications`): the merchant, and the number of dead letters that a resend
 * would send. A resend sends the oldest 10 000; `has_more` tells that there are more.
 */
export type DeadLetters = { mch_no: string; count: number; has_more: boolean }
export type Resent = { resent: number }

export type JobRow = { kind: string; subject: string; due_at: string; tries: number; created_at: string }

/** `POST orders/{mch_no}/{transaction_no}/close` {}: an operator closes the order, as the merchant could. */
export type Closed = { outcome: 'closed' | 'expired' | 'paid' | 'closing' }

/** `POST orders/{mch_no}/{transaction_no}/refunds`. Idempotent by `mch_refund_no`. A 409 gives the reason. */
export type RefundAsk = { mch_refund_no: string; amount: string; reason: string }
/** `WAITING`: the amount is above ACOPAY_SECOND_PERSON_ABOVE, and another user has to confirm it. */
export type RefundMade = { refund_no: string | null; state: 'PROCESSING' | 'SUCCESS' | 'FAIL' | 'WAITING' }

/**
 * `GET refund-requests`: refunds that wait for a second person, the oldest first. `POST refund-requests/{mch_no}/{mch_refund_no}` by
 * another user makes the refund; `DELETE` gives the request up.
 */
export type RefundRequestRow = {
  mch_no: string
  transaction_no: string
  mch_refund_no: string
  amount: string
  reason: string
  asked_by: string
  asked_at: string
  /** The caller asked for it, and so cannot confirm it. */
  is_own: boolean
}
export type RefundRequestList = Page<RefundRequestRow>

/** `GET orders/{mch_no}/{transaction_no}/evidence`: the proof that the order is closed, the same as the merchant's. */
export type Evidence = Record<string, unknown>
