/** The orders of a search as a file: the rows that the search shows, and in a closing line why it ends where it ends. */
import { formatYuan } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import { findOrdersByNumber, type ListedOrder, listOrders, type OrderListFilter } from '@acopay/store'
import { csvLine, defused } from '../../bill-csv.ts'
import { numberTime } from '../../numbers.ts'
import type { World } from '../../world.ts'

/**
 * `rows`: of the file. `page`: read at once, out of at most `examined` orders. `inVain`: so many stretches of `examined`
 * orders may hold less than a page of what is asked for, before the search is given up.
 */
export const CSV_LIMITS = { rows: 100_000, page: 1000, examined: 20_000, inVain: 100 }

const CELLS = {
  mch_no: (order) => order.mchNo,
  transaction_no: (order) => order.transactionNo,
  mch_trade_no: (order) => order.mchTradeNo,
  app_no: (order) => order.appNo,
  description: (order) => order.description,
  amount_total: (order) => formatYuan(order.amountFen),
  state: (order) => order.state,
  close_reason: (order) => order.closeReason,
  pay_channel: (order) => order.payChannel,
  pay_method: (order) => order.payMethod,
  // As the pages and the bills write times: in UTC+8.
  created_at: (order) => timeText(order.createdAt),
  time_expire: (order) => timeText(order.timeExpire),
  success_time: (order) => order.successTime && timeText(order.successTime),
} as const satisfies Record<string, (order: ListedOrder) => string | null>
const COLUMNS = Object.keys(CELLS)

const recordOf = (order: ListedOrder): string => csvLine(Object.values(CELLS).map((cell) => defused(cell(order) ?? '')))

/** A record like the others, so that whoever reads the file by columns can: its first cell holds what is to be said. */
const closingLine = (zh: string, en: string): string => csvLine([`${zh} ${en}`, ...COLUMNS.slice(1).map(() => '')])

// The mark tells spreadsheets that it is UTF-8.
const HEADER = `\uFEFF${csvLine(COLUMNS)}`

/** The orders with a number, as the search for it shows them; at most `limit`. */
export async function* csvOfNumber(
  { pool }: Pick<World, 'pool'>,
  { number, mchNo }: { number: string; mchNo: string | null },
  limit: number,
): AsyncGenerator<string> {
  yield HEADER
  const found = await findOrdersByNumber(pool, number, mchNo, limit + 1)
  yield found.slice(0, limit).map(recordOf).join('')
  if (found.length > limit) {
    yield closingLine(
      `至此为止：有此单号的订单多于${limit}笔，请按商户筛选。`,
      `The file ends here: more than ${limit} orders have this number; choose a merchant.`,
    )
  }
}

/** The orders of a list, the newest first, as far as `limits` allow. */
export async function* csvOfList(
  { pool }: Pick<World, 'pool'>,
  filter: OrderListFilter,
  limits: typeof CSV_LIMITS,
): AsyncGenerator<string> {
  yield HEADER
  let before: string | null = filter.before
  let rows = 0
  let inVain = 0
  while (before !== null && rows < limits.rows && inVain < limits.inVain) {
    const size = Math.min(limits.page, limits.rows - rows)
    const page: Awaited<ReturnType<typeof listOrders>> = await listOrders(
      pool,
      { ...filter, before },
      size,
      limits.examined,
    )
    yield page.orders.map(recordOf).join('')
    rows += page.orders.length
    if (page.orders.length < size) inVain += 1
    before = page.next
  }
  if (before === null) return
  const until = numberTime(before)
  const why =
    rows >= limits.rows
      ? [`已达${limits.rows}行`, `it holds ${limits.rows} rows`]
      : ['符合条件的订单太少，查找已停止', 'what was asked for is rare and the search was given up']
  yield closingLine(
    `至此为止：${why[0]}；${until} 之前的订单不在其中，请缩小日期范围再导出。`,
    `The file ends here: ${why[1]}; orders placed before ${until} are not in it. Export again with other days.`,
  )
}
