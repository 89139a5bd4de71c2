/** A payment as Alipay describes it, in answers to queries and in notifications alike. */
import { billFen, isNumber, paidAtOf, type UpstreamPayment } from '../contract.ts'
import { readAlipayTime } from './client.ts'

/**
 * Null when a field is not what the manual says. The state of the trade says whether it was paid; the time is optional
 * ("send_pay_date 特殊可选"), under one name in queries and under another in notifications.
 */
export function readPayment(data: Record<string, unknown>, now: Date): UpstreamPayment | null {
  const { trade_no: paymentNo } = data
  const amountFen = amountOf(data.total_amount)
  const time = data.send_pay_date ?? data.gmt_payment ?? ''
  const paidAt = paidAtOf(time === '' ? null : readAlipayTime(time), now)
  if (!isNumber(paymentNo) || amountFen === null || paidAt === null) return null
  const payer = data.buyer_open_id ?? data.buyer_user_id ?? data.buyer_id
  return { paymentNo, amountFen, currency: 'CNY', paidAt, payer: typeof payer === 'string' ? payer : null }
}

/** Yuan as text or as a number, with up to two decimals; null when no money can have this amount. */
export function amountOf(yuan: unknown): bigint | null {
  const fen = typeof yuan === 'string' || typeof yuan === 'number' ? billFen(String(yuan)) : null
  return fen !== null && fen > 0n ? fen : null
}
