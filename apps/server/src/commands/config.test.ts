import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startedOnce, testDatabase } from '../../../../test/support/database.ts'
import { type TestGateway, testGateway } from '../../../../test/support/gateway.ts'
import { derKeys } from '../../../../test/support/keys.ts'
import { spawnGateway, startProcess } from '../../../../test/support/process.ts'
import { environment } from '../start/environment.ts'
import { config } from './config.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

type Said = { code: number; lines: string[] }

async function run(env: Record<string, string | undefined>, ...args: string[]): Promise<Said> {
  const lines: string[] = []
  const code = await config.run(args, { env, defaultHome: path.join(folder, 'home'), say: (line) => lines.push(line) })
  return { code, lines }
}

const json = async (env: Record<string, string | undefined>, ...args: string[]) => {
  const { code, lines } = await run(env, '--json', ...args)
  return {
    code,
    ...(JSON.parse(lines.join('\n')) as {
      settings?: Record<string, unknown>[]
      problems: string[]
      warnings: string[]
    }),
  }
}

function file(name: string, text: string, mode = 0o600): string {
  const where = path.join(folder, name)
  writeFileSync(where, text)
  chmodSync(where, mode)
  return where
}

describe('config', () => {
  it('says of every setting what it is and where it comes from', async () => {
    const envFile = file(
      'some.env',
      `LOG_LEVEL=warn\nPORT=81\nDATABASE_URL_FILE=${file('url', 'postgres://u:pw12345678@db/pay\n')}\n`,
    )
    const env = environment({ PORT: '82', ACOPAY_ENV_FILE: envFile }, '/')
    const { code, lines } = await run(env)
    expect(code).toBe(0)
    const row = (name: string) => lines.find((line) => line.startsWith(`${name} `))?.split(/ {2,}/)
    expect(row('PORT')).toEqual(['PORT', '82', '环境变量 environment'])
    expect(row('LOG_LEVEL')).toEqual(['LOG_LEVEL', 'warn', `${envFile}:1`])
    expect(row('LOG_FORMAT')).toEqual(['LOG_FORMAT', 'auto', '默认 default'])
    expect(row('ACOPAY_HOME')).toEqual(['ACOPAY_HOME', path.join(folder, 'home'), '默认 default'])
    expect(row('ACOPAY_SIGNER')).toEqual(['ACOPAY_SIGNER', '-', '默认 default'])
    expect(row('DATABASE_URL')).toEqual(['DATABASE_URL', '(set: db/pay)', path.join(folder, 'url')])
    const settings = (await json(env)).settings ?? []
    expect(settings).toHaveLength(43)
    expect(settings.find(({ name }) => name === 'DATABASE_URL')).toEqual({
      name: 'DATABASE_URL',
      value: null,
      source: 'file',
      from: path.join(folder, 'url'),
      secret: { place: 'db/pay' },
    })
  })

  it('shows no part of a secret, right or wrong, wherever it comes from', async () => {
    const secrets = {
      DATABASE_URL: `postgres://${'uvwxyz'}:${randomBytes(12).toString('hex')}@`,
      ACOPAY_MASTER_KEY: randomBytes(32).toString('base64'),
      ACOPAY_PLATFORM_KEYS: derKeys('ours').privateKey,
      ACOPAY_METRICS_TOKEN: randomBytes(16).toString('hex'),
    }
    const files = (ending: string) =>
      Object.fromEntries(
        Object.entries(secrets).map(([name, text]) => [`${name}_FILE`, file(name.toLowerCase(), text + ending, 0o644)]),
      )
    const withEnding = (ending: string) =>
      Object.fromEntries(Object.entries(secrets).map(([name, text]) => [name, text + ending]))
    const said = await Promise.all(
      [withEnding(''), withEnding(' ü'), withEnding('db.test/pay'), files('\n'), files(' ü')].flatMap((env) => [
        run(env),
        run(env, '--check'),
        run(env, '--json'),
      ]),
    )
    const text = said.flatMap(({ lines }) => lines).join('\n')
    expect(text).toContain('(set, 44 characters)')
    expect(text).toContain('(set: db.test/pay)')
    const parts = Object.values(secrets).flatMap((secret) => {
      const own = secret.replace('postgres://', '')
      // Four letters of a long key are also four letters of some word.
      return Array.from({ length: own.length - 5 }, (_, at) => own.slice(at, at + 6))
    })
    expect(parts.filter((part) => text.includes(part))).toEqual([])
  })

  it('hides a password that somebody has put into another address, right or wrong', async () => {
    for (const url of ['https://u:hunter22@pay.example.com', 'ftp://u:hunter22@pay.example.com']) {
      const { lines } = await run({ ACOPAY_MODE: 'production', ACOPAY_PUBLIC_URL: url })
      expect(lines.join('\n')).not.toContain('hunter22')
    }
  })

  it('refuses options that it does not have', async () => {
    await expect(run({}, '--chek')).rejects.toThrow('[--check] [--connect] [--json]')
  })
})

describe('config --check', () => {
  it('is content with nothing set, and makes no file', async () => {
    expect(await run({}, '--check')).toEqual({ code: 0, lines: ['设置可用 the settings are fine'] })
    expect(existsSync(path.join(folder, 'home'))).toBe(false)
  })

  it('names everything that is wrong, and ends with 1', async () => {
    const { code, problems, warnings, settings } = await json(
      { PORT: 'x', ACOPAY_POOL_MAX: '1', ACOPAY_RATE_PER_ADRESS: '1', DATABASE_URL_FILE: '/nowhere/url' },
      '--check',
    )
    expect([code, settings]).toEqual([1, undefined])
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(['PORT', 'DATABASE_URL_FILE', 'ACOPAY_POOL_MAX'])
    expect(warnings).toEqual([expect.stringContaining('ACOPAY_RATE_PER_ADDRESS?')])
  })

  it('sees what would only show later: a home, a program and a key file that cannot be used', async () => {
    const plain = file('plain', 'text')
    expect((await json({ ACOPAY_HOME: path.join(plain, 'below') })).problems).toEqual([
      expect.stringMatching(/^ACOPAY_HOME .*cannot be used/),
    ])
    expect((await json({ ACOPAY_SIGNER: plain })).problems).toEqual([expect.stringMatching(/^ACOPAY_SIGNER /)])
    expect((await json({ ACOPAY_SIGNER: file('runs', '#!/bin/sh\n', 0o700) })).problems).toEqual([])
    file('master.key', 'c2hvcnQ=\n')
    expect((await json({ ACOPAY_HOME: folder })).problems).toEqual([expect.stringContaining('master.key is damaged')])
    rmSync(path.join(folder, 'master.key'))
  })

  it('warns of files that others may read, and changes no rights', async () => {
    const key = file('master.key', `${randomBytes(32).toString('base64')}\n`, 0o644)
    const url = file('open-url', 'postgres://u@db/d', 0o644)
    const { code, warnings } = await json({ ACOPAY_HOME: folder, DATABASE_URL_FILE: url })
    expect(code).toBe(0)
    expect(warnings).toEqual([
      expect.stringMatching(/^DATABASE_URL .*open-url$/),
      expect.stringMatching(/^master\.key /),
    ])
    expect(statSync(key).mode & 0o777).toBe(0o644)
    rmSync(key)
  })

  it('warns of what production does without', async () => {
    const env = { ACOPAY_MODE: 'production', ACOPAY_MASTER_KEY: randomBytes(32).toString('base64') }
    expect((await json(env)).warnings).toEqual([
      expect.stringContaining('DATABASE_URL'),
      expect.stringContaining('ACOPAY_PUBLIC_URL'),
    ])
    const DATABASE_URL = 'postgres://u@db/d'
    expect((await json({ ...env, DATABASE_URL, ACOPAY_PUBLIC_URL: 'http://pay.example.com' })).warnings).toEqual([
      expect.stringContaining('is not https'),
    ])
    expect((await json({ ...env, DATABASE_URL, ACOPAY_PUBLIC_URL: 'https://pay.example.com' })).warnings).toEqual([])
    expect(
      (await json({ ACOPAY_MODE: 'production', DATABASE_URL, ACOPAY_PUBLIC_URL: 'https://pay.example.com' })).warnings,
    ).toEqual([expect.stringContaining('the first start makes one')])
  })
})

describe('config --check --connect', () => {
  let test: TestGateway
  beforeAll(async () => {
    test = await testGateway()
  })
  afterAll(async () => await test.stop())

  const asks = async (env: Record<string, string>) => {
    const { problems, warnings } = await json(env, '--check', '--connect')
    return [problems.join(), warnings.join()]
  }

  it('finds a database in order with the master key of its gateway, and not with another one', async () => {
    const env = {
      DATABASE_URL: test.database.connectionString,
      ACOPAY_HOME: path.dirname(test.gateway.sandbox?.demoFile ?? ''),
    }
    expect(await asks(env)).toEqual(['', ''])
    const other = { ...env, ACOPAY_MASTER_KEY: randomBytes(32).toString('base64') }
    expect(await asks(other)).toEqual([expect.stringContaining('does not unseal'), ''])
    expect(await json(other, '--check')).toMatchObject({ code: 0, problems: [] })
  })

  it('in production warns of a role that may rewrite what happened', async () => {
    const env = {
      ACOPAY_MODE: 'production',
      ACOPAY_PUBLIC_URL: 'https://pay.example.com',
      DATABASE_URL: test.database.connectionString,
      ACOPAY_HOME: path.dirname(test.gateway.sandbox?.demoFile ?? ''),
    }
    expect(await asks(env)).toEqual(['', expect.stringContaining('may rewrite')])
  })

  it('says of an empty database that it has no tables, and of none that it cannot be reached', async () => {
    const ACOPAY_MASTER_KEY = randomBytes(32).toString('base64')
    const empty = await testDatabase('empty')
    await empty.pool.query('drop schema public cascade; create schema public')
    expect(await asks({ DATABASE_URL: empty.connectionString, ACOPAY_MASTER_KEY })).toEqual([
      '',
      expect.stringContaining('no tables yet'),
    ])
    await empty.drop()
    const [problem] = await asks({ DATABASE_URL: 'postgres://u:hunter22@127.0.0.1:1/d', ACOPAY_MASTER_KEY })
    expect(problem).toMatch(/cannot reach the database.*ECONNREFUSED/)
    expect(problem).not.toContain('hunter22')
  })
})

describe('a gateway', () => {
  it('starts with what its .env file says, a secret in a file among it', async () => {
    const database = await testDatabase('started')
    const envFile = file(
      'gateway.env',
      `LOG_FORMAT=json\nDATABASE_URL_FILE=${file('gateway-url', `${database.connectionString}\n`)}\nACOPAY_TYPO=1\n`,
    )
    const home = path.join(folder, 'gateway')
    mkdirSync(home)
    startedOnce(home)
    const gateway = await startProcess({ ACOPAY_HOME: home, ACOPAY_ENV_FILE: envFile })
    expect(existsSync(path.join(home, 'postgres'))).toBe(false)
    expect(gateway.output()).toContain(`${envFile}:3`)
    expect(await gateway.end('SIGTERM')).toBe(0)
    await database.drop()
  })

  it('says everything that is wrong in a line each, and ends with 1', async () => {
    const child = spawnGateway({ PORT: '80a', ACOPAY_POOL_MAX: '1', ACOPAY_ENV_FILE: 'none' })
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(code).toBe(1)
    expect(child.output().trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^配置错误 configuration: PORT /),
      expect.stringMatching(/^配置错误 configuration: ACOPAY_POOL_MAX /),
    ])
  })
})
