/** The OpenAPI document, held against what a client generator must find in it (spec/protocol.md 1 and 3), by hand. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERRORS } from './errors.ts'
import { COMMON_REFUSALS } from './openapi/calls.ts'
import { OPERATIONS, openApi } from './openapi.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document of JSON, walked by name
type Json = any
const document = openApi('https://pay.example.com') as Json

it('the document is the one in docs/openapi.json, word for word: what changes there is what changes for its readers', () => {
  const kept = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')
  expect(`${JSON.stringify(document, null, 2)}\n` === kept, 'run npm run docs, and look at what it changes').toBe(true)
})

const NUMBER = '^[0-9A-Za-z_-]{24,50}$'
const MERCHANT_NUMBER = `50 ${NUMBER} 应为24-50位字母、数字、_或-`
const SEQ = '9 ^[1-9]\\d*$ 应为正整数'

/** Every call: its parameters, whether they are required, the longest text, and its form. */
const EXPECTED = `
POST /pay/v1/transactions/trade placeOrder 下单 · Place an order
  app_no required 32
  mch_trade_no required ${MERCHANT_NUMBER}
  description required 128
  amount_total required 9
  amount_currency required 3 ^CNY$ 只支持CNY
  time_expire optional 35
  extra optional 256
  notify_url optional 256
GET /pay/v1/transactions/trade queryOrder 查询订单 · Query an order
  transaction_no optional 50
  mch_trade_no optional 50
POST /pay/v1/transactions/close closeOrder 关单 · Close an order
  transaction_no optional 50
  mch_trade_no optional 50
GET /pay/v1/transactions/close/evidence getCloseEvidence 关单凭证 · Proof of a close
  transaction_no optional 50
  mch_trade_no optional 50
POST /pay/v1/transactions/refund refundOrder 退款 · Refund
  transaction_no optional 50
  mch_trade_no optional 50
  mch_refund_no required ${MERCHANT_NUMBER}
  refund_amount required 9
  refund_reason required 32
  notify_url optional 256
GET /pay/v1/transactions/refund queryRefund 查询退款 · Query a refund
  refund_no optional 50
  mch_refund_no optional 50
GET /pay/v1/transactions/bill getBill 对账单 · The day's bill
  bill_date required 10
GET /pay/v1/transactions/orders listOrders 订单列表 · List orders
  transaction_no optional 50
  mch_trade_no optional 50
  app_no optional 32
  state optional 7 ^(NOTPAY|CLOSING|CLOSED|SUCCESS|REFUND)$ 应为NOTPAY、CLOSING、CLOSED、SUCCESS或REFUND
  from optional 35
  until optional 35
  before optional 38 ^AP\\d{36}$ 应为上一页的next
GET /pay/v1/transactions/refunds listRefunds 退款列表 · List refunds
  transaction_no optional 50
  mch_trade_no optional 50
  refund_no optional 50
  mch_refund_no optional 50
  state optional 10 ^(PROCESSING|SUCCESS|FAIL)$ 应为PROCESSING、SUCCESS或FAIL
  from optional 35
  until optional 35
  before optional 38 ^AR\\d{36}$ 应为上一页的next
GET /pay/v1/transactions/notifications listNotifications 查询通知 · List notifications
  transaction_no optional 50
  mch_trade_no optional 50
  state optional 9 ^(PENDING|DELIVERED|DEAD)$ 应为PENDING、DELIVERED或DEAD
  before optional 63 ^\\d{1,14}\\.AP\\d{36}\\.\\d{1,9}$ 应为上一页的next
GET /pay/v1/transactions/notifications/tries listNotificationTries 通知的尝试 · A notification's tries
  transaction_no optional 50
  mch_trade_no optional 50
  seq required ${SEQ}
POST /pay/v1/transactions/notifications/resend resendNotifications 重发通知 · Send notifications again
  transaction_no optional 50
  mch_trade_no optional 50
  seq optional ${SEQ}
  state optional 4 ^DEAD$ 只能为DEAD
  from optional 35
  until optional 35
GET /pay/v1/transactions/calls listCalls 调用记录 · The log of calls
  call optional 40 ^(GET|POST) [a-z/]+$ 应如POST close
  status optional 4 ^\\d{3,4}$ 应为状态码,如1002
  number optional 50
  from optional 35
  before optional 51 ^\\d{1,14}\\.[0-9a-f-]{36}$ 应为上一页的next
`

const schemaOf = ({ $ref }: Json): Json => document.components.schemas[$ref.slice('#/components/schemas/'.length)]

/** The hint of the form stands at the end of the Chinese paragraph. */
const lineOf = (name: string, isRequired: boolean, { description, ...schema }: Json): string => {
  const { type, maxLength, pattern, ...rest } = schema
  expect([name, type, rest]).toEqual([name, 'string', {}])
  const [zh, en, ...more] = description.split('\n\n')
  expect([name, /[\u4e00-\u9fff]/.test(zh), /^[\x20-\x7e]+$/.test(en), more]).toEqual([name, true, true, []])
  const hint = pattern === undefined ? undefined : zh.split('，').at(-1)
  const words = [`  ${name}`, isRequired ? 'required' : 'optional', maxLength, pattern, hint]
  return words.filter((word) => word !== undefined).join(' ')
}

const bodyOf = (operation: Json): Json =>
  operation.requestBody && schemaOf(operation.requestBody.content['application/json'].schema)

const inQuery = ({ parameters }: Json): Json[] => parameters.filter((one: Json) => one.in === 'query')

function linesOf(path: string, method: string, operation: Json): string[] {
  const body = bodyOf(operation)
  const fields = inQuery(operation).map((one: Json) =>
    lineOf(one.name, one.required, { ...one.schema, description: one.description }),
  )
  const inBody = Object.entries(body?.properties ?? {}).map(([name, schema]) =>
    lineOf(name, body.required.includes(name), schema),
  )
  expect(operation.parameters).toHaveLength(4 + fields.length)
  return [`${method.toUpperCase()} ${path} ${operation.operationId} ${operation.summary}`, ...fields, ...inBody]
}

/** Path, method and operation of every signed call, in the order of the document. */
const operations: [string, string, Json][] = Object.entries<Json>(document.paths)
  .filter(([path]) => !path.startsWith('/cashier/'))
  .flatMap(([path, methods]) => Object.entries<Json>(methods).map(([method, one]) => [path, method, one] as const))
  .map(([path, method, one]) => [path, method, one])

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
      expect(inQuery(one).length > 0).toBe(method === 'get')
      if (content) expect(bodyOf(one).type).toBe('object')
    }
  })

  it('are signed in four headers, and the document says how', () => {
    for (const [, , one] of operations) {
      expect(one.security).toEqual([{ signature: [] }])
      expect(one.parameters.slice(0, 4).map(({ $ref }: Json) => $ref)).toEqual(
        ['MchNo', 'Nonce', 'SignType', 'Sign'].map((name) => `#/components/parameters/${name}`),
      )
    }
    const headers = Object.values<Json>(document.components.parameters).map(({ name, required }) => [name, required])
    expect(headers).toEqual([
      ['x-acopay-mch-no', true],
      ['x-acopay-nonce', true],
      ['x-acopay-sign-type', true],
      ['x-acopay-sign', true],
    ])
    const { signature } = document.components.securitySchemes
    expect(signature).toMatchObject({ type: 'apiKey', in: 'header', name: 'x-acopay-sign' })
    expect(signature.description).toContain('docs/wire/signing.md')
  })

  it('each name the refusals that they may be answered with', () => {
    for (const { name, method, path, refusals } of OPERATIONS) {
      const { description } = document.paths[`/pay/v1/transactions/${path}`][method].responses[200]
      for (const error of [...refusals, ...COMMON_REFUSALS]) {
        expect([name, description]).toEqual([name, expect.stringContaining(`${ERRORS[error].status} ${error}`)])
      }
    }
    const named = new Set(OPERATIONS.flatMap(({ refusals }) => [...refusals, ...COMMON_REFUSALS]))
    expect([...named].sort()).toEqual(Object.keys(ERRORS).sort())
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
      'get orders orders 订单列表 List orders',
      'get refunds refunds 退款列表 List refunds',
      'get notifications notifications 查询通知 List notifications',
      "get notifications/tries notificationTries 通知的尝试 A notification's tries",
      'post notifications/resend resend 重发通知 Send notifications again',
      'get calls calls 调用记录 The log of calls',
    ])
  })
})

describe('an answer', () => {
  const CODES = [
    ...[1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010],
    ...[1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1500],
  ]
  const NAMES =
    'PARAM_ERROR SIGN_ERROR MCH_NOT_EXIST MCH_DISABLED APP_NOT_EXIST APP_DISABLED ORDER_NOT_EXIST ORDER_NOT_PAID ORDER_STATE_ERROR MCH_TRADE_NO_REPEAT REFUND_NOT_EXIST MCH_REFUND_NO_REPEAT REFUND_AMOUNT_EXCEED REFUND_TIMES_EXCEED REFUND_TIME_EXCEED NONCE_REPEAT FREQUENCY_LIMIT IP_FORBIDDEN SYSTEM_ERROR'
  const SIGNED = ['mch_no', 'nonce', 'sign_type', 'sign']
  const undescribed = (properties: Json) =>
    Object.fromEntries(Object.entries<Json>(properties).map(([name, { description: _, ...schema }]) => [name, schema]))

  it('is HTTP 200 with the result of the call, or with a refusal', () => {
    const { description: _, content } = document.paths['/pay/v1/transactions/close'].post.responses[200]
    expect(content['application/json'].schema).toEqual({
      oneOf: [{ $ref: '#/components/schemas/CloseOrderAnswer' }, { $ref: '#/components/schemas/Refusal' }],
    })
  })

  it('that is a result has the four fields of the envelope, its own fields and the four of the signature', () => {
    const { required, properties } = document.components.schemas.CloseOrderAnswer
    expect(required).toEqual(['status', 'message', 'fieldErrors', 'data'])
    const { data, ...envelope } = properties
    expect(undescribed(envelope)).toEqual({
      status: { type: 'integer', enum: [200] },
      message: { type: 'string', enum: ['SUCCESS'] },
      fieldErrors: { type: 'null' },
    })
    expect(data.required).toEqual(['mch_trade_no', 'transaction_no', 'description', 'code', ...SIGNED])
    expect(undescribed(data.properties)).toEqual({
      mch_trade_no: { type: 'string' },
      transaction_no: { type: 'string' },
      description: { type: 'string' },
      code: { type: 'string', enum: ['SUCCESS', 'FAIL'] },
      mch_no: { type: 'string' },
      nonce: { type: 'string' },
      sign_type: { type: 'string', enum: ['SHA256withRSA'] },
      sign: { type: 'string' },
    })
  })

  it('need not have the fields that older SDKs do not know', () => {
    const { data } = document.components.schemas.QueryOrderAnswer.properties
    const optional = Object.keys(data.properties).filter((name) => !data.required.includes(name))
    expect(optional).toEqual(['pay_channel', 'pay_method'])
  })

  it('that is a refusal names one error, and is signed or has no data', () => {
    const { required, properties } = document.components.schemas.Refusal
    expect(required).toEqual(['status', 'message', 'fieldErrors', 'data'])
    const { status, message, fieldErrors, data } = undescribed(properties)
    expect([status.enum, message.enum, fieldErrors.maxLength]).toEqual([CODES, NAMES.split(' '), 50])
    expect([data.type, data.required]).toEqual([['object', 'null'], SIGNED])
  })
})

describe('a notification', () => {
  const SPECIFIED = {
    payment:
      'mch_no nonce sign_type notify_time sign transaction_no mch_trade_no app_no extra code description amount_total amount_currency success_time acoid',
    refund:
      'mch_no nonce sign_type notify_time sign transaction_no mch_trade_no refund_no mch_refund_no code description refund_amount success_time refund_reason',
    sent_back:
      'mch_no nonce sign_type notify_time sign transaction_no mch_trade_no app_no extra reversal_no code description payment_no amount currency pay_channel paid_time success_time',
  }
  it.each([
    ['payment', '支付通知 · Payment notification'],
    ['refund', '退款通知 · Refund notification'],
    ['sent_back', '款项退回通知 · Notification of money that was sent back'],
  ] as const)('of a %s is a webhook with the fields of the specification', (kind, summary) => {
    const { post } = document.webhooks[kind]
    expect(post.summary).toBe(summary)
    const { schema, example } = post.requestBody.content['application/json']
    const { required, properties } = schemaOf(schema)
    for (const names of [required, Object.keys(properties), Object.keys(example)]) {
      expect([...names].sort()).toEqual(SPECIFIED[kind].split(' ').sort())
    }
    expect(post.responses[200].content['application/json'].example).toEqual({ status: 'SUCCESS', message: '成功' })
  })

  it('is one of three', () => expect(Object.keys(document.webhooks)).toEqual(['payment', 'refund', 'sent_back']))
})

describe('the document', () => {
  it('says what it is and where its calls are', () => {
    const { description, ...about } = document.info
    expect(about).toMatchObject({ title: '翼辉支付 · ACO Pay', license: { identifier: 'Apache-2.0' } })
    expect(document.openapi).toBe('3.1.0')
    expect(document.servers[0].url).toBe('https://pay.example.com')
    expect((openApi('') as Json).servers[0].url).toBe('/')
    expect(description).toContain(
      '| 1007 | ORDER_NOT_EXIST | 此订单不存在! | This merchant has no order with this number. | 不要 no |',
    )
    expect(description).toContain('| 1500 | SYSTEM_ERROR | 系统繁忙，请用原单号重试 |')
  })

  it('explains a recorded signature: its text, as it is signed, and its headers', () => {
    const { description } = document.info
    const request = document.paths['/pay/v1/transactions/close'].post.requestBody.content['application/json'].examples
    const { transaction_no } = Object.values<Json>(request)[0].value
    const header = (name: string) => document.components.parameters[name].example
    expect(description).toContain(
      `{"mch_no":"${header('MchNo')}","nonce":"${header('Nonce')}","sign_type":"SHA256withRSA","transaction_no":"${transaction_no}"}`,
    )
    expect(description).toContain(`x-acopay-sign: ${header('Sign')}`)
  })

  it('puts every call and notification below one of its tags, under an id of its own', () => {
    const all = [...Object.values<Json>(document.paths), ...Object.values<Json>(document.webhooks)].flatMap(
      ({ get, post }) => [get, post].filter((one) => one !== undefined),
    )
    const tags = document.tags.map(({ name }: Json) => name)
    expect(new Set(all.flatMap((one) => one.tags))).toEqual(new Set(tags))
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(18)
    for (const { summary, description } of all) {
      expect(summary).toMatch(/^[^·]*[\u4e00-\u9fff] · [\x20-\x7e]+$/)
      expect(description.split('\n\n')).toHaveLength(2)
    }
  })
})

describe("the payer's page", () => {
  const link = '/cashier/{mch_no}/{transaction_no}/{proof}'
  const fieldsOf = (name: string) => {
    const { required, properties } = document.components.schemas[name]
    return Object.keys(properties).map((field) => (required.includes(field) ? field : `${field}?`))
  }

  it('asks for the order, unsigned', () => {
    const { parameters, get } = document.paths[`${link}/state`]
    expect(parameters.map(({ name, required }: Json) => [name, required])).toEqual([
      ['mch_no', true],
      ['transaction_no', true],
      ['proof', true],
    ])
    expect([get.operationId, get.security, Object.keys(get.responses)]).toEqual([
      'readCashierState',
      [],
      ['200', '404'],
    ])
    expect(fieldsOf('PayerView')).toEqual(
      'transaction_no merchant description amount phase extra expires_at paid_at now'.split(' '),
    )
    expect(document.components.schemas.PayerView.properties.phase.enum).toEqual(
      'open closing closed expired paid refunded returning returned'.split(' '),
    )
  })

  it('opens a way to pay, or is told why not', () => {
    const { post } = document.paths[`${link}/attempts`]
    expect(fieldsOf('ChosenWay')).toEqual(['channel', 'method', 'payer?'])
    expect(fieldsOf('OpenedWay')).toEqual(['channel', 'method', 'pay_url', 'good_until'])
    expect(fieldsOf('CashierRefusal')).toEqual(['error', 'field?'])
    const said = Object.entries<Json>(post.responses).map(([status, { description }]) => [
      status,
      /^([A-Z_, ]+): /.exec(description)?.[1] ?? '',
    ])
    expect(said).toEqual([
      ['200', ''],
      ['400', 'FIELD_INVALID'],
      ['401', 'PAYER_UNKNOWN'],
      ['404', 'UNAVAILABLE'],
      ['409', ''],
      ['429', 'TOO_MANY_ATTEMPTS, FREQUENCY_LIMIT'],
      ['502', 'UPSTREAM_REFUSED'],
    ])
  })
})
