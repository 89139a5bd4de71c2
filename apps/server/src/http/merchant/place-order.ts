/** `POST trade` (spec/protocol.md 3.2): signed in the headers, or in the body where the payer's page posts the parameters. */
import { parseYuan } from '@acopay/core'
import { type Answer, isRefusal, PLACED_ANSWER, parsePlaceOrder, refuse, timeText } from '@acopay/protocol'
import { placeOrder } from '../../actions/order/place-order.ts'
import type { World } from '../../world.ts'
import type { Endpoint } from './exchange.ts'
import { notifyUrlRefusal } from './notify-url.ts'

export const placeEndpoint: Endpoint = {
  method: 'POST',
  path: 'trade',
  bodySigned: true,
  async handle(world, { mchNo, nonce }, params) {
    const asked = parsePlaceOrder(params, { loopbackHttp: world.isSandbox })
    if (isRefusal(asked)) return { answer: asked }
    const refusedUrl = notifyUrlRefusal(world, asked.notifyUrl)
    if (refusedUrl !== null) return { answer: refusedUrl }
    const amountFen = parseYuan(asked.amountTotal)
    if (amountFen === null) {
      return { answer: refuse('PARAM_ERROR', 'amount_total 应为两位小数的元,如"12.50",0.01至999999.99') }
    }
    const { appNo, mchTradeNo, description, timeExpire: askedExpire, extra, notifyUrl } = asked
    const wishes = { appNo, mchTradeNo, description, askedExpire, extra, notifyUrl }
    const placed = await placeOrder(world, { mchNo, nonce, amountFen, ...wishes })
    switch (placed.kind) {
      case 'app_absent':
        return { answer: refuse('APP_NOT_EXIST') }
      case 'app_disabled':
        return { answer: refuse('APP_DISABLED') }
      case 'nonce_used':
        return { answer: refuse('NONCE_REPEAT') }
      case 'expiry_out_of_range':
        return { answer: refuse('PARAM_ERROR', `time_expire 应在1分钟之后、7天之内${sandboxTime(world)}`) }
      case 'archived':
        return { answer: refuse('MCH_TRADE_NO_REPEAT', `mch_trade_no 已用于归档的订单(${placed.month})`) }
      case 'differs':
        return { answer: refuse('MCH_TRADE_NO_REPEAT', `${placed.field} 与首次下单时不同`) }
      case 'placed': {
        const { transactionNo } = placed.order
        return {
          transactionNo,
          answer: {
            app_no: placed.order.appNo,
            mch_trade_no: placed.order.mchTradeNo,
            transaction_no: transactionNo,
            ...PLACED_ANSWER,
            cashier_url: world.cashierUrl(mchNo, transactionNo),
          } satisfies Answer<'post trade'>,
        }
      }
    }
  },
}

/** A sandbox whose clock was moved ahead has another time than its caller: to the minute, since the text must be short. */
const sandboxTime = (world: World): string =>
  world.aheadMs() === 0 ? '' : `；沙箱时间${timeText(world.now()).slice(0, 16)}`
