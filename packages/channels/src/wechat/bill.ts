/** Reads the trade bill (pay.weixin.qq.com, "申请交易账单"): CSV whose cells begin with a backtick, then a summary. */
import { billFen, isNumber, type UpstreamBillLine, unreadableLine } from '../contract.ts'
import { linesOf } from '../slices.ts'

/** The bill's columns have two forms: accounts that may use coupons of their own have the longer one (docs/upstreams). */
const COLUMNS = {
  at: ['交易时间'],
  subMchId: ['特约商户号'],
  paymentNo: ['微信订单号'],
  attemptNo: ['商户订单号'],
  state: ['交易状态'],
  refundNo: ['商户退款单号'],
  refundState: ['退款状态'],
  goods: ['商品名称'],
  total: ['订单金额', '总金额'],
  refund: ['申请退款金额', '退款金额'],
} as const

type Place = Record<keyof typeof COLUMNS, number> & { count: number }

const SUMMARY = '总交易单数'
/** How every row begins: the time of the payment, or of the refund. */
const BEGIN = /^`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,`/

/** `subMchId`: the sub-merchant whose bill it is. Throws when a column is missing: then no row can be read. A row that is not what the manual says is one line of its own. */
export async function readBill(file: Buffer, subMchId?: string): Promise<UpstreamBillLine[]> {
  let rows: Rows | null = null
  for await (const lines of linesOf(trimmed(file), 'utf-8')) {
    for (const line of lines) {
      if (rows === null) rows = rowsOf(line, subMchId)
      else rows.add(line)
    }
  }
  return rows?.end() ?? []
}

/** Without line breaks and blanks at its end. */
function trimmed(file: Buffer): Buffer {
  let end = file.length
  while (end > 0 && [0x09, 0x0a, 0x0d, 0x20].includes(file[end - 1] as number)) end -= 1
  return file.subarray(0, end)
}

function placesOf(names: string[]): Place {
  const places = Object.entries(COLUMNS).map(([key, known]) => {
    const found = known.map((name) => names.indexOf(name)).find((index) => index >= 0)
    if (found === undefined) throw new Error(`the bill has no column ${known[0]}`)
    return [key, found]
  })
  return { ...(Object.fromEntries(places) as Record<keyof typeof COLUMNS, number>), count: names.length }
}

type Rows = { add: (line: string) => void; end: () => UpstreamBillLine[] }

/** Reads the rows below this head. The name of the goods is the merchant's: it may contain what separates cells, and line breaks. */
function rowsOf(head: string, subMchId: string | undefined): Rows {
  const place = placesOf(head.split(',').map((name) => name.replace(/^`/, '')))
  const found: UpstreamBillLine[] = []
  let count = 0
  let last: string | null = null
  let isSummed = false
  const readLast = (): void => {
    if (last === null) return
    count += 1
    found.push(...readRow(cellsOf(last), place, { row: count, subMchId }))
  }
  return {
    add(line) {
      if (isSummed) return
      const isWhole = last === null || cellsOf(last).length >= place.count
      if (isWhole && line.startsWith(SUMMARY)) isSummed = true
      else if (BEGIN.test(line) || (isWhole && line.startsWith('`'))) {
        readLast()
        last = line
      } else if (last !== null) last = `${last}\n${line}`
    },
    end() {
      readLast()
      return found
    },
  }
}

const cellsOf = (row: string): string[] => row.slice(1).split(',`')

type Of = { row: number; subMchId: string | undefined }

function readRow(cells: string[], place: Place, { row, subMchId }: Of): UpstreamBillLine[] {
  // Cells behind the goods are counted from the end.
  const extra = Math.max(0, cells.length - place.count)
  const cell = (name: keyof typeof COLUMNS): string =>
    cells[place[name] + (place[name] > place.goods ? extra : 0)] ?? ''
  const [attemptNo, paymentNo] = [cell('attemptNo'), cell('paymentNo')]
  const fail = (why: string): UpstreamBillLine[] => [unreadableLine(row, { attemptNo, paymentNo }, why)]
  if (cells.length < place.count) return fail(`${cells.length} of ${place.count} cells`)
  const state = cell('state')
  // Revoked payments of a kind that this channel does not make.
  if (state === 'REVOKED') return []
  if (state !== 'SUCCESS' && state !== 'REFUND') return fail('交易状态')
  const at = new Date(`${cell('at').replace(' ', 'T')}+08:00`)
  if (Number.isNaN(at.getTime())) return fail('交易时间')
  const wrong = wrongCell(cell, subMchId)
  if (wrong !== null) return fail(wrong)
  const amountFen = billFen(cell(state === 'SUCCESS' ? 'total' : 'refund'))
  if (amountFen === null || amountFen <= 0n) return fail(state === 'SUCCESS' ? '订单金额' : '申请退款金额')
  if (state === 'SUCCESS') return [{ kind: 'payment', attemptNo, paymentNo, at, amountFen }]
  const refundNo = cell('refundNo')
  if (!isNumber(refundNo)) return fail('商户退款单号')
  return readRefund({ attemptNo, paymentNo, refundNo, at, amountFen }, cell('refundState')) ?? fail('退款状态')
}

/** The name of the first cell that cannot be; null when all are fine. */
function wrongCell(cell: (name: keyof typeof COLUMNS) => string, subMchId: string | undefined): string | null {
  // A service provider's bill was asked for one sub-merchant: the money of another one is not this account's.
  if (subMchId !== undefined && cell('subMchId') !== subMchId) return '特约商户号'
  if (!isNumber(cell('attemptNo'))) return '商户订单号'
  return isNumber(cell('paymentNo')) ? null : '微信订单号'
}

type Refund = Omit<Extract<UpstreamBillLine, { kind: 'refund' }>, 'kind'>

/** Null for a state that the manual does not have. */
function readRefund(refund: Refund, state: string): UpstreamBillLine[] | null {
  switch (state) {
    case 'SUCCESS':
      return [{ kind: 'refund', ...refund }]
    // It is in the bill again on the day on which it is done.
    case 'PROCESSING':
      return []
    case 'FAIL':
    case 'CHANGE':
      return [{ kind: 'refund_not_done', ...refund, why: state }]
    default:
      return null
  }
}
