/** The verbs of Alipay's gateway: what it does for each method, and the words it answers with. */
import type { Fault, Verb } from '../faults.ts'
import {
  closeTrade,
  isShownClosed,
  landsMsOf,
  leftOf,
  refundLateMsOf,
  refundTrade,
  returnedOf,
  shownRefund,
  type Trade,
} from '../trade.ts'
import type { Trades } from '../trades.ts'
import { hasBill } from './bill.ts'
import type { AlipayStandInSettings } from './settings.ts'
import { readTime, timeText } from './time.ts'

export type Answer = Record<string, unknown>

export type Call = {
  trades: Trades
  settings: AlipayStandInSettings
  method: string
  content: Record<string, unknown>
  no: string
  notifyUrl: string
  billUrl: string
}

type Work = (call: Call, fault: Fault | null) => Promise<Answer>

const ok = (data: object): Answer => ({ code: '10000', msg: 'Success', ...data })

/** A word of the business, or of the gateway (`isv.…`, `aop.…`, `isp.…`), each under its code. */
export function refuse(sub_code: string): Answer {
  const [, from = ''] = /^(isv|aop|isp)\.(?!bill)/.exec(sub_code) ?? []
  const gateway: Record<string, string> = { isv: '40002', aop: '20001', isp: '20000' }
  const code = /-call-limited$/.test(sub_code) ? '40005' : (gateway[from] ?? '40004')
  return { code, msg: code === '40004' ? 'Business Failed' : 'Invalid Arguments', sub_code, sub_msg: sub_code }
}

const yuan = (fen: number): string => (fen / 100).toFixed(2)

function fenOf(text: unknown): number | null {
  const found = /^(\d+)\.(\d\d)$/.exec(String(text))
  return found === null ? null : Number(found[1]) * 100 + Number(found[2])
}

/** Null for a code that no payer has scanned: there is no trade yet. */
const begun = (trade: Trade | null): Trade | null => (trade?.isCode ? null : trade)

/** "64个字符以内，仅支持字母、数字、下划线", and "订单标题，不可使用特殊字符，如 /，=，& 等". */
const OUT_TRADE_NO = /^\w{1,64}$/
const SUBJECT = /^[^/=&]{1,256}$/u

const TWO_HOURS_MS = 2 * 3_600_000

/** "2088开头的16位纯数字", or an id of the payer's for this app. */
const BUYER_ID = /^2088\d{12}$/

/** Whether the payer of a trade is named as its verb wants; only `alipay.trade.create` wants one. */
function isBuyerFine(method: string, { buyer_id: id, buyer_open_id: openId }: Record<string, unknown>): boolean {
  if (method !== 'alipay.trade.create') return true
  return id === undefined ? typeof openId === 'string' && openId !== '' : BUYER_ID.test(String(id))
}

/** "销售产品码": of what the payer's browser or app opens a must, of codes by the contract, of others optional. */
const PRODUCTS: Record<string, string | undefined> = {
  'alipay.trade.page.pay': 'FAST_INSTANT_TRADE_PAY',
  'alipay.trade.wap.pay': 'QUICK_WAP_WAY',
  'alipay.trade.app.pay': 'QUICK_MSECURITY_PAY',
}

function isProductFine(
  method: string,
  { product_code: product, op_app_id: app }: Record<string, unknown>,
  { productCode }: AlipayStandInSettings,
): boolean {
  if (method === 'alipay.trade.create') return product !== 'JSAPI_PAY' || typeof app === 'string'
  const wanted = method === 'alipay.trade.precreate' ? productCode : PRODUCTS[method]
  return wanted === undefined || product === wanted
}

/** What the earlier use of a number says against another one; null when it is the same again. */
function createConflict(known: Trade | null, totalFen: number): Answer | null {
  if (known?.state === 'paid') return refuse('ACQ.TRADE_HAS_SUCCESS')
  if (known?.state === 'closed') return refuse('ACQ.TRADE_HAS_CLOSE')
  if (known === null || known.totalFen === totalFen) return null
  // "同样的订单号不能重复多次申请二维码"; of a trade that is there, "交易信息被篡改".
  return refuse(known.isCode ? 'ACQ.APPLY_PC_MERCHANT_CODE_ERROR' : 'ACQ.CONTEXT_INCONSISTENT')
}

/** A code, or the order of a page: it becomes a trade when the payer opens it. One for a payer is a trade at once. */
const create: Work = async ({ trades, settings, method, content, no, notifyUrl }, fault) => {
  const totalFen = fenOf(content.total_amount)
  const { time_expire: expiry } = content
  const expireMs = expiry === undefined ? trades.nowMs() + TWO_HOURS_MS : readTime(expiry)
  const isFine = totalFen !== null && totalFen > 0 && OUT_TRADE_NO.test(no) && !Number.isNaN(expireMs)
  const isSold = typeof content.subject === 'string' && SUBJECT.test(content.subject)
  const isNamed = isBuyerFine(method, content) && isProductFine(method, content, settings)
  if (!isFine || !isSold || !isNamed) return refuse('ACQ.INVALID_PARAMETER')
  if (expireMs <= trades.nowMs()) return refuse('ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR')
  const isNew = await trades.create({
    no,
    method: method.split('.').at(-1) as string,
    description: String(content.subject),
    totalFen,
    expireMs,
    landsMs: landsMsOf(fault, trades.nowMs()),
    notifyUrl,
    isCode: method !== 'alipay.trade.create',
    // "qr_code": two hours. The order of a page lives as long as it says.
    ...(method === 'alipay.trade.precreate' ? { codeUntilMs: trades.nowMs() + TWO_HOURS_MS } : {}),
  })
  const conflict = isNew ? null : createConflict(await trades.find(no), totalFen)
  if (conflict !== null) return conflict
  return ok(method === 'alipay.trade.create' ? { out_trade_no: no, trade_no: tradeNoFor(no) } : codeOf(no))
}

const codeOf = (no: string) => ({ out_trade_no: no, qr_code: `https://qr.alipay.com/${no}` })

/** Alipay's number of an unpaid trade. */
const tradeNoFor = (no: string): string => `20${no.slice(-26)}`

function statusOf(trade: Trade, nowMs: number): string {
  if (trade.payment !== null) return leftOf(trade) <= 0 ? 'TRADE_CLOSED' : 'TRADE_SUCCESS'
  return isShownClosed(trade, nowMs) ? 'TRADE_CLOSED' : 'WAIT_BUYER_PAY'
}

const query: Work = async ({ trades, content, no }) => {
  const trade = begun(await trades.find(no))
  if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
  const { payment } = trade
  return ok({
    out_trade_no: no,
    trade_no: payment?.no ?? tradeNoFor(no),
    trade_status: statusOf(trade, trades.nowMs()),
    total_amount: yuan(payment?.fen ?? trade.totalFen),
    ...(payment === null ? {} : { send_pay_date: timeText(payment.atMs), buyer_user_id: payment.payer }),
    // Given only when it is asked for.
    ...(payment !== null && asksForFunds(content)
      ? { fund_bill_list: [{ fund_channel: 'ALIPAYACCOUNT', amount: yuan(payment.fen) }] }
      : {}),
  })
}

const asksForFunds = ({ query_options: options }: Record<string, unknown>): boolean =>
  Array.isArray(options) && options.includes('fund_bill_list')

const close: Work = ({ trades, no }, fault) =>
  trades.change(no, (found) => {
    const trade = begun(found)
    if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
    if (trade.state !== 'open') return refuse('ACQ.TRADE_STATUS_ERROR')
    closeTrade(trade, fault, trades.nowMs())
    return ok({ out_trade_no: no })
  })

/** Success also for an unknown number. A code that no payer has scanned stays open. */
const cancel: Work = ({ trades, no }, fault) =>
  trades.change(no, (found) => {
    const trade = begun(found)
    const answer = { out_trade_no: no, retry_flag: 'N' }
    if (trade === null || fault?.kind === 'closes_never') return ok(answer)
    if (trade.payment === null) {
      trade.state = 'closed'
      return ok({ ...answer, trade_no: tradeNoFor(no), action: 'close' })
    }
    const left = leftOf(trade)
    if (left > 0) refundTrade(trade, { no: `cancel-${no}`, fen: left }, trades.nowMs())
    return ok({ ...answer, trade_no: trade.payment.no, action: 'refund' })
  })

/** "同一笔交易的退款至少间隔3s后发起". */
const REFUNDS_APART_MS = 3_000

/** Why the trade cannot be refunded so; null when it can. */
function refundRefusal(trade: Trade | null, fen: number | null, requestNo: unknown): Answer | null {
  if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
  if (trade.payment === null) return refuse('ACQ.TRADE_STATUS_ERROR')
  if (fen === null || fen === 0) return refuse('ACQ.INVALID_PARAMETER')
  const isPart = fen !== trade.payment.fen
  return isPart && requestNo === undefined ? refuse('ACQ.REFUND_AMT_NOT_EQUAL_TOTAL') : null
}

/** Why the payment cannot be refunded under this number now; null when it can. */
function refundConflict(trade: Trade, { no, fen }: { no: string; fen: number }, nowMs: number): Answer | null {
  const before = trade.refunds.find((one) => one.no === no)
  if (before !== undefined) return before.fen === fen ? null : refuse('ACQ.DISCORDANT_REPEAT_REQUEST')
  // A refund of more than is left is refused whenever it comes.
  if (fen > leftOf(trade)) return refuse('ACQ.REASON_TRADE_REFUND_FEE_ERR')
  // Its word for this is not known.
  return trade.refunds.some(({ atMs }) => nowMs - atMs < REFUNDS_APART_MS) ? refuse('ACQ.SYSTEM_ERROR') : null
}

const refund: Work = ({ trades, content, no }, fault) =>
  trades.change(no, (found) => {
    const trade = begun(found)
    const fen = fenOf(content.refund_amount)
    const refusal = refundRefusal(trade, fen, content.out_request_no)
    if (refusal !== null || trade?.payment == null || fen === null) return refusal ?? refuse('ACQ.SYSTEM_ERROR')
    const before = trade.refunds.length
    const hidden = fault?.kind === 'refused_then_done' ? { isHidden: true as const } : {}
    const asked = { no: String(content.out_request_no ?? no), fen, ...hidden }
    const conflict = refundConflict(trade, asked, trades.nowMs())
    if (conflict !== null) return conflict
    const made = refundTrade(trade, asked, trades.nowMs(), refundLateMsOf(fault))
    if (made === null) return refuse('ACQ.SYSTEM_ERROR')
    const isMoved = trade.refunds.length > before && made.doneMs <= trades.nowMs()
    return ok({
      out_trade_no: no,
      trade_no: trade.payment.no,
      buyer_user_id: trade.payment.payer,
      fund_change: isMoved ? 'Y' : 'N',
      refund_fee: yuan(returnedOf(trade.refunds)),
    })
  })

const queryRefund: Work = async ({ trades, content, no }) => {
  const trade = begun(await trades.find(no))
  if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
  const found = shownRefund(trade, content.out_request_no, trades.nowMs())
  if (found === undefined || trades.nowMs() < found.doneMs) return ok({})
  const common = { out_trade_no: no, out_request_no: found.no, trade_no: trade.payment?.no }
  return ok({ ...common, refund_amount: yuan(found.fen), refund_status: 'REFUND_SUCCESS' })
}

/** "T+1", "09:00": from then on a day's bill is there, counted from the day's beginning. */
const BILL_AFTER_MS = 33 * 3_600_000

const bill: Work = async ({ trades, content, billUrl }) => {
  const day = String(content.bill_date)
  if (trades.nowMs() < readTime(`${day} 00:00:00`) + BILL_AFTER_MS || !(await hasBill(trades, day)))
    return refuse('isp.bill_not_exist')
  return ok({ bill_download_url: `${billUrl}?day=${day}` })
}

/** By the value of the parameter `method`. */
export const VERBS: Record<string, { verb: Verb; work: Work } | undefined> = {
  'alipay.trade.precreate': { verb: 'create', work: create },
  'alipay.trade.page.pay': { verb: 'create', work: create },
  'alipay.trade.wap.pay': { verb: 'create', work: create },
  'alipay.trade.app.pay': { verb: 'create', work: create },
  'alipay.trade.create': { verb: 'create', work: create },
  'alipay.trade.query': { verb: 'query', work: query },
  'alipay.trade.close': { verb: 'close', work: close },
  'alipay.trade.cancel': { verb: 'close', work: cancel },
  'alipay.trade.refund': { verb: 'refund', work: refund },
  'alipay.trade.fastpay.refund.query': { verb: 'query_refund', work: queryRefund },
  'alipay.data.dataservice.bill.downloadurl.query': { verb: 'bill', work: bill },
}
