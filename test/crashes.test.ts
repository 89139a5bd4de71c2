/**
 * The real thing, killed: two gateway processes on a PostgreSQL that writes to disk, and stand-ins for both upstreams that
 * outlive them. For a bounded time gateways and the database are ended with kill -9 at random moments, alone and together.
 * Then all is held against the upstreams' books. `npm run crashes` does it for ten minutes.
 */

import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { addMerchant, migrate, openPool, putChannelAccount } from '@acopay/store'
import { moveAhead } from '@acopay/store/sandbox'
import { type Fault, listen, memoryBooks, type StandIn, seededFaults } from '@acopay/upstreams'
import { expect, it } from 'vitest'
import { DEMO } from '../apps/server/src/sandbox/demo-merchant.ts'
import { accountsOf, newSettings, standInsOf } from '../apps/server/src/sandbox/upstreams.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { sealSettings } from '../apps/server/src/upstream/accounts.ts'
import type { Taken } from './support/invariants.ts'
import { call, close, openAttempt, place } from './support/merchant.ts'
import { type StartedProcess, startProcess } from './support/process.ts'
import { receiver } from './support/receiver.ts'
import { expectAllIsWell } from './support/rest.ts'
import { SIZE } from './support/size.ts'

const SECONDS = SIZE.crashSeconds
const HOUR = 3_600_000
const LANES = 8
const CHANNELS = ['wechat', 'alipay'] as const
const KILLS = ['gateway', 'gateway', 'database', 'gateways', 'everything'] as const
type Kill = (typeof KILLS)[number]

/** Together a tenth: what dies gives trouble enough. */
const FAULTS: Fault[] = [
  { kind: 'lost_answer', probability: 0.04 },
  { kind: 'error_after', probability: 0.03 },
  { kind: 'unreadable', probability: 0.03 },
  { kind: 'twin', probability: 0.2 },
]

it(
  `${SECONDS} s of kill -9, of gateways and of PostgreSQL: nothing is lost, and at rest all books agree`,
  async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'acopay-crash-'))
    const masterKey = randomBytes(32)
    let postgres = await startEmbeddedPostgres(path.join(home, 'pg'))
    const url = urlOf(postgres)
    /** Live gateways by place; null while one is down. */
    const gateways: (StartedProcess | null)[] = [null, null]
    const upstreams = await openUpstreams(() => gateways.find((gateway) => gateway !== null)?.url ?? null)
    await writeAccounts(url, masterKey, upstreams)
    const env = {
      ACOPAY_HOME: home,
      ACOPAY_MASTER_KEY: masterKey.toString('base64'),
      DATABASE_URL: url,
      LOG_LEVEL: 'silent',
      ACOPAY_JOB_PAUSE_MS: '50',
      ACOPAY_LEASE_MS: '6000',
      ACOPAY_CLOSE_BUDGET_MS: '3000',
      ACOPAY_CHANNEL_CALL_MS: '1000',
    }
    const start = async (index: number): Promise<void> => {
      // It cannot start while the database is down: its supervisor starts it again.
      for (;;) {
        const started = await startProcess(env).catch(() => null)
        gateways[index] = started
        if (started !== null) return
        await pause(200)
      }
    }
    await Promise.all([start(0), start(1)])
    const demo = (gateways[0] as StartedProcess).demo
    const merchant = await receiver(demo.platformPublicKey)

    const toldClosed = new Set<string>()
    let isOver = false
    const merchants = Array.from({ length: LANES }, () =>
      untilOver(
        () => isOver,
        () => oneOrder({ gateways, upstreams, notifyUrl: merchant.url, toldClosed }),
      ),
    )
    const kills = new Map<Kill, number>()
    const starting: Promise<void>[] = []
    const until = Date.now() + SECONDS * 1000
    while (Date.now() < until) {
      await pause(randomInt(200, 2500))
      const kill = KILLS[randomInt(KILLS.length)] as Kill
      // While a gateway is being started only the database dies.
      if (kill !== 'database' && gateways.includes(null)) continue
      kills.set(kill, (kills.get(kill) ?? 0) + 1)
      const dying = kill === 'database' ? [] : kill === 'gateway' ? [randomInt(2)] : [0, 1]
      const ended = dying.map(async (index) => {
        const gateway = gateways[index]
        gateways[index] = null
        await gateway?.end('SIGKILL')
      })
      const isDatabaseDying = kill === 'database' || kill === 'everything'
      if (isDatabaseDying) killPostgres(postgres.pid)
      await Promise.all(ended)
      if (isDatabaseDying) postgres = await startEmbeddedPostgres(path.join(home, 'pg'))
      starting.push(...dying.map(start))
    }
    isOver = true
    await Promise.all(starting)
    upstreams.setFaults([])
    await Promise.all(merchants)
    // An hour later by everybody's clock no pause between tries is left to wait for.
    await Promise.all(gateways.map((gateway) => gateway?.end('SIGTERM')))
    upstreams.setAhead(HOUR)
    const pool = openPool({ connectionString: url })
    await moveAhead(pool, HOUR)
    await Promise.all([start(0), start(1)])

    const { mchNo } = DEMO
    const sums = await expectAllIsWell(pool, { mchNo, taken: upstreams.taken, toldClosed, told: merchant.told })
    const counts = [...kills].map(([kill, count]) => `${kill} ${count}`).join(', ')
    console.log(`kills: ${counts}; orders ${sums.orders}; fen taken ${sums.takenFen}, kept ${sums.keptFen}`)
    expect(sums.orders).toBeGreaterThan(0)

    await Promise.all(gateways.map((gateway) => gateway?.end('SIGTERM')))
    await pool.end()
    await Promise.all([merchant.stop(), upstreams.stop()])
    await postgres.stop()
    rmSync(home, { recursive: true })
  },
  (SECONDS + 600) * 1000,
)

type Upstreams = Awaited<ReturnType<typeof openUpstreams>>

/** Both platforms in this process, which is never killed: what they know stays known. */
async function openUpstreams(liveGateway: () => string | null) {
  const settings = newSettings()
  const faults = { wechat: seededFaults(1), alipay: seededFaults(2) }
  const books = memoryBooks()
  let aheadMs = 0
  const standIns = standInsOf(settings, (channel) => ({
    books,
    faults: faults[channel],
    now: () => new Date(Date.now() + aheadMs),
    sleep: async (ms) => void (await pause(ms)),
    // The address they were given may be of a process that has died: a balancer in front finds another one.
    async deliver(url, headers, body) {
      const gateway = liveGateway()
      if (gateway === null) throw new Error('no gateway is there')
      const response = await fetch(new URL(new URL(url).pathname, gateway), { method: 'POST', headers, body })
      return { status: response.status, body: await response.text() }
    },
  }))
  const all = Object.entries(standIns) as [keyof typeof standIns, StandIn][]
  const { url, stop } = await listen(async (request) => {
    const found = all.find(([channel]) => request.url.startsWith(`/${channel}/`))
    return found?.[1].handle(request) ?? { status: 404, headers: {}, body: '' }
  })
  const telling = setInterval(() => {
    for (const [, { control }] of all) void control.deliverDue().catch(() => {})
  }, 500)
  const setFaults = (list: Fault[]): void => {
    for (const channel of CHANNELS) faults[channel].set(list)
  }
  setFaults(FAULTS)
  return {
    settings,
    url,
    setFaults,
    /** Moves the platforms' clock, by milliseconds ahead of the machine's. */
    setAhead: (ms: number): void => {
      aheadMs = ms
    },
    control: (channel: (typeof CHANNELS)[number]) => standIns[channel].control,
    taken: async (): Promise<Taken[]> => (await Promise.all(all.map(([, { control }]) => control.taken()))).flat(),
    async stop() {
      clearInterval(telling)
      await stop()
    },
  }
}

/** The demo merchant's accounts, at the stand-ins' own address; the gateways find them made. */
async function writeAccounts(url: string, masterKey: Buffer, upstreams: Upstreams): Promise<void> {
  const pool = openPool({ connectionString: url })
  await migrate(pool)
  await addMerchant(pool, { mchNo: DEMO.mchNo, name: 'crashes' }, new Date())
  for (const [channel, account] of Object.entries(accountsOf(upstreams.settings))) {
    const placed = Object.entries(account).map(([name, value]) =>
      typeof value === 'string' && value.startsWith(`/${channel}`) ? [name, upstreams.url + value] : [name, value],
    )
    const key = { mchNo: DEMO.mchNo, channel }
    const settingsSealed = sealSettings(masterKeysOf(masterKey), key, Object.fromEntries(placed))
    await putChannelAccount(pool, { ...key, settingsSealed }, new Date())
  }
  await pool.end()
}

type Doing = {
  gateways: (StartedProcess | null)[]
  upstreams: Upstreams
  notifyUrl: string
  toldClosed: Set<string>
}

/** Two codes, perhaps both paid; most are closed at the same moment, the others refunded in part when they are paid. */
async function oneOrder({ gateways, upstreams, notifyUrl, toldClosed }: Doing): Promise<void> {
  /** Repeats the call, at any gateway that is up, until it is answered. */
  const answered = async <Answer>(ask: (demo: StartedProcess['demo']) => Promise<Answer | null>): Promise<Answer> => {
    for (;;) {
      const alive = gateways.filter((gateway) => gateway !== null)
      const gateway = alive[randomInt(Math.max(1, alive.length))]
      const answer = gateway === undefined ? null : await ask(gateway.demo).catch(() => null)
      if (answer !== null) return answer
      await pause(100)
    }
  }
  const mch_trade_no = randomUUID()
  const order = await answered((demo) => place(demo, { mch_trade_no, notify_url: notifyUrl }))
  const isClosed = randomInt(4) > 0
  const paying = CHANNELS.map(async (channel) => {
    const attempt = await answered((demo) => openAttempt(demo, order, channel).then((no) => no ?? 'none'))
    const control = upstreams.control(channel)
    if (attempt === 'none' || randomInt(3) === 0) return
    if (!(await control.scan(attempt))) return
    await pause(randomInt(50))
    await control.pay(attempt)
  })
  if (!isClosed) await Promise.all(paying)
  const closing = async (triesLeft = 10): Promise<void> => {
    await pause(randomInt(200))
    const { data } = await answered(async (demo) => {
      const answer = await close(demo, order)
      return answer.status === 200 ? answer : null
    })
    if (data.code === 'SUCCESS') toldClosed.add(order)
    // A create that was never answered may land for a minute: after some tries the gateway is left to close it.
    else if (data.description === '关单处理中，请稍后查询' && triesLeft > 0) await closing(triesLeft - 1)
  }
  const refunding = async (): Promise<void> => {
    const mch_refund_no = randomUUID()
    const params = { transaction_no: order, mch_refund_no, refund_amount: '0.50', refund_reason: 'x' }
    await answered(async (demo) => {
      const answer = await call(demo, { method: 'POST', path: 'refund', params })
      return answer.httpStatus === 200 && answer.status !== 1500 ? answer : null
    })
    // No payer paid, or the gateway does not know of the payment yet: the merchant closes every open order.
    await closing()
  }
  await Promise.all([...paying, isClosed ? closing() : refunding()])
}

async function untilOver(isOver: () => boolean, work: () => Promise<void>): Promise<void> {
  while (!isOver()) await work()
}

/** The server and every process that it started, as when a machine loses its power. */
function killPostgres(pid: number): void {
  const children = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === `${pid}`
    } catch {
      return false
    }
  })
  for (const process_ of [pid, ...children.map(Number)]) {
    try {
      process.kill(process_, 'SIGKILL')
    } catch {
      // It went with its parent.
    }
  }
}

function urlOf({ connection }: EmbeddedPostgres): string {
  const { host, port, user, database } = connection
  return `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
}
