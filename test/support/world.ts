/** A gateway over HTTP whose clock, upstreams and jobs the test moves by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Channel } from '@acopay/channels'
import type { FastifyInstance } from 'fastify'
import { buildServer } from '../../apps/server/src/http/server.ts'
import { notifier } from '../../apps/server/src/jobs/notifier.ts'
import { runDueJobs } from '../../apps/server/src/jobs/worker.ts'
import { type GuardOptions, safePost } from '../../apps/server/src/outbound/safe-post.ts'
import { DEMO, type DemoSettings, seedDemo } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { sandboxExtraRoutes } from '../../apps/server/src/sandbox/extra-routes.ts'
import { sandboxClock } from '../../apps/server/src/sandbox/time.ts'
import { type SandboxUpstreams, sandboxUpstreams } from '../../apps/server/src/sandbox/upstreams.ts'
import { type HashingClock, hashing } from '../../apps/server/src/security/hashing.ts'
import { loadSigningKey } from '../../apps/server/src/security/platform-key.ts'
import { loadPurposeKeys } from '../../apps/server/src/security/purpose-keys.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import { buildWorld } from '../../apps/server/src/start/build-world.ts'
import { movableClock, sureClock } from '../../apps/server/src/start/clock.ts'
import { readConfig } from '../../apps/server/src/start/config.ts'
import { openLog } from '../../apps/server/src/start/log.ts'
import type { Tracer } from '../../apps/server/src/tracing/along.ts'
import type { World } from '../../apps/server/src/world.ts'
import { startedOnce, type TestDatabase, testDatabase } from './database.ts'
import { manualClock, testStart } from './manual-clock.ts'

/** Wrong passwords wait for each other a thousandth of the time. */
const HURRIED: HashingClock = {
  nowMs: () => performance.now() * 1000,
  later: (ms, run) => void setTimeout(run, ms / 1000).unref(),
}

export type TestWorld = {
  world: World
  app: FastifyInstance
  demo: DemoSettings
  upstreams: SandboxUpstreams
  database: TestDatabase
  /** For a second process on the same database. */
  masterKey: Buffer
  /** Moves the clock, and wakes every sleep that ends by then. */
  advance: (ms: number) => void
  /** How many sleep for exactly so long. */
  sleeping: (ms: number) => number
  /** Resolves with the answer once the clock has been moved far enough for it. It stands still while the database works. */
  whileTimePasses: <Answer>(answer: Promise<Answer>) => Promise<Answer>
  /** Runs due jobs until none is due. */
  runJobs: () => Promise<void>
  /** Every line logged so far. */
  logged: () => Record<string, unknown>[]
  stop: () => Promise<void>
}

/** `upstream` overrides verbs between the gateway and its channels: a test makes them fail there. */
export async function testWorld(
  options: {
    env?: Record<string, string>
    upstream?: (real: Channel, name: string) => Partial<Channel>
    guard?: Partial<GuardOptions>
    tracer?: Tracer
    start?: Date
    /** The address in the links that it makes; its own where it is left out. */
    publicUrl?: string
  } = {},
): Promise<TestWorld> {
  const database = await testDatabase('started')
  const home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
  const config = readConfig({ PORT: '0', ACOPAY_RATE_PER_ADDRESS: '0', ...options.env }, home)
  const clock = manualClock(options.start ?? testStart())
  const masterKey = startedOnce(home)
  const master = masterKeysOf(masterKey)
  const signingKey = await loadSigningKey(database.pool, master, clock.now())
  const lines: string[] = []
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  let ownUrl = ''
  const outgoing = safePost({
    ports: config.notifyPorts,
    networks: config.notifyNetworks,
    isLoopbackAllowed: true,
    ...options.guard,
  })
  const moved = movableClock(sureClock(clock.now))
  const told = openLog({ ...config, logLevel: 'info' }, sink)
  const world = buildWorld({
    config,
    ...told,
    master,
    purposeKey: await loadPurposeKeys(database.pool, master),
    outgoing,
    clock: moved,
    sleep: clock.sleep,
    hashing: hashing(HURRIED),
    ...(options.tracer && { tracer: options.tracer }),
    pool: database.pool,
    signingKey: () => signingKey,
    publicUrl: () => options.publicUrl ?? ownUrl,
    ownUrl: () => ownUrl,
    sandboxUrl: () => upstreams.url(),
  })
  const { channelOf } = world
  world.channelOf = async (mchNo, name, account) => {
    const channel = await channelOf(mchNo, name, account)
    return channel && { ...channel, ...options.upstream?.(channel, name) }
  }
  const upstreams = sandboxUpstreams(database.pool, world)
  const telling = notifier(world)
  const tellDue = async (): Promise<number> => {
    const sent = await telling.sendDue()
    await telling.settled()
    return sent
  }
  const time = sandboxClock({
    world,
    setAheadMs: async (ms) => moved.setAheadMs(ms),
    byHand: (work) => work(async () => (await runDueJobs(world)) + (await tellDue())),
    deliverDue: upstreams.deliverDue,
  })
  const app = buildServer(world, config, sandboxExtraRoutes({ world, upstreams, clock: time }, config.home))
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  ownUrl = baseUrl
  const { mchPrivateKey } = await seedDemo(database.pool, home, clock.now())
  await upstreams.open(master)
  return {
    world,
    app,
    upstreams,
    demo: { baseUrl, ...DEMO, mchPrivateKey, platformPublicKey: signingKey.publicKeyText },
    database,
    masterKey,
    advance: clock.advance,
    sleeping: clock.sleeping,
    whileTimePasses: async (answer) => {
      let isAnswered = false
      const stop = (): void => {
        isAnswered = true
      }
      void answer.then(stop, stop)
      while (!isAnswered) {
        const { totalCount, idleCount, waitingCount } = database.pool
        // Otherwise the budgets of a call would run out on a slow machine, which needs longer for the same statements.
        if (totalCount === idleCount && waitingCount === 0) clock.advance(50)
        await pause(2)
      }
      return answer
    },
    runJobs: async () => {
      while ((await runDueJobs(world)) + (await tellDue()) > 0);
    },
    logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    stop: async () => {
      // A connection whose answer had begun would stay for its 75 s.
      const silent = setInterval(() => app.server.closeIdleConnections(), 20)
      await app.close()
      clearInterval(silent)
      await outgoing.close()
      await upstreams.stop()
      await database.drop()
      rmSync(home, { recursive: true })
    },
  }
}
