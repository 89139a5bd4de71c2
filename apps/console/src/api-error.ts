/** The one kind of error of the console's API, and what the pages make of it. */
import type { Failure } from '@acopay/protocol/console'

/** The server answered with a failure, or did not answer at all (`failure` is null). */
export class ApiError extends Error {
  readonly status: number
  readonly failure: Failure | null
  constructor(status: number, failure: Failure | null) {
    super(failure?.error ?? 'UNREACHABLE')
    this.status = status
    this.failure = failure
  }
}

/** Repeat calls that got no answer, twice. A refused call would be refused again. */
export const mayRepeat = (count: number, error: unknown): boolean =>
  count < 2 && error instanceof ApiError && error.status === 0

/** Whether the gateway accepted or refused. After any other error the result is unknown. */
export const isAnswered = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500

/**
 * The error's message in the user's language; null where there was no answer to take it from. A message about a field begins with the
 * API's name of it; the page's label stands there instead.
 */
export function messageOf(
  error: unknown,
  language: 'zh' | 'en',
  labelOf: (field: string) => string | null,
): string | null {
  if (!(error instanceof ApiError) || error.failure === null) return null
  const { message, field } = error.failure
  const text = message[language]
  const label = field === undefined ? null : labelOf(field)
  if (label === null || !text.startsWith(`${field} `)) return text
  const says = text.slice(`${field} `.length)
  return language === 'zh' ? `“${label}”${says}` : `“${label}” ${says}`
}
