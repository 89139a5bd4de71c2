import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readBill } from './bill.ts'

/** 支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,退款批次号, and 交易, in GBK. */
const HEAD = Buffer.from(
  'd6a7b8b6b1a6bdbbd2d7bac52cc9ccbba7b6a9b5a5bac52cd2b5cef1c0e0d0cd2cc9ccc6b7c3fbb3c62cb4b4bda8cab1bce42ccdeab3c9cab1' +
    'bce42cb6a9b5a5bdf0b6eea3a8d4aaa3a92ccdcbbfeec5fab4cebac5',
  'hex',
)
const PAYMENT = Buffer.from('bdbbd2d7', 'hex')
const AT = '2026-03-01 12:00:00'
const TRADES = Buffer.concat([
  ...[Buffer.from('#\r\n'), HEAD, Buffer.from('\r\nUP1\t,AT1\t,'), PAYMENT],
  Buffer.from(`,a, b and c,${AT},${AT},12.50,\r\n`),
])
const SUMS = Buffer.from('#no trades here\r\n')

type Entry = { bytes: Buffer; claims?: number; crc?: number; isStored?: boolean }

/** A zip by its specification (PKWARE's APPNOTE, 4.3), as honest as each entry wants it. */
function zipOf(...entries: Entry[]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { bytes, claims = bytes.length, crc = crc32(bytes), isStored = false } of entries) {
    const packed = isStored ? bytes : deflateRawSync(bytes)
    const name = Buffer.from('d2b5cef1c3f7cfb82e637376', 'hex')
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(isStored ? 0 : 8, 4)
    common.writeUInt32LE(crc, 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claims, 18)
    common.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(at, 10)
    const file = Buffer.concat([Buffer.from('504b0304', 'hex'), common, name, packed])
    files.push(file)
    directory.push(Buffer.from('504b01021400', 'hex'), common, place, name)
    at += file.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...files, ...directory, end])
}

const LARGE = { bytes: SUMS, claims: 200 * 1024 * 1024 }

describe("Alipay's bill", () => {
  it.each([true, false])('is read from the file with the trades, wherever it lies (stored: %s)', async (isStored) => {
    const zip = zipOf({ bytes: SUMS, isStored }, { bytes: TRADES, isStored })
    expect(await readBill(zip)).toEqual([
      expect.objectContaining({ kind: 'payment', attemptNo: 'AT1', paymentNo: 'UP1', amountFen: 1250n }),
    ])
  })

  it.each<[string, Buffer, RegExp?]>([
    ['that is no zip', Buffer.from('<html>')],
    ['that is cut off', zipOf({ bytes: TRADES }).subarray(0, 100)],
    ['without trades', zipOf({ bytes: SUMS })],
    ['whose bytes are not what was packed', zipOf({ bytes: TRADES, crc: 1 }), /damaged/],
    ['that unpacks to more than it claims', zipOf({ bytes: TRADES, claims: 20 })],
    ['that unpacks to less than it claims', zipOf({ bytes: TRADES, claims: 2000 })],
    ['that claims too much', zipOf({ bytes: TRADES, claims: 600 * 1024 * 1024 }), /claims more/],
    ['whose files claim too much together', zipOf(LARGE, LARGE, LARGE), /claims more/],
    // A thousand times as large as the zip: the stream ends with the first byte too many.
    ['that is a bomb', zipOf({ bytes: Buffer.alloc(64 * 1024 * 1024), claims: 10 })],
  ])('%s is refused', async (_what, zip, why = /./) => {
    await expect(readBill(zip)).rejects.toThrow(why)
  })
})
