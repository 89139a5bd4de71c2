/**
 * "统一收单交易关闭" (alipay.trade.close): a paid trade stays paid, and a code that no payer has scanned is no trade yet
 * (TRADE_NOT_EXIST). The channel never uses alipay.trade.cancel: it refunds a paid trade, even when the gateway has
 * already told the merchant that the payment is kept, and it does not end an unscanned code either
 * (docs/decisions/0015).
 */
import type { AttemptRef, CloseAnswer } from '../contract.ts'
import { isTradeAbsent, OK, refusal, traced, undefinedAnswer } from './answer.ts'
import type { AlipayContext } from './client.ts'
import { query } from './query.ts'

/** The trade is not open. Alipay gives these for paid trades and for closed trades; a query tells which. */
const NOT_OPEN = new Set(['TRADE_STATUS_ERROR', 'REASON_TRADE_STATUS_INVALID', 'REASON_ILLEGAL_STATUS'])

export async function close(alipay: AlipayContext, ref: AttemptRef, signal: AbortSignal): Promise<CloseAnswer> {
  const { attemptNo } = ref
  const answer = await alipay.client.call('alipay.trade.close', { out_trade_no: attemptNo }, signal)
  const { out_trade_no: closed = attemptNo } = answer.data
  if (answer.code === OK && closed === attemptNo) return traced(answer, { kind: 'accepted' })
  if (isTradeAbsent(answer)) return traced(answer, { kind: 'absent' })
  if (!NOT_OPEN.has(refusal(answer))) return undefinedAnswer(answer)
  const { kind } = await query(alipay, ref, signal)
  if (kind === 'paid') return traced(answer, { kind: 'paid' })
  return kind === 'closed' ? traced(answer, { kind: 'accepted' }) : undefinedAnswer(answer)
}
