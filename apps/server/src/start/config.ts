/** Configuration: the settings of settings.ts, read and checked once at the start. */
import path from 'node:path'
import ipaddr from 'ipaddr.js'
import type { Sampling } from '../tracing/along.ts'
import { ConfigError } from './config-error.ts'
import type { Kind, Read } from './setting-kinds.ts'
import { type Env, type Found, findSetting } from './setting-sources.ts'
import { SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts'
import { readTraces } from './traces-config.ts'

export { ConfigError } from './config-error.ts'

type Table = typeof SETTINGS

type ValueOf<Row> = Row extends { kind: Kind<infer Value, infer Unset>; otherwise: infer Otherwise }
  ? Otherwise extends string
    ? Value
    : Value | Unset
  : never

type Values = { [Name in SettingName as Table[Name]['key']]: ValueOf<Table[Name]> }

/** What the sandbox and production have other defaults for. Under traffic a migration is for the operator to choose the moment. */
const BY_MODE = {
  sandbox: { migrate: 'auto', drainMs: 0, processes: 1 },
  production: { migrate: 'never', drainMs: 5000, processes: 'auto' },
} as const

type ByMode = { migrate: 'auto' | 'never'; drainMs: number; processes: number | 'auto' }

/** `home` is the folder in any case; in the sandbox `shellOrigins` has every page of this machine too. */
export type Config = Omit<Values, 'home' | keyof ByMode> & {
  home: string
  /** Which traces are kept, by OpenTelemetry's own variables; null: none, and no code for them is loaded. */
  traces: Sampling | null
} & ByMode

/** A setting that has been looked for. */
export type Checked = Found & { name: SettingName }

export type CheckedConfig = {
  settings: Checked[]
  /** One line each, which names the variable and the values that it may have. */
  problems: string[]
  /** Null where there is a problem. */
  config: Config | null
}

/** Throws a ConfigError with every problem. */
export function readConfig(env: Env, defaultHome: string): Config {
  const { config, problems } = checkConfig(env, defaultHome)
  if (config === null) throw new ConfigError(...problems)
  return config
}

export function checkConfig(env: Env, defaultHome: string): CheckedConfig {
  const values: Record<string, unknown> = {}
  const wrong = new Set<SettingName>()
  const problems: string[] = []
  const settings = SETTING_NAMES.map((name): Checked => {
    const found = findSetting(env, name)
    const { value, problem } = readFound(name, found)
    values[SETTINGS[name].key] = value
    if (problem !== null) {
      wrong.add(name)
      problems.push(found.line === null ? problem : `${problem} (${found.line})`)
    }
    return { ...found, name }
  })
  const { home, shellOrigins, migrate, drainMs, processes, ...others } = values as Values
  const byMode = BY_MODE[others.mode ?? 'sandbox']
  const ofMachine = others.mode === 'sandbox' ? ['http://127.0.0.1:*', 'http://localhost:*'] : []
  const config: Config = {
    ...others,
    migrate: migrate ?? byMode.migrate,
    drainMs: drainMs ?? byMode.drainMs,
    processes: processes ?? byMode.processes,
    home: path.resolve(home ?? defaultHome),
    shellOrigins: [...(shellOrigins ?? []), ...ofMachine],
    traces: tracesOf(env, problems),
  }
  for (const { of, problem } of RULES) {
    const found = of.some((name) => wrong.has(name)) ? null : problem(config)
    if (found !== null) problems.push(found)
  }
  return { settings, problems, config: problems.length > 0 ? null : config }
}

function tracesOf(env: Env, problems: string[]): Sampling | null {
  try {
    return readTraces(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
    return null
  }
}

function readFound(name: SettingName, { text, file, problem }: Found): { value: unknown; problem: string | null } {
  const { kind, otherwise }: Setting = SETTINGS[name]
  if (problem !== null) return { value: null, problem }
  const asked = text ?? otherwise
  if (asked === null) return { value: kind.unset, problem: null }
  const read: Read<unknown> = kind.read(asked)
  if ('value' in read) return { value: read.value, problem: null }
  const got = kind.isRepeated ? `; got ${quoted(read.wrong)}` : ''
  const where = file === null ? '' : `: ${file}`
  return { value: null, problem: `${name} ${kind.should}${got}${where}` }
}

const REPEATED = 100

/** On one line, whatever the text holds. */
const quoted = (text: string): string => JSON.stringify(text.length > REPEATED ? `${text.slice(0, REPEATED)}…` : text)

/** Settings that do not go together. Each rule holds where the settings that it is of are right. */
const RULES: { of: SettingName[]; problem: (config: Config) => string | null }[] = [
  {
    of: ['ACOPAY_MODE', 'ACOPAY_SANDBOX_EXPOSED', 'ACOPAY_PUBLIC_URL', 'HOST'],
    problem: exposedSandbox,
  },
  {
    // A lease must last longer than the work it protects; otherwise two workers do the same work.
    of: ['ACOPAY_LEASE_MS', 'ACOPAY_CLOSE_BUDGET_MS'],
    problem: ({ leaseMs, closeBudgetMs }) =>
      leaseMs < 2 * closeBudgetMs
        ? 'ACOPAY_LEASE_MS 至少应为 ACOPAY_CLOSE_BUDGET_MS 的两倍 (at least twice ACOPAY_CLOSE_BUDGET_MS)'
        : null,
  },
  {
    of: [
      'ACOPAY_OIDC_ISSUER',
      'ACOPAY_OIDC_CLIENT_ID',
      'ACOPAY_OIDC_CLIENT_SECRET',
      'ACOPAY_OIDC_NAME',
      'ACOPAY_PUBLIC_URL',
    ],
    problem: halfProvider,
  },
]

const OIDC = ['ACOPAY_OIDC_ISSUER', 'ACOPAY_OIDC_CLIENT_ID', 'ACOPAY_OIDC_CLIENT_SECRET', 'ACOPAY_PUBLIC_URL'] as const

/** A provider of which a part is missing would be no provider, without a word. The public URL alone is none. */
function halfProvider({ oidcIssuer, oidcClientId, oidcClientSecret, oidcName, publicUrl }: Config): string | null {
  if ([oidcIssuer, oidcClientId, oidcClientSecret, oidcName].every((value) => value === null)) return null
  const values = [oidcIssuer, oidcClientId, oidcClientSecret, publicUrl]
  const missing = OIDC.filter((_name, index) => values[index] === null)
  if (missing.length === 0) return null
  return `${missing.join(', ')} 未设置，统一身份登录（OIDC）需要它 (is not set, and signing in by an identity provider needs it)`
}

/** In a sandbox everyone can play the payer. One that strangers reach would hand out what its merchants sell. */
function exposedSandbox({ mode, sandboxExposed, publicUrl, host }: Config): string | null {
  if (mode !== 'sandbox' || sandboxExposed === 'yes') return null
  const exposed = isLoopback(host)
    ? publicUrl !== null && !isLoopback(new URL(publicUrl).hostname) && 'ACOPAY_PUBLIC_URL'
    : 'HOST'
  if (exposed === false) return null
  return `${exposed} 使沙箱可从外部访问，任何人不付钱就能“支付”订单：请设 ACOPAY_MODE=production；确实要公开沙箱，请设 ACOPAY_SANDBOX_EXPOSED=yes (lets others reach a sandbox, where everyone can "pay" without money: set ACOPAY_MODE=production, or ACOPAY_SANDBOX_EXPOSED=yes if that is meant)`
}

/** This machine alone, by any of its spellings in a setting or a URL. */
function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback'
}
