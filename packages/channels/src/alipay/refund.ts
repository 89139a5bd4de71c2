/** Refunds: making one and asking for its state. */
import { type Fen, formatYuan } from '@acopay/core'
import type { RefundAnswer, RefundAsk, RefundQueryAnswer, RefundRef } from '../contract.ts'
import { isTradeAbsent, OK, refusal, traced, undefinedAnswer } from './answer.ts'
import type { AlipayContext } from './client.ts'
import { amountOf } from './transaction.ts'

/**
 * Reasons for which Alipay surely refunded nothing. Every other word, also the others of the manual's table
 * (`REFUND_CHARGE_ERROR`: "请过一段时间后再重试"; `AQC.SYSTEM_ERROR`, spelt so), may be said of a refund that is done
 * afterwards (docs/upstreams/alipay.md).
 */
const REFUSED = new Set([
  'SELLER_BALANCE_NOT_ENOUGH',
  'REFUND_AMT_NOT_EQUAL_TOTAL',
  'REASON_TRADE_REFUND_FEE_ERR',
  'REASON_TRADE_BEEN_FREEZEN',
  'TRADE_HAS_FINISHED',
  'TRADE_HAS_CLOSE',
  'TRADE_STATUS_ERROR',
  'TRADE_NOT_EXIST',
  'TRADE_NOT_ALLOW_REFUND',
  'NOT_ALLOW_PARTIAL_REFUND',
  'DISCORDANT_REPEAT_REQUEST',
  'INVALID_PARAMETER',
  'ACCESS_FORBIDDEN',
  'REFUNDALLOC_UNAUTH_LIMIT',
])

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
  if (REFUSED.has(refusal(answer))) return traced(answer, { kind: 'refused', why: answer.subCode })
  if (answer.code !== OK || !isOf(ask, answer.data)) return undefinedAnswer(answer)
  // This call moved no money: the refund was done before, or it is under way. A query tells which.
  if (answer.data.fund_change !== 'Y') return traced(answer, { kind: 'processing' })
  // "退款总金额": this refund's and those before it.
  const refundedFen = amountOf(answer.data.refund_fee) ?? 0n
  return refundedFen < ask.amountFen ? undefinedAnswer(answer) : traced(answer, { kind: 'done' })
}

/** "统一收单交易退款查询" (alipay.trade.fastpay.refund.query). */
export async function queryRefund(
  { client }: AlipayContext,
  ref: RefundRef,
  signal: AbortSignal,
): Promise<RefundQueryAnswer> {
  const body = { trade_no: ref.paymentNo, out_request_no: ref.refundNo }
  const answer = await client.call('alipay.trade.fastpay.refund.query', body, signal)
  if (isTradeAbsent(answer)) return traced(answer, { kind: 'absent' })
  const { data } = answer
  const { refund_status: status = '', out_request_no: refundNo, trade_no: paymentNo = ref.paymentNo } = data
  if (answer.code !== OK || paymentNo !== ref.paymentNo) return undefinedAnswer(answer)
  // "未返回该字段表示退款请求未收到或者退款失败": no such refund, or not yet.
  if (status === '') return traced(answer, { kind: 'absent' })
  const amountFen = amountOf(data.refund_amount)
  const isDone = status === 'REFUND_SUCCESS' && refundNo === ref.refundNo && isOf(ref, data)
  return isDone && amountFen !== null ? traced(answer, { kind: 'done', amountFen }) : undefinedAnswer(answer)
}

/** Whether the answer is about the payment, and the attempt, that were asked about. */
const isOf = ({ paymentNo, attemptNo }: RefundRef, data: Record<string, unknown>): boolean =>
  data.trade_no === paymentNo && (data.out_trade_no === undefined || data.out_trade_no === attemptNo)
