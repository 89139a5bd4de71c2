/** `GET trade` (spec/protocol.md 3.3). */
import { formatYuan } from '@acopay/core'
import { type Answer, isRefusal, parseQueryOrder, STATE_ANSWERS, timeText } from '@acopay/protocol'
import { queryOrder } from '../../actions/order/query-order.ts'
import { absentOrder } from './archived.ts'
import type { Endpoint } from './exchange.ts'

export const queryEndpoint: Endpoint = {
  method: 'GET',
  path: 'trade',
  bodySigned: false,
  async handle(world, { mchNo, knowsChannelFields }, params) {
    const ref = parseQueryOrder(params)
    if (isRefusal(ref)) return { answer: ref }
    const order = await queryOrder(world, { mchNo, ref })
    if (order === null) return { answer: await absentOrder(world, mchNo, ref) }
    const channelFields = { pay_channel: order.payChannel, pay_method: order.payMethod }
    return {
      transactionNo: order.transactionNo,
      answer: {
        app_no: order.appNo,
        mch_trade_no: order.mchTradeNo,
        transaction_no: order.transactionNo,
        code: order.state,
        description: STATE_ANSWERS[order.state],
        extra: order.extra,
        success_time: order.successTime === null ? null : timeText(order.successTime),
        acoid: order.payer,
        amount_total: formatYuan(order.amountFen),
        ...(knowsChannelFields ? channelFields : {}),
      } satisfies Answer<'get trade'>,
    }
  },
}
