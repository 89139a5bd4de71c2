/**
 * One exchange with Alipay's OpenAPI gateway, V2 with RSA2: the gateway signs each request and accepts only answers
 * that Alipay signed (opendocs.alipay.com, "自行实现签名", "自行实现验签"). Alipay's signature covers the text of the answer's
 * member `…_response`, byte for byte.
 */
import { sign, verify } from 'node:crypto'
import { privateKeyOf, publicKeyOf } from '../keys.ts'
import type { AlipayAccount } from './account.ts'

export type AlipayDoor = { fetch: typeof fetch; now: () => Date }

/** A `code` of 10000 means success; with any other, `subCode` names the error. */
export type AlipayAnswer = {
  code: string
  subCode: string
  data: Record<string, unknown>
  requestId: string | undefined
}

export type AlipayClient = {
  /** Makes one request. Throws when no answer comes whose signature is Alipay's. */
  call: (
    method: string,
    bizContent: object,
    signal: AbortSignal,
    more?: Record<string, string>,
  ) => Promise<AlipayAnswer>
  /** The signed address of a page, which the payer's browser opens. */
  pageUrl: (method: string, bizContent: object, more: Record<string, string>) => string
  /** Whether Alipay signed these parameters. */
  isTheirs: (params: Map<string, string>) => boolean
}

/** What each verb of the channel is given. */
export type AlipayContext = { account: AlipayAccount; door: AlipayDoor; client: AlipayClient }

const CHINA_MS = 8 * 3_600_000

/** `yyyy-MM-dd HH:mm:ss` in UTC+8: Alipay writes every time like this. */
export const alipayTime = (time: Date): string =>
  new Date(time.getTime() + CHINA_MS).toISOString().slice(0, 19).replace('T', ' ')

export const readAlipayTime = (text: unknown): Date => new Date(`${String(text).replace(' ', 'T')}+08:00`)

export function alipayClient(account: AlipayAccount, door: AlipayDoor): AlipayClient {
  const privateKey = privateKeyOf(account.appPrivateKey)
  const alipayKey = publicKeyOf(account.alipayPublicKey)

  const signedParams = (method: string, bizContent: object, more: Record<string, string>): URLSearchParams => {
    const params: Record<string, string> = {
      app_id: account.appId,
      method,
      format: 'JSON',
      charset: 'utf-8',
      sign_type: 'RSA2',
      timestamp: alipayTime(door.now()),
      version: '1.0',
      ...more,
      biz_content: JSON.stringify(bizContent),
    }
    const text = textOf(Object.entries(params))
    return new URLSearchParams({
      ...params,
      sign: sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64'),
    })
  }

  /** Strict: Node decodes several Base64 texts to the same bytes; only the canonical one is accepted. */
  const isSigned = (text: string, signature: unknown): boolean => {
    const bytes = Buffer.from(typeof signature === 'string' ? signature : '', 'base64')
    return bytes.toString('base64') === signature && verify('RSA-SHA256', Buffer.from(text, 'utf8'), alipayKey, bytes)
  }

  return {
    async call(method, bizContent, signal, more = {}) {
      const response = await door.fetch(account.gateway, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' },
        body: signedParams(method, bizContent, more).toString(),
        redirect: 'error',
        signal,
      })
      const text = await response.text()
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
      const envelope = JSON.parse(text) as Record<string, unknown>
      const name = `${method.replaceAll('.', '_')}_response`
      const member = memberText(text, name)
      if (member === null || !isSigned(member, envelope.sign)) throw new Error(`${name} without a valid signature`)
      const data = JSON.parse(member) as Record<string, unknown>
      return {
        code: String(data.code ?? ''),
        subCode: String(data.sub_code ?? ''),
        data,
        requestId: response.headers.get('trace_id') ?? response.headers.get('trace-id') ?? undefined,
      }
    },
    pageUrl: (method, bizContent, more) => `${account.gateway}?${signedParams(method, bizContent, more)}`,
    isTheirs(params) {
      const signed = [...params].filter(([name]) => name !== 'sign' && name !== 'sign_type')
      return params.get('sign_type') === 'RSA2' && isSigned(textOf(signed), params.get('sign'))
    },
  }
}

/** `a=1&b=2`, sorted by name, empty values left out, nothing encoded. */
const textOf = (params: [string, string][]): string =>
  params
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** The text of an object that is a member of a JSON object, exactly as it was written; null when there is none. */
function memberText(json: string, name: string): string | null {
  const key = json.indexOf(`"${name}"`)
  const start = json.indexOf('{', key + name.length)
  if (key < 0 || start < 0) return null
  let depth = 0
  for (let at = start; at < json.length; at += 1) {
    if (json[at] === '"') at = endOfString(json, at)
    else if (json[at] === '{') depth += 1
    else if (json[at] === '}') depth -= 1
    if (depth === 0) return json.slice(start, at + 1)
  }
  return null
}

/** Where the string that begins at `start` ends: the place of its closing quote, or past the text when it has none. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at
}
