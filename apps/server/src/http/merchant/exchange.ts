/** The types of a merchant's call: the caller, the endpoint, and the result. */
import type { AnswerData, JsonObject, Refusal } from '@acopay/protocol'
import type { CloseWay } from '../../metrics/metrics.ts'
import type { World } from '../../world.ts'

export type Caller = {
  mchNo: string
  /** Null where the body carries the signature: a browser may post the same body twice. */
  nonce: string | null
  /** Whether the request named an SDK version; older SDKs fail on fields they do not know (spec 1, rule 4). */
  knowsChannelFields: boolean
}

/** An answer, and for the log the order it is about and the way of a close. */
export type Result = { answer: AnswerData | Refusal; transactionNo?: string; way?: CloseWay }

/** One call of the transactions API: it parses the parameters, calls an action, and answers in the wire's format. */
export type Endpoint = {
  method: 'GET' | 'POST'
  path: string
  /** Whether the body may carry the signature (spec 3.2). */
  bodySigned: boolean
  handle: (world: World, caller: Caller, params: JsonObject) => Promise<Result>
}
