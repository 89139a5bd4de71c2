/**
 * Handles a notification's request: verifies the raw body, calls the merchant's code and gives the answer. Needs no web
 * framework.
 */
import { HEARD, NOT_HEARD } from '@acopay/protocol'
import { AcoPayError, ParameterError, UnknownNotificationError } from './errors.ts'
import type { NotificationStore } from './notification-store.ts'
import {
  eventIdOf,
  type NotificationEvent,
  type PaymentEvent,
  type PaymentReturnedEvent,
  type RefundEvent,
  readNotification,
  readVerifyOptions,
  type SentBackEvent,
  type VerifyOptions,
} from './notifications.ts'

/**
 * Your code. An event is acknowledged when the promise is fulfilled; if it rejects, the gateway sends the event again.
 */
export type NotificationCallbacks<Tx> = {
  /** The order is paid: deliver the goods. */
  onPayment: (event: PaymentEvent, tx: Tx) => void | Promise<void>
  /** The payment was returned outside of the gateway: the order is no longer paid. */
  onPaymentReturned: (event: PaymentReturnedEvent, tx: Tx) => void | Promise<void>
  /** One of your refunds has succeeded or failed. */
  onRefund: (event: RefundEvent, tx: Tx) => void | Promise<void>
  /**
   * Money that came late, twice or with a wrong amount is back with the payer. Only apps in which this notification is switched on
   * hear it. Without this callback it is answered with 500, and sent again.
   */
  onSentBack?: (event: SentBackEvent, tx: Tx) => void | Promise<void>
}

export type NotificationOptions = VerifyOptions & {
  /**
   * Called for everything that is not answered with SUCCESS. Default: console.error with a line, or with your error's
   * stack.
   */
  onError?: (error: unknown) => void | Promise<void>
}

export type NotificationAnswer = { status: number; headers: Record<string, string>; body: string }

/** Takes the request's raw body, before any JSON parser. Never rejects. */
export type NotificationHandler = (rawBody: string | Uint8Array) => Promise<NotificationAnswer>

/** A larger body is refused. Notifications have at most a few KB. */
export const BODY_BYTES_MAX = 64 * 1024

/**
 * Makes a handler that verifies a notification, calls your callback and answers. All callbacks but `onSentBack` are
 * required, so that no event is acknowledged without code that handles it. With a store each event reaches you once, and `tx` is the store's
 * transaction; without one, a repeated event reaches you again. A callback has 5 s: after that the gateway has given up
 * the request and sends the event again later.
 *
 * 200 SUCCESS: the event was handled, now or before. After any other answer the gateway sends the event again for 24 h
 * and then keeps it until you ask for it (`resendNotifications`). 500: a callback or the store failed, or the event is
 * the platform's but of a kind this version does not know, so nothing is lost until you update this package. 401: the
 * signature, merchant or time is wrong. 400: not a notification. 413: too large.
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
    case 'sent_back':
      if (callbacks.onSentBack !== undefined) return callbacks.onSentBack(event, tx)
      throw new UnknownNotificationError('money was sent back, and there is no onSentBack to hear of it')
  }
}

/** The error goes to the merchant's `onError` only: the answer does not contain it. */
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

function logError(error: unknown): void {
  console.error(`ACO Pay notification: ${logText(error)}`)
}

/** The stack only: other members of an error, such as a database error's, may contain stored data. */
function logText(error: unknown): string | undefined {
  if (error instanceof AcoPayError) return error.message
  return error instanceof Error ? error.stack : String(error)
}
