/** What WeChat Pay does for each call, and the words it answers with. */
import type { Fault, Verb } from '../faults.ts'
import { numberOf, refundTrade, type Trade, type Trades } from '../trades.ts'
import type { WechatStandInSettings } from './index.ts'

/** `data` null: no body at all. */
export type Answer = { status: number; data: object | null }

type Call = {
  settings: WechatStandInSettings
  trades: Trades
  path: string
  query: URLSearchParams
  body: Record<string, unknown>
  no: string
}

type Work = (call: Call, fault: Fault | null) => Promise<Answer>

export const refuse = (status: number, code: string): Answer => ({ status, data: { code, message: code } })

const CHINA_MS = 8 * 3_600_000

export const timeText = (ms: number): string => `${new Date(ms + CHINA_MS).toISOString().slice(0, 19)}+08:00`

/** A transaction as it is told of, in answers and notifications alike. */
export function answerOf({ mchId, appId }: WechatStandInSettings, trade: Trade, nowMs: number): Answer {
  const common = {
    appid: appId,
    mchid: mchId,
    out_trade_no: trade.no,
    trade_state: stateOf(trade, nowMs),
    trade_state_desc: '',
    amount: { total: trade.totalFen, currency: 'CNY' },
  }
  if (trade.payment === null) return { status: 200, data: common }
  const { no, fen, atMs, payer } = trade.payment
  return {
    status: 200,
    data: {
      ...common,
      transaction_id: no,
      trade_type: trade.method.toUpperCase(),
      bank_type: 'OTHERS',
      success_time: timeText(atMs),
      payer: { openid: payer },
      amount: { total: fen, payer_total: fen, currency: 'CNY', payer_currency: 'CNY' },
    },
  }
}

function stateOf(trade: Trade, nowMs: number): string {
  if (trade.state === 'paid') return trade.refunds.length > 0 ? 'REFUND' : 'SUCCESS'
  const isShownOpen = nowMs < trade.shownOpenUntilMs
  const isClosed = trade.state === 'closed' || trade.expireMs <= nowMs
  return isClosed && !isShownOpen ? 'CLOSED' : 'NOTPAY'
}

const MINUTE_MS = 60_000
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS

/** "要求6-32个字符内，只能是数字、大小写字母_-|*". */
const OUT_TRADE_NO = /^[\w\-|*]{6,32}$/

const isText = (value: unknown, charactersMax: number): value is string =>
  typeof value === 'string' && value !== '' && [...value].length <= charactersMax

const create: Work = async ({ settings, trades, path, body, no }, fault) => {
  const { total } = (body.amount ?? {}) as { total?: unknown }
  const method = path.split('/').at(-1) as string
  const askedMs = body.time_expire === undefined ? trades.nowMs() + WEEK_MS : Date.parse(String(body.time_expire))
  // "若设置的支付结束时间早于该时间，系统将自动调整为下单时间后1分钟": later than the merchant wished.
  const expireMs = Math.max(askedMs, trades.nowMs() + MINUTE_MS)
  if (body.mchid !== settings.mchId || body.appid !== settings.appId) return refuse(400, 'APPID_MCHID_NOT_MATCH')
  const isFine = Number.isInteger(total) && OUT_TRADE_NO.test(no) && !Number.isNaN(expireMs)
  if (!isFine || !isText(body.notify_url, 255) || !isText(body.description, 127)) return refuse(400, 'PARAM_ERROR')
  const { openid } = (body.payer ?? {}) as { openid?: unknown }
  if (method === 'jsapi' && !isText(openid, 128)) return refuse(400, 'PARAM_ERROR')
  const landsMs = fault?.kind === 'lands_late' ? trades.nowMs() + (fault.ms ?? 1000) : 0
  const isNew = await trades.create({
    ...{ no, method, description: body.description, totalFen: total as number, expireMs, landsMs, isCode: false },
    notifyUrl: String(body.notify_url),
  })
  const found = await trades.find(no)
  if (!isNew && found?.state === 'paid') return refuse(400, 'ORDERPAID')
  if (!isNew && found?.state === 'closed') return refuse(400, 'ORDER_CLOSED')
  if (method === 'native') return { status: 200, data: { code_url: `weixin://wxpay/bizpayurl?pr=${no}` } }
  if (method === 'h5')
    return { status: 200, data: { h5_url: `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${no}` } }
  return { status: 200, data: { prepay_id: `wx${numberOf('', no)}` } }
}

const query: Work = async ({ settings, trades, query: params, no }) => {
  if (params.get('mchid') !== settings.mchId) return refuse(400, 'PARAM_ERROR')
  const trade = await trades.find(no)
  return trade === null ? refuse(404, 'ORDER_NOT_EXIST') : answerOf(settings, trade, trades.nowMs())
}

/** 204 also for a number never seen, and for one that is closed already. */
const close: Work = ({ trades, no }, fault) =>
  trades.change(no, (trade) => {
    if (trade?.state === 'paid') return refuse(400, 'ORDERPAID')
    if (trade !== null && fault?.kind !== 'closes_never') {
      trade.state = 'closed'
      if (fault?.kind === 'closes_late') trade.shownOpenUntilMs = trades.nowMs() + (fault.ms ?? 1000)
    }
    return { status: 204, data: null }
  })

export const refundData = (trade: Trade, refund: Trade['refunds'][number], nowMs: number): object => ({
  refund_id: refund.id,
  out_refund_no: refund.no,
  transaction_id: trade.payment?.no,
  out_trade_no: trade.no,
  channel: 'ORIGINAL',
  user_received_account: '支付用户零钱',
  create_time: timeText(refund.atMs),
  ...(nowMs < refund.doneMs ? { status: 'PROCESSING' } : { status: 'SUCCESS', success_time: timeText(refund.doneMs) }),
  amount: { total: trade.payment?.fen, refund: refund.fen, currency: 'CNY' },
})

const refund: Work = async ({ trades, body, no }, fault) => {
  const { out_refund_no: refundNo } = body
  const { refund: fen, total } = (body.amount ?? {}) as { refund?: unknown; total?: unknown }
  if (!Number.isInteger(fen) || typeof refundNo !== 'string') return refuse(400, 'PARAM_ERROR')
  await trades.register('refund', refundNo, no)
  return trades.change(no, (trade) => {
    if (trade?.payment == null) return refuse(404, 'RESOURCE_NOT_EXISTS')
    if (total !== trade.payment.fen) return refuse(400, 'INVALID_REQUEST')
    const lateMs = fault?.kind === 'refunds_late' ? (fault.ms ?? 1000) : 0
    const before = trade.refunds.length
    const made = refundTrade(trade, { no: refundNo, fen: fen as number }, trades.nowMs(), lateMs)
    if (made === null) return refuse(400, 'INVALID_REQUEST')
    if (trade.refunds.length > before && typeof body.notify_url === 'string') {
      const refund = { no: made.no, url: body.notify_url }
      trade.notices.push({ id: `${no}-${made.no}`, sent: 0, nextMs: made.doneMs, isHeard: false, refund })
    }
    return { status: 200, data: refundData(trade, made, trades.nowMs()) }
  })
}

const queryRefund: Work = async ({ trades, no: refundNo }) => {
  const tradeNo = await trades.tradeNoOf('refund', refundNo)
  const trade = tradeNo === null ? null : await trades.find(tradeNo)
  const found = trade?.refunds.find(({ no }) => no === refundNo)
  if (trade === null || found === undefined) return refuse(404, 'RESOURCE_NOT_EXISTS')
  return { status: 200, data: refundData(trade, found, trades.nowMs()) }
}

export const VERBS: { method: string; pattern: RegExp; verb: Verb; work: Work }[] = [
  { method: 'POST', pattern: /^\/v3\/pay\/transactions\/(native|h5|jsapi|app)$/, verb: 'create', work: create },
  { method: 'GET', pattern: /^\/v3\/pay\/transactions\/out-trade-no\/(?<no>[^/]+)$/, verb: 'query', work: query },
  {
    method: 'POST',
    pattern: /^\/v3\/pay\/transactions\/out-trade-no\/(?<no>[^/]+)\/close$/,
    verb: 'close',
    work: close,
  },
  { method: 'POST', pattern: /^\/v3\/refund\/domestic\/refunds$/, verb: 'refund', work: refund },
  {
    method: 'GET',
    pattern: /^\/v3\/refund\/domestic\/refunds\/(?<no>[^/]+)$/,
    verb: 'query_refund',
    work: queryRefund,
  },
]
