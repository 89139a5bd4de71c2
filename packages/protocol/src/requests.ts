/**
 * The requests of merchants, field by field (spec/protocol.md, section 3). A request is parsed once, here; the rest of
 * the gateway relies on the parsed types. Messages are Chinese, name the field and fit `fieldErrors`.
 */
import type { RefundState, STATE_ANSWERS } from './answers.ts'
import type { JsonObject, JsonValue } from './canonical.ts'
import { isRefusal, notAText, type Refusal, refuse, refuseField } from './errors.ts'
import { isInCalendar, parseNotifyUrl, parseTime } from './field-forms.ts'
import { foreignMember } from './foreign-members.ts'
import { FIELDS, type FieldRule } from './request-fields.ts'

// U+0000 cannot be stored as text; a lone surrogate is not a character and is signed as '?'.
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for
const UNSTORABLE = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** One field's text, null when it is absent, or a refusal. An optional field that is empty is absent. */
function readField(name: string, value: JsonValue | undefined, rule: FieldRule): string | null | Refusal {
  if (value === undefined || value === null || value === '') {
    return rule.required ? refuseField(name, '必填') : null
  }
  if (typeof value !== 'string') return notAText(name, value)
  if (value.length > rule.max) return refuseField(name, `不能超过${rule.max}个字符`)
  if (UNSTORABLE.test(value)) return refuseField(name, '含有无效字符')
  if (rule.pattern && !rule.pattern.test(value)) return refuseField(name, rule.says)
  return value
}

type Texts<Rules extends Record<string, FieldRule>> = {
  [Name in keyof Rules]: Rules[Name]['required'] extends true ? string : string | null
}

function readFields<Rules extends Record<string, FieldRule>>(params: JsonObject, rules: Rules): Texts<Rules> | Refusal {
  const texts: Record<string, string | null> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const text = readField(name, Object.hasOwn(params, name) ? params[name] : undefined, rule)
    if (text !== null && typeof text !== 'string') return text
    texts[name] = text
  }
  return texts as Texts<Rules>
}

/** The texts of every call but placing: signed for this call, they fit no other one that has other members. */
const readOwnFields = <Rules extends Record<string, FieldRule>>(params: JsonObject, rules: Rules) =>
  foreignMember(params, rules) ?? readFields(params, rules)

/** How a merchant names an order: by the platform's number or by its own; the platform's wins (spec 3). */
export type OrderRef = { transactionNo: string } | { mchTradeNo: string }

function readOrderRef(params: JsonObject, rules: typeof FIELDS.close | typeof FIELDS.query): OrderRef | Refusal {
  const texts = readOwnFields(params, rules)
  if (isRefusal(texts)) return texts
  return orderRefOf(texts) ?? NO_ORDER
}

const NO_ORDER = refuse('PARAM_ERROR', 'transaction_no 与 mch_trade_no 至少填一个')

/** Null when neither number was given. */
function orderRefOf(texts: { transaction_no: string | null; mch_trade_no: string | null }): OrderRef | null {
  if (texts.transaction_no !== null) return { transactionNo: texts.transaction_no }
  return texts.mch_trade_no === null ? null : { mchTradeNo: texts.mch_trade_no }
}

/** `POST close` (spec 3.1). */
export const parseCloseOrder = (params: JsonObject): OrderRef | Refusal => readOrderRef(params, FIELDS.close)

/** `GET trade` (spec 3.3). */
export const parseQueryOrder = (params: JsonObject): OrderRef | Refusal => readOrderRef(params, FIELDS.query)

/** `POST trade` (spec 3.2), before money is read: `amountTotal` is the text, for the core to parse. */
export type PlaceOrder = {
  appNo: string
  mchTradeNo: string
  description: string
  amountTotal: string
  timeExpire: Date | null
  extra: string | null
  notifyUrl: string | null
}

export function parsePlaceOrder(params: JsonObject, rule: { loopbackHttp: boolean }): PlaceOrder | Refusal {
  const texts = readFields(params, FIELDS.place)
  if (isRefusal(texts)) return texts
  const timeExpire = texts.time_expire === null ? null : parseTime('time_expire', texts.time_expire)
  if (timeExpire !== null && !(timeExpire instanceof Date)) return timeExpire
  const notifyUrl = texts.notify_url === null ? null : parseNotifyUrl('notify_url', texts.notify_url, rule)
  if (notifyUrl !== null && typeof notifyUrl !== 'string') return notifyUrl
  return {
    appNo: texts.app_no,
    mchTradeNo: texts.mch_trade_no,
    description: texts.description,
    amountTotal: texts.amount_total,
    timeExpire,
    extra: texts.extra,
    notifyUrl,
  }
}

/** `POST refund` (spec 3.4), before money is read: `refundAmount` is the text, for the core to parse. */
export type RefundOrder = {
  ref: OrderRef
  mchRefundNo: string
  refundAmount: string
  refundReason: string
  notifyUrl: string | null
}

export function parseRefundOrder(params: JsonObject, rule: { loopbackHttp: boolean }): RefundOrder | Refusal {
  const texts = readOwnFields(params, FIELDS.refund)
  if (isRefusal(texts)) return texts
  const ref = orderRefOf(texts)
  if (ref === null) return NO_ORDER
  const notifyUrl = texts.notify_url === null ? null : parseNotifyUrl('notify_url', texts.notify_url, rule)
  if (notifyUrl !== null && typeof notifyUrl !== 'string') return notifyUrl
  const { mch_refund_no: mchRefundNo, refund_amount: refundAmount, refund_reason: refundReason } = texts
  return { ref, mchRefundNo, refundAmount, refundReason, notifyUrl }
}

/** How a merchant names a refund: by the platform's number or by its own; the platform's wins (spec 3). */
export type RefundRef = { refundNo: string } | { mchRefundNo: string }

/** `GET refund` (spec 3.5). */
export function parseQueryRefund(params: JsonObject): RefundRef | Refusal {
  const texts = readOwnFields(params, FIELDS.queryRefund)
  if (isRefusal(texts)) return texts
  return refundRefOf(texts) ?? refuse('PARAM_ERROR', 'refund_no 与 mch_refund_no 至少填一个')
}

/** Null when neither number was given. */
function refundRefOf(texts: { refund_no: string | null; mch_refund_no: string | null }): RefundRef | null {
  if (texts.refund_no !== null) return { refundNo: texts.refund_no }
  return texts.mch_refund_no === null ? null : { mchRefundNo: texts.mch_refund_no }
}

/** Moments `from` on and before `until`. */
export type Period = { from: Date | null; until: Date | null }

function readPeriod(texts: { from: string | null; until: string | null }): Period | Refusal {
  const from = texts.from === null ? null : parseTime('from', texts.from)
  if (from !== null && !(from instanceof Date)) return from
  const until = texts.until === null ? null : parseTime('until', texts.until)
  if (until !== null && !(until instanceof Date)) return until
  return { from, until }
}

/** The period of a list: one in which nothing can lie is a mistake of the caller's. */
function readListPeriod(texts: { from: string | null; until: string | null }): Period | Refusal {
  const period = readPeriod(texts)
  if (isRefusal(period) || period.from === null || period.until === null) return period
  return period.from < period.until ? period : refuseField('until', '应晚于from')
}

/** `GET orders` [ours]; `before` is the `next` of the previous page: the number of its last order. */
export type ListOrders = Period & {
  ref: OrderRef | null
  appNo: string | null
  state: keyof typeof STATE_ANSWERS | null
  before: string | null
}

export function parseListOrders(params: JsonObject): ListOrders | Refusal {
  const texts = readOwnFields(params, FIELDS.orders)
  if (isRefusal(texts)) return texts
  const period = readListPeriod(texts)
  if (isRefusal(period)) return period
  const { app_no: appNo, before } = texts
  return { ref: orderRefOf(texts), appNo, state: texts.state as ListOrders['state'], ...period, before }
}

/** `GET refunds` [ours]; `ref` names the order, `refundRef` the refund, `before` is the `next` of the previous page. */
export type ListRefunds = Period & {
  ref: OrderRef | null
  refundRef: RefundRef | null
  state: RefundState | null
  before: string | null
}

export function parseListRefunds(params: JsonObject): ListRefunds | Refusal {
  const texts = readOwnFields(params, FIELDS.refunds)
  if (isRefusal(texts)) return texts
  const period = readListPeriod(texts)
  if (isRefusal(period)) return period
  const refs = { ref: orderRefOf(texts), refundRef: refundRefOf(texts) }
  return { ...refs, state: texts.state as ListRefunds['state'], ...period, before: texts.before }
}

/** `GET notifications` [ours]; `before` is the `next` of the previous page. */
export type ListNotifications = {
  ref: OrderRef | null
  state: 'PENDING' | 'DELIVERED' | 'DEAD' | null
  before: { createdAt: Date; transactionNo: string; seq: number } | null
}

export function parseListNotifications(params: JsonObject): ListNotifications | Refusal {
  const texts = readOwnFields(params, FIELDS.notifications)
  if (isRefusal(texts)) return texts
  const before = texts.before === null ? null : placeOf(texts.before)
  return { ref: orderRefOf(texts), state: texts.state as ListNotifications['state'], before }
}

/** `FIELDS` has held the text to its form. */
function placeOf(text: string): NonNullable<ListNotifications['before']> {
  const [createdMs, transactionNo, seq] = text.split('.') as [string, string, string]
  return { createdAt: new Date(Number(createdMs)), transactionNo, seq: Number(seq) }
}

/** `GET notifications/tries` [ours]. */
export function parseNotificationTries(params: JsonObject): { ref: OrderRef; seq: number } | Refusal {
  const texts = readOwnFields(params, FIELDS.notificationTries)
  if (isRefusal(texts)) return texts
  const ref = orderRefOf(texts)
  return ref === null ? NO_ORDER : { ref, seq: Number(texts.seq) }
}

/** `POST notifications/resend` [ours]: all notifications of an order, one of them, or the dead letters of a period. */
export type Resend = { ref: OrderRef; seq: number | null } | { dead: Period }

export function parseResend(params: JsonObject): Resend | Refusal {
  const texts = readOwnFields(params, FIELDS.resend)
  if (isRefusal(texts)) return texts
  const ref = orderRefOf(texts)
  const period = readPeriod(texts)
  if (isRefusal(period)) return period
  if (ref === null) {
    if (texts.seq !== null) return NO_ORDER
    if (texts.state === null) return refuse('PARAM_ERROR', '请填订单号, 或 state=DEAD')
    return { dead: period }
  }
  const given = { state: texts.state, ...period }
  const surplus = Object.entries(given).find(([, value]) => value !== null)
  if (surplus !== undefined) return refuseField(surplus[0], '不能与订单号同时使用')
  return { ref, seq: texts.seq === null ? null : Number(texts.seq) }
}

/** `GET calls` [ours]; `before` is the `next` of the previous page. */
export type ListCalls = {
  call: string | null
  status: number | null
  number: string | null
  from: Date | null
  before: { at: Date; requestId: string } | null
}

export function parseListCalls(params: JsonObject): ListCalls | Refusal {
  const texts = readOwnFields(params, FIELDS.calls)
  if (isRefusal(texts)) return texts
  const from = texts.from === null ? null : parseTime('from', texts.from)
  if (from !== null && !(from instanceof Date)) return from
  const [atMs, requestId] = (texts.before ?? '').split('.') as [string, string]
  return {
    call: texts.call,
    status: texts.status === null ? null : Number(texts.status),
    number: texts.number,
    from,
    before: texts.before === null ? null : { at: new Date(Number(atMs)), requestId },
  }
}

/** `GET bill` (spec 3.6): a day of the calendar, `yyyy-MM-dd`. Whether it has a bill is not checked here. */
export function parseQueryBill(params: JsonObject): { day: string } | Refusal {
  const texts = readOwnFields(params, FIELDS.bill)
  if (isRefusal(texts)) return texts
  const { bill_date: day } = texts
  if (isInCalendar(/^(\d{4})-(\d\d)-(\d\d)$/.exec(day))) return { day }
  return refuseField('bill_date', '应为日期,如2026-01-31')
}
