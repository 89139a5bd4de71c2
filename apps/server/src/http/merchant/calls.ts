/** `GET calls` [ours]: a merchant reads its last calls as the gateway saw them. */
import { type Answer, DONE_ANSWER, isRefusal, type ListedCall, parseListCalls } from '@acopay/protocol'
import { type LoggedCall, listCalls } from '@acopay/store/read'
import type { Endpoint } from './exchange.ts'

const PAGE = 50

export const callsEndpoint: Endpoint = {
  method: 'GET',
  path: 'calls',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const asked = parseListCalls(params)
    if (isRefusal(asked)) return { answer: asked }
    // One row more than a page shows whether there is a next page.
    const found = await listCalls(world.pool, mchNo, asked, PAGE + 1)
    const page = found.slice(0, PAGE)
    const last = found.length > PAGE ? page.at(-1) : undefined
    const next = last === undefined ? null : `${last.at.getTime()}.${last.requestId}`
    return { answer: { ...DONE_ANSWER, calls: JSON.stringify(page.map(listed)), next } satisfies Answer<'get calls'> }
  },
}

const listed = (one: LoggedCall): ListedCall => ({
  // With milliseconds, by which calls are told apart and put in order.
  time: one.at.toISOString(),
  request_id: one.requestId,
  call: one.call,
  address: one.address,
  transaction_no: one.transactionNo,
  mch_trade_no: one.mchTradeNo,
  refund_no: one.refundNo,
  mch_refund_no: one.mchRefundNo,
  status: one.status,
  message: one.message,
  field_errors: one.fieldErrors,
  code: one.code,
  ms: one.ms,
  signature: one.signature,
  key_id: one.keyId,
  signed_text: one.signedText,
  sent: one.sent,
  signed_digest: one.signedDigest,
  left_out: one.leftOut,
})
