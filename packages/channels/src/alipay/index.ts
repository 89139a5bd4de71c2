/** Alipay (opendocs.alipay.com): codes to scan, pages on a telephone and on a desktop. */
import { type Fen, formatYuan, parseYuan } from '@acopay/core'
import {
  type Channel,
  type CloseAnswer,
  type Notification,
  type OpenAsk,
  orUnknown,
  type QueryAnswer,
  type Unknown,
  type UpstreamPayment,
  unknown,
} from '../contract.ts'
import { readBill } from './bill.ts'
import {
  type AlipayAccount,
  type AlipayAnswer,
  type AlipayDoor,
  alipayClient,
  alipayTime,
  readAlipayTime,
} from './client.ts'

export type { AlipayAccount, AlipayDoor } from './client.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
/** From the beginning of the day on: a bill that is not there a day after it should be is not made. */
const LATE_BILL_MS = 58 * HOUR

const OK = '10000'
const NOT_EXIST = 'ACQ.TRADE_NOT_EXIST'
/** "业务处理失败": the request was understood and refused, with the reason in `sub_code`. */
const REFUSED = '40004'
/** Refused, they say, and yet it may have been done. */
const IN_DOUBT = new Set(['ACQ.SYSTEM_ERROR', 'aop.ACQ.SYSTEM_ERROR', 'ACQ.UNKNOW_ERROR', ''])

const WIDE: Record<string, string> = { '/': '／', '=': '＝', '&': '＆' }

const PAGES: Record<string, { method: string; product: string } | undefined> = {
  h5: { method: 'alipay.trade.wap.pay', product: 'QUICK_WAP_WAY' },
  page: { method: 'alipay.trade.page.pay', product: 'FAST_INSTANT_TRADE_PAY' },
}

export function makeAlipay(account: AlipayAccount, door: AlipayDoor): Channel {
  const client = alipayClient(account, door)

  const orderOf = (ask: OpenAsk) => ({
    out_trade_no: ask.attemptNo,
    total_amount: formatYuan(ask.amountFen),
    // "不可使用特殊字符，如 /，=，& 等": their wide forms read the same.
    subject: ask.description.replace(/[/=&]/g, (sign) => WIDE[sign] ?? sign),
    time_expire: alipayTime(ask.expireAt),
  })

  /** "统一收单交易查询" (alipay.trade.query). */
  async function query(attemptNo: string, signal: AbortSignal): Promise<QueryAnswer> {
    const answer = await client.call('alipay.trade.query', { out_trade_no: attemptNo }, signal)
    const traced = tracedOf(answer)
    if (answer.subCode === NOT_EXIST) return { kind: 'absent', ...traced }
    if (answer.code !== OK || answer.data.out_trade_no !== attemptNo) return { ...strange(answer), ...traced }
    const payment = readPayment(answer.data, 'send_pay_date')
    switch (answer.data.trade_status) {
      case 'WAIT_BUYER_PAY':
        return { kind: 'open', ...traced }
      case 'TRADE_SUCCESS':
      case 'TRADE_FINISHED':
        return payment === null ? { ...strange(answer), ...traced } : { kind: 'paid', payment, ...traced }
      // Closed unpaid, or paid and since sent back in full: only the second has a moment of payment.
      case 'TRADE_CLOSED':
        return payment === null ? { kind: 'closed', ...traced } : { kind: 'returned', payment, ...traced }
      default:
        return { ...strange(answer), ...traced }
    }
  }

  /** "统一收单交易撤销" (alipay.trade.cancel): closes what is unpaid and sends back what was paid. */
  async function cancel(attemptNo: string, signal: AbortSignal): Promise<CloseAnswer> {
    const answer = await client.call('alipay.trade.cancel', { out_trade_no: attemptNo }, signal)
    const traced = tracedOf(answer)
    if (answer.subCode === NOT_EXIST) return { kind: 'absent', ...traced }
    const { retry_flag: retry, action, trade_no: paymentNo } = answer.data
    if (answer.code !== OK || retry === 'Y') return { ...strange(answer), ...traced }
    if (action === 'refund' && typeof paymentNo === 'string') return { kind: 'returned', paymentNo, ...traced }
    return { kind: 'accepted', ...traced }
  }

  return {
    methods: ['native', 'h5', 'page'],
    // The code lives as long as it is asked to (`qr_code_timeout_express`), and a page as long as its order.
    payUrlLivesMs: {},
    signIn: null,
    forgetsUnscanned: true,
    createLandsMs: 60_000,
    watchMs: 24 * HOUR,

    /** "统一收单线下交易预创建" (alipay.trade.precreate) gives a code; the trade begins when somebody scans it. */
    open: (ask, signal) =>
      orUnknown(signal, async () => {
        const page = PAGES[ask.method]
        const urls = { notify_url: ask.notifyUrl, ...(ask.returnUrl === null ? {} : { return_url: ask.returnUrl }) }
        if (page !== undefined) {
          // Nobody is called: the payer's browser brings the order along.
          const order = { ...orderOf(ask), product_code: page.product }
          return { kind: 'opened', payUrl: client.pageUrl(page.method, order, urls) }
        }
        if (ask.method !== 'native') return { kind: 'refused', why: `no method ${ask.method}` }
        const minutes = Math.max(1, Math.floor((ask.expireAt.getTime() - door.now().getTime()) / MINUTE))
        const order = { ...orderOf(ask), qr_code_timeout_express: `${minutes}m` }
        const answer = await client.call('alipay.trade.precreate', order, signal, urls)
        const traced = tracedOf(answer)
        const { qr_code: code } = answer.data
        if (answer.code === OK && typeof code === 'string') return { kind: 'opened', payUrl: code, ...traced }
        if (isRefused(answer)) return { kind: 'refused', why: answer.subCode, ...traced }
        return { ...strange(answer), ...traced }
      }),

    query: ({ attemptNo }, signal) => orUnknown(signal, () => query(attemptNo, signal)),

    /**
     * "统一收单交易关闭" (alipay.trade.close), which a paid trade survives; where there is no trade yet, cancel. Neither
     * takes back a code that nobody has scanned.
     */
    close: ({ attemptNo }, signal) =>
      orUnknown(signal, async (): Promise<CloseAnswer> => {
        const answer = await client.call('alipay.trade.close', { out_trade_no: attemptNo }, signal)
        const traced = tracedOf(answer)
        if (answer.code === OK) return { kind: 'accepted', ...traced }
        if (answer.subCode === NOT_EXIST) return cancel(attemptNo, signal)
        if (answer.subCode !== 'ACQ.TRADE_STATUS_ERROR') return { ...strange(answer), ...traced }
        // Said of a paid trade and of a closed one alike.
        const stands = await query(attemptNo, signal)
        if (stands.kind === 'paid') return { kind: 'paid', ...traced }
        return stands.kind === 'closed' ? { kind: 'accepted', ...traced } : { ...strange(answer), ...traced }
      }),

    /** "统一收单交易退款" (alipay.trade.refund): the same `out_request_no` again is the same refund. */
    refund: (ask, signal) =>
      orUnknown(signal, async () => {
        const body = {
          out_trade_no: ask.attemptNo,
          out_request_no: ask.refundNo,
          refund_amount: formatYuan(ask.amountFen as Fen),
          refund_reason: ask.reason,
        }
        const answer = await client.call('alipay.trade.refund', body, signal)
        const traced = tracedOf(answer)
        if (answer.code === OK && answer.data.fund_change === 'Y') return { kind: 'done', ...traced }
        // No change this time: it was done before, or it is under way. A query tells.
        if (answer.code === OK) return { kind: 'processing', ...traced }
        if (isRefused(answer)) return { kind: 'refused', why: answer.subCode, ...traced }
        return { ...strange(answer), ...traced }
      }),

    /** "统一收单交易退款查询" (alipay.trade.fastpay.refund.query). */
    queryRefund: ({ attemptNo, refundNo }, signal) =>
      orUnknown(signal, async () => {
        const body = { out_trade_no: attemptNo, out_request_no: refundNo }
        const answer = await client.call('alipay.trade.fastpay.refund.query', body, signal)
        const traced = tracedOf(answer)
        if (answer.subCode === NOT_EXIST) return { kind: 'absent', ...traced }
        if (answer.code !== OK) return { ...strange(answer), ...traced }
        return { kind: answer.data.refund_status === 'REFUND_SUCCESS' ? 'done' : 'absent', ...traced }
      }),

    /** "异步通知": a form, signed over its decoded values. */
    async readNotification({ body }): Promise<Notification> {
      const params = new Map(new URLSearchParams(body))
      if (!client.isTheirs(params)) return { kind: 'forged', why: 'not signed by Alipay' }
      if (params.get('app_id') !== account.appId || params.get('seller_id') !== account.sellerId) {
        return { kind: 'forged', why: 'of another app or seller' }
      }
      const status = params.get('trade_status') ?? ''
      if (status !== 'TRADE_SUCCESS' && status !== 'TRADE_FINISHED') return { kind: 'other', what: status }
      const attemptNo = params.get('out_trade_no') ?? ''
      const payment = readPayment(Object.fromEntries(params), 'gmt_payment')
      if (payment === null || attemptNo === '') return { kind: 'forged', why: 'unreadable' }
      return { kind: 'paid', attemptNo, payment }
    },

    replyToNotification: (isHeard) => ({
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: isHeard ? 'success' : 'failure',
    }),

    /** "查询对账单下载地址" (alipay.data.dataservice.bill.downloadurl.query); the file lies there for 30 s. */
    fetchBill: (day, signal) =>
      orUnknown(signal, async () => {
        const body = { bill_type: 'trade', bill_date: day }
        const answer = await client.call('alipay.data.dataservice.bill.downloadurl.query', body, signal)
        const traced = tracedOf(answer)
        // One word for two things: nothing happened, or it is late ("特殊情况可能延迟").
        if (answer.subCode === 'isp.bill_not_exist') {
          const isLate = door.now().getTime() < Date.parse(`${day}T00:00:00+08:00`) + LATE_BILL_MS
          return { kind: isLate ? 'later' : 'none', ...traced }
        }
        const { bill_download_url: url } = answer.data
        if (answer.code !== OK || typeof url !== 'string') return { ...strange(answer), ...traced }
        const response = await door.fetch(url, { redirect: 'error', signal })
        if (response.status !== 200) return { ...unknown(`HTTP ${response.status}`), ...traced }
        return { kind: 'bill', lines: await readBill(Buffer.from(await response.arrayBuffer())), ...traced }
      }),
  }
}

const tracedOf = ({ requestId }: AlipayAnswer): { requestId?: string } => (requestId === undefined ? {} : { requestId })

const isRefused = ({ code, subCode }: AlipayAnswer): boolean => code === REFUSED && !IN_DOUBT.has(subCode)

/** A word the manual does not define for this call means "perhaps". */
const strange = ({ code, subCode }: AlipayAnswer): Unknown => unknown(`${code} ${subCode}`.trim())

/** Null where nothing was paid, or where it is not said as the manual has it. */
function readPayment(data: Record<string, unknown>, timeField: string): UpstreamPayment | null {
  const { trade_no: paymentNo, total_amount: total } = data
  const amountFen = parseYuan(String(total))
  const paidAt = readAlipayTime(data[timeField])
  if (typeof paymentNo !== 'string' || amountFen === null || Number.isNaN(paidAt.getTime())) return null
  const payer = data.buyer_open_id ?? data.buyer_user_id ?? data.buyer_id
  return { paymentNo, amountFen, currency: 'CNY', paidAt, payer: typeof payer === 'string' ? payer : null }
}
