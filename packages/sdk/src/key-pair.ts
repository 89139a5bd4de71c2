/** RSA keys in the form the contract uses. */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { keyText } from '@acopay/protocol'

/** A fresh RSA-2048 pair as Base64 DER: PKCS#8 and SPKI. Give the platform the public one only. */
export async function newKeyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return { privateKey: keyText(pair.privateKey), publicKey: keyText(pair.publicKey) }
}
