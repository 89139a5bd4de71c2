/**
 * Two kinds of daily bill. Ours, to the merchant (spec/protocol.md 3.6): which day's bill a row is in, and when a bill can
 * be made and asked for. The upstreams', to us: when one can be fetched and reconciled. Days are `yyyy-MM-dd` in UTC+8.
 */
import { CHINA_MS, DAY_MS, dayOf } from './time.ts'

const HOUR_MS = 3_600_000

/**
 * From 09:00 of the next day on a day takes no more rows: money that is booked later, however early it was paid, is in
 * a later bill (the columns `bill_day` say so). The minute after is for transactions and clocks that are a little late.
 */
const MADE_FROM_MS = 9 * HOUR_MS + 60_000

/** From 10:00 on the upstreams have made their bill of the day before. */
const UPSTREAM_BILL_MS = 10 * HOUR_MS

/** After a downtime, missing bills are made and upstream bills reconciled up to this many days back. */
const CATCH_UP_DAYS = 7

/** The last days whose bills are there once so much of the next day has passed, the newest first. */
const daysBefore = (nowMs: number, madeFromMs: number): string[] =>
  Array.from({ length: CATCH_UP_DAYS }, (_, ago) => dayOf(nowMs - DAY_MS * (ago + 1) - madeFromMs))

/** Whether nothing more can come into our bill of this day. */
export const isBillComplete = (day: string, nowMs: number): boolean =>
  nowMs >= Date.parse(`${day}T00:00:00+08:00`) + DAY_MS + MADE_FROM_MS

/** The days for which our bill should be there by now, the newest first. */
export const plannedBillDays = (nowMs: number): string[] => daysBefore(nowMs, MADE_FROM_MS)

/** The days for which an upstream's bill may be fetched by now, the newest first. */
export const upstreamBillDays = (nowMs: number): string[] => daysBefore(nowMs, UPSTREAM_BILL_MS)

/** The first and the last day that may be asked for: of the last three months, and past. */
export function billRange(nowMs: number): { first: string; last: string } {
  const today = new Date(nowMs + CHINA_MS)
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth() - 3, today.getUTCDate()]
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const first = new Date(Date.UTC(year, month, Math.min(day, lastOfMonth))).toISOString().slice(0, 10)
  return { first, last: dayOf(nowMs - DAY_MS) }
}
