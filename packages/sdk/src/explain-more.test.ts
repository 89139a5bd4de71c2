/** Explaining a signature: each way to write the text wrongly that an example alone does not tell apart, and the whole report. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { platformSign, vectors } from '../../../test/support/scripted-gateway.ts'
import { explainSignature, type Signed } from './index.ts'

const KEY = vectors.keys.platformPublicKey
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const ORDER = {
  amount_total: '12',
  description: 'a b<c>&d=e\'f "g,h:i" é中',
  note: 'x\u2028y\u2029z',
  count: 7,
  flag: true,
}
const signed: Signed = { kind: 'order_params', params: ORDER }
const CANONICAL =
  '{"amount_total":"12","count":7,"description":"a b<c>&d=e\'f \\"g,h:i\\" é中","flag":true,"note":"x\\u2028y\\u2029z"}'
const findingsOf = (what: Signed, text: string): string[] =>
  explainSignature(what, platformSign(text), KEY).findings.map(({ zh, en }) => `${zh} | ${en}`)

describe('a text that was signed wrongly', () => {
  it.each<[string, string]>([
    [`${CANONICAL}\r\n`, '待签名文本末尾多了换行 | a line end was signed along'],
    [
      CANONICAL.replace('\\u2028', '\u2028').replace('\\u2029', '\u2029'),
      'U+2028、U+2029没有转义，应写成\\u2028、\\u2029 | U+2028 or U+2029 was left raw; it is written \\u2028, \\u2029',
    ],
    [
      CANONICAL.replace('é中', '\\u00e9\\u4e2d'),
      '中文等字符被转义成了\\uXXXX，应保持UTF-8原样 | characters beyond ASCII were escaped as \\uXXXX; they stay raw UTF-8',
    ],
    [
      CANONICAL.replace('é中', '\\u00E9\\u4E2D'),
      '中文等字符被转义成了\\uXXXX，应保持UTF-8原样 | characters beyond ASCII were escaped as \\uXXXX; they stay raw UTF-8',
    ],
    [
      CANONICAL.replace('<c>&', '\\u003cc\\u003e\\u0026'),
      "<、>、&、=或'被转义了（Go、Gson默认如此），应关闭HTML转义 | <, >, &, = or ' was escaped, as Go and Gson do unless told otherwise; turn HTML escaping off",
    ],
    [
      CANONICAL.replace("<c>&d=e'f", '\\u003cc\\u003e\\u0026d\\u003de\\u0027f'),
      "<、>、&、=或'被转义了（Go、Gson默认如此），应关闭HTML转义 | <, >, &, = or ' was escaped, as Go and Gson do unless told otherwise; turn HTML escaping off",
    ],
    [
      CANONICAL.replaceAll('":', '": ').replaceAll(',"', ', "'),
      'JSON带有空格或缩进，应为紧凑格式 | the JSON was written with blanks; it has none',
    ],
    [
      JSON.stringify(JSON.parse(CANONICAL), null, 4).replace('\u2028', '\\u2028').replace('\u2029', '\\u2029'),
      '密钥与算法都对，但签的是另一段文本；请用自己拼出的待签名文本逐字比较 | right key, right algorithm, another text: compare your own text with the canonical one',
    ],
    [CANONICAL.replace('"count":7,', ''), '字段count没有被签名 | count was not signed'],
    [
      CANONICAL.replace('"12"', '12'),
      '字段amount_total签成了数字，应为字符串 | amount_total was signed as a number; it is a text',
    ],
    [
      CANONICAL.replace(/"a b.*中"/, '"a%20b%3Cc%3E%26d%3De\'f%20%22g%2Ch%3Ai%22%20%C3%A9%E4%B8%AD"'),
      '字段description签的是URL编码后的值，应先解码 | description was signed percent-encoded; sign it decoded',
    ],
    [
      CANONICAL.replace(/"a b.*中"/, '"a+b%3Cc%3E%26d%3De%27f+%22g%2Ch%3Ai%22+%C3%A9%E4%B8%AD"'),
      '字段description签的是URL编码后的值，应先解码 | description was signed percent-encoded; sign it decoded',
    ],
  ])('%s', (text, finding) => {
    expect(findingsOf(signed, text)).toEqual([finding])
  })

  it('is not taken for a number where the value is none', () => {
    for (const value of ['12x', 'x12', '1234567890123456', '1.', '.5', '--1']) {
      const what: Signed = { kind: 'order_params', params: { a: value } }
      expect(findingsOf(what, `{"a":${value}}`), value).toEqual([expect.stringContaining('another text')])
    }
    for (const [value, asNumber] of [
      ['-12.50', '-12.50'],
      ['-12.50', '-12.5'],
      ['0', '0'],
    ]) {
      const what: Signed = { kind: 'order_params', params: { a: value as string } }
      expect(findingsOf(what, `{"a":${asNumber}}`)).toEqual([expect.stringContaining('a was signed as a number')])
    }
  })

  it('of an answer or a notification is looked at with all its members', () => {
    const data = { code: 'FAIL', acoid: null, mch_no: 'M' }
    const envelope = { status: 200, message: 'SUCCESS', fieldErrors: null, data }
    const answer: Signed = { kind: 'answer', envelope }
    expect(
      findingsOf(answer, '{"status":200,"message":"SUCCESS","data":{"code":"FAIL","acoid":null,"mch_no":"M"}}'),
    ).toEqual([expect.stringContaining('the names were not sorted')])
    const body = { transaction_no: 'AP1', acoid: null, code: 'SUCCESS', sign: 'x' }
    const notification: Signed = { kind: 'notification', body }
    expect(explainSignature(notification, '', KEY).canonicalText).toBe('{"code":"SUCCESS","transaction_no":"AP1"}')
    expect(findingsOf(notification, '{"acoid":null,"code":"SUCCESS","transaction_no":"AP1"}')).toEqual([
      expect.stringContaining('members that are null were signed'),
    ])
  })
})

describe('the report', () => {
  it('of a good signature has no findings, and its digest twice', () => {
    expect(explainSignature(signed, platformSign(CANONICAL), KEY)).toEqual({
      isValid: true,
      canonicalText: CANONICAL,
      digest: sha256(CANONICAL),
      signedDigest: sha256(CANONICAL),
      findings: [],
      difference: null,
      fields: [],
    })
  })

  it('of a wrong one tells the digest that was signed, or null where this key cannot read it', () => {
    expect(explainSignature(signed, platformSign('other'), KEY)).toMatchObject({
      isValid: false,
      digest: sha256(CANONICAL),
      signedDigest: sha256('other'),
      fields: [],
    })
    expect(explainSignature(signed, platformSign(CANONICAL), vectors.keys.merchantPublicKey).signedDigest).toBeNull()
    expect(explainSignature(signed, 'AAAA', KEY)).toMatchObject({ signedDigest: null, findings: [expect.anything()] })
  })

  it('of a good signature in a mangled form says only what mangled it', () => {
    const good = platformSign(CANONICAL)
    for (const [sign, en] of [
      [good.replaceAll('=', ''), 'the padding "=" of the Base64 is missing'],
      [`${good.slice(0, 64)}\r\n${good.slice(64)} `, 'the signature holds blanks or line ends; remove them'],
    ] as const) {
      const report = explainSignature(signed, sign, KEY)
      expect(report.findings.map((one) => one.en)).toEqual([en])
      expect(report.signedDigest).toBe(sha256(CANONICAL))
    }
  })

  it('shows ten characters before the first difference and twenty from it on', () => {
    const what: Signed = { kind: 'order_params', params: { a: '0123456789abcdefghijklmnopqrstuvwxyz' } }
    const text = '{"a":"0123456789abcdefghijklmnopqrstuvwxyz"}'
    const { difference } = explainSignature(what, '', KEY, text.replace('c', 'C'))
    expect(difference).toEqual({
      at: 18,
      expected: '23456789abcdefghijklmnopqrstuv',
      actual: '23456789abCdefghijklmnopqrstuv',
    })
    expect(explainSignature(what, '', KEY, `${text} `).difference).toMatchObject({ at: text.length })
    expect(explainSignature(what, '', KEY, 'x').difference).toMatchObject({
      at: 0,
      expected: '{"a":"0123456789abcd',
      actual: 'x',
    })
  })

  it('names the fields of an object only, and members of data by their own names', () => {
    for (const other of ['[]', 'null', '"x"', '1', '{', '[{"a":1}]']) {
      expect(explainSignature(signed, '', KEY, other).fields, other).toEqual([])
    }
    const envelope = { status: 200, message: 'S', fieldErrors: null, data: { a: '1', b: '2' } }
    const fields = (other: string) => explainSignature({ kind: 'answer', envelope }, '', KEY, other).fields
    expect(fields('{"data":{"a":"1","b":"3"},"message":"S","status":200,"more":{"x":1}}')).toEqual([
      { name: 'data.b', expected: '"2"', actual: '"3"' },
      { name: 'more', expected: null, actual: '{"x":1}' },
    ])
    expect(fields('{"data":["a"],"message":"S","status":200}')).toEqual([
      { name: 'data.a', expected: '"1"', actual: null },
      { name: 'data.b', expected: '"2"', actual: null },
      { name: 'data', expected: null, actual: '["a"]' },
    ])
    expect(fields('{"data":null,"message":"S","status":200}').map(({ name }) => name)).toEqual([
      'data.a',
      'data.b',
      'data',
    ])
  })
})
