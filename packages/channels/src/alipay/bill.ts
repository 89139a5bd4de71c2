/** The trade bill (opendocs.alipay.com, "查询对账单下载地址"): a zip of CSV files in GBK, one of them with every trade. */
import { buffer } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise } from 'yauzl'
import { billFen, isNumber, type UpstreamBillLine, unreadableLine } from '../contract.ts'
import { linesOf, slicesOf } from '../slices.ts'
import { readAlipayTime } from './client.ts'

/** More than any day's bill of one merchant; a zip whose files claim more together is not unpacked. */
const BYTES_MAX = 512 * 1024 * 1024

/** Throws when the file is no bill. A row that is not what the manual says is one line of its own. */
export async function readBill(zip: Buffer): Promise<UpstreamBillLine[]> {
  for await (const bytes of filesOf(zip)) {
    const trades = await tradesIn(bytes)
    if (trades !== null) return trades
  }
  throw new Error('no trades in the bill')
}

/** Null for the other file, a summary without order numbers. */
async function tradesIn(bytes: Buffer): Promise<UpstreamBillLine[] | null> {
  let rows: Rows | null = null
  for await (const lines of linesOf(bytes, 'gbk')) {
    for (const line of lines) {
      if (rows !== null) rows.add(line)
      else if (line.includes('业务类型') && line.includes('商户订单号')) rows = rowsOf(cellsOf(line))
    }
  }
  return rows?.end() ?? null
}

const cellsOf = (line: string): string[] => line.split(',').map((cell) => cell.replace(/^[\t\s"]+|[\t\s"]+$/g, ''))

/** By the beginning of their names: some end in their unit, `（元）`, and one in `/请求号`. */
const COLUMNS = {
  paymentNo: '支付宝交易号',
  attemptNo: '商户订单号',
  kind: '业务类型',
  goods: '商品名称',
  doneAt: '完成时间',
  total: '订单金额',
  refundNo: '退款批次号',
} as const

type Place = Record<keyof typeof COLUMNS, number> & { count: number; amounts: number[] }

function placeOf(names: string[]): Place {
  const places = Object.entries(COLUMNS).map(([key, name]) => {
    const index = names.findIndex((found) => found.startsWith(name))
    if (index < 0) throw new Error(`the bill has no column ${name}`)
    return [key, index]
  })
  const amounts = names.flatMap((name, index) => (name.endsWith('（元）') ? [index] : []))
  return { ...Object.fromEntries(places), count: names.length, amounts }
}

/** How every row begins: Alipay's number of the trade, with tabs. */
const BEGIN = /^\d{16,64}\t*,/

type Rows = { add: (line: string) => void; end: () => UpstreamBillLine[] }

/** Reads the rows below this head. The name of the goods is the merchant's, and may contain commas and line breaks. */
function rowsOf(names: string[]): Rows {
  const place = placeOf(names)
  const found: UpstreamBillLine[] = []
  let count = 0
  let last: string | null = null
  const readLast = (): void => {
    if (last === null) return
    count += 1
    found.push(...readRow(cellsOf(last), place, count))
  }
  return {
    add(line) {
      const isWhole = last === null || cellsOf(last).length >= place.count
      // "#-----业务明细列表结束-----", and sums.
      if (isWhole && (line === '' || line.startsWith('#'))) return
      if (isWhole || BEGIN.test(line)) {
        readLast()
        last = line
      } else last = `${last}\n${line}`
    },
    end() {
      readLast()
      return found
    },
  }
}

function readRow(cells: string[], place: Place, row: number): UpstreamBillLine[] {
  const [attemptNo = '', paymentNo = ''] = [cells[place.attemptNo], cells[place.paymentNo]]
  const fail = (why: string): UpstreamBillLine[] => [unreadableLine(row, { attemptNo, paymentNo }, why)]
  if (cells.length < place.count) return fail(`${cells.length} of ${place.count} cells`)
  const kind = cells[place.kind]
  // Fees, transfers and other kinds of rows are not payments or refunds of orders.
  if (kind !== '交易' && kind !== '退款') return []
  if (!isNumber(attemptNo)) return fail('商户订单号')
  if (!isNumber(paymentNo)) return fail('支付宝交易号')
  const amounts = amountsOf(cells, place)
  if (amounts === null) return fail('完成时间, 订单金额')
  const { at, amountFen, refundNo } = amounts
  if (kind === '交易')
    return amountFen > 0n ? [{ kind: 'payment', attemptNo, paymentNo, at, amountFen }] : fail('订单金额')
  if (amountFen === 0n || !(refundNo === '' || isNumber(refundNo))) return fail('订单金额, 退款批次号')
  // Refunds are written as negative amounts.
  return [{ kind: 'refund', attemptNo, paymentNo, refundNo, at, amountFen: amountFen < 0n ? -amountFen : amountFen }]
}

/**
 * Alipay does not escape commas in the merchant's name of the goods, nor in cells behind it: as many cells are left out
 * behind the name as put an amount into every column of amounts. Null when no number of them does.
 */
function amountsOf(cells: string[], place: Place): { at: Date; amountFen: bigint; refundNo: string } | null {
  for (let extra = cells.length - place.count; extra >= 0; extra -= 1) {
    const at = readAlipayTime(cells[place.doneAt + extra])
    const amountFen = billFen(cells[place.total + extra] ?? '')
    const isInPlace =
      cells.length === place.count || place.amounts.every((index) => billFen(cells[index + extra] ?? '') !== null)
    if (!Number.isNaN(at.getTime()) && amountFen !== null && isInPlace) {
      return { at, amountFen, refundNo: cells[place.refundNo + extra] ?? '' }
    }
  }
  return null
}

/** The files of a zip, one after the other; throws where one is damaged or larger than it may be. */
async function* filesOf(zip: Buffer): AsyncGenerator<Buffer> {
  // File names play no part: they are in GBK, and nothing is written to a disk.
  const opened = await fromBufferPromise(zip, { decodeStrings: false })
  const entries: Entry[] = []
  let claimed = 0
  for await (const entry of opened.eachEntry()) {
    entries.push(entry)
    claimed += entry.uncompressedSize
    if (claimed > BYTES_MAX) throw new Error(`the bill claims more than ${BYTES_MAX} bytes`)
  }
  for (const entry of entries) {
    // The library ends a stream that gives more or less than its entry claims.
    const bytes = await buffer(await opened.openReadStreamPromise(entry))
    let sum = 0
    for await (const slice of slicesOf(bytes)) sum = crc32(slice, sum)
    if (sum !== entry.crc32) throw new Error('the zip file is damaged')
    yield bytes
  }
}
