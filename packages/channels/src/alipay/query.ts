/** "统一收单交易查询" (alipay.trade.query). */
import type { AttemptRef, QueryAnswer } from '../contract.ts'
import { OK, TRADE_NOT_EXIST, traced, undefinedAnswer } from './answer.ts'
import type { AlipayContext } from './client.ts'
import { readPayment } from './transaction.ts'

export async function query(
  { client }: AlipayContext,
  { attemptNo }: AttemptRef,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const answer = await client.call('alipay.trade.query', { out_trade_no: attemptNo }, signal)
  if (answer.subCode === TRADE_NOT_EXIST) return traced(answer, { kind: 'absent' })
  if (answer.code !== OK || answer.data.out_trade_no !== attemptNo) return undefinedAnswer(answer)
  const payment = readPayment(answer.data, 'send_pay_date')
  switch (answer.data.trade_status) {
    case 'WAIT_BUYER_PAY':
      return traced(answer, { kind: 'open' })
    case 'TRADE_SUCCESS':
    case 'TRADE_FINISHED':
      return payment === null ? undefinedAnswer(answer) : traced(answer, { kind: 'paid', payment })
    // Closed without a payment, or paid and later refunded in full: only the second has a time of payment.
    case 'TRADE_CLOSED':
      return traced(answer, payment === null ? { kind: 'closed' } : { kind: 'returned', payment })
    default:
      return undefinedAnswer(answer)
  }
}
