/** `POST close` (spec/protocol.md 3.1). */
import { type Answer, CLOSE_ANSWERS, isRefusal, parseCloseOrder, refuse } from '@acopay/protocol'
import { closeOrder } from '../../actions/order/close-order.ts'
import type { Endpoint } from './exchange.ts'

export const closeEndpoint: Endpoint = {
  method: 'POST',
  path: 'close',
  bodySigned: false,
  async handle(world, { mchNo, nonce }, params) {
    const ref = parseCloseOrder(params)
    if (isRefusal(ref)) return { answer: ref }
    if (nonce === null) return { answer: refuse('SIGN_ERROR') }
    const closed = await closeOrder(world, { mchNo, ref, by: 'MERCHANT', nonce })
    if (closed.kind === 'absent') return { answer: refuse('ORDER_NOT_EXIST') }
    if (closed.kind === 'nonce_used') return { answer: refuse('NONCE_REPEAT') }
    const { mchTradeNo: mch_trade_no, transactionNo } = closed.order
    const said = CLOSE_ANSWERS[closed.outcome]
    return {
      transactionNo,
      way: closed.outcome === 'closing' ? 'processing' : closed.way,
      answer: { mch_trade_no, transaction_no: transactionNo, ...said } satisfies Answer<'post close'>,
    }
  },
}
