/** Random requests, 100 000 with `npm run test:long`; a fifth of them carry a right signature. */
import { randomUUID } from 'node:crypto'
import {
  type Envelope,
  type JsonObject,
  privateKeyFrom,
  publicKeyFrom,
  requestText,
  responseText,
  SIGN_TYPE,
  signText,
  verifyText,
} from '@acopay/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { anyText } from './support/any-text.ts'
import { newTradeNo, place } from './support/merchant.ts'
import { SIZE } from './support/size.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const REQUESTS = SIZE.randomRequests
const AT_ONCE = 100

let test: TestWorld
let orders: string[]
beforeAll(async () => {
  test = await testWorld()
  orders = await Promise.all(Array.from({ length: 50 }, () => place(test.demo)))
})
afterAll(() => test.stop())

const FIELDS = [
  ...[
    'mch_refund_no',
    'refund_no',
    'refund_amount',
    'refund_reason',
    'seq',
    'state',
    'before',
    'from',
    'until',
    'bill_date',
  ],
  ...['app_no', 'mch_trade_no', 'description', 'amount_total', 'amount_currency', 'extra', 'notify_url'],
  ...['time_expire', 'aco_pay_sdk', 'transaction_no', 'mch_no', 'nonce', 'sign_type', 'sign'],
]

const text = anyText({ maxLength: 40 })
const known = fc.constantFrom(
  'DEAD',
  '2026-02-28',
  '2026-02-30',
  '1',
  'APP1000000',
  '测试订单',
  '12.50',
  '0.01',
  'CNY',
  '',
  'https://example.com/n',
  '0',
)
const orderNo = fc.nat(49).map((index) => orders[index] as string)
const value = fc.oneof(
  { weight: 3, arbitrary: known },
  { weight: 2, arbitrary: orderNo },
  { weight: 2, arbitrary: text },
  { weight: 1, arbitrary: fc.constant(null).map(newTradeNo) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)
const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...FIELDS) }, { weight: 1, arbitrary: text })
/** Read back from JSON, so that both sides see the same values (-0, say). */
const params = fc
  .array(fc.tuple(name, value), { maxLength: 10 })
  .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as JsonObject)

const LISTS = ['orders', 'refunds', 'notifications', 'notifications/tries']
const VERBS = ['bill', 'close', 'trade', 'refund', ...LISTS, 'notifications/resend', 'calls']
const path = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...VERBS).map((verb) => `/pay/v1/transactions/${verb}`) },
  { weight: 1, arbitrary: fc.webPath() },
)
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'POST') },
  { weight: 1, arbitrary: fc.constantFrom('PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS') },
)
/** What HTTP lets through a header. */
const headerText = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
const headers = fc.record(
  {
    'x-acopay-mch-no': fc.oneof(fc.constant('MCH1000000'), headerText),
    'x-acopay-nonce': headerText,
    'x-acopay-sign-type': fc.oneof(fc.constant(SIGN_TYPE), headerText),
    'x-acopay-sign': fc.oneof(fc.base64String(), headerText),
    'content-type': fc.oneof(fc.constant('application/json'), headerText),
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  params.map((object) => JSON.stringify(object)),
  fc.json(),
  text,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
)

const stranger = fc.record({ kind: fc.constant('stranger' as const), method, path, headers, body, query: params })
const merchant = fc.record({
  kind: fc.constant('merchant' as const),
  call: fc.constantFrom(
    ['POST', 'close'] as const,
    ['GET', 'trade'] as const,
    ['POST', 'trade'] as const,
    ['POST', 'refund'] as const,
    ['GET', 'refund'] as const,
    ['GET', 'orders'] as const,
    ['GET', 'refunds'] as const,
  ),
  params,
})
type Sent = typeof stranger extends fc.Arbitrary<infer S> ? S : never
type Signed = typeof merchant extends fc.Arbitrary<infer S> ? S : never

const asText = (some: unknown): string => (typeof some === 'string' ? some : JSON.stringify(some))
const queryText = (object: JsonObject): string =>
  new URLSearchParams(Object.entries(object).map(([key, some]): [string, string] => [key, asText(some)])).toString()

async function send(request: Sent): Promise<void> {
  const { method, path, headers, body, query } = request
  const url = `${path}?${queryText(query)}`
  const answer = await test.app.inject({ method: method as 'GET', url, headers, ...(method === 'GET' ? {} : { body }) })
  if (answer.statusCode >= 500 || /"status":1500/.test(answer.body)) {
    throw new Error(`${answer.statusCode} ${answer.body} for ${JSON.stringify(request)}`)
  }
}

async function sendSigned({ call: [method, verb], params: some }: Signed): Promise<void> {
  const { demo } = test
  const query = new URLSearchParams(queryText(some))
  // A lone surrogate cannot travel in a query: what arrives is what is signed.
  const signed: JsonObject = method === 'GET' ? Object.fromEntries(query) : some
  const nonce = randomUUID().replaceAll('-', '')
  const signedText = requestText(signed, { mchNo: demo.mchNo, nonce, signType: SIGN_TYPE })
  const answer = await test.app.inject({
    method,
    url: `/pay/v1/transactions/${verb}${method === 'GET' ? `?${query}` : ''}`,
    headers: {
      'x-acopay-mch-no': demo.mchNo,
      'x-acopay-nonce': nonce,
      'x-acopay-sign-type': SIGN_TYPE,
      'x-acopay-sign': await signText(signedText, privateKeyFrom(demo.mchPrivateKey)),
    },
    ...(method === 'GET' ? {} : { body: JSON.stringify(some) }),
  })
  expect(answer.statusCode).toBe(200)
  const envelope = JSON.parse(answer.body) as Envelope
  expect(envelope.status).not.toBe(1500)
  const sign = envelope.data?.sign
  if (typeof sign !== 'string') throw new Error(`unsigned: ${answer.body}`)
  expect(verifyText(responseText(envelope), sign, publicKeyFrom(demo.platformPublicKey))).toBe(true)
}

it(`${REQUESTS} random requests see no 5xx, and every request with a right signature has a signed answer`, async () => {
  const request = fc.oneof({ weight: 4, arbitrary: stranger }, { weight: 1, arbitrary: merchant })
  const requests = fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE, size: 'max' })
  await fc.assert(
    fc.asyncProperty(requests, async (batch) => {
      await Promise.all(batch.map((one) => (one.kind === 'stranger' ? send(one) : sendSigned(one))))
    }),
    { numRuns: REQUESTS / AT_ONCE, endOnFailure: true },
  )
}, 1_200_000)
