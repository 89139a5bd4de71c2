/** Which day's bill a row is in, and when a bill can be made and asked for (spec/protocol.md 3.6). Days are `yyyy-MM-dd` in UTC+8. */

const HOUR = 3_600_000
const DAY = 24 * HOUR
const CHINA_MS = 8 * HOUR

/**
 * From 09:00 of the next day on a day takes no more rows: money that is booked later, however early it was paid, is in
 * a later bill (the columns `bill_day` say so). The minute after is for transactions and clocks that are a little late.
 */
const MADE_FROM_MS = 9 * HOUR + 60_000

/** So far back is looked for bills that nobody made, because nobody was running; older ones are made when asked for. */
const PLANNED_DAYS = 7

export const dayOf = (ms: number): string => new Date(ms + CHINA_MS).toISOString().slice(0, 10)

/** Whether nothing more can come into the bill of this day. */
export const isBillComplete = (day: string, nowMs: number): boolean =>
  nowMs >= Date.parse(`${day}T00:00:00+08:00`) + DAY + MADE_FROM_MS

/** The days whose bills are to be there by now, the newest first. */
export const plannedBillDays = (nowMs: number): string[] =>
  Array.from({ length: PLANNED_DAYS }, (_, ago) => dayOf(nowMs - DAY * (ago + 1) - MADE_FROM_MS))

/** The first and the last day that may be asked for: of the last three months, and past. */
export function billRange(nowMs: number): { first: string; last: string } {
  const today = new Date(nowMs + CHINA_MS)
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth() - 3, today.getUTCDate()]
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const first = new Date(Date.UTC(year, month, Math.min(day, lastOfMonth))).toISOString().slice(0, 10)
  return { first, last: dayOf(nowMs - DAY) }
}
