/** The database of a measurement, and what it counts: started by us so that it counts statements too, or one that a variable names. */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import { familyMicros } from '../machine.ts'

export type Database = {
  url: string
  pool: Pool
  version: string
  /** What is known at once. */
  counted: () => Promise<DatabaseCounts>
  cpuUs: () => number
  /** Waits until every session has told its own. */
  transactions: () => Promise<number>
  /** An address of another database on the same server, made empty. */
  another: (name: string) => Promise<string>
  stop: () => Promise<void>
}

export type DatabaseCounts = { statements: number; walBytes: number; cpuUs: number }

/** A session tells its transactions at most once a second. */
const TOLD_MS = 1500
const LONG_MS = 3_600_000

/** `fsync` stays on. Statements are counted by the server itself, which costs each some microseconds. */
export async function openDatabase(dir: string): Promise<Database> {
  const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'), {
    settings: {
      shared_preload_libraries: 'pg_stat_statements',
      'pg_stat_statements.track_utility': 'off',
      max_connections: '300',
    },
  })
  const { host, port, user, database } = postgres.connection
  const urlOf = (name: string): string => `postgresql://${user}@${encodeURIComponent(host)}:${port}/${name}`
  const pool = openPool({ connectionString: urlOf(database), max: 2, statementTimeoutMs: LONG_MS })
  await pool.query('create extension if not exists pg_stat_statements')
  const { rows } = await pool.query<{ server_version: string }>('show server_version')
  return {
    url: urlOf(database),
    pool,
    version: rows[0]?.server_version.split(' ')[0] ?? '',
    counted: async () => ({ ...(await counts(pool)), cpuUs: familyMicros(postgres.pid) }),
    cpuUs: () => familyMicros(postgres.pid),
    async transactions() {
      await pause(TOLD_MS)
      return transactionsOf(pool)
    },
    async another(name) {
      await pool.query(`drop database if exists ${name}`)
      await pool.query(`create database ${name}`)
      return urlOf(name)
    },
    async stop() {
      // A server that stops writes what is still to be written, and is given little time for it.
      await pool.query('checkpoint')
      await pool.end()
      await postgres.stop()
    },
  }
}

/** Of the whole server, so that every database on it is counted alike. */
async function counts(pool: Pool): Promise<Omit<DatabaseCounts, 'cpuUs'>> {
  const { rows } = await pool.query<Record<'statements' | 'wal', string>>(
    `select (select coalesce(sum(calls), 0) from pg_stat_statements) as statements,
            pg_current_wal_insert_lsn() - '0/0' as wal`,
  )
  return { statements: Number(rows[0]?.statements), walBytes: Number(rows[0]?.wal) }
}

async function transactionsOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: string }>('select sum(xact_commit + xact_rollback) as n from pg_stat_database')
  return Number(rows[0]?.n)
}
