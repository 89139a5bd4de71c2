/** `GET refund` (spec/protocol.md 3.5). */
import { formatYuan } from '@acopay/core'
import { type Answer, isRefusal, parseQueryRefund, REFUND_ANSWERS, timeText } from '@acopay/protocol'
import { findRefund } from '@acopay/store/read'
import { absentRefund } from './archived.ts'
import type { Endpoint } from './exchange.ts'

export const queryRefundEndpoint: Endpoint = {
  method: 'GET',
  path: 'refund',
  bodySigned: false,
  async handle(world, { mchNo, knowsChannelFields }, params) {
    const ref = parseQueryRefund(params)
    if (isRefusal(ref)) return { answer: ref }
    const refund = await findRefund(world.pool, mchNo, ref)
    if (refund === null) return { answer: await absentRefund(world, mchNo, ref) }
    return {
      transactionNo: refund.transactionNo,
      answer: {
        mch_trade_no: refund.mchTradeNo,
        mch_refund_no: refund.mchRefundNo,
        transaction_no: refund.transactionNo,
        refund_no: refund.refundNo,
        refund_amount: formatYuan(refund.amountFen),
        code: refund.state,
        description: REFUND_ANSWERS[refund.state],
        refund_reason: refund.reason,
        success_time: refund.successTime === null ? null : timeText(refund.successTime),
        ...(knowsChannelFields ? { refund_channel: refund.channel } : {}),
      } satisfies Answer<'get refund'>,
    }
  },
}
