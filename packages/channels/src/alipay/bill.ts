/** The trade bill (opendocs.alipay.com, "查询对账单下载地址"): a zip of CSV files in GBK, one of them with every trade. */
import { buffer } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise } from 'yauzl'
import { billFen, isNumber, type UpstreamBillLine, unreadableLine } from '../contract.ts'
import { readAlipayTime } from './client.ts'

/** More than any day's bill of one merchant; a zip whose files claim more together is not unpacked. */
const BYTES_MAX = 512 * 1024 * 1024

/** Throws when the file is no bill. A row that is not what the manual says is one line of its own. */
export async function readBill(zip: Buffer): Promise<UpstreamBillLine[]> {
  for await (const bytes of filesOf(zip)) {
    const lines = new TextDecoder('gbk').decode(bytes).split(/\r?\n/)
    const head = lines.findIndex((line) => line.includes('业务类型') && line.includes('商户订单号'))
    // The other file is a summary without order numbers.
    if (head >= 0) return readRows(cellsOf(lines[head] as string), lines.slice(head + 1))
  }
  throw new Error('no trades in the bill')
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

function readRows(names: string[], lines: string[]): UpstreamBillLine[] {
  const places = Object.entries(COLUMNS).map(([key, name]) => {
    const index = names.findIndex((found) => found.startsWith(name))
    if (index < 0) throw new Error(`the bill has no column ${name}`)
    return [key, index]
  })
  const amounts = names.flatMap((name, index) => (name.endsWith('（元）') ? [index] : []))
  const place: Place = { ...Object.fromEntries(places), count: names.length, amounts }
  return rowsOf(lines, names.length).flatMap((cells, index) => readRow(cells, place, index + 1))
}

/** How every row begins: Alipay's number of the trade, with tabs. */
const BEGIN = /^\d{16,64}\t*,/

/** The cells of every row. The name of the goods is the merchant's, and may contain commas and line breaks. */
function rowsOf(lines: string[], count: number): string[][] {
  const rows: string[] = []
  for (const line of lines) {
    const last = rows.at(-1)
    const isWhole = last === undefined || cellsOf(last).length >= count
    // "#-----业务明细列表结束-----", and sums.
    if (isWhole && (line === '' || line.startsWith('#'))) continue
    if (isWhole || BEGIN.test(line)) rows.push(line)
    else rows[rows.length - 1] = `${last}\n${line}`
  }
  return rows.map(cellsOf)
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
    if (crc32(bytes) !== entry.crc32) throw new Error('the zip file is damaged')
    yield bytes
  }
}
