/** A payment as Alipay describes it, in answers to queries and in notifications alike. */
import { parseYuan } from '@acopay/core'
import type { UpstreamPayment } from '../contract.ts'
import { readAlipayTime } from './client.ts'

/** Null when nothing was paid, or when a field is not what the manual says. */
export function readPayment(data: Record<string, unknown>, timeField: string): UpstreamPayment | null {
  const { trade_no: paymentNo, total_amount: total } = data
  const amountFen = parseYuan(String(total))
  const paidAt = readAlipayTime(data[timeField])
  if (typeof paymentNo !== 'string' || amountFen === null || Number.isNaN(paidAt.getTime())) return null
  const payer = data.buyer_open_id ?? data.buyer_user_id ?? data.buyer_id
  return { paymentNo, amountFen, currency: 'CNY', paidAt, payer: typeof payer === 'string' ? payer : null }
}
