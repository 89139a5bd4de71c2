/** The ten ways in which a database is lost, and how it comes back. */
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { gone, type LostServer } from './server.ts'

export type Loss = {
  name: string
  zh: string
  /** The database is lost when this resolves. */
  lose: (server: LostServer) => Promise<void>
  /** An embedded database is brought back by its gateway; nothing else has to be done. */
  isMended: boolean
  /** What else brings it back. */
  restore: (server: LostServer) => Promise<void>
  /** For how long it is lost. */
  lostMs: number
}

async function signalled(server: LostServer, signal: NodeJS.Signals): Promise<void> {
  const pid = server.pid()
  if (pid === null) throw new Error('no server runs')
  process.kill(pid, signal)
  await gone(pid)
}

const restart = (server: LostServer): Promise<void> => server.start()

function sent(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself.
    }
  }
}

/** Ends every connection but those of this client's own name. */
const CUT = `select count(pg_terminate_backend(pid)) from pg_stat_activity
              where backend_type = 'client backend' and application_name like 'acopay%'`

/** What a test holds until the database is back: connections, or a file. */
const held: pg.Client[] = []

async function takeAllConnections(server: LostServer): Promise<void> {
  const first = await server.connect()
  if (first === null) throw new Error('no connection')
  held.push(first)
  for (let round = 0; round < 3; round += 1) {
    for (let next = await server.connect(); next !== null; next = await server.connect()) held.push(next)
    await first.query(CUT)
  }
  for (let next = await server.connect(); next !== null; next = await server.connect()) held.push(next)
}

const ballast = (server: LostServer): string => path.join(path.dirname(server.data), 'ballast')

/** Until neither a file nor PostgreSQL's log of changes can grow: it then ends by itself, and cannot start again. */
async function fillDisk(server: LostServer): Promise<void> {
  const file = fs.openSync(ballast(server), 'w')
  try {
    for (;;) fs.writeSync(file, Buffer.alloc(64 * 1024))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    fs.closeSync(file)
  }
  const client = await server.connect()
  const grow = `select pg_logical_emit_message(false, 'full', repeat('x', 1000000)), pg_switch_wal()`
  for (let isFull = false; !isFull; ) {
    isFull = await (client?.query(grow) ?? Promise.reject(new Error('no server'))).then(
      () => false,
      () => true,
    )
  }
  await client?.end()
}

async function becomeStandby(server: LostServer): Promise<void> {
  fs.writeFileSync(path.join(server.data, 'standby.signal'), '')
  await signalled(server, 'SIGINT')
  await server.start()
}

async function promote(server: LostServer): Promise<void> {
  for (;;) {
    const client = await server.connect()
    const done = await client?.query('select pg_promote()').catch(() => null)
    await client?.end()
    if (done != null) return
    await pause(100)
  }
}

const none = async (): Promise<void> => {}

export const LOSSES: Loss[] = [
  {
    name: 'kill -9',
    zh: '强杀',
    lose: async (server) => {
      const pid = server.pid() ?? 0
      sent(server.processes(), 'SIGKILL')
      await gone(pid)
    },
    isMended: true,
    restore: restart,
    lostMs: 1000,
  },
  {
    name: 'immediate shutdown',
    zh: '立即关闭',
    lose: (server) => signalled(server, 'SIGQUIT'),
    isMended: true,
    restore: restart,
    lostMs: 1000,
  },
  {
    name: 'fast shutdown',
    zh: '快速关闭',
    lose: (server) => signalled(server, 'SIGINT'),
    isMended: true,
    restore: restart,
    lostMs: 1000,
  },
  {
    name: 'restart',
    zh: '重启',
    lose: async (server) => {
      await signalled(server, 'SIGINT')
      await server.start()
    },
    isMended: true,
    restore: none,
    lostMs: 0,
  },
  {
    name: 'pg_terminate_backend, for a second',
    zh: '切断连接（持续一秒）',
    lose: async (server) => {
      const client = await server.connect()
      for (const until = Date.now() + 1000; Date.now() < until; await pause(20)) await client?.query(CUT)
      await client?.end()
    },
    isMended: true,
    restore: none,
    lostMs: 0,
  },
  {
    name: 'full disk',
    zh: '磁盘写满',
    lose: fillDisk,
    isMended: false,
    restore: async (server) => {
      fs.rmSync(ballast(server))
      await server.start()
    },
    lostMs: 3000,
  },
  { name: 'read-only standby', zh: '只读备库', lose: becomeStandby, isMended: false, restore: promote, lostMs: 2000 },
  {
    name: 'no connection left',
    zh: '连接数用尽',
    lose: takeAllConnections,
    isMended: false,
    restore: async () => void (await Promise.all(held.splice(0).map((client) => client.end()))),
    lostMs: 2000,
  },
  {
    name: 'paused (SIGSTOP)',
    zh: '进程暂停',
    lose: async (server) => sent(server.processes(), 'SIGSTOP'),
    isMended: false,
    restore: async (server) => sent(server.processes(), 'SIGCONT'),
    lostMs: 12_000,
  },
  {
    name: 'half-open connections',
    zh: '半开连接',
    // The gateway and its own database share a machine and no network: its connections fall silent by their processes.
    lose: async (server) => {
      if (server.place === 'embedded') sent(server.processes().slice(1).filter(isBackend), 'SIGSTOP')
      else server.freeze()
    },
    isMended: false,
    restore: async (server) => {
      server.thaw()
      if (server.place === 'embedded') sent(server.processes(), 'SIGCONT')
    },
    lostMs: 12_000,
  },
]

function isBackend(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres: acopay')
  } catch {
    return false
  }
}
