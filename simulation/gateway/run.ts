/**
 * Runs one scenario through the real gateway: its actions, jobs, store and SQL on a real PostgreSQL. The simulator controls
 * time, chance, the network and crashes. The same scenario gives the same story, byte for byte.
 */
import { createHash } from 'node:crypto'
import type pg from 'pg'
import { runDueJobs, runRound } from '../../apps/server/src/jobs/worker.ts'
import { brokenDays, DAY_MS, isAnyPaid, morningsUntil } from './days.ts'
import { type Gateway, MCH, START_MS } from './gateway.ts'
import { brokenAtRest, stillPayable } from './invariants.ts'
import { operationsOf } from './operations.ts'
import { deliveredNotifications, nextDue, promisesBroken, reset, transitions } from './queries.ts'
import { random } from './random.ts'
import { OWN_LATER_FAULTS, type Scenario } from './scenario.ts'
import { type SimulatedWorld, simulatedWorld } from './simulated-world.ts'

export type Ran = {
  /** The first invariant that broke; null if none did. */
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

/** No scenario needs as many events or rounds. One that takes more never comes to rest. */
const EVENTS_MAX = 20_000
const ROUNDS_MAX = 400
/** The pause of a worker that found nothing to do. */
const ROUND_MS = 500
const LATER_ROUNDS_MS = 240_000

export async function runScenario(connection: pg.Client, plan: Scenario): Promise<Ran> {
  await reset(connection)
  const simulated = simulatedWorld(connection, plan)
  const { schedule, record, database } = simulated
  simulated.start('P1')
  simulated.start('P2')
  scheduleOperations(simulated)
  scheduleRounds(simulated)
  const drain = drainer(simulated)
  await drain()
  await comeToRest(connection, simulated, drain)
  record.violation ??= await brokenInTheEnd(connection, simulated)
  if (record.violation === null) await settleDays(connection, simulated, drain)
  for (const cell of await transitions(connection)) record.count(`transition ${cell}`)
  const { violation, story, coverage, crashes } = record
  if (violation !== null) story.push(`BROKEN ${violation}`)
  const hash = createHash('sha256').update(story.join('\n')).digest('hex')
  const simulatedMs = schedule.nowMs() - START_MS
  return { violation, hash, story, coverage, statements: database.statements(), simulatedMs, crashes }
}

function scheduleOperations(simulated: SimulatedWorld): void {
  const { plan, schedule, record } = simulated
  const operations = operationsOf({ ...simulated, say: record.say, count: record.count, broke: record.broke })
  plan.orders.forEach((_, index) => {
    schedule.at(START_MS, null, () => operations.place(index))
  })
  for (const operation of plan.operations) {
    schedule.at(START_MS + 1000 + Math.max(0, operation.atMs), null, () => operations.operation(operation))
  }
}

/** Gateways look for work shortly after each operation. What is left is done at the end. */
function scheduleRounds(simulated: SimulatedWorld): void {
  const { plan, schedule, chance } = simulated
  for (const { atMs, kind } of plan.operations) {
    const what = chance.pick(['jobs', 'jobs', 'both'] as const)
    schedule.at(START_MS + 1000 + atMs + chance.between(50, 6000), null, () => round(simulated, what))
    // Try an uncertain refund again while its calls may still land and faults still happen.
    if (kind !== 'refund') continue
    for (const pauseMs of [chance.between(3_000, 20_000), chance.between(17_000, 60_000)])
      schedule.at(START_MS + 1000 + atMs + pauseMs, null, () => round(simulated, 'jobs'))
  }
  // What a process left behind is taken up again while faults still happen.
  if (!OWN_LATER_FAULTS.some((fault) => plan.ownFaults.includes(fault))) return
  const dice = random(plan.seed, 'later rounds')
  for (let atMs = 1000; atMs < LATER_ROUNDS_MS; atMs += dice.between(500, 20_000))
    schedule.at(START_MS + 1000 + atMs, null, () => round(simulated, 'both'))
}

/** One gateway process runs the jobs or sends the notifications that are due. */
function round({ anyGateway, record, failed }: SimulatedWorld, what: 'jobs' | 'telling' | 'both' | 'morning'): void {
  const gateway = anyGateway()
  if (gateway === null || gateway.isAtRound) return
  gateway.isAtRound = true
  const jobs = what === 'telling' ? null : work(gateway, what === 'morning')
  const telling = what === 'jobs' ? null : gateway.telling.sendDue()
  void Promise.all([jobs, telling]).then(
    () => {
      gateway.isAtRound = false
    },
    (error: Error) => {
      gateway.isAtRound = false
      record.say(`${gateway.process.name}: a round failed: ${error.message}`)
      failed(`a round: ${error.message}`)
    },
  )
}

/** The bills are made in the morning, after the day's rounds. */
const work = ({ world }: Gateway, isMorning: boolean): Promise<number> =>
  isMorning ? runDueJobs(world) : runRound(world, { jobs: 32, bills: 0 })

type Drain = () => Promise<void>

/** Runs one event after the other until none is left or an invariant breaks. */
function drainer({ schedule, record, orders, told, upstreams }: SimulatedWorld): Drain {
  let events = 0
  return async () => {
    while (record.violation === null && (await schedule.step())) {
      events += 1
      const broken =
        stillPayable({ orders, told, trades: upstreams.trades(), nowMs: schedule.nowMs() }) ?? told.brokenNow()
      if (broken !== null) record.broke(broken)
      if (events > EVENTS_MAX) record.broke('L1: the run never comes to rest')
    }
  }
}

/** Faults end, and a gateway is started if none is alive. Now the jobs alone must finish everything. */
async function comeToRest(connection: pg.Client, simulated: SimulatedWorld, drain: Drain): Promise<void> {
  const { schedule, record, gateways, anyGateway, start } = simulated
  simulated.rest()
  if (anyGateway() === null) start(`P${gateways.length + 1}`)
  for (let rounds = 0; record.violation === null; rounds += 1) {
    const due = await nextDue(connection)
    if (due === null) break
    if (rounds > ROUNDS_MAX) record.broke('L1: the run never comes to rest')
    schedule.advanceTo(Math.max(due.atMs, schedule.nowMs() + ROUND_MS))
    round(simulated, due.what)
    await drain()
  }
}

/** In the rounds of a morning faults happen. Then they end, and the rest must be done. */
const ROUNDS_WITH_FAULTS = 3

/** Reads the bills of every day, if anything was paid. Before that, an upstream may take a payment of which only its bill tells. */
async function settleDays(connection: pg.Client, simulated: SimulatedWorld, drain: Drain): Promise<void> {
  const { plan, schedule, record, upstreams } = simulated
  if (plan.ownFaults.includes('bill late')) payAtNight(simulated)
  if (!isAnyPaid(upstreams.trades())) return
  // One more morning: what was booked in the first is in the second day's bill, and in no other.
  const lastMs = schedule.nowMs() + (plan.ownFaults.includes('bill late') ? DAY_MS : 0)
  const mornings = morningsUntil(lastMs)
  for (const morningMs of mornings) {
    schedule.advanceTo(morningMs)
    await morning(connection, simulated, drain)
  }
  record.violation ??=
    (await brokenInTheEnd(connection, simulated)) ??
    (await brokenDays(connection, { trades: upstreams.trades(), forged: upstreams.forged() }, mornings.length))
}

/** Plans and runs all due work, until none is left. */
async function morning(connection: pg.Client, simulated: SimulatedWorld, drain: Drain): Promise<void> {
  const { schedule, record } = simulated
  simulated.wake()
  for (let rounds = 0; record.violation === null; rounds += 1) {
    if (rounds === ROUNDS_WITH_FAULTS) simulated.rest()
    round(simulated, 'morning')
    await drain()
    const due = await nextDue(connection)
    if (due === null && rounds >= ROUNDS_WITH_FAULTS) return
    if (rounds > ROUNDS_MAX) record.broke('L1: the morning never comes to rest')
    schedule.advanceTo(Math.max(due?.atMs ?? 0, schedule.nowMs() + ROUND_MS))
    if (due?.what === 'telling') round(simulated, 'telling')
    await drain()
  }
}

function payAtNight({ plan, record, upstreams }: SimulatedWorld): void {
  const dice = random(plan.seed, 'night')
  for (const { no } of upstreams.trades()) {
    if (!dice.isOneIn(0.3) || !upstreams.payUnheard(no)) continue
    record.say(`an upstream takes a payment of ${no.slice(-6)}, and tells of it in its bill only`)
    record.count('fault paid at night × pay')
  }
}

async function brokenInTheEnd(connection: pg.Client, simulated: SimulatedWorld): Promise<string | null> {
  const { upstreams, told, merchant, schedule } = simulated
  return (
    (await brokenAtRest(connection, MCH, upstreams.trades(), schedule.nowMs())) ??
    (await promisesBroken(connection, told.closed())) ??
    told.brokenNow() ??
    told.brokenAtRest() ??
    merchant.missing(await deliveredNotifications(connection))
  )
}
