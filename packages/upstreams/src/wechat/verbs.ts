/** The verbs of WeChat Pay: what it does for each call, and the words it answers with. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Fault, Verb } from '../faults.ts'
import { closeTrade, landsMsOf, numberOf, refundLateMsOf, refundTrade, shownRefund, type Trade } from '../trade.ts'
import type { Trades } from '../trades.ts'
import { billFile } from './bill.ts'
import { asksForStranger, knowsPayer, namesStranger, otherAppOf, placesForStranger, whoseFields } from './parties.ts'
import type { WechatStandInSettings } from './settings.ts'
import { refundData, transactionData } from './transaction.ts'

/** `data` null: the answer has no body. */
export type Answer = { status: number; data: object | null }

export type Call = {
  settings: WechatStandInSettings
  trades: Trades
  path: string
  query: URLSearchParams
  body: Record<string, unknown>
  no: string
  /** The address at which the merchant reaches this simulator. */
  mount: string
}

type Work = (call: Call, fault: Fault | null) => Promise<Answer>

const ok = (data: object): Answer => ({ status: 200, data })

export const refuse = (status: number, code: string): Answer => ({ status, data: { code, message: code } })

/** The status that the manual has beside a word of an error; 400 beside all others. */
const STATUSES: Record<string, number | undefined> = {
  ...{ USER_PAYING: 202, USERPAYING: 202 },
  ...{ SIGN_ERROR: 401, NO_AUTH: 403, NOT_ENOUGH: 403, RULE_LIMIT: 403 },
  ...{ ORDER_NOT_EXIST: 404, RESOURCE_NOT_EXISTS: 404 },
  ...{ FREQUENCY_LIMITED: 429, RATELIMIT_EXCEEDED: 429 },
  ...{ SYSTEM_ERROR: 500, BANK_ERROR: 500 },
}

export const statusOf = (word: string): number => STATUSES[word] ?? 400

const MINUTE_MS = 60_000
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS

/** "要求6-32个字符内，只能是数字、大小写字母_-|*". */
const OUT_TRADE_NO = /^[\w\-|*]{6,32}$/

const isText = (value: unknown, charactersMax: number): value is string =>
  typeof value === 'string' && value !== '' && [...value].length <= charactersMax

const create: Work = async ({ settings, trades, path, body, no }, fault) => {
  const method = path.split('/').at(-1) as string
  const expireMs = expiryOf(body, trades.nowMs())
  const stranger = placesForStranger(settings, path, body)
  if (stranger !== null) return refuse(stranger.status, stranger.code)
  const isFine = OUT_TRADE_NO.test(no) && !Number.isNaN(expireMs) && hasGoodFields(settings, body, method)
  if (!isFine) return refuse(400, 'PARAM_ERROR')
  const { total } = body.amount as { total: number }
  const isNew = await trades.create({
    no,
    method,
    description: String(body.description),
    totalFen: total,
    expireMs,
    landsMs: landsMsOf(fault, trades.nowMs()),
    isCode: false,
    notifyUrl: String(body.notify_url),
    ...otherAppOf(settings, body),
    ...(typeof body.attach === 'string' ? { attach: body.attach } : {}),
  })
  const known = isNew ? null : await trades.find(no)
  if (known?.state === 'paid') return refuse(400, 'ORDERPAID')
  if (known?.state === 'closed') return refuse(400, 'ORDER_CLOSED')
  // Only the very same order may be placed again under its number.
  const isSame =
    known === null ||
    isDeepStrictEqual(
      [known.totalFen, known.method, known.description, known.appId, known.attach],
      [total, method, body.description, otherAppOf(settings, body).appId, body.attach],
    )
  if (!isSame) return refuse(400, 'INVALID_REQUEST')
  return opened(method, no)
}

/** "若设置的支付结束时间早于该时间，系统将自动调整为下单时间后1分钟": later than the merchant wished. NaN when unreadable. */
const expiryOf = ({ time_expire: text }: Record<string, unknown>, nowMs: number): number =>
  Math.max(text === undefined ? nowMs + WEEK_MS : Date.parse(String(text)), nowMs + MINUTE_MS)

const FIELDS = [
  ...['description', 'out_trade_no', 'time_expire', 'attach', 'notify_url', 'goods_tag'],
  ...['support_fapiao', 'amount', 'payer', 'detail', 'scene_info', 'settle_info'],
]

function hasGoodFields(settings: WechatStandInSettings, body: Record<string, unknown>, method: string): boolean {
  const { total } = (body.amount ?? {}) as { total?: unknown }
  const isFine = Number.isInteger(total) && (total as number) > 0 && isText(body.description, 127)
  const known = [...FIELDS, ...whoseFields(settings)]
  const isKnown = Object.keys(body).every((name) => known.includes(name))
  // "通知URL必须为直接可访问的URL，不允许携带查询串".
  const isUrl = isText(body.notify_url, 255) && !body.notify_url.includes('?')
  const { payer_client_ip: ip } = (body.scene_info ?? {}) as { payer_client_ip?: unknown }
  if (!isFine || !isKnown || !isUrl) return false
  return method === 'jsapi' ? knowsPayer(settings, body) : method !== 'h5' || isText(ip, 45)
}

function opened(method: string, no: string): Answer {
  switch (method) {
    case 'native':
      return ok({ code_url: `weixin://wxpay/bizpayurl?pr=${no}` })
    case 'h5':
      return ok({ h5_url: `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${no}` })
    default:
      return ok({ prepay_id: `wx${numberOf('', no)}` })
  }
}

const query: Work = async ({ settings, trades, path, query: params, no }) => {
  const stranger = asksForStranger(settings, path, (name) => params.get(name))
  if (stranger !== null) return refuse(stranger.status, stranger.code)
  const trade = await trades.find(no)
  return trade === null ? refuse(404, 'ORDER_NOT_EXIST') : ok(transactionData(settings, trade, trades.nowMs()))
}

/** 204 also for an unknown number, and for a trade that is closed already. */
const close: Work = async ({ settings, trades, path, body, no }, fault) => {
  const stranger = asksForStranger(settings, path, (name) => body[name])
  if (stranger !== null) return refuse(stranger.status, stranger.code)
  return trades.change(no, (trade) => {
    if (trade?.state === 'paid') return refuse(400, 'ORDERPAID')
    if (trade !== null) closeTrade(trade, fault, trades.nowMs())
    return { status: 204, data: null }
  })
}

/** "退款原因", string(80): bytes. */
const REASON_BYTES_MAX = 80

const refund: Work = async ({ settings, trades, body, no }, fault) => {
  const stranger = namesStranger(settings, body.sub_mchid, true)
  if (stranger !== null) return refuse(stranger.status, stranger.code)
  const { out_refund_no: refundNo } = body
  const { refund: fen, total } = (body.amount ?? {}) as { refund?: unknown; total?: unknown }
  const isFine = Number.isInteger(fen) && (fen as number) > 0 && typeof refundNo === 'string'
  if (!isFine || Buffer.byteLength(String(body.reason ?? '')) > REASON_BYTES_MAX) return refuse(400, 'PARAM_ERROR')
  await trades.register('refund', refundNo, no)
  return trades.change(no, (trade) => {
    if (trade?.payment == null) return refuse(404, 'RESOURCE_NOT_EXISTS')
    if (total !== trade.payment.fen) return refuse(400, 'INVALID_REQUEST')
    if (isTooSoon(trade, refundNo, fault, trades.nowMs())) return refuse(429, 'FREQUENCY_LIMITED')
    const before = trade.refunds.length
    const hidden = fault?.kind === 'refused_then_done' ? { isHidden: true as const } : {}
    const asked = { no: refundNo, fen: fen as number, ...hidden }
    const made = refundTrade(trade, asked, trades.nowMs(), refundLateMsOf(fault))
    if (made === null) return refuse(400, 'INVALID_REQUEST')
    if (trade.refunds.length > before && typeof body.notify_url === 'string') {
      const refund = { no: made.no, url: body.notify_url }
      trade.notices.push({ id: `${no}-${made.no}`, sent: 0, nextMs: made.doneMs, isHeard: false, refund })
    }
    // It is accepted, and not done yet: a query or the notification tells of its end. A repeat is told how it stands.
    const isNew = trade.refunds.length > before
    return ok({ ...refundData(trade, made, trades.nowMs()), ...(isNew ? { status: 'PROCESSING' } : {}) })
  })
}

/** "同一笔订单的多次退款，间隔1分钟": another refund of one payment, too soon after the one before. */
const isTooSoon = ({ refunds }: Trade, no: string, fault: Fault | null, nowMs: number): boolean =>
  fault?.kind === 'refunds_spaced' &&
  refunds.every((refund) => refund.no !== no) &&
  refunds.some(({ atMs }) => nowMs < atMs + (fault.ms ?? MINUTE_MS))

const queryRefund: Work = async ({ settings, trades, query: params, no: refundNo }) => {
  const stranger = namesStranger(settings, params.get('sub_mchid'), true)
  if (stranger !== null) return refuse(stranger.status, stranger.code)
  const tradeNo = await trades.tradeNoOf('refund', refundNo)
  const trade = tradeNo === null ? null : await trades.find(tradeNo)
  const found = trade === null ? undefined : shownRefund(trade, refundNo, trades.nowMs())
  if (trade === null || found === undefined) return refuse(404, 'RESOURCE_NOT_EXISTS')
  return ok(refundData(trade, found, trades.nowMs()))
}

const bill: Work = async ({ settings, trades, query: params, mount, no: day }) => {
  const stranger = namesStranger(settings, params.get('sub_mchid'), false)
  if (stranger !== null) return refuse(stranger.status, stranger.code)
  const file = await billFile(settings, trades, day)
  if (file.status === 404) return refuse(400, 'NO_STATEMENT_EXIST')
  const hash = createHash('sha1').update(file.body).digest('hex')
  return ok({ hash_type: 'SHA1', hash_value: hash, download_url: `${mount}/v3/bill/file?day=${day}` })
}

/** By HTTP method and path. */
const VERBS: { method: string; pattern: RegExp; verb: Verb; work: Work }[] = [
  {
    method: 'POST',
    pattern: /^\/v3\/pay\/(?:partner\/)?transactions\/(native|h5|jsapi|app)$/,
    verb: 'create',
    work: create,
  },
  {
    method: 'GET',
    pattern: /^\/v3\/pay\/(?:partner\/)?transactions\/(out-trade-no|id)\/(?<no>[^/]+)$/,
    verb: 'query',
    work: query,
  },
  {
    method: 'POST',
    pattern: /^\/v3\/pay\/(?:partner\/)?transactions\/out-trade-no\/(?<no>[^/]+)\/close$/,
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
  { method: 'GET', pattern: /^\/v3\/bill\/tradebill$/, verb: 'bill', work: bill },
]

/** Null when WeChat Pay has no such call. `no` is the number in the path, still percent-encoded. */
export function findVerb(method: string, path: string): { verb: Verb; work: Work; no: string | undefined } | null {
  for (const { verb, work, ...rule } of VERBS) {
    const match = rule.method === method ? rule.pattern.exec(path) : null
    if (match !== null) return { verb, work, no: match.groups?.no }
  }
  return null
}
