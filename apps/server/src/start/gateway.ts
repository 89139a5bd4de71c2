/** One gateway process. What it opens is closed in the opposite order, also when the start fails or is given up. */
import { uptime } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type Pool, readDatabaseClock, readSchema, whyNotServed } from '@acopay/store'
import type { FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { settleRestored } from '../actions/restored/settle-restored.ts'
import { buildServer, NO_EXTRA_ROUTES } from '../http/server.ts'
import { startAlarmWatch } from '../jobs/alarm-watch.ts'
import { startCallLogWriter } from '../jobs/call-log-writer.ts'
import { crewOf } from '../jobs/crew.ts'
import { type SafePost, safePost } from '../outbound/safe-post.ts'
import { openSandbox, type SandboxFiles } from '../sandbox/open-sandbox.ts'
import { type KeyHolders, keyHolders } from '../security/key-places.ts'
import { loadSigningKey, type SigningKey } from '../security/platform-key.ts'
import { loadMasterKeys, type MasterKeys } from '../security/vault.ts'
import { onItsOwn } from '../tracing/along.ts'
import type { World } from '../world.ts'
import { buildWorld } from './build-world.ts'
import { type ClockSources, keepComparing, type MovableClock, movableClock, watchedClock } from './clock.ts'
import type { Config } from './config.ts'
import { loggedWatch, openDatabase } from './database.ts'
import { inHome } from './home.ts'
import { openLog, standardOutput } from './log.ts'
import { openMetrics } from './open-metrics.ts'
import { openTraces } from './open-traces.ts'
import { prepareDatabase } from './prepare-database.ts'

const EVERY_MINUTE_MS = 60_000
const LONGEST_ANSWER_MS = 10_000

export type Gateway = {
  url: string
  /** Where /metrics has a port of its own; null where it has none. */
  metricsUrl: string | null
  /** Null in production mode. */
  sandbox: SandboxFiles | null
  log: World['log']
  /** Resolves when this process cannot go on: its embedded database is lost, or a newer version has changed the tables. */
  gone: Promise<Error>
  /** Goes on until balancers have noticed, finishes what is in flight, then closes everything this process opened. */
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

export const thisMachine = async (config: Config): Promise<Machine> => ({
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
  bootMs: () => uptime() * 1000,
  databaseMs: readDatabaseClock,
  // An aborted sleep ends early and without an error, because the code that aborted it knows why.
  sleep: (ms, signal) => pause(ms, undefined, signal ? { signal } : {}).catch(() => {}),
  output: await standardOutput(config),
})

/**
 * Starts a gateway and resolves when it is ready. If it cannot start, closes what it opened and throws an error of one line. If
 * `signal` aborts on the way, closes what it opened and throws the signal's reason. A test gives it a machine whose clock it
 * moves.
 */
export async function startGateway(
  config: Config,
  given?: Machine,
  signal: AbortSignal = new AbortController().signal,
): Promise<Gateway> {
  const opened: Close[] = []
  try {
    const machine = given ?? (await thisMachine(config))
    return await inHome(config, () => start({ config, machine, signal, opened }))
  } catch (error) {
    // What cannot be closed after an end that was asked for is news; after a failed start it follows from that.
    await closeAll(opened).catch((failure: unknown) => {
      if (signal.aborted) throw failure
    })
    throw error
  }
}

type Close = () => Promise<unknown>

/** Closes what was opened, the last one first. Throws the first error when all are closed. */
async function closeAll(opened: Close[]): Promise<void> {
  const failures: unknown[] = []
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) {
    await close().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

type Start = { config: Config; machine: Machine; signal: AbortSignal; opened: Close[] }

/** Opens everything before it listens, and is ready last. */
async function start({ config, machine, signal, opened }: Start): Promise<Gateway> {
  const telling = await openTelling(config, machine, opened)
  const { log } = telling
  const { gone, tellGone, isGone } = goneOnce()
  const master = loadMasterKeys(config)
  const { pool, close: closeDatabase } = await openDatabase(config, { ...watched(log, tellGone), signal })
  opened.push(closeDatabase)
  signal.throwIfAborted()
  const clock = movableClock(watchedClock({ ...machine, databaseMs: () => machine.databaseMs(pool) }))
  const holders = keyHolders(config)
  opened.push(async () => holders.signer?.stop())
  const { key, purposeKey, mayRewrite } = await prepareDatabase({ config, pool, master, holders, clock, log, signal })
  const outgoing = outgoingOf(config)
  opened.push(outgoing.close)
  const urls = { public: '', own: '', sandbox: () => '' }
  let phase: ReturnType<World['phase']> = 'starting'
  const world = buildWorld({
    config: mayRewrite ? config : forgettingNothing(config),
    pool,
    ...telling,
    master,
    purposeKey,
    outgoing,
    signingKey: () => key.current,
    publicUrl: () => urls.public,
    ownUrl: () => urls.own,
    sandboxUrl: () => urls.sandbox(),
    clock,
    phase: () => phase,
    sleep: machine.sleep,
  })
  signal.throwIfAborted()
  const refresh = refreshKey(world, { master, holders }, key)
  const crew = crewOf(world, config.jobPauseMs)
  const move = { setAheadMs: movesWith(clock, refresh), byHand: crew.byHand }
  const sandbox = world.isSandbox ? await openSandbox({ world, home: config.home, master, signal, ...move }) : null
  if (sandbox !== null) opened.push(sandbox.close)
  urls.sandbox = sandbox?.upstreams.url ?? urls.sandbox
  await settleRestored(world, signal)

  const working: { stop: () => Promise<void> }[] = []
  opened.push(() => Promise.all(working.map((work) => work.stop())))
  const app = buildServer(world, config, sandbox?.routes ?? NO_EXTRA_ROUTES)
  opened.push(() => closeServer(app))
  urls.own = await listen(app, config)
  const metricsUrl = await openMetrics(world, config, opened)
  urls.public = config.publicUrl ?? urls.own
  crew.start()
  working.push(crew, ...besides(world, clock), everyMinute(refresh), everyMinute(watchSchema(world, tellGone)))
  const files = sandbox?.writeFiles({ url: urls.public, platformPublicKey: key.current.publicKeyText }) ?? null
  signal.throwIfAborted()
  phase = 'ready'
  const stop = async (): Promise<void> => {
    phase = 'stopping'
    // Calls still come until balancers have noticed, and are answered. A process that cannot serve has nothing to wait for.
    if (config.drainMs > 0 && !isGone()) await machine.sleep(config.drainMs)
    return closeAll(opened)
  }
  return { url: urls.own, metricsUrl, sandbox: files, log, gone, stop }
}

/** The background work that goes on beside the jobs. */
const besides = (world: World, clock: MovableClock): { stop: () => Promise<void> }[] => [
  keepComparing(clock, world),
  startCallLogWriter(world),
  startAlarmWatch(world),
]

/** How this process tells what it does: the log, the metrics, the alarms and the traces. */
async function openTelling(config: Config, machine: Machine, opened: Close[]) {
  const { log, ...counted } = openLog(config, machine.output)
  opened.push(async () => log.flush())
  return { log, ...counted, tracer: await openTraces(config, { ...machine, log }, opened) }
}

/** Where the owner of the tables removes old rows (`npm run audit -- forget`). */
const forgettingNothing = (config: Config): Config => ({ ...config, auditDays: 0 })

const watched = (log: World['log'], tellGone: (error: Error) => void) => ({
  watch: loggedWatch(log, tellGone),
  onLost: (err: Error) => onItsOwn(() => log.warn({ err }, 'database connection lost')),
  isServing: true,
})

function goneOnce(): { gone: Promise<Error>; tellGone: (error: Error) => void; isGone: () => boolean } {
  let resolve: (error: Error) => void = () => {}
  let isGone = false
  const gone = new Promise<Error>((resolveGone) => {
    resolve = resolveGone
  })
  const tellGone = (error: Error): void => {
    isGone = true
    resolve(error)
  }
  return { gone, tellGone, isGone: () => isGone }
}

const outgoingOf = ({ notifyPorts: ports, notifyNetworks: networks, mode }: Config): SafePost =>
  safePost({ ports, networks, isLoopbackAllowed: mode === 'sandbox' })

/** `close` waits for open connections. Those that are still open after the longest answer have sent no request: they are cut. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LONGEST_ANSWER_MS)
  await app.close()
  clearTimeout(cut)
}

/** A key that one process adds is used by all processes within a minute. */
function refreshKey(
  { log, pool, now }: World,
  { master, holders }: { master: MasterKeys; holders: KeyHolders },
  key: { current: SigningKey },
): () => Promise<void> {
  return async () => {
    try {
      master.refresh()
      key.current = await loadSigningKey(pool, master, now(), holders)
    } catch (error) {
      log.error({ err: error }, 'the platform key could not be read again')
    }
  }
}

/** Ends this process once the tables are no longer those that it knows: what it would write may be wrong money. */
function watchSchema({ log, pool }: World, tellGone: (error: Error) => void): () => Promise<void> {
  return async () => {
    try {
      const wrong = whyNotServed(await readSchema(pool))
      if (wrong === null) return
      log.error({ alarm: true }, 'this program cannot serve the database any more, and ends')
      tellGone(new Error(wrong))
    } catch (error) {
      log.error({ err: error }, 'the migrations of the database could not be read')
    }
  }
}

/** Moves the clock. The key that signs is another one where its time has come. */
const movesWith =
  (clock: MovableClock, refresh: () => Promise<void>) =>
  async (ms: number): Promise<void> => {
    clock.setAheadMs(ms)
    await refresh()
  }

function everyMinute(deed: () => Promise<void>): { stop: () => Promise<void> } {
  const timer = setInterval(deed, EVERY_MINUTE_MS)
  return { stop: async () => clearInterval(timer) }
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`端口 ${port} 已被占用，请设置 PORT (port ${port} is taken, set PORT)`)
  }
}
