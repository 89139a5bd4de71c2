import { describe, expect, it } from 'vitest'
import {
  canonicalJson,
  type JsonObject,
  type JsonValue,
  notificationText,
  numbersApart,
  orderParamsText,
  requestText,
  responseText,
} from './canonical.ts'

const HEADERS = { mchNo: 'MCH1000000', nonce: 'n1', signType: 'SHA256withRSA' }

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
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => canonicalJson({ value })).toThrow(new RangeError('not a JSON number'))
    }
  })

  it('a value alone is written as in an object, and a member without one is left out', () => {
    const values: [JsonValue, string][] = [
      [null, 'null'],
      [true, 'true'],
      [false, 'false'],
      ['', '""'],
      [0, '0'],
      [1.5, '1.5'],
      [[], '[]'],
      [[[], {}, ''], '[[],{},""]'],
      [{}, '{}'],
      [{ b: undefined, a: 1, c: '' } as unknown as JsonObject, '{"a":1,"c":""}'],
    ]
    expect(values.map(([value]) => canonicalJson(value))).toEqual(values.map(([, text]) => text))
  })

  it('the characters beside those that are escaped stay as they are', () => {
    const beside = '\u0020\u0021\u0023[]\u2027\u202a\ud7ff\ue000\ufffd\uffff'
    expect(canonicalJson(beside)).toBe(`"${beside}"`)
    const escaped = ['\u0000', '\u0007', '\u000e', '\u001f', '\u2028', '\ud800', '\udbff', '\udc00', '\udfff']
    const written = ['\\u0000', '\\u0007', '\\u000e', '\\u001f', '\\u2028', '?', '?', '?', '?']
    for (const around of ['', 'a']) {
      const texts = escaped.map((character) => canonicalJson(`${around}${character}${around}`))
      expect(texts).toEqual(written.map((text) => `"${around}${text}${around}"`))
    }
    expect(canonicalJson('\ud800\udc00\udbff\udfff')).toBe('"\ud800\udc00\udbff\udfff"')
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
    expect(() => canonicalJson(nested(32, wrap))).not.toThrow()
    expect(() => canonicalJson(nested(33, wrap))).toThrow(RangeError)
    expect(() => canonicalJson(nested(10_000, wrap))).toThrow(new RangeError('nested deeper than 32 levels'))
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
      '\t\u3000': 'z',
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

it('every text to sign nests to 32 levels below its members, and no further', () => {
  const below = (levels: number): JsonValue => (levels === 0 ? '1' : { a: below(levels - 1) })
  const texts: ((value: JsonValue) => string)[] = [
    (a) => canonicalJson({ a }),
    (a) => requestText({ a }, HEADERS),
    (a) => orderParamsText({ a }),
    (a) => notificationText({ a }),
  ]
  for (const textOf of texts) {
    expect(textOf(below(31))).toContain(`"1"${'}'.repeat(31)}`)
    expect(() => textOf(below(32))).toThrow(new RangeError('nested deeper than 32 levels'))
  }
})

describe('numbers as they were written', () => {
  it.each([
    ['{"a":100.0,"b":"100.0","c":[1e2,-0.50,{"d":12.50}]}', '{"a":100.0,"b":"100.0","c":[1e2,-0.50,{"d":12.50}]}'],
    ['{ "b" : 1E+2 , "a" : 1e999 }', '{"a":1e999,"b":1E+2}'],
    ['{"1.50":1.50}', '{"1.50":1.50}'],
    [String.raw`{"a\\\"1.0":"\\\\","b":2.0}`, String.raw`{"a\\\"1.0":"\\\\","b":2.0}`],
    ['{"a":1.0,"a":2.0}', '{"a":2.0}'],
    ['{"a":0.10,"sign":7.0,"version":1.0,"aco_pay_sdk":2.0}', '{"a":0.10}'],
    [String.raw`{"a":"1.0\"\"","b":2.0}`, String.raw`{"a":"1.0\"\"","b":2.0}`],
    [`{"n":123456789012345678901234567890}`, `{"n":123456789012345678901234567890}`],
  ])('are signed so: %s', (sent, text) => {
    const apart = numbersApart(sent)
    expect(apart).not.toBeNull()
    expect(orderParamsText(apart?.value as JsonObject, apart?.numbers)).toBe(text)
  })

  it('are so in a request that is signed in its headers too', () => {
    const apart = numbersApart('{"refund_amount":12.50}')
    expect(requestText(apart?.value as JsonObject, HEADERS, apart?.numbers)).toBe(
      '{"mch_no":"MCH1000000","nonce":"n1","refund_amount":12.50,"sign_type":"SHA256withRSA"}',
    )
  })

  it('are none in what has texts only, whatever these say', () => {
    expect(numbersApart('{"a1":"1.50","b":[true,null,"\\"2.0"]}')).toBeNull()
  })
})
