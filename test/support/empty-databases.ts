/** Databases without a table, for tests of what makes the tables. */
import { openPool, type Pool } from '@acopay/store'
import { inject } from 'vitest'
import { newDatabaseName } from './own-databases.ts'
import { databaseUrl, dropDatabase, onServer } from './postgres.ts'

const pools: Pool[] = []
const names: string[] = []

export async function emptyDatabaseUrl(): Promise<string> {
  const serverUrl = inject('postgresUrl')
  const name = newDatabaseName()
  await onServer(serverUrl, `create database ${name}`)
  names.push(name)
  return databaseUrl(serverUrl, name)
}

export const emptyDatabase = async (): Promise<Pool> => poolOf(await emptyDatabaseUrl())

export function poolOf(connectionString: string): Pool {
  const pool = openPool({ connectionString, max: 4 })
  pools.push(pool)
  return pool
}

/** After each test. */
export async function removeDatabases(): Promise<void> {
  for (const pool of pools.splice(0)) await pool.end()
  for (const name of names.splice(0)) await dropDatabase(inject('postgresUrl'), name)
}
