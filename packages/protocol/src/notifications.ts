/**
 * Notifications to merchants (spec/protocol.md 3.7): flat, signed, with exactly the listed fields, because SDK 1.0.0
 * fails on any other.
 */

import { type JsonObject, notificationText } from './canonical.ts'
import { parseJson } from './json.ts'
import { SIGN_TYPE, type Sign } from './sign.ts'

/** The fields of each kind of notification, without the five that `signedNotification` adds. */
export const NOTIFICATION_FIELDS = {
  payment: [
    'transaction_no',
    'mch_trade_no',
    'app_no',
    'extra',
    'code',
    'description',
    'amount_total',
    'amount_currency',
    'success_time',
    'acoid',
  ],
  refund: [
    'transaction_no',
    'mch_trade_no',
    'refund_no',
    'mch_refund_no',
    'code',
    'description',
    'refund_amount',
    'success_time',
    'refund_reason',
  ],
  /** [ours] Only for apps that asked for it: the official SDKs read no such notification. */
  sent_back: [
    'transaction_no',
    'mch_trade_no',
    'app_no',
    'extra',
    'reversal_no',
    'code',
    'description',
    'payment_no',
    'amount',
    'currency',
    'pay_channel',
    'paid_time',
    'success_time',
  ],
} as const

export type NotificationKind = keyof typeof NOTIFICATION_FIELDS

/** Every listed field, in this order; null when it has no value. */
export type NotificationNews<Kind extends NotificationKind> = {
  [Name in (typeof NOTIFICATION_FIELDS)[Kind][number]]: string | null
}

/** `notifyTime` in the form of `timeText`. */
export type Notifier = { mchNo: string; nonce: string; notifyTime: string; sign: Sign }

/** The body of one notification: `news` and `mch_no`, `nonce`, `sign_type`, `notify_time`, `sign`. */
export async function signedNotification(news: Record<string, string | null>, by: Notifier): Promise<string> {
  const body: JsonObject = {
    mch_no: by.mchNo,
    nonce: by.nonce,
    sign_type: SIGN_TYPE,
    notify_time: by.notifyTime,
    ...news,
  }
  return JSON.stringify({ ...body, sign: await by.sign(notificationText(body)) })
}

/** The merchant's answer, with HTTP 200, that acknowledges a notification. */
export const HEARD = { status: 'SUCCESS', message: '成功' } as const

/** The merchant's answer that asks for the notification again. */
export const NOT_HEARD = { status: 'FAIL', message: '失败' } as const

/** The time a merchant has to answer, in ms. */
export const NOTIFY_TIMEOUT_MS = 5000

/** Whether this answer acknowledges the notification: HTTP 200 and a JSON object whose `status` is `SUCCESS`. */
export function isHeard(httpStatus: number, body: string): boolean {
  if (httpStatus !== 200) return false
  try {
    // A body that is `null` throws here, like one that is not JSON.
    const { status } = parseJson(body) as { status?: unknown }
    return status === HEARD.status
  } catch {
    return false
  }
}
