import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { newDatabaseName } from '../../../test/support/own-databases.ts'
import { databaseUrl, onServer } from '../../../test/support/postgres.ts'
import { openPool, type Pool } from './db.ts'
import { migrate } from './migrate.ts'

const FILES = readdirSync(new URL('../migrations/', import.meta.url)).sort()
const serverUrl = inject('postgresUrl')
const pools: Pool[] = []
const names: string[] = []

async function emptyDatabase(): Promise<string> {
  const name = newDatabaseName()
  await onServer(serverUrl, `create database ${name}`)
  names.push(name)
  return databaseUrl(serverUrl, name)
}
function poolOf(connectionString: string, statementTimeoutMs = 5000): Pool {
  const pool = openPool({ connectionString, max: 4, statementTimeoutMs })
  pools.push(pool)
  return pool
}
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end()
  for (const name of names.splice(0)) await onServer(serverUrl, `drop database ${name} with (force)`)
})

const ledgerOf = async (pool: Pool) =>
  (await pool.query('select number, name from schema_migration order by number')).rows
const everyFile = FILES.map((name, index) => ({ number: index + 1, name }))

describe('migrating', () => {
  it('an empty database runs every file once, and again changes nothing', async () => {
    const pool = poolOf(await emptyDatabase())
    await migrate(pool)
    expect(await ledgerOf(pool)).toEqual(everyFile)
    const { rows: before } = await pool.query('select * from schema_migration')
    await migrate(pool)
    expect((await pool.query('select * from schema_migration')).rows).toEqual(before)
  })

  it('by five processes that start at once succeeds for all of them', async () => {
    for (let round = 0; round < 3; round += 1) {
      const url = await emptyDatabase()
      const starting = Array.from({ length: 5 }, () => poolOf(url))
      await Promise.all(starting.map(migrate))
      expect(await ledgerOf(poolOf(url))).toEqual(everyFile)
    }
  })

  it('waits for another process that is migrating, longer than any request may wait', async () => {
    const url = await emptyDatabase()
    const first = poolOf(url)
    await migrate(first)
    await first.query('truncate schema_migration')
    const slow = await first.connect()
    await slow.query('begin')
    await slow.query(`insert into schema_migration (number, name, checksum) values (1, 'slow', 'x')`)
    const patienceMs = 100
    const second = migrate(poolOf(url, patienceMs)).catch((error: unknown) => String(error))
    const waited = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and clock_timestamp() - query_start > interval '${2 * patienceMs} ms'`
    await expect.poll(async () => (await first.query(waited)).rows.length, { timeout: 60_000 }).toBe(1)
    await slow.query('commit')
    slow.release()
    // It read and checked what the first one wrote.
    expect(await second).toMatch(/edited after it ran/)
  })

  it('refuses to start on a file that was edited after it ran, and names it', async () => {
    const pool = poolOf(await emptyDatabase())
    await migrate(pool)
    await pool.query(`update schema_migration set checksum = 'of another text' where number = 1`)
    await expect(migrate(pool)).rejects.toThrow(`${FILES[0]} was edited after it ran`)
  })

  it('refuses to start on a database that a newer program has migrated, and says what to do', async () => {
    const pool = poolOf(await emptyDatabase())
    await migrate(pool)
    const newer = FILES.length + 1
    await pool.query(`insert into schema_migration values ($1, '9999-later.sql', 'x')`, [newer])
    await expect(migrate(pool)).rejects.toThrow(
      /newer than this program \(migration 9999-later\.sql\); start the newer/,
    )
  })
})
