/** One operation for many orders. */
import type { Closed, OrderStateName } from './orders.ts'

/** The most orders of one call. */
export const BULK_MAX = 50
export const BULK_OPERATIONS = ['close', 'resend'] as const
export type BulkOperation = (typeof BULK_OPERATIONS)[number]

/**
 * `GET bulk/preview` (`operation`, and `numbers` with commas between: any numbers that the search for orders knows): what each order would
 * get. It changes nothing.
 */
export type BulkPreview = { rows: BulkRow[] }
export type BulkRow = {
  number: string
  /** Null where no order, or more than one, has this number. */
  mch_no: string | null
  transaction_no: string | null
  state: OrderStateName | null
  amount_total: string | null
  effect: 'closes' | 'closed_already' | 'paid' | 'resends' | 'no_notifications' | 'absent' | 'ambiguous'
}

/**
 * `POST bulk/close` and `POST bulk/resend`: the orders of a preview. Of more than ACOPAY_BULK_ALONE_MAX of them `request_no` is answered,
 * and nothing is done until another user confirms it.
 */
export type BulkAsk = { orders: { mch_no: string; transaction_no: string }[] }
export type BulkDone = {
  /** The request that waits for a second person; null where it was done. */
  request_no: string | null
  rows: {
    mch_no: string
    transaction_no: string
    /** Of a close; null of a resend. */
    outcome: Closed['outcome'] | 'absent' | null
    /** Of a resend: how many notifications will be sent again. */
    resent: number | null
  }[]
}

/**
 * `GET bulk/requests`: what waits for a second person, the oldest 50. `POST bulk/requests/{request_no}` by another user does it and answers
 * `BulkDone`; `DELETE` gives it up.
 */
export type BulkRequestList = { rows: BulkRequestRow[] }
export type BulkRequestRow = {
  request_no: string
  operation: BulkOperation
  orders: BulkAsk['orders']
  asked_by: string
  asked_at: string
  /** Asked for by the caller, who cannot confirm it. */
  is_own: boolean
}
