/**
 * Who a payer inside WeChat is to the merchant's official account (developers.weixin.qq.com, "网页授权"): silently, with
 * scope `snsapi_base`. The account's secret goes into the address of the second step, as the manual has it, and nowhere else:
 * what fails there is told without it.
 */
import { orUnknown, type PayerSignIn, type SignInAnswer, unknown } from '../contract.ts'
import type { WechatAccount } from './account.ts'
import type { WechatDoor } from './client.ts'

const AUTHORIZE_URL = 'https://open.weixin.qq.com/connect/oauth2/authorize'
const TOKEN_URL = 'https://api.weixin.qq.com/sns/oauth2/access_token'

/** -1: busy. Everything else that comes with a code of its own is said of the request and stays true. */
const BUSY = -1

export function wechatSignIn(account: WechatAccount, { fetch }: WechatDoor): PayerSignIn | null {
  const { appId, appSecret } = account
  if (appSecret === undefined || appSecret === '') return null
  return {
    // In this order, and with this ending: WeChat compares the whole address with a pattern.
    address: ({ returnUrl, state }) => {
      const ask = { appid: appId, redirect_uri: returnUrl, response_type: 'code', scope: 'snsapi_base', state }
      return `${account.authorizeUrl ?? AUTHORIZE_URL}?${new URLSearchParams(ask)}#wechat_redirect`
    },
    payerOf: (code, signal) =>
      orUnknown(signal, async (): Promise<SignInAnswer> => {
        const ask = { appid: appId, secret: appSecret, code, grant_type: 'authorization_code' }
        const url = `${account.tokenUrl ?? TOKEN_URL}?${new URLSearchParams(ask)}`
        const response = await fetch(url, { redirect: 'error', signal }).catch(() => null)
        if (response?.status !== 200) return unknown(response === null ? 'no answer' : `HTTP ${response.status}`)
        const { openid, errcode } = (await response.json()) as { openid?: unknown; errcode?: unknown }
        if (typeof openid === 'string' && openid !== '') return { kind: 'payer', openId: openid }
        return typeof errcode === 'number' && errcode !== BUSY
          ? { kind: 'refused', why: `errcode ${errcode}` }
          : unknown(`errcode ${String(errcode)}`)
      }),
  }
}
