import { afterAll, beforeAll, expect, it } from 'vitest'
import { addUser, signedIn } from './support/console.ts'
import { call, close, newTradeNo, openAttempt, orderParams, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
beforeAll(async () => {
  test = await testWorld()
})
afterAll(() => test.stop())

it('every request leaves one line with its merchant, order, outcome and milliseconds', async () => {
  const order = await place(test.demo)
  await close(test.demo, order)
  await query(test.demo, order)
  await close(test.demo, 'AP0')
  await call(test.demo, { method: 'POST', path: 'close', params: {}, headers: { 'x-acopay-sign': null } })
  const { mchNo } = test.demo
  const path = '/pay/v1/transactions/'
  const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/)
  const line = { level: 30, msg: 'request', requestId, status: 200, ms: expect.any(Number) }
  expect(test.logged()).toMatchObject([
    { ...line, method: 'POST', path: `${path}trade`, mchNo, transactionNo: order, outcome: 'SUCCESS' },
    { ...line, method: 'POST', path: `${path}close`, mchNo, transactionNo: order, outcome: 'SUCCESS' },
    { ...line, method: 'GET', path: `${path}trade`, mchNo, transactionNo: order, outcome: 'CLOSED' },
    { ...line, method: 'POST', path: `${path}close`, mchNo, outcome: 'ORDER_NOT_EXIST' },
    { ...line, method: 'POST', path: `${path}close`, outcome: 'SIGN_ERROR' },
  ])
})

it('a call of the console leaves a line with its outcome: done, or why it was refused', async () => {
  await addUser(test, 'admin', 'platform_admin')
  const admin = await signedIn(test, 'admin')
  await admin.get('merchants')
  await admin.get('orders?limit=none')
  const lines = test.logged().filter(({ path }) => String(path).startsWith('/console/api/'))
  expect(lines.slice(-2)).toMatchObject([
    { path: '/console/api/merchants', status: 200, outcome: 'DONE' },
    { path: '/console/api/orders', status: 400, outcome: 'FIELD_INVALID' },
  ])
})

it('no line holds a key, a signature, a nonce, or what a request said', async () => {
  const secrets = ['very private description', 'very private extra']
  const params = orderParams(test.demo, {
    mch_trade_no: newTradeNo(),
    description: secrets[0] as string,
    extra: secrets[1] as string,
  })
  const answer = await call(test.demo, { method: 'POST', path: 'trade', params, nonce: 'veryprivatenonce' })
  const order = answer.data.transaction_no as string
  await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
  await test.runJobs()
  // A failure inside the gateway is logged with what the database said.
  await test.database.pool.query('alter table orders rename to orders_away')
  await expect(close(test.demo, order)).resolves.toMatchObject({ status: 1500, isSigned: true })
  await test.database.pool.query('alter table orders_away rename to orders')

  const text = JSON.stringify(test.logged())
  expect(text).toContain('does not exist')
  const key = test.demo.mchPrivateKey
  for (const secret of [...secrets, 'veryprivatenonce', key.slice(60, 100), String(answer.data.sign).slice(0, 40)]) {
    expect(text).not.toContain(secret)
  }
})
