/**
 * Canonical text: the exact bytes both sides sign (spec/protocol.md, section 2).
 *
 * Compact JSON, names sorted by UTF-16 code unit at every level, nulls dropped, and an escape table that is
 * neither JSON.stringify's nor the usual "canonical JSON" one: U+2028 and U+2029 are escaped, a lone surrogate
 * becomes `?`, everything else above U+001F is raw.
 */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue }
export type JsonObject = { [name: string]: JsonValue }

/** Levels. A value that nests deeper is not signed; no field of the contract nests at all. */
export const DEPTH_MAX = 32

const SHORT_ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

// The characters to escape. Almost no text has one, so most texts need only this one scan.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are the point
const NEEDS_WORK = /["\\\u0000-\u001f\u2028\u2029\ud800-\udfff]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are the point
const ESCAPED = /["\\\u0000-\u001f\u2028\u2029]|[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g

function quote(text: string): string {
  if (!NEEDS_WORK.test(text)) return `"${text}"`
  const escaped = text.replace(ESCAPED, (found) => {
    if (found.length === 2) return found
    const code = found.charCodeAt(0)
    // Of what is escaped, the lone surrogates come last.
    if (code >= 0xd800) return '?'
    return SHORT_ESCAPES[found] ?? `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${escaped}"`
}

/** As JSON.stringify writes a number. Throws RangeError for one that JSON cannot write. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('not a JSON number')
  return String(value)
}

/**
 * The canonical text of a JSON value. Numbers are written as JSON.stringify writes them; the contract's own
 * fields are all strings. Throws RangeError for a number that JSON cannot write and for nesting beyond DEPTH_MAX.
 */
export const canonicalJson = (value: JsonValue): string => canonicalText(value, numberText, 0)

function canonicalText(value: JsonValue, textOf: (value: number) => string, depth: number): string {
  if (depth > DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX} levels`)
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return textOf(value)
    case 'boolean':
      return value ? 'true' : 'false'
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map((member) => canonicalText(member, textOf, depth + 1)).join(',')}]`
  let text = ''
  // Array.prototype.sort without a comparator compares UTF-16 code units, as the contract asks.
  for (const name of Object.keys(value).sort()) {
    const member = value[name]
    if (member === null || member === undefined) continue
    text += `${text === '' ? '' : ','}${quote(name)}:${canonicalText(member, textOf, depth + 1)}`
  }
  return `{${text}}`
}

/** What JSON says, with each number replaced by the place at which `numbers` has it as it was written. */
export type NumbersApart = { value: JsonValue; numbers: string[] }

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g

/**
 * Reads JSON without loss: `100.0`, `1e2` and `100` are one value, and three texts to sign. Null when it has no number.
 * `json` is a text that JSON.parse takes.
 */
export function numbersApart(json: string): NumbersApart | null {
  const numbers: string[] = []
  const places = json.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') ? token : String(numbers.push(token) - 1),
  )
  return numbers.length === 0 ? null : { value: JSON.parse(places) as JsonValue, numbers }
}

/** Members that travel with a request but are never part of its signed text. */
export const UNSIGNED_IN_REQUESTS: ReadonlySet<string> = new Set(['aco_pay_sdk', 'version'])

const isBlank = (name: string): boolean => name.trim() === ''

function signedMembers(params: JsonObject, left: ReadonlySet<string>): JsonObject {
  // Without a prototype, so that a member named __proto__ is an ordinary member.
  const signed: JsonObject = Object.create(null)
  for (const name of Object.keys(params)) {
    if (!left.has(name) && !isBlank(name)) signed[name] = params[name] as JsonValue
  }
  return signed
}

/** The names of the members that are in the signed text of a request, in the order in which they were sent. */
export const namesOfSigned = (params: JsonObject): string[] =>
  Object.keys(params).filter(
    (name) => (params[name] ?? null) !== null && !UNSIGNED_IN_REQUESTS.has(name) && !isBlank(name),
  )

export type SignatureHeaders = { mchNo: string; nonce: string; signType: string }

/** Writes a number that stands for a place in `numbers`; without them as JSON.stringify does. */
const writerOf = (numbers?: string[]) =>
  numbers === undefined ? numberText : (place: number) => numbers[place] as string

/**
 * The text a merchant signs for a request whose signature travels in the headers (spec 2, Requests). With `numbers`, those of
 * `params` stand for places in it.
 */
export function requestText(params: JsonObject, headers: SignatureHeaders, numbers?: string[]): string {
  const signed = signedMembers(params, UNSIGNED_IN_REQUESTS)
  signed.mch_no = headers.mchNo
  signed.nonce = headers.nonce
  signed.sign_type = headers.signType
  return canonicalText(signed, writerOf(numbers), 0)
}

const UNSIGNED_IN_ORDER_PARAMS: ReadonlySet<string> = new Set([...UNSIGNED_IN_REQUESTS, 'sign'])

/** The text a merchant signs for order parameters that a page passes on: the signature is a member (spec 3.2). */
export const orderParamsText = (params: JsonObject, numbers?: string[]): string =>
  canonicalText(signedMembers(params, UNSIGNED_IN_ORDER_PARAMS), writerOf(numbers), 0)

const withoutSign = (members: JsonObject): JsonObject => signedMembers(members, new Set(['sign']))

export type Envelope = { status: number; message: string; fieldErrors: string | null; data: JsonObject | null }

/** The text the platform signs for an answer: the whole envelope without `data.sign` (spec 2, Responses). */
export function responseText(envelope: Envelope): string {
  const { status, message, fieldErrors, data } = envelope
  return canonicalJson({ status, message, fieldErrors, data: data === null ? null : withoutSign(data) })
}

/** The text the platform signs for a notification: the flat body without `sign` (spec 2, Notifications). */
export const notificationText = (body: JsonObject): string => canonicalJson(withoutSign(body))
