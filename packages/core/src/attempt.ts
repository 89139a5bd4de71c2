/** The life of an attempt: one try to have an order paid through one channel (spec/order-lifecycle.md, States). */

export const ATTEMPT_STATES = ['OPENING', 'OPEN', 'PAID', 'SHUT'] as const
export type AttemptState = (typeof ATTEMPT_STATES)[number]

export const ATTEMPT_EVENTS = ['opened', 'shut', 'paid'] as const
export type AttemptEvent = (typeof ATTEMPT_EVENTS)[number]

/** `paid` never refuses, not even on a SHUT attempt: an upstream that took money after all is believed. */
export const ATTEMPT_TABLE = {
  OPENING: { opened: 'OPEN', shut: 'SHUT', paid: 'PAID' },
  OPEN: { opened: 'OPEN', shut: 'SHUT', paid: 'PAID' },
  PAID: { opened: 'PAID', shut: 'PAID', paid: 'PAID' },
  SHUT: { opened: 'SHUT', shut: 'SHUT', paid: 'PAID' },
} as const satisfies Record<AttemptState, Record<AttemptEvent, AttemptState>>

/** What an upstream says of an attempt when asked; `unknown` is an answer and means "ask again". */
export type UpstreamState = 'open' | 'paid' | 'returned' | 'closed' | 'absent' | 'unknown'

/**
 * Whether a query's answer proves that the attempt can no longer be paid: closed, or absent once our own create
 * can no longer land (spec/order-lifecycle.md, Closing 2).
 */
export const provesClosed = (says: UpstreamState, nowMs: number, createLandsUntilMs: number): boolean =>
  says === 'closed' || (says === 'absent' && nowMs >= createLandsUntilMs)
