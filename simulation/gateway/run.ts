/**
 * Runs one scenario through the real gateway: its actions, jobs, store and SQL on a real PostgreSQL, with time, chance,
 * network and death in the simulator's hand. Answers what happened, byte for byte the same for the same scenario.
 */
import { createHash } from 'node:crypto'
import { addApp, addMerchant, type Db } from '@acopay/store'
import type pg from 'pg'
import { receiveWebhook } from '../../apps/server/src/actions/payment/receive-webhook.ts'
import { runRound } from '../../apps/server/src/jobs/worker.ts'
import { deedsOf, type KnownOrder } from './deeds.ts'
import { APP, type Gateway, gatewayOf, MCH, START_MS } from './gateway.ts'
import { brokenAtRest, brokenBooks, brokenNow } from './invariants.ts'
import { merchantOf, type Told } from './merchant.ts'
import { random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { scheduler } from './scheduler.ts'
import { ledger } from './told.ts'
import type { Payment, Trade } from './trades.ts'
import { turnstile } from './turnstile.ts'
import { upstream } from './upstream.ts'

export type Ran = {
  /** Null when nothing broke. */
  violation: string | null
  /** SHA-256 over the story. */
  hash: string
  story: string[]
  /** How often each thing happened: transitions, faults by phase, quirks. */
  coverage: Map<string, number>
  statements: number
  simulatedMs: number
  crashes: number
}

const TABLES = [
  'notification_try',
  'notification',
  'job',
  'nonce',
  'refund',
  'reversal',
  'payment',
  'attempt',
  'timeline',
  'orders',
  'bill_part',
  'bill',
  'app',
  'merchant_key',
  'merchant',
]
/** Nothing needs so long: whoever waits longer hangs. */
const EVENTS_MAX = 20_000

export async function runScenario(connection: pg.Client, plan: Scenario): Promise<Ran> {
  await reset(connection)
  const schedule = scheduler(START_MS, random(plan.seed, 'ties'))
  const story: string[] = []
  const coverage = new Map<string, number>()
  const count = (what: string): void => void coverage.set(what, (coverage.get(what) ?? 0) + 1)
  const say = (line: string): void => {
    story.push(`${new Date(schedule.nowMs()).toISOString().slice(11, 23)}  ${line}`)
  }
  let violation: string | null = null
  let isResting = false
  let crashes = 0
  const broke = (what: string): void => {
    if (violation === null) say(`BROKEN ${what}`)
    violation ??= what
  }
  const database = turnstile(connection, schedule, random(plan.seed, 'database'), {
    isSlow: () => !isResting && plan.ownFaults.includes('database slow'),
    onWrite: async () => {
      const broken = (await brokenNow(connection)) ?? (await brokenBooks(connection, theirs.trades(), schedule.nowMs()))
      if (broken !== null) broke(broken)
    },
    onForeignWait: () => broke('T1: somebody waits for something else inside a transaction'),
  })
  const waiting = (): void => {
    if (database.isHeld()) broke('T1: somebody waits for the network inside a transaction')
  }
  // What is known from outside: numbers, and what the merchant was answered and told.
  const orders: KnownOrder[] = plan.orders.map((_, index) => ({
    number: index + 1,
    no: null,
    attempts: [],
    closingSinceMs: START_MS + (plan.orders[index]?.expiresInMs ?? 0),
  }))
  const paymentsOf = (orderNo: string): Payment[] => {
    const numbers = orders.find(({ no }) => no === orderNo)?.attempts ?? []
    return theirs.trades().flatMap(({ no, payments }) => (numbers.includes(no) ? payments : []))
  }
  const told = ledger({ nowMs: schedule.nowMs, paymentsOf, broke })
  const gateways: Gateway[] = []
  const chance = random(plan.seed, 'chance')
  /** Whoever lives; null while nobody does. */
  const anyGateway = (): Gateway | null => {
    const alive = gateways.filter(({ process }) => process.isAlive)
    return alive.length === 0 ? null : chance.pick(alive)
  }
  const theirs = upstream(schedule, random(plan.seed, 'upstream'), plan, {
    notify: async (channel, body) => {
      const gateway = anyGateway()
      if (gateway === null) return null
      const { world, process } = gateway
      const raw = { headers: {}, body }
      const heard = await receiveWebhook(world, { mchNo: MCH, channel }, raw).catch((error: Error) => ({
        reply: { status: 500, contentType: '', body: '' },
        outcome: error.message,
      }))
      say(`${process.name}: hears of ${channel} ${heard?.outcome}`)
      return heard?.reply ?? null
    },
    fault: (fault, phase) => count(`fault ${fault} × ${phase}`),
    quirk: (what) => count(`quirk ${what}`),
    story: say,
    waiting,
  })
  const merchant = merchantOf(
    schedule,
    plan,
    () => isResting,
    say,
    broke,
    count,
    () => told,
  )
  const start = (name: string): Gateway => {
    const gateway = gatewayOf(name, plan, schedule, { database, theirs, merchant, waiting })
    gateways.push(gateway)
    return gateway
  }
  start('P1')
  start('P2')

  /** A code that was scanned after the closing began is the upstream's to give away: the watch sends that money back. */
  const stillPayable = (): string | null => {
    for (const { no, attempts, closingSinceMs } of orders) {
      if (no === null || !told.isToldClosed(no)) continue
      const open = theirs
        .trades()
        .filter(
          (trade) =>
            attempts.includes(trade.no) && trade.state === 'open' && !trade.isCode && schedule.nowMs() < trade.expireMs,
        )
      const isGivenAway = ({ wasCode, tradeSinceMs }: Trade): boolean => wasCode && tradeSinceMs > closingSinceMs
      if (!open.every(isGivenAway))
        return `P1: the merchant was told that ${no.slice(-6)} is closed, and it can be paid`
      // It is closed as soon as the watch meets it.
      const left = open.find(({ openings }) => openings > 1)
      if (left !== undefined)
        return `W1: ${left.no.slice(-6)} was met open twice after its order was closed, and not closed`
    }
    return null
  }

  const doing = deedsOf({ plan, schedule, say, count, broke, orders, told, theirs, anyGateway, start, gateways })
  plan.orders.forEach((_, index) => {
    schedule.at(START_MS, null, () => doing.place(index))
  })
  for (const deed of plan.deeds) {
    schedule.at(START_MS + 1000 + Math.max(0, deed.atMs), null, () => {
      if (deed.kind === 'crash') crashes += 1
      doing.deed(deed)
    })
  }
  const round = (what: 'jobs' | 'telling' | 'both'): void => {
    const gateway = anyGateway()
    if (gateway === null || gateway.isAtRound) return
    gateway.isAtRound = true
    const jobs = what === 'telling' ? null : runRound(gateway.world, { jobs: 32, bills: 0 })
    const telling = what === 'jobs' ? null : gateway.telling.sendDue()
    void Promise.all([jobs, telling]).then(
      () => {
        gateway.isAtRound = false
      },
      (error: Error) => {
        gateway.isAtRound = false
        say(`${gateway.process.name}: a round failed: ${error.message}`)
      },
    )
  }
  // Rounds are near to where something happens; the rest is for the end.
  for (const { atMs, kind } of plan.deeds) {
    const what = chance.pick(['jobs', 'jobs', 'both'] as const)
    schedule.at(START_MS + 1000 + atMs + chance.between(50, 6000), null, () => round(what))
    // What was in doubt is tried again while calls may still land and faults still happen.
    if (kind !== 'refund') continue
    for (const pauseMs of [chance.between(3_000, 20_000), chance.between(17_000, 60_000)])
      schedule.at(START_MS + 1000 + atMs + pauseMs, null, () => round('jobs'))
  }

  let events = 0
  const drain = async (): Promise<void> => {
    while (violation === null && (await schedule.step())) {
      events += 1
      const broken = stillPayable() ?? told.brokenNow()
      if (broken !== null) broke(broken)
      if (events > EVENTS_MAX) broke('L1: it never comes to rest')
    }
  }
  await drain()
  // Faults end, and whoever died is started again: now everything must come to its end by itself.
  isResting = true
  theirs.rest()
  if (anyGateway() === null) start(`P${gateways.length + 1}`)
  for (let rounds = 0; violation === null; rounds += 1) {
    const due = await nextDue(connection)
    if (due === null) break
    if (rounds > 400) broke('L1: it never comes to rest')
    // Rounds are half a second apart, as a worker that finds nothing looks again.
    schedule.advanceTo(Math.max(due.atMs, schedule.nowMs() + 500))
    round(due.what)
    await drain()
  }
  violation ??= await brokenAtRest(connection, MCH, theirs.trades())
  violation ??= await promisesBroken(connection, told.closed())
  violation ??= told.brokenNow() ?? told.brokenAtRest()
  violation ??= merchant.missing(await deliveredNotifications(connection))
  for (const cell of await transitions(connection)) count(`transition ${cell}`)
  if (violation !== null) story.push(`BROKEN ${violation}`)
  const hash = createHash('sha256').update(story.join('\n')).digest('hex')
  const simulatedMs = schedule.nowMs() - START_MS
  return { violation, hash, story, coverage, statements: database.statements(), simulatedMs, crashes }
}

async function reset(connection: pg.Client): Promise<void> {
  // One statement, in which foreign keys are looked at when all of it is done.
  const all = TABLES.map((table) => `of_${table} as (delete from ${table})`).join(', ')
  await connection.query({ name: 'reset', text: `with ${all} select` })
  const now = new Date(START_MS)
  await addMerchant(connection as unknown as Db, { mchNo: MCH, name: 'simulated' }, now)
  await addApp(connection as unknown as Db, { mchNo: MCH, appNo: APP, name: 'simulated' }, now)
}

/** What is due next, and when; null when nothing ever will be. */
async function nextDue(connection: pg.Client): Promise<{ atMs: number; what: 'jobs' | 'telling' } | null> {
  const { rows } = await connection.query<{ jobs: Date | null; telling: Date | null }>({
    name: 'nextDue',
    text: `select least((select min(due_at) from job),
                        (select min(time_expire) from orders where state = 'NOTPAY')) as jobs,
                  (select min(due_at) from notification where state = 'PENDING') as telling`,
  })
  const [jobs, telling] = [rows[0]?.jobs?.getTime() ?? null, rows[0]?.telling?.getTime() ?? null]
  if (jobs === null && telling === null) return null
  const isJobs = jobs !== null && (telling === null || jobs <= telling)
  return isJobs ? { atMs: jobs, what: 'jobs' } : { atMs: telling as number, what: 'telling' }
}

async function promisesBroken(connection: pg.Client, toldClosed: string[]): Promise<string | null> {
  const { rows } = await connection.query<{ no: string }>({
    name: 'notClosed',
    text: `select transaction_no as no from orders where transaction_no = any($1) and state <> 'CLOSED'`,
    values: [toldClosed],
  })
  return rows[0] === undefined
    ? null
    : `I3: the merchant was told that ${rows[0].no.slice(-6)} is closed, and it is not`
}

async function deliveredNotifications(connection: pg.Client): Promise<Told[]> {
  const { rows } = await connection.query<{ news: string }>({
    name: 'delivered',
    text: `select news from notification where state = 'DELIVERED'`,
  })
  return rows.map(({ news }) => JSON.parse(news) as Told)
}

/** Which cells of the order's table were used. */
async function transitions(connection: pg.Client): Promise<string[]> {
  const { rows } = await connection.query<{ cell: string }>({
    name: 'transitions',
    text: `select (entry::json ->> 'event') || ' ' || coalesce(entry::json ->> 'from', '') || ' → ' || (entry::json ->> 'to')
             || coalesce(' ' || (entry::json ->> 'money'), '') as cell from timeline where seq > 1`,
  })
  return rows.map(({ cell }) => cell)
}
