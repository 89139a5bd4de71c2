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

/** What one process has seen of an account: failures since its last answer, and how long it rests from now on; `isAnswered`: it had an answer. */
export type RestTold = { name: string; failed: number; isAnswered: boolean; restMs: number }

/** The other processes of the installation: what they see counts as if this one had. */
export type RestShare = {
  tell: (told: RestTold) => void
  hear: (listener: (told: RestTold) => void) => void
}

const ALONE: RestShare = { tell: () => {}, hear: () => {} }

type Health = { inFlight: number; failures: number; restUntilMs: number }

const RESTING = 'resting after many failures'

type Call<Ask, Answer> = (ask: Ask, signal: AbortSignal) => Promise<Answer>

type Around = { now: () => Date; onRest: () => void; tell: (told: Omit<RestTold, 'name'>) => void }

/** Makes the call, unless the account rests or has too many calls in flight, and counts failures. */
const guarded =
  (health: Health, around: Around) =>
  <Ask, Answer extends Answered>(call: Call<Ask, Answer>): Call<Ask, Answer | Unknown> =>
  async (ask, signal) => {
    if (around.now().getTime() < health.restUntilMs) return unknown(RESTING)
    if (health.inFlight >= IN_FLIGHT_MAX) return unknown('too many calls at once')
    health.inFlight += 1
    const answer: Answer | Unknown = await call(ask, signal)
      .catch((error: unknown) => unknown(error instanceof Error ? error.message : 'the channel failed'))
      .finally(() => {
        health.inFlight -= 1
      })
    judge(health, answer, around)
    return answer
  }

type Answered = { kind: string; restMs?: number }

function judge(health: Health, answer: Answered, { now, onRest, tell }: Around): void {
  const nowMs = now().getTime()
  const isAnswered = answer.kind !== 'unknown'
  const isNews = !isAnswered || health.failures > 0 || answer.restMs !== undefined
  health.failures = isAnswered ? 0 : health.failures + 1
  // The upstream may ask for fewer requests: none is made for as long as it says.
  const restMs = Math.max(health.failures >= FAILURES_MAX ? REST_MS : 0, answer.restMs ?? 0)
  if (restMs > 0 && nowMs >= health.restUntilMs) onRest()
  health.restUntilMs = Math.max(health.restUntilMs, restMs > 0 ? nowMs + restMs : 0)
  if (isNews) tell({ failed: isAnswered ? 0 : 1, isAnswered, restMs })
}

/** `guard` wraps channels; `rests` tells which of them rest now. `onRest` hears when a rest begins. All channels of one name share their counts, also after the channel was made again. */
export function circuitBreaker(
  now: () => Date,
  onRest: (name: string) => void = () => {},
  share: RestShare = ALONE,
): { guard: (name: string, channel: Channel) => Channel; rests: () => { name: string; isResting: boolean }[] } {
  const healths = new LRUCache<string, Health>(growingTo(ACCOUNTS_MAX))

  const healthOf = (name: string): Health => {
    const health = healths.get(name) ?? { inFlight: 0, failures: 0, restUntilMs: 0 }
    healths.set(name, health)
    return health
  }

  share.hear(({ name, failed, isAnswered, restMs }) => {
    const health = healthOf(name)
    health.failures = isAnswered ? failed : health.failures + failed
    const ownMs = health.failures >= FAILURES_MAX ? REST_MS : 0
    health.restUntilMs = Math.max(health.restUntilMs, now().getTime() + Math.max(restMs, ownMs))
  })

  const guard = (name: string, channel: Channel): Channel => {
    const safe = guarded(healthOf(name), {
      now,
      onRest: () => onRest(name),
      tell: (told) => share.tell({ name, ...told }),
    })
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
