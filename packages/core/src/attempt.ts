/** The life of an attempt: one try to have an order paid through one channel (spec/order-lifecycle.md, States). */

export const ATTEMPT_STATES = ['OPENING', 'OPEN', 'PAID', 'SHUT'] as const
export type AttemptState = (typeof ATTEMPT_STATES)[number]

export const ATTEMPT_EVENTS = ['opened', 'shut', 'paid'] as const
export type AttemptEvent = (typeof ATTEMPT_EVENTS)[number]

/** `paid` is never refused, not even for a SHUT attempt: when an upstream says that it took money, the payment is booked. */
export const ATTEMPT_TABLE = {
  OPENING: { opened: 'OPEN', shut: 'SHUT', paid: 'PAID' },
  OPEN: { opened: 'OPEN', shut: 'SHUT', paid: 'PAID' },
  PAID: { opened: 'PAID', shut: 'PAID', paid: 'PAID' },
  SHUT: { opened: 'SHUT', shut: 'SHUT', paid: 'PAID' },
} as const satisfies Record<AttemptState, Record<AttemptEvent, AttemptState>>

/** How an upstream answers a query about an attempt; `unknown` means "ask again". */
export type UpstreamState = 'open' | 'paid' | 'returned' | 'closed' | 'absent' | 'unknown'

/**
 * Whether a query's answer proves that the attempt can no longer be paid: the upstream says that it is closed, or that it
 * does not exist and our own create can no longer arrive (spec/order-lifecycle.md, Closing 2).
 */
export const provesClosed = (says: UpstreamState, nowMs: number, createLandsUntilMs: number): boolean =>
  says === 'closed' || (says === 'absent' && nowMs >= createLandsUntilMs)

/**
 * Whether an attempt is over although no answer proves it: the upstream never confirmed it, so no payer was ever shown how to pay
 * it, and `overMs`, its expiry upstream plus the time for which a payment may still be reported, has passed. Without this an order
 * would be CLOSING for ever where an upstream's answers cannot be believed. It is watched all the same.
 */
export const isOutlived = (state: AttemptState, nowMs: number, overMs: number): boolean =>
  state === 'OPENING' && nowMs >= overMs
