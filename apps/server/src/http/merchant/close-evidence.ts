/** `GET close/evidence` [ours]: proves to a payer who claims a charge for a closed order when and how it was closed. */
import {
  type Answer,
  CLOSE_REASON_TEXTS,
  isRefusal,
  type ListedExchange,
  parseQueryOrder,
  refuse,
  STATE_ANSWERS,
  timeText,
} from '@acopay/protocol'
import { type CloseEvidence, closeEvidence } from '../../actions/order/close-evidence.ts'
import { absentOrder } from './archived.ts'
import type { Endpoint } from './exchange.ts'

export const evidenceEndpoint: Endpoint = {
  method: 'GET',
  path: 'close/evidence',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const ref = parseQueryOrder(params)
    if (isRefusal(ref)) return { answer: ref }
    const evidence = await closeEvidence(world, { mchNo, ref })
    if (evidence === null) return { answer: await absentOrder(world, mchNo, ref) }
    if (evidence === 'open') return { answer: refuse('ORDER_STATE_ERROR', '订单未关闭，没有关单凭证') }
    return { transactionNo: evidence.order.transactionNo, answer: evidenceAnswer(evidence) }
  },
}

/** The evidence in the wire's format. */
export const evidenceAnswer = ({ order, fencedAt, closedAt, said }: CloseEvidence): Answer<'get close/evidence'> => ({
  mch_trade_no: order.mchTradeNo,
  transaction_no: order.transactionNo,
  code: 'CLOSED',
  description: STATE_ANSWERS.CLOSED,
  close_reason: order.closeReason === null ? null : CLOSE_REASON_TEXTS[order.closeReason],
  fence_time: timeText(fencedAt),
  close_time: timeText(closedAt),
  upstream_answers: JSON.stringify(said satisfies ListedExchange[]),
  timeline_length: String(order.headSeq),
  timeline_hash: order.headHash.toString('hex'),
})
