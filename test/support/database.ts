/** A database of one's own for a test file, cloned from the migrated template. */
import { randomBytes } from 'node:crypto'
import { openPool, type Pool } from '@acopay/store'
import { inject } from 'vitest'
import { TEMPLATE } from './postgres.ts'

export type TestDatabase = { pool: Pool; connectionString: string; drop: () => Promise<void> }

export async function testDatabase(): Promise<TestDatabase> {
  const server = inject('postgres')
  const database = `test_${randomBytes(6).toString('hex')}`
  const admin = openPool({ ...server, database: 'postgres', max: 1 })
  // Cloning needs the template to itself for a moment; another test file may be cloning it.
  for (let tries = 1; ; tries += 1) {
    try {
      await admin.query(`create database ${database} template ${TEMPLATE} strategy wal_log`)
      break
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || tries >= 100) throw error
    }
  }
  const pool = openPool({ ...server, database, max: 20 })
  return {
    pool,
    connectionString: `postgres://${server.user}@/${database}?host=${encodeURIComponent(server.host)}&port=${server.port}`,
    drop: async () => {
      await pool.end()
      await admin.query(`drop database ${database} with (force)`)
      await admin.end()
    },
  }
}
