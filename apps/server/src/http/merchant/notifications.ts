/**
 * `GET notifications`, `GET notifications/tries`, `POST notifications/resend` [ours]: a merchant reads the notifications it was
 * sent, and has them sent again.
 */
import {
  type Answer,
  DONE_ANSWER,
  isRefusal,
  type ListedNotification,
  type ListedTry,
  NOTIFICATION_ANSWERS,
  type OrderRef,
  parseListNotifications,
  parseNotificationTries,
  parseResend,
  type Refusal,
  refuse,
  timeText,
} from '@acopay/protocol'
import {
  findOrder,
  type ListedNotification as Listed,
  listNotifications,
  listNotificationTries,
} from '@acopay/store/read'
import { resendByMerchant } from '../../actions/notification/resend-notifications.ts'
import type { World } from '../../world.ts'
import { absentOrder } from './archived.ts'
import type { Endpoint } from './exchange.ts'

const PAGE = 100
const TRIES_MAX = 50

export const notificationsEndpoint: Endpoint = {
  method: 'GET',
  path: 'notifications',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const asked = parseListNotifications(params)
    if (isRefusal(asked)) return { answer: asked }
    const transactionNo = asked.ref === null ? null : await numberOf(world, mchNo, asked.ref)
    if (isNoOrder(transactionNo)) return { answer: transactionNo }
    const { state, before } = asked
    // One row more than a page shows whether there is a next page.
    const found = await listNotifications(world.pool, mchNo, { transactionNo, state, before }, PAGE + 1)
    const page = found.slice(0, PAGE)
    const last = found.length > PAGE ? page.at(-1) : undefined
    const next = last === undefined ? null : `${last.createdAt.getTime()}.${last.transactionNo}.${last.seq}`
    const notifications = JSON.stringify(page.map(listed))
    return { answer: { ...DONE_ANSWER, notifications, next } satisfies Answer<'get notifications'> }
  },
}

export const notificationTriesEndpoint: Endpoint = {
  method: 'GET',
  path: 'notifications/tries',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const asked = parseNotificationTries(params)
    if (isRefusal(asked)) return { answer: asked }
    const transactionNo = await numberOf(world, mchNo, asked.ref)
    if (isNoOrder(transactionNo)) return { answer: transactionNo }
    const tries = await listNotificationTries(world.pool, { mchNo, transactionNo, seq: asked.seq }, TRIES_MAX)
    const shown = tries.map(
      ({ at, ms, httpStatus, reply, failure }): ListedTry => ({
        time: timeText(at),
        ms,
        http_status: httpStatus,
        reply,
        failure,
      }),
    )
    const answer = { ...DONE_ANSWER, transaction_no: transactionNo, tries: JSON.stringify(shown) }
    return { transactionNo, answer: answer satisfies Answer<'get notifications/tries'> }
  },
}

export const resendEndpoint: Endpoint = {
  method: 'POST',
  path: 'notifications/resend',
  bodySigned: false,
  async handle(world, { mchNo, nonce }, params) {
    const asked = parseResend(params)
    if (isRefusal(asked)) return { answer: asked }
    if (nonce === null) return { answer: refuse('SIGN_ERROR') }
    const resent = await resendByMerchant(world, { mchNo, nonce, asked })
    if (resent.kind === 'nonce_used') return { answer: refuse('NONCE_REPEAT') }
    if (resent.kind === 'absent')
      return { answer: 'ref' in asked ? await absentOrder(world, mchNo, asked.ref) : refuse('ORDER_NOT_EXIST') }
    const answer = { ...DONE_ANSWER, resent: String(resent.count) } satisfies Answer<'post notifications/resend'>
    return resent.transactionNo === undefined ? { answer } : { transactionNo: resent.transactionNo, answer }
  },
}

/** The platform's number of the merchant's order. */
async function numberOf(world: World, mchNo: string, ref: OrderRef): Promise<string | Refusal> {
  const order = await findOrder(world.pool, mchNo, ref)
  return order?.transactionNo ?? absentOrder(world, mchNo, ref)
}

const isNoOrder = (found: string | Refusal | null): found is Refusal => found !== null && typeof found !== 'string'

const listed = (one: Listed): ListedNotification => ({
  transaction_no: one.transactionNo,
  seq: one.seq,
  kind: one.kind,
  state: one.state,
  description: NOTIFICATION_ANSWERS[one.state],
  url: one.url,
  tries: one.tries,
  created_time: timeText(one.createdAt),
  next_time: one.nextAt === null ? null : timeText(one.nextAt),
  last_time: one.triedAt === null ? null : timeText(one.triedAt),
  http_status: one.httpStatus,
  failure: one.failure,
})
