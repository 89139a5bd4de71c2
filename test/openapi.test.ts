/** The OpenAPI document against the gateway that serves it: what it lists is there, and what is answered is listed. */
import { type FieldShape, OPERATIONS } from '@acopay/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, openAttempt, orderParams, pay, type Request } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

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
  return {
    'post trade': params,
    'get trade': { transaction_no: paid },
    'post close': { transaction_no: closed.data.transaction_no ?? '' },
    'get close/evidence': { transaction_no: closed.data.transaction_no ?? '' },
    'post refund': refund,
    'get refund': { mch_refund_no },
    'get bill': { bill_date: '2026-02-27' },
    'get notifications': { transaction_no: paid },
    'get notifications/tries': { transaction_no: paid, seq },
    'post notifications/resend': { transaction_no: paid, seq },
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

it('every call that it lists is there, and answers exactly the listed fields in the listed shapes', async () => {
  const params = await examples()
  for (const { method, path, answers } of OPERATIONS) {
    const sent = { ...params[`${method} ${path}`], aco_pay_sdk: 'test' }
    const request = { method: method.toUpperCase(), path, params: sent } as Request
    const answer = await call(gateway.demo, request)
    expect([path, answer.status, answer.fieldErrors]).toEqual([path, 200, null])
    const said = Object.fromEntries(Object.entries(answer.data).filter(([name]) => !SIGNED.includes(name)))
    expect(wrongRow(said, answers, path)).toEqual([])
  }
})

it('lists of notifications, tries and upstream answers have a shape inside, and what is listed has it', async () => {
  const params = await examples()
  const inner = OPERATIONS.flatMap(({ method, path, answers }) =>
    Object.entries(answers).flatMap(([name, { contentSchema }]) =>
      contentSchema === undefined ? [] : [{ method, path, name, rows: contentSchema.items.properties }],
    ),
  )
  expect(inner.map(({ name }) => name)).toEqual(['upstream_answers', 'notifications', 'tries'])
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
  expect(paths[`${link}/state`].servers).toEqual([{ url: '/' }])
  const state = await fetch(`${data.cashier_url}/state`)
  expect(wrongRow((await state.json()) as object, shapeOf('/state', 'get'), 'state')).toEqual([])
  const asked = { method: 'POST', body: JSON.stringify({ channel: 'wechat', method: 'native' }) }
  const { sandbox, ...way } = (await (await fetch(`${data.cashier_url}/attempts`, asked)).json()) as { sandbox: string }
  expect(sandbox).toContain('/sandbox/')
  expect(wrongRow(way, shapeOf('/attempts', 'post'), 'attempts')).toEqual([])
})

// biome-ignore lint/suspicious/noExplicitAny: the OpenAPI standard defines the document's shape
const served = async (): Promise<any> => (await fetch(`${gateway.demo.baseUrl}/openapi.json`)).json()

it('is served as a document of version 3.1 whose patterns and lengths are those that are enforced', async () => {
  const response = await fetch(`${gateway.demo.baseUrl}/openapi.json`)
  expect(response.headers.get('content-type')).toContain('application/json')
  const document = await served()
  expect(document.openapi).toBe('3.1.0')
  expect(document.servers).toEqual([{ url: '/pay/v1/transactions' }])
  const place = document.paths['/trade'].post.requestBody.content['application/json'].schema
  expect(place.required).toEqual(['app_no', 'mch_trade_no', 'description', 'amount_total', 'amount_currency'])
  const { pattern, maxLength } = place.properties.mch_trade_no
  expect([maxLength, new RegExp(pattern).test('x'.repeat(24)), new RegExp(pattern).test('short')]).toEqual([
    50,
    true,
    false,
  ])
  const signed = Object.keys(document.paths).filter((path) => !path.startsWith('/cashier/'))
  expect(signed).toHaveLength(new Set(OPERATIONS.map(({ path }) => path)).size)
  const { tries } =
    document.paths['/notifications/tries'].get.responses[200].content['application/json'].schema.properties.data
      .properties
  expect(tries).toMatchObject({ type: 'string', contentMediaType: 'application/json' })
  expect(tries.contentSchema.items.required).toEqual(['time', 'ms', 'http_status', 'reply', 'failure'])
})
