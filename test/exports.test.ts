/**
 * Every text cell of every file that people open in a spreadsheet, with every beginning that a spreadsheet could run as a
 * formula, and with commas, quotes and line ends. What the file must hold is written here by hand, byte for byte.
 */
import { expect, it } from 'vitest'
import { headerLine, rowLine, summaryLines } from '../apps/server/src/actions/bill/bill-csv.ts'
import type { ConsoleCall } from '../apps/server/src/http/console/call.ts'
import { csvRecord } from '../apps/server/src/http/console/exports/cells.ts'
import { ORDER_COLUMNS } from '../apps/server/src/http/console/exports/columns.ts'
import { exported } from '../apps/server/src/http/console/exports/lists.ts'
import { orderRow } from '../apps/server/src/http/console/orders/orders.ts'

/** The text as the merchant or the payer gave it, and the cell that must stand in the file. */
const CELLS: [text: string, cell: string][] = [
  // Formulas, also after blanks, line ends, and characters that are not shown.
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['＝1+1', "'＝1+1"],
  ['＋1', "'＋1"],
  ['－1', "'－1"],
  ['＠SUM', "'＠SUM"],
  ['  =1', "'  =1"],
  ['\u3000=1', "'\u3000=1"],
  ['\u00a0@a', "'\u00a0@a"],
  ['\ufeff=1', "'\ufeff=1"],
  ['\ufeff＝1', "'\ufeff＝1"],
  ['\u200b=1', "'\u200b=1"],
  ['\u0001=1', "'\u0001=1"],
  ['\u202e+1', "'\u202e+1"],
  ['-', "'-"],
  ['=', "'="],
  // A tab or a line end at the beginning moves what follows into another cell or row.
  ['\t1', "'\t1"],
  ['\r1', `"'\r1"`],
  ['\n1', `"'\n1"`],
  ['\r\n1', `"'\r\n1"`],
  ['\t=1', "'\t=1"],
  ['\r=1', `"'\r=1"`],
  ['\n=1', `"'\n=1"`],
  [' \t1', "' \t1"],
  [' \n1', `"' \n1"`],
  // A quote before a formula: some programs drop quotes.
  ['"=1"', `"'""=1"""`],
  ['"\t=1"', `"'""\t=1"""`],
  ['"@a', `"'""@a"`],
  // An apostrophe of the text's own, so that a reader who takes one away gets the text back.
  ["'", "''"],
  ["'=1", "''=1"],
  ["'a", "''a"],
  // With what separates cells and records.
  ['=1,2', `"'=1,2"`],
  ['=HYPERLINK("http://a","b"),\n茶', `"'=HYPERLINK(""http://a"",""b""),\n茶"`],
  ['-1\r\n=2', `"'-1\r\n=2"`],
  ['a,=1', '"a,=1"'],
  ['a"=1', '"a""=1"'],
  ['a\n=1', '"a\n=1"'],
  ['a\r=1', '"a\r=1"'],
  ['a\r\n=1', '"a\r\n=1"'],
  ['"a"', '"""a"""'],
  [',', '","'],
  ['"', '""""'],
  // Texts that are no formula stay as they are.
  ['', ''],
  ['a', 'a'],
  ['a=1', 'a=1'],
  ['1-1', '1-1'],
  ['12.50', '12.50'],
  [' a', ' a'],
  ['\ufeffa', '\ufeffa'],
  ['测试 -1', '测试 -1'],
  ['a\t=1', 'a\t=1'],
  ['_=1', '_=1'],
  ['1@a', '1@a'],
]

const ORDER = {
  mchNo: 'M',
  transactionNo: 'AP1',
  mchTradeNo: 'no',
  appNo: 'app',
  description: 'text',
  amountFen: 1250n,
  state: 'SUCCESS',
  closeReason: 'MERCHANT',
  payChannel: 'wechat',
  payMethod: 'native',
  createdAt: new Date('2026-03-01T04:00:00Z'),
  timeExpire: new Date('2026-03-01T06:00:00Z'),
  successTime: new Date('2026-03-01T04:00:01Z'),
  isSentBack: false,
} as const
const orderRecord = (order: Parameters<typeof orderRow>[0]): string => csvRecord(ORDER_COLUMNS, orderRow(order))

const ORDER_RECORD = (cell: Partial<Record<keyof typeof ORDER, string>>): string =>
  `${cell.mchNo ?? 'M'},${cell.transactionNo ?? 'AP1'},${cell.mchTradeNo ?? 'no'},${cell.appNo ?? 'app'},${cell.description ?? 'text'},12.50,${cell.state ?? 'SUCCESS'},${cell.closeReason ?? 'MERCHANT'},${cell.payChannel ?? 'wechat'},${cell.payMethod ?? 'native'},2026-03-01T12:00:00+08:00,2026-03-01T14:00:00+08:00,2026-03-01T12:00:01+08:00\r\n`

const LINE = {
  kind: 'PAYMENT',
  at: new Date('2026-03-01T04:00:00Z'),
  transactionNo: 'AP1',
  mchTradeNo: 'no',
  appNo: 'app',
  channel: 'wechat',
  method: 'native',
  paymentNo: 'UP1',
  attemptNo: 'AT1',
  refundNo: 'AR1',
  mchRefundNo: 'rno',
  amountFen: 1250n,
  currency: 'CNY',
  isKept: true,
  note: 'text',
} as const
const BILL_LINE = (cell: Partial<Record<keyof typeof LINE, string>>): string =>
  `PAYMENT,2026-03-01T12:00:00+08:00,${cell.transactionNo ?? 'AP1'},${cell.mchTradeNo ?? 'no'},${cell.appNo ?? 'app'},${cell.refundNo ?? 'AR1'},${cell.mchRefundNo ?? 'rno'},${cell.channel ?? 'wechat'},${cell.method ?? 'native'},${cell.paymentNo ?? 'UP1'},SUCCESS,12.50,${cell.currency ?? 'CNY'},1,${cell.note ?? 'text'}\r\n`

const ORDER_TEXTS = [
  'mchNo',
  'transactionNo',
  'mchTradeNo',
  'appNo',
  'description',
  'state',
  'closeReason',
  'payChannel',
  'payMethod',
] as const
const BILL_TEXTS = [
  'transactionNo',
  'mchTradeNo',
  'appNo',
  'channel',
  'method',
  'paymentNo',
  'refundNo',
  'mchRefundNo',
  'currency',
  'note',
] as const

it('no cell of the exported orders and of the bill is run as a formula, and each reads back as its text', () => {
  const wrong: string[] = []
  const hold = (where: string, written: string, expected: string): void => {
    if (written !== expected) wrong.push(`${where}: ${JSON.stringify(written)}, not ${JSON.stringify(expected)}`)
  }
  for (const [text, cell] of CELLS) {
    for (const name of ORDER_TEXTS) {
      hold(`order.${name}`, orderRecord({ ...ORDER, [name]: text }), ORDER_RECORD({ [name]: cell }))
    }
    for (const name of BILL_TEXTS) {
      hold(`bill.${name}`, rowLine({ ...LINE, [name]: text }), BILL_LINE({ [name]: cell }))
    }
    const none = { fen: 0n, count: 0n }
    hold(
      'bill total',
      summaryLines(
        new Map([[text, { PAYMENT: { fen: 5n, count: 1n }, REFUND: { fen: 10n, count: 1n }, REVERSAL: none }]]),
      ),
      [
        `TOTAL_PAYMENT,,,,,,,,,,,0.05,${cell},1,\r\n`,
        `TOTAL_REFUND,,,,,,,,,,,0.10,${cell},1,\r\n`,
        `TOTAL_REVERSAL,,,,,,,,,,,0.00,${cell},0,\r\n`,
        // A negative sum is a number and stays one.
        `TOTAL_NET,,,,,,,,,,,-0.05,${cell},2,\r\n`,
      ].join(''),
    )
  }
  expect(wrong).toEqual([])
})

it('cells that have no value are empty, and the bill says what was returned', () => {
  const nothing = { closeReason: null, payChannel: null, payMethod: null, successTime: null }
  expect(orderRecord({ ...ORDER, ...nothing })).toBe(
    'M,AP1,no,app,text,12.50,SUCCESS,,,,2026-03-01T12:00:00+08:00,2026-03-01T14:00:00+08:00,\r\n',
  )
  expect(rowLine({ ...LINE, isKept: false, refundNo: null, mchRefundNo: null, note: null })).toBe(
    'PAYMENT,2026-03-01T12:00:00+08:00,AP1,no,app,,,wechat,native,UP1,RETURNED,12.50,CNY,1,\r\n',
  )
  expect(rowLine({ ...LINE, kind: 'REVERSAL', isKept: null })).toBe(
    'REVERSAL,2026-03-01T12:00:00+08:00,AP1,no,app,AR1,rno,wechat,native,UP1,SUCCESS,12.50,CNY,1,text\r\n',
  )
})

it('the bill begins with the names of its columns', () => {
  expect(headerLine()).toBe(
    'kind,time,transaction_no,mch_trade_no,app_no,refund_no,mch_refund_no,pay_channel,pay_method,payment_no,state,amount,currency,count,note\r\n',
  )
})

it('the audit log says what was asked of a file, and no more than sixteen short fields of it', () => {
  const of = (query: Record<string, string>) =>
    exported({ caller: { mchNo: null }, query } as unknown as ConsoleCall, 'orders.csv')
  expect(of({ mch_no: 'M1', state: 'CLOSED', app: '' })).toEqual({
    ...{ mchNo: 'M1', subject: 'orders.csv' },
    detail: { mch_no: 'M1', state: 'CLOSED' },
  })
  const many = Object.fromEntries(
    Array.from({ length: 17 }, (_, index) => [`${index}`.padEnd(33, 'x'), 'y'.repeat(65)]),
  )
  const { detail } = of(many)
  expect(Object.keys(detail)).toHaveLength(16)
  expect(Object.keys(detail)[0]).toBe(`0${'x'.repeat(31)}`)
  expect(Object.values(detail)[0]?.length).toBeLessThanOrEqual(65)
})
