/** Why a signature does not verify: tries what people do wrong until one of it fits. */
import { constants, createHash, type KeyObject, publicDecrypt, verify } from 'node:crypto'
import {
  type Envelope,
  type JsonObject,
  notificationText,
  orderParamsText,
  publicKeyFrom,
  requestText,
  responseText,
  SIGN_TYPE,
  verifyText,
} from '@acopay/protocol'

/** What was signed. `mchNo` and `nonce` are the request's headers. */
export type Signed =
  | { kind: 'request'; params: JsonObject; mchNo: string; nonce: string }
  | { kind: 'order_params'; params: JsonObject }
  | { kind: 'answer'; envelope: Envelope }
  | { kind: 'notification'; body: JsonObject }

/** One thing found, in Chinese and in English. */
export type Finding = { zh: string; en: string }

export type SignatureReport = {
  isValid: boolean
  /** What the contract says is signed. */
  canonicalText: string
  /** SHA-256 of it, in hex, and the digest that was really signed, where the key could read it. */
  digest: string
  signedDigest: string | null
  findings: Finding[]
  /** Where `otherText` first differs, counted in UTF-16 units from 0; null when it was not given or is the same. */
  difference: { at: number; expected: string; actual: string } | null
}

/**
 * Holds a signature against what the contract says is signed. `otherText` is what the signer believes to have signed.
 * Throws TypeError when `publicKey` is no public key.
 */
export function explainSignature(signed: Signed, sign: string, publicKey: string, otherText?: string): SignatureReport {
  const canonicalText = textOf(signed)
  const key = publicKeyFrom(publicKey)
  const isValid = verifyText(canonicalText, sign, key)
  const difference = otherText === undefined ? null : differenceOf(canonicalText, otherText)
  const digest = sha256(canonicalText)
  const report = { isValid, canonicalText, digest, difference }
  if (isValid) return { ...report, signedDigest: digest, findings: [] }
  const { shape, findings } = shapeOf(sign, key)
  const signature = shape === null ? null : Buffer.from(shape, 'base64')
  const inside = signature === null ? null : digestInside(signature, key)
  return {
    ...report,
    signedDigest: inside?.digest ?? null,
    findings: [...findings, ...(signature === null ? [] : causes(signed, canonicalText, signature, inside, key))],
  }
}

function textOf(signed: Signed): string {
  switch (signed.kind) {
    case 'request':
      return requestText(signed.params, { mchNo: signed.mchNo, nonce: signed.nonce, signType: SIGN_TYPE })
    case 'order_params':
      return orderParamsText(signed.params)
    case 'answer':
      return responseText(signed.envelope)
    case 'notification':
      return notificationText(signed.body)
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** The signature in the standard alphabet, or null when it cannot be one; and what had to be mended. */
function shapeOf(sign: string, key: KeyObject): { shape: string | null; findings: Finding[] } {
  const findings: Finding[] = []
  let shape = sign
  if (/\s/.test(shape)) {
    findings.push({ zh: '签名中有空白或换行，应去掉', en: 'the signature holds blanks or line ends; remove them' })
    shape = shape.replace(/\s/g, '')
  }
  if (/[-_]/.test(shape)) {
    findings.push({
      zh: '签名用了URL安全的Base64，应使用标准字母表',
      en: 'URL-safe Base64; the standard alphabet is needed',
    })
    shape = shape.replaceAll('-', '+').replaceAll('_', '/')
  }
  if (shape.length % 4 !== 0) {
    findings.push({ zh: '签名缺少Base64填充的“=”', en: 'the padding "=" of the Base64 is missing' })
    shape = shape.padEnd(Math.ceil(shape.length / 4) * 4, '=')
  }
  const bytes = Buffer.from(shape, 'base64').length
  const expected = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  if (bytes === expected) return { shape, findings }
  findings.push({
    zh: `签名应为${expected}字节，实际为${bytes}字节：被截断，或由长度不同的密钥生成`,
    en: `${expected} bytes were expected, these are ${bytes}: cut off, or made by a key of another size`,
  })
  return { shape: null, findings }
}

/** Hash algorithms by the DER prefix that PKCS#1 v1.5 puts before the digest. */
const DIGEST_PREFIXES: [name: string, prefix: string][] = [
  ['SHA-256', '3031300d060960864801650304020105000420'],
  ['SHA-1', '3021300906052b0e03021a05000414'],
  ['MD5', '3020300c06082a864886f70d020505000410'],
  ['SHA-384', '3041300d060960864801650304020205000430'],
  ['SHA-512', '3051300d060960864801650304020305000440'],
]

type Inside = { hash: string; digest: string }

/** What the signature says under this key; null when it was not made by its other half. */
function digestInside(signature: Buffer, key: KeyObject): Inside | null {
  let opened: string
  try {
    opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).toString('hex')
  } catch {
    return null
  }
  const known = DIGEST_PREFIXES.find(([, prefix]) => opened.startsWith(prefix))
  return known === undefined ? { hash: '?', digest: opened } : { hash: known[0], digest: opened.slice(known[1].length) }
}

function causes(signed: Signed, text: string, signature: Buffer, inside: Inside | null, key: KeyObject): Finding[] {
  if (inside === null) return [isPss(text, signature, key) ? PSS : OTHER_KEY]
  if (inside.hash === 'SHA-256') {
    if (inside.digest === sha256(text)) return [] // Only its shape was wrong.
    const slip = SLIPS.find(({ texts }) => texts(signed, text).some((other) => sha256(other) === inside.digest))
    return [slip ?? OTHER_TEXT]
  }
  const isNothing = inside.hash === '?'
  return [
    {
      zh: isNothing ? '签名时没有做摘要' : `签名用的摘要算法是${inside.hash}，应为SHA-256`,
      en: isNothing ? 'the text was signed without a digest' : `signed with ${inside.hash}; SHA-256 is needed`,
    },
  ]
}

const PSS: Finding = { zh: '签名用了RSA-PSS填充，应为PKCS#1 v1.5', en: 'signed with RSA-PSS; PKCS#1 v1.5 is needed' }
const OTHER_KEY: Finding = {
  zh: '签名不是由这个公钥对应的私钥生成的（密钥配错，或公钥取错）',
  en: 'not made by the private half of this public key: one of the two is the wrong key',
}
const OTHER_TEXT: Finding = {
  zh: '密钥与算法都对，但签的是另一段文本；请用自己拼出的待签名文本逐字比较',
  en: 'right key, right algorithm, another text: compare your own text with the canonical one',
}

const isPss = (text: string, signature: Buffer, key: KeyObject): boolean =>
  verify('RSA-SHA256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING }, signature)

type Slip = Finding & { texts: (signed: Signed, text: string) => string[] }

const membersOf = (signed: Signed): JsonObject => {
  switch (signed.kind) {
    case 'request':
      return { ...signed.params, mch_no: signed.mchNo, nonce: signed.nonce, sign_type: SIGN_TYPE }
    case 'order_params':
      return signed.params
    case 'answer':
      return signed.envelope
    case 'notification':
      return signed.body
  }
}

const without = (members: JsonObject, left: (name: string, value: unknown) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([name, value]) => !left(name, value)))

const sorted = (members: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)))

const unsignedNames = new Set(['sign', 'aco_pay_sdk', 'version'])
const isUnsigned = (name: string): boolean => unsignedNames.has(name)

const formText = (members: JsonObject): string =>
  Object.entries(sorted(members))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

const SLIPS: Slip[] = [
  {
    zh: '待签名文本末尾多了换行',
    en: 'a line end was signed along',
    texts: (_signed, text) => [`${text}\n`, `${text}\r\n`],
  },
  {
    zh: '字段没有按名称排序',
    en: 'the names were not sorted',
    texts: (signed) => [
      JSON.stringify(without(membersOf(signed), (name, value) => isUnsigned(name) || value === null)),
    ],
  },
  {
    zh: '值为null的字段也被签名了，应去掉',
    en: 'members that are null were signed; leave them out',
    texts: (signed) => [JSON.stringify(sorted(without(membersOf(signed), isUnsigned)))],
  },
  {
    zh: '空字符串的字段被去掉了，应保留',
    en: 'empty texts were left out; keep them',
    texts: (signed) => [
      JSON.stringify(
        sorted(without(membersOf(signed), (name, value) => isUnsigned(name) || value === '' || value === null)),
      ),
    ],
  },
  {
    zh: 'aco_pay_sdk、version或sign被签名了，应去掉',
    en: 'aco_pay_sdk, version or sign was signed; leave them out',
    texts: (signed) => [JSON.stringify(sorted(without(membersOf(signed), (_name, value) => value === null)))],
  },
  {
    zh: '没有加入mch_no、nonce、sign_type',
    en: 'mch_no, nonce and sign_type were not added',
    texts: (signed) => [
      JSON.stringify(
        sorted(
          without(
            membersOf(signed),
            (name, value) => isUnsigned(name) || value === null || ['mch_no', 'nonce', 'sign_type'].includes(name),
          ),
        ),
      ),
    ],
  },
  {
    zh: '斜杠被转义成了\\/，应保持原样',
    en: 'slashes were escaped as \\/; they stay as they are',
    texts: (_signed, text) => [text.replaceAll('/', '\\/')],
  },
  {
    zh: '中文等字符被转义成了\\uXXXX，应保持UTF-8原样',
    en: 'characters beyond ASCII were escaped as \\uXXXX; they stay raw UTF-8',
    texts: (_signed, text) =>
      ['toLowerCase' as const, 'toUpperCase' as const].map((letters) =>
        text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')[letters]()}`),
      ),
  },
  {
    zh: 'JSON带有空格或缩进，应为紧凑格式',
    en: 'the JSON was written with blanks; it has none',
    texts: (_signed, text) => {
      const value: unknown = JSON.parse(text)
      return [
        JSON.stringify(value, null, 2),
        JSON.stringify(value, null, 4),
        text.replace(/":/g, '": ').replace(/,"/g, ', "'),
      ]
    },
  },
  {
    zh: '签的是a=1&b=2形式的文本，应为JSON',
    en: 'a text like a=1&b=2 was signed; it should be JSON',
    texts: (signed) => [formText(without(membersOf(signed), (name, value) => isUnsigned(name) || value === null))],
  },
]

function differenceOf(expected: string, actual: string): SignatureReport['difference'] {
  if (expected === actual) return null
  let at = 0
  while (expected[at] === actual[at]) at += 1
  const around = (text: string): string => text.slice(Math.max(0, at - 10), at + 20)
  return { at, expected: around(expected), actual: around(actual) }
}
