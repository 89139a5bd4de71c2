/** Opening a transaction in each of its ways, and what the payer's side is started with. */
import type { OpenAsk } from '../contract.ts'
import type { WechatAccount } from './account.ts'
import type { WechatClient, WechatDoor } from './client.ts'

export const PATHS: Record<string, string | undefined> = {
  native: '/v3/pay/transactions/native',
  h5: '/v3/pay/transactions/h5',
  jsapi: '/v3/pay/transactions/jsapi',
  app: '/v3/pay/transactions/app',
}

const CHINA_MS = 8 * 3_600_000

/** Characters: "商品描述", string(127); ours may have one more. */
const DESCRIPTION_MAX = 127

/** RFC 3339 in +08:00, whole seconds, rounded down: never later than asked. */
const timeText = (time: Date): string => `${new Date(time.getTime() + CHINA_MS).toISOString().slice(0, 19)}+08:00`

export const openBody = ({ appId, mchId }: WechatAccount, ask: OpenAsk): object => ({
  appid: appId,
  mchid: mchId,
  description: [...ask.description].slice(0, DESCRIPTION_MAX).join(''),
  out_trade_no: ask.attemptNo,
  time_expire: timeText(ask.expireAt),
  notify_url: ask.notifyUrl,
  amount: { total: Number(ask.amountFen), currency: 'CNY' },
  ...(ask.method === 'jsapi' ? { payer: { openid: ask.openId ?? '' } } : {}),
  ...(ask.method === 'h5'
    ? { scene_info: { payer_client_ip: ask.payerIp ?? '127.0.0.1', h5_info: { type: 'Wap' } } }
    : {}),
})

export type Opened = { code_url?: unknown; h5_url?: unknown; prepay_id?: unknown }

/** Null when what the manual promises is not there. */
export function payUrlOf(
  { appId, mchId }: WechatAccount,
  { now, newNonce }: WechatDoor,
  { signLines }: WechatClient,
  { method, returnUrl }: Pick<OpenAsk, 'method' | 'returnUrl'>,
  { code_url: code, h5_url: page, prepay_id: prepayId }: Opened,
): string | null {
  if (method === 'native') return typeof code === 'string' ? code : null
  if (method === 'h5') return typeof page === 'string' ? withReturn(page, returnUrl) : null
  if (typeof prepayId !== 'string') return null
  const timestamp = String(Math.floor(now().getTime() / 1000))
  const nonce = newNonce()
  if (method === 'jsapi') {
    const lent = `prepay_id=${prepayId}`
    const paySign = signLines([appId, timestamp, nonce, lent])
    return JSON.stringify({ appId, timeStamp: timestamp, nonceStr: nonce, package: lent, signType: 'RSA', paySign })
  }
  const sign = signLines([appId, timestamp, nonce, prepayId])
  const fixed = { appid: appId, partnerid: mchId, prepayid: prepayId, package: 'Sign=WXPay' }
  return JSON.stringify({ ...fixed, noncestr: nonce, timestamp, sign })
}

/** "可以在h5_url后拼接上redirect_url参数": the page on which the payer finds themselves again. */
const withReturn = (page: string, returnUrl: string | null): string =>
  returnUrl === null ? page : `${page}&redirect_url=${encodeURIComponent(returnUrl)}`
