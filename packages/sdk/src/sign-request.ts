/** Signs a request without sending it, to compare with the signature of another program. */
import { type JsonObject, privateKeyFrom, requestText, SIGN_TYPE, signText } from '@acopay/protocol'
import { newNonce } from './client.ts'

export type SignedRequest = {
  /** The exact text that was signed, as UTF-8. */
  canonicalText: string
  /** The four headers that go with the request. */
  headers: Record<'x-acopay-mch-no' | 'x-acopay-nonce' | 'x-acopay-sign-type' | 'x-acopay-sign', string>
}

/** Signs a request's parameters for the headers. Throws TypeError when the key is not a private key. */
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

/** An order that the merchant's server signs for a page. `mch_trade_no`: your unique number, 24 to 50 characters. */
export type PayParams = {
  app_no: string
  mch_trade_no: string
  description: string
  /** Yuan with two decimals, as text. The type of the official web SDK says number, but the platform signs text. */
  amount_total: string
  time_expire?: string
  extra?: string
  notify_url?: string
}

/**
 * The parameters for `edger.payment.pay(params)` of the official web SDK: the order and its signature (spec/protocol.md
 * 3.2). Sign on your server; the private key must never be on a page. Throws TypeError when the key is not a private
 * key.
 */
export async function signPayParams(
  order: PayParams,
  by: { mchNo: string; mchPrivateKey: string; nonce?: string },
): Promise<Record<string, string>> {
  const params = { ...order, amount_currency: 'CNY' }
  const { headers } = await signRequest(params, by)
  return {
    ...params,
    mch_no: by.mchNo,
    nonce: headers['x-acopay-nonce'],
    sign_type: headers['x-acopay-sign-type'],
    sign: headers['x-acopay-sign'],
  }
}
