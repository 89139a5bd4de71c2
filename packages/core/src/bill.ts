/**
 * The days of two kinds of daily file. The bill that the gateway makes for a merchant (spec/protocol.md 3.6): when it can be
 * made and requested. The upstream bill: when it can be fetched and reconciled. Days are `yyyy-MM-dd` in UTC+8.
 */
import { CHINA_MS, DAY_MS, dayBounds, dayOf } from './time.ts'

const HOUR_MS = 3_600_000

/**
 * A day's bill takes no more rows from 09:00 of the next day on: a payment that is booked later is in a later bill, also
 * when it was paid earlier (the columns `bill_day`). One more minute covers open transactions and clocks that run behind.
 */
const MADE_FROM_MS = 9 * HOUR_MS + 60_000

/** The upstreams have made the bill of a day by 10:00 of the next day. */
const UPSTREAM_BILL_MS = 10 * HOUR_MS

/** After a downtime, the gateway makes missing bills and reconciles upstream bills up to this many days back. */
const CATCH_UP_DAYS = 7

/** The last days, the newest first, whose bills are available `madeFromMs` after the end of the day. */
const daysBefore = (nowMs: number, madeFromMs: number): string[] =>
  Array.from({ length: CATCH_UP_DAYS }, (_, ago) => dayOf(nowMs - DAY_MS * (ago + 1) - madeFromMs))

/** Whether the bill of this day can take no more rows. */
export const isBillComplete = (day: string, nowMs: number): boolean =>
  nowMs >= Date.parse(`${day}T00:00:00+08:00`) + DAY_MS + MADE_FROM_MS

/** The days for which a merchant's bill should exist by now, the newest first. */
export const plannedBillDays = (nowMs: number): string[] => daysBefore(nowMs, MADE_FROM_MS)

/** The days for which an upstream bill can be fetched by now, the newest first. */
export const upstreamBillDays = (nowMs: number): string[] => daysBefore(nowMs, UPSTREAM_BILL_MS)

/** The next moment after this one from which a bill can be made or an upstream bill fetched. */
export function nextBillMs(nowMs: number): number {
  const { fromMs, untilMs } = dayBounds(dayOf(nowMs))
  const moments = [fromMs + MADE_FROM_MS, fromMs + UPSTREAM_BILL_MS, untilMs + MADE_FROM_MS]
  return moments.find((at) => at > nowMs) as number
}

/** The first and the last day whose bill a merchant may request: past days of the last three months. */
export function billRange(nowMs: number): { first: string; last: string } {
  const today = new Date(nowMs + CHINA_MS)
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth() - 3, today.getUTCDate()]
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const first = new Date(Date.UTC(year, month, Math.min(day, lastOfMonth))).toISOString().slice(0, 10)
  return { first, last: dayOf(nowMs - DAY_MS) }
}
