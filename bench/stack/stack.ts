/** Everything that a measurement needs: a database, what is outside the gateway, and gateways in production mode, as many as are asked for. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import bundleGateway from '../../test/support/gateway-bundle.ts'
import { PATIENT } from '../../test/support/process.ts'
import { type Database, openDatabase } from './database.ts'
import { type GatewayStart, type Gateways, startGateways } from './gateways.ts'
import { addMerchants } from './merchants.ts'
import { type Outside, startOutside } from './outside.ts'

export type Stack = {
  dir: string
  database: Database
  outside: Outside
  merchants: DemoSettings[]
  /** What the gateways are told. */
  env: Record<string, string>
  /** Stops those that run and starts so many; webhooks go to them from then on. */
  start: (processes: number) => Promise<Gateways>
  /** Stops those that run: something else is measured on the same database. */
  rest: () => Promise<void>
  stop: () => Promise<void>
}

export type StackOptions = {
  merchants: number
  /** Which Node runs the gateway. */
  node: string
}

/** Nobody calls it: webhooks and the cashier's links are brought to the processes themselves. */
const PUBLIC_URL = 'https://pay.example.com'

export async function openStack(options: StackOptions): Promise<Stack> {
  const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(dir, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (let close = closing.pop(); close !== undefined; close = closing.pop()) {
      // What was measured is not lost because something does not end well.
      await close().catch((error: Error) => console.error(error.message))
    }
  }
  // The database would outlive a measurement that is broken off.
  const breakOff = (): void => void stop().finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, breakOff)
  closing.push(async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, breakOff)
  })
  try {
    return { ...(await opened(dir, options, closing)), dir, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function opened(
  dir: string,
  { merchants, node }: StackOptions,
  closing: (() => Promise<unknown>)[],
): Promise<Omit<Stack, 'dir' | 'stop'>> {
  const removeBundle = await bundleGateway()
  closing.push(async () => removeBundle())
  const program = process.env.ACOPAY_TEST_GATEWAY ?? ''
  const database = await openDatabase(dir)
  closing.push(database.stop)
  const outside = await startOutside()
  closing.push(outside.stop)
  const masterKey = randomBytes(32)
  const metricsToken = randomBytes(16).toString('hex')
  const env = {
    ...PATIENT,
    ACOPAY_ENV_FILE: 'none',
    ACOPAY_MODE: 'production',
    ACOPAY_HOME: path.join(dir, 'home'),
    ACOPAY_MASTER_KEY: masterKey.toString('base64'),
    ACOPAY_PUBLIC_URL: PUBLIC_URL,
    ACOPAY_MIGRATE: 'auto',
    ACOPAY_DRAIN_MS: '0',
    ACOPAY_RATE_PER_ADDRESS: '0',
    ACOPAY_METRICS_TOKEN: metricsToken,
    ACOPAY_NOTIFY_PORTS: String(outside.shopPort),
    ACOPAY_NOTIFY_NETWORKS: '127.0.0.0/8',
    DATABASE_URL: database.url,
    LOG_LEVEL: 'error',
    PORT: '0',
  }
  const starter: GatewayStart = { node, program, env, metricsToken }
  let running: Gateways | null = null
  const stopRunning = async (): Promise<void> => {
    await running?.stop()
    running = null
  }
  closing.push(stopRunning)
  const start = async (processes: number): Promise<Gateways> => {
    await stopRunning()
    running = await startGateways(processes, starter)
    outside.tellGateways(running.urls)
    return running
  }
  await start(1)
  const parts = { master: masterKeysOf(masterKey), settings: outside.settings, upstream: outside.upstream }
  return {
    database,
    outside,
    env,
    start,
    rest: stopRunning,
    merchants: await addMerchants(database.pool, merchants, parts),
  }
}
