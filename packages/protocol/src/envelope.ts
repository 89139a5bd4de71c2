/** Renders and signs the envelope of every answer (spec/protocol.md, section 1). */
import { type Envelope, type JsonObject, responseText } from './canonical.ts'
import { ERRORS, type Refusal } from './errors.ts'
import { SIGN_TYPE, type Sign } from './sign.ts'

/** The business result of a processed call; every value is a text or null (spec 1, rule 7). */
export type AnswerData = { [name: string]: string | null }

export type Signer = { mchNo: string; nonce: string; sign: Sign }

/** The body of an answer to an authenticated caller: success and error are both signed (rule 6). */
export async function signedBody(answer: AnswerData | Refusal, signer: Signer): Promise<string> {
  const envelope = envelopeOf(answer)
  envelope.data = { ...envelope.data, mch_no: signer.mchNo, nonce: signer.nonce, sign_type: SIGN_TYPE }
  envelope.data.sign = await signer.sign(responseText(envelope))
  return JSON.stringify(envelope)
}

/** The body of an answer to an unauthenticated caller: unsigned, so that such a caller cannot obtain signatures. */
export const unsignedBody = (refusal: Refusal): string => JSON.stringify(envelopeOf(refusal))

const isRefused = (answer: AnswerData | Refusal): answer is Refusal => 'refused' in answer && 'fieldErrors' in answer

function envelopeOf(answer: AnswerData | Refusal): Envelope {
  if (!isRefused(answer)) return { status: 200, message: 'SUCCESS', fieldErrors: null, data: answer as JsonObject }
  return { status: ERRORS[answer.refused].status, message: answer.refused, fieldErrors: answer.fieldErrors, data: null }
}
