/** One PostgreSQL for the whole test run, with a migrated database to copy from; TEST_DATABASE_URL names another. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { migrate, openPool } from '@acopay/store'
import type { TestProject } from 'vitest/node'

export const TEMPLATE = 'acopay_template'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  const server = given ? { url: given, remove: async () => {} } : await temporaryServer()
  await onServer(server.url, `drop database if exists ${TEMPLATE} with (force)`, `create database ${TEMPLATE}`)
  const pool = openPool({ connectionString: databaseUrl(server.url, TEMPLATE) })
  await migrate(pool)
  await pool.end()
  project.provide('postgresUrl', server.url)
  return async () => {
    await onServer(server.url, `drop database if exists ${TEMPLATE} with (force)`)
    await server.remove()
  }
}

async function temporaryServer(): Promise<{ url: string; remove: () => Promise<void> }> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-test-'))
  const { connection, stop } = await startEmbeddedPostgres(dir, { settings: { fsync: 'off', max_connections: '100' } })
  const { host, port, user, database } = connection
  return {
    url: `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`,
    remove: async () => {
      await stop()
      fs.rmSync(dir, { recursive: true, force: true })
    },
  }
}

export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

/** Statements that belong to no database of ours: creating and dropping one. */
export async function onServer(serverUrl: string, ...statements: string[]): Promise<void> {
  const pool = openPool({ connectionString: serverUrl, max: 1, statementTimeoutMs: 60_000 })
  try {
    for (const statement of statements) await pool.query(statement)
  } finally {
    await pool.end()
  }
}
