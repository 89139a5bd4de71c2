/** The trial of three nodes: every worker is killed once, and a merchant is moved once, while all merchants go on calling. */
import { setTimeout as pause } from 'node:timers/promises'
import { quantile } from '../../../bench/figures/quantile.ts'
import { type Called, type Calls, startCalls } from './calls.ts'
import { wrongAfterwards } from './judged.ts'
import { moveAway, type Trial } from './opened.ts'

const PHASES = ['before', 'during', 'after'] as const
type Phase = (typeof PHASES)[number]

type Row = {
  what: string
  /** Calls of the merchants to whom it happens, and how many of these failed. */
  theirs: number
  theirsFailed: Record<string, number>
  others: number
  othersFailed: Record<string, number>
  /** Of the others' calls, in milliseconds. */
  p50: Record<Phase, number>
  p99: Record<Phase, number>
}

export type Report = { rows: Row[]; orders: number; closed: number; wrong: string[] }

type Sizes = {
  /** Of each phase. */
  phaseMs: number
  /** Orders at a time of each merchant. */
  lanes: number
}

export async function runTrial(trial: Trial, { phaseMs, lanes }: Sizes, say: (line: string) => void): Promise<Report> {
  const { merchants, citus, placesNow } = trial
  const calls = startCalls(merchants, lanes)
  const rows: Row[] = []
  try {
    // What is learned and connected in the first calls belongs to no phase.
    await pause(phaseMs)
    for (const [index, worker] of citus.workers.entries()) {
      const places = await placesNow()
      const isTheirs = (mchNo: string): boolean => places.get(mchNo)?.port === worker.port
      const happen = async (): Promise<void> => {
        worker.kill()
        await pause(phaseMs)
        await worker.start()
      }
      rows.push(await around(calls, { what: `worker ${index + 1} killed`, isTheirs, happen, phaseMs }))
      say(lineOf(rows.at(-1) as Row))
    }
    const mchNo = merchants[0]?.mchNo ?? ''
    const places = await placesNow()
    // A shard is moved as a whole.
    const isTheirs = (one: string): boolean => places.get(one)?.shard === places.get(mchNo)?.shard
    const moved = { what: 'a merchant moved', isTheirs, phaseMs }
    rows.push(await around(calls, { ...moved, happen: () => moveAway(trial, mchNo) }))
    say(lineOf(rows.at(-1) as Row))
  } finally {
    await calls.stop()
  }
  const wrong = await wrongAfterwards(trial.pool, calls.orders)
  return { rows, orders: calls.orders.length, closed: calls.orders.filter(({ isClosed }) => isClosed).length, wrong }
}

type Happening = Pick<Row, 'what'> & {
  isTheirs: (mchNo: string) => boolean
  happen: () => Promise<void>
  phaseMs: number
}

async function around({ made }: Calls, { what, isTheirs, happen, phaseMs }: Happening): Promise<Row> {
  const from = { before: performance.now(), during: 0, after: 0 }
  await pause(phaseMs)
  from.during = performance.now()
  await happen()
  from.after = performance.now()
  await pause(phaseMs)
  const phaseOf = ({ beganMs }: Called): Phase | null =>
    beganMs < from.before ? null : beganMs < from.during ? 'before' : beganMs < from.after ? 'during' : 'after'
  const seen = made.filter((one) => phaseOf(one) !== null)
  const theirs = seen.filter(({ mchNo }) => isTheirs(mchNo))
  const others = seen.filter(({ mchNo }) => !isTheirs(mchNo))
  const of = (share: number): Record<Phase, number> => {
    const each = PHASES.map((phase) => {
      const times = others.filter((one) => phaseOf(one) === phase).map(({ ms }) => ms)
      return [phase, Math.round(quantile(times, share))] as const
    })
    return Object.fromEntries(each) as Record<Phase, number>
  }
  return {
    ...{ what, theirs: theirs.length, theirsFailed: failures(theirs) },
    ...{ others: others.length, othersFailed: failures(others) },
    ...{ p50: of(0.5), p99: of(0.99) },
  }
}

function failures(calls: Called[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { what, failed } of calls) {
    if (failed === null) continue
    const name = `${what} ${failed}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

export const failedOf = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

function lineOf({ what, theirs, theirsFailed, others, othersFailed, p50, p99 }: Row): string {
  const times = PHASES.map((phase) => `${p50[phase]}/${p99[phase]}`).join(', ')
  const its = `its merchants: ${failedOf(theirsFailed)} of ${theirs} calls failed ${JSON.stringify(theirsFailed)}`
  const rest = `others: ${failedOf(othersFailed)} of ${others} ${JSON.stringify(othersFailed)}`
  return `${what}: ${its}; ${rest}; others' p50/p99 before, during, after: ${times} ms`
}
