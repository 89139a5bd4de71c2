/** Notifications at the console: what was sent, what no merchant acknowledged, and sending it again. */
import { NOTIFICATION_STATES } from '@acopay/core'
import type { DeadLetters, NotificationList, NotificationRow, Resent, TryRow } from '@acopay/protocol/console'
import {
  countDeadNotifications,
  findOrder,
  type ListedNotification,
  listAllNotifications,
  listNotifications,
  listNotificationTries,
  listUndelivered,
  merchantOfOrder,
  type NotificationPlace,
} from '@acopay/store/read'
import { RESENT_AT_ONCE, resendNotifications } from '../../../actions/notification/resend-notifications.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf, oneMerchantOf } from '../call.ts'
import { briefOf, fieldsOf } from '../fields.ts'
import { pageOf } from '../places.ts'

const TRIES_MAX = 50
/** A page of one state over all merchants reads at most this many of the newest notifications. */
const EXAMINED = 500

export const notificationRow = (one: ListedNotification): NotificationRow => ({
  mch_no: one.mchNo,
  transaction_no: one.transactionNo,
  seq: one.seq,
  kind: one.kind,
  state: one.state,
  url: one.url,
  tries: one.tries,
  created_at: one.createdAt.toISOString(),
  next_at: one.nextAt?.toISOString() ?? null,
  tried_at: one.triedAt?.toISOString() ?? null,
  http_status: one.httpStatus,
  failure: one.failure,
})

const placeText = ({ createdAt, mchNo, transactionNo, seq }: NotificationPlace): string =>
  [createdAt.getTime(), mchNo, transactionNo, seq].join('.')

/** The page's filters. The platform may give an order's number without its merchant: the number finds the merchant. */
async function filterOf(world: World, { caller, query, pageMax }: ConsoleCall) {
  const read = fieldsOf(query)
  const asked = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (asked instanceof Failed) return asked
  const transactionNo = read.text('transaction_no', 38)
  const choice = { transactionNo, ...read.times() }
  const state = read.word('state', NOTIFICATION_STATES)
  const after = read.text('after', 120)?.split('.')
  const limit = read.limit(pageMax)
  const [ms, ofMerchant = '', number = '', seq] = after ?? []
  const place = { createdAt: new Date(Number(ms)), mchNo: ofMerchant, transactionNo: number, seq: Number(seq) }
  const isPlace = after?.length === 4 && !Number.isNaN(place.createdAt.getTime()) && isSeq(place.seq)
  if (after !== undefined && !isPlace) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const mchNo = asked ?? (transactionNo === null ? null : await merchantOfOrder(world.pool, transactionNo))
  return { mchNo, state, limit, before: after === undefined ? null : place, ...choice }
}

export async function notifications(world: World, call: ConsoleCall): Promise<NotificationList | Failed> {
  const filter = await filterOf(world, call)
  if (filter instanceof Failed) return filter
  const { mchNo, state, limit, transactionNo } = filter
  const answer = ({ rows, next }: { rows: ListedNotification[]; next: string | null }): NotificationList => ({
    rows: rows.map(notificationRow),
    next,
  })
  if (mchNo !== null) {
    return answer(pageOf(await listNotifications(world.pool, mchNo, filter, limit + 1), limit, placeText))
  }
  // No merchant's order has this number.
  if (transactionNo !== null) return answer({ rows: [], next: null })
  if (state === 'PENDING' || state === 'DEAD') {
    return answer(pageOf(await listUndelivered(world.pool, state, filter, limit + 1), limit, placeText))
  }
  const { rows, next } = await listAllNotifications(world.pool, filter, limit, state === null ? limit + 1 : EXAMINED)
  return answer({ rows, next: next === null ? null : placeText(next) })
}

async function tries(world: World, { caller, path }: ConsoleCall): Promise<{ rows: TryRow[]; next: null } | Failed> {
  const { mch_no = '', transaction_no = '', seq } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  const key = { mchNo: mch_no, transactionNo: transaction_no, seq: Number(seq) }
  if (!isSeq(key.seq)) return ABSENT()
  const found = await listNotificationTries(world.pool, key, TRIES_MAX)
  const rows = found.map(({ at, ms, httpStatus, reply, failure }) => ({
    at: at.toISOString(),
    ms,
    http_status: httpStatus,
    reply,
    failure,
  }))
  return { rows, next: null }
}

const isSeq = (seq: number): boolean => Number.isInteger(seq) && seq >= 1 && seq < 2 ** 31

const ABSENT = () => failed('NOT_FOUND', '没有这条通知', 'There is no such notification')

/** How many dead letters the filters choose, and of which merchant: the page shows it before it sends them again. */
async function deadLetters(world: World, call: ConsoleCall): Promise<DeadLetters | Failed> {
  const filter = await filterOf(world, call)
  if (filter instanceof Failed) return filter
  const { mchNo } = filter
  if (mchNo === null) {
    return failed('FIELD_INVALID', '请先选择商户或订单', 'Choose a merchant or an order first', { field: 'mch_no' })
  }
  const count = await countDeadNotifications(world.pool, mchNo, filter, RESENT_AT_ONCE + 1)
  return { mch_no: mchNo, count: Math.min(count, RESENT_AT_ONCE), has_more: count > RESENT_AT_ONCE }
}

async function resend(world: World, { caller, body }: ConsoleCall): Promise<Resent | Failed> {
  const read = fieldsOf(body)
  const mchNo = oneMerchantOf(caller, read.needed('mch_no', 32))
  if (mchNo instanceof Failed) return mchNo
  const transactionNo = read.text('transaction_no', 38)
  const [seq, dead] = [read.whole('seq', 1, 1_000_000), read.yes('dead')]
  const { from, until } = read.times()
  if (transactionNo === null && dead !== true) {
    read.say('transaction_no', '不能为空，除非 dead 为 true', 'is needed, unless dead is true')
  }
  if (seq !== null && dead === true) read.say('seq', '不与 dead 同用', 'does not go with dead')
  const wrong = read.failed()
  if (wrong !== null) return wrong
  if (transactionNo !== null && (await findOrder(world.pool, mchNo, { transactionNo })) === null) return ABSENT()
  const choice =
    dead === true || transactionNo === null ? { dead: { from, until, transactionNo } } : { transactionNo, seq }
  return { resent: await resendNotifications(world, mchNo, choice) }
}

export const notificationEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'notifications', permission: 'notifications.read', handle: notifications },
  { method: 'GET', path: 'notifications/dead', permission: 'notifications.read', handle: deadLetters },
  {
    method: 'GET',
    path: 'notifications/:mch_no/:transaction_no/:seq/tries',
    permission: 'notifications.read',
    handle: tries,
  },
  {
    method: 'POST',
    path: 'notifications/resend',
    permission: 'notifications.resend',
    action: 'notifications.resend',
    audited: ({ body: { mch_no, transaction_no, seq, dead, from, until } }) => ({
      mchNo: typeof mch_no === 'string' ? mch_no.slice(0, 32) : null,
      subject: typeof transaction_no === 'string' ? transaction_no.slice(0, 38) : null,
      detail: {
        seq: Number(briefOf(seq, 9)) || undefined,
        dead: dead === true,
        from: brief(from),
        until: brief(until),
      },
    }),
    handle: resend,
  },
]

const brief = (value: unknown): string | undefined => (typeof value === 'string' ? value.slice(0, 32) : undefined)
