/** "申请交易账单" and "下载账单": for days up to three months ago, from 10:00 (UTC+8) of the next day on. */
import { createHash } from 'node:crypto'
import { type UpstreamBillAnswer, unknown } from '../contract.ts'
import { slicesOf } from '../slices.ts'
import { traced, undefinedAnswer } from './answer.ts'
import { readBill } from './bill.ts'
import type { WechatContext } from './client.ts'
import { withQuery } from './party.ts'

export async function fetchBill(
  { party, client }: WechatContext,
  day: string,
  signal: AbortSignal,
): Promise<UpstreamBillAnswer> {
  const ask = { bill_date: day, bill_type: 'ALL', ...party.subMerchant }
  const answer = await client.call('GET', withQuery('/v3/bill/tradebill', ask), null, signal)
  if (answer.code === 'NO_STATEMENT_EXIST') return traced(answer, { kind: 'none' })
  if (answer.code === 'STATEMENT_CREATING') return traced(answer, { kind: 'later' })
  const { download_url: url, hash_type: type, hash_value: hash } = answer.data
  if (answer.status !== 200 || typeof url !== 'string') return undefinedAnswer(answer)
  const file = await client.download(url, signal)
  if (type !== 'SHA1' || (await sha1Of(file)) !== hash) return traced(answer, unknown("the bill's hash is wrong"))
  return traced(answer, { kind: 'bill', lines: await readBill(file, party.subMerchant.sub_mchid) })
}

async function sha1Of(file: Buffer): Promise<string> {
  const hash = createHash('sha1')
  for await (const slice of slicesOf(file)) hash.update(slice)
  return hash.digest('hex')
}
