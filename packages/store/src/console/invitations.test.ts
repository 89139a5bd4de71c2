/** Invitations: one link makes one user, whoever else uses it at the same moment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import {
  acceptInvitation,
  addInvitation,
  openInvitation,
  revokeInvitation,
  revokeInvitationsOf,
} from './invitations.ts'
import { findConsoleUser } from './users.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const linkKey = (count: number): Buffer => Buffer.alloc(32, count)
const numberOf = (count: number): string => `IV${String(count).padStart(36, '0')}`
const invite = (count: number, username: string, invitedBy = 'admin') =>
  addInvitation(
    database.pool,
    {
      ...{ invitationNo: numberOf(count), linkKey: linkKey(count), username, invitedBy },
      ...{ role: 'operator', mchNo: null, expiresAt: after(1000) },
    },
    NOW,
  )
const accept = (count: number, ms = 0) =>
  acceptInvitation(database.pool, { linkKey: linkKey(count), passwordHash: `hash ${ms}` }, after(ms))

it('of ten who use a link at once one becomes the user, and the others find it used', async () => {
  await invite(1, 'raced')
  const results = await Promise.all(Array.from({ length: 10 }, (_, ms) => accept(1, ms)))
  expect(results.toSorted()).toEqual(['accepted', ...Array(9).fill('ended')])
  const won = results.indexOf('accepted')
  expect(await findConsoleUser(database.pool, 'raced')).toMatchObject({ passwordHash: `hash ${won}`, mchNo: null })
})

it('a link is open until its last millisecond, and neither accepted nor revoked afterwards', async () => {
  await invite(2, 'late')
  expect(await openInvitation(database.pool, linkKey(2), after(999))).toMatchObject({ username: 'late' })
  expect(await openInvitation(database.pool, linkKey(2), after(1000))).toBeNull()
  expect(await accept(2, 1000)).toBe('ended')
  expect(await revokeInvitation(database.pool, numberOf(2), after(1000))).toBe(false)
})

it('revoking all of a user ends the open ones of this user, and no others', async () => {
  await invite(3, 'one', 'leaver')
  await invite(4, 'two', 'leaver')
  await invite(5, 'three', 'stayer')
  expect(await accept(3)).toBe('accepted')
  await revokeInvitationsOf(database.pool, 'leaver', after(1))
  expect([await accept(4, 2), await accept(5, 2)]).toEqual(['ended', 'accepted'])
  const { rows } = await database.pool.query(
    'select username, used_at, revoked_at from console_invitation where invited_by = $1 order by username',
    ['leaver'],
  )
  expect(rows).toEqual([
    { username: 'one', used_at: NOW, revoked_at: null },
    { username: 'two', used_at: null, revoked_at: after(1) },
  ])
})
