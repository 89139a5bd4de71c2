/**
 * The transactions API and the calls of the payer's page as an OpenAPI 3.1 document, generated from the server's own
 * tables.
 */
import { ANSWER_FIELDS, type AnswerName, type FieldShape } from './answer-fields.ts'
import { BASE_PATH, NOTIFICATION_ANSWERS } from './answers.ts'
import { cashierPaths } from './cashier.ts'
import { ERRORS, FIELD_ERRORS_MAX } from './errors.ts'
import { NOTIFICATION_FIELDS } from './notifications.ts'
import { FIELDS, type FieldRule } from './requests.ts'
import { SIGN_TYPE } from './sign.ts'

type Call = { fields: keyof typeof FIELDS; zh: string; en: string }

/** A call that is missing here or in the table of answers does not compile. */
const CALLS: Record<AnswerName, Call> = {
  'post trade': { fields: 'place', zh: '下单', en: 'Place an order' },
  'get trade': { fields: 'query', zh: '查询订单', en: 'Query an order' },
  'post close': { fields: 'close', zh: '关单', en: 'Close an order' },
  'get close/evidence': { fields: 'query', zh: '关单凭证', en: 'Proof of a close' },
  'post refund': { fields: 'refund', zh: '退款', en: 'Refund' },
  'get refund': { fields: 'queryRefund', zh: '查询退款', en: 'Query a refund' },
  'get bill': { fields: 'bill', zh: '对账单', en: "The day's bill" },
  'get notifications': { fields: 'notifications', zh: '查询通知', en: 'List notifications' },
  'get notifications/tries': { fields: 'notificationTries', zh: '通知的尝试', en: "A notification's tries" },
  'post notifications/resend': { fields: 'resend', zh: '重发通知', en: 'Send notifications again' },
}

export type Operation = Call & { method: 'get' | 'post'; path: string; answers: Record<string, FieldShape> }

export const OPERATIONS: readonly Operation[] = (Object.keys(CALLS) as AnswerName[]).map((name) => ({
  ...CALLS[name],
  method: name.startsWith('post ') ? 'post' : 'get',
  path: name.slice(name.indexOf(' ') + 1),
  answers: ANSWER_FIELDS[name],
}))

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const

const schemaOf = ({ max, pattern, says }: FieldRule) => ({
  type: 'string',
  maxLength: max,
  ...(pattern === undefined ? {} : { pattern: pattern.source }),
  ...(says === undefined ? {} : { description: says }),
})

const rulesOf = ({ fields }: Operation): [string, FieldRule][] => Object.entries(FIELDS[fields])

const bodyOf = (operation: Operation) => ({
  type: 'object',
  required: rulesOf(operation).flatMap(([name, { required }]) => (required ? [name] : [])),
  properties: Object.fromEntries(rulesOf(operation).map(([name, rule]) => [name, schemaOf(rule)])),
})

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  schema: text,
  description,
})

const SIGNATURE_HEADERS = [
  header('x-acopay-mch-no', '商户号 the merchant number'),
  header('x-acopay-nonce', '随机串，1至32个字符，不得重复 random, used once, 1 to 32 characters'),
  header('x-acopay-sign-type', SIGN_TYPE),
  header('x-acopay-sign', '签名，Base64 the signature over the canonical text, Base64 (docs/ARCHITECTURE.md)'),
]

const operationOf = (operation: Operation) => ({
  operationId: `${operation.method}_${operation.path.replace('/', '_')}`,
  summary: `${operation.zh} ${operation.en}`,
  parameters: [
    ...SIGNATURE_HEADERS,
    ...(operation.method === 'post'
      ? []
      : rulesOf(operation).map(([name, rule]) => ({
          name,
          in: 'query',
          required: rule.required,
          schema: schemaOf(rule),
        }))),
  ],
  ...(operation.method === 'get'
    ? {}
    : { requestBody: { required: true, content: { 'application/json': { schema: bodyOf(operation) } } } }),
  responses: {
    200: {
      description: '处理结果：status 为 200 时看 data.code，否则看 status 与 fieldErrors (the result)',
      content: { 'application/json': { schema: envelopeOf(operation) } },
    },
  },
})

const SIGNED = { mch_no: textOrNull, nonce: textOrNull, sign_type: textOrNull, sign: textOrNull }

const envelopeOf = ({ answers }: Operation) => ({
  type: 'object',
  required: ['status', 'message', 'fieldErrors', 'data'],
  properties: {
    status: { type: 'integer', enum: [200, ...Object.values(ERRORS).map(({ status }) => status)] },
    message: { ...text, enum: ['SUCCESS', ...Object.keys(ERRORS)] },
    fieldErrors: { ...textOrNull, maxLength: FIELD_ERRORS_MAX },
    data: {
      type: ['object', 'null'],
      description: '处理成功时含所有字段，否则只有签名字段 (all fields on success, else those of the signature only)',
      properties: { ...answers, ...SIGNED },
    },
  },
})

const notificationOf = (kind: keyof typeof NOTIFICATION_FIELDS) => ({
  post: {
    summary: kind === 'payment' ? '支付通知 of a payment' : '退款通知 of a refund',
    requestBody: {
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: Object.fromEntries(
              ['mch_no', 'nonce', 'sign_type', 'notify_time', 'sign', ...NOTIFICATION_FIELDS[kind]].map((name) => [
                name,
                textOrNull,
              ]),
            ),
          },
        },
      },
    },
    responses: { 200: { description: '{"status":"SUCCESS"}: 已收到，不再通知 (heard)' } },
  },
})

/** The document. `serverUrl` is the gateway's address. */
export function openApi(serverUrl: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) {
    const path = `/${operation.path}`
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: '翼辉支付 ACO Pay transactions API',
      version: '1.0.0',
      description: Object.entries(ERRORS)
        .map(([name, { status, zh, en }]) => `- ${status} ${name}: ${zh} ${en}`)
        .join('\n'),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // The cashier's paths name a server of their own: they are not below the path of the signed calls.
    servers: [{ url: serverUrl + BASE_PATH.replace(/\/$/, '') }],
    paths: { ...paths, ...cashierPaths(serverUrl) },
    webhooks: { payment: notificationOf('payment'), refund: notificationOf('refund') },
    'x-notification-states': NOTIFICATION_ANSWERS,
  }
}
