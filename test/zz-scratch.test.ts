import * as store from '@acopay/store'
import { expect, it } from 'vitest'
import { testDatabase } from './support/database.ts'

it('x', async () => {
  const t0 = Date.now()
  const db = await testDatabase()
  console.log(Date.now() - t0, 'ms', db.connectionString)
  console.log((await db.pool.query('select count(*) from orders')).rows)
  try {
    store.genesisHash(undefined as never, undefined as never)
    store.openPool(null as never)
  } catch (e) {
    console.log((e as Error).stack)
  }
  await db.drop()
  expect(1).toBe(1)
})
it.skip('y', () => {})
