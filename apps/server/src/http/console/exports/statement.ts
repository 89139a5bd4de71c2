/** A merchant's statement of a month: each payment, refund and reversal of its daily bills, and their sums at the end. */
import { CHINA_MS, formatYuan } from '@acopay/core'
import { BILL_KINDS, type BillRow, billPages, readMerchantParts } from '@acopay/store/read'
import { add, type Totals } from '../../../actions/bill/bill-csv.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf } from '../call.ts'
import type { Column } from './cells.ts'
import { FORMATS, fileOf, type Part } from './files.ts'
import { exported, languageOf } from './lists.ts'

const PAGE = 2000

/** A line, or a sum: `TOTAL_PAYMENT`, `TOTAL_REFUND`, `TOTAL_REVERSAL`, and what is left of the payments. */
type Line = {
  day: string
  kind: string
  at: string | null
  amount: string
  currency: string
  count: number
  row: BillRow | null
}

export const STATEMENT_COLUMNS: Column<Line>[] = [
  { zh: '账单日', en: 'Bill day', of: ({ day }) => day },
  { zh: '种类', en: 'Kind', of: ({ kind }) => kind },
  { zh: '时间', en: 'Time', kind: 'time', of: ({ at }) => at },
  { zh: '平台订单号', en: 'Order', of: ({ row }) => row?.transactionNo ?? null },
  { zh: '商户订单号', en: "Merchant's order", of: ({ row }) => row?.mchTradeNo ?? null },
  { zh: '应用', en: 'App', of: ({ row }) => row?.appNo ?? null },
  { zh: '退款单号', en: 'Refund', of: ({ row }) => row?.refundNo ?? null },
  { zh: '商户退款单号', en: "Merchant's refund", of: ({ row }) => row?.mchRefundNo ?? null },
  { zh: '渠道', en: 'Channel', of: ({ row }) => row?.channel ?? null },
  { zh: '上游支付单号', en: 'Upstream payment', of: ({ row }) => row?.paymentNo ?? null },
  { zh: '金额', en: 'Amount', kind: 'amount', of: ({ amount }) => amount },
  { zh: '币种', en: 'Currency', of: ({ currency }) => currency },
  { zh: '笔数', en: 'Count', kind: 'count', of: ({ count }) => count },
  { zh: '备注', en: 'Note', of: ({ row }) => row?.note ?? null },
]

/** `2026-03`, from 2000 on and not of the future. */
const MONTH = /^20\d\d-(?:0[1-9]|1[0-2])$/

async function statement(world: World, call: ConsoleCall, format: (typeof FORMATS)[number]) {
  const { mch_no = '', month = '' } = call.path
  const mchNo = merchantOf(call.caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  const language = languageOf(call.query)
  if (language instanceof Failed) return language
  const today = new Date(world.now().getTime() + CHINA_MS).toISOString().slice(0, 10)
  if (!MONTH.test(month) || month > today.slice(0, 7)) return NO_MONTH()
  if ((await readMerchantParts(world.pool, mch_no)) === null) return ABSENT()
  const parts = linesOf(world, mch_no, daysOf(month))
  return fileOf(`statement-${mch_no}-${month}`, format, { columns: STATEMENT_COLUMNS, parts, language })
}

const NO_MONTH = (): Failed =>
  failed('FIELD_INVALID', 'month 应为已开始的月份，如 2026-03', 'month should be one that has begun, like 2026-03', {
    field: 'month',
  })
const ABSENT = (): Failed => failed('NOT_FOUND', '没有这个商户', 'There is no such merchant')

/** Every day of the month. */
function daysOf(month: string): string[] {
  const [year = 0, number = 0] = month.split('-').map(Number)
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate()
  return Array.from({ length: count }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`)
}

async function* linesOf({ pool }: World, mchNo: string, days: string[]): AsyncGenerator<Part<Line>> {
  const totals: Totals = new Map()
  for (const day of days) {
    for (const kind of BILL_KINDS) {
      for await (const page of billPages(pool, { mchNo, day }, { kind, limit: PAGE })) {
        for (const row of page) add(totals, row)
        yield { rows: page.map((row) => lineOf(day, row)) }
      }
    }
  }
  yield { rows: [...totals].flatMap(([currency, sums]) => sumsOf(currency, sums)) }
}

/** What came in, what went back in each way, and what is left. */
function sumsOf(currency: string, sums: Totals extends Map<string, infer Sums> ? Sums : never): Line[] {
  const { PAYMENT, REFUND, REVERSAL } = sums
  const net = { fen: PAYMENT.fen - REFUND.fen - REVERSAL.fen, count: PAYMENT.count + REFUND.count + REVERSAL.count }
  const line = (kind: string, { fen, count }: { fen: bigint; count: bigint }): Line => {
    return { day: '', kind, at: null, amount: formatYuan(fen), currency, count: Number(count), row: null }
  }
  return [...BILL_KINDS.map((kind) => line(`TOTAL_${kind}`, sums[kind])), line('TOTAL_NET', net)]
}

const lineOf = (day: string, row: BillRow): Line => ({
  day,
  kind: row.kind,
  at: row.at.toISOString(),
  amount: formatYuan(row.amountFen),
  currency: row.currency,
  count: 1,
  row,
})

export const statementEndpoints: ConsoleEndpoint[] = FORMATS.map(
  (format): ConsoleEndpoint => ({
    method: 'GET',
    path: `statements/:mch_no/:month/${format}`,
    permission: 'bills.read',
    action: 'lists.export',
    audited: (call) => ({
      ...exported(call, `statement.${format}`),
      mchNo: (call.path.mch_no ?? '').slice(0, 32),
      detail: { month: (call.path.month ?? '').slice(0, 10) },
    }),
    handle: (world, call) => statement(world, call, format),
  }),
)
