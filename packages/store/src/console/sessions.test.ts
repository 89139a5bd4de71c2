/** Open sessions at the moment at which they end, and how many of them are told. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import {
  addConsoleSession,
  endConsoleSessionOf,
  forgetConsoleSessions,
  listConsoleSessions,
  useConsoleSession,
} from './sessions.ts'
import { addConsoleUser } from './users.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  for (const username of ['wang', 'li']) {
    const user = { username, role: 'operator', mchNo: null, mustChangePassword: false, passwordHash: 'none' } as const
    await addConsoleUser(database.pool, user, NOW)
  }
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('delete from console_session'))

const keyOf = (number: number): Buffer => Buffer.alloc(32, number)
const begin = (number: number, endsMs: number, { username = 'wang', ms = 0 } = {}) =>
  addConsoleSession(
    database.pool,
    { key: keyOf(number), username, address: `10.0.0.${number}`, expiresAt: after(endsMs) },
    after(ms),
  )
const listed = async (nowMs: number, idleMs: number, username = 'wang'): Promise<string[]> =>
  (await listConsoleSessions(database.pool, username, { now: after(nowMs), idleSince: after(idleMs) })).map(
    ({ address }) => address,
  )
const isOpen = async (number: number, nowMs: number, idleMs: number): Promise<boolean> => {
  const at = { now: after(nowMs), idleSince: after(idleMs), isActive: false }
  return (await useConsoleSession(database.pool, keyOf(number), at)) !== null
}

it('a session is open until the moment of its end, and until it was idle for so long, and not longer', async () => {
  await begin(1, 1000)
  for (const [nowMs, idleMs, is] of [
    [999, -1, true],
    [1000, -1, false],
    [999, 0, false],
  ] as const) {
    expect([await isOpen(1, nowMs, idleMs), await listed(nowMs, idleMs)]).toEqual([is, is ? ['10.0.0.1'] : []])
  }
})

it('using a session is written down at most once a minute, and only for what its user does', async () => {
  await begin(1, 600_000)
  const seenAfter = async (nowMs: number, isActive: boolean): Promise<number> => {
    await useConsoleSession(database.pool, keyOf(1), { now: after(nowMs), idleSince: after(-1), isActive })
    const { rows } = await database.pool.query('select seen_at from console_session')
    return rows[0].seen_at.getTime() - NOW.getTime()
  }
  expect(await seenAfter(60_000, true)).toBe(0)
  expect(await seenAfter(60_001, false)).toBe(0)
  expect(await seenAfter(60_001, true)).toBe(60_001)
})

it('the sessions of one user are listed, the last used first, at most a hundred', async () => {
  await begin(1, 1000)
  await begin(2, 1000, { ms: 5 })
  await begin(3, 1000, { username: 'li' })
  expect(await listed(10, -1)).toEqual(['10.0.0.2', '10.0.0.1'])
  await database.pool.query(
    `insert into console_session (session_key, username, address, created_at, seen_at, proven_at, expires_at)
     select sha256(n::text::bytea), 'wang', 'x', $1, $1, $1, $2 from generate_series(1, 100) n`,
    [NOW, after(1000)],
  )
  expect(await listed(10, -1)).toHaveLength(100)
})

it('a user ends a session of their own by its number, and none of another user', async () => {
  await begin(1, 1000)
  await begin(3, 1000, { username: 'li' })
  expect(await endConsoleSessionOf(database.pool, 'wang', '0303030303030303')).toBe(false)
  expect(await endConsoleSessionOf(database.pool, 'wang', '0101010101010101')).toBe(true)
  expect([await listed(10, -1), await listed(10, -1, 'li')]).toEqual([[], ['10.0.0.3']])
})

it('sessions that have ended or were idle are removed, and those that are open are not', async () => {
  await begin(1, 1000)
  await begin(2, 1001, { ms: 1 })
  await begin(3, 1001)
  await forgetConsoleSessions(database.pool, after(1000), after(0))
  const { rows } = await database.pool.query<{ address: string }>('select address from console_session')
  expect(rows).toEqual([{ address: '10.0.0.2' }])
})
