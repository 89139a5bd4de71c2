/** Orders: placing, querying and closing them (spec 3.1 to 3.3), and the evidence of a close. */
import { randomBytes } from 'node:crypto'
import {
  CLOSE_ANSWERS,
  type CloseOutcome,
  parseCloseOrder,
  parsePlaceOrder,
  STATE_ANSWERS,
  timeText,
} from '@acopay/protocol'
import { type AnswerData, type CallOptions, send } from './client.ts'
import { ParameterError, SignatureError } from './errors.ts'
import { oneOf, present, refuseLocally, textOf, yuan } from './fields.ts'
import type { Settings } from './options.ts'

export type OrderParams = {
  /**
   * Your unique number, 24 to 50 letters, digits, `_` and `-`. Repeating a call with the same parameters is harmless.
   */
  mchTradeNo: string
  /** What the payer buys; at most 128 characters. */
  description: string
  /** Yuan with two decimals as text, `"12.50"`: `"0.01"` to `"999999.99"`. Never a number. */
  amountTotal: string
  /** Until when the order can be paid: 1 minute to 7 days from now; default 2 hours. */
  timeExpire?: Date
  /** At most 256 characters, returned in queries and notifications. */
  extra?: string
  /** Where notifications go: HTTPS, no query, at most 256 characters. */
  notifyUrl?: string
  /** Default: the client's own. */
  appNo?: string
}

/** Names an order by the platform's number or by yours; the platform's wins if both are given. */
export type OrderRef = { transactionNo: string; mchTradeNo?: string } | { mchTradeNo: string; transactionNo?: string }

export type PlacedOrder = { transactionNo: string; mchTradeNo: string; appNo: string; cashierUrl: string }

export type ClosedOrder = {
  transactionNo: string
  mchTradeNo: string
  /** `closed`, `expired`: the order will never be paid. `paid`: the payer was faster. `closing`: close again later. */
  outcome: CloseOutcome
  /** The outcome in Chinese. */
  description: string
}

/** One exchange with an upstream while the gateway closed the order's payment attempts. */
export type UpstreamAnswer = {
  at: string
  attemptNo: string
  channel: string
  verb: 'query' | 'close'
  says: string
  /** The upstream's own number of the exchange; null when it gave none. */
  requestId: string | null
}

export type CloseEvidence = {
  transactionNo: string
  mchTradeNo: string
  /** In Chinese. */
  reason: string
  /** From this time on no payment could be started. */
  fenceTime: Date
  /** From this time on no started payment could be completed. */
  closeTime: Date
  upstreamAnswers: UpstreamAnswer[]
  timelineLength: number
  /** Hash of the timeline's last entry, in hex; it covers all entries before it. */
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
  /** When the payer paid; null before. */
  successTime: Date | null
  /** The payer, as the platform names them. */
  acoid: string | null
  payChannel: string | null
  payMethod: string | null
}

export async function placeOrder(settings: Settings, params: OrderParams, options: CallOptions): Promise<PlacedOrder> {
  const sent = orderFields(settings, params)
  const data = await send(settings, { method: 'POST', path: 'trade', params: sent }, options)
  sameOrder({ mchTradeNo: params.mchTradeNo }, data)
  return {
    transactionNo: textOf(data, 'transaction_no'),
    mchTradeNo: textOf(data, 'mch_trade_no'),
    appNo: textOf(data, 'app_no'),
    cashierUrl: textOf(data, 'cashier_url'),
  }
}

export async function queryOrder(settings: Settings, ref: OrderRef, options: CallOptions): Promise<Order> {
  const data = await send(settings, { method: 'GET', path: 'trade', params: refFields(ref) }, options)
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

export async function closeOrder(settings: Settings, ref: OrderRef, options: CallOptions): Promise<ClosedOrder> {
  const data = await send(settings, { method: 'POST', path: 'close', params: refFields(ref) }, options)
  sameOrder(ref, data)
  const description = textOf(data, 'description')
  return {
    transactionNo: textOf(data, 'transaction_no'),
    mchTradeNo: textOf(data, 'mch_trade_no'),
    outcome: outcomeOf(textOf(data, 'code'), description),
    description,
  }
}

export async function closeEvidence(settings: Settings, ref: OrderRef, options: CallOptions): Promise<CloseEvidence> {
  const request = { method: 'GET', path: 'close/evidence', params: refFields(ref) } as const
  const data = await send(settings, request, options)
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

/** A new, unique number for an order or a refund of yours: the time in UTC and 80 random bits, 37 characters. */
export const newTradeNo = (): string =>
  `${new Date().toISOString().replace(/\D/g, '')}${randomBytes(10).toString('hex')}`

/** Checks the parameters of an order and gives them their names on the wire. */
export function orderFields(settings: Settings, params: OrderParams): Record<string, string> {
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

/** Code and description together name an outcome. A pair that this version does not know promises nothing: `closing`. */
function outcomeOf(code: string, description: string): CloseOutcome {
  if (code === CLOSE_ANSWERS.closed.code) return 'closed'
  const known = Object.entries(CLOSE_ANSWERS).find(
    ([, answer]) => answer.code === code && answer.description === description,
  )
  return (known?.[0] as CloseOutcome | undefined) ?? 'closing'
}

export type { CloseOutcome }
