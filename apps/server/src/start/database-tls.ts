/**
 * TLS to the database: `sslmode` and what belongs to it in DATABASE_URL mean what they mean to libpq, so that one URL does the same
 * for `psql`, `pg_dump` and the gateway. The driver alone reads them differently: decision 39.
 */
import { readFileSync, statSync } from 'node:fs'
import { type ConnectionOptions, checkServerIdentity, rootCertificates } from 'node:tls'
import type { ServersOptions } from '@acopay/store'
import ipaddr from 'ipaddr.js'
import { ConfigError } from './config-error.ts'
import { databaseHosts } from './database-hosts.ts'

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const
type Mode = (typeof MODES)[number]

const KNOWN = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslnegotiation']
/** Parameters that ask for security. One that is not known here is refused: it would be ignored. */
const SECURITY = /^ssl|^(?:requiressl|channel_binding|require_auth|uselibpqcompat|gssencmode)$/

/** The certificates that Node has: libpq's word for "those of the system". */
const SYSTEM = 'system'

type OneConnection = {
  connectionString: string
  ssl?: false | ConnectionOptions
  sslnegotiation?: 'postgres' | 'direct'
}
export type DatabaseConnection = OneConnection | { several: ServersOptions }

/**
 * How to connect. Throws a ConfigError of one line that names the parameter. Production sends nothing in plain text to another
 * machine unless the URL says `sslmode=disable`; of several hosts that holds for each.
 */
export function databaseConnection(databaseUrl: string, mode: 'sandbox' | 'production'): DatabaseConnection {
  const found = databaseHosts(databaseUrl)
  if (found === null) return oneConnection(databaseUrl, mode)
  const { hosts, wanted, hostMs } = found
  const servers = hosts.map(({ name, url }) => ({ name, ...oneConnection(url, mode) }))
  return { several: { servers, wanted, serverMs: hostMs } }
}

function oneConnection(databaseUrl: string, mode: 'sandbox' | 'production'): OneConnection {
  // `postgres://user@/name` has no host, which the URL of the web must have.
  const text = databaseUrl.replace('@/', '@localhost/')
  // The driver refuses it in its own words.
  if (!URL.canParse(text)) return { connectionString: databaseUrl }
  const url = new URL(text)
  const asked = take(url.searchParams)
  const host = hostOf(url)
  const sslmode = readMode(asked.get('sslmode'))
  if (sslmode === null) {
    const [pointless] = asked.keys()
    if (pointless !== undefined) throw wrong(pointless, '需要同时设 sslmode', 'needs sslmode beside it')
    if (mode === 'production' && !isLocal(host)) throw wrong('sslmode', PLAIN_ZH, PLAIN_EN)
    return { connectionString: databaseUrl }
  }
  const connectionString = withoutSecurity(databaseUrl)
  // libpq speaks no TLS through a socket of this machine, whatever sslmode says.
  if (sslmode === 'disable' || host.startsWith('/')) return { connectionString, ssl: false }
  return { connectionString, ssl: tlsOf({ sslmode, host, asked }), ...negotiationOf(asked) }
}

const PLAIN_ZH =
  '未设置，到另一台机器的数据库连接将不加密：请设 sslmode=verify-full 和 sslrootcert；网络确属自己时设 sslmode=disable'
const PLAIN_EN =
  'is missing, and the database on another machine would be reached in plain text: set sslmode=verify-full and sslrootcert, or sslmode=disable where the network is yours'

/** The error repeats no value: a URL may hold a password. */
const wrong = (parameter: string, zh: string, en: string): ConfigError =>
  new ConfigError(`DATABASE_URL 的 ${parameter} ${zh} (${parameter} ${en})`)

/** The parameters of security, each checked to be one that is known and said once. */
function take(parameters: URLSearchParams): Map<string, string> {
  const taken = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (!SECURITY.test(name)) continue
    if (!KNOWN.includes(name))
      throw wrong(name, `不支持；支持 ${KNOWN.join('、')}`, `is not supported; ${KNOWN.join(', ')} are`)
    if (taken.has(name)) throw wrong(name, '重复', 'is there twice')
    if (value !== '') taken.set(name, value)
  }
  return taken
}

/** The rest stays byte by byte: a password may be spelled in a way that `URL` would rewrite. */
function withoutSecurity(databaseUrl: string): string {
  const [before = '', query = ''] = databaseUrl.split(/\?(.*)/s)
  const kept = query.split('&').filter((part) => part !== '' && !SECURITY.test(part.split('=')[0] ?? ''))
  return kept.length === 0 ? before : `${before}?${kept.join('&')}`
}

function readMode(text: string | undefined): Mode | null {
  if (text === undefined) return null
  const mode = MODES.find((one) => one === text)
  if (mode !== undefined) return mode
  throw wrong('sslmode', `应为 ${MODES.join(' | ')}`, `is one of ${MODES.join(' | ')}`)
}

const hostOf = (url: URL): string =>
  url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '')

function isLocal(host: string): boolean {
  if (host === '' || host.startsWith('/') || host === 'localhost') return true
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback'
}

type Asked = { sslmode: Exclude<Mode, 'disable'>; host: string; asked: Map<string, string> }

function tlsOf({ sslmode, host, asked }: Asked): ConnectionOptions {
  const roots = asked.get('sslrootcert')
  if (roots === SYSTEM && sslmode !== 'verify-full')
    throw wrong('sslrootcert', '为 system 时 sslmode 应为 verify-full', '`system` goes with sslmode=verify-full only')
  if (roots === undefined && sslmode !== 'require')
    throw wrong(
      'sslrootcert',
      `未设置，${sslmode} 需要CA证书文件，或 system`,
      `is missing: ${sslmode} needs a file of CA certificates, or system`,
    )
  const ca = roots === SYSTEM ? [...rootCertificates] : roots && certificates('sslrootcert', roots)
  return {
    ...clientOf(asked),
    // As with libpq, `require` checks the issuer where it is told which ones are trusted.
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized: ca !== undefined,
    checkServerIdentity: (_, certificate) =>
      sslmode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
  }
}

/** The gateway's own certificate, where the server asks for one. */
function clientOf(asked: Map<string, string>): ConnectionOptions {
  const [cert, key] = [asked.get('sslcert'), asked.get('sslkey')]
  if (cert === undefined && key === undefined) return {}
  if (cert === undefined) throw wrong('sslcert', '未设置，与 sslkey 成对使用', 'is missing, it goes with sslkey')
  if (key === undefined) throw wrong('sslkey', '未设置，与 sslcert 成对使用', 'is missing, it goes with sslcert')
  const passphrase = asked.get('sslpassword')
  const own = { cert: certificates('sslcert', cert), key: privateKey(key) }
  return passphrase === undefined ? own : { ...own, passphrase }
}

function certificates(parameter: string, file: string): string {
  const text = read(parameter, file)
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw wrong(parameter, '不是PEM证书文件', 'is no file of PEM certificates')
}

function privateKey(file: string): string {
  const text = read('sslkey', file)
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text))
    throw wrong('sslkey', '不是PEM私钥文件', 'is no PEM file of a private key')
  const { mode, uid } = statSync(file)
  // libpq's rule: root may let a group read it, as Kubernetes does.
  const forbidden = uid === 0 ? 0o037 : 0o077
  if (process.platform !== 'win32' && (mode & forbidden) !== 0)
    throw wrong('sslkey', '可被其他用户读取，请 chmod 600', 'can be read by other users: chmod 600')
  return text
}

function read(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw wrong(parameter, `的文件读不到：${code}`, `names a file that cannot be read: ${code}`)
  }
}

function negotiationOf(asked: Map<string, string>): { sslnegotiation?: 'postgres' | 'direct' } {
  const text = asked.get('sslnegotiation')
  if (text === undefined) return {}
  if (text !== 'postgres' && text !== 'direct')
    throw wrong('sslnegotiation', '应为 postgres | direct', 'is one of postgres | direct')
  return { sslnegotiation: text }
}

/** What is wrong with the TLS to the database, by the words of Node and PostgreSQL; null where it is something else. */
export function tlsFailure({ code = '', message }: Error & { code?: string }): string | null {
  const found = FAILURES.find(([pattern]) => pattern.test(`${code} ${message}`))
  return found === undefined ? null : `${found[1]}: ${code || 'TLS'}`
}

const FAILURES: [RegExp, string][] = [
  [/does not support SSL/, 'sslmode：服务器未开启TLS (the server speaks no TLS; its setting is `ssl`)'],
  [
    /ALTNAME_INVALID/,
    "sslmode=verify-full：服务器证书不是发给该主机名的 (the server's certificate is for another host name)",
  ],
  [
    /^CERT_HAS_EXPIRED/,
    "数据库服务器的证书已过期，请在服务器上更换 (the server's certificate has expired: replace it there)",
  ],
  [
    /^CERT_NOT_YET_VALID/,
    "数据库服务器的证书尚未生效，请检查时钟 (the server's certificate is not valid yet: check the clocks)",
  ],
  [
    /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA/,
    "sslrootcert：服务器证书不是由其中的CA签发的 (the server's certificate was not issued by a CA of this file)",
  ],
  [
    /^28000 .*(?:client certificate|certificate authentication)|ALERT|^ERR_SSL_.*CERT/,
    'sslcert：服务器不接受网关的证书，或要求证书 (the server wants a client certificate, or refuses this one)',
  ],
  [
    /^28000 .*no encryption/,
    'sslmode：服务器只接受加密连接，请设 require 或 verify-full (the server takes encrypted connections only: set require or verify-full)',
  ],
  [/KEY_VALUES_MISMATCH/, 'sslkey：与 sslcert 不是一对 (does not belong to sslcert)'],
  [/BAD_DECRYPT|INTERRUPTED_OR_CANCELLED|bad decrypt/i, 'sslpassword：打不开 sslkey (does not open sslkey)'],
]
