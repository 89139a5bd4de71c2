/**
 * One exchange with WeChat Pay API v3: signed by us, and believed only when signed by them (pay.weixin.qq.com,
 * "如何构造接口请求签名", "如何验证签名").
 */
import { type KeyObject, sign, verify, X509Certificate } from 'node:crypto'
import { privateKeyOf, publicKeyOf } from '../keys.ts'
import type { WechatAccount } from './account.ts'
import { openSealed, type Sealed } from './sealed.ts'

export type WechatDoor = { fetch: typeof fetch; now: () => Date; newNonce: () => string }

/** An answer that WeChat Pay signed. `code` is the word of an error. */
export type WechatAnswer = {
  status: number
  data: Record<string, unknown>
  code: string
  requestId: string | undefined
}

export type SignedHeaders = { serial: string; timestamp: string; nonce: string; signature: string }

export type WechatClient = {
  /** Throws whatever stands in the way of a proven answer. */
  call: (method: 'GET' | 'POST', path: string, body: object | null, signal: AbortSignal) => Promise<WechatAnswer>
  /** A file at an address that WeChat Pay gave us; the answer is not signed, its hash is. */
  download: (url: string, signal: AbortSignal) => Promise<Buffer>
  /** Whether WeChat Pay signed this text, and lately. */
  isTheirs: (headers: SignedHeaders, text: string, signal?: AbortSignal) => Promise<boolean>
  /** `SHA256-RSA2048` of these lines with the merchant's key. */
  signLines: (lines: string[]) => string
}

/** Clocks may differ by this much; older than that may be a repeat. */
const STALE_MS = 5 * 60_000
const CERTIFICATES_PAUSE_MS = 60_000
/** Fetching them serves all who wait: it does not end with the one who began. Soon again where it failed. */
const CERTIFICATES_CALL_MS = 5_000
const CERTIFICATES_AGAIN_MS = 2_000
const USER_AGENT = 'acopay-gateway'

export function wechatClient(account: WechatAccount, door: WechatDoor): WechatClient {
  const privateKey = privateKeyOf(account.mchPrivateKey)
  const platformKeys = new Map<string, KeyObject>(
    account.platformKeys.map(({ id, publicKey }) => [id, publicKeyOf(publicKey)]),
  )
  let certificatesAgainMs = Number.NEGATIVE_INFINITY
  let certificates: Promise<void> | null = null

  const signLines = (lines: string[]): string =>
    sign('RSA-SHA256', Buffer.from(`${lines.join('\n')}\n`, 'utf8'), privateKey).toString('base64')

  function authorization(method: string, path: string, body: string): string {
    const timestamp = String(Math.floor(door.now().getTime() / 1000))
    const nonce = door.newNonce()
    const signature = signLines([method, path, timestamp, nonce, body])
    const parts = { mchid: account.mchId, nonce_str: nonce, timestamp, serial_no: account.serialNo, signature }
    const text = Object.entries(parts).map(([name, value]) => `${name}="${value}"`)
    return `WECHATPAY2-SHA256-RSA2048 ${text.join(',')}`
  }

  async function send(method: string, url: URL, body: string, signal: AbortSignal): Promise<Response> {
    return door.fetch(url, {
      method,
      headers: {
        authorization: authorization(method, url.pathname + url.search, body),
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'error',
      signal,
      ...(body === '' ? {} : { body }),
    })
  }

  const urlOf = (path: string): URL => new URL(account.baseUrl.replace(/\/$/, '') + path)

  /** Strict: Node would read the same bytes from other letters too, and a changed letter is a changed message. */
  const isSignedBy = (key: KeyObject, { timestamp, nonce, signature }: SignedHeaders, text: string): boolean => {
    const bytes = Buffer.from(signature, 'base64')
    const isExact = bytes.toString('base64') === signature
    return isExact && verify('RSA-SHA256', Buffer.from(`${timestamp}\n${nonce}\n${text}\n`), key, bytes)
  }

  async function isTheirs(headers: SignedHeaders, text: string, signal?: AbortSignal): Promise<boolean> {
    const ageMs = Math.abs(door.now().getTime() - Number(headers.timestamp) * 1000)
    if (!(ageMs <= STALE_MS)) return false
    if (!platformKeys.has(headers.serial) && signal !== undefined) await learnCertificates()
    const key = platformKeys.get(headers.serial)
    return key !== undefined && isSignedBy(key, headers, text)
  }

  /** A serial we do not know may be a new certificate: asks for them, one asking at a time and seldom. */
  async function learnCertificates(): Promise<void> {
    if (certificates === null) {
      const nowMs = door.now().getTime()
      if (nowMs < certificatesAgainMs) return
      certificatesAgainMs = nowMs + CERTIFICATES_PAUSE_MS
      certificates = fetchCertificates(AbortSignal.timeout(CERTIFICATES_CALL_MS))
        .catch(() => {
          certificatesAgainMs = door.now().getTime() + CERTIFICATES_AGAIN_MS
        })
        .finally(() => {
          certificates = null
        })
    }
    await certificates
  }

  /** They are sealed under the APIv3 key, which proves them; the answer's signature is made by one of them. */
  async function fetchCertificates(signal: AbortSignal): Promise<void> {
    const response = await send('GET', urlOf('/v3/certificates'), '', signal)
    const { data } = (await response.json()) as { data: { serial_no: string; encrypt_certificate: Sealed }[] }
    for (const { serial_no: serial, encrypt_certificate: sealed } of data) {
      platformKeys.set(serial, new X509Certificate(openSealed(account.apiV3Key, sealed)).publicKey)
    }
  }

  return {
    signLines,
    isTheirs,
    async call(method, path, body, signal) {
      const response = await send(method, urlOf(path), body === null ? '' : JSON.stringify(body), signal)
      const text = await response.text()
      if (
        !(await isTheirs(
          signedHeaders((name) => response.headers.get(name)),
          text,
          signal,
        ))
      ) {
        throw new Error(`HTTP ${response.status} without a valid signature`)
      }
      const data = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
      const code = typeof data.code === 'string' ? data.code : ''
      return { status: response.status, data, code, requestId: response.headers.get('request-id') ?? undefined }
    },
    async download(address, signal) {
      const url = new URL(address)
      // Our signature goes there: only to where we were told to call.
      if (url.origin !== new URL(account.baseUrl).origin) throw new Error('the file lies with somebody else')
      const response = await send('GET', url, '', signal)
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    },
  }
}

export const signedHeaders = (read: (name: string) => string | null | undefined): SignedHeaders => ({
  serial: read('wechatpay-serial') ?? '',
  timestamp: read('wechatpay-timestamp') ?? '',
  nonce: read('wechatpay-nonce') ?? '',
  signature: read('wechatpay-signature') ?? '',
})
