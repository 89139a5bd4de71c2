/** Reads the trade bill (pay.weixin.qq.com, "申请交易账单"): CSV whose cells begin with a backtick, then a summary. */
import { billFen, type UpstreamBillLine } from '../contract.ts'

const COLUMNS = {
  at: '交易时间',
  paymentNo: '微信订单号',
  attemptNo: '商户订单号',
  state: '交易状态',
  refundNo: '商户退款单号',
  total: '订单金额',
  refund: '申请退款金额',
} as const

/** Throws when a column or an amount is not what the manual says. */
export function readBill(text: string): UpstreamBillLine[] {
  const [head = '', ...rows] = text
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r?\n/)
  const names = head.split(',')
  const place = Object.fromEntries(
    Object.entries(COLUMNS).map(([key, name]) => {
      const index = names.indexOf(name)
      if (index < 0) throw new Error(`the bill has no column ${name}`)
      return [key, index]
    }),
  ) as Record<keyof typeof COLUMNS, number>
  // The first row without a backtick is the header of the summary.
  const end = rows.findIndex((row) => !row.startsWith('`'))
  return rows.slice(0, end < 0 ? rows.length : end).flatMap((row) => readRow(row.slice(1).split(',`'), place))
}

function readRow(cells: string[], place: Record<keyof typeof COLUMNS, number>): UpstreamBillLine[] {
  const cell = (name: keyof typeof COLUMNS): string => cells[place[name]] ?? ''
  const common = {
    attemptNo: cell('attemptNo'),
    paymentNo: cell('paymentNo'),
    at: new Date(`${cell('at').replace(' ', 'T')}+08:00`),
  }
  switch (cell('state')) {
    case 'SUCCESS':
      return [{ kind: 'payment', ...common, amountFen: fenOf(cell('total')) }]
    case 'REFUND':
      return [{ kind: 'refund', ...common, refundNo: cell('refundNo'), amountFen: fenOf(cell('refund')) }]
    default:
      return []
  }
}

function fenOf(text: string): bigint {
  const amount = billFen(text)
  if (amount === null) throw new Error(`the bill has the unreadable amount ${text}`)
  return amount
}
