import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { beginStamping, stampedSince, stampsOf } from './stamps.ts'

const HOUR = 3_600_000
const stamps = stampsOf(() => Buffer.alloc(32, 1))
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.pool.query('truncate stamping, orders, timeline cascade')
})

const begin = (now: Date) => beginStamping(database.pool, stamps, now)
const since = () => stampedSince(database.pool, stamps, 'timeline')
const unstamp = () => database.pool.query('update timeline set mac = null')

it('in a new database stamping begins with the first start, and no later start changes that', async () => {
  expect(await since()).toBeNull()
  expect(await begin(NOW)).toBe(true)
  expect(await begin(after(HOUR))).toBe(true)
  expect(await since()).toEqual(NOW)
})

it('after an upgrade it begins in an hour, since processes of the old version may go on until then', async () => {
  await seedOrder(database.pool)
  await unstamp()
  expect(await begin(NOW)).toBe(true)
  expect(await since()).toEqual(after(HOUR))
})

it('a beginning that somebody removed is not written again, and one that somebody moved is not believed', async () => {
  await begin(NOW)
  await seedOrder(database.pool)
  await database.pool.query('delete from stamping')
  expect(await begin(after(HOUR))).toBe(false)
  expect(await since()).toBeNull()
  await unstamp()
  expect(await begin(NOW)).toBe(true)
  await database.pool.query(`update stamping set begun_at = begun_at + interval '1 day'`)
  expect(await begin(after(HOUR))).toBe(false)
  expect(await since()).toBeNull()
})
