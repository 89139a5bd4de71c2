/** The named schemas of the OpenAPI document: one for each request, answer, refusal, notification and row of a list. */
import { ANSWER_FIELDS, type AnswerName, type FieldShape, type Row } from '../answer-fields.ts'
import { ERRORS, FIELD_ERRORS_MAX } from '../errors.ts'
import { NOTIFICATION_FIELDS, type NotificationKind } from '../notifications.ts'
import { FIELDS, type FieldRule } from '../request-fields.ts'
import { SIGN_TYPE } from '../sign.ts'
import { CALLS, paragraphsOf, type Texts } from './calls.ts'
import { CODE_TEXTS } from './code-texts.ts'
import { ANSWER_TEXTS, NOTIFICATION_TEXTS, REQUEST_TEXTS, ROW_TEXTS } from './field-texts.ts'

export type Schema = { [keyword: string]: unknown }

export const refTo = (schema: string) => ({ $ref: `#/components/schemas/${schema}` })

const described = (texts: Texts | undefined) => (texts === undefined ? {} : { description: paragraphsOf(texts) })

const schemaName = (call: AnswerName, what: 'Request' | 'Answer'): string => {
  const { id } = CALLS[call]
  return `${id.charAt(0).toUpperCase()}${id.slice(1)}${what}`
}

export const requestName = (call: AnswerName): string => schemaName(call, 'Request')
export const answerName = (call: AnswerName): string => schemaName(call, 'Answer')

/** The rules of one call's parameters. */
export const rulesOf = (call: AnswerName): [string, FieldRule][] => Object.entries(FIELDS[CALLS[call].fields])

/** One parameter. What the gateway says of a text in the wrong form stands behind what the parameter is. */
export function parameterSchema(name: string, { max, pattern, says }: FieldRule): Schema {
  const { zh, en } = REQUEST_TEXTS[name as keyof typeof REQUEST_TEXTS]
  return {
    type: 'string',
    maxLength: max,
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
    ...described({ zh: says === undefined ? zh : `${zh}，${says}`, en }),
  }
}

const requestSchema = (call: AnswerName): Schema => ({
  type: 'object',
  description: paragraphsOf(CALLS[call]),
  required: rulesOf(call).flatMap(([name, { required }]) => (required ? [name] : [])),
  properties: Object.fromEntries(rulesOf(call).map(([name, rule]) => [name, parameterSchema(name, rule)])),
})

/** The rows of lists, by the field that holds the list as a text of JSON. */
const ROW_NAMES: Record<string, string> = {
  orders: 'ListedOrder',
  refunds: 'ListedRefund',
  notifications: 'ListedNotification',
  tries: 'NotificationTry',
  calls: 'LoggedCall',
  upstream_answers: 'UpstreamAnswer',
}

/** One field of an answer. The rows of a list are a schema of their own. */
function fieldSchema(name: string, shape: FieldShape, texts: Texts | undefined): Schema {
  const { contentSchema, description, ...rest } = shape
  const own = description === undefined ? described(texts) : { description }
  if (contentSchema === undefined) return { ...rest, ...own }
  return { ...rest, ...own, contentSchema: { type: 'array', items: refTo(ROW_NAMES[name] ?? name) } }
}

/** An object with all of these members. */
export function rowSchema(row: Row): Schema {
  const properties = Object.entries(row).map(([name, shape]) => [name, fieldSchema(name, shape, ROW_TEXTS[name])])
  return { type: 'object', required: Object.keys(row), properties: Object.fromEntries(properties) }
}

const signatureField = (name: 'mch_no' | 'nonce' | 'sign_type' | 'sign'): Schema => ({
  type: 'string',
  ...(name === 'sign_type' ? { enum: [SIGN_TYPE] } : {}),
  ...described(ANSWER_TEXTS[name]),
})

const SIGNED = {
  mch_no: signatureField('mch_no'),
  nonce: signatureField('nonce'),
  sign_type: signatureField('sign_type'),
  sign: signatureField('sign'),
}

/** Fields that only callers get who send their SDK's version: older SDKs fail on fields that they do not know. */
const isForNewSdks = (name: string): boolean => ['pay_channel', 'pay_method', 'refund_channel'].includes(name)

const envelope = (properties: Schema): Schema => ({
  type: 'object',
  required: ['status', 'message', 'fieldErrors', 'data'],
  properties,
})

function answerSchema(call: AnswerName): Schema {
  const fields: Row = ANSWER_FIELDS[call]
  const properties = Object.entries(fields).map(([name, shape]) => [
    name,
    fieldSchema(name, shape, name === 'code' ? CODE_TEXTS[call] : ANSWER_TEXTS[name as keyof typeof ANSWER_TEXTS]),
  ])
  const required = [...Object.keys(fields).filter((name) => !isForNewSdks(name)), ...Object.keys(SIGNED)]
  return envelope({
    status: { type: 'integer', enum: [200], description: '已处理，结果见 data\n\nProcessed; data has the result' },
    message: { type: 'string', enum: ['SUCCESS'] },
    fieldErrors: { type: 'null' },
    data: { type: 'object', required, properties: { ...Object.fromEntries(properties), ...SIGNED } },
  })
}

const REFUSAL = envelope({
  status: {
    type: 'integer',
    enum: Object.values(ERRORS).map(({ status }) => status),
    description: '错误码\n\nThe number of the error',
  },
  message: { type: 'string', enum: Object.keys(ERRORS), description: '错误名\n\nThe name of the error' },
  fieldErrors: {
    type: 'string',
    maxLength: FIELD_ERRORS_MAX,
    description: '哪个参数、什么原因\n\nIn Chinese: which parameter, and why',
  },
  data: {
    type: ['object', 'null'],
    required: Object.keys(SIGNED),
    properties: SIGNED,
    description:
      '请求的签名有效时，只含平台的签名；否则为 null\n\nOnly the signature of the platform; null where the signature of the request did not verify',
  },
})

function notificationSchema(kind: NotificationKind): Schema {
  const news = NOTIFICATION_FIELDS[kind].map((name) => [
    name,
    { type: ['string', 'null'], ...described(NOTIFICATION_TEXTS[name]) },
  ])
  const properties = {
    ...SIGNED,
    notify_time: { type: 'string', format: 'date-time', ...described(NOTIFICATION_TEXTS.notify_time) },
    ...Object.fromEntries(news),
  }
  return { type: 'object', required: Object.keys(properties), properties }
}

const HEARD_SCHEMA: Schema = {
  type: 'object',
  required: ['status'],
  properties: {
    status: {
      type: 'string',
      enum: ['SUCCESS', 'FAIL'],
      description: 'SUCCESS 已收到，FAIL 请重发\n\nSUCCESS: received; FAIL: send it again',
    },
    message: { type: 'string' },
  },
}

/** All of them, by name. */
export function schemas(): Record<string, Schema> {
  const calls = Object.keys(CALLS) as AnswerName[]
  const requests = calls.filter((call) => call.startsWith('post '))
  const rows = calls.flatMap((call) =>
    Object.entries<FieldShape>(ANSWER_FIELDS[call]).flatMap(([name, { contentSchema }]): [string, Schema][] =>
      contentSchema === undefined ? [] : [[ROW_NAMES[name] ?? name, rowSchema(contentSchema.items.properties)]],
    ),
  )
  return {
    ...Object.fromEntries(requests.map((call) => [requestName(call), requestSchema(call)])),
    ...Object.fromEntries(calls.map((call) => [answerName(call), answerSchema(call)])),
    Refusal: REFUSAL,
    ...Object.fromEntries(rows),
    PaymentNotification: notificationSchema('payment'),
    RefundNotification: notificationSchema('refund'),
    SentBackNotification: notificationSchema('sent_back'),
    NotificationReply: HEARD_SCHEMA,
  }
}
