/**
 * A token bucket per name, in this process's memory: n servers allow n times as much. It protects the gateway from bursts;
 * a strict quota needs a proxy in front of the gateway.
 */
import { LRUCache } from 'lru-cache'

export type RateLimit = {
  /** Whether one more is allowed now. `perSecond` null means the default; 0 is no limit. */
  allows: (name: string, perSecond: number | null) => boolean
  /** Whether one more would be refused now, by the default. Counts nothing. */
  isSpent: (name: string) => boolean
}

/** A bucket holds as many tokens as this many seconds add. */
const BURST_SECONDS = 2
const NAMES_MAX = 50_000

type Bucket = { tokens: number; atMs: number }

export function rateLimit(defaultPerSecond: number, nowMs: () => number): RateLimit {
  // The most recently seen names stay; a name that was dropped starts again with a full bucket.
  const buckets = new LRUCache<string, Bucket>({ max: NAMES_MAX })
  /** The name's bucket, with what it has earned until now. */
  function bucketOf(name: string, perSecond: number): Bucket {
    const full = perSecond * BURST_SECONDS
    const atMs = nowMs()
    const bucket = buckets.get(name) ?? { tokens: full, atMs }
    const earned = (Math.max(0, atMs - bucket.atMs) / 1000) * perSecond
    bucket.tokens = Math.min(full, bucket.tokens + earned)
    bucket.atMs = atMs
    buckets.set(name, bucket)
    return bucket
  }
  return {
    allows(name, asked) {
      const perSecond = asked ?? defaultPerSecond
      if (perSecond === 0) return true
      const bucket = bucketOf(name, perSecond)
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      return true
    },
    isSpent: (name) => defaultPerSecond !== 0 && bucketOf(name, defaultPerSecond).tokens < 1,
  }
}
