/** Reads the keys of accounts in the forms operators paste them: PEM, PEM joined to one line, or Base64 DER. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** PKCS#8 or PKCS#1: Alipay's key tool makes both. Throws when it is neither; the error contains no part of the key. */
export function privateKeyOf(text: string): KeyObject {
  const pem = pemOf(text)
  if (pem !== null) return createPrivateKey(pem)
  const key = Buffer.from(text, 'base64')
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } catch {
    return createPrivateKey({ key, format: 'der', type: 'pkcs1' })
  }
}

export function publicKeyOf(text: string): KeyObject {
  const pem = pemOf(text)
  return createPublicKey(pem ?? { key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
}

/** PEM with lines of 64 characters, since OpenSSL does not read longer ones; null when the text is not PEM. */
function pemOf(text: string): string | null {
  const [, name, body] = /-----BEGIN ([A-Z ]+)-----([\s\S]*?)-----END \1-----/.exec(text) ?? []
  if (name === undefined || body === undefined) return null
  const lines = body.replace(/\s/g, '').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${name}-----`, ...lines, `-----END ${name}-----`, ''].join('\n')
}
