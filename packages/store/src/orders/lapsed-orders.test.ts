import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import {
  after,
  entryAt,
  MCH,
  NOW,
  newOrder,
  orderNow,
  placing,
  seedAttempt,
  seedMerchant,
  seedOrder,
} from '../../../../test/support/orders.ts'
import { type Pool, transaction } from '../db.ts'
import { type Expiring, type Expiry, expireUntouched, lapsedOrders, lapsedOrdersOfEach } from './lapsed-orders.ts'
import { insertOrders, lockOrder, type Order } from './orders.ts'
import { brokenAt, nextHash, readTimeline } from './timeline.ts'

const DUE = after(1000)
const SWEPT = after(1500)
const ENTRY = entryAt(SWEPT, 'expired 超时')
const EXPIRY: Expiry = { from: 'NOTPAY', to: 'CLOSED', closeReason: 'EXPIRED', entry: ENTRY }
const OTHERS = ['MCH2', 'MCH3']

let database: TestDatabase
let pool: Pool
beforeAll(async () => {
  database = await testDatabase()
  pool = database.pool
  for (const mchNo of [MCH, ...OTHERS]) await seedMerchant(pool, mchNo)
})
afterAll(() => database.drop())
beforeEach(() => pool.query('delete from timeline; delete from attempt; delete from orders'))

const lapse = (ms: number, mchNo = MCH) => seedOrder(pool, { mchNo, timeExpire: after(ms) })
const asked = ({ mchNo, transactionNo }: Order): Expiring => ({
  mchNo,
  transactionNo,
  mac: Buffer.from(`mac of ${transactionNo}`),
})
const expire = (orders: Order[], expiry = EXPIRY) =>
  expireUntouched(pool, { expiry, orders: orders.map(asked), due: DUE, now: SWEPT })
const entriesOf = ({ mchNo, transactionNo }: Order) => readTimeline(pool, mchNo, transactionNo)
const numbers = (orders: { transactionNo: string }[]): string[] => orders.map(({ transactionNo }) => transactionNo)
const isAsItWas = async (order: Order): Promise<void> => {
  expect(await orderNow(pool, order)).toEqual(order)
  expect(await entriesOf(order)).toHaveLength(order.headSeq)
}

describe('expiring orders without attempts in whole lists', () => {
  it('closes each, of whichever merchant, and extends its timeline with the hash that Node computes', async () => {
    const orders = [await lapse(1000, 'MCH3'), await lapse(-5, 'MCH2'), await lapse(0)]
    expect(await expire(orders)).toEqual(['moved', 'moved', 'moved'])
    for (const order of orders) {
      const now = await orderNow(pool, order)
      expect(now).toMatchObject({ state: 'CLOSED', closeReason: 'EXPIRED', attempts: 0, headSeq: 2 })
      expect(now.headHash).toEqual(nextHash(order.headHash, ENTRY))
      const entries = await entriesOf(order)
      expect(entries[1]).toEqual({ seq: 2, at: SWEPT, entry: ENTRY, hash: now.headHash, mac: asked(order).mac })
      expect(brokenAt(entries, order.mchNo, order.transactionNo, now)).toBeNull()
    }
    const { rows } = await pool.query('select distinct changed_at, closed_at from orders')
    expect(rows).toEqual([{ changed_at: SWEPT, closed_at: SWEPT }])
  })

  it('says when it was closed, and nothing of that where it is not closed yet', async () => {
    const order = await lapse(0)
    expect(await expire([order], { ...EXPIRY, to: 'CLOSING' })).toEqual(['moved'])
    const { rows } = await pool.query('select state, closed_at, changed_at from orders')
    expect(rows).toEqual([{ state: 'CLOSING', closed_at: null, changed_at: SWEPT }])
  })

  it('leaves an order that was paid meanwhile, or closed, as it is', async () => {
    const orders = [await lapse(0), await lapse(0)] as const
    await pool.query(`update orders set state = 'SUCCESS', success_time = $2 where transaction_no = $1`, [
      orders[0].transactionNo,
      NOW,
    ])
    await pool.query(`update orders set state = 'CLOSED', close_reason = 'MERCHANT' where transaction_no = $1`, [
      orders[1].transactionNo,
    ])
    const now = await Promise.all(orders.map((order) => orderNow(pool, order)))
    expect(await expire(now)).toEqual(['changed', 'changed'])
    for (const order of now) await isAsItWas(order)
  })

  it('leaves an order for which an attempt was opened meanwhile to the full close', async () => {
    const { order } = await seedAttempt(pool, await lapse(0))
    expect(await expire([order])).toEqual(['changed'])
    await isAsItWas(order)
  })

  it('closes nothing before its time, not by a millisecond', async () => {
    const order = await lapse(1001)
    expect(await expire([order])).toEqual(['changed'])
    await isAsItWas(order)
  })

  it('answers in the order of the list, whatever the order in which it locks', async () => {
    const [late, first, last] = [await lapse(9999, 'MCH2'), await lapse(0), await lapse(0, 'MCH3')]
    expect(await expire([last, late, first])).toEqual(['moved', 'changed', 'moved'])
    expect(await expire([first, late, last])).toEqual(['changed', 'changed', 'changed'])
  })

  it('expires an order once that is in its list twice', async () => {
    const order = await lapse(0)
    expect((await expire([order, order])).sort()).toEqual(['changed', 'moved'])
    expect(await entriesOf(order)).toHaveLength(2)
  })

  it("finds no order under another merchant's number", async () => {
    const order = await lapse(0)
    expect(await expire([{ ...order, mchNo: 'MCH2' }])).toEqual(['held'])
    await isAsItWas(order)
  })

  it('skips an order that another transaction has locked, and closes the others of the list', async () => {
    const [busy, free] = [await lapse(0), await lapse(0)]
    await transaction(pool, async (db) => {
      await lockOrder(db, MCH, { transactionNo: busy.transactionNo })
      expect(await expire([busy, free])).toEqual(['held', 'moved'])
    })
    await isAsItWas(busy)
    expect(await expire([busy, free])).toEqual(['moved', 'changed'])
  })
})

it('two sweeps of one list at once never meet: each order is expired by one of them, and neither waits', async () => {
  const orders = await Promise.all(Array.from({ length: 40 }, (_, index) => lapse(-index, OTHERS[index % 2])))
  const one = await transaction(pool, async (db) => {
    const half = orders.slice(0, 20).map(asked)
    const first = await expireUntouched(db, { expiry: EXPIRY, orders: half, due: DUE, now: SWEPT })
    const second = await expire(orders)
    expect(second).toEqual([...Array(20).fill('held'), ...Array(20).fill('moved')])
    return first
  })
  expect(one).toEqual(Array(20).fill('moved'))
  for (const order of orders) expect(await entriesOf(order)).toHaveLength(2)
})

it('eight processes that sweep the same lists at once close each order once', async () => {
  const orders = await Promise.all(Array.from({ length: 60 }, () => lapse(0)))
  const found = await Promise.all(Array.from({ length: 8 }, () => expire(orders)))
  expect(found.flat().filter((what) => what === 'moved')).toHaveLength(60)
  for (const order of orders) expect(await entriesOf(order)).toHaveLength(2)
})

describe('lapsed orders', () => {
  it('are found from their expiry on, the oldest first, and not once they are closed', async () => {
    const [second, first, closed, third] = [await lapse(999), await lapse(998), await lapse(0), await lapse(1000)]
    await expire([closed])
    const due = async (ms: number, limit = 10) => numbers(await lapsedOrders(pool, after(ms), limit))
    expect(await due(1000)).toEqual(numbers([first, second, third]))
    expect(await due(1000, 1)).toEqual(numbers([first]))
    expect(await due(998)).toEqual(numbers([first]))
    expect(await due(997)).toEqual([])
  })

  it('say whether an upstream has heard of them', async () => {
    const { order } = await seedAttempt(pool, await lapse(0))
    const found = [{ mchNo: MCH, transactionNo: order.transactionNo, attempts: 1 }]
    expect(await lapsedOrders(pool, DUE, 10)).toEqual(found)
    expect(await lapsedOrdersOfEach(pool, DUE, 10)).toEqual(found)
  })

  it("of one merchant, however many and however old, do not hold up another merchant's", async () => {
    const many = Array.from({ length: 300 }, () => placing(newOrder({ timeExpire: after(-60_000) })))
    await insertOrders(pool, many)
    const few = [await lapse(10, 'MCH2'), await lapse(5, 'MCH2'), await lapse(20, 'MCH3'), await lapse(1001, 'MCH3')]
    const [oldest, ...found] = await lapsedOrdersOfEach(pool, DUE, 6)
    expect(oldest?.mchNo).toBe(MCH)
    expect(numbers(found.filter(({ mchNo }) => mchNo !== MCH))).toEqual(numbers([few[1], few[2], few[0]] as Order[]))
    expect(found).toHaveLength(4)
    // More merchants than places: the one whose orders have waited longest comes first.
    expect((await lapsedOrdersOfEach(pool, DUE, 2)).map(({ mchNo }) => mchNo)).toEqual([MCH, 'MCH2'])
    expect(await lapsedOrdersOfEach(pool, after(-60_001), 6)).toEqual([])
  })
})
