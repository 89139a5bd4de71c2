/**
 * The answer of each call, field by field, as JSON Schema. The server's answers must have the types of this table
 * (`Answer`), and the OpenAPI document is generated from it.
 */
import { BILL_ANSWERS, CLOSE_ANSWERS, NOTIFICATION_ANSWERS, REFUND_ANSWERS, STATE_ANSWERS } from './answers.ts'

export type Row = { [name: string]: FieldShape }

export type FieldShape = {
  type: 'string' | 'integer' | readonly ['string', 'null'] | readonly ['integer', 'null']
  format?: 'date-time'
  enum?: readonly (string | null)[]
  description?: string
  /** A text that contains JSON, because the contract's fields do not nest. */
  contentMediaType?: 'application/json'
  contentSchema?: { type: 'array'; items: { type: 'object'; required: readonly string[]; properties: Row } }
}

export const text = { type: 'string' } as const
export const textOrNull = { type: ['string', 'null'] } as const
const whole = { type: 'integer' } as const
const wholeOrNull = { type: ['integer', 'null'] } as const
export const time = { type: 'string', format: 'date-time' } as const
export const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const

export const oneOf = <const Word extends string>(...words: Word[]) => ({ type: 'string', enum: words }) as const

const codeOf = <Words extends string>(answers: Record<string, { code: Words }>) =>
  oneOf(...new Set(Object.values(answers).map(({ code }) => code)))

const nameOf = <Name extends string>(answers: Record<Name, unknown>) => oneOf(...(Object.keys(answers) as Name[]))

const listIn = (properties: Row) =>
  ({
    type: 'string',
    contentMediaType: 'application/json',
    contentSchema: { type: 'array', items: { type: 'object', required: Object.keys(properties), properties } },
  }) as const

/** A field that only callers get who send their SDK's version: older SDKs fail on fields they do not know. */
const toNewSdks = (zh: string, en: string) =>
  ({
    ...textOrNull,
    description: `${zh}，仅当请求带 aco_pay_sdk 时\n\n${en}, only where the request has aco_pay_sdk`,
  }) as const

/** One order of `GET orders`: what a query answers of it, and when it was placed and expires. */
const LISTED_ORDER = {
  app_no: text,
  mch_trade_no: text,
  transaction_no: text,
  code: nameOf(STATE_ANSWERS),
  description: text,
  extra: textOrNull,
  created_time: time,
  time_expire: time,
  success_time: timeOrNull,
  acoid: textOrNull,
  amount_total: text,
  pay_channel: textOrNull,
  pay_method: textOrNull,
} as const satisfies Row

/** One refund of `GET refunds`. */
const LISTED_REFUND = {
  mch_trade_no: text,
  transaction_no: text,
  mch_refund_no: text,
  refund_no: text,
  code: nameOf(REFUND_ANSWERS),
  description: text,
  refund_amount: text,
  refund_reason: text,
  created_time: time,
  success_time: timeOrNull,
  refund_channel: textOrNull,
} as const satisfies Row

/** One notification of `GET notifications`. */
const NOTIFICATION = {
  transaction_no: text,
  seq: whole,
  kind: oneOf('payment', 'refund', 'sent_back'),
  state: nameOf(NOTIFICATION_ANSWERS),
  description: text,
  url: text,
  tries: whole,
  created_time: time,
  next_time: timeOrNull,
  last_time: timeOrNull,
  http_status: wholeOrNull,
  failure: textOrNull,
} as const satisfies Row

/** One try of `GET notifications/tries`. */
const TRY = { time, ms: whole, http_status: wholeOrNull, reply: textOrNull, failure: textOrNull } as const satisfies Row

/** One call of `GET calls`. */
const CALL = {
  time,
  request_id: text,
  call: text,
  address: text,
  transaction_no: textOrNull,
  mch_trade_no: textOrNull,
  refund_no: textOrNull,
  mch_refund_no: textOrNull,
  status: whole,
  message: text,
  field_errors: textOrNull,
  code: textOrNull,
  ms: whole,
  signature: oneOf('VERIFIED', 'NOT_CHECKED', 'NO_SIGNATURE', 'OTHER_KEY', 'OTHER_DIGEST', 'OTHER_TEXT'),
  key_id: textOrNull,
  signed_text: textOrNull,
  sent: textOrNull,
  signed_digest: textOrNull,
  left_out: whole,
} as const satisfies Row

/** One entry of `upstream_answers`: an exchange with an upstream while the gateway closed the order. */
const EXCHANGE = {
  at: time,
  attemptNo: text,
  channel: text,
  verb: oneOf('query', 'close'),
  says: text,
  requestId: textOrNull,
} as const satisfies Row

const ORDER = { mch_trade_no: text, transaction_no: text, description: text } as const
const REFUND = { ...ORDER, mch_refund_no: text, refund_no: text, refund_amount: text } as const
const DONE = { code: oneOf('SUCCESS'), description: text } as const

/** By method and path. Every signed answer also has `mch_no`, `nonce`, `sign_type` and `sign`. */
export const ANSWER_FIELDS = {
  'post trade': { app_no: text, ...ORDER, code: oneOf('SUCCESS'), cashier_url: text },
  'get trade': {
    app_no: text,
    ...ORDER,
    code: nameOf(STATE_ANSWERS),
    extra: textOrNull,
    success_time: timeOrNull,
    acoid: textOrNull,
    amount_total: text,
    pay_channel: toNewSdks('支付渠道', 'The channel of the payment'),
    pay_method: toNewSdks('支付方式', 'The method of the payment'),
  },
  'post close': { ...ORDER, code: codeOf(CLOSE_ANSWERS) },
  'get close/evidence': {
    ...ORDER,
    code: oneOf('CLOSED'),
    close_reason: textOrNull,
    fence_time: time,
    close_time: time,
    upstream_answers: listIn(EXCHANGE),
    timeline_length: text,
    timeline_hash: text,
  },
  'post refund': {
    app_no: text,
    ...REFUND,
    code: nameOf(REFUND_ANSWERS),
    refund_channel: toNewSdks('退款渠道', 'The channel of the refund'),
  },
  'get refund': {
    ...REFUND,
    code: nameOf(REFUND_ANSWERS),
    refund_reason: text,
    success_time: timeOrNull,
    refund_channel: toNewSdks('退款渠道', 'The channel of the refund'),
  },
  'get bill': {
    code: codeOf(BILL_ANSWERS),
    description: text,
    url: textOrNull,
    hash_code: textOrNull,
    hash_type: textOrNull,
  },
  'get orders': { ...DONE, orders: listIn(LISTED_ORDER), next: textOrNull },
  'get refunds': { ...DONE, refunds: listIn(LISTED_REFUND), next: textOrNull },
  'get notifications': { ...DONE, notifications: listIn(NOTIFICATION), next: textOrNull },
  'get notifications/tries': { ...DONE, transaction_no: text, tries: listIn(TRY) },
  'post notifications/resend': { ...DONE, resent: text },
  'get calls': { ...DONE, calls: listIn(CALL), next: textOrNull },
} as const satisfies Record<string, Row>

export type AnswerName = keyof typeof ANSWER_FIELDS

type ValueOf<Shape> = Shape extends { enum: readonly (infer Word)[] }
  ? Word
  : Shape extends { type: 'integer' }
    ? number
    : Shape extends { type: readonly ['integer', 'null'] }
      ? number | null
      : Shape extends { type: readonly ['string', 'null'] }
        ? string | null
        : string

export type ValuesOf<Fields> = { [Name in keyof Fields]: ValueOf<Fields[Name]> }

export type ListedOrder = ValuesOf<typeof LISTED_ORDER>
export type ListedRefund = ValuesOf<typeof LISTED_REFUND>
export type ListedNotification = ValuesOf<typeof NOTIFICATION>
export type ListedTry = ValuesOf<typeof TRY>
export type ListedCall = ValuesOf<typeof CALL>
export type ListedExchange = ValuesOf<typeof EXCHANGE>

/** Fields that older SDKs do not get. */
type Later = 'pay_channel' | 'pay_method' | 'refund_channel'

/** The exact type of one call's answer: `{…} satisfies Answer<'get trade'>`. */
export type Answer<Name extends AnswerName> = Omit<ValuesOf<(typeof ANSWER_FIELDS)[Name]>, Later> &
  Partial<Pick<ValuesOf<(typeof ANSWER_FIELDS)[Name]>, Extract<keyof (typeof ANSWER_FIELDS)[Name], Later>>>
