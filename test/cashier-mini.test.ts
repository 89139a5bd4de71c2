/** A merchant's mini-program posts to the order's link: it is no page, and starts WeChat's sheet itself (docs/cashier.md). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startPayment } from '../apps/server/src/actions/payment/start-payment.ts'
import { call, orderParams, pay } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
beforeAll(async () => {
  test = await testWorld()
})
afterAll(() => test.stop())

const CODE = '0a1B2c3D4e5F6g7H8i9J0k'
const placed = async (): Promise<{ order: string; url: string }> => {
  const { data } = await call(test.demo, { method: 'POST', path: 'trade', params: orderParams(test.demo) })
  return { order: data.transaction_no ?? '', url: data.cashier_url ?? '' }
}
const start = async (url: string, body: object): Promise<{ status: number; body: Record<string, string> }> => {
  const response = await fetch(`${url}/attempts`, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}
type AttemptRow = { attempt_no: string; method: string; open_id: string | null }
const attemptsOf = async (order: string): Promise<AttemptRow[]> =>
  (
    await test.database.pool.query<AttemptRow>(
      'select attempt_no, method, open_id from attempt where transaction_no = $1',
      [order],
    )
  ).rows

it('is given the sheet of its own appid for the code of wx.login, and the order is paid through it', async () => {
  const { order, url } = await placed()
  const started = await start(url, { channel: 'wechat', method: 'mini', code: CODE })
  expect(started).toMatchObject({ status: 200, body: { channel: 'wechat', method: 'mini' } })
  expect(JSON.parse(started.body.pay_url ?? '')).toMatchObject({
    appId: 'wx0000000000000002',
    package: expect.stringMatching(/^prepay_id=wx/),
    signType: 'RSA',
    paySign: expect.stringMatching(/^[\w+/]{342}==$/),
  })
  const [attempt] = await attemptsOf(order)
  expect(attempt).toMatchObject({ method: 'mini', open_id: 'o-sandbox-payer-in-mini-program' })
  await pay(test.demo, order, attempt?.attempt_no ?? '')
  const params = { transaction_no: order, aco_pay_sdk: '2.0.0' }
  const paid = await call(test.demo, { method: 'GET', path: 'trade', params })
  expect(paid).toMatchObject({
    data: { code: 'SUCCESS', pay_channel: 'wechat', pay_method: 'mini', acoid: 'sandbox-payer' },
  })
})

it('a payment that needs its payer is not begun without one, whoever asks', async () => {
  const { order } = await placed()
  const payer = { returnUrl: 'https://shop.example/', payerIp: '127.0.0.1', openId: null }
  const asked = {
    mchNo: test.demo.mchNo,
    ref: { transactionNo: order },
    channel: 'wechat',
    method: 'mini',
    payer,
  } as const
  expect(await startPayment(test.world, asked)).toEqual({ kind: 'unavailable' })
  expect(await attemptsOf(order)).toEqual([])
})

it('is told 401 for a code that is used, wrong or missing, and nothing is opened', async () => {
  const { order, url } = await placed()
  for (const code of [CODE, 'short', '', 'a b', 7, null, undefined, 'x'.repeat(600)]) {
    expect(await start(url, { channel: 'wechat', method: 'mini', code })).toEqual({
      status: 401,
      body: { error: 'PAYER_UNKNOWN' },
    })
  }
  expect(await start(url, { channel: 'alipay', method: 'mini', code: CODE })).toMatchObject({ status: 401 })
  expect(await start(url, { channel: 'nobody', method: 'mini', code: CODE })).toMatchObject({ status: 400 })
  expect(await attemptsOf(order)).toEqual([])
})

it('is not offered to pages, which cannot start it', async () => {
  const { url } = await placed()
  expect(await (await fetch(url)).text()).not.toContain('"mini"')
})
