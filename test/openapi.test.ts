/** The OpenAPI document against the gateway that serves it: what it lists is there, and what is answered is listed. */
import { OPERATIONS } from '@acopay/protocol'
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

it('every call that it lists is there, and answers with a listed code and with the listed fields only', async () => {
  const params = await examples()
  for (const { method, path, answers, codes } of OPERATIONS) {
    const sent = { ...params[`${method} ${path}`], aco_pay_sdk: 'test' }
    const request = { method: method.toUpperCase(), path, params: sent } as Request
    const answer = await call(gateway.demo, request)
    expect([path, answer.status, answer.fieldErrors]).toEqual([path, 200, null])
    expect(codes, path).toContain(answer.data.code)
    for (const name of Object.keys(answer.data)) expect([...answers, ...SIGNED], path).toContain(name)
  }
})

it('is served as a document of version 3.1 whose patterns and lengths are those that are enforced', async () => {
  const response = await fetch(`${gateway.demo.baseUrl}/openapi.json`)
  expect(response.headers.get('content-type')).toContain('application/json')
  // biome-ignore lint/suspicious/noExplicitAny: a document of somebody else's shape
  const document = (await response.json()) as any
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
  expect(Object.keys(document.paths)).toHaveLength(new Set(OPERATIONS.map(({ path }) => path)).size)
})
