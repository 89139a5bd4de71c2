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

/** `GET find?text=`: what a number, a part of one, an amount or a merchant's name finds, some of each. */
export type Found = {
  orders: OrderRow[]
  /** Paid orders of exactly this amount. */
  of_amount: OrderRow[]
  refunds: RefundRow[]
  reversals: ReversalRow[]
  /** Of the order, where only one was found. */
  notifications: NotificationRow[]
  merchants: MerchantRow[]
}
