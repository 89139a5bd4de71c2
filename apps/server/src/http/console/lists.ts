/** Refunds, reversals and notifications at the console. */
import { formatYuan, NOTIFICATION_STATES } from '@acopay/core'
import type {
  NotificationList,
  NotificationRow,
  RefundList,
  RefundRow,
  Resent,
  ReversalList,
  ReversalRow,
  TryRow,
} from '@acopay/protocol/console'
import {
  findOrder,
  type LastAnswer,
  type ListedNotification,
  listNotifications,
  listNotificationTries,
  listRefunds,
  listReversals,
  listUnheard,
  resendNotifications,
} from '@acopay/store'
import type { World } from '../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf } from './call.ts'
import { fieldsOf } from './fields.ts'

/** A refund or a reversal that takes longer is worth a look. */
export const STUCK_MS = 3_600_000
const TRIES_MAX = 50
const RESENT_AT_ONCE = 10_000

type Found<Part> = Part & { mchNo: string; transactionNo: string }

export const refundRow = (one: Found<Awaited<ReturnType<typeof listRefunds>>[number]>, now: Date): RefundRow => ({
  ...{ mch_no: one.mchNo, transaction_no: one.transactionNo, refund_no: one.refundNo, mch_refund_no: one.mchRefundNo },
  ...{ attempt_no: one.attemptNo, channel: one.channel, amount: formatYuan(one.amountFen), reason: one.reason },
  ...{ state: one.state, failure: one.failure, created_at: one.createdAt.toISOString() },
  success_time: one.successTime?.toISOString() ?? null,
  ...{ is_stuck: isStuck(one, now), ...saidOf(one) },
})

export const reversalRow = (one: Found<Awaited<ReturnType<typeof listReversals>>[number]>, now: Date): ReversalRow => ({
  ...{ mch_no: one.mchNo, transaction_no: one.transactionNo, refund_no: one.refundNo, attempt_no: one.attemptNo },
  ...{ payment_no: one.paymentNo, channel: one.channel, amount: formatYuan(one.amountFen), state: one.state },
  ...{ created_at: one.createdAt.toISOString(), changed_at: one.changedAt.toISOString() },
  ...{ is_stuck: isStuck(one, now), ...saidOf(one) },
})

/** What the upstream said last of something that has not ended well. */
export const saidOf = ({ lastAnswer, lastAnswerAt }: LastAnswer) => ({
  ...{ last_answer: lastAnswer, last_answer_at: lastAnswerAt?.toISOString() ?? null },
})

const isStuck = ({ state, createdAt }: { state: string; createdAt: Date }, now: Date): boolean =>
  state === 'PROCESSING' && now.getTime() - createdAt.getTime() > STUCK_MS

export const notificationRow = (one: ListedNotification): NotificationRow => ({
  ...{ mch_no: one.mchNo, transaction_no: one.transactionNo, seq: one.seq, kind: one.kind, state: one.state },
  ...{ url: one.url, tries: one.tries, created_at: one.createdAt.toISOString() },
  ...{ next_at: one.nextAt?.toISOString() ?? null, tried_at: one.triedAt?.toISOString() ?? null },
  ...{ http_status: one.httpStatus, failure: one.failure },
})

/** One page of what was found, one more than a page telling whether there is another. */
export const pageOf = <Row>(found: Row[], limit: number, placeOf: (row: Row) => string) => {
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  return { rows, next: last === undefined ? null : placeOf(last) }
}

function filterOf({ caller, query }: ConsoleCall) {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const state = read.word('state', ['PROCESSING', 'SUCCESS', 'FAIL', 'STUCK'])
  const filter = { mchNo, state, number: read.text('number', 64), before: read.text('after', 38), limit: read.limit() }
  return read.failed() ?? filter
}

async function refunds(world: World, call: ConsoleCall): Promise<RefundList | Failed> {
  const filter = filterOf(call)
  if (filter instanceof Failed) return filter
  const now = world.now()
  const found = await listRefunds(world.pool, filter, new Date(now.getTime() - STUCK_MS), filter.limit + 1)
  const rows = found.map((one) => refundRow(one, now))
  return pageOf(rows, filter.limit, ({ refund_no }) => refund_no)
}

async function reversals(world: World, call: ConsoleCall): Promise<ReversalList | Failed> {
  const filter = filterOf(call)
  if (filter instanceof Failed) return filter
  const now = world.now()
  const found = await listReversals(world.pool, filter, new Date(now.getTime() - STUCK_MS), filter.limit + 1)
  const rows = found.map((one) => reversalRow(one, now))
  return pageOf(rows, filter.limit, ({ refund_no }) => refund_no)
}

async function notifications(world: World, { caller, query }: ConsoleCall): Promise<NotificationList | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const state = read.word('state', NOTIFICATION_STATES)
  const transactionNo = read.text('transaction_no', 38)
  const after = read.text('after', 120)?.split('.')
  const limit = read.limit()
  const [ms, ofMerchant = '', number = '', seq] = after ?? []
  const place = { createdAt: new Date(Number(ms)), mchNo: ofMerchant, transactionNo: number, seq: Number(seq) }
  const isPlace = !Number.isNaN(place.createdAt.getTime()) && isSeq(place.seq)
  if (after !== undefined && !isPlace) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  if (mchNo === null && (state === 'DELIVERED' || transactionNo !== null)) {
    read.say('mch_no', '查询已送达的通知或某一订单时必填', 'is needed for what was heard, and for one order')
  }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const before = after === undefined ? null : place
  const found =
    mchNo === null
      ? await listUnheard(world.pool, state === 'DELIVERED' ? null : state, before, limit + 1)
      : await listNotifications(world.pool, mchNo, { transactionNo, state, before }, limit + 1)
  const { rows, next } = pageOf(found, limit, (one) =>
    [one.createdAt.getTime(), one.mchNo, one.transactionNo, one.seq].join('.'),
  )
  return { rows: rows.map(notificationRow), next }
}

async function tries(world: World, { caller, path }: ConsoleCall): Promise<{ rows: TryRow[]; next: null } | Failed> {
  const { mch_no = '', transaction_no = '', seq } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  const key = { mchNo: mch_no, transactionNo: transaction_no, seq: Number(seq) }
  if (!isSeq(key.seq)) return ABSENT()
  const found = await listNotificationTries(world.pool, key, TRIES_MAX)
  const rows = found.map(({ at, ms, httpStatus, reply, failure }) => ({
    ...{ at: at.toISOString(), ms, http_status: httpStatus, reply, failure },
  }))
  return { rows, next: null }
}

const isSeq = (seq: number): boolean => Number.isInteger(seq) && seq >= 1 && seq < 2 ** 31

const ABSENT = () => failed('NOT_FOUND', '没有这条通知', 'There is no such notification')

async function resend(world: World, { caller, body }: ConsoleCall): Promise<Resent | Failed> {
  const read = fieldsOf(body)
  const mchNo = merchantOf(caller, read.needed('mch_no', 32))
  if (mchNo instanceof Failed) return mchNo
  const transactionNo = read.text('transaction_no', 38)
  const [seq, dead] = [read.whole('seq', 1, 1_000_000), read.yes('dead')]
  const [from, until] = [read.time('from'), read.time('until')]
  if ((transactionNo === null) !== (dead === true)) {
    read.say('transaction_no', '与 dead 二选一', 'or dead, one of both, is needed')
  }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const ofMerchant = mchNo ?? ''
  if (transactionNo !== null && (await findOrder(world.pool, ofMerchant, { transactionNo })) === null) return ABSENT()
  const choice = transactionNo === null ? { dead: { from, until } } : { transactionNo, seq }
  return { resent: await resendNotifications(world.pool, ofMerchant, choice, RESENT_AT_ONCE, world.now()) }
}

export const listEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'refunds', permission: 'orders.read', handle: refunds },
  { method: 'GET', path: 'reversals', permission: 'orders.read', handle: reversals },
  { method: 'GET', path: 'notifications', permission: 'notifications.read', handle: notifications },
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
      detail: { seq: Number(seq) || undefined, dead: dead === true, from: brief(from), until: brief(until) },
    }),
    handle: resend,
  },
]

const brief = (value: unknown): string | undefined => (typeof value === 'string' ? value.slice(0, 32) : undefined)
