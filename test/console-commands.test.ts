/** The commands beside the console: its users, and many orders to measure it by. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brokenAt, findOrder, readTimeline, unstampedAt } from '@acopay/store'
import { addPasskey, findConsoleUser, readHours } from '@acopay/store/console'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countHourlyFigures, HOURS_KEPT } from '../apps/server/src/actions/statistics/count-hours.ts'
import { consoleUser } from '../apps/server/src/commands/console-user.ts'
import type { OperatorCommand } from '../apps/server/src/commands/operator-command.ts'
import { seedOrders } from '../apps/server/src/commands/seed-orders.ts'
import { UsageError } from '../apps/server/src/commands/usage-error.ts'
import { hashing } from '../apps/server/src/security/hashing.ts'
import { isPassword } from '../apps/server/src/security/passwords.ts'
import { loadPurposeKeys } from '../apps/server/src/security/purpose-keys.ts'
import { stampsOf } from '../apps/server/src/security/stamps.ts'
import { masterKeysIn } from '../apps/server/src/security/vault.ts'
import type { World } from '../apps/server/src/world.ts'
import { type TestDatabase, testDatabase } from './support/database.ts'

let database: TestDatabase
let home: string
const env = (more = {}) => ({ DATABASE_URL: database.connectionString, ACOPAY_HOME: home, ...more })
async function saidBy({ run }: OperatorCommand, args: string[], more = {}): Promise<string> {
  const said: string[] = []
  expect(await run(args, { env: env(more), defaultHome: home, say: (line) => said.push(line) })).toBe(0)
  return said.join('\n')
}
beforeAll(async () => {
  database = await testDatabase()
  home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
})
afterAll(async () => {
  await database.drop()
  rmSync(home, { recursive: true })
})

describe('console-user', () => {
  const passwordIn = (said: string): string => said.split(': ').at(-1) ?? ''

  it('adds a user whose printed password is right and must be changed, and resets one that lost it', async () => {
    const first = passwordIn(await saidBy(consoleUser, ['add', 'wang', 'platform_admin']))
    const user = await findConsoleUser(database.pool, 'wang')
    expect(user).toMatchObject({ role: 'platform_admin', mchNo: null, mustChangePassword: true })
    expect(await isPassword(hashing().takePlace(), first, user?.passwordHash ?? null)).toBe(true)
    const lost = { username: 'wang', credentialId: Buffer.from('x'), publicKey: Buffer.from('x'), name: 'lost' }
    const passkey = { ...lost, counter: 0, transports: [] }
    await addPasskey(database.pool, passkey, { max: 1, recoveryHashes: [Buffer.from('x')] }, new Date())
    expect(await findConsoleUser(database.pool, 'wang')).toMatchObject({ passkeys: 1 })
    const second = passwordIn(await saidBy(consoleUser, ['reset', 'wang']))
    const again = await findConsoleUser(database.pool, 'wang')
    expect(again).toMatchObject({ passkeys: 0 })
    expect((await database.pool.query('select from console_recovery_code')).rowCount).toBe(0)
    expect(await isPassword(hashing().takePlace(), second, again?.passwordHash ?? null)).toBe(true)
    expect(await isPassword(hashing().takePlace(), first, again?.passwordHash ?? null)).toBe(false)
  })

  it('refuses what it cannot do, in one line', async () => {
    for (const [args, says] of [
      [[], 'reset NAME'],
      [['add', 'wang', 'platform_admin'], 'taken'],
      [['add', 'li', 'king'], 'reset NAME'],
      [['add', 'li', 'merchant_admin'], 'MCH_NO'],
      [['add', 'li', 'merchant_admin', 'NOBODY'], 'no such merchant'],
      [['add', 'Big Name', 'operator'], 'a-z'],
      [['reset', 'nobody'], 'no such user'],
    ] as [string[], string][]) {
      await expect(saidBy(consoleUser, args), args.join(' ')).rejects.toThrow(says)
    }
  })
})

describe('seed-orders', () => {
  it('makes orders whose books and timelines hold, and goes on where it was cut off', async () => {
    const said = [await saidBy(seedOrders, ['--orders', '300']), await saidBy(seedOrders, ['--orders', '500'])]
    expect(
      said
        .join('\n')
        .split('\n')
        .filter((line) => line.includes('/'))
        .map((line) => line.split('   ')[0]),
    ).toEqual(['300 / 300', '500 / 500'])
    const { rows } = await database.pool.query(
      `select mch_no, transaction_no, state from orders order by transaction_no`,
    )
    expect(rows).toHaveLength(500)
    const stamps = stampsOf(await loadPurposeKeys(database.pool, masterKeysIn(home)))
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['CLOSED', 'SUCCESS', 'REFUND']))
    for (const { mch_no, transaction_no } of rows) {
      const order = await findOrder(database.pool, mch_no, { transactionNo: transaction_no })
      const entries = await readTimeline(database.pool, mch_no, transaction_no)
      expect(brokenAt(entries, mch_no, transaction_no, order ?? undefined), transaction_no).toBeNull()
      const of = { mchNo: mch_no, transactionNo: transaction_no }
      expect(unstampedAt(entries, of, { entry: stamps.entry, since: null }), transaction_no).toBeNull()
      expect(JSON.parse(entries.at(-1)?.entry ?? '{}').to).toBe(order?.state)
    }
  })

  it('has its orders counted by the overview, also in hours that were counted before', async () => {
    const now = new Date()
    const world = { pool: database.pool, now: () => now } as World
    const counted = async (): Promise<number> => {
      await countHourlyFigures(world)
      const hours = await readHours(database.pool, null, new Date(now.getTime() - HOURS_KEPT * 3_600_000))
      return hours.reduce((sum, { placed }) => sum + Number(placed), 0)
    }
    const before = await counted()
    await saidBy(seedOrders, ['--orders', '1500'])
    const months = await database.pool.query<{ count: number }>(
      'select count(*)::int from orders where created_at >= $1',
      [new Date(Math.floor(now.getTime() / 3_600_000) * 3_600_000 - (HOURS_KEPT - 1) * 3_600_000)],
    )
    const after = await counted()
    expect(after).toBe(months.rows[0]?.count)
    expect(after).toBeGreaterThan(before)
  })

  it('refuses a production database, and a number that is none', async () => {
    await expect(saidBy(seedOrders, ['--orders', '10'], { ACOPAY_MODE: 'production' })).rejects.toThrow('sandbox')
    for (const args of [[], ['--orders'], ['--orders', '0'], ['--orders', '1', '2'], ['--order', '1']]) {
      await expect(saidBy(seedOrders, args), args.join(' ')).rejects.toThrow(UsageError)
    }
  })
})
