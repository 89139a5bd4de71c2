/** How often a notification is sent: until the merchant acknowledges it, or the tries are used up (spec/protocol.md 3.7). */

export const NOTIFICATION_STATES = ['PENDING', 'DELIVERED', 'DEAD'] as const
export type NotificationState = (typeof NOTIFICATION_STATES)[number]

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The pauses between tries; 24 h 4 min in all. */
export const NOTIFY_PAUSES_MS: readonly number[] = [
  15 * SECOND,
  15 * SECOND,
  30 * SECOND,
  3 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  3 * HOUR,
  3 * HOUR,
  6 * HOUR,
  6 * HOUR,
]

/** Pause after the failed try number `tries`, counted from 1; null after the last try. */
export const notifyPauseMs = (tries: number): number | null => NOTIFY_PAUSES_MS[tries - 1] ?? null

/** Notifications that wait longer than this become dead letters: their host is down, so most of them were not even tried. */
export const NOTIFY_GIVE_UP_MS = 48 * HOUR
