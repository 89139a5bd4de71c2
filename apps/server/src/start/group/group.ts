/**
 * A gateway of several processes. The parent prepares the database, runs what there is once, accepts connections, and keeps the workers
 * running that serve them (docs/decisions/0041-all-cores.md). It answers no caller itself.
 */
import { randomUUID } from 'node:crypto'
import { connectionsMax } from '@acopay/store'
import type { AlarmLines } from '../../metrics/alarm-lines.ts'
import { openSandbox } from '../../sandbox/open-sandbox.ts'
import { keepFollowing } from '../../sandbox/time.ts'
import { hashing } from '../../security/hashing.ts'
import { keyHolders } from '../../security/key-places.ts'
import { loadMasterKeys } from '../../security/vault.ts'
import type { World } from '../../world.ts'
import { movableClock, watchedClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { openDatabase } from '../database.ts'
import type { Gateway, Machine } from '../gateway.ts'
import { inHome } from '../home.ts'
import { installationBus, keepExchanging } from '../installation.ts'
import { type Close, closeAll, goneOnce, watched } from '../lifetime.ts'
import { openLog } from '../log.ts'
import { openMetrics } from '../open-metrics.ts'
import { prepareDatabase } from '../prepare-database.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import type { Post } from './messages.ts'
import { prepareForks } from './worker-port.ts'
import { keepWorkers } from './workers.ts'

/** The parent's own connections: it reads and writes little, and nothing once the workers run, but for the sandbox's upstreams. */
const OWN_CONNECTIONS = 4
const ALARMS_PAUSE_MS = 1000

export type Group = Gateway & {
  /** Replaces every worker, one by one; no connection is refused meanwhile. */
  replace: () => Promise<void>
}

/** `threads`: on which all processes together sign and read files. */
type Started = { processes: number; threads: number; machine: Machine; signal: AbortSignal; longestMs: number }

/** Resolves when all workers serve. If it cannot start, closes what it opened and throws an error of one line. */
export async function startGroup(config: Config, started: Started): Promise<Group> {
  const opened: Close[] = []
  try {
    return await inHome(config, () => start(config, started, opened))
  } catch (error) {
    await closeAll(opened).catch((failure: unknown) => {
      if (started.signal.aborted) throw failure
    })
    throw error
  }
}

async function start(
  config: Config,
  { processes, threads, machine, signal, longestMs }: Started,
  opened: Close[],
): Promise<Group> {
  const { log, metrics, alarmLines } = openLog(config, machine.output)
  opened.push(async () => log.flush())
  const { gone, tellGone } = goneOnce()
  const own = { ...config, poolMax: OWN_CONNECTIONS }
  const { pool, close, embedded } = await openDatabase(own, { ...watched(log, tellGone), signal })
  opened.push(close)
  signal.throwIfAborted()
  const { key, sandbox, exchange } = await prepare({ config, machine, signal, opened, log, pool, metrics, tellGone })
  await tellOfConnections({ config, processes, pool, log })
  const upstreamsUrl = sandbox?.upstreams.url() ?? null
  const { host, port, mode, home } = config
  const post: Omit<Post, 'worker' | 'hasJobs'> = {
    ...{ processes, database: embedded, upstreamsUrl, fixed: { host, port, mode, home, processes } },
  }
  prepareForks()
  const workers = keepWorkers({
    count: processes,
    fork: (worker) => exchange.fork({ ...post, worker, hasJobs: worker <= config.jobProcesses }, threads),
    log,
    nowMs: () => machine.steadyMs(),
    later: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    patienceMs: longestMs + config.drainMs,
  })
  opened.push(workers.stop)
  // Whatever ends this process leaves none of them behind.
  process.once('exit', workers.kill)
  const isGivenUp = new Promise<never>((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason)),
  )
  const url = await Promise.race([workers.start(), isGivenUp])
  const metricsUrl = await openMetrics({ metrics, log }, config, { text: exchange.metricsText, opened })
  const files = sandbox?.writeFiles({ url: config.publicUrl ?? url, platformPublicKey: key.publicKeyText }) ?? null
  const telling = setInterval(() => passOnAlarms(alarmLines, exchange), ALARMS_PAUSE_MS)
  opened.push(async () => clearInterval(telling))
  signal.throwIfAborted()
  log.info({ processes, jobProcesses: Math.min(processes, config.jobProcesses) }, 'all processes serve')
  return {
    ...{ url, metricsUrl, sandbox: files, log, gone },
    replace: workers.replace,
    // Each worker goes on by itself until balancers have noticed.
    stop: () => closeAll(opened),
  }
}

type Parts = Pick<World, 'log' | 'pool' | 'metrics'> & {
  config: Config
  machine: Machine
  signal: AbortSignal
  opened: Close[]
  tellGone: (error: Error) => void
}

/** The database of this version with the keys in it, and what a sandbox has once. */
async function prepare({ config, machine, signal, opened, log, pool, metrics, tellGone }: Parts) {
  const master = loadMasterKeys(config)
  const clock = movableClock(watchedClock({ ...machine, databaseMs: () => machine.databaseMs(pool) }))
  const holders = keyHolders(config)
  const prepared = await prepareDatabase({ as: 'first', config, pool, master, holders, clock, log, signal })
  // Only to see that the key can sign: the workers have signers of their own.
  await holders.signer?.stop()
  const installation = installationBus({ ...clock, pool, log, member: randomUUID(), processes: 1 })
  const exchange = exchangeOf({ own: metrics.registry, sleep: machine.sleep, tellGone, installation })
  opened.push(keepExchanging(installation, machine.sleep).stop)
  const key = prepared.key.current
  if (config.mode !== 'sandbox') return { key, exchange, sandbox: null }
  const { now, aheadMs } = clock
  const world = { pool, hashing: hashing(), now, aheadMs, sleep: machine.sleep, log }
  const place = { url: null, share: exchange.faults }
  const sandbox = await openSandbox({ world, home: config.home, master, signal, place })
  opened.push(sandbox.close)
  const following = keepFollowing({ world, setAheadMs: async (ms) => clock.setAheadMs(ms) })
  opened.push(following.stop)
  return { key, exchange, sandbox }
}

/** While one worker is replaced there is one more. */
async function tellOfConnections({ config, processes, pool, log }: Connecting): Promise<void> {
  const most = (processes + 1) * config.poolMax + OWN_CONNECTIONS
  const allowed = await connectionsMax(pool)
  if (most <= allowed) return
  const told = { processes, poolMax: config.poolMax, most, allowed }
  log.warn(told, 'the processes may open more connections than the database takes: lower ACOPAY_POOL_MAX')
}

type Connecting = Pick<Parts, 'config' | 'pool' | 'log'> & { processes: number }

/** The parent looks for no alarms itself: a worker tells those of its lines. */
function passOnAlarms(alarmLines: AlarmLines, exchange: Exchange): void {
  const lines = alarmLines.take()
  if (lines.length > 0 && !exchange.passOn(lines)) alarmLines.putBack(lines)
}
