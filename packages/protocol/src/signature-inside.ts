/** What a signature contains, for whom it does not verify: with the public key it can be opened, not made. */
import { constants, type KeyObject, publicDecrypt } from 'node:crypto'

/** Hash algorithms by the DER prefix that PKCS#1 v1.5 puts before the digest. */
const DIGEST_PREFIXES: [name: string, prefix: string][] = [
  ['SHA-256', '3031300d060960864801650304020105000420'],
  ['SHA-1', '3021300906052b0e03021a05000414'],
  ['MD5', '3020300c06082a864886f70d020505000410'],
  ['SHA-384', '3041300d060960864801650304020205000430'],
  ['SHA-512', '3051300d060960864801650304020305000440'],
]

/** `hash` is '?' where no digest that we know was signed. */
export type SignatureInside = { hash: string; digest: string }

/** What the signature contains, in hex; null when it was not made with the private half of this key. */
export function insideSignature(signature: Buffer, key: KeyObject): SignatureInside | null {
  let opened: string
  try {
    opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).toString('hex')
  } catch {
    return null
  }
  const known = DIGEST_PREFIXES.find(([, prefix]) => opened.startsWith(prefix))
  return known === undefined ? { hash: '?', digest: opened } : { hash: known[0], digest: opened.slice(known[1].length) }
}
