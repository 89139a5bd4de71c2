/** "Native下单" and its siblings: opening a transaction, and what starts the payment on the payer's side. */
import { NEEDS_PAYER, type OpenAnswer, type OpenAsk } from '../contract.ts'
import { traced, undefinedAnswer } from './answer.ts'
import type { WechatContext } from './client.ts'
import { MINI, type Party } from './party.ts'

/** The last part of the path. A mini-program has that of JSAPI. */
const PATHS: Record<string, string | undefined> = {
  native: 'native',
  h5: 'h5',
  jsapi: 'jsapi',
  app: 'app',
  mini: 'jsapi',
}

/** Errors after which WeChat Pay surely did not open a transaction, and would not if the request were repeated. */
const REFUSED = new Set([
  'PARAM_ERROR',
  'INVALID_REQUEST',
  'APPID_MCHID_NOT_MATCH',
  'MCH_NOT_EXISTS',
  'NO_AUTH',
  'OPENID_MISMATCH',
  'RULE_LIMIT',
  'ACCOUNT_ERROR',
])

const CHINA_MS = 8 * 3_600_000

/** Characters: "商品描述", string(127). An order's description may have 128. */
const DESCRIPTION_MAX = 127

export async function open(wechat: WechatContext, ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer> {
  const party = ask.method === 'mini' ? wechat.mini : wechat.party
  const last = PATHS[ask.method]
  if (party === null || last === undefined) return { kind: 'refused', why: `no method ${ask.method}` }
  const answer = await wechat.client.call('POST', `${party.transactions}/${last}`, openBody(party, ask), signal)
  if (answer.status === 200) {
    const payUrl = await payUrlOf({ ...wechat, party }, ask, answer.data)
    return payUrl === null ? undefinedAnswer(answer) : traced(answer, { kind: 'opened', payUrl })
  }
  if (REFUSED.has(answer.code)) return traced(answer, { kind: 'refused', why: answer.code })
  return undefinedAnswer(answer)
}

const openBody = ({ apps, merchants, payer }: Party, ask: OpenAsk): object => ({
  ...apps,
  ...merchants,
  description: [...ask.description].slice(0, DESCRIPTION_MAX).join(''),
  out_trade_no: ask.attemptNo,
  time_expire: timeText(ask.expireAt),
  notify_url: ask.notifyUrl,
  amount: { total: Number(ask.amountFen), currency: 'CNY' },
  ...(NEEDS_PAYER.has(ask.method) ? { payer: payer(ask.openId ?? '') } : {}),
  ...(ask.method === 'mini' ? { attach: MINI } : {}),
  ...(ask.method === 'h5'
    ? { scene_info: { payer_client_ip: ask.payerIp ?? '127.0.0.1', h5_info: { type: 'Wap' } } }
    : {}),
})

/** RFC 3339 in +08:00, rounded down to the second, so that WeChat Pay never accepts a payment after `expireAt`. */
const timeText = (time: Date): string => `${new Date(time.getTime() + CHINA_MS).toISOString().slice(0, 19)}+08:00`

type Opened = { code_url?: unknown; h5_url?: unknown; prepay_id?: unknown }

/** Null when the answer lacks the field that the manual promises for the method. */
async function payUrlOf(wechat: WechatContext, { method, returnUrl }: OpenAsk, opened: Opened): Promise<string | null> {
  const { code_url: code, h5_url: page, prepay_id: prepayId } = opened
  if (method === 'native') return isText(code) ? code : null
  if (method === 'h5') return isText(page) ? withReturn(page, returnUrl) : null
  if (!isText(prepayId)) return null
  return NEEDS_PAYER.has(method) ? browserStart(wechat, prepayId) : appStart(wechat, prepayId)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** "可以在h5_url后拼接上redirect_url参数": the page to which WeChat Pay sends the payer back. */
const withReturn = (page: string, returnUrl: string | null): string =>
  returnUrl === null ? page : `${page}&redirect_url=${encodeURIComponent(returnUrl)}`

/** The JSON with which a page inside WeChat's browser, or a mini-program, starts the payment. */
async function browserStart(
  { party: { payerAppId: appId }, door, client }: WechatContext,
  prepayId: string,
): Promise<string> {
  const timestamp = String(Math.floor(door.now().getTime() / 1000))
  const nonce = door.newNonce()
  const packageText = `prepay_id=${prepayId}`
  return JSON.stringify({
    appId,
    timeStamp: timestamp,
    nonceStr: nonce,
    package: packageText,
    signType: 'RSA',
    paySign: await client.signLines([appId, timestamp, nonce, packageText]),
  })
}

/** The JSON with which an app starts the payment. A service provider's is the provider's number, as wechatpay-java has it. */
async function appStart({ account: { mchId }, party, door, client }: WechatContext, prepayId: string): Promise<string> {
  const { payerAppId: appId } = party
  const timestamp = String(Math.floor(door.now().getTime() / 1000))
  const nonce = door.newNonce()
  return JSON.stringify({
    appid: appId,
    partnerid: mchId,
    prepayid: prepayId,
    package: 'Sign=WXPay',
    noncestr: nonce,
    timestamp,
    sign: await client.signLines([appId, timestamp, nonce, prepayId]),
  })
}
