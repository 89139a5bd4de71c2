/** A gateway in this process, on its own database and port. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { readConfig } from '../../apps/server/src/start/config.ts'
import { type Gateway, startGateway, thisMachine } from '../../apps/server/src/start/gateway.ts'
import { startedOnce, type TestDatabase, testDatabase } from './database.ts'
import { PATIENT } from './process.ts'

export * from './merchant.ts'

export type TestGateway = {
  gateway: Gateway
  demo: DemoSettings
  database: TestDatabase
  /** So much time has passed: by every clock that the gateway reads. */
  skip: (ms: number) => void
  stop: () => Promise<void>
}

/** `home`: a folder of the caller's; it is removed with the gateway. */
export async function testGateway(
  env: Record<string, string> = {},
  home = mkdtempSync(path.join(tmpdir(), 'acopay-home-')),
): Promise<TestGateway> {
  const database = await testDatabase('started')
  startedOnce(home)
  const config = readConfig(
    { PORT: '0', LOG_LEVEL: 'error', DATABASE_URL: database.connectionString, ACOPAY_HOME: home, ...PATIENT, ...env },
    '',
  )
  let skippedMs = 0
  const { wallMs, steadyMs, bootMs, databaseMs, ...machine } = await thisMachine(config)
  const gateway = await startGateway(config, {
    ...machine,
    wallMs: () => wallMs() + skippedMs,
    steadyMs: () => steadyMs() + skippedMs,
    bootMs: () => bootMs() + skippedMs,
    databaseMs: async (pool) => (await databaseMs(pool)) + skippedMs,
  })
  return {
    gateway,
    demo: JSON.parse(readFileSync(gateway.sandbox?.demoFile ?? '', 'utf8')),
    database,
    skip: (ms) => {
      skippedMs += ms
    },
    stop: async () => {
      await gateway.stop()
      await database.drop()
      rmSync(home, { recursive: true })
    },
  }
}
