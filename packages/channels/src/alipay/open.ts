/** Opening a payment: a code to scan, a page on a telephone or a desktop, a sheet inside Alipay, an order for an app. */
import { formatYuan } from '@acopay/core'
import { isNumber, type OpenAnswer, type OpenAsk } from '../contract.ts'
import { OK, refusal, traced, undefinedAnswer } from './answer.ts'
import { type AlipayContext, alipayTime } from './client.ts'

const MINUTE = 60_000

/**
 * Reasons for which Alipay surely did not open a trade, and would not if the request were repeated. A word that says what
 * became of an earlier use of the number is not among them, and neither is any other word: the create may have landed.
 */
const REFUSED = new Set([
  'INVALID_PARAMETER',
  'ACCESS_FORBIDDEN',
  'PARTNER_ERROR',
  'EXIST_FORBIDDEN_WORD',
  'TOTAL_FEE_EXCEED',
  'BUYER_SELLER_EQUAL',
  'BEYOND_PAY_RESTRICTION',
  'BEYOND_PER_RECEIPT_RESTRICTION',
  'BEYOND_PER_RECEIPT_SINGLE_RESTRICTION',
  'BEYOND_PER_RECEIPT_DAY_RESTRICTION',
  'MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT',
  'MERCHANT_PERM_RECEIPT_SINGLE_LIMIT',
  'MERCHANT_PERM_RECEIPT_DAY_LIMIT',
  'MERCHANT_STATUS_NOT_NORMAL',
  'MERCHANT_AGREEMENT_NOT_EXIST',
  'MERCHANT_AGREEMENT_INVALID',
  'RISK_MERCHANT_IP_NOT_EXIST',
  'NOW_TIME_AFTER_EXPIRE_TIME_ERROR',
  'SUB_GOODS_SIZE_MAX_COUNT',
  'SECONDARY_MERCHANT_STATUS_ERROR',
])

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
    return { kind: 'opened', payUrl: await alipay.client.pageUrl(page.method, order, urlsOf(ask)) }
  }
  switch (ask.method) {
    case 'native':
      return openCode(alipay, ask, signal)
    case 'jsapi':
      return openSheet(alipay, ask, signal)
    case 'app': {
      // Nor here: the app hands the signed order to Alipay's app ("App支付", alipay.trade.app.pay).
      const order = { ...orderOf(ask), product_code: 'QUICK_MSECURITY_PAY' }
      return {
        kind: 'opened',
        payUrl: await alipay.client.orderText('alipay.trade.app.pay', order, { notify_url: ask.notifyUrl }),
      }
    }
    default:
      return { kind: 'refused', why: `no method ${ask.method}` }
  }
}

/** "统一收单线下交易预创建" (alipay.trade.precreate) gives a code; the trade begins when a payer scans it. */
async function openCode(
  { account, client, door }: AlipayContext,
  ask: OpenAsk,
  signal: AbortSignal,
): Promise<OpenAnswer> {
  const minutes = Math.max(1, Math.floor((ask.expireAt.getTime() - door.now().getTime()) / MINUTE))
  const { productCode } = account
  const order = {
    ...orderOf(ask),
    qr_code_timeout_express: `${minutes}m`,
    ...(productCode === undefined || productCode === '' ? {} : { product_code: productCode }),
  }
  const answer = await client.call('alipay.trade.precreate', order, signal, urlsOf(ask))
  const { qr_code: code, out_trade_no: opened = ask.attemptNo } = answer.data
  const isOpened = answer.code === OK && opened === ask.attemptNo && typeof code === 'string' && code !== ''
  if (isOpened) return traced(answer, { kind: 'opened', payUrl: code })
  if (REFUSED.has(refusal(answer))) return traced(answer, { kind: 'refused', why: answer.subCode })
  return undefinedAnswer(answer)
}

/**
 * "统一收单交易创建" (alipay.trade.create) makes a trade for one payer; a page inside Alipay shows the sheet for its number
 * (`AlipayJSBridge.call('tradePay', …)`, in a mini-program `my.tradePay`).
 */
async function openSheet({ account, client }: AlipayContext, ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer> {
  const { jsapiProductCode: product = '', appId } = account
  const order = {
    ...orderOf(ask),
    ...buyerOf(ask.openId ?? ''),
    ...(product === '' ? {} : { product_code: product }),
    // "最终唤起收银台支付所在的小程序的应用id": a must of this product.
    ...(product === 'JSAPI_PAY' ? { op_app_id: appId } : {}),
  }
  const answer = await client.call('alipay.trade.create', order, signal, { notify_url: ask.notifyUrl })
  const { trade_no: tradeNO, out_trade_no: opened } = answer.data
  const isOpened = answer.code === OK && opened === ask.attemptNo && isNumber(tradeNO)
  if (isOpened) return traced(answer, { kind: 'opened', payUrl: JSON.stringify({ tradeNO }) })
  if (REFUSED.has(refusal(answer))) return traced(answer, { kind: 'refused', why: answer.subCode })
  return undefinedAnswer(answer)
}

/** "2088开头的16位纯数字" is the payer's number, everything else the payer's id for this app. */
const buyerOf = (openId: string) => (/^2088\d{12}$/.test(openId) ? { buyer_id: openId } : { buyer_open_id: openId })

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
