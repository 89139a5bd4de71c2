/** `POST refund` (spec/protocol.md 3.4). */
import { formatYuan, parseYuan, type RefundRefusal } from '@acopay/core'
import { type Answer, isRefusal, parseRefundOrder, REFUND_ANSWERS, refuse } from '@acopay/protocol'
import type { Refused } from '../../actions/order/events.ts'
import { refundOrder } from '../../actions/refund/refund-order.ts'
import { absentOrder } from './archived.ts'
import type { Endpoint } from './exchange.ts'
import { notifyUrlRefusal } from './notify-url.ts'

const isLimit = (why: Refused): why is RefundRefusal => why.startsWith('REFUND_')

/** When the order's table refuses a refund, the wire's answer is that the order is not paid. */
export const refundRefused = (why: Refused): RefundRefusal | 'ORDER_NOT_PAID' => (isLimit(why) ? why : 'ORDER_NOT_PAID')

export const refundEndpoint: Endpoint = {
  method: 'POST',
  path: 'refund',
  bodySigned: false,
  async handle(world, { mchNo, nonce, knowsChannelFields }, params) {
    const asked = parseRefundOrder(params, { loopbackHttp: world.isSandbox })
    if (isRefusal(asked)) return { answer: asked }
    const refusedUrl = notifyUrlRefusal(world, asked.notifyUrl)
    if (refusedUrl !== null) return { answer: refusedUrl }
    if (nonce === null) return { answer: refuse('SIGN_ERROR') }
    const amountFen = parseYuan(asked.refundAmount)
    if (amountFen === null) {
      return { answer: refuse('PARAM_ERROR', 'refund_amount 应为两位小数的元,如"12.50",至少0.01') }
    }
    const { ref, mchRefundNo, refundReason: reason, notifyUrl } = asked
    const refunded = await refundOrder(world, { mchNo, nonce, ref, mchRefundNo, amountFen, reason, notifyUrl })
    switch (refunded.kind) {
      case 'absent':
        return { answer: await absentOrder(world, mchNo, ref) }
      case 'nonce_used':
        return { answer: refuse('NONCE_REPEAT') }
      case 'refused':
        return { answer: refuse(refundRefused(refunded.why)) }
      case 'differs':
        return { answer: refuse('MCH_REFUND_NO_REPEAT', `${refunded.field} 与首次退款时不同`) }
      case 'refund': {
        const { refund } = refunded
        return {
          transactionNo: refund.transactionNo,
          answer: {
            app_no: refund.appNo,
            mch_refund_no: refund.mchRefundNo,
            refund_no: refund.refundNo,
            transaction_no: refund.transactionNo,
            mch_trade_no: refund.mchTradeNo,
            refund_amount: formatYuan(refund.amountFen),
            code: refund.state,
            description: REFUND_ANSWERS[refund.state],
            ...(knowsChannelFields ? { refund_channel: refund.channel } : {}),
          } satisfies Answer<'post refund'>,
        }
      }
    }
  },
}
