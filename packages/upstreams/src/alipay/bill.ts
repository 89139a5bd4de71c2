/**
 * The trade bill of a day: a zip with one CSV file. Alipay's own is in GBK, which Node can read and cannot write: the
 * Chinese words here are GBK bytes in hex, and other text is limited to ASCII.
 */
import { crc32 } from 'node:zlib'
import type { Trades } from '../trades.ts'
import { timeText } from './time.ts'

/** 支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,退款批次号 */
const HEAD = Buffer.from(
  'd6a7b8b6b1a6bdbbd2d7bac52cc9ccbba7b6a9b5a5bac52cd2b5cef1c0e0d0cd2cc9ccc6b7c3fbb3c62cb4b4bda8cab1bce42ccdeab3c9cab1' +
    'bce42cb6a9b5a5bdf0b6eea3a8d4aaa3a92ccdcbbfeec5fab4cebac5',
  'hex',
)
/** 交易 */
const PAYMENT = Buffer.from('bdbbd2d7', 'hex')
/** 退款 */
const REFUND = Buffer.from('cdcbbfee', 'hex')

const yuan = (fen: number): string => (fen / 100).toFixed(2)

async function rowsOf(trades: Trades, day: string): Promise<Buffer[]> {
  const rows: Buffer[] = []
  const row = (kind: Buffer, before: string[], after: string[]): void => {
    rows.push(Buffer.concat([Buffer.from(`${before.join('\t,')}\t,`), kind, Buffer.from(`,${after.join(',')}\r\n`)]))
  }
  for (const { no, description, payment, refunds } of await trades.list()) {
    if (payment === null) continue
    // Commas stay: the manual does not say that Alipay removes them.
    const goods = description.replace(/[^\x20-\x7e]/g, '?')
    const at = timeText(payment.atMs)
    if (at.startsWith(day)) row(PAYMENT, [payment.no, no], [goods, at, at, yuan(payment.fen), ''])
    for (const refund of refunds) {
      const sentAt = timeText(refund.atMs)
      if (sentAt.startsWith(day)) row(REFUND, [payment.no, no], [goods, at, sentAt, `-${yuan(refund.fen)}`, refund.no])
    }
  }
  return rows
}

export const hasBill = async (trades: Trades, day: string): Promise<boolean> => (await rowsOf(trades, day)).length > 0

export async function billZip(trades: Trades, day: string): Promise<Buffer> {
  const csv = Buffer.concat([Buffer.from('#Alipay\r\n'), HEAD, Buffer.from('\r\n'), ...(await rowsOf(trades, day))])
  const name = Buffer.from('trades.csv')
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt32LE(crc32(csv), 10)
  common.writeUInt32LE(csv.length, 14)
  common.writeUInt32LE(csv.length, 18)
  common.writeUInt16LE(name.length, 22)
  const file = Buffer.concat([Buffer.from('504b0304', 'hex'), common, name, csv])
  const directory = Buffer.concat([Buffer.from('504b01021400', 'hex'), common, Buffer.alloc(14), name])
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(file.length, 16)
  return Buffer.concat([file, directory, end])
}
