/** RSASSA-PKCS1-v1_5 with SHA-256 over canonical text; Base64 DER or PEM keys (spec/protocol.md, section 2). */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'

export const SIGN_TYPE = 'SHA256withRSA'

/** Bits. A key with a shorter modulus is refused when it is read, not later when it has to sign. */
export const KEY_BITS_MIN = 2048

const readKey = (text: string, what: string, read: (der: Buffer | string) => KeyObject): KeyObject => {
  let key: KeyObject
  try {
    // Line breaks in the Base64 are skipped when it is decoded.
    key = read(text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64'))
  } catch {
    // The original error may quote key material, so it is dropped.
    throw new TypeError(`not a ${what}: expected Base64 DER or PEM of an RSA key`)
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < KEY_BITS_MIN) {
    throw new TypeError(`not a ${what}: expected RSA of at least ${KEY_BITS_MIN} bits`)
  }
  return key
}

/** A private key from Base64 PKCS#8 DER or PEM. Throws TypeError, without naming any part of the key. */
export const privateKeyFrom = (text: string): KeyObject =>
  readKey(text, 'private key', (key) =>
    typeof key === 'string' ? createPrivateKey(key) : createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
  )

/** A public key from Base64 SubjectPublicKeyInfo DER or PEM. Throws TypeError. */
export const publicKeyFrom = (text: string): KeyObject =>
  readKey(text, 'public key', (key) =>
    typeof key === 'string' ? createPublicKey(key) : createPublicKey({ key, format: 'der', type: 'spki' }),
  )

/** Base64 DER without PEM header, the official SDKs' form: PKCS#8 for a private key, SPKI for a public one. */
export const keyText = (key: KeyObject): string =>
  key.type === 'private'
    ? key.export({ format: 'der', type: 'pkcs8' }).toString('base64')
    : key.export({ format: 'der', type: 'spki' }).toString('base64')

/** Makes the signature of a text, in Base64. Where the key lies is its own affair. */
export type Sign = (text: string) => Promise<string>

const signOnThreadPool = promisify(sign)

/** Signs on libuv's thread pool, so that 0.3 ms of arithmetic does not block other requests. */
export const signText = async (text: string, key: KeyObject): Promise<string> =>
  (await signOnThreadPool('RSA-SHA256', Buffer.from(text), key)).toString('base64')

export const signWith =
  (key: KeyObject): Sign =>
  (text) =>
    signText(text, key)

// 256 to 512 bytes; other lengths cannot be a signature.
const BASE64 = /^[0-9A-Za-z+/]{340,684}={0,2}$/

/**
 * Whether `signature` (Base64, standard alphabet, padded) is that of `text` with `key`. Never throws. Several Base64 texts decode
 * to the same bytes, because the last letter has bits to spare: only the one that an encoder writes is accepted.
 */
export function verifyText(text: string, signature: string, key: KeyObject): boolean {
  if (!BASE64.test(signature)) return false
  const bytes = Buffer.from(signature, 'base64')
  if (bytes.toString('base64') !== signature) return false
  try {
    return verify('RSA-SHA256', Buffer.from(text), key, bytes)
  } catch {
    return false
  }
}
