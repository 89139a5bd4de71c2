/**
 * The console's own API, below `/console/api/`, for its pages. It is not part of the merchants' contract.
 *
 * JSON in UTF-8 both ways, names as on the wire, amounts in yuan with two decimals ("12.50"), times ISO 8601 in UTC
 * with milliseconds. A session cookie identifies the user; every call except GET sends the session's `csrf` in the
 * header `x-acopay-csrf`. The HTTP status is 200, 400 (a field is wrong), 401 (sign in first), 403 (not allowed), 404
 * (unknown, or another merchant's), 409 (its state does not allow it) or 429 (too many requests); all but 200 answer a
 * `Failure`.
 */
export * from '../moved.ts'
export * from './admin.ts'
export * from './alarms.ts'
export * from './brand.ts'
export * from './bulk.ts'
export * from './figures.ts'
export * from './lists.ts'
export * from './orders.ts'
export * from './overview.ts'
export * from './passkeys.ts'
export * from './sent-back.ts'
export * from './session.ts'
export * from './story.ts'
export type { Said } from './story-words.ts'
