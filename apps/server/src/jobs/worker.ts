/**
 * Does what must still happen: takes due rows, runs the action for each, and says when it did not work. Safe to run
 * on many servers at once and to be killed anywhere: a job that was taken and not finished comes due again.
 */
import type { JobKind } from '@acopay/core'
import { retryPauseMs } from '@acopay/core'
import { alarmJob, forgetNonces, type Job, lapsedOrders, postponeJob, removeJob, takeJobs } from '@acopay/store'
import { within } from '../actions/ask-channel.ts'
import { expireOrder } from '../actions/expire-order.ts'
import { reversePayment } from '../actions/reverse-payment.ts'
import { shutOrder } from '../actions/shut-order.ts'
import type { World } from '../world.ts'

/** Runs a job; true when nothing is left to do. Actions that end a job in their own transaction say true as well. */
type RunJob = (world: World, job: Job) => Promise<boolean>

const RUN = {
  shut_attempts: async (world, { mchNo, subject }) =>
    shutOrder(world, { mchNo, transactionNo: subject }, within(world, world.limits.closeBudgetMs)),
  reverse_payment: (world, { mchNo, subject }) => reversePayment(world, { mchNo, refundNo: subject }),
} as const satisfies Record<JobKind, RunJob>

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
  let isDone = false
  try {
    isDone = await RUN[kind](world, job)
    if (isDone) await removeJob(world.pool, job)
  } catch (error) {
    world.log.error({ mchNo, kind, subject, tries, err: error }, 'job failed')
  }
  const now = world.now()
  const ms = now.getTime() - startedMs
  world.log.info({ mchNo, kind, subject, tries, outcome: isDone ? 'done' : 'again', ms }, 'job')
  if (isDone) return
  await postponeJob(world.pool, job, new Date(now.getTime() + retryPauseMs(tries, world.dice())))
  if (now.getTime() - job.createdAt.getTime() < world.limits.alarmAfterMs) return
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
