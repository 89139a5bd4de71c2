import { expect, it } from 'vitest'
import { ANSWER_FIELDS, type FieldShape } from './answer-fields.ts'

/**
 * The answer of each call, from spec/protocol.md 3.1 to 3.6, by hand; the calls on notifications and the proof of a close are
 * [ours]. `?`: or null. `a|b`: one of these words. `*`: only where the request has aco_pay_sdk (spec 1, rule 4).
 */
const EXPECTED = `
post trade
  app_no: text
  mch_trade_no: text
  transaction_no: text
  description: text
  code: SUCCESS
  cashier_url: text
get trade
  app_no: text
  mch_trade_no: text
  transaction_no: text
  description: text
  code: NOTPAY|CLOSING|CLOSED|SUCCESS|REFUND
  extra: text?
  success_time: time?
  acoid: text?
  amount_total: text
  pay_channel: text?*支付渠道 The channel of the payment
  pay_method: text?*支付方式 The method of the payment
post close
  mch_trade_no: text
  transaction_no: text
  description: text
  code: SUCCESS|FAIL
get close/evidence
  mch_trade_no: text
  transaction_no: text
  description: text
  code: CLOSED
  close_reason: text?
  fence_time: time
  close_time: time
  upstream_answers: application/json in a text: list of at: time, attemptNo: text, channel: text, verb: query|close, says: text, requestId: text?
  timeline_length: text
  timeline_hash: text
post refund
  app_no: text
  mch_trade_no: text
  transaction_no: text
  description: text
  mch_refund_no: text
  refund_no: text
  refund_amount: text
  code: PROCESSING|SUCCESS|FAIL
  refund_channel: text?*退款渠道 The channel of the refund
get refund
  mch_trade_no: text
  transaction_no: text
  description: text
  mch_refund_no: text
  refund_no: text
  refund_amount: text
  code: PROCESSING|SUCCESS|FAIL
  refund_reason: text
  success_time: time?
  refund_channel: text?*退款渠道 The channel of the refund
get bill
  code: SUCCESS|NO_BILL|BILL_NOT_EXIST
  description: text
  url: text?
  hash_code: text?
  hash_type: text?
get orders
  code: SUCCESS
  description: text
  orders: application/json in a text: list of app_no: text, mch_trade_no: text, transaction_no: text, code: NOTPAY|CLOSING|CLOSED|SUCCESS|REFUND, description: text, extra: text?, created_time: time, time_expire: time, success_time: time?, acoid: text?, amount_total: text, pay_channel: text?, pay_method: text?
  next: text?
get refunds
  code: SUCCESS
  description: text
  refunds: application/json in a text: list of mch_trade_no: text, transaction_no: text, mch_refund_no: text, refund_no: text, code: PROCESSING|SUCCESS|FAIL, description: text, refund_amount: text, refund_reason: text, created_time: time, success_time: time?, refund_channel: text?
  next: text?
get notifications
  code: SUCCESS
  description: text
  notifications: application/json in a text: list of transaction_no: text, seq: whole, kind: payment|refund|sent_back, state: PENDING|DELIVERED|DEAD, description: text, url: text, tries: whole, created_time: time, next_time: time?, last_time: time?, http_status: whole?, failure: text?
  next: text?
get notifications/tries
  code: SUCCESS
  description: text
  transaction_no: text
  tries: application/json in a text: list of time: time, ms: whole, http_status: whole?, reply: text?, failure: text?
post notifications/resend
  code: SUCCESS
  description: text
  resent: text
get calls
  code: SUCCESS
  description: text
  calls: application/json in a text: list of time: time, request_id: text, call: text, address: text, transaction_no: text?, mch_trade_no: text?, refund_no: text?, mch_refund_no: text?, status: whole, message: text, field_errors: text?, code: text?, ms: whole, signature: VERIFIED|NOT_CHECKED|NO_SIGNATURE|OTHER_KEY|OTHER_DIGEST|OTHER_TEXT, key_id: text?, signed_text: text?, sent: text?, signed_digest: text?, left_out: whole
  next: text?
`

const LATER = /，仅当请求带 aco_pay_sdk 时\n\n(.+), only where the request has aco_pay_sdk$/

/** One shape in the words of the table above; whatever has no such word stands there as JSON, and is seen. */
function wordOf({ type, format, enum: words, description, ...rest }: FieldShape): string {
  const { contentMediaType, contentSchema, ...others } = rest
  const isOrNull = typeof type !== 'string'
  const kind = isOrNull ? type.join() : type
  const names: Record<string, string> = {
    string: 'text',
    'string,null': 'text?',
    integer: 'whole',
    'integer,null': 'whole?',
  }
  const plain = format === undefined ? names[kind] : `${{ 'date-time': 'time' }[format]}${isOrNull ? '?' : ''}`
  const later = description?.replace(/^.*$/s, (found) =>
    LATER.test(found) ? `*${found.replace(LATER, ' $1')}` : found,
  )
  const list = contentSchema && `${contentMediaType} in a ${names[kind]}: ${listOf(contentSchema)}`
  const other = Object.keys(others).length > 0 ? JSON.stringify(others) : ''
  return `${list ?? words?.join('|') ?? plain}${later ?? ''}${other}`
}

function listOf({ type, items }: NonNullable<FieldShape['contentSchema']>): string {
  const names = Object.keys(items.properties)
  expect([type, items.type, [...items.required]]).toEqual(['array', 'object', names])
  return `list of ${names.map((name) => `${name}: ${wordOf(items.properties[name] as FieldShape)}`).join(', ')}`
}

it('every call answers the fields of the specification, in their shapes', () => {
  const listed = Object.entries(ANSWER_FIELDS).flatMap(([call, fields]) => [
    call,
    ...Object.entries(fields).map(([name, shape]) => `  ${name}: ${wordOf(shape)}`),
  ])
  expect(listed).toEqual(EXPECTED.trim().split('\n'))
})

it('every word is a text', () => {
  const withWords = Object.values(ANSWER_FIELDS)
    .flatMap((fields) => Object.values(fields) as FieldShape[])
    .filter((shape) => shape.enum !== undefined)
  expect(withWords.map(({ type }) => type)).toEqual(withWords.map(() => 'string'))
})
