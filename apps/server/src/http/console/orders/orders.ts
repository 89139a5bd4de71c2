/** Orders at the console: the list, the search, and one order with its attempts, payments and so on. */
import {
  decide,
  formatYuan,
  NOTIFICATION_STATES,
  ORDER_EVENTS,
  ORDER_STATES,
  ORDER_TABLE,
  type OrderState,
} from '@acopay/core'
import type { OrderDetail, OrderList, OrderRow, TimelineRow } from '@acopay/protocol/console'
import {
  FIRST_NUMBER,
  findOrder,
  keptPayment,
  LAST_NUMBER,
  type ListedOrder,
  listNotifications,
  listOrders,
  ORDER_SORTS,
  type Order,
  type OrderListFilter,
  type OrderSort,
  readOrderParts,
  readTimeline,
} from '@acopay/store/read'
import { snapshotOf } from '../../../actions/order/change-order.ts'
import { brokenEntry } from '../../../actions/order/check-timeline.ts'
import { platformNumber } from '../../../security/numbers.ts'
import type { World } from '../../../world.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, merchantOf, orderOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { refundRow, reversalRow, saidOf } from '../money/refunds-and-reversals.ts'
import { stuckBefore } from '../system/stuck.ts'
import { notificationRow } from './notifications.ts'
import { notesFor } from './order-notes.ts'
import { sortedOrders } from './order-sorting.ts'
import { ordersOfNumber } from './orders-of-number.ts'

/** A page of a rare kind of orders reads at most this many orders. */
const EXAMINED = 20_000
const NOTIFICATIONS_MAX = 100

/** The smallest number that an order of this moment or later can have: numbers begin with the time. */
const numberAt = (at: Date | null): string | null => (at === null ? null : platformNumber('AP', at, ''))

type Asked = OrderListFilter & { number: string | null; limit: number; sort: OrderSort | null; after: string | null }

function filterOf({ caller, query, pageMax }: ConsoleCall, now: Date): Asked | Failed {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const times = read.times()
  const until = numberAt(times.until) ?? LAST_NUMBER
  const sort = read.word('sort', ORDER_SORTS)
  const place = read.text('after', sort === null ? 38 : 60)
  const after = sort === null && place !== null ? place : LAST_NUMBER
  const state = read.word('state', [...ORDER_STATES, 'STUCK'])
  const filter = {
    mchNo,
    number: read.text('number', 64),
    from: numberAt(times.from) ?? FIRST_NUMBER,
    before: after < until ? after : until,
    state: state === 'STUCK' ? null : state,
    stuckBefore: state === 'STUCK' ? stuckBefore(now) : null,
    channel: read.text('channel', 32),
    appNo: read.text('app_no', 32),
    isSentBack: read.word('sent_back', ['true']) !== null,
    notified: read.word('notified', NOTIFICATION_STATES),
    ...read.amounts(),
    sort,
    after: place,
    limit: read.limit(pageMax),
  }
  return read.failed() ?? filter
}

export const orderRow = (order: ListedOrder): OrderRow => ({
  mch_no: order.mchNo,
  transaction_no: order.transactionNo,
  mch_trade_no: order.mchTradeNo,
  app_no: order.appNo,
  description: order.description,
  amount_total: formatYuan(order.amountFen),
  state: order.state,
  close_reason: order.closeReason,
  pay_channel: order.payChannel,
  pay_method: order.payMethod,
  created_at: order.createdAt.toISOString(),
  time_expire: order.timeExpire.toISOString(),
  success_time: order.successTime?.toISOString() ?? null,
  sent_back: order.isSentBack,
})

export async function orders(world: World, call: ConsoleCall): Promise<OrderList | Failed> {
  const filter = filterOf(call, world.now())
  if (filter instanceof Failed) return filter
  if (filter.number !== null) {
    const found = await ordersOfNumber(world, filter.number, filter.mchNo, filter.limit)
    return { rows: found.map(orderRow), next: null }
  }
  const { sort, after } = filter
  if (sort !== null) {
    const sorted = await sortedOrders(world, { filter, sort, after, examined: EXAMINED })
    return sorted instanceof Failed ? sorted : { rows: sorted.orders.map(orderRow), next: sorted.next }
  }
  const { orders: found, next } = await listOrders(world.pool, filter, filter.limit, EXAMINED)
  return { rows: found.map(orderRow), next }
}

export async function orderDetail(world: World, call: ConsoleCall): Promise<OrderDetail | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const { mchNo, transactionNo } = order
  const chain = await readChain(world, order)
  const parts = await readOrderParts(world.pool, mchNo, transactionNo)
  const kept = await keptPayment(world.pool, mchNo, transactionNo)
  const some = { transactionNo, state: null, before: null }
  const notifications = await listNotifications(world.pool, mchNo, some, NOTIFICATIONS_MAX)
  const refundableFen = kept === null ? 0n : kept.paidFen - kept.refundedFen
  const now = world.now()
  return {
    ...orderRow({
      ...order,
      createdAt: chain.entries[0]?.at ?? order.timeExpire,
      isSentBack: parts.reversals.length > 0,
    }),
    extra: order.extra,
    notify_url: order.notifyUrl,
    acoid: order.payer,
    cashier_url: world.cashierUrl(mchNo, transactionNo),
    allowed: allowedOf(world, order, call.caller, { refundableFen, notifications: notifications.length }),
    refundable: formatYuan(refundableFen),
    states: [...ORDER_STATES],
    moves: MOVES,
    timeline: chain.entries.map(timelineRow),
    timeline_broken_at: chain.brokenAt,
    attempts: parts.attempts.map(attemptRow),
    payments: parts.payments.map(paymentRow),
    refunds: parts.refunds.map((one) => refundRow({ ...one, mchNo, transactionNo }, now)),
    reversals: parts.reversals.map((one) => reversalRow({ ...one, mchNo, transactionNo }, now)),
    notifications: notifications.map(notificationRow),
    jobs: parts.jobs.map(jobRow),
    ...(await notesFor(world, order, call.caller)),
  }
}

type Parts = Awaited<ReturnType<typeof readOrderParts>>

const attemptRow = (one: Parts['attempts'][number]): OrderDetail['attempts'][number] => ({
  attempt_no: one.attemptNo,
  channel: one.channel,
  method: one.method,
  state: one.state as OrderDetail['attempts'][number]['state'],
  upstream_expire: one.upstreamExpire.toISOString(),
  created_at: one.createdAt.toISOString(),
  changed_at: one.changedAt.toISOString(),
  watched_until: one.watchedUntil?.toISOString() ?? null,
  ...saidOf(one),
})

const paymentRow = (one: Parts['payments'][number]): OrderDetail['payments'][number] => ({
  attempt_no: one.attemptNo,
  payment_no: one.paymentNo,
  channel: one.channel,
  amount: formatYuan(one.amountFen),
  currency: one.currency,
  fate: one.fate,
  paid_at: one.paidAt.toISOString(),
  booked_at: one.bookedAt.toISOString(),
})

const jobRow = (one: Parts['jobs'][number]): OrderDetail['jobs'][number] => ({
  kind: one.kind,
  subject: one.subject,
  tries: one.tries,
  due_at: one.dueAt.toISOString(),
  created_at: one.createdAt.toISOString(),
})

/** The timeline, and where its chain or a stamp is broken. An order that changes during the two reads is read again. */
async function readChain(world: World, order: Order) {
  const { mchNo, transactionNo } = order
  for (let tries = 1; ; tries += 1) {
    const entries = await readTimeline(world.pool, mchNo, transactionNo)
    const head = await findOrder(world.pool, mchNo, { transactionNo })
    const broken = await brokenEntry(world, head ?? order, entries)
    if (broken === null || tries === 3) return { entries, brokenAt: broken }
  }
}

function timelineRow({ seq, at, entry, hash }: { seq: number; at: Date; entry: string; hash: Buffer }): TimelineRow {
  const { at: _at, event, from = null, to, ...detail } = JSON.parse(entry) as TimelineRow & Record<string, unknown>
  return { seq, at: at.toISOString(), event, from, to, detail, hash: hash.toString('hex') }
}

/** Every move from one state to another, with the events that cause it. The page draws its picture from this. */
const MOVES = (() => {
  const moves: OrderDetail['moves'] = []
  const add = (from: OrderState, to: OrderState, event: string): void => {
    const known = moves.find((move) => move.from === from && move.to === to)
    if (from === to || known?.events.includes(event)) return
    if (known === undefined) moves.push({ from, to, events: [event] })
    else known.events.push(event)
  }
  for (const from of ORDER_STATES) {
    for (const event of ORDER_EVENTS) {
      const cell: { no?: string; to?: OrderState; untouched?: OrderState } = ORDER_TABLE[from][event]
      if (cell.to !== undefined) add(from, cell.to, event)
      if (cell.untouched !== undefined) add(from, cell.untouched, event)
    }
  }
  return moves
})()

/**
 * The operations that the order's table allows now and the caller has permission for. Closing a CLOSING order again makes the
 * gateway ask the upstreams at once.
 */
function allowedOf(
  world: World,
  order: Order,
  { permissions }: Caller,
  has: { refundableFen: bigint; notifications: number },
): OrderDetail['allowed'] {
  const nowMs = world.now().getTime()
  const isRefused = (happening: Parameters<typeof decide>[1]): boolean =>
    decide(snapshotOf(order), happening, nowMs).refused !== null
  const canClose = order.state !== 'CLOSED' && !isRefused({ event: 'close_asked', by: 'OPERATOR' })
  const canRefund = has.refundableFen > 0n && !isRefused({ event: 'refund_asked' })
  const allowed: OrderDetail['allowed'] = []
  if (canClose && permissions.includes('orders.close')) allowed.push('close')
  if (canRefund && permissions.includes('refunds.create')) allowed.push('refund')
  if (has.notifications > 0 && permissions.includes('notifications.resend')) allowed.push('resend')
  return allowed
}

export const orderEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'orders', permission: 'orders.read', handle: orders },
  { method: 'GET', path: 'orders/:mch_no/:transaction_no', permission: 'orders.read', handle: orderDetail },
]
