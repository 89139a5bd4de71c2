/**
 * The real channels, whose refunds travel in the upstreams' own words (the manuals of WeChat Pay API v3 and of Alipay's
 * OpenAPI), signed as the upstreams sign. So a channel that takes "may still happen" for "refused" is heard here too.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { type Channel, type ChannelName, type ChannelSettings, makeChannel, type RefundAsk } from '@acopay/channels'
import { type Fen, formatYuan } from '@acopay/core'
import { type MadeAnswer, queriedRefund, refunded, type ShownRefund } from './refunds.ts'
import type { Process } from './scheduler.ts'
import type { Trade } from './trades.ts'
import type { Parts } from './upstream-parts.ts'

/** Both sides sign with it: whose key it is, is tested elsewhere. A short key signs ten times as fast. */
const KEYS = generateKeyPairSync('rsa', { modulusLength: 1024 })
const PRIVATE = KEYS.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
const PUBLIC = KEYS.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const SERIAL = 'PUB_KEY_ID_SIMULATED'

const SETTINGS: ChannelSettings = {
  wechat: {
    baseUrl: 'https://wechat.example',
    appId: 'wx1',
    mchId: '1900000001',
    serialNo: '1',
    mchPrivateKey: PRIVATE,
    apiV3Key: '0'.repeat(32),
    platformKeys: [{ id: SERIAL, publicKey: PUBLIC }],
  },
  alipay: {
    gateway: 'https://alipay.example/gateway.do',
    appId: '2021000000000001',
    sellerId: '2088000000000001',
    appPrivateKey: PRIVATE,
    alipayPublicKey: PUBLIC,
  },
}

type Reply = { status: number; headers: Record<string, string>; text: string }

export function realChannel(parts: Parts, gateway: Process, name: ChannelName): Channel {
  const now = (): Date => new Date(parts.schedule.nowMs())
  const answered = name === 'wechat' ? wechatAnswered : alipayAnswered
  const fetched = async (address: string | URL | Request, request?: RequestInit): Promise<Response> => {
    const { status, headers, text } = await answered(parts, gateway, String(address), String(request?.body ?? ''))
    return new Response(text, { status, headers })
  }
  return makeChannel(name, SETTINGS[name], { fetch: fetched, now, newNonce: () => 'nonce' })
}

type Exchange = (parts: Parts, gateway: Process, address: string, body: string) => Promise<Reply>

const signed = (text: string): string => sign('RSA-SHA256', Buffer.from(text), KEYS.privateKey).toString('base64')

const tradeOf = ({ trades }: Parts, paymentNo: string): Trade | undefined =>
  [...trades.values()].find(({ payments }) => payments.some((payment) => payment.paymentNo === paymentNo))

const refundNamed = ({ trades }: Parts, refundNo: string): Trade | undefined =>
  [...trades.values()].find(({ payments }) => payments.some(({ refunds }) => refunds.some(({ no }) => no === refundNo)))

function makesRefund(parts: Parts, gateway: Process, ask: Asked): Promise<MadeAnswer> {
  parts.observer.called('refund', ask.refundNo)
  const trade = tradeOf(parts, ask.paymentNo)
  return parts.wire.call(gateway, 'refund', trade?.no ?? '', (fault) => refunded(parts, ask, trade, fault))
}

const asksForRefund = (parts: Parts, gateway: Process, trade: Trade | undefined, refundNo: string) =>
  parts.wire.call<MadeAnswer>(gateway, 'queryRefund', trade?.no ?? '', () => queriedRefund(parts, trade, refundNo))

export type Asked = Pick<RefundAsk, 'refundNo' | 'paymentNo' | 'amountFen' | 'reason'>

// WeChat Pay: "退款申请" and "查询单笔退款".

type WechatRefund = { transaction_id: string; out_refund_no: string; reason: string; amount: { refund: number } }

const wechatAnswered: Exchange = async (parts, gateway, address, body) => {
  if (body === '') {
    const refundNo = decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? '')
    const says = await asksForRefund(parts, gateway, refundNamed(parts, refundNo), refundNo)
    return wechatSays(parts, says)
  }
  const { transaction_id: paymentNo, out_refund_no: refundNo, reason, amount } = JSON.parse(body) as WechatRefund
  const ask = { paymentNo, refundNo, reason, amountFen: BigInt(amount.refund) }
  return wechatSays(parts, await makesRefund(parts, gateway, ask))
}

function wechatSays({ schedule }: Parts, says: MadeAnswer): Reply {
  const [status, body] = wechatWords(says)
  const text = JSON.stringify(body)
  const timestamp = String(Math.floor(schedule.nowMs() / 1000))
  return {
    status,
    text,
    headers: {
      'wechatpay-serial': SERIAL,
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': 'nonce',
      'wechatpay-signature': signed(`${timestamp}\nnonce\n${text}\n`),
    },
  }
}

function wechatWords(says: MadeAnswer): [status: number, body: object] {
  switch (says.kind) {
    case 'done':
      return [200, wechatRefund('SUCCESS', says.refund)]
    case 'processing':
      return [200, wechatRefund('PROCESSING', says.refund)]
    // The payer's card takes no money. The merchant's staff complete the refund in WeChat Pay's own pages.
    case 'doubtful':
      return [200, wechatRefund('ABNORMAL', says.refund)]
    case 'closed':
      return [200, wechatRefund('CLOSED', says.refund)]
    case 'not enough':
      return [403, { code: 'NOT_ENOUGH' }]
    case 'absent':
      return [404, { code: 'RESOURCE_NOT_EXISTS' }]
    case 'unknown':
      return [500, { code: 'SYSTEM_ERROR' }]
  }
}

const wechatRefund = (status: string, { refundNo, paymentNo, attemptNo, fen }: ShownRefund): object => ({
  out_refund_no: refundNo,
  transaction_id: paymentNo,
  out_trade_no: attemptNo,
  status,
  amount: { refund: Number(fen), currency: 'CNY' },
})

// Alipay: "alipay.trade.refund" and "alipay.trade.fastpay.refund.query".

type AlipayRefund = { trade_no: string; out_request_no: string; refund_amount?: string; refund_reason?: string }

const alipayAnswered: Exchange = async (parts, gateway, _address, body) => {
  const params = new URLSearchParams(body)
  const method = params.get('method') ?? ''
  const asked = JSON.parse(params.get('biz_content') ?? '') as AlipayRefund
  const { trade_no: paymentNo, out_request_no: refundNo, refund_amount: yuan = '', refund_reason: reason = '' } = asked
  const isRefund = method === 'alipay.trade.refund'
  const ask = { paymentNo, refundNo, reason, amountFen: BigInt(yuan.replace('.', '')) }
  const says = isRefund
    ? await makesRefund(parts, gateway, ask)
    : await asksForRefund(parts, gateway, tradeOf(parts, paymentNo), refundNo)
  const member = JSON.stringify(isRefund ? alipayRefundWords(parts, says) : alipayQueryWords(says))
  const text = `{"${method.replaceAll('.', '_')}_response":${member},"sign":"${signed(member)}"}`
  return { status: 200, headers: {}, text }
}

const OK = { code: '10000', msg: 'Success' }
const failed = (word: string) => ({ code: '40004', msg: 'Business Failed', sub_code: word })

/** Words that name no reason for which the refund surely was not made (the manual's table, and what was seen besides). */
const DOUBTFUL_WORDS = [
  'ACQ.SYSTEM_ERROR',
  'AQC.SYSTEM_ERROR',
  'SYSTEM_ERROR',
  'ACQ.REFUND_CHARGE_ERROR',
  'isv.app-call-limited',
]
const UNAVAILABLE = { code: '20000', msg: 'Service Currently Unavailable', sub_code: 'isp.unknow-error' }

function alipayRefundWords({ dice }: Parts, says: MadeAnswer): object {
  switch (says.kind) {
    case 'done':
      return alipayRefund({ fund_change: says.isRepeated ? 'N' : 'Y' }, says.refund)
    case 'processing':
      return alipayRefund({ fund_change: 'N' }, says.refund)
    case 'doubtful':
      return failed(dice.pick(DOUBTFUL_WORDS))
    case 'closed':
    case 'not enough':
      return failed('ACQ.SELLER_BALANCE_NOT_ENOUGH')
    case 'absent':
      return failed('ACQ.TRADE_NOT_EXIST')
    case 'unknown':
      return UNAVAILABLE
  }
}

const alipayRefund = (more: object, { attemptNo, paymentNo, refundedFen }: ShownRefund): object => ({
  ...OK,
  trade_no: paymentNo,
  out_trade_no: attemptNo,
  refund_fee: formatYuan(refundedFen as Fen),
  ...more,
})

/** A refund that is not done has no `refund_status`: the manual defines one word only. */
function alipayQueryWords(says: MadeAnswer): object {
  if (says.kind === 'unknown') return UNAVAILABLE
  if (says.kind !== 'done') return OK
  const { attemptNo, paymentNo, refundNo, fen } = says.refund
  return {
    ...OK,
    trade_no: paymentNo,
    out_trade_no: attemptNo,
    out_request_no: refundNo,
    refund_status: 'REFUND_SUCCESS',
    refund_amount: formatYuan(fen as Fen),
  }
}
