import path from 'node:path'
import { keyText } from '@acopay/protocol'
import { describe, expect, it } from 'vitest'
import { derKeys } from '../../../../test/support/keys.ts'
import { ConfigError, readConfig } from './config.ts'

const read = (env: Record<string, string> = {}) => readConfig(env, 'default-home')

/** The error message for these settings, which must be one line. */
function complaint(env: Record<string, string>): string {
  try {
    read(env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    const { message } = error as ConfigError
    expect(message).not.toContain('\n')
    return message
  }
  throw new Error(`accepted ${JSON.stringify(env)}`)
}

/** A second, hand-written copy of every numeric setting: its default, minimum and maximum. */
const NUMBERS = `
PORT                      8080  0    65535
ACOPAY_CLOSE_BUDGET_MS    6000  100  8000
ACOPAY_CHANNEL_CALL_MS    2000  50   8000
ACOPAY_LEASE_MS           15000 200  600000
ACOPAY_NONCE_HOURS        24    1    8784
ACOPAY_JOB_PAUSE_MS       1000  10   60000
ACOPAY_JOB_PROCESSES      2     1    256
ACOPAY_POOL_MAX           16    2    500
ACOPAY_DRAIN_MS           none  0    300000
ACOPAY_RATE_PER_ADDRESS   5000  0    1000000
ACOPAY_RATE_PER_MERCHANT  0     0    1000000
ACOPAY_CALL_LOG           1000  0    100000
ACOPAY_AUDIT_DAYS         0     0    36500
ACOPAY_TRY_DAYS           400   0    36500
ACOPAY_HOUR_DAYS          400   0    36500
ACOPAY_RECONCILIATION_DAYS 1830 0    36500
ACOPAY_TRUSTED_PROXIES    0     0    10
ACOPAY_METRICS_PORT       none  0    65535
`
const rows = NUMBERS.trim()
  .split('\n')
  .map((row) => row.split(/\s+/) as [string, string, string, string])
  .map(([name, otherwise, min, max]) => ({ name, otherwise: Number(otherwise), min: Number(min), max: Number(max) }))

describe('without any setting', () => {
  it('the gateway is a sandbox on this machine only, with the defaults of the manual', () => {
    expect(read()).toEqual({
      host: '127.0.0.1',
      port: 8080,
      home: path.resolve('default-home'),
      databaseUrl: null,
      mode: 'sandbox',
      migrate: 'auto',
      publicUrl: null,
      masterKeys: [],
      platformKeys: [],
      signer: null,
      logLevel: 'info',
      logFormat: 'auto',
      closeBudgetMs: 6000,
      channelCallMs: 2000,
      leaseMs: 15_000,
      nonceWindowMs: 86_400_000,
      jobPauseMs: 1000,
      poolMax: 16,
      drainMs: 0,
      processes: 1,
      jobProcesses: 2,
      ratePerAddress: 5000,
      ratePerMerchant: 0,
      shellOrigins: ['http://127.0.0.1:*', 'http://localhost:*'],
      callLogMax: 1000,
      auditDays: 0,
      tryDays: 400,
      hourDays: 400,
      reconciliationDays: 1830,
      trustedProxies: 0,
      totpRoles: [],
      proofAboveFen: 100_000n,
      secondPersonAboveFen: null,
      oidcIssuer: null,
      oidcClientId: null,
      oidcClientSecret: null,
      oidcName: null,
      bulkAloneMax: null,
      metricsToken: null,
      metricsPort: null,
      traces: null,
      sandboxExposed: 'no',
      notifyPorts: [443],
      notifyNetworks: [],
    })
  })

  it('and with empty values, as a settings file may have them, it has the same defaults', () => {
    const names = [
      ...rows.map(({ name }) => name),
      'HOST',
      'ACOPAY_HOME',
      'DATABASE_URL',
      'ACOPAY_PUBLIC_URL',
      'ACOPAY_MASTER_KEY',
      'ACOPAY_PLATFORM_KEYS',
      'ACOPAY_SIGNER',
    ]
    expect(read(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(read())
  })
})

describe('shells', () => {
  it('are a list of origins; in the sandbox also pages of this machine', () => {
    const env = { ACOPAY_SHELL_ORIGINS: 'https://a.example, http://b.example:8443' }
    expect(read({ ...env, ACOPAY_MODE: 'production' }).shellOrigins).toEqual([
      'https://a.example',
      'http://b.example:8443',
    ])
    expect(read(env).shellOrigins).toContain('http://127.0.0.1:*')
  })

  it.each([
    'a.example',
    'https://a.example/',
    'https://a.example/x',
    '*',
    'ftp://a.example',
    'https://a.example; script-src *',
  ])('%s is refused by name', (text) => {
    expect(() => read({ ACOPAY_SHELL_ORIGINS: text })).toThrow(/^ACOPAY_SHELL_ORIGINS /)
  })
})

describe('the targets of notifications', () => {
  it('are a list of ports and a list of networks', () => {
    const env = { ACOPAY_NOTIFY_PORTS: '443, 8443', ACOPAY_NOTIFY_NETWORKS: '10.1.0.0/16,fd00::/8' }
    expect(read(env)).toMatchObject({ notifyPorts: [443, 8443], notifyNetworks: ['10.1.0.0/16', 'fd00::/8'] })
  })

  it.each([
    ['ACOPAY_NOTIFY_PORTS', '0'],
    ['ACOPAY_NOTIFY_PORTS', '65536'],
    ['ACOPAY_NOTIFY_PORTS', '443;8443'],
    ['ACOPAY_NOTIFY_NETWORKS', '10.1.0.0'],
    ['ACOPAY_NOTIFY_NETWORKS', '10.1.0.0/33'],
  ])('%s=%s is refused by name', (name, text) => {
    expect(() => read({ [name]: text })).toThrow(new RegExp(`^${name} `))
  })
})

describe.each(rows)('$name', ({ name, min, max }) => {
  // The lease must be at least two close budgets long, so a test of one sets the other.
  const others: Record<string, string> =
    name === 'ACOPAY_LEASE_MS'
      ? { ACOPAY_CLOSE_BUDGET_MS: '100' }
      : name === 'ACOPAY_CLOSE_BUDGET_MS'
        ? { ACOPAY_LEASE_MS: '16000' }
        : {}

  it(`takes ${min} and ${max}`, () => {
    for (const value of [min, max]) expect(() => read({ ...others, [name]: String(value) })).not.toThrow()
  })

  it.each([
    String(min - 1),
    String(max + 1),
    '1e2',
    '10.5',
    '0x10',
    ' 100',
    '100 ',
    '+100',
    '１００',
    'many',
    '9'.repeat(400),
  ])('refuses "%s" and names the variable and its limits', (value) => {
    const message = complaint({ ...others, [name]: value })
    expect(message).toMatch(new RegExp(`^${name} `))
    expect(message).toContain(`from ${min} to ${max}`)
  })
})

describe('words', () => {
  it.each([
    ['ACOPAY_MODE', 'production', ['Production', 'prod', 'production ']],
    ['LOG_LEVEL', 'debug', ['INFO', 'verbose']],
    ['LOG_FORMAT', 'pretty', ['text', 'JSON']],
    ['ACOPAY_SANDBOX_EXPOSED', 'yes', ['1', 'true', 'Yes', 'yes ']],
  ] as const)('%s accepts only the exact words', (name, good, bad) => {
    expect(Object.values(read({ [name]: good }))).toContain(good)
    for (const value of bad) expect(complaint({ [name]: value })).toMatch(new RegExp(`^${name} .*${good}.*"${value}"$`))
  })
})

describe('several mistakes', () => {
  it('are told all at once, a line each, with what does not go together among what is right', () => {
    const env = { PORT: 'x', ACOPAY_NOTIFY_PORTS: '443,0', ACOPAY_LEASE_MS: '11999', HOST: '0.0.0.0' }
    let problems: readonly string[] = []
    try {
      read(env)
    } catch (error) {
      problems = (error as ConfigError).problems
    }
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'ACOPAY_NOTIFY_PORTS',
      'HOST',
      'ACOPAY_LEASE_MS',
    ])
    expect(problems[1]).toMatch(/got "0"$/)
  })

  it('a setting that is wrong is not held against another one', () => {
    expect(complaint({ ACOPAY_MODE: 'prod', HOST: '0.0.0.0' })).toMatch(/^ACOPAY_MODE /)
    expect(complaint({ ACOPAY_CLOSE_BUDGET_MS: '0', ACOPAY_LEASE_MS: '200' })).toMatch(/^ACOPAY_CLOSE_BUDGET_MS /)
    expect(complaint({ ACOPAY_LEASE_MS: '0' })).toMatch(/^ACOPAY_LEASE_MS .*whole number/)
  })

  it('a long text is repeated in part, and one with a line end on one line', () => {
    expect(complaint({ PORT: '9'.repeat(101) })).toMatch(/got "9{100}…"$/)
    expect(complaint({ PORT: '9'.repeat(100) })).toMatch(/got "9{100}"$/)
    expect(complaint({ LOG_LEVEL: 'info\nPORT' })).toMatch(/got "info\\nPORT"$/)
  })
})

describe('settings that depend on each other', () => {
  it('a lease shorter than two close budgets is refused, because two workers would do the same job', () => {
    expect(complaint({ ACOPAY_LEASE_MS: '11999' })).toMatch(/^ACOPAY_LEASE_MS .*twice ACOPAY_CLOSE_BUDGET_MS/)
    expect(read({ ACOPAY_LEASE_MS: '12000' }).leaseMs).toBe(12_000)
  })
})

describe('a sandbox that others than this machine can reach', () => {
  const OUTSIDE = [
    ...[
      '0.0.0.0',
      '::',
      '192.168.1.5',
      '10.0.0.1',
      '203.0.113.7',
      '128.0.0.1',
      '::ffff:10.0.0.1',
      'shop.example',
      '127.0.0.1.example',
      'localhost.example',
    ].map((host) => ({ HOST: host })),
    ...[
      'https://pay.example.com',
      'http://pay.example.com/aco',
      'https://203.0.113.7',
      'http://192.168.1.5:8080',
      'https://[2001:db8::1]',
      'https://localhost.example',
      'https://127.0.0.1.example',
    ].map((url) => ({ ACOPAY_PUBLIC_URL: url })),
  ] as Record<string, string>[]

  it('does not start, and says in which setting it lies and what to set', () => {
    for (const env of OUTSIDE) {
      const message = complaint(env)
      expect(message.startsWith(`${Object.keys(env)[0]} `), message).toBe(true)
      expect(message).toContain('ACOPAY_MODE=production')
      expect(message).toContain('ACOPAY_SANDBOX_EXPOSED=yes')
    }
  })

  it('starts where that is meant, and in production mode it is no sandbox', () => {
    for (const env of OUTSIDE) {
      expect(read({ ...env, ACOPAY_SANDBOX_EXPOSED: 'yes' }).mode).toBe('sandbox')
      expect(read({ ...env, ACOPAY_MODE: 'production' }).mode).toBe('production')
      expect(() => read({ ...env, ACOPAY_SANDBOX_EXPOSED: 'no' })).toThrow(ConfigError)
    }
  })

  it('is not one that listens on this machine, however that is written', () => {
    const inside = ['127.0.0.1', '127.8.9.1', 'localhost', 'LOCALHOST', '::1', '::ffff:127.0.0.1']
    for (const host of inside) expect(read({ HOST: host }).host).toBe(host)
    const urls = ['http://127.0.0.1:5173', 'https://localhost', 'http://[::1]:8080', 'https://shop.localhost:8443/aco']
    for (const url of urls) expect(read({ ACOPAY_PUBLIC_URL: url }).publicUrl).toBe(url)
  })
})

describe('DATABASE_URL', () => {
  it.each(['postgres://u@h/d', 'postgresql://u:p@h:5432/d'])('takes %s', (url) => {
    expect(read({ DATABASE_URL: url }).databaseUrl).toBe(url)
  })

  it('of another kind is refused without being repeated, because it may hold a password', () => {
    const message = complaint({ DATABASE_URL: 'mysql://root:hunter2@db/pay' })
    expect(message).toMatch(/^DATABASE_URL .*postgres:\/\//)
    expect(message).not.toContain('hunter2')
  })
})

describe('ACOPAY_PUBLIC_URL', () => {
  it('is kept without the slash at its end', () => {
    const read = (url: string) => readConfig({ ACOPAY_MODE: 'production', ACOPAY_PUBLIC_URL: url }, 'default-home')
    expect(read('https://pay.example.com/').publicUrl).toBe('https://pay.example.com')
    expect(read('https://pay.example.com/aco/').publicUrl).toBe('https://pay.example.com/aco')
  })

  it.each([
    'pay.example.com',
    'ftp://pay.example.com',
    'https://pay.example.com/?a=1',
    'https://pay.example.com/#a',
    '/',
  ])('refuses %s and shows one that is right', (url) => {
    expect(complaint({ ACOPAY_PUBLIC_URL: url })).toMatch(/^ACOPAY_PUBLIC_URL .*https:\/\/pay\.example\.com/)
  })
})

describe('ACOPAY_MASTER_KEY', () => {
  it('is 32 bytes in Base64', () => {
    const key = Buffer.alloc(32, 7)
    expect(read({ ACOPAY_MASTER_KEY: key.toString('base64') }).masterKeys).toEqual([key])
  })

  it('may be several, of which the first seals', () => {
    const keys = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)]
    expect(read({ ACOPAY_MASTER_KEY: keys.map((key) => key.toString('base64')).join(',') }).masterKeys).toEqual(keys)
  })

  it.each([
    Buffer.alloc(31, 7).toString('base64'),
    Buffer.alloc(33, 7).toString('base64'),
    Buffer.alloc(32, 7).toString('hex'),
    'secret',
  ])('of another length is refused without being repeated', (text) => {
    const message = complaint({ ACOPAY_MASTER_KEY: text })
    expect(message).toMatch(/^ACOPAY_MASTER_KEY .*32 bytes in Base64/)
    expect(message).not.toContain(text)
  })
})

describe('ACOPAY_PLATFORM_KEYS and ACOPAY_SIGNER', () => {
  it('are private keys with commas between, and the absolute path of a program', () => {
    const keys = ['ours', 'other'].map((whose) => derKeys(whose).privateKey)
    const { platformKeys, signer } = read({ ACOPAY_PLATFORM_KEYS: keys.join(', '), ACOPAY_SIGNER: '/opt/sign' })
    expect([platformKeys.map(keyText), signer]).toEqual([keys, '/opt/sign'])
  })

  it('a wrong key is not repeated; a program must be named from the root', () => {
    const message = complaint({ ACOPAY_PLATFORM_KEYS: 'c2VzYW1l' })
    expect(message).toMatch(/^ACOPAY_PLATFORM_KEYS .*at least 2048 bits/)
    expect(message).not.toContain('c2VzYW1l')
    expect(complaint({ ACOPAY_SIGNER: 'sign.py' })).toMatch(/^ACOPAY_SIGNER .*absolute path.*"sign.py"$/)
  })
})

describe('ACOPAY_TOTP_ROLES, ACOPAY_PROOF_ABOVE and ACOPAY_SECOND_PERSON_ABOVE', () => {
  it('are roles with commas between, and yuan with two decimals', () => {
    const { totpRoles, proofAboveFen, secondPersonAboveFen } = read({
      ACOPAY_TOTP_ROLES: 'platform_admin, finance',
      ACOPAY_PROOF_ABOVE: '0.01',
      ACOPAY_SECOND_PERSON_ABOVE: '5000.00',
    })
    expect([totpRoles, proofAboveFen, secondPersonAboveFen]).toEqual([['platform_admin', 'finance'], 1n, 500_000n])
  })

  it.each([
    { ACOPAY_TOTP_ROLES: 'admin' },
    { ACOPAY_PROOF_ABOVE: '1000' },
    { ACOPAY_PROOF_ABOVE: '0.00' },
    { ACOPAY_SECOND_PERSON_ABOVE: '5000' },
  ])('of another form (%o) are refused with one that is right', (env) => {
    const [[name, text = '']] = Object.entries(env) as [[string, string]]
    expect(complaint(env)).toMatch(new RegExp(`^${name} .*(finance|1000\\.00).*; got "${text}"$`))
  })
})

describe('the identity provider', () => {
  const WHOLE = {
    ACOPAY_PUBLIC_URL: 'http://127.0.0.1:8080',
    ACOPAY_OIDC_ISSUER: 'https://id.example.com/realms/firm/',
    ACOPAY_OIDC_CLIENT_ID: 'acopay',
    ACOPAY_OIDC_CLIENT_SECRET: 's'.repeat(16),
  }

  it('is taken as it is written, with the slash at its end, or on this machine without TLS', () => {
    expect(read(WHOLE).oidcIssuer).toBe('https://id.example.com/realms/firm/')
    for (const issuer of ['https://id.example.com', 'http://127.0.0.1:8081/realm', 'http://localhost:8081']) {
      expect(read({ ...WHOLE, ACOPAY_OIDC_ISSUER: issuer }).oidcIssuer).toBe(issuer)
    }
    const { oidcClientId, oidcName } = read({
      ...WHOLE,
      ACOPAY_OIDC_CLIENT_ID: 'x'.repeat(255),
      ACOPAY_OIDC_NAME: '公'.repeat(32),
    })
    expect([oidcClientId, oidcName]).toEqual(['x'.repeat(255), '公'.repeat(32)])
  })

  it.each([
    ['ACOPAY_OIDC_ISSUER', 'http://id.example.com'],
    ['ACOPAY_OIDC_ISSUER', 'https://id.example.com?a=b'],
    ['ACOPAY_OIDC_ISSUER', 'https://id.example.com#a'],
    ['ACOPAY_OIDC_ISSUER', 'https://user:hunter22@id.example.com'],
    ['ACOPAY_OIDC_ISSUER', 'id.example.com'],
    ['ACOPAY_OIDC_CLIENT_ID', 'x'.repeat(256)],
    ['ACOPAY_OIDC_CLIENT_ID', 'a b'],
    ['ACOPAY_OIDC_CLIENT_SECRET', 's'.repeat(15)],
    ['ACOPAY_OIDC_NAME', '公'.repeat(33)],
    ['ACOPAY_OIDC_NAME', 'a\u0007b'],
  ])('%s may not be %s', (name, text) => {
    const message = complaint({ ...WHOLE, [name]: text })
    expect(message).toMatch(new RegExp(`^${name} .*should|^${name} .*characters`))
    expect(message).not.toContain('hunter22')
  })

  it.each(Object.keys(WHOLE))('is no provider without %s, and this is said', (name) => {
    const { [name as keyof typeof WHOLE]: _gone, ...rest } = WHOLE
    expect(complaint(rest)).toMatch(new RegExp(`^${name} .*needs it`))
  })
})

describe('ACOPAY_METRICS_TOKEN', () => {
  it('is taken from 16 visible characters on', () => {
    expect(read({ ACOPAY_METRICS_TOKEN: 'a'.repeat(16) }).metricsToken).toBe('a'.repeat(16))
  })

  it.each(['a'.repeat(15), `${'a'.repeat(16)} b`, '密'.repeat(16)])(
    'is refused where it is short or has a space, and is not repeated',
    (token) => {
      const message = complaint({ ACOPAY_METRICS_TOKEN: token })
      expect(message).toMatch(/^ACOPAY_METRICS_TOKEN .*at least 16 visible/)
      expect(message).not.toContain(token)
    },
  )
})

describe('traces', () => {
  const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

  it('are on where there is an address for them, and off by the two words of the standard', () => {
    expect(read(on).traces).toEqual({ share: 1, heedsCaller: true })
    expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://a.example/v1/traces' }).traces).not.toBeNull()
    expect(read({ ...on, OTEL_SDK_DISABLED: 'true' }).traces).toBeNull()
    expect(read({ ...on, OTEL_TRACES_EXPORTER: 'none' }).traces).toBeNull()
  })

  it('are sampled as the standard says, with a share', () => {
    const sampling = (OTEL_TRACES_SAMPLER: string, OTEL_TRACES_SAMPLER_ARG = '') =>
      read({ ...on, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }).traces
    expect(sampling('always_on')).toEqual({ share: 1, heedsCaller: false })
    expect(sampling('always_off')).toEqual({ share: 0, heedsCaller: false })
    expect(sampling('traceidratio', '0.01')).toEqual({ share: 0.01, heedsCaller: false })
    expect(sampling('parentbased_traceidratio', '.5')).toEqual({ share: 0.5, heedsCaller: true })
    expect(sampling('parentbased_traceidratio')).toEqual({ share: 1, heedsCaller: true })
  })

  it('name the setting that is wrong, and no password in an address', () => {
    expect(complaint({ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@host' })).toMatch(/^OTEL_EXPORTER_OTLP_ENDPOINT /)
    expect(complaint({ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@host' })).not.toContain('secret')
    expect(complaint({ ...on, OTEL_TRACES_SAMPLER: 'jaeger_remote' })).toMatch(
      /^OTEL_TRACES_SAMPLER .*got "jaeger_remote"/,
    )
    for (const arg of ['2', '-1', 'x', '1.5', '1e-2']) {
      const wrong = { ...on, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: arg }
      expect(complaint(wrong)).toMatch(/^OTEL_TRACES_SAMPLER_ARG /)
    }
  })
})
