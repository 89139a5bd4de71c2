/** Configuration: environment variables, read and checked once at the start. docs/operating.md documents each of them. */
import type { KeyObject } from 'node:crypto'
import path from 'node:path'
import { type Fen, parseYuan } from '@acopay/core'
import { KEY_BITS_MIN, privateKeyFrom } from '@acopay/protocol'
import { ROLES, type Role } from '@acopay/protocol/console'
import ipaddr from 'ipaddr.js'

export type Config = {
  host: string
  port: number
  home: string
  /** Null: the embedded PostgreSQL, whose data is below `home`. */
  databaseUrl: string | null
  mode: 'sandbox' | 'production'
  /** The address at which payers and merchants reach this gateway; null: the address at which it listens. */
  publicUrl: string | null
  /** 32 bytes each, the one that seals first; none: they are in a file below `home`. */
  masterKeys: Buffer[]
  /** Platform keys that are given to this process, for those of the database that say so. */
  platformKeys: KeyObject[]
  /** The program that signs with platform keys which it holds; null: there is none. */
  signer: string | null
  logLevel: string
  /** `auto`: for people on a sandbox's terminal, else JSON. */
  logFormat: 'auto' | 'json' | 'pretty'
  closeBudgetMs: number
  channelCallMs: number
  leaseMs: number
  nonceWindowMs: number
  jobPauseMs: number
  poolMax: number
  /** Requests a second from one address; 0: no limit. */
  ratePerAddress: number
  /** Requests a second of a merchant that has no limit of its own; 0: no limit. */
  ratePerMerchant: number
  /** Ports that merchants' URLs may name. */
  notifyPorts: number[]
  /** Networks that merchants' URLs may lead to although they are not public, as CIDR blocks. */
  notifyNetworks: string[]
  /** Origins whose pages may show the cashier in a frame; in the sandbox also every page of this machine. */
  shellOrigins: string[]
  /** How many calls of each merchant are kept for the merchant to read, done and refused ones each; 0: none. */
  callLogMax: number
  /** Days for which the console's audit log is kept; 0: for good. */
  auditDays: number
  /** How many proxies in front of the gateway are trusted to pass on the caller's address. */
  trustedProxies: number
  /** Roles of the console whose users must have a second factor: an authenticator or a passkey. */
  totpRoles: Role[]
  /** A refund above this many fen at the console needs a fresh proof of who asks for it. */
  proofAboveFen: Fen
  /** Null: one person is enough for any refund. */
  secondPersonAboveFen: Fen | null
  /** Who reads /metrics sends it; null: the gateway's own port does not have /metrics. */
  metricsToken: string | null
  /** A port of its own for /metrics; null: there is none. */
  metricsPort: number | null
  /** Sandbox only: others than this machine may reach it, who then pay for nothing. */
  sandboxExposed: 'no' | 'yes'
}

export class ConfigError extends Error {}

type Env = Record<string, string | undefined>

const HOURS = 3_600_000

/** Throws a ConfigError of one line that names the variable and the values that it may have. */
export function readConfig(env: Env, defaultHome: string): Config {
  const number = (name: string, otherwise: number, min: number, max: number): number => {
    const text = env[name]
    if (text === undefined || text === '') return otherwise
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new ConfigError(
        `${name} 应为 ${min} 到 ${max} 的整数 (a whole number from ${min} to ${max}); got "${text}"`,
      )
    }
    return value
  }
  const oneOf = <Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word => {
    const text = env[name] || words[0]
    const word = words.find((candidate) => candidate === text)
    if (word === undefined) throw new ConfigError(`${name} 应为 (one of) ${words.join(' | ')}; got "${text}"`)
    return word
  }

  const host = env.HOST || '127.0.0.1'
  const port = number('PORT', 8080, 0, 65_535)
  const config: Config = {
    host,
    port,
    home: path.resolve(env.ACOPAY_HOME || defaultHome),
    databaseUrl: env.DATABASE_URL || null,
    mode: oneOf('ACOPAY_MODE', ['sandbox', 'production']),
    publicUrl: readUrl(env.ACOPAY_PUBLIC_URL),
    ...readKeys(env),
    logLevel: oneOf('LOG_LEVEL', ['info', 'debug', 'warn', 'error', 'silent']),
    logFormat: oneOf('LOG_FORMAT', ['auto', 'json', 'pretty']),
    closeBudgetMs: number('ACOPAY_CLOSE_BUDGET_MS', 6000, 100, 8000),
    channelCallMs: number('ACOPAY_CHANNEL_CALL_MS', 2000, 50, 8000),
    leaseMs: number('ACOPAY_LEASE_MS', 15_000, 200, 600_000),
    nonceWindowMs: number('ACOPAY_NONCE_HOURS', 24, 1, 24 * 366) * HOURS,
    jobPauseMs: number('ACOPAY_JOB_PAUSE_MS', 500, 10, 60_000),
    poolMax: number('ACOPAY_POOL_MAX', 16, 2, 500),
    ratePerAddress: number('ACOPAY_RATE_PER_ADDRESS', 5000, 0, 1_000_000),
    ratePerMerchant: number('ACOPAY_RATE_PER_MERCHANT', 0, 0, 1_000_000),
    notifyPorts: readList(env.ACOPAY_NOTIFY_PORTS || '443').map(readPort),
    notifyNetworks: readList(env.ACOPAY_NOTIFY_NETWORKS ?? '').map(readNetwork),
    shellOrigins: readList(env.ACOPAY_SHELL_ORIGINS ?? '').map(readOrigin),
    callLogMax: number('ACOPAY_CALL_LOG', 1000, 0, 100_000),
    auditDays: number('ACOPAY_AUDIT_DAYS', 0, 0, 36_500),
    trustedProxies: number('ACOPAY_TRUSTED_PROXIES', 0, 0, 10),
    totpRoles: readList(env.ACOPAY_TOTP_ROLES ?? '').map(readRole),
    proofAboveFen: readYuan('ACOPAY_PROOF_ABOVE', env.ACOPAY_PROOF_ABOVE || '1000.00'),
    secondPersonAboveFen: readBound('ACOPAY_SECOND_PERSON_ABOVE', env.ACOPAY_SECOND_PERSON_ABOVE),
    metricsToken: readSecret('ACOPAY_METRICS_TOKEN', env.ACOPAY_METRICS_TOKEN),
    metricsPort: env.ACOPAY_METRICS_PORT ? number('ACOPAY_METRICS_PORT', 0, 0, 65_535) : null,
    sandboxExposed: oneOf('ACOPAY_SANDBOX_EXPOSED', ['no', 'yes']),
  }
  if (config.mode === 'sandbox') config.shellOrigins.push('http://127.0.0.1:*', 'http://localhost:*')
  refuseContradictions(config)
  return config
}

/** Settings that do not go together. */
function refuseContradictions(config: Config): void {
  refuseExposedSandbox(config)
  // A lease must last longer than the work it protects; otherwise two workers do the same work.
  if (config.leaseMs < 2 * config.closeBudgetMs) {
    throw new ConfigError(
      'ACOPAY_LEASE_MS 至少应为 ACOPAY_CLOSE_BUDGET_MS 的两倍 (at least twice ACOPAY_CLOSE_BUDGET_MS)',
    )
  }
  if (config.databaseUrl !== null && !/^postgres(ql)?:\/\//.test(config.databaseUrl)) {
    // The error does not repeat the value, because it may contain a password.
    throw new ConfigError('DATABASE_URL 应以 postgres:// 开头 (should begin with postgres://)')
  }
}

/** In a sandbox everyone can play the payer. One that strangers reach would hand out what its merchants sell. */
function refuseExposedSandbox({ mode, sandboxExposed, publicUrl, host }: Config): void {
  if (mode !== 'sandbox' || sandboxExposed === 'yes') return
  const exposed = isLoopback(host)
    ? publicUrl !== null && !isLoopback(new URL(publicUrl).hostname) && 'ACOPAY_PUBLIC_URL'
    : 'HOST'
  if (exposed === false) return
  throw new ConfigError(
    `${exposed} 使沙箱可从外部访问，任何人不付钱就能“支付”订单：请设 ACOPAY_MODE=production；确实要公开沙箱，请设 ACOPAY_SANDBOX_EXPOSED=yes (lets others reach a sandbox, where everyone can "pay" without money: set ACOPAY_MODE=production, or ACOPAY_SANDBOX_EXPOSED=yes if that is meant)`,
  )
}

/** This machine alone, by any of its spellings in a setting or a URL. */
function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback'
}

const readList = (text: string): string[] => text.split(',').flatMap((part) => part.trim() || [])

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port
  throw new ConfigError(
    `ACOPAY_NOTIFY_PORTS 应为逗号分隔的端口 (ports with commas between), e.g. 443,8443; got "${text}"`,
  )
}

function readNetwork(text: string): string {
  if (ipaddr.isValidCIDR(text)) return text
  throw new ConfigError(
    `ACOPAY_NOTIFY_NETWORKS 应为逗号分隔的CIDR (CIDR blocks with commas between), e.g. 10.1.0.0/16; got "${text}"`,
  )
}

function readRole(text: string): Role {
  const role = ROLES.find((one) => one === text)
  if (role !== undefined) return role
  throw new ConfigError(
    `ACOPAY_TOTP_ROLES 应为逗号分隔的角色 (roles with commas between): ${ROLES.join(', ')}; got "${text}"`,
  )
}

function readYuan(name: string, text: string): Fen {
  const amount = parseYuan(text)
  if (amount !== null) return amount
  throw new ConfigError(`${name} 应为两位小数的元 (yuan with two decimals), e.g. 1000.00; got "${text}"`)
}

/** Null where there is no bound. */
const readBound = (name: string, text: string | undefined): Fen | null => (text ? readYuan(name, text) : null)

function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.origin === text) return text
  throw new ConfigError(
    `ACOPAY_SHELL_ORIGINS 应为逗号分隔的源 (origins with commas between), e.g. https://shell.example.com; got "${text}"`,
  )
}

function readUrl(text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new ConfigError('ACOPAY_PUBLIC_URL 应为网址 (should be a URL), e.g. https://pay.example.com')
  }
  return url.href.replace(/\/$/, '')
}

const readKeys = (env: Env): Pick<Config, 'masterKeys' | 'platformKeys' | 'signer'> => ({
  masterKeys: readList(env.ACOPAY_MASTER_KEY ?? '').map(readMasterKey),
  platformKeys: readList(env.ACOPAY_PLATFORM_KEYS ?? '').map(readPlatformKey),
  signer: readProgram('ACOPAY_SIGNER', env.ACOPAY_SIGNER),
})

const SECRET_MIN = 16

function readSecret(name: string, text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  if (/^[\x21-\x7e]+$/.test(text) && text.length >= SECRET_MIN) return text
  // The error does not repeat the value, which is a secret.
  throw new ConfigError(
    `${name} 应为至少 ${SECRET_MIN} 个可见ASCII字符，不含空格 (at least ${SECRET_MIN} visible ASCII characters, without spaces)`,
  )
}

function readPlatformKey(text: string): KeyObject {
  try {
    return privateKeyFrom(text)
  } catch {
    // The error does not repeat the value, which is a secret.
    throw new ConfigError(
      `ACOPAY_PLATFORM_KEYS 应为RSA私钥，PKCS#8 DER的Base64，可用逗号分隔多个 (RSA private keys of at least ${KEY_BITS_MIN} bits, PKCS#8 DER in Base64; several with commas between)`,
    )
  }
}

function readProgram(name: string, text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  if (path.isAbsolute(text)) return text
  throw new ConfigError(`${name} 应为程序的绝对路径 (the absolute path of a program); got "${text}"`)
}

function readMasterKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64')
  // Node ignores extra or invalid Base64 characters, so a mistyped key would silently become another key.
  if (key.length !== 32 || key.toString('base64') !== text)
    throw new ConfigError(
      'ACOPAY_MASTER_KEY 应为32字节的Base64，可用逗号分隔多个 (32 bytes in Base64; several with commas between)',
    )
  return key
}
