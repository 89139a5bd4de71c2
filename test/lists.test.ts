/** A merchant's lists of orders and refunds through its SDK: what is in them, in which state, and how their pages join. */
import { AcoPay, ApiError } from '@acopay/sdk'
import { addApp } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, newTradeNo, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const MINUTE = 60_000

let gateway: TestWorld
let client: AcoPay
beforeAll(async () => {
  gateway = await testWorld({ start: new Date('2026-03-01T04:00:00.250Z') })
  client = new AcoPay({ ...gateway.demo, tries: 1 })
})
afterAll(() => gateway.stop())

const now = (): Date => gateway.world.now()

/** A later order, so that it is the first in the list. */
async function next(more: Record<string, string> = {}): Promise<string> {
  gateway.advance(1)
  return place(gateway.demo, more)
}

async function all<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const found: Row[] = []
  for await (const row of rows) found.push(row)
  return found
}

const numbers = async (rows: AsyncIterable<{ transactionNo: string }>): Promise<string[]> =>
  (await all(rows)).map(({ transactionNo }) => transactionNo)

it('orders are listed by state, app, time and number, as a query shows each; so are the refunds of one', async () => {
  const { demo } = gateway
  await addApp(gateway.database.pool, { mchNo: demo.mchNo, appNo: 'APP2', name: 'x' }, now())
  const begin = now()
  const open = await next({ extra: 'x' })
  const elsewhere = await next({ app_no: 'APP2' })
  const closed = await next()
  await client.closeOrder({ transactionNo: closed })
  const middle = now()
  const paid = await next()
  await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')
  await gateway.runJobs()
  const refunds = [newTradeNo(), newTradeNo()]
  for (const mchRefundNo of refunds) {
    gateway.advance(1)
    await client.refund({ transactionNo: paid, mchRefundNo, refundAmount: '1.00', refundReason: '退货' })
  }

  expect(await numbers(client.listOrders())).toEqual([paid, closed, elsewhere, open])
  expect(await numbers(client.listOrders({ appNo: 'APP2' }))).toEqual([elsewhere])
  expect(await numbers(client.listOrders({ state: 'CLOSED' }))).toEqual([closed])
  expect(await numbers(client.listOrders({ state: 'NOTPAY', appNo: demo.appNo }))).toEqual([open])
  // `until` is the moment of the order that it leaves out; a millisecond later takes it in.
  const after = (time: Date, ms: number): Date => new Date(time.getTime() + ms)
  expect(await numbers(client.listOrders({ from: after(begin, 1), until: middle }))).toEqual([elsewhere, open])
  expect(await numbers(client.listOrders({ from: after(begin, 2), until: after(middle, 1) }))).toEqual([
    closed,
    elsewhere,
  ])
  expect(await numbers(client.listOrders({ transactionNo: closed }))).toEqual([closed])
  expect(await numbers(client.listOrders({ mchTradeNo: 'none' }))).toEqual([])

  const [first] = await all(client.listOrders())
  const { createdTime, timeExpire, ...order } = first as NonNullable<typeof first>
  expect(order).toEqual(await client.queryOrder({ transactionNo: paid }))
  expect([createdTime, timeExpire.getTime() - createdTime.getTime()]).toEqual([
    new Date('2026-03-01T04:00:00Z'),
    120 * MINUTE,
  ])

  await gateway.runJobs()
  const listed = await all(client.listRefunds({ transactionNo: paid }))
  expect(listed.map(({ mchRefundNo }) => mchRefundNo)).toEqual(refunds.toReversed())
  const { createdTime: _, refundReason, ...refund } = listed[1] as NonNullable<(typeof listed)[1]>
  expect(refundReason).toBe('退货')
  expect(refund).toEqual(await client.queryRefund({ mchRefundNo: refunds[0] ?? '' }))
  expect((await client.listRefunds({ mchRefundNo: refunds[0] ?? '', state: refund.state })).refunds).toEqual([
    listed[1],
  ])
  expect(await all(client.listRefunds({ transactionNo: open }))).toEqual([])
  const unknown = await client.listRefunds({ mchTradeNo: 'none' }).catch((error: unknown) => error)
  expect(unknown).toBeInstanceOf(ApiError)
  expect(unknown).toMatchObject({ status: 1007 })
})

it('an order past its expiry is not among those that can be paid, and is shown closed before a job has closed it', async () => {
  const open = await next({ time_expire: new Date(now().getTime() + 2 * MINUTE).toISOString() })
  expect(await numbers(client.listOrders({ transactionNo: open, state: 'NOTPAY' }))).toEqual([open])
  gateway.advance(3 * MINUTE)
  expect(await numbers(client.listOrders({ transactionNo: open, state: 'NOTPAY' }))).toEqual([])
  expect((await client.listOrders({ transactionNo: open })).orders).toMatchObject([{ state: 'CLOSED' }])
  await gateway.runJobs()
  expect(await numbers(client.listOrders({ transactionNo: open, state: 'CLOSED' }))).toEqual([open])
})

it('pages have a hundred rows and join without a gap, also while orders are placed', async () => {
  const { demo, database } = gateway
  const one = await next()
  for (let count = 0; count < 100; count += 1) await next()
  const from = new Date(`${one.slice(2, 6)}-${one.slice(6, 8)}-${one.slice(8, 10)}T00:00:00+08:00`)
  const placed = await call(demo, { method: 'GET', path: 'orders', params: { from: from.toISOString() } })
  const rows = JSON.parse(placed.data.orders ?? '') as { transaction_no: string }[]
  expect([rows.length, placed.data.next]).toEqual([100, rows.at(-1)?.transaction_no])
  const seen: string[] = []
  for await (const { transactionNo } of client.listOrders()) {
    if (seen.length === 50) await next()
    seen.push(transactionNo)
  }
  const { rows: books } = await database.pool.query('select transaction_no as no from orders order by 1 desc offset 1')
  expect(seen).toEqual(books.map(({ no }) => no))
  expect(new Set(seen).size).toBe(seen.length)
})
