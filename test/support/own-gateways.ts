/** Gateways as processes, the way operators run them: each test has a home and a database for as many as it starts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { startedOnce, type TestDatabase, testDatabase } from './database.ts'
import { type StartedProcess, startProcess } from './process.ts'

export type OwnGateways = {
  home: string
  database: TestDatabase
  /** What is to be ended after the test. */
  running: StartedProcess[]
  start: (env?: Record<string, string>) => Promise<StartedProcess>
}

/** Call it once in a file. What it returns is filled anew before each test. */
export function ownGateways(): OwnGateways {
  const own = {
    async start(env = {}) {
      const gateway = await startProcess({ ACOPAY_HOME: own.home, DATABASE_URL: own.database.connectionString, ...env })
      own.running.push(gateway)
      return gateway
    },
  } as OwnGateways
  beforeEach(async () => {
    own.home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
    own.database = await testDatabase('started')
    startedOnce(own.home)
    own.running = []
  })
  afterEach(async () => {
    await Promise.all(own.running.map((gateway) => gateway.end('SIGTERM')))
    await own.database.drop()
    rmSync(own.home, { recursive: true })
  })
  return own
}
