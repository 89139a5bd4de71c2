/** A PostgreSQL that is lost on purpose: the one that a gateway starts, or one behind a proxy that can stop forwarding. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import pg from 'pg'

export type Place = 'embedded' | 'external'

export type LostServer = {
  place: Place
  data: string
  /** Of the server that runs; null while there is none. */
  pid: () => number | null
  /** The server and every process that it started. */
  processes: () => number[]
  /** Starts it where the gateway does not do it by itself. */
  start: () => Promise<void>
  /** Stops it where the gateway does not do it by itself. */
  stop: () => Promise<void>
  /** Opens a connection past the proxy; null where the server takes none. */
  connect: () => Promise<pg.Client | null>
  /** Stops or goes on forwarding what the connections that are open now say; they end when it goes on. */
  freeze: () => void
  thaw: () => void
}

/** The server whose files are in `dir`. */
export function lostServer(place: Place, dir: string, proxy: Proxy | null): LostServer {
  const data = path.join(dir, 'data')
  let started: EmbeddedPostgres | null = null
  const pid = (): number | null => {
    try {
      return Number(fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    } catch {
      return null
    }
  }
  return {
    place,
    data,
    pid,
    processes: () => {
      const postmaster = pid()
      return postmaster === null ? [] : [postmaster, ...childrenOf(postmaster)]
    },
    start: async () => {
      if (place === 'external') started = await startEmbeddedPostgres(dir)
    },
    stop: async () => started?.stop(),
    connect: async () => {
      const client = new pg.Client({ ...connectionTo(dir), connectionTimeoutMillis: 2000, query_timeout: 5000 })
      client.on('error', () => {})
      return client.connect().then(
        () => client,
        () => null,
      )
    },
    freeze: () => proxy?.freeze(),
    thaw: () => proxy?.thaw(),
  }
}

const connectionTo = (dir: string) => ({ host: dir, port: 5432, user: 'acopay', database: 'acopay' })

/** On Linux only. */
function childrenOf(parent: number): number[] {
  return fs.readdirSync('/proc').flatMap((name) => {
    try {
      const stat = /^\d+$/.test(name) ? fs.readFileSync(`/proc/${name}/stat`, 'utf8') : ''
      return Number(/\) \w (\d+) /.exec(stat)?.[1]) === parent ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

export type Proxy = { url: string; freeze: () => void; thaw: () => void; close: () => Promise<void> }

/** A TCP proxy in front of the server's socket. */
export async function startProxy(dir: string): Promise<Proxy> {
  const open = new Set<[net.Socket, net.Socket]>()
  const frozen = new Set<[net.Socket, net.Socket]>()
  const server = net.createServer((near) => {
    const far = net.connect(path.join(dir, '.s.PGSQL.5432'))
    const pair: [net.Socket, net.Socket] = [near, far]
    open.add(pair)
    near.pipe(far).pipe(near)
    const end = (): void => {
      // As in a network that drops what it gets: neither side hears of the other's end.
      if (frozen.has(pair)) return
      open.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const side of pair) side.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const thaw = (): void => {
    for (const side of [...frozen].flat()) side.destroy()
    for (const pair of frozen) open.delete(pair)
    frozen.clear()
  }
  return {
    url: `postgresql://acopay@127.0.0.1:${port}/acopay`,
    freeze: () => {
      for (const pair of open) {
        const [near, far] = pair
        near.unpipe(far)
        far.unpipe(near)
        frozen.add(pair)
      }
    },
    thaw,
    close: async () => {
      thaw()
      for (const side of [...open].flat()) side.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A file system of its own that can be filled up; false where this user may not mount one. */
export function mountSmallDisk(folder: string, megabytes: number): boolean {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'none', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export const unmount = (folder: string): void => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' })

export async function gone(pid: number): Promise<void> {
  while (fs.existsSync(`/proc/${pid}`) && !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))) await pause(10)
}
