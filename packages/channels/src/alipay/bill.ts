/** The trade bill (opendocs.alipay.com, "查询对账单下载地址"): a zip of CSV files in GBK, one of them with every trade. */
import { buffer } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise } from 'yauzl'
import { billFen, type UpstreamBillLine } from '../contract.ts'
import { readAlipayTime } from './client.ts'

/** More than any day's bill of one merchant; a zip whose files claim more together is not unpacked. */
const BYTES_MAX = 512 * 1024 * 1024

/** Throws when the file is no bill. */
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

function readRows(names: string[], lines: string[]): UpstreamBillLine[] {
  const place = (name: string): number => {
    const index = names.findIndex((found) => found.startsWith(name))
    if (index < 0) throw new Error(`the bill has no column ${name}`)
    return index
  }
  const [paymentNo, attemptNo, kind] = [place('支付宝交易号'), place('商户订单号'), place('业务类型')]
  const [doneAt, total, refundNo] = [place('完成时间'), place('订单金额'), place('退款批次号')]
  const description = place('商品名称')
  const rows = lines.filter((line) => line !== '' && !line.startsWith('#')).map(cellsOf)
  return rows.flatMap((found): UpstreamBillLine[] => {
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
