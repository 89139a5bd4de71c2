/**
 * The number of the refund that the user is asking for. It stays the same when the user presses twice, or asks again in a new
 * dialog because the answer was lost, so that the gateway makes one refund. An answer of the gateway ends it.
 */
import { isAnswered } from '../../api-error.ts'

const meant = new Map<string, string>()

/** `order`: the order's path in the API. */
export function refundNoFor(order: string): string {
  const known = meant.get(order)
  if (known !== undefined) return known
  const fresh = newRefundNo()
  meant.set(order, fresh)
  return fresh
}

/** The call has ended: with an answer (`error` is null), a refusal, or no answer, after which the number stays. */
export function refundAsked(order: string, error: unknown): void {
  if (error === null || isAnswered(error)) meant.delete(order)
}

const newRefundNo = (): string =>
  `console${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
