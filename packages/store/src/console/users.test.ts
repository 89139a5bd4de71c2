/** Failed sign-ins: whose they are, and when they are forgotten. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import { addConsoleUser, beginSignIn, endSignIn, findConsoleUser } from './users.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  for (const username of ['wang', 'li']) {
    const user = { username, role: 'operator', mchNo: null, mustChangePassword: false, passwordHash: 'none' } as const
    await addConsoleUser(database.pool, user, NOW)
  }
})
afterAll(() => database.drop())

it('a right password forgets the failures of this user from this origin, and of no other', async () => {
  const all = ['wang', 'li'].flatMap((username) => ['o1', 'o2'].map((origin) => ({ username, origin })))
  for (const from of all) expect(await beginSignIn(database.pool, from, NOW)).toEqual({ failures: 1 })
  await endSignIn(database.pool, { username: 'wang', origin: 'o1' }, after(5))
  const failures: Record<string, number | undefined> = {}
  for (const from of all) {
    failures[`${from.username} ${from.origin}`] = (await beginSignIn(database.pool, from, after(6)))?.failures
  }
  expect(failures).toEqual({ 'wang o1': 1, 'wang o2': 2, 'li o1': 2, 'li o2': 2 })
  const signedIn = async (name: string) => (await findConsoleUser(database.pool, name))?.lastSignedInAt ?? null
  expect([await signedIn('wang'), await signedIn('li')]).toEqual([after(5), null])
})
