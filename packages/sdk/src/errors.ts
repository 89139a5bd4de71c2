/** The errors of this package, and what each means for the order. Match them with `instanceof`. */
import { ERRORS, type ErrorName } from '@acopay/protocol'

/** The base class of all errors of this package. */
export class AcoPayError extends Error {
  override name = 'AcoPayError'
}

/** An option or a parameter is wrong, and nothing was sent. `field` is its name in your call, such as `notifyUrl`. */
export class ParameterError extends AcoPayError {
  override name = 'ParameterError'
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/**
 * The gateway refused the request (spec 4). If `isRetryable`, query the order: after 1500 the request may have been
 * carried out in part, and an earlier try may have been carried out. All other errors changed nothing. `isSigned` tells
 * whether the gateway signed the refusal. It does not sign for callers it does not know (1002, 1003), and not before it
 * has identified the caller (1001, 1017, 1500).
 */
export class ApiError extends AcoPayError {
  override name = 'ApiError'
  /** The error's number, 1001 … 1500 (docs/errors.md). */
  readonly status: number
  /** The error's name, such as `ORDER_NOT_EXIST`. */
  readonly code: string
  /** The reason in Chinese, at most 50 characters. */
  readonly fieldErrors: string | null
  /** Whether the same request, sent again later, may succeed. The client has used up its own tries. */
  readonly isRetryable: boolean
  readonly isSigned: boolean
  /** How long the gateway asks to wait (`Retry-After`), in ms; null when it does not. The client waits for up to 5 s by itself. */
  readonly retryAfterMs: number | null

  constructor(answer: Refused) {
    const known = Object.hasOwn(ERRORS, answer.code) ? ERRORS[answer.code as ErrorName] : null
    super(`${answer.status} ${answer.code}: ${answer.fieldErrors ?? ''}${known === null ? '' : ` (${known.en})`}`)
    this.status = answer.status
    this.code = answer.code
    this.fieldErrors = answer.fieldErrors
    this.isRetryable = known?.retry ?? false
    this.isSigned = answer.isSigned
    this.retryAfterMs = answer.retryAfterMs ?? null
  }
}

type Refused = {
  status: number
  code: string
  fieldErrors: string | null
  isSigned: boolean
  retryAfterMs?: number | null
}

/**
 * An answer or a notification is not proven to be the platform's, or is about another order. Ignore its content and
 * query the order.
 */
export class SignatureError extends AcoPayError {
  override name = 'SignatureError'
}

/**
 * A verified notification has a kind, a state or a form that this version of the package does not know. Update the
 * package.
 */
export class UnknownNotificationError extends AcoPayError {
  override name = 'UnknownNotificationError'
}

/** No readable answer came. Whether the request was carried out is unknown: query the order. */
export class ConnectionError extends AcoPayError {
  override name = 'ConnectionError'
  /** The HTTP status; null when no answer came. */
  readonly httpStatus: number | null
  /** Whether trying again may help. */
  readonly isRetryable: boolean
  /** How long the gateway asks to wait (`Retry-After`), in ms; null when it does not. The client waits for up to 5 s by itself. */
  readonly retryAfterMs: number | null

  constructor(message: string, failure: ConnectionFailure = {}) {
    const { httpStatus = null, isRetryable = true, retryAfterMs = null, cause } = failure
    super(message, { cause })
    this.httpStatus = httpStatus
    this.isRetryable = isRetryable
    this.retryAfterMs = retryAfterMs
  }
}

type ConnectionFailure = {
  httpStatus?: number | null
  isRetryable?: boolean
  retryAfterMs?: number | null
  cause?: unknown
}
