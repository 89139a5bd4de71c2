/** What the gateway tells a merchant (spec 3.7): proven to be the platform's first, and only then read. */
import type { KeyObject } from 'node:crypto'
import { type JsonObject, notificationText, SIGN_TYPE, verifyText } from '@acopay/protocol'
import { type AcoPayError, ParameterError, SignatureError, UnknownNotificationError } from './errors.ts'
import { readNumber, readPlatformKeys } from './options.ts'

type PaymentFacts = {
  transactionNo: string
  mchTradeNo: string
  appNo: string
  /** As the order was placed with it. */
  extra: string | null
  /** The state in Chinese. */
  description: string
  /** Yuan with two decimals. */
  amountTotal: string
  amountCurrency: string
  /** When it was paid. */
  successTime: Date
  /** The payer, as the platform names them. */
  acoid: string | null
  /** When this was sent: another time for each try. */
  notifyTime: Date
}

/** The order is paid. */
export type PaymentEvent = { kind: 'payment'; state: 'SUCCESS' } & PaymentFacts

/**
 * What was paid went back to the payer outside of the gateway: by WeChat Pay or Alipay, or by your own staff in their
 * pages. The order is not paid any more, and nothing of it can be refunded.
 */
export type PaymentReturnedEvent = { kind: 'payment_returned'; state: 'REFUND' } & PaymentFacts

/** How a refund of yours ended. `FAIL`: no money went back. */
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

export type NotificationEvent = PaymentEvent | PaymentReturnedEvent | RefundEvent

export type Freshness = {
  /**
   * How far `notify_time` may be from this machine's clock, in ms; default 5 minutes, Infinity to believe any. Each try
   * is signed anew, also one sent by hand after months, so an old time means a recording or a wrong clock. A wrong clock
   * loses nothing: the gateway tries for 24 hours, and the error names the clock. Against a recording of the last minutes
   * only a store helps, as against the gateway's own repetitions.
   */
  toleranceMs?: number
  /** Stands in for this machine's clock. */
  now?: () => Date
}

export type VerifyOptions = Freshness & {
  /** Base64 DER (SPKI) or PEM; several while the platform changes its key. */
  platformPublicKey: string | readonly string[]
  /** Yours: what is meant for another merchant is refused. */
  mchNo: string
}

/**
 * What a notification says, once it is proven to be the platform's and for you. `rawBody` is the request's body as it
 * came, before any JSON parser. Throws SignatureError for what is not proven, UnknownNotificationError for what is but
 * this version cannot read, ParameterError for a wrong option.
 */
export function verifyNotification(rawBody: string | Uint8Array, options: VerifyOptions): NotificationEvent {
  const seen = readNotification(rawBody, readVerifyOptions(options))
  if ('error' in seen) throw seen.error
  return seen.event
}

/** The same for every delivery of one event, whose `nonce` and `notify_time` change: what a store remembers. */
export const eventIdOf = (event: NotificationEvent): string =>
  event.kind === 'refund' ? `refund/${event.refundNo}/${event.state}` : `payment/${event.transactionNo}/${event.state}`

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

/** `garbled`: no notification at all. `forged`: not proven. `unknown`: proven, but not understood. */
export type Seen = { event: NotificationEvent } | { why: 'garbled' | 'forged' | 'unknown'; error: AcoPayError }

export function readNotification(rawBody: string | Uint8Array, verifier: Verifier): Seen {
  const body = flatObject(rawBody)
  if (typeof body === 'string') return { why: 'garbled', error: new SignatureError(body) }
  const doubt = doubtAbout(body, verifier)
  if (doubt !== null) return { why: 'forged', error: new SignatureError(doubt) }
  const event = eventOf(body)
  if (event !== null) return { event }
  const told = `code ${body.code}, with ${Object.keys(body).join(', ')}`
  return {
    why: 'unknown',
    error: new UnknownNotificationError(`the platform told what this version cannot read: ${told}`),
  }
}

type Flat = Record<string, string | null>

/** The body's members, or why it is no notification. */
function flatObject(rawBody: string | Uint8Array): Flat | string {
  let text: string
  try {
    // Strictly: a replacement character would hide what was sent.
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

/** Null when it is proven: by the platform, for this merchant, lately. */
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
  return `notify_time is ${off} by this machine's clock: sent again by a stranger, or is the clock wrong?`
}

/** Null for a kind, a state or a form that this version does not know. */
function eventOf(body: Flat): NotificationEvent | null {
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

/** Texts without which nothing can be done, by their names on the wire. */
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
