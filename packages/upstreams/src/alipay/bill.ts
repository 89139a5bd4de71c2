/** The trade bill of a day: a zip of two CSV files in GBK, every trade and the sums. */
import { crc32 } from 'node:zlib'
import type { Trades } from '../trades.ts'
import { encodeGbk } from './gbk.ts'
import { timeText } from './time.ts'

const COLUMNS =
  '支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注'.split(
    ',',
  )

const yuan = (fen: number): string => (fen / 100).toFixed(2)

type Row = Record<string, string>

const lineOf = (row: Row): string =>
  COLUMNS.map((name) => row[name] ?? (name.endsWith('（元）') ? '0.00' : '')).join(',')

async function rowsOf(trades: Trades, day: string): Promise<string[]> {
  const rows: string[] = []
  for (const { no, description, payment, refunds } of await trades.list()) {
    if (payment === null) continue
    const at = timeText(payment.atMs)
    // Commas stay: the manual does not say that Alipay removes them.
    const common = { 支付宝交易号: `${payment.no}\t`, 商户订单号: `${no}\t`, 商品名称: description, 创建时间: at }
    const paid = yuan(payment.fen)
    if (at.startsWith(day)) {
      rows.push(lineOf({ ...common, 业务类型: '交易', 完成时间: at, '订单金额（元）': paid, '商家实收（元）': paid }))
    }
    for (const refund of refunds) {
      const sentAt = timeText(refund.atMs)
      if (!sentAt.startsWith(day)) continue
      const back = { '订单金额（元）': `-${yuan(refund.fen)}`, '退款批次号/请求号': refund.no }
      rows.push(lineOf({ ...common, 业务类型: '退款', 完成时间: sentAt, ...back }))
    }
  }
  return rows
}

export const hasBill = async (trades: Trades, day: string): Promise<boolean> => (await rowsOf(trades, day)).length > 0

export async function billZip(trades: Trades, day: string): Promise<Buffer> {
  const rows = await rowsOf(trades, day)
  const details = [
    '#支付宝业务明细查询',
    `#起始日期：[${day}]`,
    COLUMNS.join(','),
    ...rows,
    '#业务明细列表结束',
    `#交易合计：${rows.length}笔`,
    '',
  ]
  const sums = ['#支付宝业务汇总查询', '门店编号,门店名称,交易订单总笔数', `合计,,${rows.length}`, '']
  return zipOf([
    ['details.csv', encodeGbk(details.join('\r\n'))],
    ['sums.csv', encodeGbk(sums.join('\r\n'))],
  ])
}

/** A zip of files that are stored as they are. */
function zipOf(entries: [name: string, bytes: Buffer][]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [title, bytes] of entries) {
    const name = Buffer.from(title)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(at, 10)
    const file = Buffer.concat([Buffer.from('504b0304', 'hex'), common, name, bytes])
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
