/**
 * The usual mistakes in building the text to sign. Each gives the texts it leads to, to compare with what was signed.
 */
import { canonicalJson, type JsonObject, type JsonValue } from '@acopay/protocol'

/** One thing found, in Chinese and in English. */
export type Finding = { zh: string; en: string }

/** `members`: everything the signer had, unsorted and with nulls. `text`: the text that should have been signed. */
export type ToSign = { members: JsonObject; text: string }

type Slip = Finding & { texts: (toSign: ToSign) => string[] }

/** The mistake whose text was signed; null when none fits. */
export function slipFound(toSign: ToSign, isSigned: (text: string) => boolean): Finding | null {
  const found = [...SLIPS, ...slipsOfFields(toSign.text)].find(({ texts }) => texts(toSign).some(isSigned))
  return found === undefined ? null : { zh: found.zh, en: found.en }
}

const HEADER_NAMES = ['mch_no', 'nonce', 'sign_type']
const UNSIGNED_NAMES = ['sign', 'aco_pay_sdk', 'version']

const without = (members: JsonObject, left: (name: string, value: JsonValue | undefined) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([name, value]) => !left(name, value)))

const sorted = (members: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)))

const sortedText = (members: JsonObject, left: (name: string, value: JsonValue | undefined) => boolean): string =>
  JSON.stringify(sorted(without(members, left)))

const isUnsigned = (name: string, value?: JsonValue): boolean => UNSIGNED_NAMES.includes(name) || value === null

const escaped = (text: string, letters: RegExp): string =>
  text.replace(letters, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const BEYOND_ASCII = /[\u0080-\uffff]/g

/** Adds a blank after each comma and colon outside of strings. */
const spaced = (text: string): string =>
  text.replace(/("(?:\\.|[^"\\])*")|[,:]/g, (found, inside?: string) => inside ?? `${found} `)

const SLIPS: Slip[] = [
  {
    zh: '待签名文本末尾多了换行',
    en: 'a line end was signed along',
    texts: ({ text }) => [`${text}\n`, `${text}\r\n`],
  },
  {
    zh: 'U+2028、U+2029没有转义，应写成\\u2028、\\u2029',
    en: 'U+2028 or U+2029 was left raw; it is written \\u2028, \\u2029',
    texts: ({ text }) => [text.replaceAll('\\u2028', '\u2028').replaceAll('\\u2029', '\u2029')],
  },
  {
    zh: '字段没有按名称排序',
    en: 'the names were not sorted',
    texts: ({ members }) => {
      const unsorted = without(members, isUnsigned)
      const headersFirst = { ...without(unsorted, (name) => !HEADER_NAMES.includes(name)), ...unsorted }
      return [JSON.stringify(unsorted), JSON.stringify(headersFirst)]
    },
  },
  {
    zh: '值为null的字段也被签名了，应去掉',
    en: 'members that are null were signed; leave them out',
    texts: ({ members }) => [sortedText(members, (name) => isUnsigned(name))],
  },
  {
    zh: '空字符串的字段被去掉了，应保留',
    en: 'empty texts were left out; keep them',
    texts: ({ members }) => [sortedText(members, (name, value) => isUnsigned(name, value) || value === '')],
  },
  {
    zh: 'aco_pay_sdk、version或sign被签名了，应去掉',
    en: 'aco_pay_sdk, version or sign was signed; leave them out',
    texts: ({ members }) => [sortedText(members, (_name, value) => value === null)],
  },
  {
    zh: '没有加入mch_no、nonce、sign_type',
    en: 'mch_no, nonce and sign_type were not added',
    texts: ({ members }) => [
      sortedText(members, (name, value) => isUnsigned(name, value) || HEADER_NAMES.includes(name)),
    ],
  },
  {
    zh: '斜杠被转义成了\\/，应保持原样',
    en: 'slashes were escaped as \\/; they stay as they are',
    texts: ({ text }) => [text.replaceAll('/', '\\/')],
  },
  {
    zh: '中文等字符被转义成了\\uXXXX，应保持UTF-8原样',
    en: 'characters beyond ASCII were escaped as \\uXXXX; they stay raw UTF-8',
    texts: ({ text }) => [
      escaped(text, BEYOND_ASCII),
      text.replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
    ],
  },
  {
    zh: '斜杠和中文都被转义了（PHP的json_encode默认如此）：加JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE',
    en: "slashes and Chinese were both escaped, PHP's default: use JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE",
    texts: ({ text }) => [escaped(text, BEYOND_ASCII).replaceAll('/', '\\/')],
  },
  {
    zh: '带有空格且中文被转义（Python的json.dumps默认如此）：加separators=(",", ":")和ensure_ascii=False',
    en: 'blanks, and Chinese escaped, Python\'s default: use separators=(",", ":") and ensure_ascii=False',
    texts: ({ text }) => [spaced(escaped(text, BEYOND_ASCII))],
  },
  {
    zh: "<、>、&、=或'被转义了（Go、Gson默认如此），应关闭HTML转义",
    en: "<, >, &, = or ' was escaped, as Go and Gson do unless told otherwise; turn HTML escaping off",
    texts: ({ text }) => [escaped(text, /[<>&]/g), escaped(text, /[<>&=']/g)],
  },
  {
    zh: 'JSON带有空格或缩进，应为紧凑格式',
    en: 'the JSON was written with blanks; it has none',
    texts: ({ text }) => {
      const value: unknown = JSON.parse(text)
      return [JSON.stringify(value, null, 2), JSON.stringify(value, null, 4), spaced(text)]
    },
  },
  {
    zh: '签的是a=1&b=2形式的文本，应为JSON',
    en: 'a text like a=1&b=2 was signed; it should be JSON',
    texts: ({ members }) => [
      Object.entries(sorted(without(members, isUnsigned)))
        .map((pair) => pair.join('='))
        .join('&'),
    ],
  },
]

/** The mistakes that concern one field, for each signed field. */
function slipsOfFields(text: string): Slip[] {
  const signed = JSON.parse(text) as JsonObject
  return Object.entries(signed).flatMap(([name, value]): Slip[] => {
    const changed = (other: JsonValue): string => canonicalJson({ ...signed, [name]: other })
    const left = { zh: `字段${name}没有被签名`, en: `${name} was not signed`, texts: () => [changed(null)] }
    if (typeof value !== 'string') return [left]
    return [
      left,
      {
        zh: `字段${name}签成了数字，应为字符串`,
        en: `${name} was signed as a number; it is a text`,
        texts: () =>
          /^-?\d{1,15}(\.\d{1,9})?$/.test(value) ? [changed(Number(value)), unquoted(text, name, value)] : [],
      },
      {
        zh: `字段${name}签的是URL编码后的值，应先解码`,
        en: `${name} was signed percent-encoded; sign it decoded`,
        texts: () => [
          changed(encodeURIComponent(value)),
          changed(new URLSearchParams([['', value]]).toString().slice(1)),
        ],
      },
      {
        zh: `字段${name}的首尾空白被去掉了，应保留`,
        en: `${name} was signed without the blanks at its ends; keep them`,
        texts: () => [changed(value.trim())],
      },
    ]
  })
}

/** Writes `"amount_total":"12.50"` as `"amount_total":12.50`, with the same digits. */
const unquoted = (text: string, name: string, value: string): string =>
  text.replace(`${JSON.stringify(name)}:"${value}"`, () => `${JSON.stringify(name)}:${value}`)
