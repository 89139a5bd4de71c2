/** Connects to a place's server, and starts it. */
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { cannotStart, createCluster, hydrate, NAME, run } from './cluster.ts'
import { takeOver } from './identity.ts'
import { isAlive, type Place, PORT, serverPid } from './place.ts'

/** How long a server that listens may say nothing before it counts as one that does not answer now. */
const ANSWER_MS = 5000
const RECOVERY_MS = 60_000
const STALE_LOCK_MS = 10_000
export const STOP_MS = 10_000

const HOLDING = 'acopay holding'
export const STOPPING = 'acopay stopping'

/** A server listens and does not let us in. `isAnswer`: it said so itself, so it lives. */
export class Unreachable extends Error {
  isAnswer: boolean
  constructor(message: string, isAnswer: boolean) {
    super(`嵌入式数据库 embedded PostgreSQL: ${message}`)
    this.isAnswer = isAnswer
  }
}

export type Patience = { signal?: AbortSignal | undefined; applicationName?: string; withinMs?: number }

/** Null: no server listens, or `signal` has aborted. Waits while a server is starting or recovering. */
export async function connect(runFolder: string, patience: Patience = {}): Promise<pg.Client | null> {
  const { signal, applicationName = HOLDING, withinMs = RECOVERY_MS } = patience
  for (const deadline = Date.now() + withinMs; signal?.aborted !== true; await pause(50)) {
    const client = new pg.Client({
      host: runFolder,
      port: PORT,
      user: NAME,
      database: 'postgres',
      ssl: false,
      application_name: applicationName,
      connectionTimeoutMillis: Math.min(ANSWER_MS, withinMs),
    })
    // From the first moment on: without a listener, a connection that is lost would end the process.
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      const { code, message } = error as Error & { code?: string }
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return null
      // A server that stops while we connect drops the line, and then no server listens.
      const isPassing =
        code === '57P03' || code === 'ECONNRESET' || code === 'EPIPE' || /^Connection terminated|^timeout/.test(message)
      if (!isPassing || Date.now() > deadline) throw new Unreachable(message, error instanceof pg.DatabaseError)
    }
  }
  return null
}

/** Uses the server that runs, or starts it. Throws the signal's reason when it aborts; what was started is stopped then. */
export async function connectOrLaunch(
  place: Place,
  settings: Record<string, string>,
  signal?: AbortSignal,
): Promise<{ client: pg.Client; adopted: boolean }> {
  const running = await connect(place.run, { signal })
  if (running !== null) return { client: running, adopted: true }
  signal?.throwIfAborted()
  hydrate(place.native)
  await createCluster(place, signal)
  await takeOver(place.data, place.who)
  for (const deadline = Date.now() + STALE_LOCK_MS; ; await pause(250)) {
    signal?.throwIfAborted()
    const started = await startServer(place, settings, signal)
    if (typeof started !== 'string') return { client: started, adopted: false }
    signal?.throwIfAborted()
    // After a kill -9 the old server may stay as a zombie for a while, and another gateway may start it right now.
    const isLocked = /lock file|pre-existing shared memory/.test(started)
    if (!isLocked || Date.now() > deadline) throw new Error(cannotStart(started))
    const other = await connect(place.run, { signal })
    if (other !== null) return { client: other, adopted: true }
  }
}

/** Answers a connection, or what the server wrote when it gave up or was stopped because `signal` aborted. */
async function startServer(
  place: Place,
  settings: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<pg.Client | string> {
  const logFile = path.join(place.dir, 'postgres.log')
  const log = fs.openSync(logFile, 'a', 0o600)
  const before = fs.fstatSync(log).size
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const args = ['-D', place.data, '-k', place.run, '-p', String(PORT), ...flags]
  const child = run(place.who, path.join(place.native, 'bin', 'postgres'), args, {
    cwd: place.dir,
    stdio: ['ignore', log, log],
  })
  fs.closeSync(log)
  child.unref()
  let failure: string | null = null
  child.on('error', (error) => {
    failure = error.message
  })
  child.on('exit', () => {
    failure ??= fs.readFileSync(logFile).subarray(before).toString()
  })
  while (failure === null && signal?.aborted !== true) {
    // Only our own: the socket of a server that is being killed may still answer for a moment.
    const client = serverPid(place) === child.pid ? await connect(place.run, { signal }) : null
    if (client !== null) {
      child.removeAllListeners()
      return client
    }
    await pause(15)
  }
  if (failure === null && child.pid !== undefined) await interrupt(child.pid, () => failure !== null)
  return failure ?? ''
}

/** Stops a server without waiting for its clients. Throws when it does not end. */
export async function interrupt(pid: number, hasEnded: () => boolean): Promise<void> {
  if (isAlive(pid)) process.kill(pid, 'SIGINT')
  for (const deadline = Date.now() + STOP_MS; !hasEnded(); await pause(10)) {
    if (Date.now() > deadline) throw new Error(`嵌入式数据库没有停止 (embedded PostgreSQL did not stop): pid ${pid}`)
  }
}
