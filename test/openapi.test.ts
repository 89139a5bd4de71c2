/** The OpenAPI document against the gateway that serves it: what it lists is there, and what is answered is listed. */
import { BASE_PATH, type FieldShape, OPERATIONS } from '@acopay/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, newTradeNo, openAttempt, orderParams, pay, type Request } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

type Operation = {
  parameters: { in: string; name: string; required?: boolean }[]
  requestBody?: {
    content: { 'application/json': { schema: { required: string[]; properties: Record<string, unknown> } } }
  }
  responses: {
    200: {
      content: {
        'application/json': {
          schema: { oneOf: [{ properties: { data: { properties: Record<string, unknown> } } }, unknown] }
        }
      }
    }
  }
}

const SIGNED = ['mch_no', 'nonce', 'sign_type', 'sign']

/** Parameters with which each call succeeds, one after the other. */
async function examples(): Promise<Record<string, Request['params']>> {
  const { demo } = gateway
  const params = orderParams(demo, { notify_url: `${demo.baseUrl}/sandbox/shop/ok` })
  const { data } = await call(demo, { method: 'POST', path: 'trade', params })
  const paid = data.transaction_no ?? ''
  await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')
  await gateway.runJobs()
  const { rows } = await gateway.database.pool.query('select seq from notification where transaction_no = $1', [paid])
  const closed = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
  await openAttempt(demo, closed.data.transaction_no ?? '')
  const mch_refund_no = 'r'.repeat(30)
  const refund = { transaction_no: paid, mch_refund_no, refund_amount: '1.00', refund_reason: '退货', notify_url: null }
  const seq = String(rows[0].seq)
  await gateway.world.callLog.write()
  return {
    'post trade': params,
    'get trade': { transaction_no: paid },
    'post close': { transaction_no: closed.data.transaction_no ?? '' },
    'get close/evidence': { transaction_no: closed.data.transaction_no ?? '' },
    'post refund': refund,
    'get refund': { mch_refund_no },
    'get bill': { bill_date: '2026-02-27' },
    'get orders': {},
    'get refunds': {},
    'get notifications': { transaction_no: paid },
    'get notifications/tries': { transaction_no: paid, seq },
    'post notifications/resend': { transaction_no: paid, seq },
    'get calls': { number: paid },
  }
}

/** What is wrong with a value, by the parts of JSON Schema that the document uses; empty when nothing is. */
function wrong(value: unknown, shape: FieldShape, where: string): string[] {
  const types = [shape.type].flat()
  const type = value === null ? 'null' : Number.isInteger(value) ? 'integer' : typeof value
  if (!types.includes(type as never)) return [`${where} is ${type}, not ${types.join(' or ')}`]
  if (shape.enum !== undefined && !shape.enum.includes(value as string)) return [`${where} is ${value}`]
  if (shape.format === 'date-time' && value !== null && Number.isNaN(Date.parse(String(value))))
    return [`${where} is no time`]
  if (shape.contentSchema === undefined) return []
  const { properties } = shape.contentSchema.items
  return (JSON.parse(String(value)) as object[]).flatMap((row) => wrongRow(row, properties, where))
}

function wrongRow(row: object, properties: Record<string, FieldShape>, where: string): string[] {
  const names = [...new Set([...Object.keys(row), ...Object.keys(properties)])]
  return names.flatMap((name) => {
    const shape = properties[name]
    if (shape === undefined) return [`${where}.${name} is not listed`]
    return wrong((row as Record<string, unknown>)[name], shape, `${where}.${name}`)
  })
}

/**
 * By hand, from spec/protocol.md 3 and README: each signed call, its parameters (those with `!` are required) and the fields
 * of its answer without the four of every signed answer.
 */
const CALLS: Record<string, { params: string; answer: string }> = {
  'post trade': {
    params: 'app_no! mch_trade_no! description! amount_total! amount_currency! time_expire extra notify_url',
    answer: 'app_no mch_trade_no transaction_no code description cashier_url',
  },
  'get trade': {
    params: 'transaction_no mch_trade_no',
    answer:
      'app_no mch_trade_no transaction_no code description extra success_time acoid amount_total pay_channel pay_method',
  },
  'post close': {
    params: 'transaction_no mch_trade_no',
    answer: 'mch_trade_no transaction_no code description',
  },
  'get close/evidence': {
    params: 'transaction_no mch_trade_no',
    answer:
      'mch_trade_no transaction_no code description close_reason fence_time close_time upstream_answers timeline_length timeline_hash',
  },
  'post refund': {
    params: 'transaction_no mch_trade_no mch_refund_no! refund_amount! refund_reason! notify_url',
    answer: 'app_no mch_refund_no refund_no transaction_no mch_trade_no refund_amount code description refund_channel',
  },
  'get refund': {
    params: 'refund_no mch_refund_no',
    answer:
      'mch_trade_no mch_refund_no transaction_no refund_no refund_amount code description refund_reason success_time refund_channel',
  },
  'get bill': { params: 'bill_date!', answer: 'code description url hash_code hash_type' },
  'get orders': {
    params: 'transaction_no mch_trade_no app_no state from until before',
    answer: 'code description orders next',
  },
  'get refunds': {
    params: 'transaction_no mch_trade_no refund_no mch_refund_no state from until before',
    answer: 'code description refunds next',
  },
  'get notifications': {
    params: 'transaction_no mch_trade_no state before',
    answer: 'code description notifications next',
  },
  'get notifications/tries': {
    params: 'transaction_no mch_trade_no seq!',
    answer: 'code description transaction_no tries',
  },
  'post notifications/resend': {
    params: 'transaction_no mch_trade_no seq state from until',
    answer: 'code description resent',
  },
  'get calls': { params: 'call status number from before', answer: 'code description calls next' },
}

const words = (names: string): string[] => names.split(' ').sort()

it('every call of the specification is in it with its parameters and the fields of its answer, and no other', async () => {
  const { paths } = await served()
  const listed: typeof CALLS = {}
  for (const [path, methods] of Object.entries<Record<string, Operation>>(paths)) {
    if (path.startsWith('/cashier/')) continue
    for (const method of ['get', 'post', 'put', 'delete']) {
      const operation = methods[method]
      if (operation === undefined) continue
      const body = operation.requestBody?.content['application/json'].schema
      const params =
        body === undefined
          ? operation.parameters.filter((one) => one.in === 'query').map((one) => one.name + (one.required ? '!' : ''))
          : Object.keys(body.properties).map((name) => name + (body.required.includes(name) ? '!' : ''))
      const { properties } = operation.responses[200].content['application/json'].schema.oneOf[0].properties.data
      listed[`${method} ${path.slice(BASE_PATH.length)}`] = {
        params: params.sort().join(' '),
        answer: Object.keys(properties)
          .filter((name) => !SIGNED.includes(name))
          .sort()
          .join(' '),
      }
    }
  }
  const expected = Object.entries(CALLS).map(([call, { params, answer }]) => [
    call,
    { params: words(params).join(' '), answer: words(answer).join(' ') },
  ])
  expect(listed).toEqual(Object.fromEntries(expected))
})

it('every call that it lists is there, and answers exactly the listed fields in the listed shapes', async () => {
  const params = await examples()
  for (const { method, path, answers } of OPERATIONS) {
    const sent = { ...params[`${method} ${path}`], aco_pay_sdk: 'test' }
    const request = { method: method.toUpperCase(), path, params: sent } as Request
    const answer = await call(gateway.demo, request)
    expect([path, answer.status, answer.fieldErrors]).toEqual([path, 200, null])
    const said = Object.fromEntries(Object.entries(answer.data).filter(([name]) => !SIGNED.includes(name)))
    expect(Object.keys(said).sort(), path).toEqual(words(CALLS[`${method} ${path}`]?.answer ?? ''))
    expect(wrongRow(said, answers, path)).toEqual([])
  }
})

it('lists of orders, refunds, notifications, tries, calls and upstream answers have a shape inside, and what is listed has it', async () => {
  const params = await examples()
  const inner = OPERATIONS.flatMap(({ method, path, answers }) =>
    Object.entries(answers).flatMap(([name, { contentSchema }]) =>
      contentSchema === undefined ? [] : [{ method, path, name, rows: contentSchema.items.properties }],
    ),
  )
  expect(inner.map(({ name }) => name)).toEqual([
    'upstream_answers',
    'orders',
    'refunds',
    'notifications',
    'tries',
    'calls',
  ])
  const refund = { ...params['post refund'], mch_refund_no: newTradeNo() }
  await call(gateway.demo, { method: 'POST', path: 'refund', params: refund })
  for (const { method, path, name } of inner.slice(1)) {
    const request = { method: method.toUpperCase(), path, params: params[`${method} ${path}`] } as Request
    expect(JSON.parse((await call(gateway.demo, request)).data[name] ?? '').length, path).toBeGreaterThan(0)
  }
})

it("what the payer's page asks is in it, and answers in the listed shapes", async () => {
  const { data } = await call(gateway.demo, { method: 'POST', path: 'trade', params: orderParams(gateway.demo) })
  const paths = (await served()).paths
  const link = '/cashier/{mch_no}/{transaction_no}/{proof}'
  const shapeOf = (path: string, method: string) =>
    paths[link + path][method].responses[200].content['application/json'].schema.properties
  const state = await fetch(`${data.cashier_url}/state`)
  expect(wrongRow((await state.json()) as object, shapeOf('/state', 'get'), 'state')).toEqual([])
  const asked = { method: 'POST', body: JSON.stringify({ channel: 'wechat', method: 'native' }) }
  const { sandbox, ...way } = (await (await fetch(`${data.cashier_url}/attempts`, asked)).json()) as { sandbox: string }
  expect(sandbox).toContain('/sandbox/')
  expect(wrongRow(way, shapeOf('/attempts', 'post'), 'attempts')).toEqual([])
})

// biome-ignore lint/suspicious/noExplicitAny: the OpenAPI standard defines the document's shape
type Json = any

/** Puts each component in the place of the references to it. */
function resolved(node: Json, document: Json): Json {
  if (typeof node !== 'object' || node === null) return node
  if (Array.isArray(node)) return node.map((one) => resolved(one, document))
  if (typeof node.$ref === 'string') {
    const names = node.$ref.slice('#/'.length).split('/')
    return resolved(
      names.reduce((found: Json, name: string) => found[name], document),
      document,
    )
  }
  return Object.fromEntries(Object.entries(node).map(([name, one]) => [name, resolved(one, document)]))
}

async function served(): Promise<Json> {
  const document = await (await fetch(`${gateway.demo.baseUrl}/openapi.json`)).json()
  return resolved(document, document)
}

it('is served as a document of version 3.1 whose patterns and lengths are those that are enforced', async () => {
  const response = await fetch(`${gateway.demo.baseUrl}/openapi.json`)
  expect(response.headers.get('content-type')).toContain('application/json')
  const document = await served()
  expect(document.openapi).toBe('3.1.0')
  expect(document.servers[0].url).toBe('/')
  const place = document.paths[`${BASE_PATH}trade`].post.requestBody.content['application/json'].schema
  expect(place.required).toEqual(['app_no', 'mch_trade_no', 'description', 'amount_total', 'amount_currency'])
  const { pattern, maxLength } = place.properties.mch_trade_no
  expect([maxLength, new RegExp(pattern).test('x'.repeat(24)), new RegExp(pattern).test('short')]).toEqual([
    50,
    true,
    false,
  ])
  const { tries } =
    document.paths[`${BASE_PATH}notifications/tries`].get.responses[200].content['application/json'].schema.oneOf[0]
      .properties.data.properties
  expect(tries).toMatchObject({ type: 'string', contentMediaType: 'application/json' })
  expect(tries.contentSchema.items.required).toEqual(['time', 'ms', 'http_status', 'reply', 'failure'])
})
