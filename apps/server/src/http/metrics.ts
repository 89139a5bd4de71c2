/** `/metrics` for Prometheus: at the gateway's own port behind a token, or at a port of its own (docs/metrics.md). */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { alarmHealth, type Health, readHealth } from '@acopay/store/read'
import type { FastifyInstance } from 'fastify'
import { Gauge, Registry } from 'prom-client'
import { readiness } from '../actions/readiness/readiness.ts'
import type { World } from '../world.ts'
import { stuckBefore } from './console/system/stuck.ts'

/** Many scrapers, or an impatient one, read the database no more often. */
const BACKLOG_MS = 5000

/** Answers with the text of all metrics, or null to a caller without the token. */
export type Scrape = (authorization: string | undefined) => Promise<string | null>

type Scraped = { token: string | null; text: () => Promise<string> }

export const scraping =
  ({ token, text }: Scraped): Scrape =>
  async (authorization) =>
    token === null || isSame(authorization, `Bearer ${token}`) ? text() : null

/**
 * What is read at a scrape, besides what was counted: of this process, and of the database, which every process reads alike.
 */
export function readAtScrape(world: World): { own: Registry; ofDatabase: Registry } {
  const [own, ofDatabase] = [new Registry(), new Registry()]
  // Before the others ask for connections.
  addPool(world, own)
  addProcess(world, own)
  addBacklog(world, ofDatabase)
  addAlarmChannels(world, ofDatabase)
  return { own, ofDatabase }
}

/** The metrics of a gateway of one process. */
export function metricsText(world: World): () => Promise<string> {
  const { own, ofDatabase } = readAtScrape(world)
  const all = Registry.merge([world.metrics.registry, own, ofDatabase])
  return () => all.metrics()
}

/** At the gateway's own port: only where there is a token, because payers reach that port too. */
export function metricsRoute(app: FastifyInstance, world: World, scraped: Scraped): void {
  const scrape = scraping(scraped)
  app.get('/metrics', async (request, reply) => {
    const text = await scrape(request.headers.authorization)
    if (text !== null) return reply.header('content-type', world.metrics.registry.contentType).send(text)
    return reply.code(401).header('www-authenticate', 'Bearer').send(WITHOUT_TOKEN)
  })
}

const WITHOUT_TOKEN =
  '请在 Authorization 请求头中给出 ACOPAY_METRICS_TOKEN (send ACOPAY_METRICS_TOKEN as Authorization: Bearer …)\n'

/** A port that answers nothing else. */
export function metricsServer({ metrics, log }: Pick<World, 'metrics' | 'log'>, scrape: Scrape): Server {
  return createServer({ requestTimeout: 15_000 }, async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return response.writeHead(404).end()
    try {
      const text = await scrape(request.headers.authorization)
      if (text === null) return response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(WITHOUT_TOKEN)
      return response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text)
    } catch (err) {
      log.error({ err }, 'metrics could not be read')
      return response.writeHead(500).end()
    }
  })
}

/** Hashed first, because a comparison in constant time needs texts of one length. */
function isSame(given: string | undefined, right: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return given !== undefined && timingSafeEqual(hash(given), hash(right))
}

/** Whether this process serves; of the processes of a gateway the sum says how many do, and the least whether all do. */
function addProcess(world: World, registry: Registry): void {
  const registers = [registry]
  const whyNotReady = readiness(world)
  new Gauge({
    name: 'acopay_processes',
    help: 'Processes that serve.',
    registers,
  }).set(1)
  new Gauge({
    name: 'acopay_ready',
    help: 'Whether /readyz is 200.',
    aggregator: 'min',
    registers,
    async collect() {
      this.set((await whyNotReady()) === null ? 1 : 0)
    },
  })
}

function addPool({ pool }: World, registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'acopay_pool_connections',
    help: 'Connections to the database.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'idle' }, pool.idleCount)
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount)
    },
  })
  new Gauge({
    name: 'acopay_pool_waiting',
    help: 'Who waits for a connection.',
    registers,
    collect() {
      this.set(pool.waitingCount)
    },
  })
}

const STUCK = ['closing', 'expired', 'refunds', 'reversals', 'jobs'] as const
const UNDELIVERED = ['pending', 'late', 'dead'] as const

/**
 * What waits in the database, the same at every process: take the largest, do not add. A count stops at `HEALTH_MAX`. While the database
 * cannot be read there are no such lines, and `acopay_ready` is 0.
 */
function addBacklog(world: World, registry: Registry): void {
  const registers = [registry]
  const read = backlogReader(world)
  const gauge = <Label extends string>(
    name: string,
    help: string,
    fill: (gauge: Gauge<Label>, health: Health) => void,
    labelNames: Label[] = [],
  ) =>
    new Gauge<Label>({
      name: `acopay_${name}`,
      help,
      labelNames,
      registers,
      async collect() {
        this.reset()
        const health = await read()
        if (health !== null) fill(this, health)
      },
    })
  gauge(
    'stuck',
    'What has been in its state for more than ten minutes.',
    (one, health) => {
      for (const what of STUCK) one.set({ what }, health[what])
    },
    ['what'],
  )
  const age = (name: string, help: string, since: (health: Health) => Date | null) =>
    gauge(name, help, (one, health) => {
      const at = since(health)
      one.set(at === null ? 0 : Math.max(0, (world.now().getTime() - at.getTime()) / 1000))
    })
  age('stuck_oldest_seconds', 'How long the oldest of these has been in its state.', ({ oldestAt }) => oldestAt)
  age('jobs_oldest_seconds', 'How old the oldest job that is stuck is.', ({ oldestJobAt }) => oldestJobAt)
  gauge(
    'notifications',
    'Notifications that are not delivered.',
    (one, health) => {
      for (const state of UNDELIVERED) one.set({ state }, health[state])
    },
    ['state'],
  )
  age(
    'notifications_oldest_seconds',
    'How long the notification that has waited longest has.',
    ({ oldestNotificationAt }) => oldestNotificationAt,
  )
  gauge('differences_unsettled', 'Differences that a reconciliation found and nobody has settled.', (one, health) =>
    one.set(health.differences),
  )
  gauge('payments_unmatched', 'Payments in an upstream bill that belong to no order.', (one, health) =>
    one.set(health.unmatched),
  )
}

/** Alarm channels whose last try failed; read with the backlog's period. */
function addAlarmChannels({ pool, steadyMs }: World, registry: Registry): void {
  let last: { atMs: number; failing: Promise<number | null> } | null = null
  new Gauge({
    name: 'acopay_alarm_channel_failing',
    help: 'Alarm channels that do not take alarms.',
    registers: [registry],
    async collect() {
      const nowMs = steadyMs()
      if (last === null || nowMs - last.atMs >= BACKLOG_MS) {
        last = {
          atMs: nowMs,
          failing: alarmHealth(pool).then(
            ({ failing }) => failing,
            () => null,
          ),
        }
      }
      const failing = await last.failing
      this.reset()
      if (failing !== null) this.set(failing)
    },
  })
}

/** Null while the database cannot be read. All gauges of a scrape share one statement. */
function backlogReader({ pool, now, steadyMs }: World): () => Promise<Health | null> {
  let last: { atMs: number; health: Promise<Health | null> } | null = null
  return () => {
    const nowMs = steadyMs()
    if (last === null || nowMs - last.atMs >= BACKLOG_MS) {
      last = { atMs: nowMs, health: readHealth(pool, null, stuckBefore(now())).catch(() => null) }
    }
    return last.health
  }
}
