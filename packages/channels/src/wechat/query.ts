/** "商户订单号查询订单", and "微信支付订单号查询订单" for one payment. */
import type { QueryAnswer, QueryAsk } from '../contract.ts'
import { isTradeAbsent, paymentPath, traced, transactionPath, undefinedAnswer } from './answer.ts'
import type { WechatContext } from './client.ts'
import { withQuery } from './party.ts'
import { readTransaction } from './transaction.ts'

export async function query(
  wechat: WechatContext,
  { attemptNo, paymentNo }: QueryAsk,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const { party, client } = wechat
  const path = paymentNo === undefined ? transactionPath(party, attemptNo) : paymentPath(party, paymentNo)
  const answer = await client.call('GET', withQuery(path, party.merchants), null, signal)
  if (answer.status !== 200) return isTradeAbsent(answer) ? traced(answer, { kind: 'absent' }) : undefinedAnswer(answer)
  const read = readTransaction(wechat, answer.data)
  if (read === null || read.attemptNo !== attemptNo) return undefinedAnswer(answer)
  const { says } = read
  const isOther = says.kind === 'paid' && paymentNo !== undefined && says.payment.paymentNo !== paymentNo
  return isOther ? undefinedAnswer(answer) : traced(answer, says)
}
