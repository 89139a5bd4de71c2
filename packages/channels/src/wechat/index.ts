/** WeChat Pay API v3 (pay.weixin.qq.com/doc/v3/merchant): native, H5, JSAPI and app payments. */
import { createHash } from 'node:crypto'
import {
  type Channel,
  orUnknown,
  type QueryAnswer,
  type RefundAnswer,
  type RefundQueryAnswer,
  type Unknown,
  unknown,
} from '../contract.ts'
import type { WechatAccount } from './account.ts'
import { readBill } from './bill.ts'
import { type WechatAnswer, type WechatDoor, wechatClient } from './client.ts'
import { readWechatNotification } from './notification.ts'
import { type Opened, openBody, PATHS, payUrlOf } from './open.ts'
import { wechatSignIn } from './sign-in.ts'
import { readTransaction } from './transaction.ts'

export type { WechatAccount } from './account.ts'
export type { WechatDoor } from './client.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

/** Said of the request itself: it was not carried out, and would not be if it were repeated. */
const REFUSED_CREATES = new Set([
  ...['PARAM_ERROR', 'INVALID_REQUEST', 'APPID_MCHID_NOT_MATCH', 'MCH_NOT_EXISTS', 'NO_AUTH', 'SIGN_ERROR'],
  ...['OPENID_MISMATCH', 'RULE_LIMIT', 'ACCOUNT_ERROR'],
])
const ABSENT = new Set(['ORDER_NOT_EXIST', 'ORDERNOTEXIST', 'RESOURCE_NOT_EXISTS'])
const PAID = new Set(['ORDERPAID', 'ORDER_PAID'])
const CLOSED = new Set(['ORDERCLOSED', 'ORDER_CLOSED'])
const REFUSED_REFUNDS = new Set([
  ...['NOT_ENOUGH', 'INVALID_REQUEST', 'PARAM_ERROR', 'NO_AUTH', 'USER_ACCOUNT_ABNORMAL', 'MCH_NOT_EXISTS'],
  ...['RESOURCE_NOT_EXISTS', 'REQUEST_BLOCKED', 'SIGN_ERROR'],
])

export function makeWechat(account: WechatAccount, door: WechatDoor): Channel {
  const client = wechatClient(account, door)
  const trade = (attemptNo: string): string => `/v3/pay/transactions/out-trade-no/${encodeURIComponent(attemptNo)}`

  return {
    methods: ['native', 'h5', 'jsapi', 'app'],
    // `code_url` and `prepay_id`: two hours. `h5_url`: five minutes ("H5下单"), of which a payer needs one to press it.
    payUrlLivesMs: { native: 2 * HOUR, h5: 4 * MINUTE, jsapi: 2 * HOUR, app: 2 * HOUR },
    signIn: wechatSignIn(account, door),
    forgetsUnscanned: false,
    createLandsMs: MINUTE,
    watchMs: 24 * HOUR,

    /** "Native下单" and its siblings. */
    open: (ask, signal) =>
      orUnknown(signal, async () => {
        const path = PATHS[ask.method]
        if (path === undefined) return { kind: 'refused', why: `no method ${ask.method}` }
        const answer = await client.call('POST', path, openBody(account, ask), signal)
        const traced = tracedOf(answer)
        if (answer.status === 200) {
          const payUrl = payUrlOf(account, door, client, ask, answer.data as Opened)
          return payUrl === null ? { ...strange(answer), ...traced } : { kind: 'opened', payUrl, ...traced }
        }
        if (REFUSED_CREATES.has(answer.code)) return { kind: 'refused', why: answer.code, ...traced }
        return { ...strange(answer), ...traced }
      }),

    /** "商户订单号查询订单". */
    query: (ref, signal) =>
      orUnknown(signal, async (): Promise<QueryAnswer> => {
        const path = `${trade(ref.attemptNo)}?mchid=${encodeURIComponent(account.mchId)}`
        const answer = await client.call('GET', path, null, signal)
        const traced = tracedOf(answer)
        if (answer.status === 200) {
          const read = readTransaction(account, answer.data)
          if (read === null || read.attemptNo !== ref.attemptNo) return { ...strange(answer), ...traced }
          return { ...read.says, ...traced }
        }
        return ABSENT.has(answer.code) ? { kind: 'absent', ...traced } : { ...strange(answer), ...traced }
      }),

    /** "关闭订单": 204 also for a number that it has never seen, so it proves nothing. */
    close: (ref, signal) =>
      orUnknown(signal, async () => {
        const answer = await client.call('POST', `${trade(ref.attemptNo)}/close`, { mchid: account.mchId }, signal)
        const traced = tracedOf(answer)
        if (answer.status === 204 || CLOSED.has(answer.code)) return { kind: 'accepted', ...traced }
        if (PAID.has(answer.code)) return { kind: 'paid', ...traced }
        return ABSENT.has(answer.code) ? { kind: 'absent', ...traced } : { ...strange(answer), ...traced }
      }),

    /** "退款申请": the same `out_refund_no` again is the same refund. */
    refund: (ask, signal) =>
      orUnknown(signal, async () => {
        const body = {
          // "transaction_id/out_trade_no 二选一": the payment, since under our number there may be two, and one is kept.
          transaction_id: ask.paymentNo,
          out_refund_no: ask.refundNo,
          reason: ask.reason,
          notify_url: ask.notifyUrl,
          amount: { refund: Number(ask.amountFen), total: Number(ask.totalFen), currency: 'CNY' },
        }
        const answer = await client.call('POST', '/v3/refund/domestic/refunds', body, signal)
        const traced = tracedOf(answer)
        if (answer.status === 200) return { ...refundOf(answer), ...traced }
        if (REFUSED_REFUNDS.has(answer.code)) return { kind: 'refused', why: answer.code, ...traced }
        return { ...strange(answer), ...traced }
      }),

    /** "查询单笔退款". */
    queryRefund: ({ refundNo }, signal) =>
      orUnknown(signal, async () => {
        const path = `/v3/refund/domestic/refunds/${encodeURIComponent(refundNo)}`
        const answer = await client.call('GET', path, null, signal)
        const traced = tracedOf(answer)
        if (answer.status === 200) {
          return { ...refundStands(answer), ...traced }
        }
        return ABSENT.has(answer.code) ? { kind: 'absent', ...traced } : { ...strange(answer), ...traced }
      }),

    readNotification: (raw) => readWechatNotification(account, client, raw),

    replyToNotification: (isHeard) => ({
      status: isHeard ? 200 : 500,
      contentType: 'application/json; charset=utf-8',
      body: isHeard ? '{"code":"SUCCESS","message":"成功"}' : '{"code":"FAIL","message":"失败"}',
    }),

    /** "申请交易账单" and "下载账单": of a day up to three months ago, from 10:00 of the next day on. */
    fetchBill: (day, signal) =>
      orUnknown(signal, async () => {
        const answer = await client.call('GET', `/v3/bill/tradebill?bill_date=${day}&bill_type=ALL`, null, signal)
        const traced = tracedOf(answer)
        if (answer.code === 'NO_STATEMENT_EXIST') return { kind: 'none', ...traced }
        if (answer.code === 'STATEMENT_CREATING') return { kind: 'later', ...traced }
        const { download_url: url, hash_type: type, hash_value: hash } = answer.data
        if (answer.status !== 200 || typeof url !== 'string') return { ...strange(answer), ...traced }
        const file = await client.download(url, signal)
        const digest = createHash('sha1').update(file).digest('hex')
        if (type !== 'SHA1' || digest !== hash) return { ...unknown("the bill's hash is wrong"), ...traced }
        return { kind: 'bill', lines: readBill(file.toString('utf8')), ...traced }
      }),
  }
}

const tracedOf = ({ requestId }: WechatAnswer): { requestId?: string } => (requestId === undefined ? {} : { requestId })

/** A word the manual does not define for this call means "perhaps". */
const strange = ({ status, code }: WechatAnswer): Unknown => unknown(`HTTP ${status} ${code}`.trim())

function refundStands(answer: WechatAnswer): RefundQueryAnswer {
  const says = refundOf(answer)
  if (says.kind === 'refused') return { kind: 'failed', why: says.why }
  if (says.kind !== 'done') return says
  const { refund } = (answer.data.amount ?? {}) as { refund?: unknown }
  return Number.isSafeInteger(refund) ? { kind: 'done', amountFen: BigInt(refund as number) } : strange(answer)
}

function refundOf({ data }: WechatAnswer): Exclude<RefundAnswer, { requestId: string }> {
  switch (data.status) {
    case 'SUCCESS':
      return { kind: 'done' }
    // ABNORMAL: the payer's card takes no money. The refund stands and ends when the merchant has helped it along in
    // WeChat's own pages; calling it failed would let it be made a second time.
    case 'PROCESSING':
      return { kind: 'processing' }
    case 'ABNORMAL':
      return { kind: 'processing', why: 'ABNORMAL' }
    case 'CLOSED':
      return { kind: 'refused', why: 'CLOSED' }
    default:
      return unknown(`refund status ${String(data.status)}`)
  }
}
