import { isDeepStrictEqual } from 'node:util'
import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { alipayOracle } from '../../../../test/support/oracle/alipay.ts'
import { alipayBill, alipayRow } from '../../../../test/support/oracle/bills.ts'
import { readBill } from './bill.ts'
import { makeAlipay } from './index.ts'

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

const IN_FULL = {
  kind: 'payment',
  attemptNo: 'AT202601301200000000000000000001',
  paymentNo: '2026013022001400001000000001',
  amountFen: 1250n,
  at: new Date('2026-01-30T04:00:00Z'),
}
const REFUND = { 业务类型: '退款', '订单金额（元）': '-5.00', '退款批次号/请求号': 'AR1' }
const SENT_BACK = { ...IN_FULL, kind: 'refund', refundNo: 'AR1', amountFen: 500n }

describe("Alipay's bill in its own form: GBK, 25 columns, two files, lines of sums", () => {
  it('is read to the fen', async () => {
    const rows = [
      alipayRow(),
      alipayRow(REFUND),
      alipayRow({ ...REFUND, '退款批次号/请求号': '' }),
      alipayRow({ 业务类型: '其它' }),
    ]
    expect(await readBill(alipayBill(rows))).toEqual([IN_FULL, SENT_BACK, { ...SENT_BACK, refundNo: '' }])
    expect(await readBill(alipayBill([]))).toEqual([])
  })

  it('is read whatever a merchant calls the goods, the coupon or the note', async () => {
    const names = [
      '',
      ',',
      ',,,',
      'a, b and c',
      '`',
      '"x"',
      '第一行\n第二行',
      '第一行,\r\n第二行',
      '#',
      'a\n#b',
      '2026-01-30 12:00:00,',
    ]
    const found = (cell: string, name: string) =>
      readBill(alipayBill([alipayRow({ [cell]: name }), alipayRow(), alipayRow({ ...REFUND, [cell]: name })]))
    for (const name of names) expect(await found('商品名称', name), name).toEqual([IN_FULL, IN_FULL, SENT_BACK])
    const flat = names.filter((name) => !name.includes('\n'))
    for (const name of flat) expect(await found('备注', name), name).toEqual([IN_FULL, IN_FULL, SENT_BACK])
    // A comma in a cell between the amount and the refund's number: the row is read rightly, or not at all.
    for (const name of flat) {
      const lines = [...(await found('券名称', name)), ...(await found('门店名称', name))]
      const right = [IN_FULL, IN_FULL, SENT_BACK, IN_FULL, IN_FULL, SENT_BACK]
      const wrong = lines.filter((line, index) => line.kind !== 'unreadable' && !isDeepStrictEqual(line, right[index]))
      expect(wrong, name).toEqual([])
    }
  })

  it('has one line for each row that cannot be read, and all the others', async () => {
    const broken: [cells: Record<string, string>, why: string][] = [
      [{ 商户订单号: '' }, '商户订单号'],
      [{ 支付宝交易号: 'a b' }, '支付宝交易号'],
      [{ 完成时间: 'yesterday' }, '完成时间, 订单金额'],
      [{ '订单金额（元）': 'free' }, '完成时间, 订单金额'],
      [{ '订单金额（元）': '0.00' }, '订单金额'],
      [{ '订单金额（元）': '-12.50' }, '订单金额'],
      [{ ...REFUND, '订单金额（元）': '0.00' }, '订单金额, 退款批次号'],
      [{ ...REFUND, '退款批次号/请求号': 'a b' }, '订单金额, 退款批次号'],
    ]
    for (const [cells, why] of broken) {
      const found = await readBill(alipayBill([alipayRow(), alipayRow(cells), alipayRow()]))
      expect(found, why).toEqual([IN_FULL, expect.objectContaining({ kind: 'unreadable', row: 2, why }), IN_FULL])
    }
    expect(await readBill(alipayBill([alipayRow(), '2026013022001400001000000002\t,cut', alipayRow()]))).toEqual([
      IN_FULL,
      { kind: 'unreadable', row: 2, attemptNo: 'cut', paymentNo: '2026013022001400001000000002', why: '2 of 25 cells' },
      IN_FULL,
    ])
  })
})

it('a link to the bill is fetched by https wherever Alipay itself is called by https, whatever the link says', async () => {
  const oracle = await alipayOracle()
  const asked: string[] = []
  const read = async (gateway: string, link: string) => {
    oracle.says({ body: { code: '10000', msg: 'Success', bill_download_url: link } })
    const passing: typeof fetch = async (input, init) => {
      asked.push(String(input))
      const isCall = String(input) === gateway
      return isCall ? fetch(oracle.account.gateway, init) : new Response(new Uint8Array(alipayBill([alipayRow()])))
    }
    const channel = makeAlipay({ ...oracle.account, gateway }, { ...oracle.door, fetch: passing })
    return channel.fetchUpstreamBill('2026-01-30', new AbortController().signal)
  }
  const link = 'http://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=X&userId=Y'
  expect(await read('https://openapi.alipay.com/gateway.do', link)).toMatchObject({ kind: 'bill', lines: [IN_FULL] })
  expect(asked).toEqual(['https://openapi.alipay.com/gateway.do', link.replace('http:', 'https:')])
  expect(await read('http://stand-in.test/gateway.do', link)).toMatchObject({ kind: 'bill' })
  expect(asked.at(-1)).toBe(link)
  await oracle.stop()
})
