/** Lists of orders read no more than they are asked to, and find what has an index of its own all the same. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { MCH, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { findOrdersByAmount, findOrdersByBeginning } from './find.ts'
import { FIRST_NUMBER, LAST_NUMBER, listOrders } from './order-pages.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

it('an order that is closing is found however many newer ones there are; of other states only the newest are examined', async () => {
  const [closing, older, newest] = [
    await seedOrder(database.pool),
    await seedOrder(database.pool),
    await seedOrder(database.pool),
  ]
  await database.pool.query(
    `update orders set state = 'CLOSING', close_reason = 'MERCHANT' where transaction_no = $1`,
    [closing.transactionNo],
  )
  const listed = async (state: 'CLOSING' | 'NOTPAY' | null, mchNo: string | null) => {
    const range = {
      mchNo,
      from: FIRST_NUMBER,
      before: LAST_NUMBER,
      state,
      channel: null,
      amountMin: null,
      amountMax: null,
    }
    const { orders, next } = await listOrders(database.pool, range, 10, 1)
    return [orders.map(({ transactionNo }) => transactionNo), next]
  }
  for (const mchNo of [null, MCH]) {
    expect(await listed('CLOSING', mchNo)).toEqual([[closing.transactionNo], null])
    expect(await listed('NOTPAY', mchNo)).toEqual([[newest.transactionNo], newest.transactionNo])
    expect(await listed(null, mchNo)).toEqual([[newest.transactionNo], newest.transactionNo])
  }
  expect(older.transactionNo < newest.transactionNo).toBe(true)
})

it('a search over all merchants keeps the newest orders of all, and not those of the merchant that is read first', async () => {
  await seedMerchant(database.pool, 'OTHER')
  const paid = []
  for (const mchNo of [MCH, 'OTHER', MCH, 'OTHER']) {
    const { transactionNo } = await seedOrder(database.pool, { mchNo })
    await database.pool.query(
      `update orders set state = 'SUCCESS', success_time = created_at, amount_fen = 77 where transaction_no = $1`,
      [transactionNo],
    )
    paid.unshift(transactionNo)
  }
  const found = async (examined: number, before: string) => {
    const range = { mchNo: null, from: FIRST_NUMBER, before, channel: null, amountMin: 77n, amountMax: 77n }
    const { orders } = await listOrders(database.pool, { ...range, state: 'SUCCESS' }, 10, examined)
    return orders.map(({ transactionNo }) => transactionNo)
  }
  expect(await found(1, LAST_NUMBER)).toEqual(paid.slice(0, 1))
  expect(await found(1, paid[0] ?? '')).toEqual(paid.slice(1, 2))
  expect(await found(3, LAST_NUMBER)).toEqual(paid.slice(0, 3))
})

it('of the orders of one amount the newest are found, of one merchant as of all', async () => {
  const paid = []
  for (let count = 0; count < 3; count += 1) {
    const { transactionNo } = await seedOrder(database.pool)
    await database.pool.query(
      `update orders set state = 'SUCCESS', success_time = created_at, amount_fen = 78 where transaction_no = $1`,
      [transactionNo],
    )
    paid.unshift(transactionNo)
  }
  for (const mchNo of [null, MCH]) {
    const found = await findOrdersByAmount(database.pool, 78n, mchNo, 2)
    expect(found.map(({ transactionNo }) => transactionNo)).toEqual(paid.slice(0, 2))
  }
})

it('of the orders whose numbers begin so the newest of all merchants are found', async () => {
  const placed = []
  for (const mchNo of [MCH, 'OTHER', MCH, 'OTHER'])
    placed.unshift((await seedOrder(database.pool, { mchNo })).transactionNo)
  const found = async (limit: number) =>
    (await findOrdersByBeginning(database.pool, 'AP', null, limit)).map(({ transactionNo }) => transactionNo)
  expect(await found(1)).toEqual(placed.slice(0, 1))
  expect(await found(3)).toEqual(placed.slice(0, 3))
})
