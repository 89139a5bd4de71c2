/** Every list of the console as a file, and how many rows it has; with the list's own filters, permission and sight of merchants. */
import { dayOf } from '@acopay/core'
import type { ListTotal, Page, Permission } from '@acopay/protocol/console'
import { numberTime } from '../../../security/numbers.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed } from '../call.ts'
import { briefOf, fieldsOf } from '../fields.ts'
import { listMerchantPage } from '../merchants/merchants.ts'
import { bills } from '../money/finance.ts'
import { differences, unmatchedPayments } from '../money/reconciliation.ts'
import { refunds, reversals } from '../money/refunds-and-reversals.ts'
import { notifications } from '../orders/notifications.ts'
import { orders } from '../orders/orders.ts'
import { auditPage } from '../system/audit.ts'
import type { Column, Language } from './cells.ts'
import {
  AUDIT_COLUMNS,
  BILL_COLUMNS,
  DIFFERENCE_COLUMNS,
  MERCHANT_COLUMNS,
  NOTIFICATION_COLUMNS,
  ORDER_COLUMNS,
  REFUND_COLUMNS,
  REVERSAL_COLUMNS,
  UNMATCHED_COLUMNS,
} from './columns.ts'
import { FORMATS, type Format, fileOf, type Part } from './files.ts'

/**
 * `rows`: the most rows of a file; a sheet of a workbook holds a little more. `page`: the rows of one read. `inVain`: after so many
 * reads that found less than a page, the search gives up.
 */
const EXPORT_LIMITS = { rows: 1_000_000, page: 1000, inVain: 1000 }
type Limits = typeof EXPORT_LIMITS

/** A total is counted up to this; above it the page says "more than". */
const COUNTED_MAX = 1000

type ReadPage<Row> = (world: World, call: ConsoleCall) => Promise<Page<Row> | Failed>
type List<Row> = { path: string; permission: Permission; read: ReadPage<Row>; columns: readonly Column<Row>[] }

/** The language of the headings: that of the page. */
export const languageOf = (query: Record<string, string>): Language | Failed => {
  const read = fieldsOf(query)
  const language = read.word('language', ['zh', 'en'])
  return read.failed() ?? language ?? 'zh'
}

/** What the audit log says of a file: which list, as what, and what was asked. */
export const exported = ({ caller, query }: ConsoleCall, subject: string) => ({
  mchNo: caller.mchNo ?? (briefOf(query.mch_no, 32) || null),
  subject,
  detail: Object.fromEntries(
    Object.entries(query)
      .filter(([, value]) => value !== '')
      .slice(0, 16)
      .map(([name, value]) => [name.slice(0, 32), briefOf(value, 64)]),
  ),
})

function endpointsOf<Row>({ path, permission, read, columns }: List<Row>): ConsoleEndpoint[] {
  const files = FORMATS.map(
    (format: Format): ConsoleEndpoint => ({
      method: 'GET',
      path: `${path}.${format}`,
      permission,
      action: 'lists.export',
      audited: (call) => exported(call, `${path}.${format}`),
      handle: async (world, call) => {
        const language = languageOf(call.query)
        if (language instanceof Failed) return language
        const parts = await partsOf(world, call, read, EXPORT_LIMITS)
        if (parts instanceof Failed) return parts
        return fileOf(`${path}-${dayOf(world.now().getTime())}`, format, { columns, parts, language })
      },
    }),
  )
  const total: ConsoleEndpoint = {
    method: 'GET',
    path: `totals/${path}`,
    permission,
    handle: async (world, call): Promise<ListTotal | Failed> => {
      const page = await read(world, longPage(call, null, COUNTED_MAX))
      return page instanceof Failed ? page : { count: page.rows.length, has_more: page.next !== null }
    },
  }
  return [...files, total]
}

/** The call for a long page of the same list; `after` null: the page that was asked for. */
const longPage = (call: ConsoleCall, after: string | null, limit: number): ConsoleCall => ({
  ...call,
  query: Object.assign(Object.create(null), call.query, { limit: String(limit) }, after === null ? {} : { after }),
  pageMax: limit,
})

/** The first page is read before anything is answered, so that a filter that is wrong is refused. */
export async function partsOf<Row>(
  world: World,
  call: ConsoleCall,
  read: ReadPage<Row>,
  limits: Limits,
): Promise<AsyncGenerator<Part<Row>> | Failed> {
  const first = await read(world, longPage(call, null, Math.min(limits.page, limits.rows)))
  if (first instanceof Failed) return first
  const next = async (after: string, limit: number): Promise<Page<Row>> => {
    const page = await read(world, longPage(call, after, limit))
    // The same filters were fine before.
    if (page instanceof Failed) throw new Error(`a page of an export was refused: ${page.failure.message.en}`)
    return page
  }
  return pagesOf(first, next, { ...limits, isOnePage: Boolean(call.query.number) })
}

async function* pagesOf<Row>(
  first: Page<Row>,
  nextOf: (after: string, limit: number) => Promise<Page<Row>>,
  limits: Limits & { isOnePage: boolean },
): AsyncGenerator<Part<Row>> {
  let page = first
  for (let rows = 0, inVain = 0; ; ) {
    const [size, left] = [page.rows.length, limits.rows - rows]
    yield { rows: page.rows }
    rows += size
    // A number finds one page and no more.
    if (limits.isOnePage && size >= limits.page) yield { says: cutAt(rows, '') }
    if (page.next === null) return
    if (size < Math.min(limits.page, left)) inVain += 1
    if (rows >= limits.rows) return yield { says: cutAt(limits.rows, page.next) }
    if (inVain >= limits.inVain) return yield { says: givenUpAt(page.next) }
    page = await nextOf(page.next, Math.min(limits.page, limits.rows - rows))
  }
}

const cutAt = (rows: number, place: string): string => endAt(place, `已达${rows}行`, `it holds ${rows} rows`)

const givenUpAt = (place: string): string =>
  endAt(place, '符合条件的太少，查找已停止', 'what was asked for is rare and the search was given up')

/** `place`: where the next page would begin, often a number that begins with a time. */
function endAt(place: string, zh: string, en: string): string {
  const [until, before] = /^A[A-Z]\d{17}/.test(place)
    ? [`${numberTime(place)} 之前的`, `what is from before ${numberTime(place)}`]
    : ['其余的', 'the rest']
  return `至此为止：${zh}；${until}不在其中，请缩小范围再导出。 The file ends here: ${en}; ${before} is not in it. Export again with a narrower range.`
}

export const exportEndpoints: ConsoleEndpoint[] = [
  ...endpointsOf({ path: 'orders', permission: 'orders.read', read: orders, columns: ORDER_COLUMNS }),
  ...endpointsOf({ path: 'refunds', permission: 'orders.read', read: refunds, columns: REFUND_COLUMNS }),
  ...endpointsOf({ path: 'reversals', permission: 'orders.read', read: reversals, columns: REVERSAL_COLUMNS }),
  ...endpointsOf({
    path: 'notifications',
    permission: 'notifications.read',
    read: notifications,
    columns: NOTIFICATION_COLUMNS,
  }),
  ...endpointsOf({ path: 'bills', permission: 'bills.read', read: bills, columns: BILL_COLUMNS }),
  ...endpointsOf({
    path: 'differences',
    permission: 'reconciliation.read',
    read: differences,
    columns: DIFFERENCE_COLUMNS,
  }),
  ...endpointsOf({
    path: 'unmatched-payments',
    permission: 'reconciliation.read',
    read: unmatchedPayments,
    columns: UNMATCHED_COLUMNS,
  }),
  ...endpointsOf({
    path: 'merchants',
    permission: 'merchants.read',
    read: listMerchantPage,
    columns: MERCHANT_COLUMNS,
  }),
  ...endpointsOf({ path: 'audit', permission: 'audit.read', read: auditPage, columns: AUDIT_COLUMNS }),
]
