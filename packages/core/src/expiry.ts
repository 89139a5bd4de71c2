/** When an order expires (spec/protocol.md 3.2). Times are milliseconds. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** How far in the future a merchant may set an order's expiry. */
export const EXPIRY_MIN_MS = MINUTE_MS
export const EXPIRY_MAX_MS = 7 * 24 * HOUR_MS
export const EXPIRY_DEFAULT_MS = 2 * HOUR_MS

/** Null when the merchant's expiry is out of range; the default when the merchant gave none. */
export function expiryOf(askedMs: number | null, nowMs: number): number | null {
  if (askedMs === null) return nowMs + EXPIRY_DEFAULT_MS
  const aheadMs = askedMs - nowMs
  return aheadMs >= EXPIRY_MIN_MS && aheadMs <= EXPIRY_MAX_MS ? askedMs : null
}
