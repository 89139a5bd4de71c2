/** How far the sandbox's clock is ahead, and what is due next on it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { insertNotification } from '../notifications/notifications.ts'
import { moveAhead, nextDue, readAheadMs } from './clock.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

it('the clock goes on, never back, and is read where it was moved to', async () => {
  expect(await readAheadMs(database.pool)).toBe(0)
  expect(await moveAhead(database.pool, 5000)).toBe(5000)
  expect(await moveAhead(database.pool, 4000)).toBe(5000)
  expect(await readAheadMs(database.pool)).toBe(5000)
})

it('due next is the earliest of what is still to be done after a moment: expiries, notifications, and jobs by themselves', async () => {
  const { pool } = database
  const next = async (ms: number) => {
    const { exact, job } = await nextDue(pool, after(ms))
    return [exact, job].map((at) => (at === null ? null : at.getTime() - NOW.getTime()))
  }
  expect(await next(0)).toEqual([null, null])
  const order = await seedOrder(pool, { timeExpire: after(9000) })
  const { mchNo, transactionNo } = order
  await insertNotification(
    pool,
    { mchNo, transactionNo, seq: 1, kind: 'payment', url: 'https://h/', host: 'h', news: '{}' },
    after(2000),
  )
  expect(await next(0)).toEqual([2000, null])
  expect(await next(2000)).toEqual([9000, null])
  await pool.query(`update notification set state = 'DELIVERED'`)
  expect(await next(0)).toEqual([9000, null])
  await pool.query(
    `insert into job (mch_no, kind, subject, due_at, created_at) values ($1, 'make_bill', 'x', $2, $3)`,
    [mchNo, after(500), NOW],
  )
  expect([await next(0), await next(500)]).toEqual([
    [9000, 500],
    [9000, null],
  ])
  await pool.query(`update orders set state = 'CLOSED', close_reason = 'MERCHANT'`)
  expect(await next(500)).toEqual([null, null])
})
