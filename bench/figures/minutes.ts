/** What a long run is judged by: each minute's latency, memory and event-loop delay. Pure. */

import { quantile } from './quantile.ts'
import { LIMITS, same, type Verdict } from './targets.ts'

export type Minute = {
  /** From the beginning, in minutes. */
  at: number
  perSecond: number
  p50: number
  p99: number
  /** Of the largest gateway process. */
  rssMb: number
  delayMs: number
  failures: number
}

export const RSS_MB = 250
/** The second half may hold so much more than the first, after the first tenth in which caches fill. */
const RISES = 0.05

export function minuteOf(
  { at, seconds, millis, failures }: { at: number; seconds: number; millis: number[]; failures: number },
  { rssBytes, delayMs }: { rssBytes: number; delayMs: number },
): Minute {
  return {
    at,
    perSecond: millis.length / seconds,
    p50: quantile(millis, 0.5),
    p99: quantile(millis, 0.99),
    rssMb: rssBytes / 1024 / 1024,
    ...{ delayMs, failures },
  }
}

const mean = (values: number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length

/** By which share the memory rose; null where the run was too short to say. */
export function riseOf(minutes: Minute[]): number | null {
  const warm = minutes.slice(Math.ceil(minutes.length / 10)).map(({ rssMb }) => rssMb)
  if (warm.length < 4) return null
  const half = warm.length >> 1
  return mean(warm.slice(half)) / mean(warm.slice(0, half)) - 1
}

export function soakVerdicts(minutes: Minute[]): Verdict[] {
  const most = (of: 'rssMb' | 'delayMs' | 'failures'): number => Math.max(0, ...minutes.map((minute) => minute[of]))
  const rise = riseOf(minutes)
  return [
    {
      target: { en: `memory ≤ ${RSS_MB} MB`, zh: `内存 ≤ ${RSS_MB} MB` },
      found: same(`${most('rssMb').toFixed(0)} MB`),
      isMet: most('rssMb') <= RSS_MB,
    },
    ...(rise === null
      ? []
      : [
          {
            target: { en: 'memory does not rise', zh: '内存不再增长' },
            found: same(`${(100 * rise).toFixed(1)} %`),
            isMet: rise <= RISES,
          },
        ]),
    {
      target: {
        en: `event-loop delay p99 < ${LIMITS.delayMs} ms in every minute`,
        zh: `每分钟的事件循环延迟 p99 < ${LIMITS.delayMs} ms`,
      },
      found: same(`${most('delayMs').toFixed(0)} ms`),
      isMet: most('delayMs') < LIMITS.delayMs,
    },
    {
      target: { en: 'failed requests in a minute: none', zh: '每分钟失败的请求：没有' },
      found: same(String(most('failures'))),
      isMet: most('failures') === 0,
    },
  ]
}
