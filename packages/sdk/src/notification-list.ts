/** Listing and resending notifications [ours]: for a merchant whose server was down or lost events. */
import {
  type ListedNotification,
  type ListedTry,
  parseListNotifications,
  parseNotificationTries,
  parseResend,
} from '@acopay/protocol'
import { type CallOptions, send } from './client.ts'
import { dateOf, present, refuseLocally, textOf, timeOf } from './fields.ts'
import { type Listing, listing } from './listing.ts'
import type { Settings } from './options.ts'

/** `DEAD`: the gateway has used up its tries and sends the notification only when it is asked to. */
export type NotificationState = 'PENDING' | 'DELIVERED' | 'DEAD'

export type NotificationFilter = {
  /** Notifications of one order, by the platform's number or yours; the platform's wins if both are given. */
  transactionNo?: string
  mchTradeNo?: string
  state?: NotificationState
  /** `next` of the page before. */
  before?: string
}

export type NotificationSummary = {
  transactionNo: string
  /** The notification's number within its order. */
  seq: number
  kind: 'payment' | 'refund' | 'sent_back'
  state: NotificationState
  /** The state in Chinese. */
  description: string
  url: string
  tries: number
  createdTime: Date
  /** When the gateway tries next; null when it will not. */
  nextTime: Date | null
  /**
   * The last try; null before the first. `httpStatus`: null when no answer came. `failure`: null when you acknowledged
   * it.
   */
  lastTime: Date | null
  httpStatus: number | null
  failure: string | null
}

/** At most 100, the newest first. `next` is the `before` of the next page; null on the last page. */
export type NotificationPage = { notifications: NotificationSummary[]; next: string | null }

/** `reply`: the first 4 KB of your server's answer. `ms`: how long the try took. */
export type NotificationTry = {
  time: Date
  ms: number
  httpStatus: number | null
  reply: string | null
  failure: string | null
}

/** The notifications of one order, one of them (`seq`), or your dead letters created between `from` and `until`. */
export type ResendChoice =
  | { transactionNo: string; seq?: number }
  | { mchTradeNo: string; seq?: number }
  | { state: 'DEAD'; from?: Date; until?: Date }

export const listNotifications = (
  settings: Settings,
  filter: NotificationFilter,
  options: CallOptions,
): Listing<NotificationPage, NotificationSummary> =>
  listing(
    async (before = filter.before) => {
      const { transactionNo, mchTradeNo, state } = filter
      const params = present({ transaction_no: transactionNo, mch_trade_no: mchTradeNo, state, before })
      refuseLocally(parseListNotifications(params))
      const data = await send(settings, { method: 'GET', path: 'notifications', params }, options)
      const listed = JSON.parse(textOf(data, 'notifications')) as ListedNotification[]
      return { notifications: listed.map(summaryOf), next: data.next ?? null }
    },
    ({ notifications }) => notifications,
  )

export async function notificationTries(
  settings: Settings,
  { transactionNo, seq }: { transactionNo: string; seq: number },
  options: CallOptions,
): Promise<NotificationTry[]> {
  const params = { transaction_no: transactionNo, seq: String(seq) }
  refuseLocally(parseNotificationTries(params))
  const data = await send(settings, { method: 'GET', path: 'notifications/tries', params }, options)
  const tries = JSON.parse(textOf(data, 'tries')) as ListedTry[]
  return tries.map(({ time, ms, http_status: httpStatus, reply, failure }) => ({
    time: new Date(time),
    ms,
    httpStatus,
    reply,
    failure,
  }))
}

/** The number that will be sent again. A call takes at most 10 000 dead letters: repeat it until it returns 0. */
export async function resendNotifications(
  settings: Settings,
  choice: ResendChoice,
  options: CallOptions,
): Promise<number> {
  const params =
    'state' in choice
      ? present({ state: choice.state, from: timeOf('from', choice.from), until: timeOf('until', choice.until) })
      : present({
          transaction_no: 'transactionNo' in choice ? choice.transactionNo : undefined,
          mch_trade_no: 'mchTradeNo' in choice ? choice.mchTradeNo : undefined,
          seq: choice.seq === undefined ? undefined : String(choice.seq),
        })
  refuseLocally(parseResend(params))
  const data = await send(settings, { method: 'POST', path: 'notifications/resend', params }, options)
  return Number(textOf(data, 'resent'))
}

const summaryOf = (one: ListedNotification): NotificationSummary => ({
  transactionNo: one.transaction_no,
  seq: one.seq,
  kind: one.kind,
  state: one.state,
  description: one.description,
  url: one.url,
  tries: one.tries,
  createdTime: new Date(one.created_time),
  nextTime: dateOf(one.next_time),
  lastTime: dateOf(one.last_time),
  httpStatus: one.http_status,
  failure: one.failure,
})
