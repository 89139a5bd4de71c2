/** What the overview and the page of figures make of the volumes of a time. */
import type { Volume } from '@acopay/protocol/console'

type Counts = Pick<Volume, 'paid' | 'closed_by_merchant' | 'closed_by_expiry' | 'closed_by_operator'>

export const closed = (of: Omit<Counts, 'paid'>): number =>
  of.closed_by_merchant + of.closed_by_expiry + of.closed_by_operator

/** The share of paid orders among those that have ended. */
export const successRate = (of: Counts): string => rateOf(of.paid, of.paid + closed(of))

export const rateOf = (part: number, whole: number): string =>
  whole === 0 ? '—' : `${((100 * part) / whole).toFixed(1)}%`

/** How much more or less it is than before; empty where there was nothing to compare with. */
export function changeOf(now: number | null, before: number | null): string {
  if (now === null || before === null || before === 0) return ''
  const percent = (100 * (now - before)) / before
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)}%`
}

const CHINA_MS = 8 * 3_600_000
const DAY_MS = 86_400_000

/** So many days in UTC+8, of which the last was `ago` days ago. */
export function daysBack(nowMs: number, days: number, ago: number): { from: string; until: string } {
  const day = (back: number): string => new Date(nowMs + CHINA_MS - back * DAY_MS).toISOString().slice(0, 10)
  return { from: day(ago + days - 1), until: day(ago) }
}
