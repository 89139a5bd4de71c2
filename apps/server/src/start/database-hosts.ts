/**
 * Several hosts in DATABASE_URL, as libpq knows them: `postgres://u:p@a:5432,b:5433/db?target_session_attrs=read-write`, or
 * `?host=a,b&port=1,2`. The driver knows one host: it gets an address for each (decision 44).
 */
import type { WantedServer } from '@acopay/store'
import { ConfigError } from './config-error.ts'

export type DatabaseHosts = {
  /** `host:port`, and the address with this host alone; everything else in it stays byte by byte. */
  hosts: { name: string; url: string }[]
  wanted: WantedServer
  hostMs: number
}

const WANTED: WantedServer[] = ['any', 'read-write', 'primary']
/** They would have the gateway on a server to which it cannot write. */
const NOT_WRITABLE = ['read-only', 'standby', 'prefer-standby']
const OURS = /^(?:host|port|target_session_attrs|connect_timeout|load_balance_hosts)$/
const DEFAULT_PORT = '5432'
const DEFAULT_HOST_MS = 2000
/** Less than a caller waits for a connection of the pool. */
const LONGEST_HOST_MS = 4000

const PARTS = /^(postgres(?:ql)?:\/\/)((?:[^/?#]*@)?)([^/?#@]*)(\/[^?#]*)?(?:\?(.*))?$/s

/** The error repeats no value: a URL may hold a password. */
const wrong = (parameter: string, zh: string, en: string): ConfigError =>
  new ConfigError(`DATABASE_URL 的 ${parameter} ${zh} (${parameter} ${en})`)

/** Null where the address names one host and wants nothing of it: the driver reads that by itself. Throws a ConfigError of one line. */
export function databaseHosts(databaseUrl: string): DatabaseHosts | null {
  const [, scheme = '', user = '', authority = '', path = '', query = ''] = PARTS.exec(databaseUrl) ?? []
  if (scheme === '') return null
  const parameters = new URLSearchParams(query)
  const places = placesOf(authority, parameters)
  const wanted = readWanted(parameters.get('target_session_attrs'))
  if ((parameters.get('load_balance_hosts') ?? 'disable') !== 'disable')
    throw wrong('load_balance_hosts', '不支持，按所写顺序逐个尝试', 'is not supported: hosts are tried in their order')
  if (places.length < 2 && wanted === null) return null
  const kept = query.split('&').filter((part) => part !== '' && !OURS.test(part.split('=')[0] ?? ''))
  const rest = `${path}${kept.length === 0 ? '' : `?${kept.join('&')}`}`
  return {
    hosts: places.map(({ host, port }) => ({
      name: `${host}:${port}`,
      url: `${scheme}${user}${inAddress(host)}:${port}${rest}`,
    })),
    // libpq takes any that answers; a gateway that got a standby could write nothing.
    wanted: wanted ?? 'read-write',
    hostMs: readTimeout(parameters.get('connect_timeout')),
  }
}

type HostAndPort = { host: string; port: string }

/** As in libpq, `host` and `port` behind the question mark stand for those before it. */
function placesOf(authority: string, parameters: URLSearchParams): HostAndPort[] {
  const before = authority.split(',').map((text) => /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text) ?? [])
  const asked = parameters.get('host')
  const hosts = asked?.split(',') ?? before.map(([, host = '']) => decoded(host).replace(/^\[|\]$/g, ''))
  const ports = parameters.get('port')?.split(',') ?? (asked === null ? before.map(([, , port = '']) => port) : [''])
  if (hosts.length < 2) return [{ host: hosts[0] || 'localhost', port: ports[0] || DEFAULT_PORT }]
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw wrong(
      'port',
      `有 ${ports.length} 个，host 有 ${hosts.length} 个`,
      `has ${ports.length} for ${hosts.length} hosts`,
    )
  return hosts.map((host, index) => {
    if (host === '') throw wrong('host', '有一个是空的', 'has an empty one')
    const port = ports[ports.length === 1 ? 0 : index] || DEFAULT_PORT
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
      throw wrong('port', '应为1到65535', 'is a number from 1 to 65535')
    return { host, port }
  })
}

/** What cannot be decoded the driver refuses in its own words. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function readWanted(text: string | null): WantedServer | null {
  if (text === null) return null
  const wanted = WANTED.find((one) => one === text)
  if (wanted !== undefined) return wanted
  const name = 'target_session_attrs'
  if (NOT_WRITABLE.includes(text))
    throw wrong(
      name,
      '会选到不能写入的服务器，网关必须写入：请用 read-write',
      'would choose a server that takes no writes, and the gateway writes: set read-write',
    )
  throw wrong(name, `应为 ${WANTED.join(' | ')}`, `is one of ${WANTED.join(' | ')}`)
}

/** Seconds, for each host. */
function readTimeout(text: string | null): number {
  if (text === null) return DEFAULT_HOST_MS
  if (!/^\d{1,4}$/.test(text)) throw wrong('connect_timeout', '应为秒数', 'is a number of seconds')
  return Number(text) === 0 ? LONGEST_HOST_MS : Math.min(Number(text) * 1000, LONGEST_HOST_MS)
}

function inAddress(host: string): string {
  if (host.startsWith('/')) return encodeURIComponent(host)
  return host.includes(':') ? `[${host}]` : host
}

/** The same address with another database. */
export const withDatabase = (databaseUrl: string, name: string): string =>
  databaseUrl.replace(
    PARTS,
    (...[, scheme, user, authority, , query]: (string | undefined)[]) =>
      `${scheme}${user}${authority}/${name}${query === undefined ? '' : `?${query}`}`,
  )
