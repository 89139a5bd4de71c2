/** Signing by hand, to compare with what another program signs. */
import { type JsonObject, privateKeyFrom, requestText, SIGN_TYPE, signText } from '@acopay/protocol'
import { newNonce } from './client.ts'

export type SignedRequest = {
  /** The exact text that was signed, as UTF-8. */
  canonicalText: string
  /** The four headers that go with the request. */
  headers: Record<'x-acopay-mch-no' | 'x-acopay-nonce' | 'x-acopay-sign-type' | 'x-acopay-sign', string>
}

/** Signs a request's parameters for the headers. Throws TypeError for a key that is none. */
export async function signRequest(
  params: JsonObject,
  by: { mchNo: string; mchPrivateKey: string; nonce?: string },
): Promise<SignedRequest> {
  const nonce = by.nonce ?? newNonce()
  const canonicalText = requestText(params, { mchNo: by.mchNo, nonce, signType: SIGN_TYPE })
  const sign = await signText(canonicalText, privateKeyFrom(by.mchPrivateKey))
  return {
    canonicalText,
    headers: {
      'x-acopay-mch-no': by.mchNo,
      'x-acopay-nonce': nonce,
      'x-acopay-sign-type': SIGN_TYPE,
      'x-acopay-sign': sign,
    },
  }
}
