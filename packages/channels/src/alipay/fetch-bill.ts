/** "查询对账单下载地址" (alipay.data.dataservice.bill.downloadurl.query): the address it gives works for 30 s. */
import { type UpstreamBillAnswer, unknown } from '../contract.ts'
import { OK, refusal, traced, undefinedAnswer } from './answer.ts'
import { readBill } from './bill.ts'
import type { AlipayContext } from './client.ts'

/** Counted from the beginning of the bill's day: 24 h after a bill is due, one that is missing will not be made. */
const LATE_BILL_MS = 58 * 3_600_000

/** Seen in production, and the two of the manual's table. */
const NO_BILL = new Set(['isp.bill_not_exist', 'BILL_NOT_EXIST', 'NO_BILL_DATA'])

export async function fetchBill(
  { account, client, door }: AlipayContext,
  day: string,
  signal: AbortSignal,
): Promise<UpstreamBillAnswer> {
  const body = { bill_type: 'trade', bill_date: day }
  const answer = await client.call('alipay.data.dataservice.bill.downloadurl.query', body, signal)
  // One error for two cases: there were no trades that day, or the bill is late ("特殊情况可能延迟").
  if (NO_BILL.has(refusal(answer))) {
    const isLate = door.now().getTime() < Date.parse(`${day}T00:00:00+08:00`) + LATE_BILL_MS
    return traced(answer, { kind: isLate ? 'later' : 'none' })
  }
  const { bill_download_url: url } = answer.data
  if (answer.code !== OK || typeof url !== 'string') return undefinedAnswer(answer)
  const response = await door.fetch(asSafeAs(account.gateway, url), { redirect: 'error', signal })
  if (response.status !== 200) return traced(answer, unknown(`HTTP ${response.status}`))
  return traced(answer, { kind: 'bill', lines: await readBill(Buffer.from(await response.arrayBuffer())) })
}

/**
 * The file has neither a signature nor a hash, and Alipay gives its address as plain `http`: over it, anybody on the way
 * could write a bill. It is fetched by https, as the gateway is called.
 */
function asSafeAs(gateway: string, address: string): URL {
  const url = new URL(address)
  if (new URL(gateway).protocol === 'https:') url.protocol = 'https:'
  return url
}
