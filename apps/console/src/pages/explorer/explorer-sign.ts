/** Signs a call in the browser, with the contract's canonical text and the browser's cryptography. Keys stay in memory. */
import { type Envelope, requestText, responseText } from '@acopay/protocol/canonical'

export type Keys = { mch_no: string; private_key: string; platform_public_key?: string }

export type Sent = {
  /** The text that was signed. */
  signedText: string
  curl: string
  answer: string
  data: Record<string, unknown> | null
  signature: 'good' | 'bad' | 'none' | 'unknown'
}

const SIGN_TYPE = 'SHA256withRSA'
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64.replace(/-----[A-Z ]+-----|\s/g, '')), (letter) => letter.charCodeAt(0))
const base64Of = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)))
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** Throws an error named KEY where the private key cannot be read. */
export async function sendSigned(
  url: string,
  method: 'get' | 'post',
  params: Record<string, string>,
  keys: Keys,
): Promise<Sent> {
  const nonce = crypto.randomUUID().replaceAll('-', '')
  const signedText = requestText(params, { mchNo: keys.mch_no, nonce, signType: SIGN_TYPE })
  const sign = base64Of(await crypto.subtle.sign(RSA, await privateKey(keys.private_key), utf8(signedText)))
  const headers: Record<string, string> = {
    'x-acopay-mch-no': keys.mch_no,
    'x-acopay-nonce': nonce,
    'x-acopay-sign-type': SIGN_TYPE,
    'x-acopay-sign': sign,
    ...(method === 'post' ? { 'content-type': 'application/json' } : {}),
  }
  const target = method === 'get' ? `${url}?${new URLSearchParams(params)}` : url
  const body = method === 'get' ? undefined : JSON.stringify(params)
  const response = await fetch(target, {
    method: method.toUpperCase(),
    headers,
    ...(body === undefined ? {} : { body }),
  })
  const text = await response.text()
  const envelope = response.ok ? (JSON.parse(text) as Envelope) : null
  return {
    signedText,
    curl: curlOf(new URL(target, location.origin).href, method, headers, body),
    answer: envelope === null ? text : JSON.stringify(envelope, null, 2),
    data: envelope?.data ?? null,
    signature: envelope === null ? 'none' : await signatureOf(envelope, keys.platform_public_key ?? ''),
  }
}

const privateKey = (text: string): Promise<CryptoKey> =>
  Promise.resolve()
    .then(() => crypto.subtle.importKey('pkcs8', bytesOf(text), RSA, false, ['sign']))
    .catch(() => {
      throw new Error('KEY')
    })

async function signatureOf(envelope: Envelope, platformKey: string): Promise<Sent['signature']> {
  const sign = envelope.data?.sign
  if (typeof sign !== 'string') return 'none'
  try {
    const key = await crypto.subtle.importKey('spki', bytesOf(platformKey), RSA, false, ['verify'])
    return (await crypto.subtle.verify(RSA, key, bytesOf(sign), utf8(responseText(envelope)))) ? 'good' : 'bad'
  } catch {
    return 'unknown'
  }
}

function curlOf(url: string, method: string, headers: Record<string, string>, body: string | undefined): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  const lines = [`curl -X ${method.toUpperCase()} ${quoted(url)}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`  -H ${quoted(`${name}: ${value}`)}`)
  if (body !== undefined) lines.push(`  -d ${quoted(body)}`)
  return lines.join(' \\\n')
}
