/** Public keys parsed once. The key is its own name, so nothing here can disagree with the database. */
import type { KeyObject } from 'node:crypto'
import { publicKeyFrom } from '@acopay/protocol'

const KEYS_MAX = 10_000
const keys = new Map<string, KeyObject>()

/** The key of this Base64 text; the one first seen longest ago makes room. */
export function publicKey(text: string): KeyObject {
  const known = keys.get(text)
  if (known !== undefined) return known
  const key = publicKeyFrom(text)
  const [oldest] = keys.keys()
  if (keys.size >= KEYS_MAX && oldest !== undefined) keys.delete(oldest)
  keys.set(text, key)
  return key
}
