/**
 * Identifies a payer inside WeChat to the merchant's official account (developers.weixin.qq.com, "网页授权"), without a
 * question to the payer: scope `snsapi_base`. As the manual requires, the second step's address contains the account's
 * secret; errors of that step are reported without the address.
 */
import { orUnknown, type PayerSignIn, type SignInAnswer, unknown } from '../contract.ts'
import type { WechatAccount } from './account.ts'
import type { WechatDoor } from './client.ts'

const AUTHORIZE_URL = 'https://open.weixin.qq.com/connect/oauth2/authorize'
const TOKEN_URL = 'https://api.weixin.qq.com/sns/oauth2/access_token'
const MINI_TOKEN_URL = 'https://api.weixin.qq.com/sns/jscode2session'

/** WeChat is busy. Every other error code is about the request, and repeating the request does not change it. */
const BUSY = -1

export function wechatSignIn(account: WechatAccount, { fetch }: WechatDoor): PayerSignIn | null {
  const { appId, appSecret } = account
  if (appSecret === undefined || appSecret === '') return null
  return {
    // WeChat compares the whole address with a pattern: the order of the parameters and the ending are fixed.
    address: ({ returnUrl, state }) => {
      const ask = { appid: appId, redirect_uri: returnUrl, response_type: 'code', scope: 'snsapi_base', state }
      return `${account.authorizeUrl ?? AUTHORIZE_URL}?${new URLSearchParams(ask)}#wechat_redirect`
    },
    payerOf: (code, signal) => orUnknown(signal, () => payerAt(tokenUrl(account, appSecret, code), fetch, signal)),
  }
}

function tokenUrl({ appId, tokenUrl }: WechatAccount, secret: string, code: string): string {
  const ask = { appid: appId, secret, code, grant_type: 'authorization_code' }
  return `${tokenUrl ?? TOKEN_URL}?${new URLSearchParams(ask)}`
}

/**
 * "小程序登录" (`code2Session`): the code of `wx.login` belongs to one payer, for this mini-program. Empty without its secret.
 */
export function wechatMiniSignIn(
  { appId, miniAppSecret: secret = '', miniTokenUrl = MINI_TOKEN_URL }: WechatAccount,
  { fetch }: WechatDoor,
): { miniSignIn?: Pick<PayerSignIn, 'payerOf'> } {
  if (secret === '') return {}
  const urlOf = (code: string): string =>
    `${miniTokenUrl}?${new URLSearchParams({ appid: appId, secret, js_code: code, grant_type: 'authorization_code' })}`
  return { miniSignIn: { payerOf: (code, signal) => orUnknown(signal, () => payerAt(urlOf(code), fetch, signal)) } }
}

async function payerAt(url: string, fetch: WechatDoor['fetch'], signal: AbortSignal): Promise<SignInAnswer> {
  // An error of fetch may name the address, and with it the secret: it is dropped.
  const response = await fetch(url, { redirect: 'error', signal }).catch(() => null)
  if (response === null) return unknown('no answer')
  if (response.status !== 200) return unknown(`HTTP ${response.status}`)
  const { openid, errcode } = (await response.json()) as { openid?: unknown; errcode?: unknown }
  if (typeof openid === 'string' && openid !== '') return { kind: 'payer', openId: openid }
  const isRefused = typeof errcode === 'number' && errcode !== BUSY
  return isRefused ? { kind: 'refused', why: `errcode ${errcode}` } : unknown(`errcode ${String(errcode)}`)
}
