/** Explains why a signature does not verify: tries the usual mistakes until one of them fits. */
import { constants, createHash, type KeyObject, verify } from 'node:crypto'
import {
  type Envelope,
  insideSignature,
  type JsonObject,
  notificationText,
  orderParamsText,
  requestText,
  responseText,
  SIGN_TYPE,
  type SignatureInside,
  verifyText,
} from '@acopay/protocol'
import { type Difference, differenceOf, type FieldDifference, fieldDifferences } from './difference.ts'
import { publicKeyOnly } from './keys.ts'
import { type Finding, slipFound } from './slips.ts'

/** What was signed. `mchNo` and `nonce` are the request's headers. */
export type Signed =
  | { kind: 'request'; params: JsonObject; mchNo: string; nonce: string }
  | { kind: 'order_params'; params: JsonObject }
  | { kind: 'answer'; envelope: Envelope }
  | { kind: 'notification'; body: JsonObject }

export type SignatureReport = {
  isValid: boolean
  /** What the contract says is signed. */
  canonicalText: string
  /** SHA-256 of `canonicalText`, in hex. */
  digest: string
  /** The digest inside the signature, in hex; null when this key cannot read it. */
  signedDigest: string | null
  findings: Finding[]
  /** Where `otherText` first differs from `canonicalText`; null when it is the same or was not given. */
  difference: Difference | null
  /** The fields that differ; empty unless `otherText` is a JSON object. */
  fields: FieldDifference[]
}

/**
 * Checks a signature against the text that the contract says is signed. `otherText` is the text that the signer
 * believes to have signed. Throws TypeError when `publicKey` is not a public key, RangeError when `signed` cannot be
 * signed at all.
 */
export function explainSignature(signed: Signed, sign: string, publicKey: string, otherText?: string): SignatureReport {
  const canonicalText = textOf(signed)
  const key = publicKeyOnly(publicKey)
  const isValid = verifyText(canonicalText, sign, key)
  const difference = otherText === undefined ? null : differenceOf(canonicalText, otherText)
  const fields = difference === null ? [] : fieldDifferences(canonicalText, otherText ?? '')
  const digest = sha256(canonicalText)
  const report = { isValid, canonicalText, digest, difference, fields }
  if (isValid) return { ...report, signedDigest: digest, findings: [] }
  const { shape, findings } = shapeOf(sign, key)
  const signature = shape === null ? null : Buffer.from(shape, 'base64')
  const inside = signature === null ? null : insideSignature(signature, key)
  return {
    ...report,
    signedDigest: inside?.digest ?? null,
    findings: [...findings, ...(signature === null ? [] : causes({ signed, canonicalText, signature, key }, inside))],
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

/** The signature in the standard Base64 alphabet, or null when it cannot be one; and what had to be corrected. */
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

type Failed = { signed: Signed; canonicalText: string; signature: Buffer; key: KeyObject }

function causes({ signed, canonicalText: text, signature, key }: Failed, inside: SignatureInside | null): Finding[] {
  if (inside === null) return [isPss(text, signature, key) ? PSS : OTHER_KEY]
  if (inside.hash === 'SHA-256') {
    if (inside.digest === sha256(text)) return [] // Only the Base64 was wrong.
    const isSigned = (other: string): boolean => sha256(other) === inside.digest
    return [slipFound({ members: membersOf(signed), text }, isSigned) ?? OTHER_TEXT]
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

/**
 * Why another text than `canonicalText` was signed, by the digest in the signature alone. `sent`: the parameters as they were
 * sent, a JSON object; null where they are not known.
 */
export function explainDigest(canonicalText: string, digest: string, sent: string | null): Finding {
  const canonical = objectIn(canonicalText)
  if (canonical === null) return OTHER_TEXT
  const members = { ...(objectIn(sent ?? '') ?? canonical), ...canonical }
  return slipFound({ members, text: canonicalText }, (other) => sha256(other) === digest) ?? OTHER_TEXT
}

/** Null where the text is no JSON object, such as one that was cut. */
function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
  } catch {
    return null
  }
}

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
