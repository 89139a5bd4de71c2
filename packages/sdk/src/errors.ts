/** What can go wrong, each with what it means for the order. Match them with `instanceof`. */
import { ERRORS, type ErrorName } from '@acopay/protocol'

/** All errors of this package. */
export class AcoPayError extends Error {
  override name = 'AcoPayError'
}

/** The request was never sent: an option or a parameter is wrong. `field` is its name as it was given, `notifyUrl` say. */
export class ParameterError extends AcoPayError {
  override name = 'ParameterError'
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/**
 * The gateway refused the request (spec 4). Where `isRetryable`, query the order: 1500 does not say how far it came,
 * and a try before this answer may have been carried out. All others changed nothing. `isSigned` tells whether the
 * gateway proved that it said so; it does not for callers whom it does not know (1002, 1003), nor before it looks
 * (1001, 1017, 1500).
 */
export class ApiError extends AcoPayError {
  override name = 'ApiError'
  /** The error's number, 1001 … 1500 (docs/errors.md). */
  readonly status: number
  /** The error's name, `ORDER_NOT_EXIST` say. */
  readonly code: string
  /** The reason in Chinese, at most 50 characters. */
  readonly fieldErrors: string | null
  /** Whether the same business numbers, sent again later, may succeed. The client has already tried. */
  readonly isRetryable: boolean
  readonly isSigned: boolean

  constructor(answer: { status: number; code: string; fieldErrors: string | null; isSigned: boolean }) {
    const known = Object.hasOwn(ERRORS, answer.code) ? ERRORS[answer.code as ErrorName] : null
    super(`${answer.status} ${answer.code}: ${answer.fieldErrors ?? ''}${known === null ? '' : ` (${known.en})`}`)
    this.status = answer.status
    this.code = answer.code
    this.fieldErrors = answer.fieldErrors
    this.isRetryable = known?.retry ?? false
    this.isSigned = answer.isSigned
  }
}

/**
 * An answer or a notification came that is not proven to be the platform's, or is about another order. Do not believe
 * it; query.
 */
export class SignatureError extends AcoPayError {
  override name = 'SignatureError'
}

/**
 * The platform told something, and proved it, that this version of the package cannot read: of a kind, in a state or a
 * form that it does not know. Update the package.
 */
export class UnknownNotificationError extends AcoPayError {
  override name = 'UnknownNotificationError'
}

/** No answer came that could be read. Whether the request was carried out is unknown: query the order. */
export class ConnectionError extends AcoPayError {
  override name = 'ConnectionError'
  /** The HTTP status, where there was one. */
  readonly httpStatus: number | null
  /** Whether trying again may help; a 404 stays a 404. */
  readonly isRetryable: boolean

  constructor(message: string, { httpStatus = null, isRetryable = true, cause }: ConnectionFailure = {}) {
    super(message, { cause })
    this.httpStatus = httpStatus
    this.isRetryable = isRetryable
  }
}

type ConnectionFailure = { httpStatus?: number | null; isRetryable?: boolean; cause?: unknown }
