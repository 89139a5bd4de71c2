/**
 * Identifies a payer inside Alipay without a question: scope `auth_base` ("网页授权", opendocs.alipay.com 284/web), then
 * `alipay.system.oauth.token`.
 */
import { orUnknown, type PayerSignIn, type SignInAnswer } from '../contract.ts'
import { undefinedAnswer } from './answer.ts'
import type { AlipayContext } from './client.ts'

const AUTHORIZE_URL = 'https://openauth.alipay.com/oauth2/publicAppAuthorize.htm'

/** The code is used, ended or another app's: "授权码code无效". */
const REFUSED = new Set(['isv.code-invalid', 'isv.code-is-not-exist'])

/** Null where the account has no product for payments inside Alipay. */
export function alipaySignIn(alipay: AlipayContext): PayerSignIn | null {
  const { appId, jsapiProductCode = '', authorizeUrl = AUTHORIZE_URL } = alipay.account
  if (jsapiProductCode === '') return null
  return {
    codeName: 'auth_code',
    address: ({ returnUrl, state }) =>
      `${authorizeUrl}?${new URLSearchParams({ app_id: appId, scope: 'auth_base', redirect_uri: returnUrl, state })}`,
    payerOf: (code, signal) => orUnknown(signal, () => payerAt(alipay, code, signal)),
  }
}

/** A success has no `code`. Apps of before 2023 hear of the payer's number, newer ones of an id for themselves. */
async function payerAt({ client }: AlipayContext, code: string, signal: AbortSignal): Promise<SignInAnswer> {
  const ask = { grant_type: 'authorization_code', code }
  const answer = await client.call('alipay.system.oauth.token', null, signal, ask)
  const { user_id: userId, open_id: openId } = answer.data
  const payer = [userId, openId].find((id) => typeof id === 'string' && id !== '')
  if (answer.code === '' && typeof payer === 'string') return { kind: 'payer', openId: payer }
  return REFUSED.has(answer.subCode) ? { kind: 'refused', why: answer.subCode } : undefinedAnswer(answer)
}
