/** The transactions API as an OpenAPI 3.1 document, made of the tables that the server reads and answers by. */
import {
  BASE_PATH,
  BILL_ANSWERS,
  CLOSE_ANSWERS,
  NOTIFICATION_ANSWERS,
  REFUND_ANSWERS,
  STATE_ANSWERS,
} from './answers.ts'
import { ERRORS, FIELD_ERRORS_MAX } from './errors.ts'
import { NOTIFICATION_FIELDS } from './notifications.ts'
import { FIELDS, type FieldRule } from './requests.ts'
import { SIGN_TYPE } from './sign.ts'

export type Operation = {
  method: 'get' | 'post'
  path: string
  fields: keyof typeof FIELDS
  zh: string
  en: string
  /** Fields of a successful answer's `data`, beside the four that every signed answer has. */
  answers: readonly string[]
  codes: readonly string[]
}

const wordsOf = (answers: Record<string, { code: string }>): string[] => [
  ...new Set(Object.values(answers).map(({ code }) => code)),
]

const ORDER = ['mch_trade_no', 'transaction_no', 'code', 'description'] as const
const REFUND = [...ORDER, 'mch_refund_no', 'refund_no', 'refund_amount', 'refund_channel'] as const
const CLOSE_PROOF = ['close_reason', 'fence_time', 'close_time', 'upstream_answers', 'timeline_length', 'timeline_hash']
const BILL_FILE = ['url', 'hash_code', 'hash_type']
const PAID = ['app_no', 'extra', 'success_time', 'acoid', 'amount_total', 'pay_channel', 'pay_method']

export const OPERATIONS: readonly Operation[] = [
  {
    ...{ method: 'post', path: 'trade', fields: 'place', zh: '下单', en: 'Place an order' },
    ...{ answers: ['app_no', ...ORDER, 'cashier_url'], codes: ['SUCCESS'] },
  },
  {
    ...{ method: 'get', path: 'trade', fields: 'query', zh: '查询订单', en: 'Query an order' },
    ...{ answers: [...ORDER, ...PAID], codes: Object.keys(STATE_ANSWERS) },
  },
  {
    ...{ method: 'post', path: 'close', fields: 'close', zh: '关单', en: 'Close an order' },
    ...{ answers: ORDER, codes: wordsOf(CLOSE_ANSWERS) },
  },
  {
    ...{ method: 'get', path: 'close/evidence', fields: 'query', zh: '关单凭证', en: 'Proof of a close' },
    ...{ answers: [...ORDER, ...CLOSE_PROOF], codes: ['CLOSED'] },
  },
  {
    ...{ method: 'post', path: 'refund', fields: 'refund', zh: '退款', en: 'Refund' },
    ...{ answers: ['app_no', ...REFUND], codes: Object.keys(REFUND_ANSWERS) },
  },
  {
    ...{ method: 'get', path: 'refund', fields: 'queryRefund', zh: '查询退款', en: 'Query a refund' },
    ...{ answers: [...REFUND, 'refund_reason', 'success_time'], codes: Object.keys(REFUND_ANSWERS) },
  },
  {
    ...{ method: 'get', path: 'bill', fields: 'bill', zh: '对账单', en: "The day's bill" },
    ...{ answers: ['code', 'description', ...BILL_FILE], codes: wordsOf(BILL_ANSWERS) },
  },
  {
    ...{ method: 'get', path: 'notifications', fields: 'notifications', zh: '查询通知', en: 'List notifications' },
    ...{ answers: ['code', 'description', 'notifications', 'next'], codes: ['SUCCESS'] },
  },
  {
    ...{
      method: 'get',
      path: 'notifications/tries',
      fields: 'notificationTries',
      zh: '通知的尝试',
      en: "A notification's tries",
    },
    ...{ answers: ['code', 'description', 'transaction_no', 'tries'], codes: ['SUCCESS'] },
  },
  {
    ...{
      method: 'post',
      path: 'notifications/resend',
      fields: 'resend',
      zh: '重发通知',
      en: 'Send notifications again',
    },
    ...{ answers: ['code', 'description', 'resent'], codes: ['SUCCESS'] },
  },
]

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const

const schemaOf = ({ max, pattern, says }: FieldRule) => ({
  ...{ type: 'string', maxLength: max },
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
          ...{ name, in: 'query', required: rule.required, schema: schemaOf(rule) },
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

const envelopeOf = ({ answers, codes }: Operation) => ({
  type: 'object',
  required: ['status', 'message', 'fieldErrors', 'data'],
  properties: {
    status: { type: 'integer', enum: [200, ...Object.values(ERRORS).map(({ status }) => status)] },
    message: { ...text, enum: ['SUCCESS', ...Object.keys(ERRORS)] },
    fieldErrors: { ...textOrNull, maxLength: FIELD_ERRORS_MAX },
    data: {
      type: ['object', 'null'],
      properties: Object.fromEntries(
        [...answers, 'mch_no', 'nonce', 'sign_type', 'sign'].map((name) => [
          name,
          name === 'code' ? { ...text, enum: codes } : textOrNull,
        ]),
      ),
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

/** The document; `serverUrl` is where this gateway is reached. */
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
    servers: [{ url: serverUrl + BASE_PATH.replace(/\/$/, '') }],
    paths,
    webhooks: { payment: notificationOf('payment'), refund: notificationOf('refund') },
    'x-notification-states': NOTIFICATION_ANSWERS,
  }
}
