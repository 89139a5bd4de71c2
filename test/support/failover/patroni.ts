/** Two PostgreSQL servers under Patroni, with etcd and HAProxy, on loopback: docs/scaling.md describes this set-up. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openPool, type Pool } from '@acopay/store'
import { killServer } from '../kill-server.ts'

const NAMES = ['one', 'two'] as const
type Name = (typeof NAMES)[number]

/** Debian's package of each program. */
const PROGRAMS = { patroni: 'patroni', patronictl: 'patroni', etcd: 'etcd-server', haproxy: 'haproxy' } as const
const PATHS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']

const found = (name: string): string | null =>
  PATHS.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file)) ?? null

/** Debian keeps the programs of each version of PostgreSQL apart; the newest. */
function postgresFolder(): string | null {
  const root = '/usr/lib/postgresql'
  const versions = fs.existsSync(root) ? fs.readdirSync(root).sort((one, other) => Number(other) - Number(one)) : []
  return (
    versions.map((version) => path.join(root, version, 'bin')).find((bin) => fs.existsSync(`${bin}/initdb`)) ?? null
  )
}

/** The packages that this machine lacks. */
export function missingPackages(): string[] {
  const missing = Object.entries(PROGRAMS).flatMap(([name, from]) => (found(name) === null ? [from] : []))
  return [...new Set([...missing, ...(postgresFolder() === null ? ['postgresql'] : [])])]
}

export type Cluster = {
  /** Of HAProxy, which leads to the primary. */
  proxied: string
  /** `host:port,host:port` of the servers themselves. */
  hosts: string
  pool: (database: string) => Pool
  /** Waits for a primary and a standby that streams; answers who is the primary. */
  whole: () => Promise<Name>
  /** Patroni and PostgreSQL at once, as a machine that loses its power. */
  kill: (name: Name) => void
  revive: (name: Name) => void
  switchover: (from: Name) => Promise<void>
  /** The primary sends nothing to its standby any more: a network that stalls. */
  stall: () => Promise<void>
  stop: () => Promise<void>
}

type Ports = Record<'etcd' | 'peer' | 'proxy' | `${'pg' | 'rest'}-${Name}`, number>

export async function startCluster(dir: string, how: 'synchronous' | 'asynchronous'): Promise<Cluster> {
  const ports = await freePorts()
  const who = owner(dir)
  const running = new Map<string, ChildProcess>()
  const start = (name: string, program: keyof typeof PROGRAMS, args: string[]): void => {
    const log = fs.openSync(path.join(dir, `${name}.log`), 'a')
    const child = spawn(found(program) as string, args, { cwd: dir, stdio: ['ignore', log, log], ...who })
    fs.closeSync(log)
    running.set(name, child)
  }
  const configOf = (name: Name): string => path.join(dir, `${name}.json`)
  for (const name of NAMES) write(configOf(name), JSON.stringify(patroniConfig({ dir, ports, name, how })))
  write(path.join(dir, 'haproxy.cfg'), haproxyConfig(ports))
  start('etcd', 'etcd', etcdArguments(dir, ports))
  await listening(ports.etcd)
  for (const name of NAMES) start(name, 'patroni', [configOf(name)])
  start('haproxy', 'haproxy', ['-f', path.join(dir, 'haproxy.cfg')])
  const url = (host: string, database: string): string => `postgresql://postgres@${host}/${database}`
  const hosts = NAMES.map((name) => `127.0.0.1:${ports[`pg-${name}`]}`)
  const servers = (database: string) => hosts.map((name) => ({ name, connectionString: url(name, database) }))
  const pool = (database: string): Pool =>
    openPool({ several: { servers: servers(database), wanted: 'read-write', serverMs: 2000 }, max: 2 })
  return {
    proxied: `127.0.0.1:${ports.proxy}`,
    hosts: hosts.join(),
    pool,
    whole: () => whole(ports, how),
    kill(name) {
      const postmaster = Number(fs.readFileSync(path.join(dir, name, 'postmaster.pid'), 'utf8').split('\n')[0])
      running.get(name)?.kill('SIGKILL')
      killServer(postmaster)
    },
    revive: (name) => start(name, 'patroni', [configOf(name)]),
    async switchover(from) {
      const to = NAMES.find((name) => name !== from) as Name
      const args = ['-c', configOf(from), 'switchover', '--leader', from, '--candidate', to, '--force']
      const child = spawn(found('patronictl') as string, args, { stdio: 'ignore', ...who })
      await once(child, 'exit')
    },
    async stall() {
      const admin = pool('postgres')
      const { rows } = await admin.query<{ pid: number }>('select pid from pg_stat_replication')
      await admin.end()
      for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
    },
    async stop() {
      for (const name of ['haproxy', ...NAMES, 'etcd']) await ended(running.get(name))
    },
  }
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

const write = (file: string, text: string): void => fs.writeFileSync(file, text, { mode: 0o644 })

/** PostgreSQL does not run as root: then all of it runs as the user that Debian's package makes, to whom the folder is given. */
function owner(dir: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (what: string): number => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }))
  const [uid, gid] = [id('-u'), id('-g')]
  fs.chownSync(dir, uid, gid)
  return { uid, gid }
}

async function freePorts(): Promise<Ports> {
  const names = ['etcd', 'peer', 'proxy', 'pg-one', 'rest-one', 'pg-two', 'rest-two']
  const servers = await Promise.all(
    names.map(async () => {
      const server = net.createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Ports
}

const etcdArguments = (dir: string, { etcd, peer }: Ports): string[] => {
  const [client, peers] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${peer}`]
  return [
    ...['--name', 'one', '--data-dir', path.join(dir, 'etcd')],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `one=${peers}`],
  ]
}

type Member = { dir: string; ports: Ports; name: Name; how: 'synchronous' | 'asynchronous' }

/** Patroni reads YAML, of which JSON is a part. */
function patroniConfig({ dir, ports, name, how }: Member): unknown {
  const rest = `127.0.0.1:${ports[`rest-${name}`]}`
  const postgres = `127.0.0.1:${ports[`pg-${name}`]}`
  const trusted = ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
  return {
    scope: 'acopay',
    name,
    restapi: { listen: rest, connect_address: rest },
    etcd3: { host: `127.0.0.1:${ports.etcd}` },
    bootstrap: {
      dcs: {
        ttl: 20,
        loop_wait: 5,
        retry_timeout: 5,
        synchronous_mode: how === 'synchronous',
        postgresql: { use_pg_rewind: true, parameters: { max_connections: 100, wal_keep_size: '256MB' } },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }],
      pg_hba: trusted,
    },
    postgresql: {
      listen: postgres,
      connect_address: postgres,
      data_dir: path.join(dir, name),
      bin_dir: postgresFolder(),
      pgpass: path.join(dir, `${name}.pgpass`),
      authentication: Object.fromEntries(
        ['superuser', 'replication', 'rewind'].map((role) => [role, { username: 'postgres' }]),
      ),
      parameters: { unix_socket_directories: dir },
    },
  }
}

/** It asks Patroni which server is the primary, and cuts the connections to one that is not any more. */
const haproxyConfig = (ports: Ports): string => `
defaults
  mode tcp
  timeout connect 2s
  timeout client 30m
  timeout server 30m
  timeout check 1s
listen primary
  bind 127.0.0.1:${ports.proxy}
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${NAMES.map((name) => `  server ${name} 127.0.0.1:${ports[`pg-${name}`]} check port ${ports[`rest-${name}`]}`).join('\n')}
`

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1')
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isThere) return
    await pause(100)
  }
}

type Listed = { members: { name: Name; role: string; state: string }[] }

const WHOLE_MS = 180_000

async function whole(ports: Ports, how: Member['how']): Promise<Name> {
  const following = how === 'synchronous' ? 'sync_standby' : 'replica'
  const listed = async (name: Name): Promise<Listed> => {
    const answer = await fetch(`http://127.0.0.1:${ports[`rest-${name}`]}/cluster`).catch(() => null)
    return answer === null ? { members: [] } : ((await answer.json()) as Listed)
  }
  for (const deadline = Date.now() + WHOLE_MS; Date.now() < deadline; await pause(500)) {
    for (const { members } of await Promise.all(NAMES.map(listed))) {
      const leader = members.find(({ role, state }) => role === 'leader' && state === 'running')
      const follower = members.find(({ role, state }) => role === following && /^(?:running|streaming)$/.test(state))
      if (leader !== undefined && follower !== undefined) return leader.name
    }
  }
  throw new Error(`Patroni's cluster did not become whole within ${WHOLE_MS / 1000} s`)
}
