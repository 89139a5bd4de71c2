/** The merchant's calls as the gateway saw them [ours]: for a developer whose signature does not verify, for example. */
import { type ListedCall, parseListCalls } from '@acopay/protocol'
import { type CallOptions, send } from './client.ts'
import { explainDigest } from './explain.ts'
import { present, refuseLocally, textOf } from './fields.ts'
import type { Settings } from './options.ts'
import type { Finding } from './slips.ts'

export type CallFilter = {
  /** Method and path, such as `POST close`. */
  call?: string
  /** The status of the answer, such as 1002. */
  status?: number
  /** The number of an order or a refund, the platform's or yours. */
  number?: string
  /** Only calls from then on. */
  from?: Date
  /** The `next` of the previous page. */
  before?: string
}

/**
 * One call. `ms`: until the answer was sent. `leftOut`: so many before it were not kept, because there were too many at once. A
 * call whose `signature` is not `VERIFIED` only names you: it may be a stranger's.
 */
export type LoggedCall = {
  time: Date
  requestId: string
  call: string
  address: string
  transactionNo: string | null
  mchTradeNo: string | null
  refundNo: string | null
  mchRefundNo: string | null
  status: number
  message: string
  fieldErrors: string | null
  code: string | null
  ms: number
  signature: ListedCall['signature']
  /** The key that verified it, or that made a signature of another text: the start of the SHA-256 of its DER. */
  keyId: string | null
  /** The text that the gateway built, and verified the signature against; its first 2048 characters. */
  signedText: string | null
  /** Why a signature of another text does not verify; null for other calls. */
  finding: Finding | null
  leftOut: number
}

/** At most 50, the newest first. `next` is the `before` of the next page; null on the last page. */
export type CallPage = { calls: LoggedCall[]; next: string | null }

export async function listCalls(settings: Settings, filter: CallFilter, options: CallOptions): Promise<CallPage> {
  const { call, status, number, from, before } = filter
  const params = present({
    call,
    status: status === undefined ? undefined : String(status),
    number,
    from: from === undefined ? undefined : from.toISOString(),
    before,
  })
  refuseLocally(parseListCalls(params))
  const data = await send(settings, { method: 'GET', path: 'calls', params }, options)
  const listed = JSON.parse(textOf(data, 'calls')) as ListedCall[]
  return { calls: listed.map(callOf), next: data.next ?? null }
}

const callOf = (one: ListedCall): LoggedCall => ({
  time: new Date(one.time),
  requestId: one.request_id,
  call: one.call,
  address: one.address,
  transactionNo: one.transaction_no,
  mchTradeNo: one.mch_trade_no,
  refundNo: one.refund_no,
  mchRefundNo: one.mch_refund_no,
  status: one.status,
  message: one.message,
  fieldErrors: one.field_errors,
  code: one.code,
  ms: one.ms,
  signature: one.signature,
  keyId: one.key_id,
  signedText: one.signed_text,
  finding:
    one.signed_text === null || one.signed_digest === null
      ? null
      : explainDigest(one.signed_text, one.signed_digest, one.sent),
  leftOut: one.left_out,
})
