/**
 * Runs one scenario through the real gateway: its actions, jobs, store and SQL on a real PostgreSQL, with time, chance,
 * network and death in the simulator's hand. Answers what happened, byte for byte the same for the same scenario.
 */
import { createHash } from 'node:crypto'
import type pg from 'pg'
import { runRound } from '../../apps/server/src/jobs/worker.ts'
import { deedsOf } from './deeds.ts'
import { MCH, START_MS } from './gateway.ts'
import { brokenAtRest, stillPayable } from './invariants.ts'
import { deliveredNotifications, nextDue, promisesBroken, reset, transitions } from './queries.ts'
import type { Scenario } from './scenario.ts'
import { type SimulatedWorld, simulatedWorld } from './simulated-world.ts'

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

/** Nothing needs so long: whoever waits longer hangs. */
const EVENTS_MAX = 20_000
const ROUNDS_MAX = 400
/** As a worker that finds nothing looks again. */
const ROUND_MS = 500

export async function runScenario(connection: pg.Client, plan: Scenario): Promise<Ran> {
  await reset(connection)
  const simulated = simulatedWorld(connection, plan)
  const { schedule, record, database } = simulated
  simulated.start('P1')
  simulated.start('P2')
  scheduleDeeds(simulated)
  scheduleRounds(simulated)
  const drain = drainer(simulated)
  await drain()
  await comeToRest(connection, simulated, drain)
  record.violation ??= await brokenInTheEnd(connection, simulated)
  for (const cell of await transitions(connection)) record.count(`transition ${cell}`)
  const { violation, story, coverage, crashes } = record
  if (violation !== null) story.push(`BROKEN ${violation}`)
  const hash = createHash('sha256').update(story.join('\n')).digest('hex')
  const simulatedMs = schedule.nowMs() - START_MS
  return { violation, hash, story, coverage, statements: database.statements(), simulatedMs, crashes }
}

function scheduleDeeds(simulated: SimulatedWorld): void {
  const { plan, schedule, record } = simulated
  const doing = deedsOf({ ...simulated, say: record.say, count: record.count, broke: record.broke })
  plan.orders.forEach((_, index) => {
    schedule.at(START_MS, null, () => doing.place(index))
  })
  for (const deed of plan.deeds) {
    schedule.at(START_MS + 1000 + Math.max(0, deed.atMs), null, () => {
      if (deed.kind === 'crash') record.crashes += 1
      doing.deed(deed)
    })
  }
}

/** Rounds are near to where something happens; the rest is for the end. */
function scheduleRounds(simulated: SimulatedWorld): void {
  const { plan, schedule, chance } = simulated
  for (const { atMs, kind } of plan.deeds) {
    const what = chance.pick(['jobs', 'jobs', 'both'] as const)
    schedule.at(START_MS + 1000 + atMs + chance.between(50, 6000), null, () => round(simulated, what))
    // What was in doubt is tried again while calls may still land and faults still happen.
    if (kind !== 'refund') continue
    for (const pauseMs of [chance.between(3_000, 20_000), chance.between(17_000, 60_000)])
      schedule.at(START_MS + 1000 + atMs + pauseMs, null, () => round(simulated, 'jobs'))
  }
}

/** One gateway looks for work that is due. */
function round({ anyGateway, record }: SimulatedWorld, what: 'jobs' | 'telling' | 'both'): void {
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
      record.say(`${gateway.process.name}: a round failed: ${error.message}`)
    },
  )
}

type Drain = () => Promise<void>

/** Lets one event happen after the other until none is left or something breaks. */
function drainer({ schedule, record, orders, told, theirs }: SimulatedWorld): Drain {
  let events = 0
  return async () => {
    while (record.violation === null && (await schedule.step())) {
      events += 1
      const broken =
        stillPayable({ orders, told, trades: theirs.trades(), nowMs: schedule.nowMs() }) ?? told.brokenNow()
      if (broken !== null) record.broke(broken)
      if (events > EVENTS_MAX) record.broke('L1: it never comes to rest')
    }
  }
}

/** Faults end, and whoever died is started again: now everything must come to its end by itself. */
async function comeToRest(connection: pg.Client, simulated: SimulatedWorld, drain: Drain): Promise<void> {
  const { schedule, record, gateways, anyGateway, start } = simulated
  simulated.rest()
  if (anyGateway() === null) start(`P${gateways.length + 1}`)
  for (let rounds = 0; record.violation === null; rounds += 1) {
    const due = await nextDue(connection)
    if (due === null) break
    if (rounds > ROUNDS_MAX) record.broke('L1: it never comes to rest')
    schedule.advanceTo(Math.max(due.atMs, schedule.nowMs() + ROUND_MS))
    round(simulated, due.what)
    await drain()
  }
}

async function brokenInTheEnd(connection: pg.Client, simulated: SimulatedWorld): Promise<string | null> {
  const { theirs, told, merchant } = simulated
  return (
    (await brokenAtRest(connection, MCH, theirs.trades())) ??
    (await promisesBroken(connection, told.closed())) ??
    told.brokenNow() ??
    told.brokenAtRest() ??
    merchant.missing(await deliveredNotifications(connection))
  )
}
