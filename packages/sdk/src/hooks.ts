/** What a merchant's logs and traces are told of each try of a call: no key, no signature, no text of an order. */
import type { AcoPayError } from './errors.ts'

/** One try of a call. The same object is handed to `onRequest` and, as a part, to `onAnswer`. */
export type Attempt = {
  method: 'GET' | 'POST'
  /** `trade`, `close`, `refund`, … */
  path: string
  /** 1 for the first try. */
  tried: number
  /** Random text that the signature covers: another one for each try. */
  nonce: string
  /** The numbers that the request names, as far as it does. */
  transactionNo?: string
  mchTradeNo?: string
  refundNo?: string
  mchRefundNo?: string
}

export type AttemptEnd = {
  attempt: Attempt
  /** How long it took. */
  ms: number
  /** Null when the gateway did what was asked. */
  error: AcoPayError | null
  /** In how many ms the client tries again; null when it does not. */
  retryInMs: number | null
}

export type Hooks = {
  /** Called before each try of a call, at once and without waiting for what it returns. */
  onRequest?: (attempt: Attempt) => void
  /** Called when the try has ended. An error in a hook is printed by `console.error`, and disturbs no call. */
  onAnswer?: (end: AttemptEnd) => void
}

const NUMBERS = {
  transaction_no: 'transactionNo',
  mch_trade_no: 'mchTradeNo',
  refund_no: 'refundNo',
  mch_refund_no: 'mchRefundNo',
} as const

/** Tells `onRequest` that a try begins. The function that it returns tells `onAnswer` how it ended. */
export function beginAttempt(
  hooks: Hooks,
  { method, path, params }: Pick<Attempt, 'method' | 'path'> & { params: Record<string, string> },
  { tried, nonce }: { tried: number; nonce: string },
): (error: unknown, retryInMs: number | null) => void {
  const attempt: Attempt = { method, path, tried, nonce }
  for (const [wire, name] of Object.entries(NUMBERS)) {
    const number = params[wire]
    if (number !== undefined) attempt[name] = number
  }
  const startedMs = performance.now()
  call(hooks.onRequest, attempt)
  return (error, retryInMs) =>
    call(hooks.onAnswer, {
      attempt,
      ms: performance.now() - startedMs,
      error: error as AcoPayError | null,
      retryInMs,
    })
}

/** A merchant's order must not fail because its log does. */
function call<Told>(hook: ((told: Told) => void) | undefined, told: Told): void {
  try {
    hook?.(told)
  } catch (error) {
    console.error(`ACO Pay hook: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
