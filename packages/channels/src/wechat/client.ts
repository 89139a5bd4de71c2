/** One exchange with WeChat Pay API v3: the gateway signs each request and accepts only answers WeChat Pay signed. */
import { parseJson, restMsOf, Unbelieved, wordOf } from '../contract.ts'
import { privateKeyOf } from '../keys.ts'
import { signBytes } from '../signing.ts'
import type { WechatAccount } from './account.ts'
import type { Party } from './party.ts'
import { platformKeysOf } from './platform-keys.ts'
import { senderOf, type WechatDoor } from './send.ts'
import { isSignedBy, type SignedHeaders, signedHeaders, signLines } from './signature.ts'

export type { WechatDoor } from './send.ts'

/** An answer that WeChat Pay signed. `code` names the error; empty for an answer that is none (its status is below 400). */
export type WechatAnswer = {
  status: number
  data: Record<string, unknown>
  code: string
  requestId: string | undefined
  /** Set when WeChat Pay asks for fewer requests. */
  restMs: number | undefined
}

export type WechatClient = {
  /** Makes one request. Throws when no answer comes whose signature is WeChat Pay's. */
  call: (method: 'GET' | 'POST', path: string, body: object | null, signal: AbortSignal) => Promise<WechatAnswer>
  /**
   * Fetches a file from an address that WeChat Pay gave. Its content is not signed; the answer with the address has its
   * hash.
   */
  download: (url: string, signal: AbortSignal) => Promise<Buffer>
  /** Whether WeChat Pay signed these bytes within the last five minutes. May fetch certificates for an unknown serial. */
  isTheirs: (headers: SignedHeaders, body: Buffer) => Promise<boolean>
  /** `SHA256-RSA2048` of these lines with the merchant's key. */
  signLines: (lines: string[]) => Promise<string>
}

/** What each verb of the channel is given. */
export type WechatContext = {
  account: WechatAccount
  party: Party
  /** The same merchant through its mini-program; null where it has none. */
  mini: Party | null
  door: WechatDoor
  client: WechatClient
}

/** Clocks may differ by this much; an older text may be a replay. */
const STALE_MS = 5 * 60_000

/** "请求过于频繁", in the words of its several manuals. */
const RATE_WORDS = new Set(['FREQUENCY_LIMITED', 'RATELIMIT_EXCEEDED', 'FREQUENCY_LIMIT_EXCEED'])

export function wechatClient(account: WechatAccount, door: WechatDoor): WechatClient {
  const privateKey = privateKeyOf(account.mchPrivateKey)
  const signed = (lines: string[]): Promise<string> => signLines(lines, privateKey, door.sign ?? signBytes)
  const sender = senderOf(account, door, signed, () => platformKeys.preferred())
  const fetchCertificates = (signal: AbortSignal) =>
    sender.send({ method: 'GET', path: '/v3/certificates', body: '' }, signal)
  const platformKeys = platformKeysOf(account, door.now, fetchCertificates)

  async function isTheirs(headers: SignedHeaders, body: Buffer): Promise<boolean> {
    const ageMs = Math.abs(door.now().getTime() - Number(headers.timestamp) * 1000)
    if (!(ageMs <= STALE_MS)) return false
    // An unknown serial may be that of a new certificate.
    if (platformKeys.get(headers.serial) === undefined) await platformKeys.fetchMore()
    const key = platformKeys.get(headers.serial)
    return key !== undefined && isSignedBy(key, headers, body)
  }

  return {
    signLines: signed,
    isTheirs,
    async call(method, path, body, signal) {
      const response = await sender.send({ method, path, body: body === null ? '' : JSON.stringify(body) }, signal)
      const bytes = Buffer.from(await response.arrayBuffer())
      const headers = signedHeaders((name) => response.headers.get(name))
      if (!(await isTheirs(headers, bytes))) throw unbelieved(response, headers, bytes, door.now())
      const data = (bytes.length === 0 ? {} : parseJson(bytes.toString('utf8'))) as Record<string, unknown>
      const code = response.status >= 400 && typeof data.code === 'string' ? data.code : ''
      const restMs = restMsOf(response, door.now(), RATE_WORDS.has(code))
      const requestId = response.headers.get('request-id') ?? undefined
      return { status: response.status, data, code, requestId, restMs }
    },
    async download(address, signal) {
      const response = await sender.sendToTheirs(new URL(address), signal)
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    },
  }
}

/**
 * WeChat Pay signs an answer only when it could verify ours ("验签失败的应答不带签名"): an unsigned 4xx says that the account's
 * settings are wrong, or the request. One with a wrong signature is forged, or signed with a key that the
 * settings lack.
 */
function unbelieved(response: Response, { signature }: SignedHeaders, body: Buffer, now: Date): Unbelieved {
  const { status } = response
  const restMs = restMsOf(response, now, false)
  const rest = restMs === undefined ? {} : { restMs }
  if (signature !== '') return new Unbelieved(`HTTP ${status} with a wrong signature`, rest)
  const code = status >= 400 && status < 500 && status !== 429 ? codeIn(body) : null
  if (code === null) return new Unbelieved(`HTTP ${status} without a signature`, rest)
  return new Unbelieved(`HTTP ${status} ${code}, without a signature`, { ...rest, complaint: code })
}

function codeIn(body: Buffer): string | null {
  try {
    return wordOf((parseJson(body.toString('utf8')) as { code?: unknown } | null)?.code)
  } catch {
    return null
  }
}
