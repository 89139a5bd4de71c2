/**
 * Does what must still happen: takes due rows, runs the action for each, and says when it did not work. Safe to run
 * on many servers at once and to be killed anywhere: a job that was taken and not finished comes due again.
 */
import type { JobKind } from '@acopay/core'
import { retryPauseMs, watchPauseMs } from '@acopay/core'
import { alarmJob, forgetNonces, type Job, lapsedOrders, postponeJob, removeJob, takeJobs } from '@acopay/store'
import { within } from '../actions/ask-channel.ts'
import { expireOrder } from '../actions/expire-order.ts'
import { reversePayment } from '../actions/reverse-payment.ts'
import { shutOrder } from '../actions/shut-order.ts'
import { watchAttempt } from '../actions/watch-attempt.ts'
import type { World } from '../world.ts'

type Task = {
  /** True when nothing is left to do. Actions that end a job in their own transaction say true as well. */
  run: (world: World, job: Job) => Promise<boolean>
  pauseMs: (tries: number, dice: number) => number
  /** Whether a job that is still there after an hour is worth waking somebody. */
  isUrgent: boolean
}

const TASKS = {
  shut_attempts: {
    run: async (world, { mchNo, subject }) =>
      shutOrder(world, { mchNo, transactionNo: subject }, within(world, world.limits.closeBudgetMs)),
    pauseMs: retryPauseMs,
    isUrgent: true,
  },
  reverse_payment: {
    run: (world, { mchNo, subject }) => reversePayment(world, { mchNo, refundNo: subject }),
    pauseMs: retryPauseMs,
    isUrgent: true,
  },
  watch_attempt: {
    run: (world, { mchNo, subject }) => watchAttempt(world, { mchNo, attemptNo: subject }),
    pauseMs: watchPauseMs,
    isUrgent: false,
  },
} as const satisfies Record<JobKind, Task>

const JOBS_AT_ONCE = 20
const LAPSED_AT_ONCE = 100
const NONCES_AT_ONCE = 5000

/** One round over everything due; how many things were done, so that a full round is followed by another at once. */
export async function runDueJobs(world: World): Promise<number> {
  const now = world.now()
  const jobs = await takeJobs(world.pool, now, new Date(now.getTime() + world.limits.leaseMs), JOBS_AT_ONCE)
  await Promise.all(jobs.map((job) => runJob(world, job)))
  const lapsed = await lapsedOrders(world.pool, world.now(), LAPSED_AT_ONCE)
  for (const key of lapsed) await expireOrder(world, key)
  const forgetBefore = new Date(world.now().getTime() - world.limits.nonceWindowMs)
  const forgotten = await forgetNonces(world.pool, forgetBefore, NONCES_AT_ONCE)
  return jobs.length + lapsed.length + forgotten
}

async function runJob(world: World, job: Job): Promise<void> {
  const { mchNo, kind, subject, tries } = job
  const startedMs = world.now().getTime()
  const task: Task = TASKS[kind]
  let isDone = false
  try {
    isDone = await task.run(world, job)
    if (isDone) await removeJob(world.pool, job)
  } catch (error) {
    world.log.error({ mchNo, kind, subject, tries, err: error }, 'job failed')
  }
  const now = world.now()
  const ms = now.getTime() - startedMs
  world.log.info({ mchNo, kind, subject, tries, outcome: isDone ? 'done' : 'again', ms }, 'job')
  if (isDone) return
  await postponeJob(world.pool, job, new Date(now.getTime() + task.pauseMs(tries, world.dice())))
  if (!task.isUrgent || now.getTime() - job.createdAt.getTime() < world.limits.alarmAfterMs) return
  if (await alarmJob(world.pool, job, now)) world.log.error({ mchNo, kind, subject, tries, alarm: true }, 'job overdue')
}

export type Worker = { stop: () => Promise<void> }

/** Runs rounds, `pauseMs` apart while there is nothing to do, until stopped; stopping lets the round finish. */
export function startWorker(world: World, pauseMs: number): Worker {
  const stopping = new AbortController()
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const done = await runDueJobs(world).catch((error: unknown) => {
        world.log.error({ err: error }, 'a round of jobs failed')
        return 0
      })
      if (done === 0) await world.sleep(pauseMs, stopping.signal)
    }
  }
  const running = work()
  return {
    stop: () => {
      stopping.abort()
      return running
    },
  }
}
