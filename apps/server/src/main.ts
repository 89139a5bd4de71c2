/** The process: reads the configuration, builds the world once, listens, and stops cleanly. */
import { createHmac, randomInt, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { INSTALLED } from '@acopay/channels'
import { type Db, findMerchant, migrate, moveUntouched, openPool, type Pool, sandboxBooks } from '@acopay/store'
import { pino } from 'pino'
import { UNTOUCHED_MOVE } from './actions/close-order.ts'
import { batched } from './batch.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'
import { buildServer } from './http/server.ts'
import { startWorker } from './jobs/worker.ts'
import { loadSigningKey, type SigningKey } from './platform-key.ts'
import { DEMO, seedDemo } from './sandbox-seed.ts'
import { derivedKey, masterKeyOf } from './vault.ts'
import type { World } from './world.ts'

const ALARM_AFTER_MS = 3_600_000
const KEY_REFRESH_MS = 60_000
const SHUTDOWN_MS = 15_000

/** Starts the gateway; resolves when it is ready. Prints one clear line and exits with 1 when it cannot start. */
export async function main(): Promise<void> {
  try {
    const home = fileURLToPath(new URL('../../../.acopay/', import.meta.url))
    const config = readConfig(process.env, home)
    const gateway = await startGateway(config)
    announce(config, gateway)
    stopOnSignals(gateway)
  } catch (error) {
    process.stderr.write(`${lineOf(error)}\n`)
    process.exit(1)
  }
}

export type Gateway = { url: string; demoFile: string | null; stop: () => Promise<void> }

export async function startGateway(config: Config): Promise<Gateway> {
  const masterKey = config.masterKey ?? masterKeyOf(config.home)
  const log = pino(
    { level: config.logLevel, base: { pid: process.pid }, redact: REDACTED },
    pino.destination({ dest: 1, sync: false, minLength: 0 }),
  )
  const embedded = config.databaseUrl === null ? await startEmbeddedPostgres(`${config.home}/postgres`) : null
  const pool = openPool({ ...connectionOf(config, embedded), max: config.poolMax }, (error) => {
    log.warn({ err: error }, 'database connection lost')
  })
  const closeDatabase = async (): Promise<void> => {
    await pool.end()
    await embedded?.stop()
  }
  try {
    await connected(pool)
    await migrate(pool)
    let signing = await loadSigningKey(pool, masterKey, new Date())
    const world = buildWorld(config, pool, log, masterKey, () => signing)
    const app = buildServer(world, config)
    const url = await listen(app, config)
    const demoFile = world.isSandbox
      ? await seedDemo(pool, config.home, { baseUrl: url, platformPublicKey: signing.publicKeyText }, new Date())
      : null
    const worker = startWorker(world, config.jobPauseMs)
    const refresh = setInterval(() => {
      loadSigningKey(pool, masterKey, new Date()).then(
        (key) => {
          signing = key
        },
        (error: unknown) => log.error({ err: error }, 'the platform key could not be read again'),
      )
    }, KEY_REFRESH_MS)
    const stop = async (): Promise<void> => {
      clearInterval(refresh)
      await app.close()
      await worker.stop()
      await closeDatabase()
    }
    return { url, demoFile, stop }
  } catch (error) {
    await closeDatabase().catch(() => {})
    throw error
  }
}

const REDACTED = ['*.privateKey', '*.mchPrivateKey', '*.password', '*.sign', 'req.headers', 'err.config']

const connectionOf = (config: Config, embedded: EmbeddedPostgres | null) =>
  embedded === null ? { connectionString: config.databaseUrl ?? '' } : embedded.connection

/** One clear line instead of a stack trace when nobody is there. */
async function connected(pool: Pool): Promise<void> {
  await pool.query('select 1').catch((error: Error & { code?: string }) => {
    throw new Error(
      `连接不到数据库，请检查 DATABASE_URL (cannot reach the database, check DATABASE_URL): ${error.code ?? error.message}`,
    )
  })
}

async function listen(app: ReturnType<typeof buildServer>, config: Config): Promise<string> {
  try {
    return await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new Error(`端口 ${config.port} 已被占用，请设置 PORT (port ${config.port} is taken, set PORT)`)
    }
    throw error
  }
}

function buildWorld(
  config: Config,
  pool: Pool,
  log: World['log'],
  masterKey: Buffer,
  signing: () => SigningKey,
): World {
  const now = (): Date => new Date()
  const cashierKey = derivedKey(masterKey, 'cashier link')
  const { closeBudgetMs, channelCallMs, leaseMs, nonceWindowMs } = config
  const findTogether = batched<null, Awaited<ReturnType<typeof findMerchant>>>({
    run: async (mchNo, asks) => {
      const merchant = await findMerchant(pool as Db, mchNo, now())
      return asks.map(() => merchant)
    },
    inFlightMax: 2,
    sizeMax: 1000,
  })
  return {
    pool,
    channels: { sandbox: INSTALLED.sandbox(sandboxBooks(pool, now), now) },
    limits: { closeBudgetMs, channelCallMs, leaseMs, nonceWindowMs, alarmAfterMs: ALARM_AFTER_MS },
    isSandbox: config.mode === 'sandbox',
    findMerchant: (mchNo) => findTogether(mchNo, null),
    closeUntouched: batched({
      run: (mchNo, asks) => moveUntouched(pool, mchNo, UNTOUCHED_MOVE, asks, now()),
      inFlightMax: 2,
      sizeMax: 128,
    }),
    signingKey: () => signing().privateKey,
    cashierUrl: (mchNo, transactionNo) => {
      const proof = createHmac('sha256', cashierKey).update(`${mchNo}/${transactionNo}`).digest('base64url')
      return `${config.publicUrl}/cashier/${mchNo}/${transactionNo}/${proof}`
    },
    log,
    now,
    dice: Math.random,
    newDigits,
    newNonce: () => randomUUID().replaceAll('-', ''),
    sleep: async (ms, signal) => {
      await pause(ms, undefined, signal ? { signal } : {}).catch(() => {})
    },
  }
}

/** Decimal digits from the system's random numbers. */
function newDigits(digits: number): string {
  let text = ''
  while (text.length < digits) text += String(randomInt(0, 1_000_000_000)).padStart(9, '0')
  return text.slice(0, digits)
}

function announce(config: Config, { url, demoFile }: Gateway): void {
  const lines = [`翼辉支付网关已启动 ACO Pay gateway: ${url}  (${config.mode})`]
  if (demoFile !== null) {
    lines.push(
      `商户号 merchant: ${DEMO.mchNo}   应用号 app: ${DEMO.appNo}`,
      `商户设置 settings: ${demoFile}`,
      '试一试 try: npm run acopay -- order place --amount 12.50 --description "测试订单"',
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

function stopOnSignals(gateway: Gateway): void {
  let isStopping = false
  const stop = (): void => {
    // A second Ctrl-C does not wait.
    if (isStopping) process.exit(130)
    isStopping = true
    const tooLate = setTimeout(() => process.exit(1), SHUTDOWN_MS)
    tooLate.unref()
    gateway.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${lineOf(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function lineOf(error: unknown): string {
  if (error instanceof ConfigError) return `配置错误 configuration: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
