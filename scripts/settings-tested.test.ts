/** Holds docs/settings-tested.md against the sources: every setting and number has its row, its default, and a test. */
import fs from 'node:fs'
import path from 'node:path'
import { runInNewContext } from 'node:vm'
import { formatYuan } from '@acopay/core'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../apps/server/src/start/config.ts'
import { SETTING_NAMES } from '../apps/server/src/start/settings.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8')

/** The rows of a page's two tables. */
const rowsOf = (page: string) =>
  [...read(page).matchAll(/^\| (`.+?) \| (.+?) \| (.+) \|$/gm)].map(([, name = '', otherwise = '', feltBy = '']) => ({
    name: name.replaceAll('`', ''),
    otherwise,
    feltBy,
  }))
const rows = rowsOf('docs/settings-tested.md')
const numbers = rows.filter(({ name }) => name.includes(' '))
const environment = rows.filter(({ name }) => !name.includes(' '))

/** Lengths of time that others are made of; a mistake in one of them changes many that are listed. */
const UNITS: Record<string, number> = {
  SECOND: 1000,
  MINUTE: 60_000,
  MINUTE_MS: 60_000,
  HOUR: 3_600_000,
  HOUR_MS: 3_600_000,
  HOURS: 3_600_000,
  DAY_MS: 86_400_000,
  CHINA_MS: 28_800_000,
  NOTIFY_TIMEOUT_MS: 5000,
}

/** Where the numbers of a running gateway stand. Of `commands` and `sandbox` too, so that none is forgotten by its folder. */
const FOLDERS = ['apps/server/src', 'packages/core/src', 'packages/protocol/src']

type Found = { name: string; value: number }

function numbersOf(folder: string): Found[] {
  const files = fs.readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).sort()
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      constantsOf(read(`${folder}/${file}`)).map(({ name, value }) => ({ name: `${folder}/${file} ${name}`, value })),
    )
}

/** Constants of a module whose value is arithmetic of numbers and units. */
const constantsOf = (text: string): Found[] =>
  [...text.matchAll(/^(?:export )?const (\w+)(?:: \w+)? = ([\w ()*+-]+)$/gm)].flatMap(([, name = '', sum = '']) => {
    const value = resultOf(sum)
    return value === null ? [] : [{ name, value }]
  })

/** Null where it is no arithmetic, or has a name that is no unit. */
function resultOf(sum: string): number | null {
  const names = sum.match(/\b[A-Za-z]\w*/g) ?? []
  const isArithmetic = /\w\)?$/.test(sum) && names.every((name) => Object.hasOwn(UNITS, name))
  return isArithmetic ? Number(runInNewContext(sum.replaceAll(/(?<=\d)n\b/g, ''), UNITS)) : null
}

const sources = FOLDERS.flatMap(numbersOf)
const isUnit = ({ name }: Found): boolean => {
  const short = name.split(' ')[1] ?? ''
  return Object.hasOwn(UNITS, short) && short !== 'NOTIFY_TIMEOUT_MS'
}

describe('a number in the sources', () => {
  it('has a row, every row has a number, and each has the value that was written by hand', () => {
    const written = new Map(numbers.map(({ name, otherwise }) => [name, Number(otherwise)]))
    const found = new Map(sources.filter((one) => !isUnit(one)).map(({ name, value }) => [name, value]))
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(written))
    expect(written.size).toBe(numbers.length)
  })

  it('that is a unit of time is what it says', () => {
    const wrong = sources.filter(isUnit).filter(({ name, value }) => value !== UNITS[name.split(' ')[1] ?? ''])
    expect(wrong).toEqual([])
  })
})

describe('a setting of the environment', () => {
  it('has a row, and every row is a setting', () => {
    expect(environment.map(({ name }) => name).sort()).toEqual([...SETTING_NAMES].sort())
  })

  it('has the default that was written by hand', () => {
    const config = readConfig({}, 'home')
    const production = readConfig({ ACOPAY_MODE: 'production' }, 'home')
    const hours = (ms: number): number => ms / 3_600_000
    const list = (some: unknown[]): string => (some.length === 0 ? 'none' : some.join(','))
    // What each variable becomes. Where the sandbox has another default, production's.
    const found: Record<string, unknown> = {
      PORT: config.port,
      HOST: config.host,
      DATABASE_URL: config.databaseUrl ?? 'none',
      ACOPAY_HOME: config.home === path.resolve('home') ? 'given by the start' : config.home,
      ACOPAY_MODE: config.mode,
      ACOPAY_MIGRATE: production.migrate,
      ACOPAY_DRAIN_MS: production.drainMs,
      ACOPAY_PROCESSES: production.processes,
      ACOPAY_JOB_PROCESSES: config.jobProcesses,
      ACOPAY_PUBLIC_URL: config.publicUrl ?? 'none',
      ACOPAY_PLATFORM_KEYS: list(config.platformKeys),
      ACOPAY_SIGNER: config.signer ?? 'none',
      ACOPAY_MASTER_KEY: config.masterKeys.length === 0 ? 'none' : 'some',
      LOG_FORMAT: config.logFormat,
      LOG_LEVEL: config.logLevel,
      ACOPAY_CLOSE_BUDGET_MS: config.closeBudgetMs,
      ACOPAY_CHANNEL_CALL_MS: config.channelCallMs,
      ACOPAY_LEASE_MS: config.leaseMs,
      ACOPAY_JOB_PAUSE_MS: config.jobPauseMs,
      ACOPAY_NONCE_HOURS: hours(config.nonceWindowMs),
      ACOPAY_POOL_MAX: config.poolMax,
      ACOPAY_RATE_PER_ADDRESS: config.ratePerAddress,
      ACOPAY_RATE_PER_MERCHANT: config.ratePerMerchant,
      ACOPAY_TOTP_ROLES: config.totpRoles.join(',') || 'none',
      ACOPAY_PROOF_ABOVE: formatYuan(config.proofAboveFen),
      ACOPAY_SECOND_PERSON_ABOVE:
        config.secondPersonAboveFen === null ? 'none' : formatYuan(config.secondPersonAboveFen),
      ACOPAY_BULK_ALONE_MAX: config.bulkAloneMax ?? 'none',
      ACOPAY_CALL_LOG: config.callLogMax,
      ACOPAY_AUDIT_DAYS: config.auditDays,
      ACOPAY_TRY_DAYS: config.tryDays,
      ACOPAY_HOUR_DAYS: config.hourDays,
      ACOPAY_RECONCILIATION_DAYS: config.reconciliationDays,
      ACOPAY_OIDC_ISSUER: config.oidcIssuer ?? 'none',
      ACOPAY_OIDC_CLIENT_ID: config.oidcClientId ?? 'none',
      ACOPAY_OIDC_CLIENT_SECRET: config.oidcClientSecret ?? 'none',
      ACOPAY_OIDC_NAME: config.oidcName ?? 'none',
      ACOPAY_TRUSTED_PROXIES: config.trustedProxies,
      ACOPAY_NOTIFY_PORTS: list(config.notifyPorts),
      ACOPAY_NOTIFY_NETWORKS: list(config.notifyNetworks),
      ACOPAY_SHELL_ORIGINS: list(production.shellOrigins),
      ACOPAY_METRICS_PORT: config.metricsPort ?? 'none',
      ACOPAY_METRICS_TOKEN: config.metricsToken ?? 'none',
      ACOPAY_SANDBOX_EXPOSED: config.sandboxExposed,
    }
    const written = Object.fromEntries(environment.map(({ name, otherwise }) => [name, otherwise]))
    expect(Object.fromEntries(Object.entries(found).map(([name, value]) => [name, String(value)]))).toEqual(written)
  })
})

it('each row names a test that is there, or says what the number is', () => {
  const wrong = rows.flatMap(({ name, feltBy }) => {
    if (/^– \S/.test(feltBy)) return []
    const [, file = '', test = ''] = /^`([^`]+)`: (.+)$/.exec(feltBy) ?? []
    if (!fs.existsSync(path.join(ROOT, file))) return [`${name}: ${file}`]
    const text = read(file).replaceAll("\\'", "'")
    return text.includes(`'${test}'`) || text.includes(`"${test}"`) ? [] : [`${name}: ${test}`]
  })
  expect(wrong).toEqual([])
})

it('the Chinese page says in Chinese what a number is (else: add it to scripts/settings-tested-page.ts)', () => {
  const chinese = rowsOf('docs/settings-tested.zh-CN.md')
  expect(chinese.map(({ name }) => name)).toEqual(rows.map(({ name }) => name))
  expect(chinese.filter(({ feltBy }) => /^– [ -~]+$/.test(feltBy))).toEqual([])
})
