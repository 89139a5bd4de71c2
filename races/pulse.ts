/**
 * Whether the machine is too busy to judge times: where a gateway takes more than a second to answer a health check, a
 * close that takes more than ten is no violation. The run counts and prints the answers that it excuses.
 */
import { ask } from './http.ts'

export type Pulse = {
  /** Whether a health check of the last 12 s took too long. */
  isBusy: () => boolean
  /** Answers that came too late and are no violation, since the machine was busy. */
  excused: number
  slowestMs: () => number
  stop: () => void
}

const EVERY_MS = 500
const SLOW_MS = 1_000
const WINDOW_MS = 12_000

export function startPulse(gateway: () => string): Pulse {
  const beats: { sentMs: number; knownMs: number | null }[] = []
  let slowestMs = 0
  const tookMs = ({ sentMs, knownMs }: (typeof beats)[number]): number => (knownMs ?? Date.now()) - sentMs
  const beat = async (): Promise<void> => {
    const one: (typeof beats)[number] = { sentMs: Date.now(), knownMs: null }
    beats.push(one)
    while ((beats[0]?.sentMs ?? 0) < Date.now() - 2 * WINDOW_MS) beats.shift()
    await ask(`${gateway()}/healthz`, { timeoutMs: WINDOW_MS }).catch(() => {})
    one.knownMs = Date.now()
    slowestMs = Math.max(slowestMs, tookMs(one))
  }
  const timer = setInterval(() => void beat(), EVERY_MS)
  timer.unref()
  return {
    isBusy: () => beats.some((one) => one.sentMs > Date.now() - WINDOW_MS && tookMs(one) > SLOW_MS),
    excused: 0,
    slowestMs: () => slowestMs,
    stop: () => clearInterval(timer),
  }
}
