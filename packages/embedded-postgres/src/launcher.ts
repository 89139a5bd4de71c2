/**
 * The default database: PostgreSQL from npm packages, run beside the gateway on a unix socket only. It outlives this
 * process when that is killed; the next one adopts it. Several gateways may use one; the last to stop stops it.
 */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { NAME } from './cluster.ts'
import { isAlive, type Place, PORT, placeOf, serverPid } from './place.ts'
import { connect, connectOrLaunch, interrupt, STOP_MS, STOPPING, Unreachable } from './server.ts'

export type EmbeddedPostgres = {
  connection: { host: string; port: number; user: string; database: string }
  /** True: a server that was already running is used. */
  adopted: boolean
  /** Another number after the server was started again. */
  readonly pid: number
  /** Stops the server unless another process is still connected; close your own connections before. */
  stop(): Promise<void>
}

/** What the user of a server is told when it is lost. With it, a server that is lost is started again. */
export type Watch = {
  onLost: () => void
  /** It could not be started; it is tried again. */
  onFailed: (error: Error) => void
  onBack: () => void
  /** It could not be started for a minute, and is not tried again. */
  onGone: (error: Error) => void
}

export type StartOptions = {
  settings?: Record<string, string>
  /** Ends a start that is under way: it throws the signal's reason, and leaves no server that it started. */
  signal?: AbortSignal | undefined
  watch?: Watch
  /** For how long a server that is lost is started again; a minute. */
  giveUpMs?: number
}

const DEFAULTS = {
  listen_addresses: '',
  max_connections: '100',
  shared_buffers: '128MB',
  // Refused statements are answered to the caller; in a log that is not rotated they would only pile up.
  log_min_messages: 'log',
  log_checkpoints: 'off',
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
const GIVE_UP_MS = 60_000

/** Throws an Error with one clear line when it cannot start. */
export async function startEmbeddedPostgres(dir: string, options: StartOptions = {}): Promise<EmbeddedPostgres> {
  const { signal, watch = null, giveUpMs = GIVE_UP_MS } = options
  const settings = { ...DEFAULTS, ...options.settings }
  const place = await placeOf(path.resolve(dir))
  const { client, adopted } = await connectOrLaunch(place, settings, signal)
  const held = hold(place, client, { settings, watch, giveUpMs })
  const release = async (): Promise<void> => {
    await held.release()
    await stop(place)
  }
  const pid = serverPid(place) ?? 0
  await createDatabase(client).catch(async (error: unknown) => {
    await release()
    throw error
  })
  return {
    connection: { host: place.run, port: PORT, user: NAME, database: NAME },
    adopted,
    get pid() {
      return serverPid(place) ?? pid
    },
    stop: release,
  }
}

type Holding = { settings: Record<string, string>; watch: Watch | null; giveUpMs: number }

/**
 * Keeps one connection open, so that another gateway's stop() sees this one even when every pool is idle, and so that the loss of
 * the server is noticed at once.
 */
function hold(
  place: Place,
  first: pg.Client,
  { settings, watch, giveUpMs }: Holding,
): { release: () => Promise<void> } {
  const releasing = new AbortController()
  const { signal } = releasing
  let holder = first
  let returning = Promise.resolve()

  function take(client: pg.Client): void {
    holder = client
    client.on('end', () => {
      if (!signal.aborted && watch !== null) returning = comeBack(watch)
    })
  }

  async function failureOfStart(): Promise<Error | null> {
    try {
      take((await connectOrLaunch(place, settings, signal)).client)
      return null
    } catch (error) {
      return error as Error
    }
  }

  async function comeBack({ onLost, onFailed, onBack, onGone }: Watch): Promise<void> {
    onLost()
    let aliveMs = Date.now()
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const failure = await failureOfStart()
      if (failure === null) return onBack()
      if (signal.aborted) return
      // One that is full, or that recovers for long, is not started again: it lives.
      if (failure instanceof Unreachable && failure.isAnswer) aliveMs = Date.now()
      if (Date.now() - aliveMs > giveUpMs) return onGone(failure)
      onFailed(failure)
      await pause(pauseMs, undefined, { signal }).catch(() => {})
    }
  }

  take(first)
  return {
    async release() {
      releasing.abort()
      await returning
      await holder.end().catch(() => {})
    },
  }
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [NAME])
  if (rowCount === 1) return
  await client.query(`create database ${NAME}`).catch((error: Error & { code?: string }) => {
    // Another gateway created it in this moment.
    if (error.code !== '42P04' && error.code !== '23505') throw error
  })
}

/** Of several that stop at once each first says so, then counts those who did not: the last one always stops it. */
async function stop(place: Place): Promise<void> {
  const client = await connect(place.run, { applicationName: STOPPING, withinMs: STOP_MS })
  if (client === null) return
  const pid = serverPid(place)
  const isNeeded = await isUsedByOthers(client).catch(
    // 57P01: another user counted first and is stopping it in this moment. In doubt it goes on running.
    (error: Error & { code?: string }) => error.code !== '57P01' && !error.message.startsWith('Connection terminated'),
  )
  await client.end().catch(() => {})
  if (isNeeded || pid === null) return
  await interrupt(pid, () => serverPid(place) !== pid || !isAlive(pid))
}

async function isUsedByOthers(client: pg.Client): Promise<boolean> {
  // Our own connections that were closed a moment ago get 250 ms to leave the list.
  for (let tries = 0; tries < 5; tries++) {
    const { rowCount } = await client.query(
      `select 1 from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> $1`,
      [STOPPING],
    )
    if (rowCount === 0) return false
    await pause(50)
  }
  return true
}
