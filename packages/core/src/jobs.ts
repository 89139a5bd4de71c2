/** The background tasks: their names, how one try of them may end, and the pauses between tries. Times are milliseconds. */

/** The compiler asks for a function for each in the server's `jobs/`. */
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
 * How one try ended. `retry`: again after the task's own pause. `retry_soon`: an upstream should have answered and did
 * not. `in_progress`: the upstream is working on it, which may take days, so asking often does not help.
 */
export type JobOutcome = 'done' | 'retry' | 'retry_soon' | 'in_progress'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The first looks come soon: an unscanned code that is scanned right after the close can be closed before it is paid. */
const WATCH_PAUSES_MS = [5_000, 30_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS]

/** Pause before a closed attempt is looked at again: seconds at first, then longer, hourly in the end; ±25 %. */
export const watchPauseMs = (tries: number, dice: number): number =>
  Math.round((WATCH_PAUSES_MS[tries - 1] ?? HOUR_MS) * (0.75 + dice / 2))

/** Pause before the next try: doubles from 1 s to at most 5 min, spread by ±25 % so that tries do not march in step. */
export function retryPauseMs(tries: number, dice: number): number {
  const pauseMs = Math.min(1000 * 2 ** Math.min(tries, 20), 5 * MINUTE_MS)
  return Math.round(pauseMs * (0.75 + dice / 2))
}
