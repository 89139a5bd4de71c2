/** The databases of a test file on the test server, found by their names, and those that were not dropped. */
import { randomBytes } from 'node:crypto'
import { openPool } from '@acopay/store'
import type pg from 'pg'
import { OWNER } from '../../scripts/leftovers.mjs'

/** A name for a database of this test file: test/support/leave-nothing.ts finds by it what the file has not dropped. */
export const newDatabaseName = (): string =>
  `acopay_${tagOf(process.env[OWNER] ?? 'run')}_${randomBytes(8).toString('hex')}`

const tagOf = (owner: string): string => owner.split('.').at(-1) as string

/** The databases of the test file of this name. */
export async function databasesOf(serverUrl: string, owner: string): Promise<string[]> {
  const sql = `select datname as what from pg_database where datname like 'acopay\\_${tagOf(owner)}\\_%'`
  return (await askServer(serverUrl, sql)).map(({ what }) => what)
}

export async function dropDatabases(serverUrl: string, names: string[]): Promise<void> {
  for (const name of names) await askServer(serverUrl, `drop database if exists ${name} with (force)`)
}

/** What a server that was made for one run holds besides what every new one holds. */
export async function leftOn(serverUrl: string): Promise<string[]> {
  const rows = await askServer(
    serverUrl,
    `select 'database ' || datname as what from pg_database where datname not in ('postgres', 'template0', 'template1', 'acopay')
     union all select 'schema ' || nspname from pg_namespace where nspname !~ '^(pg_|information_schema$|public$)'
     union all select 'table ' || tablename from pg_tables where schemaname = 'public'`,
  )
  return rows.map(({ what }) => what)
}

async function askServer(serverUrl: string, sql: string): Promise<{ what: string }[]> {
  const pool = openPool({ connectionString: serverUrl, max: 1, statementTimeoutMs: 60_000 })
  try {
    return (await pool.query<pg.QueryResultRow & { what: string }>(sql)).rows
  } finally {
    await pool.end()
  }
}
