/** Days in China and their bounds: UTC+8 all year, without daylight saving. Times are milliseconds since 1970. */

const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** How far China's clock is ahead of UTC. */
export const CHINA_MS = 8 * HOUR_MS

/** The day of this moment in UTC+8, as `yyyy-MM-dd`. */
export const dayOf = (ms: number): string => new Date(ms + CHINA_MS).toISOString().slice(0, 10)

/** The moments at which a day in UTC+8 begins and ends. */
export function dayBounds(day: string): { fromMs: number; untilMs: number } {
  const fromMs = Date.parse(`${day}T00:00:00+08:00`)
  return { fromMs, untilMs: fromMs + DAY_MS }
}
