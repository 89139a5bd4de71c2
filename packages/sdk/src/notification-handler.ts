/** From a request's raw body to the merchant's own code and the answer; without a web framework. */
import { HEARD, NOT_HEARD } from '@acopay/protocol'
import { AcoPayError, ParameterError } from './errors.ts'
import type { NotificationStore } from './notification-store.ts'
import {
  eventIdOf,
  type NotificationEvent,
  type PaymentEvent,
  type PaymentReturnedEvent,
  type RefundEvent,
  readNotification,
  readVerifyOptions,
  type VerifyOptions,
} from './notifications.ts'

/** What to do. The event counts as heard once the promise is fulfilled; if it rejects, the gateway tells it again. */
export type NotificationCallbacks<Tx> = {
  /** The order is paid: deliver. */
  onPayment: (event: PaymentEvent, tx: Tx) => void | Promise<void>
  /** What was paid went back outside of the gateway: the order is not paid any more. */
  onPaymentReturned: (event: PaymentReturnedEvent, tx: Tx) => void | Promise<void>
  /** How a refund of yours ended. */
  onRefund: (event: RefundEvent, tx: Tx) => void | Promise<void>
}

export type NotificationOptions = VerifyOptions & {
  /** Hears of all that was not answered with SUCCESS; default: a line, or your own error's stack, by console.error. */
  onError?: (error: unknown) => void | Promise<void>
}

export type NotificationAnswer = { status: number; headers: Record<string, string>; body: string }

/** Takes a request's body as it came, before any JSON parser. Never rejects. */
export type NotificationHandler = (rawBody: string | Uint8Array) => Promise<NotificationAnswer>

/** A notification has at most a few KB. */
export const BODY_BYTES_MAX = 64 * 1024

/**
 * Verifies, calls you back, answers. All callbacks are asked for, so that nothing is acknowledged that nobody dealt
 * with. With a store each event reaches you once, and `tx` is the store's transaction; without one, an event that is
 * told twice reaches you twice. Answer within 5 s: later is too late, and the gateway tells it again.
 *
 * 200 SUCCESS: dealt with, now or before. Everything else makes the gateway tell it again: 500, a callback or the store
 * failed, or it is the platform's but of a kind this version does not know; after 24 h it waits at the gateway until it
 * is sent by hand, so an update of this package loses nothing. 401: not proven. 400: no notification. 413: too large.
 */
export function notificationHandler<Tx>(
  options: NotificationOptions & NotificationCallbacks<Tx> & { store: NotificationStore<Tx> },
): NotificationHandler
export function notificationHandler(
  options: NotificationOptions & NotificationCallbacks<undefined> & { store?: undefined },
): NotificationHandler
export function notificationHandler<Tx>(
  options: NotificationOptions & NotificationCallbacks<Tx | undefined> & { store?: NotificationStore<Tx> | undefined },
): NotificationHandler {
  const verifier = readVerifyOptions(options)
  for (const name of ['onPayment', 'onPaymentReturned', 'onRefund'] as const) {
    if (typeof options[name] !== 'function') throw new ParameterError(name, `${name} is missing`)
  }
  const { store, onError = logError } = options

  async function dealWith(event: NotificationEvent): Promise<void> {
    const work = async (tx: Tx | undefined): Promise<void> => call(options, event, tx)
    await (store === undefined ? work(undefined) : store.once(eventIdOf(event), work))
  }

  return async (rawBody) => {
    try {
      if (typeof rawBody !== 'string' && !(rawBody instanceof Uint8Array)) throw new ParameterError('rawBody', PARSED)
      if (rawBody.length > BODY_BYTES_MAX) {
        return await refuse(
          413,
          new ParameterError('rawBody', `the body has more than ${BODY_BYTES_MAX} bytes`),
          onError,
        )
      }
      const seen = readNotification(rawBody, verifier)
      if ('error' in seen) return await refuse(HTTP_STATUS[seen.why], seen.error, onError)
      await dealWith(seen.event)
      return answer(200, HEARD)
    } catch (error) {
      return refuse(500, error, onError)
    }
  }
}

const HTTP_STATUS = { garbled: 400, forged: 401, unknown: 500 } as const

const PARSED =
  'the raw body is gone: something parsed it before. In Express mount the handler before express.json(); elsewhere hand over the bytes as they came'

function call<Tx>(callbacks: NotificationCallbacks<Tx>, event: NotificationEvent, tx: Tx): void | Promise<void> {
  switch (event.kind) {
    case 'payment':
      return callbacks.onPayment(event, tx)
    case 'payment_returned':
      return callbacks.onPaymentReturned(event, tx)
    case 'refund':
      return callbacks.onRefund(event, tx)
  }
}

/** What went wrong is the merchant's own business: the answer says nothing of it. */
async function refuse(
  status: number,
  error: unknown,
  onError: (error: unknown) => void | Promise<void>,
): Promise<NotificationAnswer> {
  try {
    await onError(error)
  } catch (another) {
    logError(another)
  }
  return answer(status, NOT_HEARD)
}

const answer = (status: number, body: typeof HEARD | typeof NOT_HEARD): NotificationAnswer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
})

/** The stack only: other members of an error, a database's say, may hold what was stored. */
function logError(error: unknown): void {
  const text = error instanceof AcoPayError ? error.message : error instanceof Error ? error.stack : String(error)
  console.error(`ACO Pay notification: ${text}`)
}
