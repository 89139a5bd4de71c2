/**
 * Leases due jobs, runs the action for each, and sets when an unfinished one is tried again. Many processes may run it at once,
 * and each may be killed at any moment: a job that was leased and not finished comes due again.
 */
import {
  dayBounds,
  JOB_KINDS,
  type JobKind,
  type JobOutcome,
  plannedBillDays,
  retryPauseMs,
  upstreamBillDays,
  watchPauseMs,
} from '@acopay/core'
import {
  alarmJob,
  forgetNonces,
  type Job,
  leaseJobs,
  planBills,
  planReconciliations,
  postponeJob,
  removeJob,
} from '@acopay/store'
import { makeDueHeads } from '../actions/audit/day-heads.ts'
import { makeBill } from '../actions/bill/make-bill.ts'
import { forgetOldRows } from '../actions/calls/forget-rows.ts'
import { forgetOldAudit } from '../actions/console/audit.ts'
import { closeAttempts } from '../actions/order/close-attempts.ts'
import { expireOrders } from '../actions/order/expire-order.ts'
import { resolveAttempt } from '../actions/payment/resolve-attempt.ts'
import { watchAttempt } from '../actions/payment/watch-attempt.ts'
import { reconcileDay } from '../actions/reconciliation/reconcile-day.ts'
import { reversePayment } from '../actions/refund/reverse-payment.ts'
import { sendRefundAgain } from '../actions/refund/send-refund.ts'
import { countFigureHours } from '../actions/statistics/count-figures.ts'
import { countHourlyFigures } from '../actions/statistics/count-hours.ts'
import { asOne } from '../tracing/along.ts'
import { within } from '../upstream/call-upstream.ts'
import type { World } from '../world.ts'
import { ALL_DUE, type Due, type Lookout } from './lookout.ts'

type Task = {
  run: (world: World, job: Job) => Promise<JobOutcome>
  /** The pause after `retry`. */
  pauseMs: (tries: number, dice: number) => number
  /** When an unfinished job raises an alarm: `soon` after `limits.alarmAfterMs`, `late` after LATE_ALARM_MS. */
  alarm: 'soon' | 'late' | 'never'
}

const TASKS = {
  shut_attempts: {
    run: async (world, { mchNo, subject }) => {
      const deadline = within(world, world.limits.closeBudgetMs)
      const { isDone } = await closeAttempts(world, { mchNo, transactionNo: subject }, deadline)
      return isDone ? 'done' : 'retry'
    },
    pauseMs: retryPauseMs,
    alarm: 'soon',
  },
  reverse_payment: {
    run: (world, { mchNo, subject }) => reversePayment(world, { mchNo, refundNo: subject }),
    pauseMs: retryPauseMs,
    alarm: 'soon',
  },
  send_refund: {
    run: (world, { mchNo, subject }) => sendRefundAgain(world, { mchNo, refundNo: subject }),
    pauseMs: retryPauseMs,
    alarm: 'soon',
  },
  watch_attempt: {
    run: (world, { mchNo, subject }) => watchAttempt(world, { mchNo, attemptNo: subject }),
    pauseMs: watchPauseMs,
    alarm: 'never',
  },
  resolve_attempt: {
    run: (world, { mchNo, subject }) => resolveAttempt(world, { mchNo, attemptNo: subject }),
    pauseMs: retryPauseMs,
    alarm: 'soon',
  },
  reconcile_day: {
    run: (world, job) => reconcileDay(world, job),
    pauseMs: watchPauseMs,
    // An upstream bill may be a day late.
    alarm: 'late',
  },
  make_bill: {
    run: (world, job) => makeBill(world, job),
    pauseMs: retryPauseMs,
    alarm: 'soon',
  },
} as const satisfies Record<JobKind, Task>

const LANES = 32
/** Bills and reconciliations have lanes of their own, so that many or long ones delay no other job. */
const BILL_LANES = 4
const BILL_KINDS: readonly JobKind[] = ['make_bill', 'reconcile_day']
const ALL_BUT_BILLS = JOB_KINDS.filter((kind) => !BILL_KINDS.includes(kind))
/** A bank may take three working days to return money, with a weekend between them. */
const LATE_ALARM_MS = 5 * 24 * 3_600_000
const PLAN_PAUSE_MS = 60_000
const FORGET_PAUSE_MS = 600_000
const COUNT_PAUSE_MS = 15_000
/** Counting the overview's figures takes at most a twentieth of the time. */
const COUNT_SHARE = 20
const NONCES_AT_ONCE = 5000

/** Writes the daily jobs and runs one round. */
export async function runDueJobs(world: World): Promise<number> {
  const planned = await planDays(world)
  return planned + (await runRound(world))
}

/** Free lanes. */
type Free = { jobs: number; bills: number }

/** Runs one round over all due work. Returns how much was done, so that the caller runs a full round again at once. */
export async function runRound(world: World, free: Free = { jobs: LANES, bills: BILL_LANES }): Promise<number> {
  const { jobs, swept } = await takeRound(world, free, ALL_DUE)
  await Promise.all(jobs.map((job) => runJob(world, job)))
  return jobs.length + swept
}

/** Writes a job for each upstream bill to reconcile and for each bill to make, and removes old audit rows. Returns how many jobs were added. */
async function planDays(world: World): Promise<number> {
  // The days of a wrong clock are not over: a bill made too early lacks rows for good.
  if (world.clockDoubt() !== null) return 0
  const now = world.now()
  const begun = (day: string) => ({ day, begin: new Date(dayBounds(day).fromMs) })
  await forgetOldAudit(world)
  const { pool, overAll } = world
  const upstreamDays = upstreamBillDays(now.getTime()).map(begun)
  const days = plannedBillDays(now.getTime()).map(begun)
  const reconciled = await overAll(({ reach }) => planReconciliations(pool, upstreamDays, now, reach))
  return reconciled + (await overAll(({ reach }) => planBills(pool, days, now, reach)))
}

/** Leases due jobs for the free lanes. Also expires orders and removes old nonces, which need no job. */
async function takeRound(world: World, free: Free, due: Due): Promise<{ jobs: Job[]; swept: number }> {
  const now = world.now()
  const expired = due.expiry ? await expireOrders(world) : 0
  const forgetBefore = new Date(world.sureNow().getTime() - world.limits.nonceWindowMs)
  const { pool, overAll } = world
  const forgotten = due.nonces ? await overAll((spread) => forgetNonces(pool, forgetBefore, NONCES_AT_ONCE, spread)) : 0
  if (!due.jobs) return { jobs: [], swept: expired + forgotten }
  const leaseUntil = new Date(now.getTime() + world.limits.leaseMs)
  const lease = (limit: number, kinds: readonly JobKind[]): Promise<Job[]> =>
    overAll((spread) => leaseJobs(pool, { now, leaseUntil, ...spread }, limit, kinds))
  const jobs = await lease(free.jobs, ALL_BUT_BILLS)
  if (free.bills > 0) jobs.push(...(await lease(free.bills, BILL_KINDS)))
  return { jobs, swept: expired + forgotten }
}

/** Each run has an id and a trace of its own. */
function runJob(world: World, job: Job): Promise<void> {
  const { mchNo, kind, subject, tries } = job
  const attributes = { 'acopay.mch_no': mchNo, 'acopay.subject': subject, 'acopay.tries': tries }
  const trace = world.tracer.begin(`job ${kind}`, { kind: 'consumer', attributes })
  return asOne(world.newNonce(), trace, async () => {
    const outcome = await runAndTell(world, job)
    trace?.set({ 'acopay.outcome': outcome })
  })
}

async function runAndTell(world: World, job: Job): Promise<JobOutcome | 'failed'> {
  const { mchNo, kind, subject, tries } = job
  const startedMs = world.steadyMs()
  try {
    const outcome = await runAndSettle(world, job)
    world.metrics.job(kind, outcome)
    const ms = world.steadyMs() - startedMs
    world.log.info({ mchNo, kind, subject, tries, outcome, ms }, 'job')
    return outcome
  } catch (error) {
    // The job's lease ends, and it comes due again.
    world.log.error({ mchNo, kind, subject, tries, err: error }, 'job failed')
    return 'failed'
  }
}

/** Runs the job and removes it, or sets when it is tried again. */
async function runAndSettle(world: World, job: Job): Promise<JobOutcome> {
  const { mchNo, kind, subject, tries } = job
  const task: Task = TASKS[kind]
  const found = await task.run(world, job).catch((error: unknown) => {
    world.log.error({ mchNo, kind, subject, tries, err: error }, 'job failed')
    return 'retry_soon' as const
  })
  if (found === 'done') {
    await removeJob(world.pool, job)
    return found
  }
  const now = world.now()
  const pauseMs = { retry_soon: retryPauseMs, in_progress: watchPauseMs, retry: task.pauseMs }[found]
  await postponeJob(world.pool, job, new Date(now.getTime() + pauseMs(tries, world.random())))
  const alarm = found === 'in_progress' ? 'late' : task.alarm
  const alarmAfterMs = { soon: world.limits.alarmAfterMs, late: LATE_ALARM_MS, never: Number.POSITIVE_INFINITY }[alarm]
  const isOverdue = now.getTime() - job.createdAt.getTime() >= alarmAfterMs
  if (isOverdue && (await alarmJob(world.pool, job, now))) {
    world.log.error({ mchNo, kind, subject, tries, alarm: true }, 'job overdue')
  }
  return found
}

/** What all merchants have done together is counted when all can be asked. */
const countAll = (world: World, signal: AbortSignal): Promise<void> =>
  world.overAll(async ({ reach }) => {
    if (reach !== null) return
    await countHourlyFigures(world, signal)
    await countFigureHours(world, signal)
  })

export type Worker = { stop: () => Promise<void> }

/**
 * Works until stopped. While nothing is due, it waits for the lookout. Jobs run in parallel, so that one whose upstream does
 * not answer delays no other. Stopping waits for running jobs.
 */
export function startWorker(world: World, nextLook: Lookout): Worker {
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const making = new Set<Promise<void>>()
  let planAgainMs = 0
  let counting: Promise<void> | null = null
  let countAgainMs = 0
  let heading: Promise<void> | null = null
  let forgetAgainMs = 0

  async function round(due: Due): Promise<number> {
    const nowMs = world.now().getTime()
    if (nowMs >= planAgainMs) {
      await planDays(world)
      planAgainMs = nowMs + PLAN_PAUSE_MS
      heading ??= makeHeads()
    }
    if (nowMs >= forgetAgainMs) forgetAgainMs = nowMs + ((await forgetOldRows(world)) > 0 ? 0 : FORGET_PAUSE_MS)
    if (counting === null && nowMs >= countAgainMs) counting = countOften()
    const free = { jobs: LANES - running.size, bills: BILL_LANES - making.size }
    const { jobs, swept } = await takeRound(world, free, due)
    for (const job of jobs) {
      const lanes = BILL_KINDS.includes(job.kind) ? making : running
      const run = runJob(world, job).finally(() => lanes.delete(run))
      lanes.add(run)
    }
    return jobs.length + swept
  }

  /** Runs in parallel to the jobs. The longer counting takes, the less often it runs. */
  async function countOften(): Promise<void> {
    const startMs = world.steadyMs()
    const { signal } = stopping
    await countAll(world, signal).catch((err: unknown) => world.log.error({ err }, 'hourly figures not counted'))
    const tookMs = world.steadyMs() - startMs
    countAgainMs = world.now().getTime() + Math.max(COUNT_PAUSE_MS, COUNT_SHARE * tookMs)
    counting = null
  }

  /** Runs in parallel to the jobs: a day of a large installation takes a while to read. */
  async function makeHeads(): Promise<void> {
    await makeDueHeads(world, stopping.signal).catch((err: unknown) =>
      world.log.error({ err }, 'heads of a day not made'),
    )
    heading = null
  }

  const work = async (): Promise<void> => {
    let due = ALL_DUE
    while (!stopping.signal.aborted) {
      const done = await round(due).catch((error: unknown) => {
        world.log.error({ err: error }, 'a round of jobs failed')
        return 0
      })
      due = ALL_DUE
      if (running.size >= LANES) await Promise.race(running)
      else if (done === 0) due = await nextLook(stopping.signal)
    }
    await Promise.all([...running, ...making, counting, heading])
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
