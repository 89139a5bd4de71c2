/** RSA keys in the contract's form. */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { keyText, privateKeyFrom, publicKeyFrom } from '@acopay/protocol'

/** A new RSA-2048 pair as Base64 DER: PKCS#8 and SPKI. Give the platform the public key only. */
export async function newKeyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return { privateKey: keyText(pair.privateKey), publicKey: keyText(pair.publicKey) }
}

/**
 * Reads a public key. Node would silently derive it from a private key, so a private key is refused with a TypeError.
 */
export function publicKeyOnly(text: string): KeyObject {
  if (isPrivateKey(text)) {
    throw new TypeError(
      'this is a private key; the public one is needed. Anyone who has seen it can sign: replace the pair',
    )
  }
  return publicKeyFrom(text)
}

function isPrivateKey(text: string): boolean {
  if (text.includes('PRIVATE KEY-----')) return true
  try {
    privateKeyFrom(text)
    return true
  } catch {
    return false
  }
}
