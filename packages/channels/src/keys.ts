/** Keys of accounts, in whatever form people paste them: PEM, PEM whose lines were joined, or Base64 DER. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** PKCS#8 or PKCS#1: Alipay's key tool makes both. Throws where it is neither; no letter of the key is repeated. */
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

/** Null without armour. A field of one line joins the lines of a file, and OpenSSL reads none that long. */
function pemOf(text: string): string | null {
  const [, name, body] = /-----BEGIN ([A-Z ]+)-----([\s\S]*?)-----END \1-----/.exec(text) ?? []
  if (name === undefined || body === undefined) return null
  const lines = body.replace(/\s/g, '').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${name}-----`, ...lines, `-----END ${name}-----`, ''].join('\n')
}
