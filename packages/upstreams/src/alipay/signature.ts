/** RSA2 from Alipay's side: checks what the merchant's app signed, signs answers and notifications. */
import { sign, verify } from 'node:crypto'
import { privateKeyOf, publicKeyOf } from '../keys.ts'
import type { AlipayStandInSettings } from './settings.ts'

export type AlipaySigner = {
  signText: (text: string) => string
  /** The parameters with `sign_type` and `sign`. */
  signForm: (params: Record<string, string>) => URLSearchParams
  /** Whether the merchant's app signed these parameters. */
  isApps: (params: URLSearchParams) => boolean
}

export function alipaySigner(settings: AlipayStandInSettings): AlipaySigner {
  const ownKey = privateKeyOf(settings.alipayPrivateKey)
  const appKey = publicKeyOf(settings.appPublicKey)
  const signText = (text: string): string => sign('RSA-SHA256', Buffer.from(text, 'utf8'), ownKey).toString('base64')
  return {
    signText,
    signForm: (params) => new URLSearchParams({ ...params, sign_type: 'RSA2', sign: signText(formText(params)) }),
    isApps(params) {
      if (params.get('app_id') !== settings.appId) return false
      const signed = Object.fromEntries([...params].filter(([name]) => name !== 'sign'))
      const signature = Buffer.from(params.get('sign') ?? '', 'base64')
      return verify('RSA-SHA256', Buffer.from(formText(signed)), appKey, signature)
    },
  }
}

/** `a=1&b=2`, sorted by name, without the empty values. */
const formText = (params: Record<string, string>): string =>
  Object.entries(params)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
