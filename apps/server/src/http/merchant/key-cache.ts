/** Caches parsed public keys by their text, so that the cache cannot disagree with the database. */
import type { KeyObject } from 'node:crypto'
import { publicKeyFrom } from '@acopay/protocol'
import { LRUCache } from 'lru-cache'

const KEYS_MAX = 10_000
const keys = new LRUCache<string, KeyObject>({ max: KEYS_MAX })

/** The key of this Base64 text; the one that was not used for the longest time makes room. */
export function publicKey(text: string): KeyObject {
  const known = keys.get(text)
  if (known !== undefined) return known
  const key = publicKeyFrom(text)
  keys.set(text, key)
  return key
}
