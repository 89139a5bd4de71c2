// biome-ignore-all lint/correctness/noUnusedVariables: before.js and after.js, which follow it in one script, use them
/**
 * Signs requests and verifies answers inside Postman, Newman and Insomnia. Their sandboxes offer CryptoJS, which knows no RSA;
 * crypto.subtle is missing in many versions, and its promises are not waited for in others. So RSA is computed here with
 * BigInt: PKCS#1 v1.5 with SHA-256, the keys as Base64 DER or PEM.
 */
const SIGN_TYPE = 'SHA256withRSA'

const SHORT_ESCAPES = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quote(text) {
  let quoted = ''
  // By code points: a surrogate that stands alone is one, and becomes a question mark.
  for (const letter of text) {
    const code = letter.codePointAt(0)
    if (SHORT_ESCAPES[letter] !== undefined) quoted += SHORT_ESCAPES[letter]
    else if (code < 0x20 || code === 0x2028 || code === 0x2029) quoted += `\\u${code.toString(16).padStart(4, '0')}`
    else quoted += code >= 0xd800 && code <= 0xdfff ? '?' : letter
  }
  return `"${quoted}"`
}

/** Compact JSON, sorted by name at every level, without members that are null. */
function canonical(value) {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return String(value)
  const names = Object.keys(value).filter((name) => value[name] !== null && value[name] !== undefined)
  return `{${names
    .sort()
    .map((name) => `${quote(name)}:${canonical(value[name])}`)
    .join(',')}}`
}

/** The text that a merchant signs. */
function requestText(params, headers) {
  const { aco_pay_sdk: _sdk, version: _version, ...signed } = params
  for (const name of Object.keys(signed)) if (name.trim() === '') delete signed[name]
  return canonical({ ...signed, ...headers })
}

/** The text that the platform signs. */
function answerText({ status, message, fieldErrors, data }) {
  const { sign: _sign, ...signed } = data
  return canonical({ status, message, fieldErrors, data: signed })
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function bytesOf(base64) {
  const bytes = []
  let bits = 0
  let held = 0
  for (const letter of base64.replace(/-----[A-Z ]+-----/g, '').replace(/[^0-9A-Za-z+/]/g, '')) {
    held = ((held << 6) | BASE64.indexOf(letter)) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return bytes
}

function base64Of(bytes) {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    for (let place = 0; place < 4; place += 1) {
      text += at + place > bytes.length ? '=' : BASE64[(three >> (18 - 6 * place)) & 63]
    }
  }
  return text
}

const hexOf = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
const numberOf = (bytes) => BigInt(`0x${hexOf(bytes)}`)

/** The contents of the element of DER at `at`, and where the next one begins. */
function element(bytes, at) {
  let length = bytes[at + 1]
  let start = at + 2
  if (length > 0x80) {
    const count = length - 0x80
    length = Number(numberOf(bytes.slice(start, start + count)))
    start += count
  }
  return { tag: bytes[at], contents: bytes.slice(start, start + length), next: start + length }
}

/** The elements inside one of DER. */
function elements(bytes) {
  const found = []
  for (let at = 0; at < bytes.length; ) {
    const { next, ...one } = element(bytes, at)
    found.push(one)
    at = next
  }
  return found
}

/** The modulus and the exponent: of PKCS#8 and PKCS#1 the private one, of SubjectPublicKeyInfo the public one. */
function readKey(text) {
  const outer = elements(element(bytesOf(text), 0).contents)
  const inner = outer.find(({ tag }) => tag === 0x04 || tag === 0x03)
  const isPublic = inner !== undefined && inner.tag === 0x03
  // The contents of a BIT STRING begin with the number of bits that are not used.
  const key =
    inner === undefined ? outer : elements(element(isPublic ? inner.contents.slice(1) : inner.contents, 0).contents)
  const [modulus, exponent] = isPublic ? key : [key[1], key[3]]
  return { modulus: numberOf(modulus.contents), exponent: numberOf(exponent.contents) }
}

function power(base, exponent, modulus) {
  let result = 1n
  let square = base % modulus
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

const SHA256_PREFIX = '3031300d060960864801650304020105000420'

/** The number that is signed: the digest with its padding. */
function padded(text, { modulus }) {
  const digest = `00${SHA256_PREFIX}${require('crypto-js').SHA256(text).toString()}`
  const digits = Math.ceil(modulus.toString(16).length / 2) * 2
  return BigInt(`0x0001${digest.padStart(digits - 4, 'f')}`)
}

function sign(text, privateKey) {
  const key = readKey(privateKey)
  const digits = Math.ceil(key.modulus.toString(16).length / 2) * 2
  const signature = power(padded(text, key), key.exponent, key.modulus).toString(16).padStart(digits, '0')
  return base64Of(signature.match(/../g).map((byte) => Number.parseInt(byte, 16)))
}

function verify(text, signature, publicKey) {
  const key = readKey(publicKey)
  return power(numberOf(bytesOf(signature)), key.exponent, key.modulus) === padded(text, key)
}
