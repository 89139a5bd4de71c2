/** The client for merchants. */
import { randomBytes } from 'node:crypto'
import {
  CLOSE_ANSWERS,
  type CloseOutcome,
  orderParamsText,
  parseCloseOrder,
  parsePlaceOrder,
  SIGN_TYPE,
  STATE_ANSWERS,
  signText,
  timeText,
} from '@acopay/protocol'
import { type Bill, downloadBill, type NoBill, type SavedBill, type SaveOptions, saveBill } from './bills.ts'
import { type AnswerData, type CallOptions, newNonce, send } from './client.ts'
import { ParameterError, SignatureError } from './errors.ts'
import { oneOf, present, refuseLocally, textOf, yuan } from './fields.ts'
import {
  listNotifications,
  type NotificationFilter,
  type NotificationPage,
  type NotificationTry,
  notificationTries,
  type ResendChoice,
  resendNotifications,
} from './notification-list.ts'
import { type Freshness, type NotificationEvent, readFreshness, readNotification } from './notifications.ts'
import { type AcoPayOptions, readOptions, type Settings } from './options.ts'
import { askRefund, findRefund, type Refund, type RefundParams, type RefundRef } from './refunds.ts'

export type OrderParams = {
  /** Yours, unique, 24 to 50 of letters, digits, `_` and `-`. The same again with the same parameters is harmless. */
  mchTradeNo: string
  /** What the payer buys, at most 128 characters. */
  description: string
  /** Yuan with two decimals as text, `"12.50"`: `"0.01"` to `"999999.99"`. Never a number. */
  amountTotal: string
  /** Until when it can be paid, 1 minute to 7 days ahead; default 2 hours. */
  timeExpire?: Date
  /** At most 256 characters, given back in queries and notifications. */
  extra?: string
  /** Where notifications go: HTTPS, no query, at most 256 characters. */
  notifyUrl?: string
  /** Default: the client's own. */
  appNo?: string
}

/** One of the platform's number or yours; the platform's wins if both are given. */
export type OrderRef = { transactionNo: string; mchTradeNo?: string } | { mchTradeNo: string; transactionNo?: string }

export type PlacedOrder = { transactionNo: string; mchTradeNo: string; appNo: string; cashierUrl: string }

export type ClosedOrder = {
  transactionNo: string
  mchTradeNo: string
  /** `closed` and `expired`: it is never paid. `paid`: the payer was faster. `closing`: ask again. */
  outcome: CloseOutcome
  /** What the gateway said, in Chinese. */
  description: string
}

/** One exchange with an upstream while the order's attempts were shut. */
export type UpstreamAnswer = {
  at: string
  attemptNo: string
  channel: string
  verb: 'query' | 'close'
  says: string
  /** The upstream's own number of the exchange, where it gives one. */
  requestId: string | null
}

export type CloseEvidence = {
  transactionNo: string
  mchTradeNo: string
  /** In Chinese. */
  reason: string
  /** From then on no payment could be started. */
  fenceTime: Date
  /** From then on nothing could be paid. */
  closeTime: Date
  upstreamAnswers: UpstreamAnswer[]
  timelineLength: number
  /** Hash of the timeline's last entry, hex; it covers all entries before it. */
  timelineHash: string
}

export type OrderState = keyof typeof STATE_ANSWERS

export type Order = {
  transactionNo: string
  mchTradeNo: string
  appNo: string
  state: OrderState
  /** The state in Chinese. */
  description: string
  /** Yuan with two decimals. */
  amountTotal: string
  extra: string | null
  /** Set once it is paid. */
  successTime: Date | null
  /** The payer, as the platform names them. */
  acoid: string | null
  payChannel: string | null
  payMethod: string | null
}

/**
 * A merchant's client. Every answer's signature is checked before it is believed. All calls may throw ParameterError
 * (nothing was sent), ApiError (refused), SignatureError (not proven) and ConnectionError (outcome unknown).
 * Wire contract: docs/errors.md and the platform's transactions API, v1.
 */
export class AcoPay {
  readonly #settings: Settings

  /** Throws ParameterError that names the wrong option. */
  constructor(options: AcoPayOptions) {
    this.#settings = readOptions(options)
  }

  /**
   * Places an order (`POST trade`, spec 3.2). The same number with the same parameters gives the same order again, so
   * it may be repeated; with other parameters, ApiError 1010.
   */
  async placeOrder(params: OrderParams, options: CallOptions = {}): Promise<PlacedOrder> {
    const sent = orderFields(this.#settings, params)
    const data = await send(this.#settings, { method: 'POST', path: 'trade', params: sent }, options)
    sameOrder({ mchTradeNo: params.mchTradeNo }, data)
    return {
      transactionNo: textOf(data, 'transaction_no'),
      mchTradeNo: textOf(data, 'mch_trade_no'),
      appNo: textOf(data, 'app_no'),
      cashierUrl: textOf(data, 'cashier_url'),
    }
  }

  /** Where an order stands (`GET trade`, spec 3.3). ApiError 1007 when there is none with this number. */
  async queryOrder(ref: OrderRef, options: CallOptions = {}): Promise<Order> {
    const data = await send(this.#settings, { method: 'GET', path: 'trade', params: refFields(ref) }, options)
    sameOrder(ref, data)
    const successTime = data.success_time ?? null
    return {
      transactionNo: textOf(data, 'transaction_no'),
      mchTradeNo: textOf(data, 'mch_trade_no'),
      appNo: textOf(data, 'app_no'),
      state: oneOf(data, 'code', STATE_ANSWERS),
      description: textOf(data, 'description'),
      amountTotal: textOf(data, 'amount_total'),
      extra: data.extra ?? null,
      successTime: successTime === null ? null : new Date(successTime),
      acoid: data.acoid ?? null,
      payChannel: data.pay_channel ?? null,
      payMethod: data.pay_method ?? null,
    }
  }

  /**
   * Closes an order (`POST close`, spec 3.1). `closed` is a promise: this order is never paid. May take 7 s while upstreams
   * are asked. ApiError 1007 when there is none with this number.
   */
  async closeOrder(ref: OrderRef, options: CallOptions = {}): Promise<ClosedOrder> {
    const data = await send(this.#settings, { method: 'POST', path: 'close', params: refFields(ref) }, options)
    sameOrder(ref, data)
    const description = textOf(data, 'description')
    return {
      transactionNo: textOf(data, 'transaction_no'),
      mchTradeNo: textOf(data, 'mch_trade_no'),
      outcome: outcomeOf(textOf(data, 'code'), description),
      description,
    }
  }

  /**
   * Refunds a paid order, or a part of it (`POST refund`, spec 3.4). The same number with the same parameters gives the same
   * refund again, so it may be repeated; with other parameters, ApiError 1012. ApiError 1008 when the order is not
   * paid, 1013 to 1015 beyond the amount paid, 20 refunds or 180 days.
   */
  refund(params: RefundParams, options: CallOptions = {}): Promise<Refund> {
    return askRefund(this.#settings, params, options)
  }

  /** Where a refund stands (`GET refund`, spec 3.5). ApiError 1011 when there is none with this number. */
  queryRefund(ref: RefundRef, options: CallOptions = {}): Promise<Refund & { successTime: Date | null }> {
    return findRefund(this.#settings, ref, options)
  }

  /**
   * What proves that an order was closed (`GET close/evidence`): for a payer who says 'I was charged for a closed
   * order'. ApiError 1009 when it is not closed.
   */
  async closeEvidence(ref: OrderRef, options: CallOptions = {}): Promise<CloseEvidence> {
    const request = { method: 'GET', path: 'close/evidence', params: refFields(ref) } as const
    const data = await send(this.#settings, request, options)
    sameOrder(ref, data)
    return {
      transactionNo: textOf(data, 'transaction_no'),
      mchTradeNo: textOf(data, 'mch_trade_no'),
      reason: textOf(data, 'close_reason'),
      fenceTime: new Date(textOf(data, 'fence_time')),
      closeTime: new Date(textOf(data, 'close_time')),
      upstreamAnswers: JSON.parse(textOf(data, 'upstream_answers')) as UpstreamAnswer[],
      timelineLength: Number(textOf(data, 'timeline_length')),
      timelineHash: textOf(data, 'timeline_hash'),
    }
  }

  /** What you were told or will be, the newest first (`GET notifications`). ApiError 1007 for an order that is not there. */
  listNotifications(filter: NotificationFilter = {}, options: CallOptions = {}): Promise<NotificationPage> {
    return listNotifications(this.#settings, filter, options)
  }

  /** The last 50 tries to tell you one thing, the newest first, with what your server answered. */
  notificationTries(of: { transactionNo: string; seq: number }, options: CallOptions = {}): Promise<NotificationTry[]> {
    return notificationTries(this.#settings, of, options)
  }

  /**
   * Has notifications sent again, also ones you have heard (`POST notifications/resend`); answers how many, at most
   * 10 000 dead letters a call.
   */
  resendNotifications(choice: ResendChoice, options: CallOptions = {}): Promise<number> {
    return resendNotifications(this.#settings, choice, options)
  }

  /** The bill of a day, `yyyy-MM-dd` in UTC+8, of the last three months (`GET bill`, spec 3.6). ApiError 1001 for others. */
  downloadBill(day: string, options: CallOptions = {}): Promise<Bill | NoBill> {
    return downloadBill(this.#settings, day, options)
  }

  /** The same into a file, which is there when all of it has come and its hash is right, and not before. */
  saveBill(day: string, file: string, options: SaveOptions = {}): Promise<SavedBill | NoBill> {
    return saveBill(this.#settings, day, file, options)
  }

  /** What a notification says, once it is proven; `verifyNotification` with this client's settings. */
  verifyNotification(rawBody: string | Uint8Array, freshness: Freshness = {}): NotificationEvent {
    const seen = readNotification(rawBody, { ...this.#settings, ...readFreshness(freshness) })
    if ('error' in seen) throw seen.error
    return seen.event
  }

  /**
   * Signs the parameters of an order for a page, which hands them to `edger.payment.pay(params)` of `@edgeros/web-sdk`
   * as they are (spec 3.2). Sign on your server; the private key never belongs on a page. Sends nothing.
   */
  async signOrderParams(params: OrderParams): Promise<Record<string, string>> {
    const { mchNo, privateKey } = this.#settings
    const fields = orderFields(this.#settings, params)
    const signed = { ...fields, mch_no: mchNo, nonce: newNonce(), sign_type: SIGN_TYPE }
    return { ...signed, sign: await signText(orderParamsText(signed), privateKey) }
  }
}

/** A fresh number for an order of yours: the time in UTC and 80 random bits, 37 characters. */
export const newTradeNo = (): string =>
  `${new Date().toISOString().replace(/\D/g, '')}${randomBytes(10).toString('hex')}`

function orderFields(settings: Settings, params: OrderParams): Record<string, string> {
  const { timeExpire } = params
  const amountTotal = yuan('amountTotal', params.amountTotal)
  if (timeExpire !== undefined && !(timeExpire instanceof Date && !Number.isNaN(timeExpire.getTime()))) {
    throw new ParameterError('timeExpire', 'timeExpire should be a Date')
  }
  const fields = present({
    app_no: params.appNo ?? settings.appNo,
    mch_trade_no: params.mchTradeNo,
    description: params.description,
    amount_total: amountTotal,
    amount_currency: 'CNY',
    time_expire: timeExpire === undefined ? undefined : timeText(timeExpire),
    extra: params.extra,
    notify_url: params.notifyUrl,
  })
  refuseLocally(parsePlaceOrder(fields, { loopbackHttp: true }))
  return fields
}

function refFields({ transactionNo, mchTradeNo }: OrderRef): Record<string, string> {
  const fields = present({ transaction_no: transactionNo, mch_trade_no: mchTradeNo })
  refuseLocally(parseCloseOrder(fields))
  return fields
}

/** A signed answer about another order proves nothing about this one. */
function sameOrder(ref: OrderRef, data: AnswerData): void {
  const isSame =
    ref.transactionNo === undefined ? data.mch_trade_no === ref.mchTradeNo : data.transaction_no === ref.transactionNo
  if (!isSame) throw new SignatureError('the answer is about another order')
}

/** A refusal in words this version does not know promises nothing: `closing`. */
function outcomeOf(code: string, description: string): CloseOutcome {
  if (code === CLOSE_ANSWERS.closed.code) return 'closed'
  const known = Object.entries(CLOSE_ANSWERS).find(([, answer]) => answer.description === description)
  return (known?.[0] as CloseOutcome | undefined) ?? 'closing'
}

export type { CloseOutcome }
