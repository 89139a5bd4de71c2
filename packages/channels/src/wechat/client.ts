/** One exchange with WeChat Pay API v3: the gateway signs each request and accepts only answers WeChat Pay signed. */
import { privateKeyOf } from '../keys.ts'
import type { WechatAccount } from './account.ts'
import { platformKeysOf } from './platform-keys.ts'
import { authorization, isSignedBy, type SignedHeaders, signedHeaders, signLines } from './signature.ts'

export type WechatDoor = { fetch: typeof fetch; now: () => Date; newNonce: () => string }

/** An answer that WeChat Pay signed. `code` names the error; empty for an answer that is none (its status is below 400). */
export type WechatAnswer = {
  status: number
  data: Record<string, unknown>
  code: string
  requestId: string | undefined
}

export type WechatClient = {
  /** Makes one request. Throws when no answer comes whose signature is WeChat Pay's. */
  call: (method: 'GET' | 'POST', path: string, body: object | null, signal: AbortSignal) => Promise<WechatAnswer>
  /**
   * Fetches a file from an address that WeChat Pay gave. Its content is not signed; the answer with the address has its
   * hash.
   */
  download: (url: string, signal: AbortSignal) => Promise<Buffer>
  /** Whether WeChat Pay signed this text within the last five minutes. May fetch certificates for an unknown serial. */
  isTheirs: (headers: SignedHeaders, text: string) => Promise<boolean>
  /** `SHA256-RSA2048` of these lines with the merchant's key. */
  signLines: (lines: string[]) => string
}

/** What each verb of the channel is given. */
export type WechatContext = { account: WechatAccount; door: WechatDoor; client: WechatClient }

/** Clocks may differ by this much; an older text may be a replay. */
const STALE_MS = 5 * 60_000
const USER_AGENT = 'acopay-gateway'

export function wechatClient(account: WechatAccount, door: WechatDoor): WechatClient {
  const privateKey = privateKeyOf(account.mchPrivateKey)
  const urlOf = (path: string): URL => new URL(account.baseUrl.replace(/\/$/, '') + path)

  async function send(method: string, url: URL, body: string, signal: AbortSignal): Promise<Response> {
    const timestamp = String(Math.floor(door.now().getTime() / 1000))
    const parts = { method, path: url.pathname + url.search, timestamp, nonce: door.newNonce(), body }
    return door.fetch(url, {
      method,
      headers: {
        authorization: authorization(account, parts, privateKey),
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'error',
      signal,
      ...(body === '' ? {} : { body }),
    })
  }

  const fetchCertificates = (signal: AbortSignal) => send('GET', urlOf('/v3/certificates'), '', signal)
  const platformKeys = platformKeysOf(account, door.now, fetchCertificates)

  async function isTheirs(headers: SignedHeaders, text: string): Promise<boolean> {
    const ageMs = Math.abs(door.now().getTime() - Number(headers.timestamp) * 1000)
    if (!(ageMs <= STALE_MS)) return false
    // An unknown serial may be that of a new certificate.
    if (platformKeys.get(headers.serial) === undefined) await platformKeys.fetchMore()
    const key = platformKeys.get(headers.serial)
    return key !== undefined && isSignedBy(key, headers, text)
  }

  return {
    signLines: (lines) => signLines(lines, privateKey),
    isTheirs,
    async call(method, path, body, signal) {
      const response = await send(method, urlOf(path), body === null ? '' : JSON.stringify(body), signal)
      const text = await response.text()
      const headers = signedHeaders((name) => response.headers.get(name))
      if (!(await isTheirs(headers, text))) throw new Error(`HTTP ${response.status} without a valid signature`)
      const data = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
      const code = response.status >= 400 && typeof data.code === 'string' ? data.code : ''
      return { status: response.status, data, code, requestId: response.headers.get('request-id') ?? undefined }
    },
    async download(address, signal) {
      const url = new URL(address)
      // The request carries the merchant's signature, so it goes only to the configured origin.
      if (url.origin !== new URL(account.baseUrl).origin) throw new Error('the file is not at the configured origin')
      const response = await send('GET', url, '', signal)
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    },
  }
}
