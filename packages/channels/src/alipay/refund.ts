/** Refunds: making one and asking for its state. */
import { type Fen, formatYuan } from '@acopay/core'
import { billFen, type RefundAnswer, type RefundAsk, type RefundQueryAnswer, type RefundRef } from '../contract.ts'
import { isRefused, OK, TRADE_NOT_EXIST, traced, undefinedAnswer } from './answer.ts'
import type { AlipayContext } from './client.ts'

/** "统一收单交易退款" (alipay.trade.refund): repeating an `out_request_no` does not refund twice. */
export async function refund({ client }: AlipayContext, ask: RefundAsk, signal: AbortSignal): Promise<RefundAnswer> {
  const body = {
    // The payment's number, not the attempt's: an attempt may have been paid twice, and one of the payments is kept.
    trade_no: ask.paymentNo,
    out_request_no: ask.refundNo,
    refund_amount: formatYuan(ask.amountFen as Fen),
    refund_reason: ask.reason,
  }
  const answer = await client.call('alipay.trade.refund', body, signal)
  if (answer.code === OK && answer.data.fund_change === 'Y') return traced(answer, { kind: 'done' })
  // This call moved no money: the refund was done before, or it is under way. A query tells which.
  if (answer.code === OK) return traced(answer, { kind: 'processing' })
  if (isRefused(answer)) return traced(answer, { kind: 'refused', why: answer.subCode })
  return undefinedAnswer(answer)
}

/** "统一收单交易退款查询" (alipay.trade.fastpay.refund.query). */
export async function queryRefund(
  { client }: AlipayContext,
  { paymentNo, refundNo }: RefundRef,
  signal: AbortSignal,
): Promise<RefundQueryAnswer> {
  const body = { trade_no: paymentNo, out_request_no: refundNo }
  const answer = await client.call('alipay.trade.fastpay.refund.query', body, signal)
  if (answer.subCode === TRADE_NOT_EXIST) return traced(answer, { kind: 'absent' })
  if (answer.code !== OK) return undefinedAnswer(answer)
  if (answer.data.refund_status !== 'REFUND_SUCCESS') return traced(answer, { kind: 'absent' })
  const amountFen = billFen(String(answer.data.refund_amount))
  return amountFen === null ? undefinedAnswer(answer) : traced(answer, { kind: 'done', amountFen })
}
