import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { openPool } from '../db.ts'
import { readEntriesOf } from './day-heads.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

it('a day is read to its end although that takes longer than a request may', async () => {
  const order = await seedOrder(database.pool)
  // Statements of a request end after a second here, and its caller gives up a second later.
  const hurried = openPool({ connectionString: database.connectionString, max: 1, statementTimeoutMs: 1000 })
  const blocker = await database.pool.connect()
  await blocker.query('begin')
  await blocker.query('lock table timeline in access exclusive mode')
  const released = blocker.query('select pg_sleep(2.3)').then(() => blocker.query('commit'))
  const read: string[] = []
  try {
    await readEntriesOf(hurried, { from: NOW, until: after(1) }, (entries) => {
      read.push(...entries.map(({ transactionNo, seq }) => `${transactionNo} ${seq}`))
    })
  } finally {
    await released
    blocker.release()
    await hurried.end()
  }
  expect(read).toEqual([`${order.transactionNo} 1`])
})
