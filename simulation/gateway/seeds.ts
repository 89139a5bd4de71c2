/** Runs seeds one after the other in this process, on its own database, and adds up the results. */
import { openDatabase } from './database.ts'
import { scenario } from './later-faults.ts'
import { runScenario } from './run.ts'

export type Tally = {
  schedules: number
  orders: number
  crashes: number
  statements: number
  simulatedMs: number
  /** How often each transition, fault in a phase and quirk came up. */
  coverage: Record<string, number>
  violations: { seed: number; what: string }[]
}

export const emptyTally = (): Tally => ({
  schedules: 0,
  orders: 0,
  crashes: 0,
  statements: 0,
  simulatedMs: 0,
  coverage: {},
  violations: [],
})

export function addTally(sum: Tally, more: Tally): void {
  for (const name of ['schedules', 'orders', 'crashes', 'statements', 'simulatedMs'] as const) sum[name] += more[name]
  for (const [what, count] of Object.entries(more.coverage)) sum.coverage[what] = (sum.coverage[what] ?? 0) + count
  sum.violations.push(...more.violations)
}

export type SeedsAsk = {
  serverUrl: string
  name: string
  from: number
  step: number
  isOver: (seed: number) => boolean
}

/** Runs every `step`-th seed from `from` on until `isOver`, and reports about once a second. */
export async function runSeeds(ask: SeedsAsk, onTally: (tally: Tally) => void): Promise<void> {
  const { connection, close } = await openDatabase(ask.serverUrl, ask.name)
  let tally = emptyTally()
  let reportedMs = performance.now()
  for (let seed = ask.from; !ask.isOver(seed); seed += ask.step) {
    const plan = scenario(seed)
    const ran = await runScenario(connection, plan)
    tally.schedules += 1
    tally.orders += plan.orders.length
    tally.crashes += ran.crashes
    tally.statements += ran.statements
    tally.simulatedMs += ran.simulatedMs
    for (const [what, count] of ran.coverage) tally.coverage[what] = (tally.coverage[what] ?? 0) + count
    if (ran.violation !== null) tally.violations.push({ seed, what: ran.violation })
    if (ran.violation === null && performance.now() - reportedMs < 1000) continue
    onTally(tally)
    tally = emptyTally()
    reportedMs = performance.now()
  }
  onTally(tally)
  await close()
}
