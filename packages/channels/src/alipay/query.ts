/** "统一收单交易查询" (alipay.trade.query). */
import { isNumber, type QueryAnswer, type QueryAsk } from '../contract.ts'
import { isTradeAbsent, OK, traced, undefinedAnswer } from './answer.ts'
import type { AlipayAnswer, AlipayContext } from './client.ts'
import { amountOf, readPayment } from './transaction.ts'

export async function query(
  alipay: AlipayContext,
  { attemptNo, paymentNo }: QueryAsk,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const of = paymentNo === undefined ? { out_trade_no: attemptNo } : { trade_no: paymentNo }
  const body = { ...of, query_options: ['fund_bill_list'] }
  const answer = await alipay.client.call('alipay.trade.query', body, signal)
  if (isTradeAbsent(answer)) return traced(answer, { kind: 'absent' })
  const { out_trade_no: foundNo, trade_no: found } = answer.data
  const isAsked = foundNo === attemptNo && (paymentNo === undefined || found === paymentNo)
  if (answer.code !== OK || !isAsked) return undefinedAnswer(answer)
  switch (answer.data.trade_status) {
    case 'WAIT_BUYER_PAY':
      return traced(answer, { kind: 'open' })
    case 'TRADE_SUCCESS':
    case 'TRADE_FINISHED': {
      const payment = readPayment(answer.data, alipay.door.now())
      return payment === null ? undefinedAnswer(answer) : traced(answer, { kind: 'paid', payment })
    }
    case 'TRADE_CLOSED':
      return traced(answer, await closedTrade(alipay, answer, signal))
    default:
      return undefinedAnswer(answer)
  }
}

/**
 * "未付款交易超时关闭，或支付完成后全额退款": nothing more can be paid in either case, but only in the second one was money taken.
 * The time of payment is no proof of it: it is optional, and was seen in trades without a payment.
 */
async function closedTrade(alipay: AlipayContext, answer: AlipayAnswer, signal: AbortSignal): Promise<QueryAnswer> {
  const { data } = answer
  const taken = hasFunds(data) ? 'yes' : await wasRefunded(alipay, data, signal)
  if (taken === 'no') return { kind: 'closed' }
  const payment = taken === 'yes' ? readPayment(data, alipay.door.now()) : null
  return payment === null ? undefinedAnswer(answer) : { kind: 'returned', payment }
}

/** Whether the answer says where the money came from, or how much of it the payer gave or the seller got. */
function hasFunds({ fund_bill_list: funds, buyer_pay_amount, receipt_amount }: Record<string, unknown>): boolean {
  const amounts = Array.isArray(funds) ? funds.map((fund: { amount?: unknown } | null) => fund?.amount) : []
  return [...amounts, buyer_pay_amount, receipt_amount].some((amount) => amountOf(amount) !== null)
}

/**
 * Whether the trade was sent back under its own number, which is the request number of every refund that names none:
 * "如果在退款请求时未传入，则该值为创建交易时的商户订单号". Asked only of a trade that bears the mark of a payment.
 */
async function wasRefunded(
  { client }: AlipayContext,
  { trade_no: paymentNo, out_trade_no: attemptNo, send_pay_date: time }: Record<string, unknown>,
  signal: AbortSignal,
): Promise<'yes' | 'no' | 'unknown'> {
  if (time === undefined || !isNumber(paymentNo)) return 'no'
  const body = { trade_no: paymentNo, out_request_no: attemptNo }
  const { code, data } = await client.call('alipay.trade.fastpay.refund.query', body, signal)
  if (code !== OK) return 'unknown'
  const isIt =
    data.trade_no === paymentNo && data.out_request_no === attemptNo && data.refund_status === 'REFUND_SUCCESS'
  return isIt && amountOf(data.refund_amount) !== null ? 'yes' : 'no'
}
