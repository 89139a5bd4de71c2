/**
 * Reads the trade bill (opendocs.alipay.com, "查询对账单下载地址"): a zip of CSV files in GBK, one of which lists the trades.
 */
import { inflateRawSync } from 'node:zlib'
import { type BillLine, billFen } from '../contract.ts'
import { readAlipayTime } from './client.ts'

const FILE_HEAD = 0x04034b50
const DIRECTORY_HEAD = 0x02014b50
const DIRECTORY_END = 0x06054b50
const STORED = 0
/** More than any day's bill of one merchant; a file that claims more is not unpacked. */
const BYTES_MAX = 512 * 1024 * 1024

/** Throws when the file is not a bill. */
export function readBill(zip: Buffer): BillLine[] {
  for (const bytes of filesOf(zip)) {
    const lines = new TextDecoder('gbk').decode(bytes).split(/\r?\n/)
    const head = lines.findIndex((line) => line.includes('业务类型') && line.includes('商户订单号'))
    // The other file is a summary without order numbers.
    if (head >= 0) return readRows(cellsOf(lines[head] as string), lines.slice(head + 1))
  }
  throw new Error('no trades in the bill')
}

const cellsOf = (line: string): string[] => line.split(',').map((cell) => cell.replace(/^[\t\s"]+|[\t\s"]+$/g, ''))

function readRows(names: string[], lines: string[]): BillLine[] {
  const place = (name: string): number => {
    const index = names.findIndex((found) => found.startsWith(name))
    if (index < 0) throw new Error(`the bill has no column ${name}`)
    return index
  }
  const [paymentNo, attemptNo, kind] = [place('支付宝交易号'), place('商户订单号'), place('业务类型')]
  const [doneAt, total, refundNo] = [place('完成时间'), place('订单金额'), place('退款批次号')]
  const description = place('商品名称')
  const rows = lines.filter((line) => line !== '' && !line.startsWith('#')).map(cellsOf)
  return rows.flatMap((found): BillLine[] => {
    // Alipay does not escape commas in the merchant's description of the goods: drop the extra cells.
    const extra = Math.max(0, found.length - names.length)
    const cells = [...found.slice(0, description), ...found.slice(description + extra)]
    const cell = (index: number): string => cells[index] ?? ''
    const common = { attemptNo: cell(attemptNo), paymentNo: cell(paymentNo), at: readAlipayTime(cell(doneAt)) }
    // Fees, transfers and other kinds of rows are not payments or refunds of orders.
    if (cell(kind) !== '交易' && cell(kind) !== '退款') return []
    const amountFen = billFen(cell(total).replace(/^-/, ''))
    if (amountFen === null) throw new Error(`the bill has the unreadable amount ${cell(total)}`)
    if (cell(kind) === '交易') return [{ kind: 'payment', ...common, amountFen }]
    return [{ kind: 'refund', ...common, refundNo: cell(refundNo), amountFen }]
  })
}

/** The files of a zip, by its directory: stored or deflated, nothing else. */
function filesOf(zip: Buffer): Buffer[] {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0 || zip.readUInt32LE(end) !== DIRECTORY_END) throw new Error('not a zip file')
  const files: Buffer[] = []
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== DIRECTORY_HEAD) throw new Error('the zip file is damaged')
    const method = zip.readUInt16LE(at + 10)
    const size = zip.readUInt32LE(at + 20)
    const file = zip.readUInt32LE(at + 42)
    if (zip.readUInt32LE(file) !== FILE_HEAD) throw new Error('the zip file is damaged')
    const start = file + 30 + zip.readUInt16LE(file + 26) + zip.readUInt16LE(file + 28)
    const bytes = zip.subarray(start, start + size)
    files.push(method === STORED ? bytes : inflateRawSync(bytes, { maxOutputLength: BYTES_MAX }))
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return files
}
