/** The background jobs: their kinds, how one try of a job may end, and the pauses between tries. Times are milliseconds. */

/** The server's `jobs/` must have a function for each kind, or it does not compile. */
export const JOB_KINDS = [
  'shut_attempts',
  'reverse_payment',
  'watch_attempt',
  'reconcile_day',
  'resolve_attempt',
  'send_refund',
  'make_bill',
] as const
export type JobKind = (typeof JOB_KINDS)[number]

/**
 * How one try ended. `retry`: try again after the pause of this kind. `retry_soon`: an upstream did not answer.
 * `in_progress`: the upstream is working on it, which may take days, so the job asks rarely.
 */
export type JobOutcome = 'done' | 'retry' | 'retry_soon' | 'in_progress'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The first queries come soon: when a payer scans the code right after the close, it can still be closed before it is paid. */
const WATCH_PAUSES_MS = [5_000, 30_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS]

/** Pause before a closed attempt is queried again: seconds at first, then longer, hourly in the end; ±25 %. */
export const watchPauseMs = (tries: number, dice: number): number =>
  Math.round((WATCH_PAUSES_MS[tries - 1] ?? HOUR_MS) * (0.75 + dice / 2))

/**
 * Pause before the next try: doubles from 2 s to at most 5 min, spread by ±25 % so that many jobs do not retry at the same
 * moment.
 */
export function retryPauseMs(tries: number, dice: number): number {
  const pauseMs = Math.min(1000 * 2 ** tries, 5 * MINUTE_MS)
  return Math.round(pauseMs * (0.75 + dice / 2))
}
