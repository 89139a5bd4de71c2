/** "商户订单号查询订单". */
import type { AttemptRef, QueryAnswer } from '../contract.ts'
import { isTradeAbsent, traced, transactionPath, undefinedAnswer } from './answer.ts'
import type { WechatContext } from './client.ts'
import { readTransaction } from './transaction.ts'

export async function query(
  wechat: WechatContext,
  { attemptNo }: AttemptRef,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const { account, client } = wechat
  const path = `${transactionPath(attemptNo)}?mchid=${encodeURIComponent(account.mchId)}`
  const answer = await client.call('GET', path, null, signal)
  if (answer.status !== 200) return isTradeAbsent(answer) ? traced(answer, { kind: 'absent' }) : undefinedAnswer(answer)
  const read = readTransaction(wechat, answer.data)
  if (read === null || read.attemptNo !== attemptNo) return undefinedAnswer(answer)
  return traced(answer, read.says)
}
