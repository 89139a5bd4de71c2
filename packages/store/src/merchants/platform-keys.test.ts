/** Which keys of the platform may end, at the moments at which they begin and end. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after } from '../../../../test/support/orders.ts'
import { addPlatformKey, endPlatformKey, listPlatformKeys } from './platform-keys.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('delete from platform_key'))

const add = (keyId: string, fromMs: number) =>
  addPlatformKey(database.pool, {
    keyId,
    publicKey: keyId,
    privateKeySealed: Buffer.from(keyId),
    validFrom: after(fromMs),
  })
const end = (keyId: string, ms: number) => endPlatformKey(database.pool, keyId, after(ms))

it('a key that has not begun cannot stand in for the only one that signs', async () => {
  await add('now', 0)
  await add('later', 1000)
  expect(await end('now', 999)).toBe('last')
  expect(await end('now', 1000)).toBe('ended')
  expect(await end('now', 1000)).toBe('absent')
})

it('a key that has not begun is removed, and one that has is listed with its end', async () => {
  await add('now', 0)
  await add('later', 1000)
  expect(await end('later', 1000)).toBe('ended')
  await add('another', 5)
  expect(await end('now', 10)).toBe('ended')
  const listed = (await listPlatformKeys(database.pool)).map(({ keyId, validUntil }) => [keyId, validUntil])
  expect(Object.fromEntries(listed)).toEqual({ now: after(10), another: null })
})
