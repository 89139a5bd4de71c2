/** "关闭订单": WeChat Pay answers 204 also for a number that it has never seen, so the answer proves nothing. */
import type { AttemptRef, CloseAnswer } from '../contract.ts'
import { isTradeAbsent, traced, transactionPath, undefinedAnswer } from './answer.ts'
import type { WechatContext } from './client.ts'

const PAID = new Set(['ORDERPAID', 'ORDER_PAID'])
const CLOSED = new Set(['ORDERCLOSED', 'ORDER_CLOSED'])

export async function close(
  { party, client }: WechatContext,
  { attemptNo }: AttemptRef,
  signal: AbortSignal,
): Promise<CloseAnswer> {
  const path = `${transactionPath(party, attemptNo)}/close`
  const answer = await client.call('POST', path, party.merchants, signal)
  if (answer.status === 204 || CLOSED.has(answer.code)) return traced(answer, { kind: 'accepted' })
  if (PAID.has(answer.code)) return traced(answer, { kind: 'paid' })
  return isTradeAbsent(answer) ? traced(answer, { kind: 'absent' }) : undefinedAnswer(answer)
}
