/** The kinds of settings: what each takes as a text and makes of it, and how that is said in errors, in the manual and to Helm. */
import type { KeyObject } from 'node:crypto'
import path from 'node:path'
import { type Fen, parseYuan } from '@acopay/core'
import { KEY_BITS_MIN, privateKeyFrom } from '@acopay/protocol'
import { ROLES, type Role } from '@acopay/protocol/console'
import ipaddr from 'ipaddr.js'

export type Both = { zh: string; en: string }

/** What a text has become, or the part of it that is wrong. */
export type Read<Value> = { value: Value } | { wrong: string }

export type Kind<Value, Unset = null> = {
  read: (text: string) => Read<Value>
  /** What a setting is that is not set and has no default. */
  unset: Unset
  /** Follows the variable's name in an error. */
  should: string
  /** Whether an error may repeat what is wrong. */
  isRepeated: boolean
  /** A secret is never shown; of a database's address `place` shows where it leads. */
  secret: null | { place: (text: string) => string | null }
  /** What the manual says it may be. */
  values: Both
  /** The same for JSON Schema. */
  schema: Record<string, unknown>
}

const same = (text: string): Both => ({ zh: text, en: text })

const orWrong = <Value>(text: string, value: Value | null): Read<Value> =>
  value === null ? { wrong: text } : { value }

const plain = { unset: null, isRepeated: true, secret: null, schema: { type: 'string' } } as const

const hidden = { ...plain, isRepeated: false, secret: { place: () => null } } as const

/** `times`: how many of the unit in which the gateway counts one of this setting is. */
export function whole(
  [min, max]: [number, number],
  { zh, en, times = 1 }: Partial<Both> & { times?: number } = {},
): Kind<number> {
  const read = (text: string): Read<number> => {
    const value = Number(text)
    return orWrong(text, /^\d+$/.test(text) && value >= min && value <= max ? value * times : null)
  }
  const unit = (word: string | undefined): string => (word === undefined ? '' : ` ${word}`)
  return {
    ...plain,
    read,
    should: `应为 ${min} 到 ${max} 的整数 (a whole number from ${min} to ${max})`,
    values: { zh: `${min}–${max}${unit(zh)}`, en: `${min}–${max}${unit(en)}` },
    // Helm reads large numbers as floating point, so that texts are taken too.
    schema: { type: ['integer', 'string'], minimum: min, maximum: max, pattern: '^[0-9]+$' },
  }
}

/** A number of processes; `auto`: as many as there are cores for this process. */
export function countOrAuto(max: number): Kind<number | 'auto'> {
  const count = whole([1, max])
  return {
    ...plain,
    read: (text) => (text === 'auto' ? { value: 'auto' as const } : count.read(text)),
    should: `应为 auto 或 1 到 ${max} 的整数 (auto, or a whole number from 1 to ${max})`,
    values: same(`\`auto\`, 1–${max}`),
    schema: { ...count.schema, pattern: '^(auto|[0-9]+)$' },
  }
}

export const words = <Word extends string>(...all: Word[]): Kind<Word> => ({
  ...plain,
  read: (text) => orWrong(text, all.find((word) => word === text) ?? null),
  should: `应为 (one of) ${all.join(' | ')}`,
  values: same(all.map((word) => `\`${word}\``).join(', ')),
  schema: { type: 'string', enum: all },
})

export const host: Kind<string> = {
  ...plain,
  read: (value) => ({ value }),
  should: '应为地址 (an address)',
  values: { zh: '地址', en: 'an address' },
}

export const file: Kind<string> = {
  ...plain,
  read: (value) => ({ value }),
  should: '应为路径 (a path)',
  values: { zh: '路径', en: 'a path' },
}

export const program: Kind<string> = {
  ...plain,
  read: (text) => orWrong(text, path.isAbsolute(text) ? text : null),
  should: '应为程序的绝对路径 (the absolute path of a program)',
  values: { zh: '绝对路径', en: 'an absolute path' },
  schema: { type: 'string', pattern: '^/' },
}

/** Without the slash at its end. */
export const webAddress: Kind<string> = {
  ...plain,
  // Somebody may have written a password into the address.
  isRepeated: false,
  read(text) {
    const url = URL.canParse(text) ? new URL(text) : null
    const isRight = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === ''
    return orWrong(text, isRight ? url.href.replace(/\/$/, '') : null)
  },
  should: '应为网址 (should be a URL), e.g. https://pay.example.com',
  values: { zh: '网址', en: 'a URL' },
  schema: { type: 'string', pattern: '^https?://' },
}

/** As it is written: what the provider says of itself must be the same text. Plain http is for this machine alone. */
export const issuer: Kind<string> = {
  ...plain,
  isRepeated: false,
  read(text) {
    const url = URL.canParse(text) ? new URL(text) : null
    const isBare = url !== null && [url.search, url.hash, url.username, url.password].every((part) => part === '')
    const isHere = url?.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(url.hostname)
    return orWrong(text, isBare && (isHere || url.protocol === 'https:') ? text : null)
  },
  should:
    '应为 https:// 网址，与提供方自己所写的一致 (should be a URL with https://, as the provider itself spells it)',
  values: { zh: '网址，`https://`', en: 'a URL with `https://`' },
  schema: { type: 'string', pattern: '^https?://' },
}

/** A name that others gave, without spaces. */
export const name: Kind<string> = {
  ...plain,
  read: (text) => orWrong(text, /^[\x21-\x7e]{1,255}$/.test(text) ? text : null),
  should: '应为1到255个可见ASCII字符 (1 to 255 visible ASCII characters)',
  values: { zh: '1到255个可见ASCII字符', en: '1 to 255 visible ASCII characters' },
}

export const title: Kind<string> = {
  ...plain,
  read: (text) => orWrong(text, /^[^\p{C}]{1,32}$/u.test(text) ? text : null),
  should: '应为1到32个字符 (1 to 32 characters)',
  values: { zh: '1到32个字符', en: '1 to 32 characters' },
}

/** Of such an address alone it is certain where the password ends. */
const HOST = /(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?/.source
const PLACE = new RegExp(`^postgres(?:ql)?://(?:[^@/?#]*@)?(${HOST}(?:,${HOST})*)/([\\w-]+)(?:\\?[^@#]*)?$`)

export const databaseAddress: Kind<string> = {
  ...hidden,
  read: (text) => orWrong(text, /^postgres(ql)?:\/\//.test(text) ? text : null),
  should: '应以 postgres:// 开头 (should begin with postgres://)',
  values: same('`postgres://…`'),
  secret: {
    place(text) {
      const [, hosts, database] = PLACE.exec(text) ?? []
      return hosts === undefined ? null : `${hosts}/${database}`
    },
  },
}

export const yuan: Kind<Fen> = {
  ...plain,
  read: (text) => orWrong(text, parseYuan(text)),
  should: '应为两位小数的元 (yuan with two decimals), e.g. 1000.00',
  values: { zh: '元，两位小数', en: 'yuan with two decimals' },
  schema: { type: 'string', pattern: '^[0-9]+\\.[0-9]{2}$' },
}

const partsOf = (text: string, between: string | RegExp = ','): string[] =>
  text.split(between).flatMap((part) => part.trim() || [])

type List<Item> = Kind<Item[], Item[]>

/** `one` answers null for a part that is wrong. */
function listOf<Item>(
  one: (part: string) => Item | null,
  { should, values }: { should: string; values: Both },
  parts: (text: string) => string[] = partsOf,
): List<Item> {
  const read = (text: string): Read<Item[]> => {
    const value: Item[] = []
    for (const part of parts(text)) {
      const item = one(part)
      if (item === null) return { wrong: part }
      value.push(item)
    }
    return { value }
  }
  return { ...plain, unset: [], read, should, values }
}

export const ports: List<number> = listOf(
  (text) => (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? Number(text) : null),
  {
    should: '应为逗号分隔的端口 (ports with commas between), e.g. 443,8443',
    values: { zh: '端口，逗号分隔', en: 'ports with commas between' },
  },
)

export const networks: List<string> = listOf((text) => (ipaddr.isValidCIDR(text) ? text : null), {
  should: '应为逗号分隔的CIDR (CIDR blocks with commas between), e.g. 10.1.0.0/16',
  values: { zh: 'CIDR，逗号分隔', en: 'CIDR blocks with commas between' },
})

export const origins: List<string> = listOf(
  (text) => {
    const url = URL.canParse(text) ? new URL(text) : null
    return url !== null && /^https?:$/.test(url.protocol) && url.origin === text ? text : null
  },
  {
    should: '应为逗号分隔的源 (origins with commas between), e.g. https://shell.example.com',
    values: { zh: '源，逗号分隔', en: 'origins with commas between' },
  },
)

export const roles: List<Role> = listOf((text) => ROLES.find((role) => role === text) ?? null, {
  should: `应为逗号分隔的角色 (roles with commas between): ${ROLES.join(', ')}`,
  values: {
    zh: `逗号分隔：${ROLES.map((role) => `\`${role}\``).join(', ')}`,
    en: `with commas between: ${ROLES.map((role) => `\`${role}\``).join(', ')}`,
  },
})

const SECRET_MIN = 16

export const token: Kind<string> = {
  ...hidden,
  read: (text) => orWrong(text, /^[\x21-\x7e]+$/.test(text) && text.length >= SECRET_MIN ? text : null),
  should: `应为至少 ${SECRET_MIN} 个可见ASCII字符，不含空格 (at least ${SECRET_MIN} visible ASCII characters, without spaces)`,
  values: { zh: `至少${SECRET_MIN}个可见ASCII字符`, en: `at least ${SECRET_MIN} visible ASCII characters` },
}

/** The form of `master.key`, one on each line, is right too. */
export const masterKeys: List<Buffer> = {
  ...listOf(
    masterKey,
    {
      should: '应为32字节的Base64，可用逗号分隔多个 (32 bytes in Base64; several with commas between)',
      values: { zh: '32字节的Base64，可用逗号分隔多个', en: '32 bytes in Base64; several with commas between' },
    },
    (text) => partsOf(text, /[,\n]/),
  ),
  ...{ isRepeated: false, secret: hidden.secret },
}

/** Node ignores extra or invalid Base64 characters, so a mistyped key would silently become another key. */
function masterKey(text: string): Buffer | null {
  const key = Buffer.from(text, 'base64')
  return key.length === 32 && key.toString('base64') === text ? key : null
}

/** Base64 with commas or line ends between, or PEM. */
export const privateKeys: List<KeyObject> = {
  ...listOf(
    privateKey,
    {
      should: `应为RSA私钥，PKCS#8 DER的Base64，可用逗号分隔多个 (RSA private keys of at least ${KEY_BITS_MIN} bits, PKCS#8 DER in Base64; several with commas between)`,
      values: {
        zh: `至少${KEY_BITS_MIN}位的RSA私钥，PKCS#8 DER的Base64，可用逗号分隔多个`,
        en: `RSA private keys of at least ${KEY_BITS_MIN} bits, PKCS#8 DER in Base64; several with commas between`,
      },
    },
    (text) => partsOf(text, text.includes('-----') ? /,|(?<=-----END [A-Z ]+-----)/ : /[,\n]/),
  ),
  ...{ isRepeated: false, secret: hidden.secret },
}

function privateKey(text: string): KeyObject | null {
  try {
    return privateKeyFrom(text)
  } catch {
    return null
  }
}

export function milliseconds(min: number, max: number): Kind<number> {
  return whole([min, max], { zh: '毫秒', en: 'ms' })
}

/** The headings of the manual, in its order. */
export const GROUPS = {
  place: { zh: '地址与模式', en: 'Addresses and mode' },
  storage: { zh: '数据库与文件', en: 'Database and files' },
  keys: { zh: '密钥', en: 'Keys' },
  orders: { zh: '关单与任务', en: 'Closing and jobs' },
  limits: { zh: '限制', en: 'Limits' },
  console: { zh: '管理台', en: 'Console' },
  network: { zh: '网络', en: 'Network' },
  seeing: { zh: '日志与监控', en: 'Logs and metrics' },
} as const satisfies Record<string, Both>
