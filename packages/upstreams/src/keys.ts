/** Keys of the simulators' settings: Base64 DER, private ones as PKCS#8, public ones as SPKI. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

export const privateKeyOf = (text: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })

export const publicKeyOf = (text: string): KeyObject =>
  createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
