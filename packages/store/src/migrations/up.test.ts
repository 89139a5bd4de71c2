import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { emptyDatabase, emptyDatabaseUrl, poolOf, removeDatabases } from '../../../../test/support/empty-databases.ts'
import type { Pool } from '../db.ts'
import { type Migration, ourMigrations, readMigration } from './files.ts'
import { readSchema, servingName, whyNotServed } from './ledger.ts'
import { migrate } from './up.ts'

const FILES = readdirSync(new URL('../../migrations/', import.meta.url))
  .filter((name) => name.endsWith('.sql'))
  .sort()

afterEach(removeDatabases)

const ledgerOf = async (pool: Pool) =>
  (await pool.query('select number, name from schema_migration order by number')).rows
const everyFile = FILES.map((name, index) => ({ number: index + 1, name }))

/** Small programs whose migrations are these texts. */
const program = (...texts: string[]): Migration[] =>
  texts.map((sql, index) => readMigration(index + 1, `${String(index + 1).padStart(4, '0')}-x.sql`, sql))

const WORK = 'create table work (number integer);'
const COLUMN = 'alter table work add column more text;'
const INDEX = '-- concurrently\ncreate unique index concurrently work_by_number on work (number);'

const servedBy = async (pool: Pool, migrations: Migration[]): Promise<string | null> =>
  whyNotServed(await readSchema(pool, migrations), migrations)

const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

describe('migrating', () => {
  it('an empty database runs every file once, and again changes nothing', async () => {
    const pool = await emptyDatabase()
    await migrate(pool, { program: '1.2.3' })
    expect(await ledgerOf(pool)).toEqual(everyFile)
    const { rows: before } = await pool.query('select * from schema_migration')
    expect(new Set(before.map(({ applied_by, oldest_program }) => [applied_by, oldest_program].join()))).toEqual(
      new Set(['1.2.3,0']),
    )
    await migrate(pool, { program: '2.0.0' })
    expect((await pool.query('select * from schema_migration')).rows).toEqual(before)
  })

  it('by five processes that start at once succeeds for all of them', async () => {
    for (let round = 0; round < 3; round += 1) {
      const url = await emptyDatabaseUrl()
      await Promise.all(Array.from({ length: 5 }, () => migrate(poolOf(url))))
      expect(await ledgerOf(poolOf(url))).toEqual(everyFile)
    }
  })

  it('waits for another process that is migrating, and does again nothing of what that has done', async () => {
    const url = await emptyDatabaseUrl()
    const [pool, said] = [poolOf(url), [] as string[]]
    let go: () => void = () => {}
    const first = new Promise<void>((resolve) => {
      go = resolve
    })
    // The first one holds the table that it has made while the second one begins.
    const holding = await pool.connect()
    await holding.query('begin')
    await holding.query('create table work (number integer)')
    const one = migrate(pool, { migrations: program(WORK), sleep: () => first, say: () => {}, lockWaitMs: 20 })
    await expect
      .poll(async () => (await pool.query(`select 1 from pg_locks where locktype = 'advisory'`)).rowCount)
      .toBe(1)
    const two = migrate(poolOf(url), {
      migrations: program(WORK),
      say: (line) => said.push(line),
      sleep: async () => go(),
    })
    await expect
      .poll(() => said)
      .toEqual(['另一个进程正在迁移，等它结束 (another process is migrating: waiting for it)'])
    await holding.query('rollback')
    holding.release()
    await Promise.all([one, two])
    expect(said).toHaveLength(1)
    expect(await ledgerOf(pool)).toEqual([{ number: 1, name: '0001-x.sql' }])
  })

  it('brings the table of a version before 0.2.0 to its own columns', async () => {
    const pool = await emptyDatabase()
    await migrate(pool, { migrations: program(WORK) })
    await pool.query('alter table schema_migration drop column applied_by, drop column oldest_program')
    expect(await servedBy(pool, program(WORK))).toBe(null)
    await migrate(pool, { migrations: program(WORK, COLUMN), program: '0.2.0' })
    const { applied } = await readSchema(pool, program(WORK, COLUMN))
    expect(applied.map(({ appliedBy, oldestProgram }) => [appliedBy, oldestProgram])).toEqual([
      [null, null],
      ['0.2.0', 0],
    ])
  })
})

describe('a migration whose table is in use', () => {
  it('waits for a moment only, steps back so that others go on, says who is in the way, and tries again', async () => {
    const pool = await emptyDatabase()
    await migrate(pool, { migrations: program(WORK) })
    const other = await pool.connect()
    await other.query('begin')
    await other.query('insert into work values (1)')
    const said: string[] = []
    let pauses = 0
    await migrate(pool, {
      migrations: program(WORK, COLUMN),
      lockWaitMs: 20,
      say: (line) => said.push(line),
      async sleep() {
        // While it pauses nothing waits behind it, and what it began is undone.
        expect((await pool.query(waiting)).rows).toEqual([])
        await pool.query('insert into work values (2)')
        expect(await ledgerOf(pool)).toHaveLength(1)
        pauses += 1
        if (pauses === 2) await other.query('commit')
      },
    })
    other.release()
    expect(said).toEqual([
      expect.stringMatching(
        /^0002-x\.sql {3}表被占用，1 \/ 100.* \(a table is in use, trying again\): pid \d+, acopay, \d+ s$/,
      ),
      expect.stringMatching(/^0002-x\.sql {3}表被占用，2 \/ 100/),
      expect.stringMatching(/^0002-x\.sql {3}完成 done, \d+ ms$/),
    ])
    expect(await ledgerOf(pool)).toHaveLength(2)
  })

  it('gives up in the end, with one line, and can be run again', async () => {
    const pool = await emptyDatabase()
    await migrate(pool, { migrations: program(WORK) })
    const other = await pool.connect()
    await other.query('begin')
    await other.query('insert into work values (1)')
    const options = { migrations: program(WORK, COLUMN), lockWaitMs: 10, tries: 3, sleep: async () => {} }
    await expect(migrate(pool, options)).rejects.toThrow(/^3 次都没有等到表空闲.*pid \d+, acopay, \d+ s$/)
    await other.query('commit')
    other.release()
    await migrate(pool, options)
    expect(await ledgerOf(pool)).toHaveLength(2)
  })
})

describe('an index that is built concurrently', () => {
  const isWhole = `select indisvalid as whole from pg_index where indexrelid = 'work_by_number'::regclass`

  it('lets others write meanwhile', async () => {
    const pool = await emptyDatabase()
    await migrate(pool, { migrations: program(WORK) })
    const other = await pool.connect()
    await other.query('begin')
    await other.query('insert into work values (1)')
    const said: string[] = []
    const built = migrate(pool, {
      migrations: program(WORK, INDEX),
      say: (line) => said.push(line),
      sleep: async () => {
        await expect.poll(async () => (await pool.query(waiting)).rowCount).toBe(1)
      },
    })
    // It waits for the transaction, and another one does not wait for it. It says how far it is.
    await expect.poll(() => said.at(-1)).toMatch(/waiting for writers/)
    await pool.query('insert into work values (2)')
    await other.query('commit')
    other.release()
    await built
    expect((await pool.query(isWhole)).rows).toEqual([{ whole: true }])
    expect(await ledgerOf(pool)).toHaveLength(2)
  })

  it('and the file of a migration may take longer than the driver waits for other statements', async () => {
    const pool = await emptyDatabase()
    const limits = new Map<string, number | undefined>()
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>
      client.query = ((...asked: [{ text?: string; query_timeout?: number }, ...unknown[]]) => {
        limits.set(asked[0].text?.split('\n')[0] ?? '', asked[0].query_timeout)
        return query(...asked)
      }) as never
    })
    await migrate(pool, { migrations: program(WORK) })
    await pool.query('insert into work values (1), (1)')
    await expect(migrate(pool, { migrations: program(WORK, INDEX) })).rejects.toThrow('work_by_number')
    await pool.query('delete from work')
    await migrate(pool, { migrations: program(WORK, INDEX) })
    const build = INDEX.split('\n')[1]?.replace(';', '') ?? ''
    for (const sql of [WORK, build, 'drop index concurrently if exists work_by_number']) {
      expect(limits.get(sql), sql).toBeGreaterThan(24 * 3_600_000)
    }
  })

  it('and broke off is dropped and begun again; one that is whole is kept', async () => {
    const pool = await emptyDatabase()
    const migrations = program(WORK, `${INDEX}\ncreate index concurrently work_again on work (number);`)
    await migrate(pool, { migrations: program(WORK) })
    await pool.query('insert into work values (1), (1)')
    await expect(migrate(pool, { migrations })).rejects.toThrow('work_by_number')
    expect((await pool.query(isWhole)).rows).toEqual([{ whole: false }])
    expect(await ledgerOf(pool)).toHaveLength(1)
    await pool.query('delete from work')
    const said: string[] = []
    await migrate(pool, { migrations, say: (line) => said.push(line) })
    expect(said).toContain('0002-x.sql   work_by_number: 删除上次中断留下的 (drops what an interrupted build left)')
    expect((await pool.query(isWhole)).rows).toEqual([{ whole: true }])

    const { rows } = await pool.query(`select 'work_by_number'::regclass::oid as oid`)
    await pool.query('delete from schema_migration where number = 2')
    await migrate(pool, { migrations })
    expect((await pool.query(`select 'work_by_number'::regclass::oid as oid`)).rows).toEqual(rows)
    expect(await ledgerOf(pool)).toHaveLength(2)
  })
})

describe('a database', () => {
  it('that is empty, or lacks a migration, is not served; the line says what to run', async () => {
    const pool = await emptyDatabase()
    expect(await servedBy(pool, ourMigrations())).toMatch(
      /^数据库还没有表 .*npm run migrate as the owner of the tables\)$/,
    )
    await migrate(pool, { migrations: program(WORK) })
    expect(await servedBy(pool, program(WORK, COLUMN))).toMatch(
      /^数据库比本程序旧 .*it lacks 1, first 0002-x\.sql\): .*run npm run migrate/,
    )
  })

  it('is neither served nor migrated by a program whose file was edited after it ran, and it is named', async () => {
    const pool = await emptyDatabase()
    await migrate(pool, { migrations: program(WORK) })
    const edited = program(`${WORK} `, COLUMN)
    expect(await servedBy(pool, edited)).toMatch(/^migrations\/0001-x\.sql .*edited after it ran/)
    await expect(migrate(pool, { migrations: edited })).rejects.toThrow('0001-x.sql')
  })

  it('that a newer program has migrated is served by older ones, until a migration needs a newer one', async () => {
    const pool = await emptyDatabase()
    const [oldest, older, newer] = [
      program(WORK),
      program(WORK, COLUMN),
      program(WORK, COLUMN, `-- needs program 0002\n${WORK.replace('work', 'w2')}`),
    ]
    await migrate(pool, { migrations: older })
    expect(await servedBy(pool, oldest)).toBe(null)
    await migrate(pool, { migrations: newer })
    expect(await servedBy(pool, older)).toBe(null)
    expect(await servedBy(pool, oldest)).toMatch(
      /newer than this program, which cannot serve it any more: migration 0003-x\.sql; start the newer version\)$/,
    )
    await expect(migrate(pool, { migrations: oldest })).rejects.toThrow('start the newer version')
    // What a later migration says nothing of stays needed.
    await migrate(pool, { migrations: [...newer, readMigration(4, '0004-x.sql', 'create table w3 (n integer);')] })
    expect((await servedBy(pool, oldest)) === null).toBe(false)
    expect(await servedBy(pool, older)).toBe(null)
  })

  it('is not migrated under a program that would stop working, unless that is meant', async () => {
    const url = await emptyDatabaseUrl()
    const [oldest, newer] = [
      program(WORK),
      program(WORK, COLUMN, `-- needs program 0002\nalter table work drop column number;`),
    ]
    const pool = poolOf(url)
    await migrate(pool, { migrations: oldest })
    const serving = await pool.connect()
    await serving.query(`set application_name = '${servingName(oldest)}'`)
    await expect(migrate(pool, { migrations: newer })).rejects.toThrow(
      /^0003-x\.sql .*would stop gateways that are running, whose last migration is 1: /,
    )
    expect(await ledgerOf(pool)).toHaveLength(1)
    await serving.query(`set application_name = '${servingName(program(WORK, COLUMN))}'`)
    await migrate(pool, { migrations: newer })
    await pool.query('delete from schema_migration where number = 3')
    await pool.query('alter table work add column number integer')
    await serving.query(`set application_name = '${servingName(oldest)}'`)
    await migrate(pool, { migrations: newer, evenWhileServing: true })
    serving.release()
    expect(await ledgerOf(pool)).toHaveLength(3)
  })
})
