/** JSON numbers in a request: the contract's fields are texts. */
import type { JsonObject, JsonValue } from './canonical.ts'
import { notAText, type Refusal } from './errors.ts'
import { FIELDS } from './request-fields.ts'

/** Of the four headers, which parameters signed in the body have as members (spec 3.2). */
const SIGNATURE_MEMBERS = ['mch_no', 'nonce', 'sign_type', 'sign']
const NAMES: ReadonlySet<string> = new Set([...SIGNATURE_MEMBERS, ...Object.values(FIELDS).flatMap(Object.keys)])

/**
 * What to say of a request that has a number where the contract has a text, before its signature is looked at: there is no one
 * text of a number, so what its sender signed cannot be known (spec 3.2). Null when it has none.
 */
export function numberRefusal(params: JsonObject): Refusal | null {
  const found = Object.entries(params).find(([name, value]) => NAMES.has(name) && hasNumber(value))
  return found === undefined ? null : notAText(...found)
}

/** Whether it is a number or has one within. */
function hasNumber(value: JsonValue | undefined): boolean {
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'number') return true
    if (typeof next === 'object' && next !== null) left.push(...Object.values(next))
  }
  return false
}
