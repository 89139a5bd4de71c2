/**
 * Pages of orders, by every filter of the console. Each page reads a bounded stretch of an index, chosen by what is asked: that of
 * the platform's numbers, or a small one that holds only what is looked for.
 */
import type { NotificationState, OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { HEALTH_MAX } from '../jobs/stuck-jobs.ts'
import { type Bound, bound, ifAsked } from './bound.ts'
import { type ListedOrder, OWN_COLUMNS } from './order-lists.ts'

/** `from` and `before` are platform numbers or their prefixes: the list holds orders from `from` on and before `before`. */
export type OrderListFilter = {
  mchNo: string | null
  from: string
  before: string
  state: OrderState | null
  channel: string | null
  amountMin: bigint | null
  amountMax: bigint | null
  appNo?: string | null
  /** Only orders of which the gateway has sent a payment back, or is sending it. */
  isSentBack?: boolean
  /** Only orders with a notification in this state. Of PENDING and DEAD, the newest `UNHEARD_MAX` notifications are looked at. */
  notified?: NotificationState | null
  /** Only orders that have been CLOSING, or past their expiry and NOTPAY, since before this moment. */
  stuckBefore?: Date | null
}

/** Bounds where the filter has none: every platform number of an order lies between them. */
export const FIRST_NUMBER = 'AP'
export const LAST_NUMBER = 'AQ'

export const UNHEARD_MAX = 5000
/** Of orders whose money was sent back, a page looks at so many of each merchant. */
const SENT_BACK_MAX = 500
/** Whether an order was heard of is asked order by order. */
const HEARD_MAX = 5000

/** Where a page looks: `rows` selects orders, `keys` their numbers. `examined` null: it is few, and all are looked at. */
// Numbers of rows stand in the text and so in the statement's name, so that PostgreSQL makes its plan for them.
type Source = { name: string; rows: string; keys: string | null; examined: number | null }

/**
 * The newest first: at most `limit` of the `examined` newest orders in the range, so that a filter with few matches does not
 * read the whole table. `next` is where the next page begins, null at the end. What has an index of its own is found however
 * old it is: orders being closed, those whose money was sent back, and paid ones of one amount. Of stuck orders, those that have
 * been stuck the longest, as many as the overview counts.
 */
export async function listOrders(
  db: Db,
  filter: OrderListFilter,
  limit: number,
  examined: number,
): Promise<{ orders: ListedOrder[]; next: string | null }> {
  const asked = bound()
  const source = sourceOf(filter, examined, asked)
  const { mchNo, isSentBack = false, notified = null } = filter
  // A cluster does not look from a page of all its orders into another table; it joins them.
  const areHeard = mchNo === null && notified === 'DELIVERED' && !isSentBack && source.keys !== null
  const conditions = conditionsOf(areHeard ? { ...filter, notified: null } : filter, asked)
  const name = `list${source.name}Orders${isSentBack ? 'Back' : ''}${notified === null ? '' : 'Heard'}${mchNo === null ? '' : 'OfOne'}`
  const orders = await run<OwnRow>(
    db,
    name,
    `select ${areHeard ? 'distinct ' : ''}${OWN_COLUMNS} from (${source.rows}) o
      ${areHeard ? `join notification x on ${ofOrder('o.mch_no')} and x.state = 'DELIVERED'` : ''}
      where ${conditions.join(' and ')}
      order by o.transaction_no desc limit ${asked.at(limit + 1, 'bigint')}`,
    asked.values,
  )
  const shown = await withSentBack(db, mchNo, orders.slice(0, limit))
  if (orders.length > limit) return { orders: shown, next: shown.at(-1)?.transactionNo ?? null }
  return { orders: shown, next: await endOf(db, filter, source, examined) }
}

export type OwnRow = Omit<ListedOrder, 'isSentBack'>

/** Asked of the orders that are shown, and apart: a cluster does not look from a page of all its orders into another table. */
export async function withSentBack(db: Db, mchNo: string | null, orders: OwnRow[]): Promise<ListedOrder[]> {
  if (orders.length === 0) return []
  const back = await run<{ transactionNo: string }>(
    db,
    `sentBackAmong${ofWhom(mchNo)}`,
    `select transaction_no as "transactionNo" from reversal
      where mch_no = ${mchNo === null ? 'any ($1)' : '$1'} and transaction_no = any ($2)`,
    [mchNo ?? [...new Set(orders.map((order) => order.mchNo))], orders.map(({ transactionNo }) => transactionNo)],
  )
  // The platform's numbers are of one order each.
  const numbers = new Set(back.map(({ transactionNo }) => transactionNo))
  return orders.map((order) => ({ ...order, isSentBack: numbers.has(order.transactionNo) }))
}

/** What `o`, an order, has to be. */
export function conditionsOf(filter: OrderListFilter, asked: Bound): string[] {
  const { mchNo, from, before, notified = null } = filter
  const whose = (): string => (mchNo === null ? 'o.mch_no' : asked.at(mchNo, 'text'))
  return [
    `o.transaction_no >= ${asked.at(from, 'text')} and o.transaction_no < ${asked.at(before, 'text')}`,
    ifAsked(asked, mchNo, 'text', (at) => `o.mch_no = ${at}`),
    ifAsked(asked, filter.state, 'text', (at) => `o.state = ${at}`),
    ifAsked(asked, filter.channel, 'text', (at) => `o.pay_channel = ${at}`),
    ifAsked(asked, filter.appNo ?? null, 'text', (at) => `o.app_no = ${at}`),
    ifAsked(asked, filter.amountMin, 'bigint', (at) => `o.amount_fen >= ${at}`),
    ifAsked(asked, filter.amountMax, 'bigint', (at) => `o.amount_fen <= ${at}`),
    ...(filter.isSentBack ? [sentBack(whose())] : []),
    ...(notified === null ? [] : [notifiedIn(whose(), asked.at(notified, 'text'))]),
  ]
}

/** `whose`: the merchant of the order. */
const ofOrder = (whose: string): string => `x.mch_no = ${whose} and x.transaction_no = o.transaction_no`
const sentBack = (whose: string): string => `exists (select from reversal x where ${ofOrder(whose)})`
const notifiedIn = (whose: string, state: string): string =>
  `exists (select from notification x where ${ofOrder(whose)} and x.state = ${state})`

/** The last of the orders that were looked at, where there may be more behind it. */
async function endOf(db: Db, filter: OrderListFilter, source: Source, examined: number): Promise<string | null> {
  if (source.examined === null) return null
  const asked = bound()
  const { keys, name, examined: most } = sourceOf(filter, examined, asked)
  if (keys === null || most === null) return null
  const last = await run<{ number: string }>(
    db,
    `list${name}OrdersEnd`,
    `select transaction_no as number from (${keys}) k order by transaction_no desc
      offset ${asked.at(most - 1, 'bigint')} limit 1`,
    asked.values,
  )
  return last[0]?.number ?? null
}

function sourceOf(filter: OrderListFilter, examined: number, asked: Bound): Source {
  const { mchNo, state, stuckBefore = null, isSentBack = false, notified = null } = filter
  if (stuckBefore !== null) return stuckSource(filter, stuckBefore, asked)
  if (state === 'CLOSING') {
    const rows = `select * from orders where state = 'CLOSING' and ${rangeOf(filter, asked)}`
    return { name: `Closing${ofWhom(mchNo)}`, rows, keys: null, examined: null }
  }
  if (isSentBack) return eachMerchants('SentBack', filter, SENT_BACK_MAX, asked)
  if (notified === 'PENDING' || notified === 'DEAD') return unheardSource(notified, mchNo, asked)
  if (isPaid(filter) && filter.amountMin !== null && filter.amountMin === filter.amountMax) {
    return eachMerchants('PaidAmount', filter, examined, asked)
  }
  const most = notified === null ? examined : Math.min(examined, HEARD_MAX)
  const range = rangeOf(filter, asked)
  const rows = (what: string): string =>
    `select ${what} from orders where ${range} order by transaction_no desc limit ${most}`
  return { name: `${ofWhom(mchNo)}${most}`, rows: rows('*'), keys: rows('transaction_no'), examined: most }
}

const isPaid = ({ state }: OrderListFilter): boolean => state === 'SUCCESS' || state === 'REFUND'

const ofWhom = (mchNo: string | null): string => (mchNo === null ? 'All' : 'Merchants')

/** Not with 'or', so that a statement for one merchant and one for all use an index each. */
const rangeOf = ({ mchNo, from, before }: OrderListFilter, { at }: Bound): string =>
  `${mchNo === null ? '' : `mch_no = ${at(mchNo, 'text')} and `}transaction_no >= ${at(from, 'text')}
     and transaction_no < ${at(before, 'text')}`

/** The newest of each merchant, and the newest of these: the indexes begin with the merchant. */
function eachMerchants(name: 'SentBack' | 'PaidAmount', filter: OrderListFilter, most: number, asked: Bound): Source {
  const { mchNo, from, before, amountMin } = filter
  const place = [asked.at(mchNo, 'text'), asked.at(from, 'text'), asked.at(before, 'text')] as const
  const which =
    name === 'SentBack'
      ? 'reversal x where x.mch_no = m.mch_no'
      : `orders x where x.mch_no = m.mch_no and x.success_time is not null and x.amount_fen = ${asked.at(amountMin, 'bigint')}`
  const keys = `select k.mch_no, k.transaction_no from merchant m cross join lateral (
      select distinct x.mch_no, x.transaction_no from ${which}
         and x.transaction_no >= ${place[1]} and x.transaction_no < ${place[2]}
       order by x.transaction_no desc limit ${most}) k
     where ${place[0]} is null or m.mch_no = ${place[0]} order by k.transaction_no desc limit ${most}`
  return { name: `${name}${most}`, rows: ordersOf(keys), keys, examined: most }
}

/** Few wait or were given up at any time, and partial indexes hold only those. */
function unheardSource(state: 'PENDING' | 'DEAD', mchNo: string | null, asked: Bound): Source {
  const whose = mchNo === null ? '' : `x.mch_no = ${asked.at(mchNo, 'text')} and `
  const keys = `select distinct k.mch_no, k.transaction_no from (
      select x.mch_no, x.transaction_no from notification x
       where ${whose}x.state = '${state}' and x.state <> 'DELIVERED' order by x.created_at desc limit ${UNHEARD_MAX}) k`
  return { name: `${state}${ofWhom(mchNo)}`, rows: ordersOf(keys), keys: null, examined: null }
}

const ordersOf = (keys: string): string =>
  `select o.* from (${keys}) k join orders o on o.mch_no = k.mch_no and o.transaction_no = k.transaction_no`

function stuckSource({ mchNo }: OrderListFilter, stuckBefore: Date, asked: Bound): Source {
  const [moment, whose] = [asked.at(stuckBefore, 'timestamptz'), asked.at(mchNo, 'text')]
  const some = (which: string, by: string): string =>
    `(select * from orders where ${which} and ${by} < ${moment} and (${whose} is null or mch_no = ${whose})
       order by ${by} limit ${HEALTH_MAX})`
  const rows = `${some("state = 'CLOSING'", 'changed_at')} union all ${some("state = 'NOTPAY'", 'time_expire')}`
  return { name: 'Stuck', rows, keys: null, examined: null }
}
