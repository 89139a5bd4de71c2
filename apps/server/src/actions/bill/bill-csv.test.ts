import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText } from '../../../../../test/support/any-text.ts'
import { add, csvLine, defused, headerLine, rowLine, summaryLines, type Totals } from './bill-csv.ts'

/** A second, independent reader of RFC 4180. */
function readCsv(text: string): string[][] {
  const records: string[][] = [[]]
  for (let rest = text; rest !== ''; ) {
    const [whole = '', quoted, plain = '', end = ''] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest) ?? []
    if (whole === '') throw new Error(`not CSV: ${rest}`)
    records.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '\r\n') records.push([])
    rest = rest.slice(whole.length)
  }
  return records.slice(0, -1)
}

/** The columns of docs/bills.md, by hand. */
const COLUMNS =
  'kind time transaction_no mch_trade_no app_no refund_no mch_refund_no pay_channel pay_method payment_no state amount currency count note'.split(
    ' ',
  )

const ROW = {
  kind: 'PAYMENT' as const,
  at: new Date('2026-03-01T04:00:00Z'),
  transactionNo: 'AP1',
  mchTradeNo: '-mine',
  appNo: 'APP1',
  channel: 'wechat',
  method: 'native',
  paymentNo: 'UP1',
  attemptNo: 'AT1',
  refundNo: null,
  mchRefundNo: null,
  amountFen: 1250n,
  currency: 'CNY',
  isKept: true,
  note: '=HYPERLINK("http://a","b"),\n茶',
}

describe('a record', () => {
  it('reads back as the same cells, with any text in them', () => {
    fc.assert(
      fc.property(fc.array(anyText(), { minLength: 1, maxLength: 6 }), (cells) => {
        expect(readCsv(csvLine(cells))).toEqual([cells])
      }),
    )
  })

  it('has every column, and no cell that a spreadsheet runs', () => {
    const [columns = [], cells = []] = readCsv(headerLine() + rowLine(ROW))
    const record = Object.fromEntries(columns.map((column, index) => [column, cells[index]]))
    expect(columns).toEqual(COLUMNS)
    expect(record).toMatchObject({
      kind: 'PAYMENT',
      time: '2026-03-01T12:00:00+08:00',
      mch_trade_no: "'-mine",
      amount: '12.50',
      state: 'SUCCESS',
      note: '\'=HYPERLINK("http://a","b"),\n茶',
    })
    expect(readCsv(rowLine({ ...ROW, isKept: false }))[0]).toContain('RETURNED')
  })
})

it.each(['=1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\n=1', '＝1', '＋1', '－1', '＠a', "'=1"])(
  '%j is defused',
  (text) => {
    expect(defused(text)).toBe(`'${text}`)
  },
)

it.each(['', 'a=1', '1-1', '测试', '12.50'])('%j is left as it is', (text) => {
  expect(defused(text)).toBe(text)
})

it('the summary adds each kind and each currency separately, and gives the net amount', () => {
  const totals: Totals = new Map()
  add(totals, ROW)
  add(totals, { ...ROW, amountFen: 99_999_999n })
  add(totals, { ...ROW, kind: 'REFUND', amountFen: 200_000_000n })
  add(totals, { ...ROW, kind: 'REVERSAL', amountFen: 1n })
  add(totals, { ...ROW, currency: 'HKD' })
  const lines = readCsv(summaryLines(totals)).map((cells) => {
    expect(cells).toHaveLength(COLUMNS.length)
    return cells.filter((cell) => cell !== '').join(' ')
  })
  expect(lines).toEqual([
    'TOTAL_PAYMENT 1000012.49 CNY 2',
    'TOTAL_REFUND 2000000.00 CNY 1',
    'TOTAL_REVERSAL 0.01 CNY 1',
    'TOTAL_NET -999987.52 CNY 4',
    'TOTAL_PAYMENT 12.50 HKD 1',
    'TOTAL_REFUND 0.00 HKD 0',
    'TOTAL_REVERSAL 0.00 HKD 0',
    'TOTAL_NET 12.50 HKD 1',
  ])
})
