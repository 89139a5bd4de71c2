/**
 * One PostgreSQL for the whole test run, with two databases to copy from: an empty, migrated one, and one as a sandbox gateway
 * leaves it after its first start. Making its six RSA keys once saves a second per test. TEST_DATABASE_URL names another server.
 */

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { isMerchantRole, ROLES } from '@acopay/protocol/console'
import { migrate, openPool, type Pool } from '@acopay/store'
import { addConsoleUser } from '@acopay/store/console'
import { sandboxBooks } from '@acopay/store/sandbox'
import type { TestProject } from 'vitest/node'
import { DEMO, seedDemo } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { newSettings } from '../../apps/server/src/sandbox/upstreams.ts'
import { loadSigningKey } from '../../apps/server/src/security/platform-key.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import { quickFolder } from '../../scripts/leftovers.mjs'
import { leftOn } from './own-databases.ts'
import { PASSWORD, PASSWORD_HASH } from './passwords.ts'

const EMPTY = 'acopay_template'
const STARTED = 'acopay_template_started'
const TEMPLATES = { empty: EMPTY, started: STARTED }

/** What a gateway needs besides a copy of the `started` database. */
export type StartedOnce = {
  /** Base64. */
  masterKey: string
  /** The contents of `demo.json`; its address is that of no gateway. */
  demo: string
  /** The contents of `console.json`, whose users have the password of the tests. */
  console: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
    startedOnce: StartedOnce
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  const server = given ? { url: given, remove: async () => {} } : await temporaryServer()
  await onServer(server.url, ...[STARTED, EMPTY].map(dropping), `create database ${EMPTY}`)
  if (isCitus) await inDatabase(server.url, EMPTY, beginCluster)
  await inDatabase(server.url, EMPTY, migrate)
  if (isCitus) await leaveAlone(server.url, EMPTY)
  await onServer(server.url, createFrom(STARTED, 'empty'))
  project.provide('postgresUrl', server.url)
  project.provide('startedOnce', await inDatabase(server.url, STARTED, startOnce))
  if (isCitus) await leaveAlone(server.url, STARTED)
  return async () => {
    await onServer(server.url, ...[STARTED, EMPTY].map(dropping))
    const left = given ? [] : await leftOn(server.url)
    await server.remove()
    if (left.length > 0) throw new Error(`the tests left on their PostgreSQL: ${left.join(', ')}`)
  }
}

const dropping = (name: string): string => `drop database if exists ${name} with (force)`

/** `npm run test:citus`: every copy of the templates is a Citus of one node. */
const isCitus = process.env.ACOPAY_TEST_CITUS === '1'

/** The server is its only node, and holds merchants' rows. */
async function beginCluster(pool: Pool): Promise<void> {
  await pool.query('set statement_timeout = 0')
  await pool.query('create extension citus')
  const port = `current_setting('port')::int`
  await pool.query(`select citus_set_coordinator_host('127.0.0.1', ${port})`)
  await pool.query(`select citus_set_node_property('127.0.0.1', ${port}, 'shouldhaveshards', true)`)
}

/** A template is copied only while nobody is connected, and Citus keeps a connection to each of its databases. */
async function leaveAlone(serverUrl: string, database: string): Promise<void> {
  await onServer(
    serverUrl,
    `alter database ${database} allow_connections false`,
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '${database}'`,
  )
}

/** The statement that makes a database of that name as a copy. */
export const createFrom = (name: string, template: keyof typeof TEMPLATES): string =>
  `create database ${name} template ${TEMPLATES[template]} strategy file_copy`

async function inDatabase<Result>(serverUrl: string, name: string, work: (pool: Pool) => Promise<Result>) {
  const pool = openPool({ connectionString: databaseUrl(serverUrl, name) })
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

/** Long ago, so that the keys are valid by every clock that a test may set. */
const FIRST_START = new Date('2000-01-01T00:00:00Z')

/** Makes the keys, the demo merchant and the users of the console as the first start of a sandbox gateway does. Its accounts are as old as the test. */
async function startOnce(pool: Pool): Promise<StartedOnce> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-first-'))
  const masterKey = randomBytes(32)
  const { publicKeyText } = await loadSigningKey(pool, masterKeysOf(masterKey), FIRST_START)
  const { mchPrivateKey } = await seedDemo(pool, home, FIRST_START)
  const demo = JSON.stringify({
    baseUrl: 'http://127.0.0.1:1',
    ...DEMO,
    mchPrivateKey,
    platformPublicKey: publicKeyText,
  })
  const settings = newSettings()
  await sandboxBooks(pool).change('settings', () => ({ after: settings, result: null }))
  fs.rmSync(home, { recursive: true })
  const users = ROLES.map((role) => ({ username: role.replace('_', '-'), role, password: PASSWORD }))
  for (const { username, role } of users) {
    const mchNo = isMerchantRole(role) ? DEMO.mchNo : null
    const user = { username, role, mchNo, passwordHash: PASSWORD_HASH, mustChangePassword: false }
    await addConsoleUser(pool, user, FIRST_START)
  }
  const console = JSON.stringify({ url: 'http://127.0.0.1:1/console/', users })
  return { masterKey: masterKey.toString('base64'), demo, console }
}

/** `npm test` has a folder for all of a run, which it clears away. */
const folderAbove = (): string => (process.env.ACOPAY_TEST_RUN === undefined ? quickFolder() : os.tmpdir())

/** Nothing of it is kept, so it writes down no more than it needs for its own rollbacks. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_connections: '100',
}

async function temporaryServer(): Promise<{ url: string; remove: () => Promise<void> }> {
  const dir = fs.mkdtempSync(path.join(folderAbove(), 'acopay-test-'))
  const { connection, stop } = await startEmbeddedPostgres(dir, { settings: SETTINGS })
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

const IN_USE = '55006'
const DROPS = 5

/** A Citus connects to each of its databases by itself, also while one is being dropped. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await onServer(serverUrl, `drop database ${name} with (force)`)
    } catch (error) {
      if ((error as { code?: string }).code !== IN_USE || tried === DROPS) throw error
    }
  }
}
