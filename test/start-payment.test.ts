/** Opening a payment by a method that the channel does not have. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startPayment } from '../apps/server/src/actions/payment/start-payment.ts'
import { place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

it('an unknown method, or a merchant without the channel, opens nothing and writes nothing; a known one opens', async () => {
  const { mchNo } = gateway.demo
  const transactionNo = await place(gateway.demo)
  const payer = { returnUrl: null, payerIp: '127.0.0.1', openId: null }
  const start = (method: string, of = mchNo) =>
    startPayment(gateway.world, { mchNo: of, ref: { transactionNo }, channel: 'wechat', method, payer })
  expect(await start('telepathy')).toEqual({ kind: 'unavailable' })
  expect(await start('native', 'MCH404')).toEqual({ kind: 'unavailable' })
  // This one needs to know who pays.
  expect(await start('jsapi')).toEqual({ kind: 'unavailable' })
  expect((await gateway.database.pool.query('select from attempt')).rowCount).toBe(0)
  expect(await start('native')).toMatchObject({ kind: 'started', attempt: { method: 'native', state: 'OPEN' } })
})
