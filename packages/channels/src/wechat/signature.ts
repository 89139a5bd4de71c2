/** Signatures of WeChat Pay API v3 (pay.weixin.qq.com, "如何构造接口请求签名", "如何验证签名"). */
import { type KeyObject, verify } from 'node:crypto'
import type { SignBytes } from '../signing.ts'
import type { WechatAccount } from './account.ts'

/** The values of WeChat Pay's `wechatpay-…` headers. */
export type SignedHeaders = { serial: string; timestamp: string; nonce: string; signature: string }

export const signedHeaders = (read: (name: string) => string | null | undefined): SignedHeaders => ({
  serial: read('wechatpay-serial') ?? '',
  timestamp: read('wechatpay-timestamp') ?? '',
  nonce: read('wechatpay-nonce') ?? '',
  signature: read('wechatpay-signature') ?? '',
})

/** Strict: Node decodes several Base64 texts to the same bytes; only the canonical one is accepted. */
export function isSignedBy(key: KeyObject, { timestamp, nonce, signature }: SignedHeaders, body: Buffer): boolean {
  const bytes = Buffer.from(signature, 'base64')
  const isExact = bytes.toString('base64') === signature
  const signed = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')])
  return isExact && verify('RSA-SHA256', signed, key, bytes)
}

/** `SHA256-RSA2048` of these lines, each with a line feed at its end. */
export const signLines = async (lines: string[], privateKey: KeyObject, sign: SignBytes): Promise<string> =>
  (await sign(Buffer.from(`${lines.join('\n')}\n`, 'utf8'), privateKey)).toString('base64')

/** `path` with its query; `timestamp` in seconds; `body` is empty for a GET. */
export type RequestParts = { method: string; path: string; timestamp: string; nonce: string; body: string }

/** The value of the `authorization` header. `signed`: `signLines` with the merchant's key. */
export async function authorization(
  { mchId, serialNo }: WechatAccount,
  { method, path, timestamp, nonce, body }: RequestParts,
  signed: (lines: string[]) => Promise<string>,
): Promise<string> {
  const signature = await signed([method, path, timestamp, nonce, body])
  const fields = { mchid: mchId, nonce_str: nonce, timestamp, serial_no: serialNo, signature }
  const text = Object.entries(fields).map(([name, value]) => `${name}="${value}"`)
  return `WECHATPAY2-SHA256-RSA2048 ${text.join(',')}`
}
