/** One gateway process. What it opens is closed in the opposite order, also when the start fails or is given up. */
import { randomUUID } from 'node:crypto'
import { uptime } from 'node:os'
import { type Pool, readDatabaseClock } from '@acopay/store'
import type { FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { settleRestored } from '../actions/restored/settle-restored.ts'
import { metricsText } from '../http/metrics.ts'
import { buildServer, NO_EXTRA_ROUTES } from '../http/server.ts'
import { startAlarmWatch } from '../jobs/alarm-watch.ts'
import { startCallLogWriter } from '../jobs/call-log-writer.ts'
import { crewOf } from '../jobs/crew.ts'
import { type SafePost, safePost } from '../outbound/safe-post.ts'
import type { SandboxFiles } from '../sandbox/open-sandbox.ts'
import { keyHolders } from '../security/key-places.ts'
import { loadMasterKeys } from '../security/vault.ts'
import type { World } from '../world.ts'
import { buildWorld } from './build-world.ts'
import { type ClockSources, keepComparing, type MovableClock, movableClock, watchedClock } from './clock.ts'
import type { Config } from './config.ts'
import { openDatabase } from './database.ts'
import { everyMinute, refreshKey, watchSchema } from './every-minute.ts'
import type { Member } from './group/parent-link.ts'
import { inHome } from './home.ts'
import { installationBus, keepExchanging } from './installation.ts'
import { lastCalls } from './last-calls.ts'
import { type Close, closeAll, goneOnce, watched } from './lifetime.ts'
import { openLog, standardOutput } from './log.ts'
import { merchantsOf } from './merchant-groups.ts'
import { openMetrics } from './open-metrics.ts'
import { openTraces } from './open-traces.ts'
import { type Preparing, prepareDatabase } from './prepare-database.ts'
import { sandboxHere } from './sandbox-here.ts'
import { sleep } from './sleep.ts'
import { type Shares, sharesOf } from './telling.ts'

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
  /**
   * Finishes what is in flight, then closes everything this process opened. `stopping`, where nothing is said: goes on first until
   * balancers have noticed. `leaving`: other processes of this gateway take over the port, and callers come to them.
   */
  stop: (how?: 'stopping' | 'leaving' | 'at once') => Promise<void>
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
  sleep,
  output: await standardOutput(config),
})

/**
 * Starts a gateway and resolves when it is ready. If it cannot start, closes what it opened and throws an error of one line. If
 * `signal` aborts on the way, closes what it opened and throws the signal's reason. A test gives it a machine whose clock it
 * moves; `member` is given to one of several processes that serve together.
 */
export async function startGateway(
  config: Config,
  given?: Machine,
  signal: AbortSignal = new AbortController().signal,
  member: Member | null = null,
): Promise<Gateway> {
  const opened: Close[] = []
  try {
    const machine = given ?? (await thisMachine(config))
    return await inHome(config, () => start({ config, machine, signal, opened, member }))
  } catch (error) {
    // What cannot be closed after an end that was asked for is news; after a failed start it follows from that.
    await closeAll(opened).catch((failure: unknown) => {
      if (signal.aborted) throw failure
    })
    throw error
  }
}

type Start = { config: Config; machine: Machine; signal: AbortSignal; opened: Close[]; member: Member | null }

/** Opens everything before it listens, and is ready last. */
async function start({ config, machine, signal, opened, member }: Start): Promise<Gateway> {
  const telling = await openTelling({ config, machine, opened, member })
  const { log } = telling
  const { gone, tellGone, isGone } = goneOnce()
  const master = loadMasterKeys(config)
  const runsAt = member?.post.database ?? null
  const { pool, close: closeDatabase } = await openDatabase(config, { runsAt, ...watched(log, tellGone), signal })
  opened.push(closeDatabase)
  signal.throwIfAborted()
  const clock = movableClock(watchedClock({ ...machine, databaseMs: () => machine.databaseMs(pool) }))
  const holders = keyHolders(config)
  opened.push(async () => holders.signer?.stop())
  const as: Preparing = member === null ? 'first' : 'begun'
  const preparing = { as, config, pool, master, holders, clock, log, signal }
  const { key, purposeKey, mayRewrite } = await prepareDatabase(preparing)
  const outgoing = outgoingOf(config, opened)
  const { shares, sharing } = sharesWith({ ...clock, pool, log, sleep: machine.sleep }, member)
  const urls = { public: '', own: '', sandbox: () => '' }
  let phase: ReturnType<World['phase']> = 'starting'
  const world = buildWorld({
    config: mayRewrite ? config : forgettingNothing(config),
    pool,
    ...telling,
    restShare: shares.rests,
    master,
    purposeKey,
    outgoing,
    signingKey: () => key.current,
    publicUrl: () => urls.public,
    ownUrl: () => urls.own,
    sandboxUrl: () => urls.sandbox(),
    ...{ clock, ...(await merchantsOf(pool, clock.steadyMs, log)) },
    phase: () => phase,
    sleep: machine.sleep,
  })
  signal.throwIfAborted()
  const refresh = refreshKey(world, { master, holders }, key)
  const crew = crewOf(world, config.jobPauseMs)
  const move = { setAheadMs: movesWith(clock, refresh), byHand: crew.byHand }
  const sandbox = await sandboxHere({ world, home: config.home, master, signal, member, opened, ...move })
  urls.sandbox = sandbox?.upstreams.url ?? urls.sandbox
  await settleRestored(world, signal)

  const working: { stop: () => Promise<void> }[] = []
  opened.push(() => Promise.all(working.map((work) => work.stop())))
  const http = { ...config, ...(member && { together: member.together }), share: shares.limit }
  const app = buildServer(world, http, sandbox?.routes ?? NO_EXTRA_ROUTES)
  opened.push(() => closeServer(app))
  urls.own = await listen(app, config)
  const metricsUrl = await openMetrics(world, config, { text: metricsText(world), opened })
  urls.public = config.publicUrl ?? urls.own
  if (member?.post.hasJobs !== false) crew.start()
  member?.joins(world)
  working.push(crew, ...sharing(), ...besides(world, clock), ...minutely(world, refresh, tellGone))
  const files = sandbox?.writeFiles?.({ url: urls.public, platformPublicKey: key.current.publicKeyText }) ?? null
  signal.throwIfAborted()
  phase = 'ready'
  const enter = (next: Ending): Ending => (phase = next)
  const stop = stopperOf({ app, config, machine, opened, member, isGone, enter })
  return { url: urls.own, metricsUrl, sandbox: files, log, gone, stop }
}

type Ending = 'leaving' | 'stopping'

type Stopped = Omit<Start, 'signal'> & { app: FastifyInstance; isGone: () => boolean; enter: (phase: Ending) => void }

const stopperOf =
  ({ app, config, machine, opened, member, isGone, enter }: Stopped): Gateway['stop'] =>
  async (how = 'stopping') => {
    enter(how === 'leaving' ? how : 'stopping')
    const { sleep } = machine
    const { drainMs } = config
    if (how === 'leaving') await lastCalls(app.server, { sleep, drainMs, letGo: member?.letGo ?? (async () => {}) })
    // Calls still come until balancers have noticed, and are answered. A process that cannot serve has nothing to wait for.
    if (how === 'stopping' && drainMs > 0 && !isGone()) await sleep(drainMs)
    return closeAll(opened)
  }

/** What this process shares with all others of the installation. The parent of a group exchanges for all of it. */
function sharesWith(
  { sleep, ...parts }: Pick<World, 'log' | 'now' | 'steadyMs' | 'pool' | 'sleep'>,
  member: Member | null,
): { shares: Shares; sharing: () => { stop: () => Promise<void> }[] } {
  if (member !== null) return { shares: sharesOf(member.bus), sharing: () => [] }
  const installation = installationBus({ ...parts, member: randomUUID(), processes: 1 })
  return { shares: sharesOf(installation), sharing: () => [keepExchanging(installation, sleep)] }
}

const minutely = (world: World, refresh: () => Promise<void>, tellGone: (error: Error) => void) => [
  everyMinute(refresh),
  everyMinute(watchSchema(world, tellGone)),
]

/** The background work that goes on beside the jobs. */
const besides = (world: World, clock: MovableClock): { stop: () => Promise<void> }[] => [
  keepComparing(clock, world),
  startCallLogWriter(world),
  startAlarmWatch(world),
]

/** How this process tells what it does: the log, the metrics, the alarms and the traces. */
async function openTelling({ config, machine, opened, member }: Omit<Start, 'signal'>) {
  const { log, ...counted } = openLog(config, machine.output, member?.post.worker)
  opened.push(async () => log.flush())
  return { log, ...counted, tracer: await openTraces(config, { ...machine, log }, opened) }
}

/** Where the owner of the tables removes old rows (`npm run audit -- forget`). */
const forgettingNothing = (config: Config): Config => ({ ...config, auditDays: 0 })

function outgoingOf({ notifyPorts: ports, notifyNetworks: networks, mode }: Config, opened: Close[]): SafePost {
  const outgoing = safePost({ ports, networks, isLoopbackAllowed: mode === 'sandbox' })
  opened.push(outgoing.close)
  return outgoing
}

/** `close` waits for open connections. Those that are still open after the longest answer have sent no request: they are cut. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LONGEST_ANSWER_MS)
  await app.close().catch((error: NodeJS.ErrnoException) => {
    // It has stopped listening before.
    if (error.code !== 'ERR_SERVER_NOT_RUNNING') throw error
  })
  clearTimeout(cut)
}

/** Moves the clock. The key that signs is another one where its time has come. */
const movesWith =
  (clock: MovableClock, refresh: () => Promise<void>) =>
  async (ms: number): Promise<void> => {
    clock.setAheadMs(ms)
    await refresh()
  }

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`端口 ${port} 已被占用，请设置 PORT (port ${port} is taken, set PORT)`)
  }
}
