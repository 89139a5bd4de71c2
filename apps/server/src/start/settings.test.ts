import { describe, expect, it } from 'vitest'
import { OTHER_VARIABLES } from './other-variables.ts'
import { fileVariable, isSecret, SETTING_NAMES, SETTINGS, type Setting } from './settings.ts'

/** A second, hand-written copy: name, default (- is none), who reads it, whether it is a secret. Numbers' bounds are in config.test.ts. */
const COPY = `
HOST                        127.0.0.1  gateway
PORT                        8080       gateway
ACOPAY_MODE                 sandbox    commands
ACOPAY_PROCESSES            -          gateway
ACOPAY_JOB_PROCESSES        2          gateway
ACOPAY_DRAIN_MS             -          gateway
ACOPAY_PUBLIC_URL           -          gateway
ACOPAY_SANDBOX_EXPOSED      no         gateway
DATABASE_URL                -          commands  secret
ACOPAY_POOL_MAX             16         commands
ACOPAY_MIGRATE              -          commands
ACOPAY_HOME                 -          commands
ACOPAY_MASTER_KEY           -          commands  secret
ACOPAY_PLATFORM_KEYS        -          commands  secret
ACOPAY_SIGNER               -          commands
ACOPAY_CLOSE_BUDGET_MS      6000       gateway
ACOPAY_CHANNEL_CALL_MS      2000       gateway
ACOPAY_LEASE_MS             15000      gateway
ACOPAY_JOB_PAUSE_MS         1000       gateway
ACOPAY_NONCE_HOURS          24         gateway
ACOPAY_RATE_PER_ADDRESS     5000       gateway
ACOPAY_RATE_PER_MERCHANT    0          gateway
ACOPAY_CALL_LOG             1000       gateway
ACOPAY_TOTP_ROLES           -          gateway
ACOPAY_PROOF_ABOVE          1000.00    gateway
ACOPAY_SECOND_PERSON_ABOVE  -          gateway
ACOPAY_BULK_ALONE_MAX       -          gateway
ACOPAY_AUDIT_DAYS           0          commands
ACOPAY_TRY_DAYS             400        gateway
ACOPAY_HOUR_DAYS            400        gateway
ACOPAY_RECONCILIATION_DAYS  1830       gateway
ACOPAY_OIDC_ISSUER          -          gateway
ACOPAY_OIDC_CLIENT_ID       -          gateway
ACOPAY_OIDC_CLIENT_SECRET   -          gateway   secret
ACOPAY_OIDC_NAME            -          gateway
ACOPAY_TRUSTED_PROXIES      0          gateway
ACOPAY_NOTIFY_PORTS         443        gateway
ACOPAY_NOTIFY_NETWORKS      -          gateway
ACOPAY_SHELL_ORIGINS        -          gateway
LOG_LEVEL                   info       gateway
LOG_FORMAT                  auto       gateway
ACOPAY_METRICS_PORT         -          gateway
ACOPAY_METRICS_TOKEN        -          gateway   secret
`

const settings = SETTING_NAMES.map((name): [string, Setting] => [name, SETTINGS[name]])

describe('the table of settings', () => {
  it('has the names, the defaults, the readers and the secrets that were written by hand', () => {
    const found = settings.map(([name, { otherwise, inCommands }]) =>
      [
        name,
        otherwise ?? '-',
        inCommands ? 'commands' : 'gateway',
        ...(isSecret(name as never) ? ['secret'] : []),
      ].join(' '),
    )
    expect(found).toEqual(
      COPY.trim()
        .split('\n')
        .map((row) => row.replace(/ +/g, ' ')),
    )
  })

  it('has a default that is itself allowed, or says what happens without one', () => {
    const wrong = settings.filter(([, { kind, otherwise, unset }]) =>
      otherwise === null ? unset === undefined : 'wrong' in kind.read(otherwise),
    )
    expect(wrong).toEqual([])
  })

  it('never lets an error repeat a secret', () => {
    expect(settings.filter(([, { kind }]) => kind.secret !== null && kind.isRepeated)).toEqual([])
  })

  it('says in Chinese and in English what each is for, and shares no name with the variables of others', () => {
    const all: { zh: string; en: string }[] = [...settings.map(([, said]) => said), ...Object.values(OTHER_VARIABLES)]
    expect(all.filter(({ zh, en }) => !/[\u4e00-\u9fff]/.test(zh) || /[\u4e00-\u9fff]/.test(en) || en === '')).toEqual(
      [],
    )
    const names = SETTING_NAMES.flatMap((name) => [name, fileVariable(name)])
    expect(names.filter((name) => Object.hasOwn(OTHER_VARIABLES, name))).toEqual([])
  })
})

describe('of the address of a database', () => {
  const place = (url: string): string | null => SETTINGS.DATABASE_URL.kind.secret?.place(url) ?? null

  it('its place is shown', () => {
    expect(place('postgres://acopay:hunter2@db:5432/acopay')).toBe('db:5432/acopay')
    expect(place('postgresql://u@[::1]/pay?sslmode=require')).toBe('[::1]/pay')
    expect(place('postgres://db.example.com/pay')).toBe('db.example.com/pay')
  })

  it.each([
    'postgres://acopay:12/34@db/acopay',
    'postgres://acopay:12#34@db/acopay',
    'postgres://acopay:12?34@db/acopay',
    'postgres://acopay:12@34@db/acopay',
    'postgres://acopay:1234/5678?9@db/acopay',
    'postgres:///acopay?host=/run/postgresql&password=1234',
    'postgres://db/acopay/1234',
  ])('nothing is shown where it is not certain how far its password goes: %s', (url) => {
    expect(place(url)).toBeNull()
  })
})
