/** Refunds: making one and querying it (spec 3.4, 3.5). */
import { parseQueryRefund, parseRefundOrder, REFUND_ANSWERS, type RefundState } from '@acopay/protocol'
import { type AnswerData, type CallOptions, send } from './client.ts'
import { SignatureError } from './errors.ts'
import { oneOf, present, refuseLocally, textOf, yuan } from './fields.ts'
import type { Settings } from './options.ts'

export type RefundParams = {
  /** The order, by the platform's number or yours; the platform's wins if both are given. */
  transactionNo?: string
  mchTradeNo?: string
  /**
   * Your unique number, 24 to 50 letters, digits, `_` and `-`. Store it before the call: repeat a call with the same
   * number.
   */
  mchRefundNo: string
  /** Yuan with two decimals as text, `"2.50"`, at least `"0.01"`. Never a number. */
  refundAmount: string
  /** At most 32 characters, shown to the payer. */
  refundReason: string
  /** Where notifications of this refund go: HTTPS, no query, at most 256 characters. */
  notifyUrl?: string
}

export type RefundRef = { refundNo: string; mchRefundNo?: string } | { mchRefundNo: string; refundNo?: string }

export type Refund = {
  refundNo: string
  mchRefundNo: string
  transactionNo: string
  mchTradeNo: string
  /** Yuan with two decimals. */
  refundAmount: string
  /** `PROCESSING`: query again. `FAIL`: the payer got no money back; you may refund again under another number. */
  state: RefundState
  /** The state in Chinese. */
  description: string
  refundChannel: string | null
}

export async function askRefund(settings: Settings, params: RefundParams, options: CallOptions): Promise<Refund> {
  const fields = present({
    transaction_no: params.transactionNo,
    mch_trade_no: params.mchTradeNo,
    mch_refund_no: params.mchRefundNo,
    refund_amount: yuan('refundAmount', params.refundAmount),
    refund_reason: params.refundReason,
    notify_url: params.notifyUrl,
  })
  refuseLocally(parseRefundOrder(fields, { loopbackHttp: true }))
  const data = await send(settings, { method: 'POST', path: 'refund', params: fields }, options)
  sameRefund({ mchRefundNo: params.mchRefundNo }, data)
  return readRefund(data)
}

export async function findRefund(
  settings: Settings,
  ref: RefundRef,
  options: CallOptions,
): Promise<Refund & { successTime: Date | null }> {
  const fields = present({ refund_no: ref.refundNo, mch_refund_no: ref.mchRefundNo })
  refuseLocally(parseQueryRefund(fields), 'refund_no')
  const data = await send(settings, { method: 'GET', path: 'refund', params: fields }, options)
  sameRefund(ref, data)
  const successTime = data.success_time ?? null
  return { ...readRefund(data), successTime: successTime === null ? null : new Date(successTime) }
}

const readRefund = (data: AnswerData): Refund => ({
  refundNo: textOf(data, 'refund_no'),
  mchRefundNo: textOf(data, 'mch_refund_no'),
  transactionNo: textOf(data, 'transaction_no'),
  mchTradeNo: textOf(data, 'mch_trade_no'),
  refundAmount: textOf(data, 'refund_amount'),
  state: oneOf(data, 'code', REFUND_ANSWERS),
  description: textOf(data, 'description'),
  refundChannel: data.refund_channel ?? null,
})

/** A signed answer about another refund proves nothing about this one. */
function sameRefund(ref: RefundRef, data: AnswerData): void {
  const isSame = ref.refundNo === undefined ? data.mch_refund_no === ref.mchRefundNo : data.refund_no === ref.refundNo
  if (!isSame) throw new SignatureError('the answer is about another refund')
}
