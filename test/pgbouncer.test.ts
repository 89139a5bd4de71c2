/**
 * A gateway behind PgBouncer: `npm run test:pgbouncer`. `ACOPAY_PGBOUNCER` names one that is not in PATH; Debian's 1.18 shows what is
 * refused, one from 1.21 on serves in transaction mode.
 */
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { migrate, openPool, type Pool } from '@acopay/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../apps/server/src/start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../apps/server/src/start/database.ts'
import { closesDuring, placeOrders } from './support/failover/closes.ts'
import { openAttempt } from './support/merchant.ts'
import { type PgBouncer, pgBouncerProgram, pgBouncerVersion, startPgBouncer } from './support/pgbouncer.ts'
import { PATIENT, type StartedProcess, startProcess } from './support/process.ts'
import { readmeSession } from './support/readme-session.ts'
import { SIZE } from './support/size.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const CLOSES = SIZE.pooledCloses
const program = CLOSES > 0 ? pgBouncerProgram() : null
/** Named statements are followed since 1.21. */
const follows = program !== null && pgBouncerVersion(program)[1] >= 21

const ADDRESS = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`
const IGNORED = 'ignore_startup_parameters = options,statement_timeout,idle_in_transaction_session_timeout'
const LONG_MS = 300_000

let dir: string
let server: EmbeddedPostgres
let admin: Pool
let bouncer: PgBouncer | undefined
let gateway: StartedProcess | undefined
beforeAll(async () => {
  if (program === null) return
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-pooled-'))
  server = await startEmbeddedPostgres(path.join(dir, 'postgres'), { settings: { listen_addresses: ADDRESS } })
  const hba = path.join(dir, 'postgres', 'data', 'pg_hba.conf')
  fs.appendFileSync(hba, 'host all all all trust\n')
  admin = openPool({ ...server.connection, max: 1 })
  await admin.query('select pg_reload_conf()')
  // The owner's work goes to the database itself, and another database has nothing yet.
  await admin.query('create database untouched')
  await migrate(admin)
})
afterEach(async () => {
  await gateway?.end('SIGTERM')
  gateway = undefined
  await bouncer?.stop()
  bouncer = undefined
})
afterAll(async () => {
  if (program === null) return
  await admin.end()
  await server.stop()
  fs.rmSync(dir, { recursive: true })
})

/** One at a time: the one before ends. */
async function pooled(mode: 'transaction' | 'session', ...settings: string[]): Promise<string> {
  await bouncer?.stop()
  const there = `${ADDRESS}:${server.connection.port}`
  bouncer = await startPgBouncer({ program: program as string, dir, mode, server: there, settings })
  return `postgresql://acopay@${bouncer.host}/acopay`
}

/** What a start says: nothing, or the one line by which it ends. */
async function said(url: string, statementTimeoutMs?: number): Promise<string> {
  const config = readConfig({ DATABASE_URL: url, ACOPAY_HOME: dir }, '')
  try {
    const { close } = await openDatabase(config, statementTimeoutMs === undefined ? {} : { statementTimeoutMs })
    await close()
    return ''
  } catch (error) {
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
}

/** The statements that a refusal asks for. */
const asked = (line: string): string[] => line.match(/alter role .*?(?=; alter role|$)/g) ?? []

/** The session of README and many closes, some with an attempt, through a gateway of its own. */
async function serves(url: string): Promise<void> {
  const home = path.join(dir, 'home')
  gateway = await startProcess({ ...PATIENT, ACOPAY_HOME: home, ACOPAY_RATE_PER_ADDRESS: '0', DATABASE_URL: url })
  const env = { ...process.env, ACOPAY_CONFIG: path.join(home, 'demo.json') }
  await readmeSession('README.md', { cwd: ROOT, env, called: 'npm run acopay --' })
  const orders = await placeOrders(gateway.demo, CLOSES)
  for (const order of orders.filter((_, index) => index % 5 === 0)) await openAttempt(gateway.demo, order, 'alipay')
  const event = { after: 0, happen: async () => {} }
  const closes = await closesDuring(gateway.demo, orders, { event, deadlineMs: LONG_MS / 2 })
  expect(closes.acknowledged).toHaveLength(CLOSES)
  expect(closes.others).toEqual({})
  expect(gateway.output()).not.toContain('"level":50')
}

describe.runIf(program !== null)('behind PgBouncer', () => {
  it.runIf(!follows)('before 1.21, transaction mode is refused in one line, which says what would serve', async () => {
    for (const settings of [[], [IGNORED]])
      expect(await said(await pooled('transaction', ...settings))).toMatch('has to be 1.21 or newer')
  })

  it.runIf(!follows)(
    'before 1.21, session mode serves once the role has the settings',
    async () => {
      const url = await pooled('session')
      for (const statement of asked(await said(url))) await admin.query(statement)
      await serves(await pooled('session'))
    },
    LONG_MS,
  )

  it.runIf(follows)('named statements that are not followed are refused', async () => {
    expect(await said(await pooled('transaction', 'max_prepared_statements = 0'))).toMatch('max_prepared_statements')
  })

  it.runIf(follows)('settings that do not arrive are refused with the statements that set them', async () => {
    await admin.query('alter role acopay in database acopay reset all')
    for (const settings of [[], [IGNORED]]) {
      const line = await said(await pooled('transaction', 'max_prepared_statements = 200', ...settings))
      expect(line).toContain(`alter role "acopay" in database "acopay" set statement_timeout = '5000'`)
      expect(line).toContain(`set idle_in_transaction_session_timeout = '30000'`)
      await bouncer?.stop()
    }
    bouncer = undefined
  })

  it.runIf(follows)('commands that take long, and migrations, do not go through it', async () => {
    const url = await pooled('transaction', 'max_prepared_statements = 200')
    expect(await said(url, LONG_STATEMENT_MS)).toMatch('does not go through PgBouncer')
    const untouched = openPool({ connectionString: url.replace(/acopay$/, 'untouched'), max: 2 })
    await expect(migrate(untouched)).rejects.toThrow('which does not go through PgBouncer')
    await untouched.end()
  })

  it.runIf(follows)(
    'transaction mode serves, once the role has the settings: README, and closes without an error',
    async () => {
      const first = await pooled('transaction', 'max_prepared_statements = 200')
      for (const statement of asked(await said(first))) await admin.query(statement)
      await bouncer?.stop()
      const url = await pooled('transaction', 'max_prepared_statements = 200')
      expect(await said(url)).toBe('')
      await serves(url)
    },
    LONG_MS,
  )
})
