/**
 * "统一收单交易关闭" (alipay.trade.close): a paid trade stays paid, and a code that no payer has scanned is no trade yet
 * (TRADE_NOT_EXIST). The channel never uses alipay.trade.cancel: it refunds a paid trade, even when the gateway has
 * already told the merchant that the payment is kept, and it does not end an unscanned code either
 * (docs/decisions/0015).
 */
import type { AttemptRef, CloseAnswer } from '../contract.ts'
import { OK, TRADE_NOT_EXIST, traced, undefinedAnswer } from './answer.ts'
import type { AlipayContext } from './client.ts'
import { query } from './query.ts'

export async function close(alipay: AlipayContext, ref: AttemptRef, signal: AbortSignal): Promise<CloseAnswer> {
  const answer = await alipay.client.call('alipay.trade.close', { out_trade_no: ref.attemptNo }, signal)
  if (answer.code === OK) return traced(answer, { kind: 'accepted' })
  if (answer.subCode === TRADE_NOT_EXIST) return traced(answer, { kind: 'absent' })
  if (answer.subCode !== 'ACQ.TRADE_STATUS_ERROR') return undefinedAnswer(answer)
  // Alipay gives this error for paid trades and for closed trades; a query tells which.
  const { kind } = await query(alipay, ref, signal)
  if (kind === 'paid') return traced(answer, { kind: 'paid' })
  return kind === 'closed' ? traced(answer, { kind: 'accepted' }) : undefinedAnswer(answer)
}
