/**
 * Loaded before each test file: the file gets a name and a folder for temporary files, which everything that it starts
 * inherits. After its last test nothing of that name may be left: no process, no port, no folder, no database. What is left
 * makes the file red, and is cleared away.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import os from 'node:os'
import { afterAll, inject } from 'vitest'
import { clearAway, leftovers, OWNER, ownTemporaryFolder, portsOn, socketsOf } from '../../scripts/leftovers.mjs'

/** In a worker that runs several files, the one before has set these. */
const outer = { owner: process.env.ACOPAY_TEST_RUN ?? 'plain', dir: process.env.ACOPAY_TEST_TMP ?? os.tmpdir() }
const owner = `${outer.owner}.${randomBytes(4).toString('hex')}`
const dir = ownTemporaryFolder(outer.dir, 'acopay-t-')
const socketsBefore = new Set(socketsOf(process.pid))
process.env.ACOPAY_TEST_TMP = outer.dir
process.env.TMPDIR = dir
process.env[OWNER] = owner

const NO_SERVER = { databasesOf: async (): Promise<string[]> => [], dropDatabases: async (): Promise<void> => {} }

const ownPorts = (): number[] => portsOn(socketsOf(process.pid).filter((socket) => !socketsBefore.has(socket)))

/** The project's server; the unit tier has none. */
const serverUrl = inject('postgresUrl') as string | undefined

// Hooks run in the opposite order, so this one, the first, is the last.
afterAll(async () => {
  const { databasesOf, dropDatabases } = serverUrl === undefined ? NO_SERVER : await import('./own-databases.ts')
  const databases = (): Promise<string[]> => databasesOf(serverUrl ?? '', owner)
  const more = async (): Promise<string[]> => (await databases()).map((name) => `database ${name}`)
  const left = await leftovers({ owner, dir, ports: ownPorts, more })
  if (left.length === 0) return rmSync(dir, { recursive: true, force: true })
  await clearAway(owner, dir)
  await dropDatabases(serverUrl ?? '', await databases())
  throw new Error(`this file left behind:\n  ${left.join('\n  ')}`)
})
