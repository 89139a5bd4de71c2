/** Caches parsed public keys by their text, so that the cache cannot disagree with the database. */
import type { KeyObject } from 'node:crypto'
import { publicKeyFrom } from '@acopay/protocol'
import { LRUCache } from 'lru-cache'
import { growingTo } from '../../growing-to.ts'

const KEYS_MAX = 10_000

/** Parses each text once; the one that was not used for the longest time makes room for a new one. */
export function parsedOnce<Key extends object>(parse: (text: string) => Key): (text: string) => Key {
  const keys = new LRUCache<string, Key>(growingTo(KEYS_MAX))
  return (text) => {
    const known = keys.get(text)
    if (known !== undefined) return known
    const key = parse(text)
    keys.set(text, key)
    return key
  }
}

/** The key of this Base64 text. */
export const publicKey: (text: string) => KeyObject = parsedOnce(publicKeyFrom)
