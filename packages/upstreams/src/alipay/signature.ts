/** RSA2 from Alipay's side: checks what the merchant's app signed, signs answers and notifications. */
import { sign, verify } from 'node:crypto'
import { privateKeyOf, publicKeyOf } from '../keys.ts'
import { type Signing, signingOf } from './certificates.ts'
import { encodeGbk } from './gbk.ts'
import type { AlipayStandInSettings } from './settings.ts'

export type AlipaySigner = {
  /** What the certificate is called that verifies what is signed now; null in key mode. */
  serial: () => string | null
  /** The file of the certificate that is called so; null when Alipay has none. */
  fileOf: (serial: unknown) => string | null
  signBytes: (bytes: Buffer) => string
  /** The form of these parameters, with `sign_type` and `sign`, in the charset that they name. */
  signForm: (params: Record<string, string>) => string
  /** Whether the merchant's app signed these parameters. */
  isApps: (params: URLSearchParams) => boolean
}

export function alipaySigner(settings: AlipayStandInSettings, now: () => Date): AlipaySigner {
  const ownKey = privateKeyOf(settings.alipayPrivateKey)
  const appKey = publicKeyOf(settings.appPublicKey)
  const signings = settings.certificates === undefined ? [] : signingOf(settings.certificates, settings)
  const current = (): Signing | undefined => signings.findLast(({ from }) => from <= now().getTime())
  const signBytes = (bytes: Buffer): string => sign('RSA-SHA256', bytes, current()?.key ?? ownKey).toString('base64')
  return {
    serial: () => current()?.serial ?? null,
    fileOf: (serial) => signings.find((one) => one.serial === serial)?.file ?? null,
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
