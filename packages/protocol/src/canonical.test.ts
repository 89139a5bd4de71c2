import { createHash, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalJson,
  DEPTH_MAX,
  type JsonObject,
  type JsonValue,
  notificationText,
  orderParamsText,
  requestText,
  responseText,
} from './canonical.ts'
import { signText, verifyText } from './sign.ts'

const HEADERS = { mchNo: 'MCH1000000', nonce: 'n1', signType: 'SHA256withRSA' }
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

// 'binary' is any code point: control characters, U+2028 and quotes occur often enough to matter.
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 12 }))
const { object } = fc.letrec<{ object: JsonObject; value: JsonValue }>((tie) => ({
  object: fc.dictionary(text, tie('value'), { maxKeys: 5, depthIdentifier: 'json' }),
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    text,
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }),
    tie('object'),
  ),
}))

/** The same members in another order, at every depth. */
function shuffled(value: JsonValue, salt: number): JsonValue {
  if (Array.isArray(value)) return value.map((member) => shuffled(member, salt))
  if (value === null || typeof value !== 'object') return value
  const rank = (name: string): string => createHash('sha256').update(`${salt}${name}`).digest('hex')
  const names = Object.keys(value).sort((one, other) => rank(one).localeCompare(rank(other)))
  return Object.fromEntries(names.map((name) => [name, shuffled(value[name] ?? null, salt)]))
}

type Change = (text: string) => string

/**
 * Applies `change` to the text of the leaf, or the name of the member, with the number `at.left`, which it counts down.
 */
function changed(value: JsonValue, at: { left: number }, what: 'values' | 'names', change: Change): JsonValue {
  if (Array.isArray(value)) return value.map((member) => changed(member, at, what, change))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        // A member that is null is not signed, and so its name is not either.
        const isHit = what === 'names' && member !== null && at.left-- === 0
        return [isHit ? change(name) : name, changed(member, at, what, change)]
      }),
    )
  }
  if (typeof value !== 'string' || what !== 'values' || at.left-- !== 0) return value
  return change(value)
}

/** Replaces one character (a code point) by another one. */
const withOneOther =
  (index: number, other: string): Change =>
  (before) => {
    const characters = [...before]
    if (characters.length === 0) return other
    characters[index % characters.length] = other
    return characters.join('')
  }

/** How many leaves with a text, or signed names, there are to change. */
function countOf(value: JsonValue, what: 'values' | 'names'): number {
  const at = { left: -1 }
  changed(value, at, what, (before) => before)
  return -1 - at.left
}

describe('over random objects', () => {
  it('the order of the members changes nothing, at any depth', () => {
    fc.assert(
      fc.property(object, fc.nat(), (body, salt) => {
        expect(canonicalJson(shuffled(body, salt))).toBe(canonicalJson(body))
      }),
      { numRuns: 2000 },
    )
  })

  it('the text is JSON that says the same, so writing and reading it changes nothing', () => {
    fc.assert(
      fc.property(object, (body) => {
        const once = canonicalJson(body)
        expect(canonicalJson(JSON.parse(once))).toBe(once)
        expect(canonicalJson(JSON.parse(JSON.stringify(body)))).toBe(once)
      }),
      { numRuns: 2000 },
    )
  })

  it.each(['values', 'names'] as const)('another character in one of the %s breaks the signature', async (what) => {
    const place = fc.record({ leaf: fc.nat(), index: fc.nat(20), other: fc.string({ unit: 'binary', minLength: 1 }) })
    await fc.assert(
      fc.asyncProperty(object, fc.array(place, { minLength: 1, maxLength: 8 }), async (body, places) => {
        const count = countOf(body, what)
        fc.pre(count > 0)
        const before = canonicalJson(body)
        const signature = await signText(before, privateKey)
        expect(verifyText(before, signature, publicKey)).toBe(true)
        for (const { leaf, index, other } of places) {
          const change = withOneOther(index, [...other][0] ?? 'x')
          const after = changed(body, { left: leaf % count }, what, change)
          if (JSON.stringify(after) === JSON.stringify(body)) continue
          expect(verifyText(canonicalJson(after), signature, publicKey)).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('a request signature survives being sent: the receiver parses the body and finds the same text', async () => {
    await fc.assert(
      fc.asyncProperty(object, async (params) => {
        const signature = await signText(requestText(params, HEADERS), privateKey)
        const received = JSON.parse(JSON.stringify(params)) as JsonObject
        expect(verifyText(requestText(received, HEADERS), signature, publicKey)).toBe(true)
        expect(verifyText(requestText(received, { ...HEADERS, nonce: 'n2' }), signature, publicKey)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })
})

describe('by hand', () => {
  it.each([
    [
      'names sort by UTF-16 code unit',
      { b: '1', a: '2', B: '3', _: '4', '\u{1F600}': '5', '\uFB00': '6' },
      '{"B":"3","_":"4","a":"2","b":"1","\u{1F600}":"5","\uFB00":"6"}',
    ],
    [
      'null members are dropped at every depth, nulls in a list stay',
      { a: null, b: { c: null }, d: [null, '1'] },
      '{"b":{},"d":[null,"1"]}',
    ],
    ['an empty text is kept', { a: '' }, '{"a":""}'],
    ['no HTML, slash or DEL escaping', { a: `</&='\u007f\u00e9` }, `{"a":"</&='\u007f\u00e9"}`],
    ['short escapes where JSON has one', { a: '"\\\b\f\n\r\t' }, String.raw`{"a":"\"\\\b\f\n\r\t"}`],
    [
      'lower-case \\u00xx for the other controls, NUL too',
      { a: '\u0000\u000b\u001f' },
      String.raw`{"a":"\u0000\u000b\u001f"}`,
    ],
    ['the two separators of JavaScript are escaped', { a: '\u2028\u2029' }, String.raw`{"a":"\u2028\u2029"}`],
    [
      'a lone surrogate becomes a question mark, a pair stays',
      { a: '\ud83d\ude00\ud83d', b: '\ude00x' },
      '{"a":"\u{1F600}?","b":"?x"}',
    ],
    [
      'whole numbers and booleans are written bare',
      { n: 7, m: -0, t: true, f: false },
      '{"f":false,"m":0,"n":7,"t":true}',
    ],
  ] as [string, JsonObject, string][])('%s', (_, value, expected) => {
    expect(canonicalJson(value)).toBe(expected)
  })

  it('names are escaped like values', () => {
    expect(canonicalJson({ 'a"\n': '1' })).toBe(String.raw`{"a\"\n":"1"}`)
  })

  it('a member named __proto__ is signed like any other', () => {
    const body = JSON.parse('{"__proto__":"x","a":"1"}') as JsonObject
    expect(requestText(body, HEADERS)).toContain('"__proto__":"x","a":"1"')
    expect(notificationText(body)).toBe('{"__proto__":"x","a":"1"}')
  })

  it('a number that JSON cannot write is refused', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => canonicalJson({ value })).toThrow(RangeError)
  })
})

describe('depth', () => {
  const nested = (levels: number, wrap: (inner: JsonValue) => JsonValue): JsonValue => {
    let value: JsonValue = 'x'
    for (let level = 0; level < levels; level += 1) value = wrap(value)
    return value
  }

  it.each([
    ['objects', (inner: JsonValue) => ({ a: inner })],
    ['lists', (inner: JsonValue) => [inner]],
  ])('%s nest to the limit and not beyond, and 10 000 levels are refused without using up the stack', (_, wrap) => {
    expect(() => canonicalJson(nested(DEPTH_MAX, wrap))).not.toThrow()
    expect(() => canonicalJson(nested(DEPTH_MAX + 1, wrap))).toThrow(RangeError)
    expect(() => canonicalJson(nested(10_000, wrap))).toThrow(`${DEPTH_MAX}`)
  })
})

describe('what is signed', () => {
  it('a request: everything but aco_pay_sdk, version, nulls and blank names, and what the headers say', () => {
    const params = {
      transaction_no: 'AP1',
      aco_pay_sdk: '2.0.0',
      version: '1.0',
      mch_trade_no: null,
      '': 'x',
      ' ': 'y',
    }
    expect(requestText(params, HEADERS)).toBe(
      '{"mch_no":"MCH1000000","nonce":"n1","sign_type":"SHA256withRSA","transaction_no":"AP1"}',
    )
  })

  it('the headers win over members of the same name', () => {
    const text = requestText({ mch_no: 'MCH2', nonce: 'other', sign_type: 'none' }, HEADERS)
    expect(text).toBe('{"mch_no":"MCH1000000","nonce":"n1","sign_type":"SHA256withRSA"}')
  })

  it('aco_pay_sdk and version are left out at the top only', () => {
    expect(requestText({ a: { version: '1.0' } }, HEADERS)).toContain('"a":{"version":"1.0"}')
  })

  it('order parameters of a page: the same without sign, with the three members that are in the body', () => {
    const params = { sign: 's', version: '1.0', nonce: 'n', mch_no: 'M', sign_type: 'T', app_no: 'A' }
    expect(orderParamsText(params)).toBe('{"app_no":"A","mch_no":"M","nonce":"n","sign_type":"T"}')
  })

  it('an answer: the whole envelope without data.sign, nulls dropped at both levels, version kept', () => {
    const data = { sign: 's', code: 'OK', extra: null, version: '1.0', aco_pay_sdk: '2' }
    expect(responseText({ status: 200, message: 'SUCCESS', fieldErrors: null, data })).toBe(
      '{"data":{"aco_pay_sdk":"2","code":"OK","version":"1.0"},"message":"SUCCESS","status":200}',
    )
    expect(responseText({ status: 1002, message: 'SIGN_ERROR', fieldErrors: 'x', data: null })).toBe(
      '{"fieldErrors":"x","message":"SIGN_ERROR","status":1002}',
    )
  })
})
