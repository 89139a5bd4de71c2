/** Upgrades: what `npm run migrate` says and does, which databases a gateway serves, and how it leaves without a lost call. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Pool } from '@acopay/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../apps/server/src/commands/migrate.ts'
import { UsageError } from '../apps/server/src/commands/usage-error.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { startGateway } from '../apps/server/src/start/gateway.ts'
import { VERSION } from '../apps/server/src/version.ts'
import { emptyDatabaseUrl, poolOf, removeDatabases } from './support/empty-databases.ts'
import { testStart } from './support/manual-clock.ts'
import { place } from './support/merchant.ts'
import { type Production, productionGateway } from './support/production.ts'
import { takenTimers } from './support/taken-timers.ts'

const MINUTE = 60_000

let home: string
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-migrate-'))
})
afterAll(() => rmSync(home, { recursive: true }))
afterEach(removeDatabases)

async function ran(url: string, ...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = []
  const env = { DATABASE_URL: url, ACOPAY_HOME: home }
  const code = await migrate.run(args, { env, defaultHome: home, say: (line) => lines.push(line) })
  return { code, lines }
}

const last = `(select max(number) from schema_migration)`
/** As a database is that this program's last migration has not reached. */
const older = (pool: Pool) => pool.query(`delete from schema_migration where number = ${last}`)
/** What a newer program has run. */
const newer = (pool: Pool, oldestProgram: string) =>
  pool.query(
    `insert into schema_migration (number, name, checksum, applied_by, oldest_program)
     select ${last} + 1, '9999-later.sql', 'x', '9.0.0', ${oldestProgram}`,
  )

describe('npm run migrate', () => {
  it('shows what ran, when and by which version, what is missing, edited, and unknown', async () => {
    const url = await emptyDatabaseUrl()
    const empty = await ran(url, 'status')
    expect([empty.code, empty.lines[0]]).toEqual([1, '0001-orders.sql   未执行 missing'])
    expect(empty.lines.at(-1)).toMatch(/^数据库还没有表 .*npm run migrate/)

    const up = await ran(url, 'up', '--lock-wait', '4000')
    expect([up.code, up.lines.at(-1)]).toEqual([0, '数据库已是本版本 (the database is at this version)'])
    const now = await ran(url, 'status')
    expect(now.code).toBe(0)
    expect(now.lines[0]).toMatch(new RegExp(`^0001-orders\\.sql {3}已执行 applied 20\\S+Z {3}${VERSION}$`))
    expect(now.lines.at(-1)).toBe(up.lines.at(-1))

    const pool = poolOf(url)
    await newer(pool, '1')
    const served = await ran(url, 'status')
    expect([served.code, served.lines.slice(-2)]).toEqual([
      0,
      [
        expect.stringMatching(/^9999-later\.sql .* {3}9\.0\.0 {3}本程序不认识 unknown to this program$/),
        '数据库比本程序新，本程序仍可使用 (the database is newer than this program, which can still serve it)',
      ],
    ])
    await pool.query(`update schema_migration set checksum = 'x', applied_by = null where number = 1`)
    const edited = await ran(url, 'status')
    expect([edited.code, edited.lines[0]]).toEqual([
      1,
      expect.stringMatching(/ {3}< 0\.2\.0 {3}.*edited after it ran$/),
    ])
  })

  it('plans, without touching anything, with the locks that PostgreSQL was seen to take and the size of each table', async () => {
    const url = await emptyDatabaseUrl()
    await ran(url)
    const pool = poolOf(url)
    // 0009 builds indexes on orders, 0025 makes a table.
    await pool.query('delete from schema_migration where number in (9, 25)')
    await pool.query('analyze orders')
    const before = (await pool.query('select * from schema_migration order by number')).rows
    const { code, lines } = await ran(url, 'plan')
    expect(code).toBe(0)
    expect(lines).toContain('0009-console.sql   一个事务 one transaction')
    expect(lines.find((line) => line.startsWith('  orders'))).toMatch(
      /^ {2}orders {3}SHARE {3}0 行 rows, 0\.\d MB {3}读全表 reads every row {3}期间不能写入 nobody can write meanwhile$/,
    )
    expect(lines.find((line) => line.startsWith('  merchant'))).toMatch(
      / {3}SHARE ROW EXCLUSIVE {3}.* {3}片刻 a moment$/,
    )
    expect(lines).toContain('  不涉及已有的表 touches no table that is there')
    expect(lines.filter((line) => line.includes('waits 500 ms at most'))).toHaveLength(2)
    expect(lines.some((line) => line.startsWith('    create table call_log ('))).toBe(true)
    expect((await pool.query('select * from schema_migration order by number')).rows).toEqual(before)
  })

  it.each([[['down']], [['--serving-role']], [['status', '--lock-wait', '5']], [['up', '--lock-wait', '4001']]])(
    'names what it does not understand: %s',
    async (args: string[]) => {
      await expect(ran('postgres://127.0.0.1:1/none', ...args)).rejects.toThrow(UsageError)
    },
  )
})

describe('a gateway in production', () => {
  const env = (url: string) => ({
    ACOPAY_MODE: 'production',
    ACOPAY_HOME: home,
    DATABASE_URL: url,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ACOPAY_DRAIN_MS: '0',
  })
  const started = async (url: string, more: Record<string, string> = {}): Promise<string> => {
    try {
      const gateway = await startGateway(readConfig({ ...env(url), ...more }, ''))
      await gateway.stop()
      return 'serves'
    } catch (error) {
      return (error as Error).message
    }
  }

  it('does not touch a database that lacks a migration, and says what to run', async () => {
    const url = await emptyDatabaseUrl()
    const pool = poolOf(url)
    expect(await started(url)).toMatch(/^数据库还没有表 .*\(run npm run migrate as the owner of the tables\)$/)
    expect((await pool.query(`select 1 from pg_class where relname = 'schema_migration'`)).rows).toEqual([])
    await ran(url)
    expect(await started(url)).toBe('serves')
    await older(pool)
    expect(await started(url)).toMatch(/^数据库比本程序旧 .*it lacks 1, first 00\d\d-.*npm run migrate/)
  })

  it('migrates by itself where it is told so', async () => {
    const url = await emptyDatabaseUrl()
    expect(await started(url, { ACOPAY_MIGRATE: 'auto' })).toBe('serves')
    expect((await ran(url, 'status')).code).toBe(0)
  })

  it('serves a newer database, until a migration needs a newer program', async () => {
    const url = await emptyDatabaseUrl()
    await ran(url)
    const pool = poolOf(url)
    await newer(pool, last)
    expect(await started(url)).toBe('serves')
    await pool.query(`update schema_migration set oldest_program = number where name = '9999-later.sql'`)
    expect(await started(url)).toMatch(
      /cannot serve it any more: migration 9999-later\.sql; start the newer version\)$/,
    )
    // Also one that says nothing.
    await pool.query(`update schema_migration set oldest_program = null where name = '9999-later.sql'`)
    expect(await started(url)).toMatch(/start the newer version\)$/)
  })
})

describe('a gateway that runs', () => {
  let production: Production
  let everyMinute: (() => unknown)[]
  beforeAll(async () => {
    const taken = takenTimers('setInterval', MINUTE)
    production = await productionGateway(testStart())
    everyMinute = taken.calls
    taken.giveBack()
  })
  afterAll(() => production.stop())

  it('tells the database by its connections which program serves', async () => {
    await place(production.demo)
    const { rows } = await production.database.pool.query(
      `select distinct application_name = 'acopay serves ' || lpad(${last}::text, 4, '0') as is_told from pg_stat_activity
        where datname = current_database() and application_name like 'acopay serves %'`,
    )
    expect(rows).toEqual([{ is_told: true }])
  })

  it('ends by itself, with an alarm and one line, when its database has become too new for it; it asks once a minute', async () => {
    const { pool } = production.database
    const taken = takenTimers('setInterval', MINUTE)
    const another = await production.startAnother({})
    const minute = taken.calls.splice(0)
    taken.giveBack()
    await newer(pool, last)
    await Promise.all(minute.map((run) => run()))
    expect(await Promise.race([another.gone, 'goes on'])).toBe('goes on')
    await pool.query(`update schema_migration set oldest_program = number where name = '9999-later.sql'`)
    await Promise.all(minute.map((run) => run()))
    expect((await another.gone).message).toMatch(/migration 9999-later\.sql; start the newer version\)$/)
    expect(production.logged()).toContainEqual(
      expect.objectContaining({ alarm: true, msg: 'this program cannot serve the database any more, and ends' }),
    )
    await pool.query(`delete from schema_migration where name = '9999-later.sql'`)
    await another.stop()
    expect(everyMinute.length).toBe(minute.length)
  })

  it('says first that it stops, and answers calls until balancers have noticed', async () => {
    const { gateway, demo, clock } = production
    const stopped = gateway.stop()
    const ready = await fetch(`${gateway.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'stopping' }])
    // A kept connection ends with its answer, so that no call is on its way on it when the gateway closes it.
    const answer = await fetch(`${gateway.url}/healthz`)
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    expect(await place(demo)).toMatch(/^AP\d{36}$/)
    clock.advance(4999)
    expect(await place(demo)).toMatch(/^AP\d{36}$/)
    clock.advance(1)
    await stopped
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow('fetch failed')
  })
})
