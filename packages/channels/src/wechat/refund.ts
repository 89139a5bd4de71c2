/** Refunds: making one and asking for its state. */
import {
  type RefundAnswer,
  type RefundAsk,
  type RefundQueryAnswer,
  type RefundRef,
  type RefundUnderWay,
  type Unknown,
  unknown,
} from '../contract.ts'
import { traced, undefinedAnswer } from './answer.ts'
import type { WechatAnswer, WechatContext } from './client.ts'
import { withQuery } from './party.ts'
import { amountOf } from './transaction.ts'

const PATH = '/v3/refund/domestic/refunds'

/** Errors after which WeChat Pay surely did not refund, and would not if the request were repeated. */
const REFUSED = new Set([
  'NOT_ENOUGH',
  'INVALID_REQUEST',
  'PARAM_ERROR',
  'NO_AUTH',
  'USER_ACCOUNT_ABNORMAL',
  'MCH_NOT_EXISTS',
  'RESOURCE_NOT_EXISTS',
  'REQUEST_BLOCKED',
])

/** "退款原因", string(80), which are bytes of UTF-8: three to a Chinese character. */
const REASON_BYTES_MAX = 80

/** The text up to so many bytes, cut at a whole character. */
function withinBytes(text: string, max: number): string {
  let kept = ''
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > max) break
    kept += character
  }
  return kept
}

/** "退款申请": repeating an `out_refund_no` does not refund twice. */
export async function refund(
  { party, client }: WechatContext,
  ask: RefundAsk,
  signal: AbortSignal,
): Promise<RefundAnswer> {
  const body = {
    ...party.subMerchant,
    // "transaction_id/out_trade_no 二选一": the payment's number, not the attempt's. An attempt may have been paid
    // twice, and one of the payments is kept.
    transaction_id: ask.paymentNo,
    out_refund_no: ask.refundNo,
    reason: withinBytes(ask.reason, REASON_BYTES_MAX),
    notify_url: ask.notifyUrl,
    amount: { refund: Number(ask.amountFen), total: Number(ask.totalFen), currency: 'CNY' },
  }
  const answer = await client.call('POST', PATH, body, signal)
  if (answer.status === 200) {
    // The state of another refund than the one that was asked for says nothing about this one.
    const isAsked = isAbout(answer, ask) && refundedFen(answer) === ask.amountFen
    return isAsked ? traced(answer, stateOf(answer)) : undefinedAnswer(answer)
  }
  if (REFUSED.has(answer.code)) return traced(answer, { kind: 'refused', why: answer.code })
  return undefinedAnswer(answer)
}

/** "查询单笔退款". */
export async function queryRefund(
  { party, client }: WechatContext,
  ref: RefundRef,
  signal: AbortSignal,
): Promise<RefundQueryAnswer> {
  const path = withQuery(`${PATH}/${encodeURIComponent(ref.refundNo)}`, party.subMerchant)
  const answer = await client.call('GET', path, null, signal)
  if (answer.code === 'RESOURCE_NOT_EXISTS') return traced(answer, { kind: 'absent' })
  const amountFen = refundedFen(answer)
  if (answer.status !== 200 || !isAbout(answer, ref) || amountFen === null) return undefinedAnswer(answer)
  const state = stateOf(answer)
  if (state.kind === 'refused') return traced(answer, { kind: 'failed', why: state.why })
  return traced(answer, state.kind === 'done' ? { kind: 'done', amountFen } : state)
}

const isAbout = ({ data }: WechatAnswer, { refundNo, paymentNo }: RefundRef): boolean =>
  data.out_refund_no === refundNo && data.transaction_id === paymentNo

/** What was asked to be sent back; the payer may get less of it in money, and the rest as the coupon that was used. */
const refundedFen = ({ data }: WechatAnswer): bigint | null =>
  amountOf(((data.amount ?? {}) as { refund?: unknown }).refund)

type RefundState = { kind: 'done' } | RefundUnderWay | { kind: 'refused'; why: string } | Unknown

function stateOf({ data }: WechatAnswer): RefundState {
  switch (data.status) {
    case 'SUCCESS':
      return { kind: 'done' }
    case 'PROCESSING':
      return { kind: 'processing' }
    // The payer's card accepts no money. The refund stays open until the merchant completes it in WeChat Pay's own
    // pages; if the gateway called it failed, the merchant could refund a second time.
    case 'ABNORMAL':
      return { kind: 'processing', why: 'ABNORMAL' }
    case 'CLOSED':
      return { kind: 'refused', why: 'CLOSED' }
    default:
      return unknown(`refund status ${String(data.status)}`)
  }
}
