/** What all lists have: files, totals; and the search over all of them. */
import type { MerchantRow } from './admin.ts'
import type { NotificationRow, OrderRow, RefundRow, ReversalRow } from './orders.ts'

/**
 * `GET {list}.csv` and `GET {list}.xlsx` answer the rows of a list as a file of at most a million rows: orders, refunds, reversals,
 * notifications, bills, differences, unmatched-payments, merchants and audit, each with its own filters and headings in `language`
 * (`zh`, `en`). Times are in UTC+8; when rows are missing, the last line says so. Each is in the audit log.
 * `GET totals/{list}` counts the rows from the page on, up to 1000; `has_more`: there may be more.
 * `GET statements/{mch_no}/{month}/{csv|xlsx}`: a month of a merchant's bills, with their sums.
 */
export type ListTotal = { count: number; has_more: boolean }

/** An order whose rows lie in a file, and how it ended. */
export type ArchivedRow = {
  mch_no: string
  transaction_no: string
  mch_trade_no: string
  state: 'CLOSED' | 'SUCCESS' | 'REFUND'
  archive_no: string
  /** yyyy-MM. */
  month: string
  /** Where it was written; null for users of a merchant, who cannot bring it back. */
  file: string | null
}

/** `GET find?text=`: what a number, a part of one, an amount or a merchant's name finds, some of each. */
export type Found = {
  orders: OrderRow[]
  /** Paid orders of exactly this amount. */
  of_amount: OrderRow[]
  refunds: RefundRow[]
  reversals: ReversalRow[]
  /** Orders whose rows lie in a file, by the whole of one of their numbers. */
  archived: ArchivedRow[]
  /** Of the order, where only one was found. */
  notifications: NotificationRow[]
  merchants: MerchantRow[]
}
