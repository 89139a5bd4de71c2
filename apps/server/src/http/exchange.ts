/** One request of a merchant and what is known of it so far; the answer and the log line are made from this. */
import type { AnswerData, JsonObject, Refusal } from '@acopay/protocol'
import type { World } from '../world.ts'

export type Caller = {
  mchNo: string
  /** Null where the signature travelled in the body: such parameters may be posted twice. */
  nonce: string | null
  /** Whether the request named an SDK version; older SDKs fail on fields they do not know (spec 1, rule 4). */
  knowsChannelFields: boolean
}

/** An answer, and the order it is about, for the log. */
export type Result = { answer: AnswerData | Refusal; transactionNo?: string }

/** One call of the transactions API: parse, call an action, say it in the wire's words. */
export type Endpoint = {
  method: 'GET' | 'POST'
  path: string
  /** Whether the parameters may carry their signature themselves (spec 3.2). */
  bodySigned: boolean
  handle: (world: World, caller: Caller, params: JsonObject) => Promise<Result>
}
