/** A real PostgreSQL for simulations, in a temporary folder, and without waiting for the disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { migrate, openPool } from '@acopay/store'
import pg from 'pg'

export type SimulationDatabase = { url: string; stop: () => Promise<void> }

/** Also removed when the process ends early: by an error, Ctrl-C or SIGTERM. */
export async function startDatabase(): Promise<SimulationDatabase> {
  const given = process.env.SIMULATION_DATABASE_URL
  if (given) return { url: given, stop: async () => {} }
  const dir = mkdtempSync(path.join(tmpdir(), 'acopay-simulation-'))
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '60' }
  const { connection, stop, pid } = await startEmbeddedPostgres(dir, { settings })
  const { host, port, user, database } = connection
  const sweep = (): void => {
    // The server ends its own processes at once; it may have ended already.
    try {
      process.kill(pid, 'SIGQUIT')
    } catch {}
    rmSync(dir, REMOVED)
  }
  process.once('exit', sweep)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  return {
    url: `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`,
    stop: async () => {
      process.removeListener('exit', sweep)
      await stop()
      rmSync(dir, REMOVED)
    },
  }
}

/** A server that is ending may still write for a moment. */
const REMOVED = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }

/** Makes a new, migrated database and opens the one connection to it. */
export async function openDatabase(
  serverUrl: string,
  name: string,
): Promise<{ connection: pg.Client; close: () => Promise<void> }> {
  const server = openPool({ connectionString: serverUrl, max: 1, statementTimeoutMs: 60_000 })
  await server.query(`drop database if exists ${name} with (force)`)
  await server.query(`create database ${name} strategy wal_log`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const pool = openPool({ connectionString: url.href, max: 1 })
  await migrate(pool)
  // The connection parses types as the pool does.
  const { types } = pool.options as { types: pg.CustomTypesConfig }
  const connection = new pg.Client({ connectionString: url.href, types, statement_timeout: 10_000 })
  await connection.connect()
  await connection.query("set timezone = 'UTC'")
  return {
    connection,
    close: async () => {
      await connection.end()
      await pool.end()
      await server.query(`drop database if exists ${name} with (force)`)
      await server.end()
    },
  }
}
