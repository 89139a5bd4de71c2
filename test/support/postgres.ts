/** One PostgreSQL for the whole test run, with a template that each test file's database is cloned from. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { migrate, openPool } from '@acopay/store'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../apps/server/src/embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { host: string; port: number; user: string }
  }
}

export const TEMPLATE = 'acopay_template'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'acopay-test-'))
  // Speed over durability: these databases do not outlive the run.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }
  const server = await startEmbeddedPostgres(path.join(folder, 'postgres'), { settings })
  const { host, port, user } = server.connection
  const admin = openPool({ host, port, user, database: 'postgres', max: 1 })
  await admin.query(`create database ${TEMPLATE}`)
  const template = openPool({ host, port, user, database: TEMPLATE, max: 1 })
  await migrate(template)
  await template.end()
  await admin.end()
  project.provide('postgres', { host, port, user })
  return async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
