/** Caches parsed public keys by their text, so that the cache cannot disagree with the database. */
import type { KeyObject } from 'node:crypto'
import { publicKeyFrom } from '@acopay/protocol'

const KEYS_MAX = 10_000
const keys = new Map<string, KeyObject>()

/** The key of this Base64 text. A full cache drops the entry that was added first. */
export function publicKey(text: string): KeyObject {
  const known = keys.get(text)
  if (known !== undefined) return known
  const key = publicKeyFrom(text)
  const [oldest] = keys.keys()
  if (keys.size >= KEYS_MAX && oldest !== undefined) keys.delete(oldest)
  keys.set(text, key)
  return key
}
