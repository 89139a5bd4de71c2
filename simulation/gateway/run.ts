/**
 * Runs one scenario through the real gateway: its actions, jobs, store and SQL on a real PostgreSQL. The simulator controls
 * time, chance, the network and crashes. The same scenario gives the same story, byte for byte.
 */
import { createHash } from 'node:crypto'
import type pg from 'pg'
import { runRound } from '../../apps/server/src/jobs/worker.ts'
import { operationsOf } from './deeds.ts'
import { MCH, START_MS } from './gateway.ts'
import { brokenAtRest, stillPayable } from './invariants.ts'
import { deliveredNotifications, nextDue, promisesBroken, reset, transitions } from './queries.ts'
import type { Scenario } from './scenario.ts'
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
    schedule.at(START_MS + 1000 + Math.max(0, operation.atMs), null, () => {
      if (operation.kind === 'crash') record.crashes += 1
      operations.operation(operation)
    })
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
}

/** One gateway process runs the jobs or sends the notifications that are due. */
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

async function brokenInTheEnd(connection: pg.Client, simulated: SimulatedWorld): Promise<string | null> {
  const { upstreams, told, merchant } = simulated
  return (
    (await brokenAtRest(connection, MCH, upstreams.trades())) ??
    (await promisesBroken(connection, told.closed())) ??
    told.brokenNow() ??
    told.brokenAtRest() ??
    merchant.missing(await deliveredNotifications(connection))
  )
}
