/** The orders of a search as a CSV file. Where the file is cut off, its last line says why and where. */
import { formatYuan } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import { findOrdersByNumber, type ListedOrder, listOrders, type OrderListFilter } from '@acopay/store/read'
import { csvLine, defused } from '../../../actions/bill/bill-csv.ts'
import { numberTime } from '../../../security/numbers.ts'
import type { World } from '../../../world.ts'

/**
 * `rows`: the most rows of a file. `page`: the rows of one read, found among at most `examined` orders. `inVain`: after this
 * many reads that found less than a page, the search gives up.
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
  // In UTC+8, as on the pages and in the bills.
  created_at: (order) => timeText(order.createdAt),
  time_expire: (order) => timeText(order.timeExpire),
  success_time: (order) => order.successTime && timeText(order.successTime),
} as const satisfies Record<string, (order: ListedOrder) => string | null>
const COLUMNS = Object.keys(CELLS)

/** One order as a record of the file. */
export const orderRecord = (order: ListedOrder): string =>
  csvLine(Object.values(CELLS).map((cell) => defused(cell(order) ?? '')))

/** A record with as many cells as the others, so that programs can read it; the first cell holds the message. */
const closingLine = (zh: string, en: string): string => csvLine([`${zh} ${en}`, ...COLUMNS.slice(1).map(() => '')])

// The byte order mark tells spreadsheets that the file is UTF-8.
const HEADER = `\uFEFF${csvLine(COLUMNS)}`

/** The orders with this number, in the order of the search page; at most `limit`. */
export async function* csvOfNumber(
  { pool }: Pick<World, 'pool'>,
  { number, mchNo }: { number: string; mchNo: string | null },
  limit: number,
): AsyncGenerator<string> {
  yield HEADER
  const found = await findOrdersByNumber(pool, number, mchNo, limit + 1)
  yield found.slice(0, limit).map(orderRecord).join('')
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
    yield page.orders.map(orderRecord).join('')
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
