/** Reads the gateway's notifications (spec 3.7): verifies the signature first, and only then reads the content. */
import type { KeyObject } from 'node:crypto'
import { type JsonObject, notificationText, SIGN_TYPE, verifyText } from '@acopay/protocol'
import { type AcoPayError, ParameterError, SignatureError, UnknownNotificationError } from './errors.ts'
import { readNumber, readPlatformKeys } from './options.ts'

/** What both events of a payment tell. */
export type PaymentFacts = {
  transactionNo: string
  mchTradeNo: string
  appNo: string
  /** The `extra` of the order. */
  extra: string | null
  /** The state in Chinese. */
  description: string
  /** Yuan with two decimals. */
  amountTotal: string
  amountCurrency: string
  /** When the payer paid. */
  successTime: Date
  /** The payer, as the platform names them. */
  acoid: string | null
  /** When this was sent: another time for each try. */
  notifyTime: Date
}

/** The order is paid. */
export type PaymentEvent = { kind: 'payment'; state: 'SUCCESS' } & PaymentFacts

/**
 * The payment was returned to the payer outside of the gateway: by WeChat Pay or Alipay, or by your own staff in their
 * pages. The order is no longer paid, and no part of it can be refunded.
 */
export type PaymentReturnedEvent = { kind: 'payment_returned'; state: 'REFUND' } & PaymentFacts

/** One of your refunds has ended. `FAIL`: the payer got no money back. */
export type RefundEvent = {
  kind: 'refund'
  state: 'SUCCESS' | 'FAIL'
  transactionNo: string
  mchTradeNo: string
  refundNo: string
  mchRefundNo: string
  /** The state in Chinese. */
  description: string
  /** Yuan with two decimals. */
  refundAmount: string
  /** Null when it failed. */
  successTime: Date | null
  refundReason: string | null
  /** When this was sent: another time for each try. */
  notifyTime: Date
}

/**
 * A payment that the order did not keep is back with the payer, in full; the order stays as it was. Comes only for apps in which this
 * notification is switched on (in the console, under the merchant's apps).
 */
export type SentBackEvent = {
  kind: 'sent_back'
  /** Paid after the order was closed, a second time, or with another amount. */
  why: 'LATE' | 'SECOND' | 'WRONG_AMOUNT'
  transactionNo: string
  mchTradeNo: string
  appNo: string
  /** The `extra` of the order. */
  extra: string | null
  /** The platform's number of the reversal, as in the bill. */
  reversalNo: string
  /** The reason in Chinese. */
  description: string
  /** The upstream's number of the payment. */
  paymentNo: string
  /** What was paid and sent back, with two decimals. */
  amount: string
  currency: string
  payChannel: string
  /** When the payer paid. */
  paidTime: Date
  /** When the money was back. */
  successTime: Date
  /** When this was sent: another time for each try. */
  notifyTime: Date
}

export type NotificationEvent = PaymentEvent | PaymentReturnedEvent | RefundEvent | SentBackEvent

export type Freshness = {
  /**
   * How far `notify_time` may be from this machine's clock, in ms; default 300 000 (5 minutes), Infinity to accept any
   * time. The gateway signs each try anew, also a resend after months, so an old time means a replayed request or a
   * wrong clock. A wrong clock loses nothing: the gateway tries for 24 hours, and the error mentions the clock. Against
   * a request replayed within minutes, and against the gateway's own repetitions, use a store.
   */
  toleranceMs?: number
  /** Replaces this machine's clock. */
  now?: () => Date
}

export type VerifyOptions = Freshness & {
  /** Base64 DER (SPKI) or PEM; a list while the platform changes its key. */
  platformPublicKey: string | readonly string[]
  /** Your merchant number: notifications for other merchants are refused. */
  mchNo: string
}

/**
 * Verifies a notification and returns its event. `rawBody` is the request's body before any JSON parser. Throws
 * SignatureError when it is not proven to be the platform's, for this merchant and recent; UnknownNotificationError
 * when it is, but this version cannot read it; ParameterError for a wrong option.
 */
export function verifyNotification(rawBody: string | Uint8Array, options: VerifyOptions): NotificationEvent {
  const seen = readNotification(rawBody, readVerifyOptions(options))
  if ('error' in seen) throw seen.error
  return seen.event
}

/**
 * The key under which a store remembers an event: the same for each delivery, although `nonce` and `notify_time`
 * change.
 */
export function eventIdOf(event: NotificationEvent): string {
  if (event.kind === 'sent_back') return `sent_back/${event.reversalNo}`
  const number = event.kind === 'refund' ? `refund/${event.refundNo}` : `payment/${event.transactionNo}`
  return `${number}/${event.state}`
}

export type Verifier = { mchNo: string; platformKeys: KeyObject[]; toleranceMs: number; now: () => Date }

export const readVerifyOptions = (options: VerifyOptions): Verifier => ({
  mchNo: readNumber('mchNo', options.mchNo),
  platformKeys: readPlatformKeys(options.platformPublicKey),
  ...readFreshness(options),
})

export function readFreshness({ toleranceMs = 300_000, now = () => new Date() }: Freshness) {
  if (typeof toleranceMs === 'number' && toleranceMs >= 0) return { toleranceMs, now }
  throw new ParameterError('toleranceMs', 'toleranceMs should be a number of milliseconds, or Infinity')
}

/**
 * `garbled`: not a notification. `forged`: not proven to be the platform's. `unknown`: proven, but of an unknown kind
 * or form.
 */
export type Seen = { event: NotificationEvent } | { why: 'garbled' | 'forged' | 'unknown'; error: AcoPayError }

export function readNotification(rawBody: string | Uint8Array, verifier: Verifier): Seen {
  const body = flatObject(rawBody)
  if (typeof body === 'string') return { why: 'garbled', error: new SignatureError(body) }
  const doubt = doubtAbout(body, verifier)
  if (doubt !== null) return { why: 'forged', error: new SignatureError(doubt) }
  const event = eventOf(body)
  if (event !== null) return { event }
  const content = `code ${body.code}, with ${Object.keys(body).join(', ')}`
  return {
    why: 'unknown',
    error: new UnknownNotificationError(`this version cannot read the notification: ${content}`),
  }
}

type Flat = Record<string, string | null>

/** The body's members, or the reason why it is not a notification. */
function flatObject(rawBody: string | Uint8Array): Flat | string {
  let text: string
  try {
    // Fatal: a replacement character would hide the bytes that were sent.
    text = typeof rawBody === 'string' ? rawBody : new TextDecoder('utf-8', { fatal: true }).decode(rawBody)
  } catch {
    return 'the body is not UTF-8'
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return `the body is not JSON; it has ${text.length} characters`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'the body is not a JSON object'
  const odd = Object.entries(value).find(([, member]) => member !== null && typeof member !== 'string')
  return odd === undefined ? (value as Flat) : `${odd[0]} is neither a text nor null`
}

/** Null when the notification is proven to be the platform's, for this merchant and recent. */
function doubtAbout(body: Flat, { mchNo, platformKeys, toleranceMs, now }: Verifier): string | null {
  const { sign, sign_type: signType } = body
  if (typeof sign !== 'string' || sign === '') return 'the notification is not signed'
  if (signType !== SIGN_TYPE) return `the notification's sign_type is not ${SIGN_TYPE}`
  // The canonical text writes each lone surrogate as '?', so the signature does not cover which one it is.
  if (Object.entries(body).some((member) => /\p{Surrogate}/u.test(member.join('')))) return 'a text is not Unicode'
  const text = notificationText(body as JsonObject)
  if (!platformKeys.some((key) => verifyText(text, sign, key))) {
    return "the notification's signature does not verify with platformPublicKey"
  }
  if (body.mch_no !== mchNo) return 'the notification is signed for another merchant'
  const sentAt = timeIn(body, 'notify_time')
  if (sentAt === null) return 'the notification has no notify_time'
  const ageMs = now().getTime() - sentAt.getTime()
  if (Math.abs(ageMs) <= toleranceMs) return null
  const off = `${Math.abs(Math.round(ageMs / 1000))} s in the ${ageMs > 0 ? 'past' : 'future'}`
  return `notify_time is ${off} by this machine's clock: a replayed request, or is the clock wrong?`
}

/** Null for a kind, state or form that this version does not know. */
function eventOf(body: Flat): NotificationEvent | null {
  if (typeof body.reversal_no === 'string') return sentBackOf(body)
  const isRefund = typeof body.refund_no === 'string'
  return isRefund ? refundOf(body) : paymentOf(body)
}

function paymentOf(body: Flat): PaymentEvent | PaymentReturnedEvent | null {
  const texts = textsIn(body, PAYMENT_TEXTS)
  const [successTime, notifyTime] = [timeIn(body, 'success_time'), timeIn(body, 'notify_time')]
  if (texts === null || successTime === null || notifyTime === null) return null
  const { extra = null, acoid = null } = body
  const facts: PaymentFacts = { ...texts, extra, acoid, successTime, notifyTime }
  if (body.code === 'SUCCESS') return { kind: 'payment', state: 'SUCCESS', ...facts }
  return body.code === 'REFUND' ? { kind: 'payment_returned', state: 'REFUND', ...facts } : null
}

function refundOf(body: Flat): RefundEvent | null {
  const texts = textsIn(body, REFUND_TEXTS)
  const [successTime, notifyTime] = [timeIn(body, 'success_time'), timeIn(body, 'notify_time')]
  if (texts === null || notifyTime === null) return null
  const facts = { ...texts, refundReason: body.refund_reason ?? null, notifyTime }
  if (body.code === 'FAIL') return { kind: 'refund', state: 'FAIL', ...facts, successTime }
  return body.code === 'SUCCESS' && successTime !== null
    ? { kind: 'refund', state: 'SUCCESS', ...facts, successTime }
    : null
}

function sentBackOf(body: Flat): SentBackEvent | null {
  const texts = textsIn(body, SENT_BACK_TEXTS)
  const [paidTime, successTime] = [timeIn(body, 'paid_time'), timeIn(body, 'success_time')]
  const notifyTime = timeIn(body, 'notify_time')
  const why = (['LATE', 'SECOND', 'WRONG_AMOUNT'] as const).find((known) => known === body.code)
  if (texts === null || paidTime === null || successTime === null || notifyTime === null) return null
  if (why === undefined) return null
  return { kind: 'sent_back', why, ...texts, extra: body.extra ?? null, paidTime, successTime, notifyTime }
}

/** The required texts, with their names on the wire. */
const PAYMENT_TEXTS = {
  transactionNo: 'transaction_no',
  mchTradeNo: 'mch_trade_no',
  appNo: 'app_no',
  description: 'description',
  amountTotal: 'amount_total',
  amountCurrency: 'amount_currency',
} as const

const REFUND_TEXTS = {
  transactionNo: 'transaction_no',
  mchTradeNo: 'mch_trade_no',
  refundNo: 'refund_no',
  mchRefundNo: 'mch_refund_no',
  description: 'description',
  refundAmount: 'refund_amount',
} as const

const SENT_BACK_TEXTS = {
  transactionNo: 'transaction_no',
  mchTradeNo: 'mch_trade_no',
  appNo: 'app_no',
  reversalNo: 'reversal_no',
  description: 'description',
  paymentNo: 'payment_no',
  amount: 'amount',
  currency: 'currency',
  payChannel: 'pay_channel',
} as const

/** Null when one of them is missing. */
function textsIn<Name extends string>(body: Flat, names: Record<Name, string>): Record<Name, string> | null {
  const texts = Object.entries<string>(names).map(([name, wireName]) => [name, body[wireName]] as const)
  return texts.every(([, text]) => typeof text === 'string')
    ? (Object.fromEntries(texts) as Record<Name, string>)
    : null
}

/** Null when it is missing or not a time. */
function timeIn(body: Flat, name: string): Date | null {
  const time = new Date(body[name] ?? '')
  return Number.isNaN(time.getTime()) ? null : time
}
