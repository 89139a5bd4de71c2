/**
 * A token bucket per name, in memory. The processes of one installation share each bucket (start/telling.ts): what one lets through the
 * others take off theirs, on one machine at once, on other machines a second later at the latest. It protects the gateway from bursts; a
 * strict quota needs a proxy in front of the gateway.
 */
import { LRUCache } from 'lru-cache'
import { growingTo } from '../growing-to.ts'

export type RateLimit = {
  /** Whether one more is allowed now. `perSecond` null means the default; 0 is no limit. */
  allows: (name: string, perSecond: number | null) => boolean
  /** Whether one more would be refused now, by the default. Counts nothing. */
  isSpent: (name: string) => boolean
}

/** What one process let through. */
export type Taken = { name: string; perSecond: number; tokens: number }

/** The other processes of the gateway. */
export type RateShare = {
  /** How many processes of this machine there are, this one included. */
  processes: number
  /** How many machines there are. */
  machines: () => number
  tell: (taken: Taken) => void
  /** `listener` is called with what each of the others let through. */
  hear: (listener: (taken: Taken) => void) => void
}

const ALONE: RateShare = { processes: 1, machines: () => 1, tell: () => {}, hear: () => {} }

/** A bucket holds as many tokens as this many seconds add. */
const BURST_SECONDS = 2
const NAMES_MAX = 50_000
/**
 * What all processes of a machine together have let through and not yet told is at most this part of a full bucket, or one call of each process where
 * that is more. So a caller far from its limit costs no message.
 */
const UNTOLD_PARTS = 10

type Bucket = { tokens: number; atMs: number; untold: number }

export function rateLimit(defaultPerSecond: number, nowMs: () => number, share: RateShare = ALONE): RateLimit {
  // The most recently seen names stay; a name that was dropped starts again with a full bucket.
  const buckets = new LRUCache<string, Bucket>(growingTo(NAMES_MAX))
  /** The name's bucket, with what it has earned until now. */
  function bucketOf(name: string, perSecond: number): Bucket {
    const full = perSecond * BURST_SECONDS
    const atMs = nowMs()
    const bucket = buckets.get(name) ?? { tokens: full, atMs, untold: 0 }
    const earned = (Math.max(0, atMs - bucket.atMs) / 1000) * perSecond
    bucket.tokens = Math.min(full, bucket.tokens + earned)
    bucket.atMs = atMs
    buckets.set(name, bucket)
    return bucket
  }
  const tell = (name: string, perSecond: number, bucket: Bucket): void => {
    bucket.untold += 1
    if (bucket.untold < (perSecond * BURST_SECONDS) / (UNTOLD_PARTS * share.processes)) return
    share.tell({ name, perSecond, tokens: bucket.untold })
    bucket.untold = 0
  }
  share.hear(({ name, perSecond, tokens }) => {
    const bucket = bucketOf(name, perSecond)
    // A debt: what was let through at once in several processes is earned before anything is let through again.
    const most = perSecond * BURST_SECONDS * share.processes * share.machines()
    bucket.tokens = Math.max(-most, bucket.tokens - tokens)
  })
  return {
    allows(name, asked) {
      const perSecond = asked ?? defaultPerSecond
      if (perSecond === 0) return true
      const bucket = bucketOf(name, perSecond)
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      if (share !== ALONE) tell(name, perSecond, bucket)
      return true
    },
    isSpent: (name) => defaultPerSecond !== 0 && bucketOf(name, defaultPerSecond).tokens < 1,
  }
}
