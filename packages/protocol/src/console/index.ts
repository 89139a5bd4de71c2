/**
 * The console's own API, below `/console/api/`: what its pages ask and hear. It is not the merchants' contract.
 *
 * JSON in UTF-8 both ways, names as on the wire, amounts in yuan with two decimals ("12.50"), times ISO 8601 in UTC with
 * milliseconds. A session cookie says who asks; every call that is not GET carries the session's `csrf` in the header
 * `x-acopay-csrf`. Answers use HTTP's own status: 200, 400 (a field is wrong), 401 (sign in first), 403 (not allowed),
 * 404 (no such thing, or another merchant's), 409 (its state does not allow it), 429 (too often), all but 200 with `Failure`.
 */
export * from './admin.ts'
export * from './orders.ts'
export * from './overview.ts'
export * from './session.ts'
