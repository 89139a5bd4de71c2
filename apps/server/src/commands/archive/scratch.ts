/** A database for a rehearsal: made for it, and removed after it. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import type { Config } from '../../start/config.ts'
import { LONG_STATEMENT_MS } from '../../start/database.ts'
import { withDatabase } from '../../start/database-hosts.ts'
import { databaseConnection } from '../../start/database-tls.ts'

/** On the same server as the gateway's database; without one a second embedded PostgreSQL. */
export async function scratchDatabase({
  databaseUrl,
  mode,
}: Config): Promise<{ pool: Pool; drop: () => Promise<void> }> {
  return databaseUrl === null ? ownServer() : onServer(databaseUrl, mode)
}

async function ownServer() {
  const folder = mkdtempSync(path.join(tmpdir(), 'acopay-rehearsal-'))
  const postgres = await startEmbeddedPostgres(path.join(folder, 'postgres'))
  const pool = openPool({ ...postgres.connection, max: 4, statementTimeoutMs: LONG_STATEMENT_MS })
  const drop = async (): Promise<void> => {
    await pool.end()
    await postgres.stop()
    rmSync(folder, { recursive: true })
  }
  return { pool, drop }
}

async function onServer(databaseUrl: string, mode: Config['mode']) {
  const name = `acopay_rehearsal_${randomBytes(6).toString('hex')}`
  const open = (url: string, max: number): Pool =>
    openPool({ ...databaseConnection(url, mode), max, statementTimeoutMs: LONG_STATEMENT_MS })
  const admin = open(databaseUrl, 1)
  try {
    await admin.query(`create database ${name} encoding 'UTF8' template template0`)
  } catch (error) {
    await admin.end()
    const { code } = error as { code?: string }
    throw new Error(
      `不能建立演练用的数据库，角色需要 CREATEDB (cannot create a database for the rehearsal; the role needs CREATEDB): ${code}`,
    )
  }
  const pool = open(withDatabase(databaseUrl, name), 4)
  const drop = async (): Promise<void> => {
    await pool.end()
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  }
  return { pool, drop }
}
