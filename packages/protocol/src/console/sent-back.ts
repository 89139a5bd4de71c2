/** Money that was sent back: what came, when, why, and how it went back. */
import type { LastAnswer } from './orders.ts'
import type { Page } from './session.ts'
import type { SentBackWhy } from './story.ts'

/**
 * A row of `GET sent-back` (filters `mch_no`, `state` PROCESSING, SUCCESS or STUCK, and the time at which it was noticed: `from`,
 * `until`). `GET orders/{mch_no}/{transaction_no}/evidence.html` has the signed evidence.
 */
export type SentBackRow = {
  mch_no: string
  transaction_no: string
  mch_trade_no: string
  why: SentBackWhy
  /** What came. */
  channel: string
  method: string
  payment_no: string
  amount: string
  currency: string
  paid_at: string
  /** When the gateway learned of it. */
  booked_at: string
  /** When the order was closed, for one that is closed; and by how many seconds the payment was later, negative where it was earlier. */
  closed_at: string | null
  after_close_s: number | null
  /** How it went back. */
  /** Where its order lies, of a payment that arrived after the order was archived; then the file has when it was closed. */
  archive_no: string | null
  state: 'PROCESSING' | 'SUCCESS'
  is_stuck: boolean
  by_upstream: boolean
  refund_no: string
  /** The number under which the upstream knows it. */
  upstream_no: string
  asked_at: string
  /** Null while it is on its way; and the seconds from the payment's booking until it was back. */
  back_at: string | null
  took_s: number | null
} & LastAnswer
export type SentBackList = Page<SentBackRow>
