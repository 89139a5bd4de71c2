/** PostgreSQL servers of Debian's package with Citus, on loopback: a coordinator, and workers where a test wants some. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openPool, type Pool } from '@acopay/store'
import { killServer } from './kill-server.ts'

const ROOT = '/usr/lib/postgresql'

/** The programs of the newest PostgreSQL that has Citus; null where none has. */
export function citusPrograms(): string | null {
  const versions = fs.existsSync(ROOT) ? fs.readdirSync(ROOT).sort((one, other) => Number(other) - Number(one)) : []
  const found = versions.find((version) => fs.existsSync(path.join(ROOT, version, 'lib', 'citus.so')))
  return found === undefined ? null : path.join(ROOT, found, 'bin')
}

/** How to get it, for whoever lacks it. */
export const HOW_TO_GET_CITUS =
  '没有 Citus；先下载其源码，再执行 (there is no Citus; download its source, then run): sudo sh scripts/build-citus.sh citus-13.2.2.tar.gz'

export type CitusNode = {
  port: number
  /** As a machine that loses its power. */
  kill: () => void
  start: () => Promise<void>
}

export type Citus = {
  /** Of the coordinator. */
  url: string
  coordinator: CitusNode
  workers: CitusNode[]
  stop: () => Promise<void>
}

/**
 * Nothing is kept of a test's machine, but a killed server has all that it acknowledged. `wal_level`: a shard that is moved while it is written to
 * is followed by its log.
 */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  shared_preload_libraries: 'citus',
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'logical',
  max_connections: '200',
  // One transaction makes all shards of all tables.
  max_locks_per_transaction: '512',
  max_prepared_transactions: '200',
  shared_buffers: '128MB',
  log_min_messages: 'error',
  // Else it makes certificates of its own for each server.
  'citus.node_conninfo': 'sslmode=disable',
  'citus.shard_count': '4',
  'citus.log_distributed_deadlock_detection': 'off',
  'citus.stat_statements_track': 'none',
  'citus.enable_statistics_collection': 'off',
}

type Options = { workers?: number; settings?: Record<string, string> }

/** Makes the servers below `dir`; the caller says which database becomes a cluster: `makeCluster`. */
export async function startCitus(dir: string, { workers = 0, settings = {} }: Options = {}): Promise<Citus> {
  const bin = citusPrograms()
  if (bin === null) throw new Error(HOW_TO_GET_CITUS)
  const who = owner(dir)
  const nodes: (CitusNode & { stop: () => Promise<void> })[] = []
  for (let number = 0; number <= workers; number += 1) {
    const node = await nodeAt({ bin, dir, who, name: `node${number}`, settings: { ...SETTINGS, ...settings } })
    nodes.push(node)
    await node.start()
  }
  const [coordinator, ...others] = nodes as unknown as [CitusNode, ...CitusNode[]]
  return {
    url: `postgresql://postgres@127.0.0.1:${coordinator.port}/postgres`,
    coordinator,
    workers: others,
    stop: async () => {
      for (const { stop } of nodes) await stop()
    },
  }
}

type Place = { bin: string; dir: string; who: Owner; name: string; settings: Record<string, string> }

async function nodeAt({ bin, dir, who, name, settings }: Place): Promise<CitusNode & { stop: () => Promise<void> }> {
  const data = path.join(dir, name)
  const port = await freePort()
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N']
  execFileSync(path.join(bin, 'initdb'), args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: dir, ...who })
  const all = { ...settings, port: String(port), unix_socket_directories: '' }
  const lines = Object.entries(all).map(([key, value]) => `${key} = '${value}'`)
  fs.appendFileSync(path.join(data, 'postgresql.conf'), `${lines.join('\n')}\n`)
  let child: ChildProcess | undefined
  return {
    port,
    kill: () => killServer(child?.pid as number),
    start: async () => {
      const log = fs.openSync(path.join(dir, `${name}.log`), 'a')
      child = spawn(path.join(bin, 'postgres'), ['-D', data], { cwd: dir, stdio: ['ignore', log, log], ...who })
      fs.closeSync(log)
      await answering(port, child, path.join(dir, `${name}.log`))
    },
    stop: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGINT')
      await exit
    },
  }
}

type Owner = { uid?: number; gid?: number }

/** PostgreSQL does not run as root: then it runs as the user that Debian's package makes, to whom the folder is given. */
function owner(dir: string): Owner {
  if (process.getuid?.() !== 0) return {}
  const id = (what: string): number => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }))
  const [uid, gid] = [id('-u'), id('-g')]
  fs.chownSync(dir, uid, gid)
  return { uid, gid }
}

async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answering(port: number, child: ChildProcess, log: string): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const pool = openPool({ connectionString: `postgresql://postgres@127.0.0.1:${port}/postgres`, max: 1 })
    const isThere = await pool.query('select 1').then(
      () => true,
      () => false,
    )
    await pool.end()
    if (isThere) return
    await pause(100)
  }
  throw new Error(`PostgreSQL with Citus ended: ${fs.readFileSync(log, 'utf8').split('\n').slice(-5).join(' ')}`)
}

/** Makes a database of this name a cluster of these servers, before it has tables. */
export async function makeCluster({ url, coordinator, workers }: Citus, database: string): Promise<void> {
  for (const { port } of [...workers, coordinator]) {
    const server = urlOf(url, port, 'postgres')
    const pool = openPool({ connectionString: server, max: 1, statementTimeoutMs: 60_000 })
    await pool.query(`create database ${database}`).catch((error: { code?: string }) => {
      if (error.code !== '42P04') throw error
    })
    await pool.end()
    await inDatabase(urlOf(url, port, database), (one) => one.query('create extension if not exists citus'))
  }
  await inDatabase(urlOf(url, coordinator.port, database), async (pool) => {
    await pool.query(`select citus_set_coordinator_host('127.0.0.1', $1)`, [coordinator.port])
    for (const { port } of workers) await pool.query(`select citus_add_node('127.0.0.1', $1)`, [port])
    if (workers.length === 0) {
      await pool.query(`select citus_set_node_property('127.0.0.1', $1, 'shouldhaveshards', true)`, [coordinator.port])
    }
  })
}

/** The address of another database of the same server. */
export const databaseOf = (url: string, database: string): string => urlOf(url, Number(new URL(url).port), database)

function urlOf(url: string, port: number, database: string): string {
  const one = new URL(url)
  one.port = String(port)
  one.pathname = `/${database}`
  return one.href
}

async function inDatabase<Result>(connectionString: string, work: (pool: Pool) => Promise<Result>): Promise<Result> {
  const pool = openPool({ connectionString, max: 1, statementTimeoutMs: 60_000 })
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}
