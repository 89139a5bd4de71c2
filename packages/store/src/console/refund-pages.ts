/** Pages of refunds and of reversals. Each reads a bounded stretch of an index, as the pages of orders do. */
import { type Db, run } from '../db.ts'
import { inOneList, listArrived } from './arrived.ts'
import { type Bound, bound, ifAsked } from './bound.ts'
import { LAST_ANSWER, type RefundPart, type ReversalPart } from './order-lists.ts'

/**
 * `mchNo` null: of every merchant. `from` and `before`: numbers of refunds or their prefixes; the list holds what is from `from` on
 * and before `before`. `number`: of the refund, or of its order. `state` `STUCK`: PROCESSING since before `stuckBefore`.
 */
export type RefundListFilter = {
  mchNo: string | null
  number: string | null
  from: string
  before: string
  state: string | null
  channel: string | null
  appNo: string | null
  amountMin: bigint | null
  amountMax: bigint | null
  stuckBefore: Date
  /** Else the newest are first. */
  isOldestFirst?: boolean
}

/** Bounds where the filter has none. */
export const FIRST_REFUND = 'AR'
export const LAST_REFUND = 'AS'

type OfOrder = { mchNo: string; transactionNo: string }
type Page<Row> = { rows: Row[]; next: string | null }
type Kind = { table: 'refund' | 'reversal'; columns: string; numbers: readonly string[] }

const BOTH = `r.mch_no as "mchNo", r.transaction_no as "transactionNo", r.refund_no as "refundNo", r.attempt_no as "attemptNo",
  a.channel, r.amount_fen as "amountFen", r.state, r.created_at as "createdAt", ${LAST_ANSWER('r')}`

const REFUND: Kind = {
  table: 'refund',
  columns: `${BOTH}, r.mch_refund_no as "mchRefundNo", r.reason, r.failure, r.success_time as "successTime"`,
  numbers: ['refund_no', 'mch_refund_no', 'transaction_no'],
}
const REVERSAL: Kind = {
  table: 'reversal',
  columns: `${BOTH}, r.payment_no as "paymentNo", r.by_upstream as "byUpstream", r.changed_at as "changedAt"`,
  numbers: ['refund_no', 'transaction_no'],
}

/** At most `limit` of the first `examined` in the range, by their numbers, which an index has both ways. Those under way are all looked at. */
export const listRefunds = (
  db: Db,
  filter: RefundListFilter,
  limit: number,
  examined: number,
): Promise<Page<RefundPart & OfOrder>> => listOf(db, REFUND, filter, { limit, examined })

/** Like `listRefunds`; also those of archived orders. */
export async function listReversals(
  db: Db,
  filter: RefundListFilter,
  limit: number,
  examined: number,
): Promise<Page<ReversalPart & OfOrder>> {
  const page: Page<ReversalPart & OfOrder> = await listOf(db, REVERSAL, filter, { limit, examined })
  const range = page.next === null ? {} : asFarAs(page.next, filter)
  const rows = inOneList(
    page.rows,
    await listArrived(db, { ...filter, ...range }, filter.stuckBefore, limit + 1),
    filter.isOldestFirst,
  )
  if (rows.length <= limit) return { rows, next: page.next }
  return { rows: rows.slice(0, limit), next: rows[limit - 1]?.refundNo ?? null }
}

/** The first of all texts behind this number: all numbers have the same length. */
export const behind = (number: string): string => `${number}0`

/** The part of the range that a page has looked at. */
const asFarAs = (next: string, { isOldestFirst }: RefundListFilter): Partial<RefundListFilter> =>
  isOldestFirst ? { before: behind(next) } : { from: next }

const wayOf = ({ isOldestFirst }: RefundListFilter): 'asc' | 'desc' => (isOldestFirst ? 'asc' : 'desc')

async function listOf<Row extends { refundNo: string }>(
  db: Db,
  kind: Kind,
  filter: RefundListFilter,
  { limit, examined }: { limit: number; examined: number },
): Promise<Page<Row>> {
  const asked = bound()
  const source = sourceOf(kind, filter, examined, asked)
  const { state, stuckBefore } = filter
  const isStuck = state === 'STUCK'
  const whose = filter.mchNo === null ? 'r.mch_no' : asked.at(filter.mchNo, 'text')
  const conditions = [
    `r.refund_no >= ${asked.at(filter.from, 'text')} and r.refund_no < ${asked.at(filter.before, 'text')}`,
    ifAsked(asked, filter.mchNo, 'text', (at) => `r.mch_no = ${at}`),
    ifAsked(asked, isStuck ? 'PROCESSING' : state, 'text', (at) => `r.state = ${at}`),
    ifAsked(asked, isStuck ? stuckBefore : null, 'timestamptz', (at) => `r.created_at < ${at}`),
    ifAsked(asked, filter.channel, 'text', (at) => `a.channel = ${at}`),
    ...(filter.appNo === null ? [] : [`o.app_no = ${asked.at(filter.appNo, 'text')}`]),
    ifAsked(asked, filter.amountMin, 'bigint', (at) => `r.amount_fen >= ${at}`),
    ifAsked(asked, filter.amountMax, 'bigint', (at) => `r.amount_fen <= ${at}`),
  ]
  const rows = await run<Row>(
    db,
    `list${source.name}${wayOf(filter)}${filter.appNo === null ? '' : 'App'}${filter.mchNo === null ? '' : 'OfOne'}`,
    `select ${kind.columns}
       from (${source.rows}) r join attempt a on a.mch_no = ${whose} and a.attempt_no = r.attempt_no
       ${filter.appNo === null ? '' : `join orders o on o.mch_no = ${whose} and o.transaction_no = r.transaction_no`}
      where ${conditions.join(' and ')} order by r.refund_no ${wayOf(filter)} limit ${asked.at(limit + 1, 'bigint')}`,
    asked.values,
  )
  if (rows.length > limit) return { rows: rows.slice(0, limit), next: rows[limit - 1]?.refundNo ?? null }
  return { rows, next: source.isAll ? null : await endOf(db, kind, filter, examined) }
}

type Source = { name: string; rows: string; isAll: boolean }

function sourceOf(kind: Kind, filter: RefundListFilter, examined: number, asked: Bound): Source {
  const { table, numbers } = kind
  const { mchNo, number, state } = filter
  if (number !== null) {
    // Merchant by merchant: these indexes begin with it.
    const [asks, whose] = [asked.at(number, 'text'), asked.at(mchNo, 'text')]
    const found = numbers.map((name) => `select x.* from ${table} x where x.mch_no = m.mch_no and x.${name} = ${asks}`)
    // An upstream's number is that of a payment.
    if (table === 'reversal') {
      found.push(`select x.* from payment p join reversal x on x.mch_no = p.mch_no and x.attempt_no = p.attempt_no
        and x.payment_no = p.payment_no where p.mch_no = m.mch_no and p.payment_no = ${asks}`)
    }
    const rows = `select f.* from merchant m cross join lateral (${found.join(' union ')}) f
      where ${whose} is null or m.mch_no = ${whose}`
    return { name: `${table}ByNumber`, rows, isAll: true }
  }
  if (state === 'PROCESSING' || state === 'STUCK') {
    const whose = asked.at(mchNo, 'text')
    const rows = `select * from ${table} where state = 'PROCESSING' and (${whose} is null or mch_no = ${whose})`
    return { name: `${table}UnderWay`, rows, isAll: true }
  }
  const range = stretch(kind, filter, examined, asked)
  return { name: `${table}${mchNo === null ? 'All' : 'Merchants'}${examined}`, rows: `select * ${range}`, isAll: false }
}

/** One statement for all merchants and one for one of them, so that each uses an index of its own. */
const stretch = ({ table }: Kind, filter: RefundListFilter, examined: number, { at }: Bound): string => {
  const { mchNo, from, before } = filter
  return `from ${table} where ${mchNo === null ? '' : `mch_no = ${at(mchNo, 'text')} and `}refund_no >= ${at(from, 'text')}
     and refund_no < ${at(before, 'text')} order by refund_no ${wayOf(filter)} limit ${examined}`
}

/** The last of those that were looked at, where there may be more behind it. */
async function endOf(db: Db, kind: Kind, filter: RefundListFilter, examined: number): Promise<string | null> {
  const asked = bound()
  const range = stretch(kind, filter, examined, asked)
  const last = await run<{ number: string }>(
    db,
    `list${kind.table}${filter.mchNo === null ? 'All' : 'Merchants'}${examined}${wayOf(filter)}End`,
    `select refund_no as number from (select refund_no ${range}) r order by refund_no ${wayOf(filter)}
      offset ${asked.at(examined - 1, 'bigint')} limit 1`,
    asked.values,
  )
  return last[0]?.number ?? null
}
