/**
 * Pages of orders in another order than the newest first: as far as an index that is there anyway has it. Any other column would need an
 * index of its own, which each close would pay for.
 */
import { type Db, run } from '../db.ts'
import { type Bound, bound } from './bound.ts'
import { type ListedOrder, OWN_COLUMNS } from './order-lists.ts'
import { conditionsOf, type OrderListFilter, type OwnRow, withSentBack } from './order-pages.ts'

/** By amount, only the paid orders of one merchant are listed: the index holds these. */
export const ORDER_SORTS = ['oldest', 'amount_down', 'amount_up'] as const
export type OrderSort = (typeof ORDER_SORTS)[number]

/** The last order of the page before; `fen` counts where the list is by amount. */
export type SortedPlace = { fen: bigint; transactionNo: string }

type Sorted = { orders: ListedOrder[]; next: SortedPlace | null }
type Asked = { filter: OrderListFilter; sort: OrderSort; after: SortedPlace | null }

/** At most `limit` of the next `examined` orders that this order has. `next` is null at the end. */
export async function listOrdersSorted(db: Db, what: Asked, limit: number, examined: number): Promise<Sorted> {
  const asked = bound()
  const rows = stretchOf(what, '*', examined, asked)
  const orders = await run<OwnRow>(
    db,
    `listSorted${nameOf(what)}Orders`,
    `select ${OWN_COLUMNS} from (${rows}) o where ${conditionsOf(what.filter, asked).join(' and ')}
      order by ${byOf(what.sort, 'o.')} limit ${asked.at(limit + 1, 'bigint')}`,
    asked.values,
  )
  const shown = await withSentBack(db, what.filter.mchNo, orders.slice(0, limit))
  const last = shown.at(-1)
  if (orders.length > limit && last !== undefined)
    return { orders: shown, next: { fen: last.amountFen, transactionNo: last.transactionNo } }
  return { orders: shown, next: await endOf(db, what, examined) }
}

/** The last of the orders that were looked at, where there may be more behind it. */
async function endOf(db: Db, what: Asked, examined: number): Promise<SortedPlace | null> {
  const asked = bound()
  const keys = stretchOf(what, 'transaction_no, amount_fen', examined, asked)
  const last = await run<SortedPlace>(
    db,
    `listSorted${nameOf(what)}OrdersEnd`,
    `select amount_fen as fen, transaction_no as "transactionNo" from (${keys}) k order by ${byOf(what.sort, '')}
      offset ${asked.at(examined - 1, 'bigint')} limit 1`,
    asked.values,
  )
  return last[0] ?? null
}

/** Statements with the same name have the same text. */
const nameOf = ({ filter, sort, after }: Asked): string =>
  [
    sort,
    filter.mchNo === null ? 'All' : 'Merchants',
    after === null ? '' : 'After',
    filter.isSentBack ? 'Back' : '',
    filter.notified == null ? '' : 'Heard',
  ].join('')

const byOf = (sort: OrderSort, of: string): string => {
  if (sort === 'oldest') return `${of}transaction_no`
  const way = sort === 'amount_down' ? ' desc' : ''
  return `${of}amount_fen${way}, ${of}transaction_no${way}`
}

/** The stretch of the index that a page looks at. */
function stretchOf({ filter, sort, after }: Asked, what: string, examined: number, { at }: Bound): string {
  const { mchNo, from, before, amountMin, amountMax } = filter
  const where = [
    ...(mchNo === null ? [] : [`mch_no = ${at(mchNo, 'text')}`]),
    `transaction_no >= ${at(from, 'text')} and transaction_no < ${at(before, 'text')}`,
  ]
  if (sort === 'oldest') {
    if (after !== null) where.push(`transaction_no > ${at(after.transactionNo, 'text')}`)
  } else {
    where.push('success_time is not null')
    where.push(
      `amount_fen >= ${at(amountMin ?? 0n, 'bigint')} and amount_fen <= ${at(amountMax ?? MOST_FEN, 'bigint')}`,
    )
    const side = sort === 'amount_down' ? '<' : '>'
    if (after !== null)
      where.push(
        `(amount_fen, transaction_no) ${side} (${at(after.fen, 'bigint')}, ${at(after.transactionNo, 'text')})`,
      )
  }
  return `select ${what} from orders where ${where.join(' and ')} order by ${byOf(sort, '')} limit ${at(examined, 'bigint')}`
}

/** Above every amount that the database can hold. */
const MOST_FEN = 9_223_372_036_854_775_807n
