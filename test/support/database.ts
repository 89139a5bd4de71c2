/** A migrated, empty database for one test file. */
import { randomUUID } from 'node:crypto'
import { openPool } from '@acopay/store'
import type pg from 'pg'
import { inject } from 'vitest'
import { databaseUrl, onServer, TEMPLATE } from './postgres.ts'

export type TestDatabase = {
  pool: pg.Pool
  connectionString: string
  /** Closes the pool and removes the database, also while others are connected. */
  drop(): Promise<void>
}

export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl')
  const name = `acopay_test_${randomUUID().replaceAll('-', '')}`
  await onServer(serverUrl, `create database ${name} template ${TEMPLATE} strategy wal_log`)
  const connectionString = databaseUrl(serverUrl, name)
  const pool = openPool({ connectionString })
  return {
    pool,
    connectionString,
    drop: async () => {
      await pool.end()
      await onServer(serverUrl, `drop database ${name} with (force)`)
    },
  }
}
