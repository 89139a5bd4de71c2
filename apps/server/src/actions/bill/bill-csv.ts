/** The bill as CSV: RFC 4180, without cells that a spreadsheet would run as formulas (docs/bills.md). */
import { formatYuan } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import { BILL_KINDS, type BillRow } from '@acopay/store'

/** Every record has all columns, in this order. */
const BILL_COLUMNS = [
  'kind',
  'time',
  'transaction_no',
  'mch_trade_no',
  'app_no',
  'refund_no',
  'mch_refund_no',
  'pay_channel',
  'pay_method',
  'payment_no',
  'state',
  'amount',
  'currency',
  'count',
  'note',
] as const

type Cells = { [Column in (typeof BILL_COLUMNS)[number]]?: string }

export const headerLine = (): string => csvLine([...BILL_COLUMNS])

export const rowLine = (row: BillRow): string =>
  recordLine({
    kind: row.kind,
    time: timeText(row.at),
    transaction_no: row.transactionNo,
    mch_trade_no: row.mchTradeNo,
    app_no: row.appNo,
    refund_no: row.refundNo ?? '',
    mch_refund_no: row.mchRefundNo ?? '',
    pay_channel: row.channel,
    pay_method: row.method,
    payment_no: row.paymentNo,
    state: row.isKept === false ? 'RETURNED' : 'SUCCESS',
    amount: formatYuan(row.amountFen),
    currency: row.currency,
    count: '1',
    note: row.note ?? '',
  })

/** Sums of the rows by currency, because amounts of two currencies cannot be added. */
export type Totals = Map<string, Record<BillRow['kind'], { fen: bigint; count: bigint }>>

export function add(totals: Totals, { kind, amountFen, currency }: BillRow): void {
  const none = () => ({ fen: 0n, count: 0n })
  const sums = totals.get(currency) ?? { PAYMENT: none(), REFUND: none(), REVERSAL: none() }
  sums[kind] = { fen: sums[kind].fen + amountFen, count: sums[kind].count + 1n }
  totals.set(currency, sums)
}

/** The summary at the end: for each currency a line per kind, and the net amount. */
export function summaryLines(totals: Totals): string {
  const line = (kind: string, currency: string, fen: bigint, count: bigint): string =>
    recordLine({ kind, amount: formatYuan(fen), currency, count: count.toString() })
  return [...totals]
    .map(([currency, sums]) => {
      const kinds = BILL_KINDS.map((kind) => line(`TOTAL_${kind}`, currency, sums[kind].fen, sums[kind].count))
      const net = sums.PAYMENT.fen - sums.REFUND.fen - sums.REVERSAL.fen
      const count = sums.PAYMENT.count + sums.REFUND.count + sums.REVERSAL.count
      return kinds.join('') + line('TOTAL_NET', currency, net, count)
    })
    .join('')
}

/**
 * Puts an apostrophe before a text that a spreadsheet would run as a formula, or that begins with a tab or a line end (OWASP,
 * CSV injection). Blanks, invisible characters and quotes before it do not matter, because programs drop them. A text that
 * begins with an apostrophe gets one too, so that a reader who removes the first apostrophe gets the original text.
 */
export const defused = (text: string): string =>
  /^'|^[\s\p{Cc}\p{Cf}"]*[=+\-@＝＋－＠\t\r\n]/u.test(text) ? `'${text}` : text

/** Amounts may be negative, and stay numbers. */
const recordLine = ({ amount = '', ...texts }: Cells): string =>
  csvLine(BILL_COLUMNS.map((column) => (column === 'amount' ? amount : defused(texts[column] ?? ''))))

/** One record. Cells with a comma, a quote or a line end are quoted. */
export const csvLine = (cells: string[]): string =>
  `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`
