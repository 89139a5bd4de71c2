/** A PgBouncer of a test's own, on loopback, in front of a PostgreSQL of this machine. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export type PgBouncer = { host: string; stop: () => Promise<void> }

/** In session mode each connection of the gateway keeps one of PostgreSQL for as long as it is open: more than `ACOPAY_POOL_MAX`. */
const SESSIONS = 40

const PATHS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']

/** `ACOPAY_PGBOUNCER`, or the one that is installed; null where there is none. */
export const pgBouncerProgram = (): string | null =>
  process.env.ACOPAY_PGBOUNCER ??
  PATHS.map((folder) => path.join(folder, 'pgbouncer')).find((file) => fs.existsSync(file)) ??
  null

/** `[1, 25]` of 1.25.2. */
export function pgBouncerVersion(program: string): [number, number] {
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(said) ?? []
  return [Number(major), Number(minor)]
}

type Options = { program: string; dir: string; mode: 'transaction' | 'session'; server: string; settings?: string[] }

/** `server`: `host:port` of the PostgreSQL. */
export async function startPgBouncer({ program, dir, mode, server, settings = [] }: Options): Promise<PgBouncer> {
  const port = await freePort()
  const [host = '', serverPort = ''] = server.split(':')
  const file = path.join(dir, `pgbouncer-${port}.ini`)
  const lines = [
    '[databases]',
    `* = host=${host} port=${serverPort} user=acopay`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    `default_pool_size = ${mode === 'session' ? SESSIONS : 8}`,
    'max_client_conn = 200',
    ...settings,
  ]
  fs.writeFileSync(file, `${lines.join('\n')}\n`)
  const log = fs.openSync(path.join(dir, 'pgbouncer.log'), 'a')
  const child = spawn(program, [file], { stdio: ['ignore', log, log], ...notRoot(dir) })
  fs.closeSync(log)
  await listening(port, child)
  return {
    host: `127.0.0.1:${port}`,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      const late = setTimeout(() => child.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(late)
    },
  }
}

/** It refuses to run as root. */
function notRoot(dir: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  fs.chmodSync(dir, 0o755)
  return { uid: 65534, gid: 65534 }
}

async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = net.connect(port, '127.0.0.1')
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isThere) return
    await pause(50)
  }
  throw new Error(`PgBouncer ended with ${child.exitCode}`)
}
