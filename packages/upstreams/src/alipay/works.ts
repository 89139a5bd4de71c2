/** What Alipay does for each method, and the words it answers with. */
import type { Fault, Verb } from '../faults.ts'
import { refundTrade, type Trade, type Trades } from '../trades.ts'
import { hasBill } from './bill.ts'
import { timeText } from './time.ts'

export type Answer = Record<string, unknown>

type Call = {
  trades: Trades
  method: string
  content: Record<string, unknown>
  no: string
  notifyUrl: string
  billUrl: string
}

export type Work = (call: Call, fault: Fault | null) => Promise<Answer>

const ok = (data: object): Answer => ({ code: '10000', msg: 'Success', ...data })

export const refuse = (sub_code: string): Answer => ({
  ...{ code: '40004', msg: 'Business Failed', sub_code, sub_msg: sub_code },
})

const yuan = (fen: number): string => (fen / 100).toFixed(2)

function fenOf(text: unknown): number | null {
  const found = /^(\d+)\.(\d\d)$/.exec(String(text))
  return found === null ? null : Number(found[1]) * 100 + Number(found[2])
}

/** Null for a code nobody has scanned: there is no trade yet. */
const begun = (trade: Trade | null): Trade | null => (trade?.isCode ? null : trade)

/** "64个字符以内，仅支持字母、数字、下划线", and "订单标题，不可使用特殊字符，如 /，=，& 等". */
const OUT_TRADE_NO = /^\w{1,64}$/
const SUBJECT = /^[^/=&]{1,256}$/u

/** A code, or a page's order: it becomes a trade when the payer opens it. */
const create: Work = async ({ trades, method, content, no, notifyUrl }, fault) => {
  const totalFen = fenOf(content.total_amount)
  const expireMs =
    content.time_expire === undefined
      ? trades.nowMs() + 2 * 3_600_000
      : Date.parse(`${String(content.time_expire).replace(' ', 'T')}+08:00`)
  const isFine = totalFen !== null && OUT_TRADE_NO.test(no) && !Number.isNaN(expireMs)
  if (!isFine || typeof content.subject !== 'string' || !SUBJECT.test(content.subject)) {
    return refuse('ACQ.INVALID_PARAMETER')
  }
  const landsMs = fault?.kind === 'lands_late' ? trades.nowMs() + (fault.ms ?? 1000) : 0
  const isNew = await trades.create({
    ...{ no, method: method.split('.').at(-1) as string, description: content.subject, totalFen, expireMs, landsMs },
    ...{ notifyUrl, isCode: true },
  })
  const stands = isNew ? null : await trades.find(no)
  if (stands?.state === 'paid') return refuse('ACQ.TRADE_HAS_SUCCESS')
  if (stands?.state === 'closed') return refuse('ACQ.TRADE_HAS_CLOSE')
  return ok({ out_trade_no: no, qr_code: `https://qr.alipay.com/${no}` })
}

function statusOf(trade: Trade, nowMs: number): string {
  if (trade.payment !== null) {
    const returned = trade.refunds.reduce((sum, { fen }) => sum + fen, 0)
    return returned >= trade.payment.fen ? 'TRADE_CLOSED' : 'TRADE_SUCCESS'
  }
  const isClosed = trade.state === 'closed' || trade.expireMs <= nowMs
  return isClosed && nowMs >= trade.shownOpenUntilMs ? 'TRADE_CLOSED' : 'WAIT_BUYER_PAY'
}

const query: Work = async ({ trades, no }) => {
  const trade = begun(await trades.find(no))
  if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
  const { payment } = trade
  return ok({
    out_trade_no: no,
    trade_no: payment?.no ?? `20${no.slice(-26)}`,
    trade_status: statusOf(trade, trades.nowMs()),
    total_amount: yuan(payment?.fen ?? trade.totalFen),
    ...(payment === null ? {} : { send_pay_date: timeText(payment.atMs), buyer_user_id: payment.payer }),
  })
}

const close: Work = ({ trades, no }, fault) =>
  trades.change(no, (found) => {
    const trade = begun(found)
    if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
    if (trade.state !== 'open') return refuse('ACQ.TRADE_STATUS_ERROR')
    if (fault?.kind !== 'closes_never') {
      trade.state = 'closed'
      if (fault?.kind === 'closes_late') trade.shownOpenUntilMs = trades.nowMs() + (fault.ms ?? 1000)
    }
    return ok({ out_trade_no: no })
  })

/** Success also for a number never seen; a code that nobody has scanned stays what it is. */
const cancel: Work = ({ trades, no }, fault) =>
  trades.change(no, (found) => {
    const trade = begun(found)
    const answer = { out_trade_no: no, retry_flag: 'N' }
    if (trade === null || fault?.kind === 'closes_never') return ok(answer)
    if (trade.payment === null) {
      trade.state = 'closed'
      return ok({ ...answer, trade_no: `20${no.slice(-26)}`, action: 'close' })
    }
    const returned = trade.refunds.reduce((sum, { fen }) => sum + fen, 0)
    const left = trade.payment.fen - returned
    if (left > 0) refundTrade(trade, { no: `cancel-${no}`, fen: left }, trades.nowMs())
    return ok({ ...answer, trade_no: trade.payment.no, action: 'refund' })
  })

const refund: Work = ({ trades, content, no }) =>
  trades.change(no, (found) => {
    const trade = begun(found)
    const fen = fenOf(content.refund_amount)
    if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
    if (trade.payment === null) return refuse('ACQ.TRADE_STATUS_ERROR')
    if (fen === null) return refuse('ACQ.INVALID_PARAMETER')
    const before = trade.refunds.length
    const made = refundTrade(trade, { no: String(content.out_request_no), fen }, trades.nowMs())
    if (made === null) return refuse('ACQ.REFUND_AMT_NOT_EQUAL_TOTAL')
    const refund_fee = yuan(trade.refunds.reduce((sum, one) => sum + one.fen, 0))
    const fund_change = trade.refunds.length > before ? 'Y' : 'N'
    return ok({
      out_trade_no: no,
      trade_no: trade.payment.no,
      buyer_user_id: trade.payment.payer,
      fund_change,
      refund_fee,
    })
  })

const queryRefund: Work = async ({ trades, content, no }) => {
  const trade = begun(await trades.find(no))
  if (trade === null) return refuse('ACQ.TRADE_NOT_EXIST')
  const found = trade.refunds.find((one) => one.no === content.out_request_no)
  if (found === undefined) return ok({})
  const common = { out_trade_no: no, out_request_no: found.no, trade_no: trade.payment?.no }
  return ok({ ...common, refund_amount: yuan(found.fen), refund_status: 'REFUND_SUCCESS' })
}

const bill: Work = async ({ trades, content, billUrl }) => {
  const day = String(content.bill_date)
  if (!(await hasBill(trades, day))) return refuse('isp.bill_not_exist')
  return ok({ bill_download_url: `${billUrl}?day=${day}` })
}

export const WORKS: Record<string, { verb: Verb; work: Work } | undefined> = {
  'alipay.trade.precreate': { verb: 'create', work: create },
  'alipay.trade.page.pay': { verb: 'create', work: create },
  'alipay.trade.wap.pay': { verb: 'create', work: create },
  'alipay.trade.query': { verb: 'query', work: query },
  'alipay.trade.close': { verb: 'close', work: close },
  'alipay.trade.cancel': { verb: 'close', work: cancel },
  'alipay.trade.refund': { verb: 'refund', work: refund },
  'alipay.trade.fastpay.refund.query': { verb: 'query_refund', work: queryRefund },
  'alipay.data.dataservice.bill.downloadurl.query': { verb: 'bill', work: bill },
}
