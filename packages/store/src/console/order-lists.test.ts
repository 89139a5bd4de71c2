/** Lists of orders read no more than they are asked to, and find what has an index of its own all the same. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { MCH, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
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
