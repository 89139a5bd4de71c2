/** How passkeys of one user are listed, and that what ends for one user stays for the others. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import { listPasskeys, turnTotpOff } from './passkeys.ts'
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

it('a user has only its own passkeys, the oldest first, and those of one moment always in one order', async () => {
  const add = (id: string, username: string, ms: number) =>
    database.pool.query(
      `insert into console_passkey (credential_id, username, public_key, counter, transports, name, created_at)
       values ($1, $2, '\\x00', 0, '{}', $3, $4)`,
      [Buffer.from(id), username, `key ${id}`, after(ms)],
    )
  await add('c', 'wang', 5)
  await add('b', 'wang', 5)
  await add('d', 'wang', 0)
  await add('a', 'li', 0)
  expect((await listPasskeys(database.pool, 'wang')).map(({ name }) => name)).toEqual(['key d', 'key b', 'key c'])
})

it('the last second factor of a user takes the recovery codes of that user with it, and of nobody else', async () => {
  const { pool } = database
  await pool.query('delete from console_passkey')
  for (const username of ['wang', 'li']) {
    await pool.query('insert into console_recovery_code (username, code_hash) values ($1, $2)', [
      username,
      Buffer.from(username),
    ])
  }
  // The other one has an authenticator.
  await pool.query(`update console_user set totp_enabled = true, totp_sealed = 'x' where username = 'li'`)
  await turnTotpOff(pool, 'wang')
  expect((await pool.query('select username from console_recovery_code')).rows).toEqual([{ username: 'li' }])
})
