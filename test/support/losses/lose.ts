/** Loses the database of a running gateway while merchants close orders, and counts what each of them hears. */
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { close, openAttempt, place } from '../merchant.ts'
import { PATIENT, type StartedProcess, startProcess } from '../process.ts'
import type { Loss } from './kinds.ts'
import { type LostServer, lostServer, mountSmallDisk, type Place, startProxy, unmount } from './server.ts'

export type Size = { inFlight: number; stream: number }

export type Row = {
  loss: string
  zh: string
  place: Place
  /** `alive`, or how it ended. */
  process: string
  success: number
  closing: number
  busy: number
  /** Everything else: a reset connection, another status. */
  other: string[]
  slowestS: number
  /** From the return of the database, or from its loss where the gateway brings it back. */
  firstCloseS: number
  readyS: number
  /** Errors that ended up with the process. */
  uncaught: number
  /** Told SUCCESS, and not closed in the books. */
  lost: number
  /** Not closed two minutes later. */
  stuck: number
}

export type Stage = { gateway: StartedProcess; server: LostServer; hasSmallDisk: boolean; end: () => Promise<void> }

const DISK_MB = 200
const LANES = 4
const LANE_PAUSE_MS = 100
const GIVE_UP_MS = 120_000

/** A gateway with its database in `home`, on a disk of its own where this user may mount one. */
export async function openStage(where: Place, home: string): Promise<Stage> {
  const dir = `${home}/postgres`
  const hasSmallDisk = mountSmallDisk(dir, DISK_MB)
  const proxy = where === 'external' ? await startProxy(dir) : null
  const server = lostServer(where, dir, proxy)
  await server.start()
  const env = { ...PATIENT, ACOPAY_HOME: home, ACOPAY_RATE_PER_ADDRESS: '0', ACOPAY_JOB_PAUSE_MS: '100' }
  const gateway = await startProcess(proxy === null ? env : { ...env, DATABASE_URL: proxy.url })
  return {
    gateway,
    server,
    hasSmallDisk,
    async end() {
      const code = await gateway.end('SIGTERM')
      await server.stop()
      await proxy?.close()
      if (hasSmallDisk) unmount(dir)
      if (code !== 0) throw new Error(`the gateway ended with ${code}:\n${gateway.output()}`)
    },
  }
}

type Heard = { order: string; kind: 'success' | 'closing' | 'busy' | string; askedAt: number; heardAt: number }

async function closed({ demo }: StartedProcess, order: string): Promise<Heard> {
  const askedAt = performance.now()
  const kind = await close(demo, order).then(
    (answer) => {
      if (answer.httpStatus !== 200) return `HTTP ${answer.httpStatus}`
      if (answer.status === 1500) return 'busy'
      if (answer.data.code === 'SUCCESS') return 'success'
      return answer.data.description?.startsWith('关单处理中') ? 'closing' : JSON.stringify(answer.data)
    },
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.message,
  )
  return { order, kind, askedAt, heardAt: performance.now() }
}

export async function lose({ gateway, server }: Stage, loss: Loss, size: Size): Promise<Row> {
  const orders = await placeAll(gateway, size.inFlight + size.stream)
  const inFlight = orders.slice(0, size.inFlight)
  await withLimit(inFlight, 8, (order, index) =>
    openAttempt(gateway.demo, order, index % 2 === 0 ? 'wechat' : 'alipay'),
  )
  await slowUpstreams(gateway, 500)
  const outputBefore = gateway.output().length

  const heard: Heard[] = []
  const waiting = orders.slice(size.inFlight)
  const begunAt = performance.now()
  const ask = async (order: string): Promise<void> => {
    const one = await closed(gateway, order)
    heard.push(one)
    if (one.kind !== 'success') waiting.push(order)
  }
  const flying = Promise.all(inFlight.map(ask))
  const lanes = Array.from({ length: LANES }, async () => {
    while (performance.now() - begunAt < GIVE_UP_MS) {
      const order = waiting.shift()
      if (order !== undefined) await ask(order)
      else if (heard.filter(({ kind }) => kind === 'success').length === orders.length) return
      await pause(LANE_PAUSE_MS)
    }
  })

  await pause(250)
  await loss.lose(server)
  const lostAt = performance.now()
  await pause(loss.lostMs)
  await loss.restore(server)
  const restoredAt = performance.now()
  const since = server.place === 'embedded' && loss.isMended ? lostAt : restoredAt
  await slowUpstreams(gateway, 0)
  const readyAt = await whenReady(gateway)
  await Promise.all([flying, ...lanes])

  const first = heard.find(({ kind, askedAt }) => kind === 'success' && askedAt > lostAt)
  const count = (kind: string): number => heard.filter((one) => one.kind === kind).length
  const seconds = (ms: number): number => Math.round(Math.max(0, ms) / 100) / 10
  const told = heard.filter(({ kind }) => kind === 'success').map(({ order }) => order)
  return {
    loss: loss.name,
    zh: loss.zh,
    place: server.place,
    process: isAlive(gateway.pid) ? 'alive' : 'ended',
    success: count('success'),
    closing: count('closing'),
    busy: count('busy'),
    other: heard.map(({ kind }) => kind).filter((kind) => !['success', 'closing', 'busy'].includes(kind)),
    slowestS: seconds(Math.max(...heard.map(({ askedAt, heardAt }) => heardAt - askedAt))),
    firstCloseS: seconds((first?.heardAt ?? Number.POSITIVE_INFINITY) - since),
    readyS: seconds(readyAt - since),
    uncaught: gateway.output().slice(outputBefore).split('an error that nothing caught').length - 1,
    lost: await notClosed(server, told),
    stuck: orders.length - told.length,
  }
}

async function placeAll({ demo }: StartedProcess, count: number): Promise<string[]> {
  const orders: string[] = []
  await withLimit(Array.from({ length: count }), 8, async () => void orders.push(await place(demo)))
  return orders
}

async function withLimit<Item>(items: Item[], atOnce: number, work: (item: Item, index: number) => Promise<unknown>) {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next
      next += 1
      await work(items[index] as Item, index)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

/** Upstreams that take their time, so that closes are on their way when the database goes. 0: not any more. */
async function slowUpstreams({ url }: StartedProcess, ms: number): Promise<void> {
  const faults = ms === 0 ? [] : [{ kind: 'slow_answer', verb: 'close', ms }]
  for (const channel of ['wechat', 'alipay']) {
    await fetch(`${url}/sandbox/upstreams/${channel}/faults`, { method: 'PUT', body: JSON.stringify(faults) })
  }
}

async function whenReady({ url }: StartedProcess): Promise<number> {
  for (const until = performance.now() + GIVE_UP_MS; performance.now() < until; await pause(50)) {
    const response = await fetch(`${url}/readyz`).catch(() => null)
    if (response?.ok === true) return performance.now()
  }
  return Number.POSITIVE_INFINITY
}

async function notClosed(server: LostServer, told: string[]): Promise<number> {
  const client = await connected(server)
  const { rows } = await client.query('select from orders where state = $1 and transaction_no = any($2)', [
    'CLOSED',
    told,
  ])
  await client.end()
  return told.length - rows.length
}

/** A busy machine may not take a connection at once; that says nothing of what is in the books. */
async function connected(server: LostServer): Promise<pg.Client> {
  for (const until = performance.now() + GIVE_UP_MS; performance.now() < until; await pause(LANE_PAUSE_MS)) {
    const client = await server.connect()
    if (client !== null) return client
  }
  throw new Error('the database that came back takes no connection')
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
