/** One gateway process: database, HTTP and jobs, started in this order and stopped in the opposite order. */
import { uptime } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { migrate, type Pool, readDatabaseClock } from '@acopay/store'
import { type DestinationStream, pino } from 'pino'
import { buildServer, NO_EXTRA_ROUTES } from '../http/server.ts'
import { startNotifier } from '../jobs/notifier.ts'
import { startWorker } from '../jobs/worker.ts'
import { type SafePost, safePost } from '../outbound/safe-post.ts'
import { seedDemo } from '../sandbox/demo-merchant.ts'
import { sandboxExtraRoutes } from '../sandbox/extra-routes.ts'
import { type SandboxUpstreams, sandboxUpstreams } from '../sandbox/upstreams.ts'
import { seedConsoleUsers } from '../sandbox/users.ts'
import { loadSigningKey } from '../security/platform-key.ts'
import { loadPurposeKeys } from '../security/purpose-keys.ts'
import { beginStamping, stampsOf } from '../security/stamps.ts'
import { loadMasterKeys, type MasterKeys } from '../security/vault.ts'
import type { World } from '../world.ts'
import { buildWorld } from './build-world.ts'
import { type Clock, type ClockSources, keepComparing, watchedClock } from './clock.ts'
import type { Config } from './config.ts'
import { openDatabase } from './database.ts'

const STAMPING_CHANGED = 'the moment at which stamping began was removed or changed in the database'

const KEY_REFRESH_MS = 60_000
const LONGEST_ANSWER_MS = 10_000
const REDELIVERY_PAUSE_MS = 1_000

export type Gateway = {
  url: string
  /** Sandbox mode: the file with the demo merchant's settings. */
  demoFile: string | null
  /** Sandbox mode: the file with the console's users and their passwords. */
  consoleFile: string | null
  /** Finishes what is in flight, then closes everything this process opened. */
  stop: () => Promise<void>
}

/** What a gateway takes from its machine besides the network. */
export type Machine = Omit<ClockSources, 'databaseMs'> & {
  /** The clock of the database behind the pool. */
  databaseMs: (pool: Pool) => Promise<number>
  sleep: World['sleep']
  /** Where the log goes. */
  output: DestinationStream
}

const thisMachine = (): Machine => ({
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
  bootMs: () => uptime() * 1000,
  databaseMs: readDatabaseClock,
  // An aborted sleep ends early and without an error, because the code that aborted it knows why.
  sleep: (ms, signal) => pause(ms, undefined, signal ? { signal } : {}).catch(() => {}),
  output: pino.destination({ dest: 1, sync: false }),
})

/**
 * Starts a gateway and resolves when it is ready. If it cannot start, closes what it opened and throws an error of one
 * line. A test gives it a machine whose clock it moves.
 */
export async function startGateway(config: Config, machine: Machine = thisMachine()): Promise<Gateway> {
  const log = openLog(config.logLevel, machine.output)
  const master = loadMasterKeys(config)
  const { pool, close: closeDatabase } = await openDatabase(config, (error) =>
    log.warn({ err: error }, 'database connection lost'),
  )
  const outgoing = safePost({
    ports: config.notifyPorts,
    networks: config.notifyNetworks,
    isLoopbackAllowed: config.mode === 'sandbox',
  })
  const { sandboxAheadMs } = config
  const clock = watchedClock({
    ...machine,
    wallMs: () => machine.wallMs() + sandboxAheadMs,
    databaseMs: async () => (await machine.databaseMs(pool)) + sandboxAheadMs,
  })
  const opened: Opened = { config, log, master, pool, outgoing, clock, sleep: machine.sleep, upstreams: null }
  const close = async (): Promise<void> => {
    await outgoing.close()
    await opened.upstreams?.stop()
    await closeDatabase()
    log.flush()
  }
  try {
    await migrate(pool)
    await clock.compare()
    return await serve(opened, close)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

/** What a starting gateway has opened so far. */
type Opened = {
  config: Config
  log: World['log']
  master: MasterKeys
  pool: Pool
  outgoing: SafePost
  /** The only clock; `sandboxAheadMs` ahead of the machine's. */
  clock: Clock
  sleep: World['sleep']
  /** Null in production mode, and until the sandbox has its upstreams. */
  upstreams: SandboxUpstreams | null
}

/** Builds the world, listens, and starts the background work. `close` closes what was opened before. */
async function serve(opened: Opened, close: () => Promise<void>): Promise<Gateway> {
  const { config, log, master, pool, outgoing, clock, sleep } = opened
  const { now } = clock
  const key = { current: await loadSigningKey(pool, master, now()) }
  const purposeKey = await loadPurposeKeys(pool, master)
  if (!(await beginStamping(pool, stampsOf(purposeKey), now()))) log.error({ alarm: true }, STAMPING_CHANGED)
  const urls = { public: '', own: '' }
  const world = buildWorld({
    config,
    pool,
    log,
    master,
    purposeKey,
    outgoing,
    signingKey: () => key.current,
    publicUrl: () => urls.public,
    ownUrl: () => urls.own,
    sandboxUrl: () => opened.upstreams?.url() ?? '',
    clock,
    sleep,
  })
  opened.upstreams = world.isSandbox ? sandboxUpstreams(pool, world) : null
  const { upstreams } = opened
  const extra = upstreams === null ? NO_EXTRA_ROUTES : sandboxExtraRoutes(world, upstreams, config.home)
  const app = buildServer(world, config, extra)
  urls.own = await listen(app, config)
  urls.public = config.publicUrl ?? urls.own

  const platform = { baseUrl: urls.public, platformPublicKey: key.current.publicKeyText }
  const demoFile = world.isSandbox ? await seedDemo(pool, config.home, platform, now()) : null
  const consoleFile = world.isSandbox ? await seedConsoleUsers(pool, config.home, urls.public, now()) : null
  if (upstreams !== null) await upstreams.open(master)
  const worker = startWorker(world, config.jobPauseMs)
  const notifier = startNotifier(world, config.jobPauseMs)
  const comparing = keepComparing(clock, world)
  const endTimers = startTimers(opened, key)
  const stop = async (): Promise<void> => {
    endTimers()
    // `close` waits for open connections. Those that are still open after the longest answer have sent no request: cut them.
    const cut = setTimeout(() => app.server.closeAllConnections(), LONGEST_ANSWER_MS)
    await app.close()
    clearTimeout(cut)
    await Promise.all([worker.stop(), notifier.stop(), comparing.stop()])
    await close()
  }
  return { url: urls.own, demoFile, consoleFile, stop }
}

/** Returns the function that ends the timers. */
function startTimers({ log, pool, master, upstreams, clock }: Opened, key: { current: SigningKey }): () => void {
  // A key that one process adds is used by all processes within a minute.
  const refresh = setInterval(async () => {
    try {
      master.refresh()
      key.current = await loadSigningKey(pool, master, clock.now())
    } catch (error) {
      log.error({ err: error }, 'the platform key could not be read again')
    }
  }, KEY_REFRESH_MS)
  // The sandbox's upstreams send webhooks again that this gateway has not acknowledged.
  const redelivery = setInterval(() => void upstreams?.deliverDue(), REDELIVERY_PAUSE_MS)
  return () => {
    clearInterval(refresh)
    clearInterval(redelivery)
  }
}

type SigningKey = Awaited<ReturnType<typeof loadSigningKey>>

/** Keeps keys, signatures and passwords out of the log, also where code logs them by mistake. */
const REDACTED = ['*.privateKey', '*.mchPrivateKey', '*.password', '*.sign', '*.connectionString']

const openLog = (level: string, output: DestinationStream): World['log'] =>
  pino({ level, base: { pid: process.pid }, redact: REDACTED }, output)

async function listen(app: ReturnType<typeof buildServer>, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`端口 ${port} 已被占用，请设置 PORT (port ${port} is taken, set PORT)`)
  }
}
