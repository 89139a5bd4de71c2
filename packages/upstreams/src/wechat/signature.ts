/** Signatures and encryption of WeChat Pay API v3, from WeChat Pay's side. */
import { createCipheriv, randomBytes, sign, verify } from 'node:crypto'
import { privateKeyOf, publicKeyOf } from '../keys.ts'
import type { UpstreamRequest } from '../stand-in.ts'
import type { WechatStandInSettings } from './settings.ts'

/** Clocks may differ by this much; an older request is refused. */
const STALE_MS = 5 * 60_000

export type WechatSigner = {
  /** The headers that prove a body to be WeChat Pay's. */
  signatureHeaders: (body: string) => Record<string, string>
  /** Whether the merchant signed this request within the last five minutes. */
  isMerchants: (request: UpstreamRequest) => boolean
}

export function wechatSigner(settings: WechatStandInSettings, now: () => Date): WechatSigner {
  const platformKey = privateKeyOf(settings.platformPrivateKey)
  const merchantKey = publicKeyOf(settings.merchantPublicKey)
  return {
    signatureHeaders(body) {
      const [time, nonce] = [String(Math.floor(now().getTime() / 1000)), randomBytes(16).toString('hex')]
      const text = Buffer.from(`${time}\n${nonce}\n${body}\n`)
      return {
        'wechatpay-serial': settings.platformSerial,
        'wechatpay-timestamp': time,
        'wechatpay-nonce': nonce,
        'wechatpay-signature': sign('RSA-SHA256', text, platformKey).toString('base64'),
      }
    },
    isMerchants({ method, url, headers, body }) {
      const [scheme, rest = ''] = (headers.authorization ?? '').split(/ (.*)/)
      const part = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(rest)?.[1] ?? ''
      const time = part('timestamp')
      const message = `${[method, url, time, part('nonce_str'), body].join('\n')}\n`
      return (
        scheme === 'WECHATPAY2-SHA256-RSA2048' &&
        part('mchid') === settings.mchId &&
        part('serial_no') === settings.merchantSerial &&
        Math.abs(now().getTime() - Number(time) * 1000) <= STALE_MS &&
        verify('RSA-SHA256', Buffer.from(message), merchantKey, Buffer.from(part('signature'), 'base64'))
      )
    },
  }
}

export function seal(apiV3Key: string, associatedData: string, plain: string) {
  const nonce = randomBytes(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce))
  cipher.setAAD(Buffer.from(associatedData))
  const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return {
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: ciphertext.toString('base64'),
    associated_data: associatedData,
    nonce,
  }
}
