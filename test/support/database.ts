/** A database for one test: empty and migrated, or as the first start of a sandbox gateway leaves it. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { openPool } from '@acopay/store'
import type pg from 'pg'
import { inject } from 'vitest'
import { newDatabaseName } from './own-databases.ts'
import { createFrom, databaseUrl, dropDatabase, onServer } from './postgres.ts'

export type TestDatabase = {
  pool: pg.Pool
  connectionString: string
  /** Closes the pool and removes the database, also while others are connected. */
  drop(): Promise<void>
}

export async function testDatabase(template: 'empty' | 'started' = 'empty'): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl')
  const name = newDatabaseName()
  await onServer(serverUrl, createFrom(name, template))
  const connectionString = databaseUrl(serverUrl, name)
  const pool = openPool({ connectionString })
  return {
    pool,
    connectionString,
    drop: async () => {
      await pool.end()
      await dropDatabase(serverUrl, name)
    },
  }
}

/** Makes `home` the one that goes with the `started` database: its demo merchant, its users and its master key, which is answered. */
export function startedOnce(home: string): Buffer {
  const { masterKey, demo, console } = inject('startedOnce')
  writeFileSync(path.join(home, 'demo.json'), demo, { mode: 0o600 })
  writeFileSync(path.join(home, 'console.json'), console, { mode: 0o600 })
  writeFileSync(path.join(home, 'master.key'), `${masterKey}\n`, { mode: 0o600 })
  return Buffer.from(masterKey, 'base64')
}
