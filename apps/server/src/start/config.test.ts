import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const read = (env: Record<string, string> = {}) => readConfig(env, 'default-home')

/** What is wrong with these settings, in one line. */
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

/** Every whole number that can be set: its default and its limits, a second time, by hand. */
const NUMBERS = `
PORT                      8080  0    65535
ACOPAY_CLOSE_BUDGET_MS    6000  100  8000
ACOPAY_CHANNEL_CALL_MS    2000  50   8000
ACOPAY_LEASE_MS           15000 200  600000
ACOPAY_NONCE_HOURS        24    1    8784
ACOPAY_JOB_PAUSE_MS       500   10   60000
ACOPAY_POOL_MAX           16    2    500
ACOPAY_RATE_PER_ADDRESS   5000  0    1000000
ACOPAY_RATE_PER_MERCHANT  0     0    1000000
ACOPAY_TRUSTED_PROXIES    0     0    10
ACOPAY_SANDBOX_AHEAD_HOURS 0    0    168
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
      publicUrl: null,
      masterKey: null,
      logLevel: 'info',
      closeBudgetMs: 6000,
      channelCallMs: 2000,
      leaseMs: 15_000,
      nonceWindowMs: 86_400_000,
      jobPauseMs: 500,
      poolMax: 16,
      ratePerAddress: 5000,
      ratePerMerchant: 0,
      shellOrigins: ['http://127.0.0.1:*', 'http://localhost:*'],
      trustedProxies: 0,
      sandboxAheadMs: 0,
      notifyPorts: [443],
      notifyNetworks: [],
    })
  })

  it('and with empty numbers, addresses and keys, as an empty line of a settings file gives them, it is the same', () => {
    const names = [
      ...rows.map(({ name }) => name),
      'HOST',
      'ACOPAY_HOME',
      'DATABASE_URL',
      'ACOPAY_PUBLIC_URL',
      'ACOPAY_MASTER_KEY',
    ]
    expect(read(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(read())
  })
})

describe('shells', () => {
  it('are a list of origins, and in the sandbox also this machine', () => {
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

describe('where merchants are called', () => {
  it('is a list of ports and one of networks', () => {
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
  // Two settings hang together: the lease outlives two budgets.
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
  ])('refuses "%s", names itself and says what it should be', (value) => {
    const said = complaint({ ...others, [name]: value })
    expect(said).toMatch(new RegExp(`^${name} `))
    expect(said).toContain(`from ${min} to ${max}`)
  })
})

describe('words', () => {
  it.each([
    ['ACOPAY_MODE', 'production', ['Production', 'prod', 'production ']],
    ['LOG_LEVEL', 'debug', ['INFO', 'verbose']],
  ] as const)('%s takes its words exactly as they are written', (name, good, bad) => {
    expect(Object.values(read({ [name]: good }))).toContain(good)
    for (const value of bad) expect(complaint({ [name]: value })).toMatch(new RegExp(`^${name} .*${good}.*"${value}"$`))
  })
})

describe('settings that hang together', () => {
  it('a clock that runs ahead is refused in production, where it would date money wrongly', () => {
    expect(read({ ACOPAY_SANDBOX_AHEAD_HOURS: '34' }).sandboxAheadMs).toBe(34 * 3_600_000)
    expect(complaint({ ACOPAY_SANDBOX_AHEAD_HOURS: '1', ACOPAY_MODE: 'production' })).toContain(
      'ACOPAY_SANDBOX_AHEAD_HOURS',
    )
    expect(read({ ACOPAY_SANDBOX_AHEAD_HOURS: '0', ACOPAY_MODE: 'production' }).sandboxAheadMs).toBe(0)
  })

  it('a lease shorter than two close budgets is refused, because two workers would do one job', () => {
    expect(complaint({ ACOPAY_LEASE_MS: '11999' })).toMatch(/^ACOPAY_LEASE_MS .*twice ACOPAY_CLOSE_BUDGET_MS/)
    expect(read({ ACOPAY_LEASE_MS: '12000' }).leaseMs).toBe(12_000)
  })
})

describe('DATABASE_URL', () => {
  it.each(['postgres://u@h/d', 'postgresql://u:p@h:5432/d'])('takes %s', (url) => {
    expect(read({ DATABASE_URL: url }).databaseUrl).toBe(url)
  })

  it('of another kind is refused without being repeated, because it may hold a password', () => {
    const said = complaint({ DATABASE_URL: 'mysql://root:hunter2@db/pay' })
    expect(said).toMatch(/^DATABASE_URL .*postgres:\/\//)
    expect(said).not.toContain('hunter2')
  })
})

describe('ACOPAY_PUBLIC_URL', () => {
  it('is kept without the slash at its end', () => {
    expect(read({ ACOPAY_PUBLIC_URL: 'https://pay.example.com/' }).publicUrl).toBe('https://pay.example.com')
    expect(read({ ACOPAY_PUBLIC_URL: 'https://pay.example.com/aco/' }).publicUrl).toBe('https://pay.example.com/aco')
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
    expect(read({ ACOPAY_MASTER_KEY: key.toString('base64') }).masterKey).toEqual(key)
  })

  it.each([
    Buffer.alloc(31, 7).toString('base64'),
    Buffer.alloc(33, 7).toString('base64'),
    Buffer.alloc(32, 7).toString('hex'),
    'secret',
  ])('of another length is refused without being repeated', (text) => {
    const said = complaint({ ACOPAY_MASTER_KEY: text })
    expect(said).toMatch(/^ACOPAY_MASTER_KEY .*32 bytes in Base64/)
    expect(said).not.toContain(text)
  })
})
