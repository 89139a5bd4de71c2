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

/** An order as the merchant's server signs it for a page. `mch_trade_no` is yours, 24 to 50 characters, and never used again. */
export type PayParams = {
  app_no: string
  mch_trade_no: string
  description: string
  /** Yuan with two decimals, as text: the official web SDK's own type says number, the platform signs text. */
  amount_total: string
  time_expire?: string
  extra?: string
  notify_url?: string
}

/**
 * What a page gives to `edger.payment.pay(params)` of the official web SDK: the order with its signature inside
 * (spec/protocol.md 3.2). Sign on your server; the private key never goes to a page. Throws TypeError for a key that is none.
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
