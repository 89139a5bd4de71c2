/** RSA2 from Alipay's side: checks what the merchant's app signed, signs answers and notifications. */
import { sign, verify } from 'node:crypto'
import { privateKeyOf, publicKeyOf } from '../keys.ts'
import { encodeGbk } from './gbk.ts'
import type { AlipayStandInSettings } from './settings.ts'

export type AlipaySigner = {
  signBytes: (bytes: Buffer) => string
  /** The form of these parameters, with `sign_type` and `sign`, in the charset that they name. */
  signForm: (params: Record<string, string>) => string
  /** Whether the merchant's app signed these parameters. */
  isApps: (params: URLSearchParams) => boolean
}

export function alipaySigner(settings: AlipayStandInSettings): AlipaySigner {
  const ownKey = privateKeyOf(settings.alipayPrivateKey)
  const appKey = publicKeyOf(settings.appPublicKey)
  const signBytes = (bytes: Buffer): string => sign('RSA-SHA256', bytes, ownKey).toString('base64')
  return {
    signBytes,
    signForm(params) {
      const encode = params.charset === 'GBK' ? encodeGbk : (text: string) => Buffer.from(text, 'utf8')
      const all = { ...params, sign_type: 'RSA2', sign: signBytes(encode(formText(params))) }
      return Object.entries(all)
        .map(([name, value]) => `${name}=${percent(encode(value))}`)
        .join('&')
    },
    isApps(params) {
      if (params.get('app_id') !== settings.appId) return false
      const signed = Object.fromEntries([...params].filter(([name]) => name !== 'sign'))
      const signature = Buffer.from(params.get('sign') ?? '', 'base64')
      return verify('RSA-SHA256', Buffer.from(formText(signed)), appKey, signature)
    },
  }
}

const percent = (bytes: Buffer): string =>
  [...bytes]
    .map((byte) =>
      /[\w.-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('')

/** `a=1&b=2`, sorted by name, without the empty values. */
const formText = (params: Record<string, string>): string =>
  Object.entries(params)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
