/** The client for merchants. */
import { orderParamsText, SIGN_TYPE, signText } from '@acopay/protocol'
import { type Bill, downloadBill, type NoBill, type SavedBill, type SaveOptions, saveBill } from './bills.ts'
import { type CallFilter, type CallPage, listCalls } from './call-log.ts'
import { type CallOptions, newNonce } from './client.ts'
import type { Listing } from './listing.ts'
import {
  listNotifications,
  type NotificationFilter,
  type NotificationPage,
  type NotificationSummary,
  type NotificationTry,
  notificationTries,
  type ResendChoice,
  resendNotifications,
} from './notification-list.ts'
import { type Freshness, type NotificationEvent, readFreshness, readNotification } from './notifications.ts'
import { type AcoPayOptions, readOptions, type Settings } from './options.ts'
import {
  type ListedOrder,
  type ListedRefund,
  listOrders,
  listRefunds,
  type OrderFilter,
  type OrderPage,
  type RefundFilter,
  type RefundPage,
} from './order-lists.ts'
import {
  type ClosedOrder,
  type CloseEvidence,
  closeEvidence,
  closeOrder,
  type Order,
  type OrderParams,
  type OrderRef,
  orderFields,
  type PlacedOrder,
  placeOrder,
  queryOrder,
} from './orders.ts'
import { askRefund, findRefund, type Refund, type RefundParams, type RefundRef } from './refunds.ts'

/**
 * A merchant's client. It verifies the signature of every answer. All calls may throw ParameterError (nothing was
 * sent), ApiError (refused), SignatureError (the answer is not proven) and ConnectionError (outcome unknown). Wire
 * contract: docs/errors.md and the platform's transactions API, v1.
 */
export class AcoPay {
  readonly #settings: Settings

  /** Throws a ParameterError that names the wrong option. */
  constructor(options: AcoPayOptions) {
    this.#settings = readOptions(options)
  }

  /**
   * Places an order (`POST trade`, spec 3.2). A repeated call with the same number and parameters returns the same
   * order; with other parameters, ApiError 1010.
   */
  placeOrder(params: OrderParams, options: CallOptions = {}): Promise<PlacedOrder> {
    return placeOrder(this.#settings, params, options)
  }

  /** An order's current state (`GET trade`, spec 3.3). ApiError 1007 when no order has this number. */
  queryOrder(ref: OrderRef, options: CallOptions = {}): Promise<Order> {
    return queryOrder(this.#settings, ref, options)
  }

  /**
   * Closes an order (`POST close`, spec 3.1). `closed` is a promise: this order will never be paid. May take 7 s,
   * because the gateway asks upstreams. ApiError 1007 when no order has this number.
   */
  closeOrder(ref: OrderRef, options: CallOptions = {}): Promise<ClosedOrder> {
    return closeOrder(this.#settings, ref, options)
  }

  /**
   * Refunds a paid order, in full or in part (`POST refund`, spec 3.4). A repeated call with the same number and
   * parameters returns the same refund; with other parameters, ApiError 1012. ApiError 1008 when the order is not paid,
   * 1013 beyond the amount paid, 1014 beyond 20 refunds, 1015 later than 180 days after the payment.
   */
  refund(params: RefundParams, options: CallOptions = {}): Promise<Refund> {
    return askRefund(this.#settings, params, options)
  }

  /** A refund's current state (`GET refund`, spec 3.5). ApiError 1011 when no refund has this number. */
  queryRefund(ref: RefundRef, options: CallOptions = {}): Promise<Refund & { successTime: Date | null }> {
    return findRefund(this.#settings, ref, options)
  }

  /**
   * The proof that an order was closed (`GET close/evidence`), for a payer who says 'I was charged for a closed order'.
   * ApiError 1009 when the order is not closed.
   */
  closeEvidence(ref: OrderRef, options: CallOptions = {}): Promise<CloseEvidence> {
    return closeEvidence(this.#settings, ref, options)
  }

  /**
   * Your orders, the newest first (`GET orders`): `for await (const order of pay.listOrders({ state: 'SUCCESS' }))` gives
   * each, and `await pay.listOrders({ … })` one page with the place of the next.
   */
  listOrders(filter: OrderFilter = {}, options: CallOptions = {}): Listing<OrderPage, ListedOrder> {
    return listOrders(this.#settings, filter, options)
  }

  /** Your refunds, the newest first (`GET refunds`), like `listOrders`. ApiError 1007 for an unknown order. */
  listRefunds(filter: RefundFilter = {}, options: CallOptions = {}): Listing<RefundPage, ListedRefund> {
    return listRefunds(this.#settings, filter, options)
  }

  /**
   * Notifications sent or still to be sent, the newest first (`GET notifications`), like `listOrders`. ApiError 1007 for
   * an unknown order.
   */
  listNotifications(
    filter: NotificationFilter = {},
    options: CallOptions = {},
  ): Listing<NotificationPage, NotificationSummary> {
    return listNotifications(this.#settings, filter, options)
  }

  /** The last 50 tries to send one notification, the newest first, with your server's answers. */
  notificationTries(of: { transactionNo: string; seq: number }, options: CallOptions = {}): Promise<NotificationTry[]> {
    return notificationTries(this.#settings, of, options)
  }

  /**
   * Sends notifications again, also acknowledged ones (`POST notifications/resend`). Returns their number; at most 10
   * 000 dead letters a call.
   */
  resendNotifications(choice: ResendChoice, options: CallOptions = {}): Promise<number> {
    return resendNotifications(this.#settings, choice, options)
  }

  /** Your last calls as the gateway saw them, the newest first (`GET calls`): also those whose signature did not verify. */
  listCalls(filter: CallFilter = {}, options: CallOptions = {}): Promise<CallPage> {
    return listCalls(this.#settings, filter, options)
  }

  /**
   * The bill of a day in UTC+8, `yyyy-MM-dd`, within the last three months, else ApiError 1001 (`GET bill`, spec 3.6).
   */
  downloadBill(day: string, options: CallOptions = {}): Promise<Bill | NoBill> {
    return downloadBill(this.#settings, day, options)
  }

  /** Downloads a bill into a file, which appears when it is complete and has the signed hash. */
  saveBill(day: string, file: string, options: SaveOptions = {}): Promise<SavedBill | NoBill> {
    return saveBill(this.#settings, day, file, options)
  }

  /** Verifies a notification and returns its event: `verifyNotification` with this client's settings. */
  verifyNotification(rawBody: string | Uint8Array, freshness: Freshness = {}): NotificationEvent {
    const seen = readNotification(rawBody, { ...this.#settings, ...readFreshness(freshness) })
    if ('error' in seen) throw seen.error
    return seen.event
  }

  /**
   * Signs the parameters of an order for a page, which passes them unchanged to `edger.payment.pay(params)` of
   * `@edgeros/web-sdk` (spec 3.2). Sign on your server; the private key must never be on a page. Sends nothing.
   */
  async signOrderParams(params: OrderParams): Promise<Record<string, string>> {
    const { mchNo, privateKey } = this.#settings
    const fields = orderFields(this.#settings, params)
    const signed = { ...fields, mch_no: mchNo, nonce: newNonce(), sign_type: SIGN_TYPE }
    return { ...signed, sign: await signText(orderParamsText(signed), privateKey) }
  }
}
