/** Lists of a merchant's orders and refunds [ours], page by page. */
import {
  type ListedOrder as OrderRow,
  parseListOrders,
  parseListRefunds,
  REFUND_ANSWERS,
  type ListedRefund as RefundRow,
  type RefundState,
  STATE_ANSWERS,
} from '@acopay/protocol'
import { type CallOptions, send } from './client.ts'
import { dateOf, oneOf, present, refuseLocally, textOf, timeOf } from './fields.ts'
import { type Listing, listing } from './listing.ts'
import type { Settings } from './options.ts'
import type { Order, OrderState } from './orders.ts'
import type { Refund } from './refunds.ts'

/** Created at `from` or later, and before `until`. */
export type Period = { from?: Date; until?: Date }

/** All that is given has to fit. */
export type OrderFilter = Period & {
  /** The order of this number, by the platform's number or yours; the platform's wins if both are given. */
  transactionNo?: string
  mchTradeNo?: string
  appNo?: string
  state?: OrderState
  /** `next` of the page before. */
  before?: string
}

export type ListedOrder = Order & { createdTime: Date; timeExpire: Date }

/** At most 100, the newest first. `next` is the `before` of the next page; null on the last page. A page with a `next` may be empty. */
export type OrderPage = { orders: ListedOrder[]; next: string | null }

/** All that is given has to fit. */
export type RefundFilter = Period & {
  /** Refunds of one order, by the platform's number or yours; the platform's wins if both are given. */
  transactionNo?: string
  mchTradeNo?: string
  /** The refund of this number, by the platform's number or yours; the platform's wins if both are given. */
  refundNo?: string
  mchRefundNo?: string
  state?: RefundState
  /** `next` of the page before. */
  before?: string
}

export type ListedRefund = Refund & { refundReason: string; createdTime: Date; successTime: Date | null }

/** At most 100, the newest first. `next` is the `before` of the next page; null on the last page. A page with a `next` may be empty. */
export type RefundPage = { refunds: ListedRefund[]; next: string | null }

export const listOrders = (
  settings: Settings,
  filter: OrderFilter,
  options: CallOptions,
): Listing<OrderPage, ListedOrder> =>
  listing(
    async (before = filter.before) => {
      const params = present({
        transaction_no: filter.transactionNo,
        mch_trade_no: filter.mchTradeNo,
        app_no: filter.appNo,
        state: filter.state,
        from: timeOf('from', filter.from),
        until: timeOf('until', filter.until),
        before,
      })
      refuseLocally(parseListOrders(params))
      const data = await send(settings, { method: 'GET', path: 'orders', params }, options)
      const rows = JSON.parse(textOf(data, 'orders')) as OrderRow[]
      return { orders: rows.map(orderOf), next: data.next ?? null }
    },
    ({ orders }) => orders,
  )

export const listRefunds = (
  settings: Settings,
  filter: RefundFilter,
  options: CallOptions,
): Listing<RefundPage, ListedRefund> =>
  listing(
    async (before = filter.before) => {
      const params = present({
        transaction_no: filter.transactionNo,
        mch_trade_no: filter.mchTradeNo,
        refund_no: filter.refundNo,
        mch_refund_no: filter.mchRefundNo,
        state: filter.state,
        from: timeOf('from', filter.from),
        until: timeOf('until', filter.until),
        before,
      })
      refuseLocally(parseListRefunds(params))
      const data = await send(settings, { method: 'GET', path: 'refunds', params }, options)
      const rows = JSON.parse(textOf(data, 'refunds')) as RefundRow[]
      return { refunds: rows.map(refundOf), next: data.next ?? null }
    },
    ({ refunds }) => refunds,
  )

const orderOf = (row: OrderRow): ListedOrder => ({
  transactionNo: row.transaction_no,
  mchTradeNo: row.mch_trade_no,
  appNo: row.app_no,
  state: oneOf(row, 'code', STATE_ANSWERS),
  description: row.description,
  amountTotal: row.amount_total,
  extra: row.extra,
  createdTime: new Date(row.created_time),
  timeExpire: new Date(row.time_expire),
  successTime: dateOf(row.success_time),
  acoid: row.acoid,
  payChannel: row.pay_channel,
  payMethod: row.pay_method,
})

const refundOf = (row: RefundRow): ListedRefund => ({
  refundNo: row.refund_no,
  mchRefundNo: row.mch_refund_no,
  transactionNo: row.transaction_no,
  mchTradeNo: row.mch_trade_no,
  refundAmount: row.refund_amount,
  state: oneOf(row, 'code', REFUND_ANSWERS),
  description: row.description,
  refundChannel: row.refund_channel,
  refundReason: row.refund_reason,
  createdTime: new Date(row.created_time),
  successTime: dateOf(row.success_time),
})
