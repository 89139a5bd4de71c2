/** The parameters of a merchant's call, from its query or from its body. */
import { type JsonObject, type NumbersApart, numbersApart } from '@acopay/protocol'

/**
 * `params` null: not a JSON object in UTF-8. `apart`: the same with its numbers as they were written; null where it has none,
 * as every request that keeps to the contract.
 */
export type Params = { params: JsonObject | null; apart: NumbersApart | null }

/** The decoded query, `+` read as a space. Of a repeated parameter, the last value wins. The object has no prototype. */
export function readQuery(url: string): Params {
  const params: JsonObject = Object.create(null)
  const start = url.indexOf('?')
  if (start >= 0) for (const [name, value] of new URLSearchParams(url.slice(start + 1))) params[name] = value
  return { params, apart: null }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })
const NONE: Params = { params: null, apart: null }

export function readBody(body: unknown): Params {
  if (!Buffer.isBuffer(body)) return NONE
  try {
    const text = UTF_8.decode(body)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return NONE
    return { params: value as JsonObject, apart: numbersApart(text) }
  } catch {
    return NONE
  }
}
