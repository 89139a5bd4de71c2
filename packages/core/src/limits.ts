/** Limits of the contract and how they relate; what is configuration lives with the server. Times in ms. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** How far ahead an order may expire (spec/protocol.md 3.2). */
export const EXPIRY_MIN_MS = MINUTE
export const EXPIRY_MAX_MS = 7 * 24 * HOUR
export const EXPIRY_DEFAULT_MS = 2 * HOUR

/** Null when the asked expiry is out of range; the default when none was asked. */
export function expiryOf(askedMs: number | null, nowMs: number): number | null {
  if (askedMs === null) return nowMs + EXPIRY_DEFAULT_MS
  const aheadMs = askedMs - nowMs
  return aheadMs >= EXPIRY_MIN_MS && aheadMs <= EXPIRY_MAX_MS ? askedMs : null
}

/** Hour of the day, in UTC+8, from which the upstreams have made the bill of the day before. */
const BILL_HOUR = 10

const CHINA_MS = 8 * HOUR

/** So far back is looked for days that were never held against their bill, because nobody was running. */
const BILLED_DAYS = 7

/** The days (UTC+8, `yyyy-MM-dd`) whose bills may be asked for now, the newest first. */
export const billedDays = (nowMs: number): string[] =>
  Array.from({ length: BILLED_DAYS }, (_, ago) =>
    new Date(nowMs + CHINA_MS - (24 * (ago + 1) + BILL_HOUR) * HOUR).toISOString().slice(0, 10),
  )

/** The moments at which a day in UTC+8 begins and ends. */
export function dayBounds(day: string): { fromMs: number; untilMs: number } {
  const fromMs = Date.parse(`${day}T00:00:00+08:00`)
  return { fromMs, untilMs: fromMs + 24 * HOUR }
}

/** The background tasks; the compiler asks for a function for each in the server's `jobs/`. */
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

/** The first looks come soon: an unscanned code that is scanned right after the close can be closed before it is paid. */
const WATCH_PAUSES_MS = [5_000, 30_000, ...[1, 5, 15, 30].map((minutes) => minutes * MINUTE)]

/** Pause before a shut attempt is looked at again, in ms: seconds at first, then longer, hourly in the end; ±25 %. */
export const watchPauseMs = (tries: number, dice: number): number =>
  Math.round((WATCH_PAUSES_MS[tries - 1] ?? HOUR) * (0.75 + dice / 2))

/** Pause before the next try, in ms: doubles from 1 s to at most 5 min, spread by ±25 % so that tries do not march in step. */
export function retryPauseMs(tries: number, dice: number): number {
  const pauseMs = Math.min(1000 * 2 ** Math.min(tries, 20), 5 * MINUTE)
  return Math.round(pauseMs * (0.75 + dice / 2))
}
