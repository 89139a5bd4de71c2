import { constants, createPrivateKey, sign as cryptoSign, privateEncrypt, type SignKeyObjectInput } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { derKeys } from '../../../test/support/keys.ts'
import { explainSignature, type Signed, signRequest } from './index.ts'

const params = { transaction_no: 'AP1', note: '中文/斜杠', empty: '', nothing: null, version: '1.0' }
const signed: Signed = { kind: 'request', params, mchNo: 'MCH1', nonce: 'n1' }
const CANONICAL =
  '{"empty":"","mch_no":"MCH1","nonce":"n1","note":"中文/斜杠","sign_type":"SHA256withRSA","transaction_no":"AP1"}'

let pair: { privateKey: string; publicKey: string }
let other: { privateKey: string; publicKey: string }
beforeAll(async () => {
  pair = derKeys('ours')
  other = derKeys('stranger')
})

const key = (text: string) => createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
const signText = (text: string, algorithm = 'RSA-SHA256', more: Partial<SignKeyObjectInput> = {}): string =>
  cryptoSign(algorithm, Buffer.from(text), { key: key(pair.privateKey), ...more }).toString('base64')

const says = (sign: string): string[] => explained(signed, sign).findings.map(({ en }) => en)
function explained(what: Signed, sign: string) {
  const report = explainSignature(what, sign, pair.publicKey)
  for (const { zh, en } of report.findings) expect(FINDINGS).toContainEqual([zh, en])
  return report
}

/** What every finding says in full, by hand. */
const FINDINGS: [zh: string, en: string][] = [
  ['待签名文本末尾多了换行', 'a line end was signed along'],
  ['U+2028、U+2029没有转义，应写成\\u2028、\\u2029', 'U+2028 or U+2029 was left raw; it is written \\u2028, \\u2029'],
  ['字段没有按名称排序', 'the names were not sorted'],
  ['值为null的字段也被签名了，应去掉', 'members that are null were signed; leave them out'],
  ['空字符串的字段被去掉了，应保留', 'empty texts were left out; keep them'],
  ['aco_pay_sdk、version或sign被签名了，应去掉', 'aco_pay_sdk, version or sign was signed; leave them out'],
  ['没有加入mch_no、nonce、sign_type', 'mch_no, nonce and sign_type were not added'],
  ['斜杠被转义成了\\/，应保持原样', 'slashes were escaped as \\/; they stay as they are'],
  [
    '中文等字符被转义成了\\uXXXX，应保持UTF-8原样',
    'characters beyond ASCII were escaped as \\uXXXX; they stay raw UTF-8',
  ],
  [
    '斜杠和中文都被转义了（PHP的json_encode默认如此）：加JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE',
    "slashes and Chinese were both escaped, PHP's default: use JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE",
  ],
  [
    '带有空格且中文被转义（Python的json.dumps默认如此）：加separators=(",", ":")和ensure_ascii=False',
    'blanks, and Chinese escaped, Python\'s default: use separators=(",", ":") and ensure_ascii=False',
  ],
  [
    "<、>、&、=或'被转义了（Go、Gson默认如此），应关闭HTML转义",
    "<, >, &, = or ' was escaped, as Go and Gson do unless told otherwise; turn HTML escaping off",
  ],
  ['JSON带有空格或缩进，应为紧凑格式', 'the JSON was written with blanks; it has none'],
  ['签的是a=1&b=2形式的文本，应为JSON', 'a text like a=1&b=2 was signed; it should be JSON'],
  ['字段note没有被签名', 'note was not signed'],
  ['字段amount_total签成了数字，应为字符串', 'amount_total was signed as a number; it is a text'],
  ['字段note签的是URL编码后的值，应先解码', 'note was signed percent-encoded; sign it decoded'],
  ['字段extra的首尾空白被去掉了，应保留', 'extra was signed without the blanks at its ends; keep them'],
  [
    '密钥与算法都对，但签的是另一段文本；请用自己拼出的待签名文本逐字比较',
    'right key, right algorithm, another text: compare your own text with the canonical one',
  ],
  [
    '签名不是由这个公钥对应的私钥生成的（密钥配错，或公钥取错）',
    'not made by the private half of this public key: one of the two is the wrong key',
  ],
  ['签名用了RSA-PSS填充，应为PKCS#1 v1.5', 'signed with RSA-PSS; PKCS#1 v1.5 is needed'],
  ['签名用的摘要算法是SHA-1，应为SHA-256', 'signed with SHA-1; SHA-256 is needed'],
  ['签名用的摘要算法是SHA-384，应为SHA-256', 'signed with SHA-384; SHA-256 is needed'],
  ['签名用的摘要算法是SHA-512，应为SHA-256', 'signed with SHA-512; SHA-256 is needed'],
  ['签名用的摘要算法是MD5，应为SHA-256', 'signed with MD5; SHA-256 is needed'],
  ['签名时没有做摘要', 'the text was signed without a digest'],
  ['签名中有空白或换行，应去掉', 'the signature holds blanks or line ends; remove them'],
  ['签名用了URL安全的Base64，应使用标准字母表', 'URL-safe Base64; the standard alphabet is needed'],
  ['签名缺少Base64填充的“=”', 'the padding "=" of the Base64 is missing'],
  [
    '签名应为256字节，实际为0字节：被截断，或由长度不同的密钥生成',
    '256 bytes were expected, these are 0: cut off, or made by a key of another size',
  ],
  [
    '签名应为256字节，实际为225字节：被截断，或由长度不同的密钥生成',
    '256 bytes were expected, these are 225: cut off, or made by a key of another size',
  ],
]
describe('explaining a signature', () => {
  it('finds nothing wrong with what signRequest signs, and shows the text', async () => {
    const { canonicalText, headers } = await signRequest(params, {
      mchNo: 'MCH1',
      mchPrivateKey: pair.privateKey,
      nonce: 'n1',
    })
    const report = explainSignature(signed, headers['x-acopay-sign'], pair.publicKey)
    expect(report).toMatchObject({ isValid: true, canonicalText: CANONICAL, findings: [], difference: null })
    expect(canonicalText).toBe(CANONICAL)
  })

  it.each([
    ['a line end was signed along', `${CANONICAL}\n`],
    [
      'the names were not sorted',
      '{"transaction_no":"AP1","note":"中文/斜杠","empty":"","mch_no":"MCH1","nonce":"n1","sign_type":"SHA256withRSA"}',
    ],
    [
      'members that are null were signed',
      CANONICAL.replace('"note"', '"nothing":null,"note"').replace(
        '"nothing":null,"note":"中文/斜杠"',
        '"note":"中文/斜杠","nothing":null',
      ),
    ],
    ['empty texts were left out', CANONICAL.replace('"empty":"",', '')],
    ['aco_pay_sdk, version or sign was signed', CANONICAL.replace('}', ',"version":"1.0"}')],
    ['mch_no, nonce and sign_type were not added', '{"empty":"","note":"中文/斜杠","transaction_no":"AP1"}'],
    ['slashes were escaped', CANONICAL.replace('/', '\\/')],
    [
      'characters beyond ASCII were escaped',
      CANONICAL.replace('中文', '\\u4e2d\\u6587').replace('斜杠', '\\u659c\\u6760'),
    ],
    ['the JSON was written with blanks', JSON.stringify(JSON.parse(CANONICAL), null, 2)],
    [
      'the names were not sorted',
      '{"mch_no":"MCH1","nonce":"n1","sign_type":"SHA256withRSA","transaction_no":"AP1","note":"中文/斜杠","empty":""}',
    ],
    [
      "PHP's default",
      CANONICAL.replace('中文', '\\u4e2d\\u6587').replace('斜杠', '\\u659c\\u6760').replace('/', '\\/'),
    ],
    [
      "Python's default",
      CANONICAL.replace('中文', '\\u4e2d\\u6587')
        .replace('斜杠', '\\u659c\\u6760')
        .replaceAll('":', '": ')
        .replaceAll(',"', ', "'),
    ],
    ['note was not signed', CANONICAL.replace('"note":"中文/斜杠",', '')],
    ['note was signed percent-encoded', CANONICAL.replace('中文/斜杠', encodeURIComponent('中文/斜杠'))],
    [
      'a text like a=1&b=2 was signed',
      'empty=&mch_no=MCH1&nonce=n1&note=中文/斜杠&sign_type=SHA256withRSA&transaction_no=AP1',
    ],
    ['right key, right algorithm, another text', CANONICAL.replace('AP1', 'AP2')],
  ])('%s', (finding, text) => {
    expect(says(signText(text))).toEqual([expect.stringContaining(finding)])
  })

  it.each([
    ['amount_total was signed as a number', '"12.50"', '12.50'],
    ['amount_total was signed as a number', '"12.50"', '12.5'],
    ['extra was signed without the blanks at its ends', ' <b> ', '<b>'],
    ["<, >, &, = or ' was escaped", ' <b> ', ' \\u003cb\\u003e '],
    ['U+2028 or U+2029 was left raw', '\\u2028', '\u2028'],
  ])('%s: %s as %s', (finding, good, slipped) => {
    const params = { amount_total: '12.50', extra: ' <b> ', description: 'a\u2028b', sign: '' }
    const canonical = '{"amount_total":"12.50","description":"a\\u2028b","extra":" <b> "}'
    const sign = signText(canonical.replace(good, slipped))
    const report = explained({ kind: 'order_params', params }, sign)
    expect(report.canonicalText).toBe(canonical)
    expect(report.findings).toEqual([expect.objectContaining({ en: expect.stringContaining(finding) })])
  })

  it('takes no private key for a public one, neither as PEM nor as DER, and does not repeat it', () => {
    const pem = key(pair.privateKey).export({ format: 'pem', type: 'pkcs8' }).toString()
    for (const wrong of [pem, pair.privateKey]) {
      const explain = () => explainSignature(signed, '', wrong)
      expect(explain).toThrow('this is a private key')
      expect(explain).not.toThrow(wrong.slice(60, 90))
    }
  })

  it('knows a signature of another key, of another digest, with another padding', () => {
    const foreign = cryptoSign('RSA-SHA256', Buffer.from(CANONICAL), key(other.privateKey)).toString('base64')
    expect(says(foreign)).toEqual([expect.stringContaining('wrong key')])
    expect(says(signText(CANONICAL, 'RSA-SHA1'))).toEqual([expect.stringContaining('SHA-1')])
    expect(says(signText(CANONICAL, 'RSA-SHA512'))).toEqual([expect.stringContaining('SHA-512')])
    expect(says(signText(CANONICAL, 'RSA-SHA384'))).toEqual([expect.stringContaining('SHA-384')])
    expect(says(signText(CANONICAL, 'RSA-MD5'))).toEqual([expect.stringContaining('MD5')])
    const bare = privateEncrypt(key(pair.privateKey), Buffer.from('not a digest')).toString('base64')
    expect(says(bare)).toEqual(['the text was signed without a digest'])
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING }
    expect(says(signText(CANONICAL, 'RSA-SHA256', pss))).toEqual([expect.stringContaining('RSA-PSS')])
  })

  it('knows a signature whose letters were mangled on the way', () => {
    const good = signText(CANONICAL)
    expect(says(good.replaceAll('+', '-').replaceAll('/', '_'))).toEqual([expect.stringContaining('URL-safe')])
    expect(says(`${good.slice(0, 76)}\n${good.slice(76)}`)).toEqual([expect.stringContaining('line ends')])
    expect(says(good.replaceAll('=', ''))).toEqual([expect.stringContaining('padding')])
    expect(says(good.slice(0, 300))).toEqual([expect.stringContaining('cut off')])
    expect(says('')).toEqual([expect.stringContaining('0: cut off')])
  })

  it('shows where the text that the other side signed first differs', () => {
    const theirs = CANONICAL.replace('AP1', 'AP2')
    const { difference } = explainSignature(signed, signText(theirs), pair.publicKey, theirs)
    expect(difference).toMatchObject({ at: CANONICAL.indexOf('AP1') + 2, expected: expect.stringContaining('AP1') })
    expect(explainSignature(signed, '', pair.publicKey, CANONICAL).difference).toBeNull()
  })

  it('names each field that the other side signed otherwise, left out or added', () => {
    const theirs = CANONICAL.replace('AP1', 'AP2').replace('"empty":"",', '').replace('}', ',"version":"1.0"}')
    expect(explainSignature(signed, '', pair.publicKey, theirs).fields).toEqual([
      { name: 'empty', expected: '""', actual: null },
      { name: 'transaction_no', expected: '"AP1"', actual: '"AP2"' },
      { name: 'version', expected: null, actual: '"1.0"' },
    ])
    expect(explainSignature(signed, '', pair.publicKey, `${CANONICAL}\n`).fields).toEqual([])
    expect(explainSignature(signed, '', pair.publicKey, 'a=1&b=2').fields).toEqual([])
  })

  it('looks into the data of an answer', () => {
    const envelope = { status: 200, message: 'SUCCESS', fieldErrors: null, data: { code: 'FAIL', acoid: null } }
    const theirs = '{"data":{"acoid":null,"code":"FAIL"},"fieldErrors":null,"message":"SUCCESS","status":200}'
    expect(explainSignature({ kind: 'answer', envelope }, '', pair.publicKey, theirs).fields).toEqual([
      { name: 'data.acoid', expected: null, actual: 'null' },
      { name: 'fieldErrors', expected: null, actual: 'null' },
    ])
  })
})
