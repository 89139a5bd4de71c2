/** The OpenAPI document, held against what a client generator must find in it (spec/protocol.md 1 and 3), by hand. */
import { describe, expect, it } from 'vitest'
import { OPERATIONS, openApi } from './openapi.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document of JSON, walked by name
type Json = any
const document = openApi('https://pay.example.com') as Json

const NUMBER = '^[0-9A-Za-z_-]{24,50}$'
const MERCHANT_NUMBER = `50 ${NUMBER} 应为24-50位字母、数字、_或-`
const SEQ = '9 ^[1-9]\\d*$ 应为正整数'

/** Every call: its parameters, whether they are required, the longest text, and its form. */
const EXPECTED = `
POST /trade post_trade 下单 Place an order
  app_no required 32
  mch_trade_no required ${MERCHANT_NUMBER}
  description required 128
  amount_total required 9
  amount_currency required 3 ^CNY$ 只支持CNY
  time_expire optional 35
  extra optional 256
  notify_url optional 256
GET /trade get_trade 查询订单 Query an order
  transaction_no optional 50
  mch_trade_no optional 50
POST /close post_close 关单 Close an order
  transaction_no optional 50
  mch_trade_no optional 50
GET /close/evidence get_close_evidence 关单凭证 Proof of a close
  transaction_no optional 50
  mch_trade_no optional 50
POST /refund post_refund 退款 Refund
  transaction_no optional 50
  mch_trade_no optional 50
  mch_refund_no required ${MERCHANT_NUMBER}
  refund_amount required 9
  refund_reason required 32
  notify_url optional 256
GET /refund get_refund 查询退款 Query a refund
  refund_no optional 50
  mch_refund_no optional 50
GET /bill get_bill 对账单 The day's bill
  bill_date required 10
GET /notifications get_notifications 查询通知 List notifications
  transaction_no optional 50
  mch_trade_no optional 50
  state optional 9 ^(PENDING|DELIVERED|DEAD)$ 应为PENDING、DELIVERED或DEAD
  before optional 63 ^\\d{1,14}\\.AP\\d{36}\\.\\d{1,9}$ 应为上一页的next
GET /notifications/tries get_notifications_tries 通知的尝试 A notification's tries
  transaction_no optional 50
  mch_trade_no optional 50
  seq required ${SEQ}
POST /notifications/resend post_notifications_resend 重发通知 Send notifications again
  transaction_no optional 50
  mch_trade_no optional 50
  seq optional ${SEQ}
  state optional 4 ^DEAD$ 只能为DEAD
  from optional 35
  until optional 35
`

const lineOf = (name: string, isRequired: boolean, schema: Json): string => {
  const { type, maxLength, pattern, description, ...rest } = schema
  expect([name, type, rest]).toEqual([name, 'string', {}])
  expect(Object.values(schema)).not.toContain(undefined)
  const words = [`  ${name}`, isRequired ? 'required' : 'optional', maxLength, pattern, description]
  return words.filter((word) => word !== undefined).join(' ')
}

function linesOf(path: string, method: string, operation: Json): string[] {
  const body = operation.requestBody?.content['application/json'].schema
  const inQuery = operation.parameters.filter((one: Json) => one.in === 'query')
  const fields = inQuery.map((one: Json) => lineOf(one.name, one.required, one.schema))
  const inBody = Object.entries(body?.properties ?? {}).map(([name, schema]) =>
    lineOf(name, body.required.includes(name), schema),
  )
  expect(operation.parameters).toHaveLength(4 + inQuery.length)
  expect(body?.required ?? []).toEqual(
    Object.keys(body?.properties ?? {}).filter((name) => body.required.includes(name)),
  )
  return [`${method.toUpperCase()} ${path} ${operation.operationId} ${operation.summary}`, ...fields, ...inBody]
}

/** Path, method and operation of every signed call, in the order of the document. */
const operations: [string, string, Json][] = Object.entries<Json>(document.paths)
  .filter(([path]) => !path.startsWith('/cashier/'))
  .flatMap(([path, methods]) => Object.entries<Json>(methods).map(([method, one]) => [path, method, one] as const))
  .map(([path, method, one]) => [path, method, one])

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  schema: { type: 'string' },
  description,
})

describe('the calls', () => {
  it('are those of the specification, with their parameters', () => {
    const found = new Map(operations.map(([path, method, one]) => [`${method} ${path}`, linesOf(path, method, one)]))
    const expected = EXPECTED.trim().split(/\n(?! )/)
    expect([...found.values()].map((lines) => lines.join('\n')).sort()).toEqual(expected.sort())
  })

  it('take what they are asked in the query, or in a body that must be there', () => {
    for (const [, method, one] of operations) {
      const { content, ...body } = one.requestBody ?? {}
      expect([method, body, Object.keys(content ?? {})]).toEqual(
        method === 'get' ? [method, {}, []] : [method, { required: true }, ['application/json']],
      )
      expect(one.parameters.filter((parameter: Json) => parameter.in === 'query').length > 0).toBe(method === 'get')
      if (content) expect(content['application/json'].schema.type).toBe('object')
    }
  })

  it('are signed in four headers', () => {
    for (const [, , one] of operations) {
      expect(one.parameters.slice(0, 4)).toEqual([
        header('x-acopay-mch-no', '商户号 the merchant number'),
        header('x-acopay-nonce', '随机串，1至32个字符，不得重复 random, used once, 1 to 32 characters'),
        header('x-acopay-sign-type', 'SHA256withRSA'),
        header('x-acopay-sign', '签名，Base64 the signature over the canonical text, Base64 (docs/ARCHITECTURE.md)'),
      ])
    }
  })

  it('are listed once for the gateway, the tests and the API explorer', () => {
    const listed = OPERATIONS.map(({ method, path, fields, zh, en }) => [method, path, fields, zh, en].join(' '))
    expect(listed).toEqual([
      'post trade place 下单 Place an order',
      'get trade query 查询订单 Query an order',
      'post close close 关单 Close an order',
      'get close/evidence query 关单凭证 Proof of a close',
      'post refund refund 退款 Refund',
      'get refund queryRefund 查询退款 Query a refund',
      "get bill bill 对账单 The day's bill",
      'get notifications notifications 查询通知 List notifications',
      "get notifications/tries notificationTries 通知的尝试 A notification's tries",
      'post notifications/resend resend 重发通知 Send notifications again',
    ])
  })
})

describe('an answer', () => {
  const CODES = [
    ...[200, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010],
    ...[1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1500],
  ]
  const NAMES =
    'SUCCESS PARAM_ERROR SIGN_ERROR MCH_NOT_EXIST MCH_DISABLED APP_NOT_EXIST APP_DISABLED ORDER_NOT_EXIST ORDER_NOT_PAID ORDER_STATE_ERROR MCH_TRADE_NO_REPEAT REFUND_NOT_EXIST MCH_REFUND_NO_REPEAT REFUND_AMOUNT_EXCEED REFUND_TIMES_EXCEED REFUND_TIME_EXCEED NONCE_REPEAT FREQUENCY_LIMIT IP_FORBIDDEN SYSTEM_ERROR'
  const orNull = { type: ['string', 'null'] }

  it('is always HTTP 200 with the four fields of the envelope, its fields and the four of the signature', () => {
    expect(document.paths['/close'].post.responses).toEqual({
      200: {
        description: '处理结果：status 为 200 时看 data.code，否则看 status 与 fieldErrors (the result)',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['status', 'message', 'fieldErrors', 'data'],
              properties: {
                status: { type: 'integer', enum: CODES },
                message: { type: 'string', enum: NAMES.split(' ') },
                fieldErrors: { ...orNull, maxLength: 50 },
                data: {
                  type: ['object', 'null'],
                  description:
                    '处理成功时含所有字段，否则只有签名字段 (all fields on success, else those of the signature only)',
                  properties: {
                    mch_trade_no: { type: 'string' },
                    transaction_no: { type: 'string' },
                    description: { type: 'string' },
                    code: { type: 'string', enum: ['SUCCESS', 'FAIL'] },
                    mch_no: orNull,
                    nonce: orNull,
                    sign_type: orNull,
                    sign: orNull,
                  },
                },
              },
            },
          },
        },
      },
    })
  })
})

describe('a notification', () => {
  const SPECIFIED = {
    payment:
      'mch_no nonce sign_type notify_time sign transaction_no mch_trade_no app_no extra code description amount_total amount_currency success_time acoid',
    refund:
      'mch_no nonce sign_type notify_time sign transaction_no mch_trade_no refund_no mch_refund_no code description refund_amount success_time refund_reason',
  }
  it.each([
    ['payment', '支付通知 of a payment'],
    ['refund', '退款通知 of a refund'],
  ] as const)('of a %s is a webhook with the fields of the specification', (kind, summary) => {
    const properties = Object.fromEntries(
      SPECIFIED[kind].split(' ').map((name) => [name, { type: ['string', 'null'] }]),
    )
    expect(document.webhooks[kind]).toEqual({
      post: {
        summary,
        requestBody: { content: { 'application/json': { schema: { type: 'object', properties } } } },
        responses: { 200: { description: '{"status":"SUCCESS"}: 已收到，不再通知 (heard)' } },
      },
    })
  })

  it('is one of two', () => expect(Object.keys(document.webhooks)).toEqual(['payment', 'refund']))
})

it('the document says what it is, where its calls are, and what each error means', () => {
  const { info, paths: _paths, webhooks: _webhooks, ...rest } = document
  expect(rest).toEqual({
    openapi: '3.1.0',
    servers: [{ url: 'https://pay.example.com/pay/v1/transactions' }],
    'x-notification-states': { PENDING: '待送达', DELIVERED: '已送达', DEAD: '已停止' },
  })
  const { description, ...about } = info
  expect(about).toEqual({
    title: '翼辉支付 ACO Pay transactions API',
    version: '1.0.0',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  })
  const lines = description.split('\n')
  expect(lines).toHaveLength(19)
  expect(lines[6]).toBe('- 1007 ORDER_NOT_EXIST: 此订单不存在! This merchant has no order with this number.')
})

describe("the payer's page", () => {
  const text = { type: 'string' }
  const textOrNull = { type: ['string', 'null'] }
  const time = { type: 'string', format: 'date-time' }
  const parameters = ['mch_no', 'transaction_no', 'proof'].map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: text,
  }))
  const answered = (description: string, properties: object) => ({
    description,
    content: { 'application/json': { schema: { type: 'object', required: Object.keys(properties), properties } } },
  })

  it('asks for the order at the root of the gateway, not below the signed calls', () => {
    expect(document.paths['/cashier/{mch_no}/{transaction_no}/{proof}/state']).toEqual({
      servers: [{ url: 'https://pay.example.com' }],
      parameters,
      get: {
        operationId: 'cashier_state',
        summary: '收银台：订单状态 The order as its payer sees it',
        responses: {
          200: answered('订单 (the order)', {
            transaction_no: text,
            merchant: text,
            description: text,
            amount: text,
            phase: {
              type: 'string',
              enum: ['open', 'closing', 'closed', 'expired', 'paid', 'refunded', 'returning', 'returned'],
              description:
                'closing: 暂时不能付款，结果未知 (cannot be paid, and it is not known whether it was); returning, returned: 关闭后到达的款项正在退回、已退回 (closed, and money that came too late goes back, or has)',
            },
            extra: {
              type: ['string', 'null'],
              enum: ['returning', 'returned', null],
              description: '同一订单的另一笔付款的退回 (a second payment of the same order goes back)',
            },
            expires_at: time,
            paid_at: { type: ['string', 'null'], format: 'date-time' },
            now: time,
          }),
          404: { description: '链接错误 (a wrong link)' },
        },
      },
    })
  })

  it('opens a way to pay, or is told why not', () => {
    expect(document.paths['/cashier/{mch_no}/{transaction_no}/{proof}/attempts']).toEqual({
      servers: [{ url: 'https://pay.example.com' }],
      parameters,
      post: {
        operationId: 'cashier_attempts',
        summary: '收银台：打开付款方式 Open a way to pay',
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['channel', 'method'],
                properties: { channel: text, method: text, payer: textOrNull },
              },
            },
          },
        },
        responses: {
          200: answered('付款方式 (the way to pay)', {
            channel: text,
            method: text,
            pay_url: {
              ...textOrNull,
              description: '二维码内容、付款页地址或钱包参数；null：上游结果未知，稍后再问 (null: in doubt, ask again)',
            },
            good_until: time,
          }),
          400: { description: 'FIELD_INVALID: 请求有误 (the request is wrong)' },
          401: { description: 'PAYER_UNKNOWN: 需先由钱包确认付款人 (the wallet has to say who pays)' },
          404: { description: '链接错误，或 UNAVAILABLE: 商户没有此付款方式 (a wrong link, or no such way to pay)' },
          409: { description: '订单不能再付款 (the order cannot be paid any more)' },
          429: { description: 'TOO_MANY_ATTEMPTS, FREQUENCY_LIMIT: 次数过多 (too many)' },
          502: {
            description: 'UPSTREAM_REFUSED: 上游拒绝，请换一种付款方式 (the upstream said no, another way may work)',
          },
        },
      },
    })
  })

  it('is asked below the same server where the document names none', () => {
    const { paths } = openApi('') as Json
    const servers = Object.keys(paths).map((path) => paths[path].servers?.[0].url)
    expect(servers.filter((url) => url !== undefined)).toEqual(['/', '/'])
  })
})
