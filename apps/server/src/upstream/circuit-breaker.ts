/**
 * Keeps the failures of one account from affecting others: limits the calls in flight per account, and makes no calls for a
 * while after many failures in a row, or when the upstream asks for fewer. A call that is not made has the answer `unknown`.
 */
import { type Channel, type Unknown, unknown } from '@acopay/channels'
import { LRUCache } from 'lru-cache'
import { growingTo } from '../growing-to.ts'

const IN_FLIGHT_MAX = 64
const FAILURES_MAX = 20
const REST_MS = 5_000
const ACCOUNTS_MAX = 10_000

type Health = { inFlight: number; failures: number; restUntilMs: number }

const RESTING = 'resting after many failures'

type Call<Ask, Answer> = (ask: Ask, signal: AbortSignal) => Promise<Answer>

/** Makes the call, unless the account rests or has too many calls in flight, and counts failures. */
const guarded =
  (health: Health, now: () => Date, onRest: () => void) =>
  <Ask, Answer extends { kind: string; restMs?: number }>(call: Call<Ask, Answer>): Call<Ask, Answer | Unknown> =>
  async (ask, signal) => {
    const restFor = (ms: number): void => {
      if (now().getTime() >= health.restUntilMs) onRest()
      health.restUntilMs = Math.max(health.restUntilMs, now().getTime() + ms)
    }
    if (now().getTime() < health.restUntilMs) return unknown(RESTING)
    if (health.inFlight >= IN_FLIGHT_MAX) return unknown('too many calls at once')
    health.inFlight += 1
    const answer: Answer | Unknown = await call(ask, signal)
      .catch((error: unknown) => unknown(error instanceof Error ? error.message : 'the channel failed'))
      .finally(() => {
        health.inFlight -= 1
      })
    health.failures = answer.kind === 'unknown' ? health.failures + 1 : 0
    if (health.failures >= FAILURES_MAX) restFor(REST_MS)
    // The upstream asks for fewer requests: none is made for as long as it says.
    if (answer.restMs !== undefined) restFor(answer.restMs)
    return answer
  }

/** `guard` wraps channels; `rests` tells which of them rest now. `onRest` hears when a rest begins. All channels of one name share their counts, also after the channel was made again. */
export function circuitBreaker(
  now: () => Date,
  onRest: (name: string) => void = () => {},
): { guard: (name: string, channel: Channel) => Channel; rests: () => { name: string; isResting: boolean }[] } {
  const healths = new LRUCache<string, Health>(growingTo(ACCOUNTS_MAX))

  const healthOf = (name: string): Health => {
    const health = healths.get(name) ?? { inFlight: 0, failures: 0, restUntilMs: 0 }
    healths.set(name, health)
    return health
  }

  const guard = (name: string, channel: Channel): Channel => {
    const safe = guarded(healthOf(name), now, () => onRest(name))
    return {
      ...channel,
      open: safe(channel.open),
      query: safe(channel.query),
      close: safe(channel.close),
      refund: safe(channel.refund),
      queryRefund: safe(channel.queryRefund),
      fetchUpstreamBill: safe(channel.fetchUpstreamBill),
    }
  }
  return {
    guard,
    rests: () => [...healths].map(([name, { restUntilMs }]) => ({ name, isResting: now().getTime() < restUntilMs })),
  }
}
