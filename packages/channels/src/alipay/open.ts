/** Opening a payment: a code to scan, or a page on a telephone or a desktop. */
import { formatYuan } from '@acopay/core'
import type { OpenAnswer, OpenAsk } from '../contract.ts'
import { isRefused, OK, traced, undefinedAnswer } from './answer.ts'
import { type AlipayContext, alipayTime } from './client.ts'

const MINUTE = 60_000

/** The full-width forms of the characters that Alipay does not allow in a subject. */
const FULL_WIDTH: Record<string, string> = { '/': '／', '=': '＝', '&': '＆' }

const PAGES: Record<string, { method: string; product: string } | undefined> = {
  h5: { method: 'alipay.trade.wap.pay', product: 'QUICK_WAP_WAY' },
  page: { method: 'alipay.trade.page.pay', product: 'FAST_INSTANT_TRADE_PAY' },
}

export async function open(alipay: AlipayContext, ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer> {
  const page = PAGES[ask.method]
  if (page !== undefined) {
    // The gateway does not call Alipay here: the payer's browser carries the signed order to Alipay.
    const order = { ...orderOf(ask), product_code: page.product }
    return { kind: 'opened', payUrl: alipay.client.pageUrl(page.method, order, urlsOf(ask)) }
  }
  if (ask.method !== 'native') return { kind: 'refused', why: `no method ${ask.method}` }
  return openCode(alipay, ask, signal)
}

/** "统一收单线下交易预创建" (alipay.trade.precreate) gives a code; the trade begins when a payer scans it. */
async function openCode({ client, door }: AlipayContext, ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer> {
  const minutes = Math.max(1, Math.floor((ask.expireAt.getTime() - door.now().getTime()) / MINUTE))
  const order = { ...orderOf(ask), qr_code_timeout_express: `${minutes}m` }
  const answer = await client.call('alipay.trade.precreate', order, signal, urlsOf(ask))
  const { qr_code: code } = answer.data
  if (answer.code === OK && typeof code === 'string') return traced(answer, { kind: 'opened', payUrl: code })
  if (isRefused(answer)) return traced(answer, { kind: 'refused', why: answer.subCode })
  return undefinedAnswer(answer)
}

const orderOf = (ask: OpenAsk) => ({
  out_trade_no: ask.attemptNo,
  total_amount: formatYuan(ask.amountFen),
  // "不可使用特殊字符，如 /，=，& 等": their full-width forms read the same.
  subject: ask.description.replace(/[/=&]/g, (sign) => FULL_WIDTH[sign] ?? sign),
  time_expire: alipayTime(ask.expireAt),
})

const urlsOf = (ask: OpenAsk): Record<string, string> => ({
  notify_url: ask.notifyUrl,
  ...(ask.returnUrl === null ? {} : { return_url: ask.returnUrl }),
})
