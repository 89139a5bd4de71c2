import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'
import { envFileOf, environment } from './environment.ts'
import { unknownSettings } from './unknown-settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-env-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(text: string, name = '.env', mode = 0o600): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

const read = (own: Record<string, string> = {}) => environment(own, folder)

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).problems
  }
  throw new Error('accepted')
}

const DATABASE_URL = 'postgres://u:hunter22@db/d'

describe('the .env file', () => {
  it('of the folder is read, and the environment wins over it', () => {
    write('PORT=81\nHOST=127.0.0.2\n')
    expect(read({ PORT: '82', PATH: '/bin' })).toEqual({ PORT: '82', HOST: '127.0.0.2', PATH: '/bin' })
  })

  it('counts where a variable of the environment is empty, since that is not set', () => {
    write('PORT=81\nHOST=\n')
    expect(readConfig(read({ PORT: '' }), '')).toMatchObject({ port: 81, host: '127.0.0.1' })
  })

  it('is read in production too', () => {
    write('ACOPAY_MODE=production\nPORT=81')
    expect(readConfig(read(), '')).toMatchObject({ mode: 'production', port: 81 })
  })

  it('loses a secret to the environment in whichever of the two ways each says it', () => {
    write(`DATABASE_URL=${DATABASE_URL}\nACOPAY_MASTER_KEY_FILE=/file\n`)
    const env = read({ DATABASE_URL_FILE: '/own', ACOPAY_MASTER_KEY: 'own' })
    expect(env).toEqual({ DATABASE_URL_FILE: '/own', ACOPAY_MASTER_KEY: 'own' })
  })

  it('need not be there, and a folder of this name is none', () => {
    expect(read({ PORT: '1' })).toEqual({ PORT: '1' })
    mkdirSync(path.join(folder, '.env'))
    expect(read({ PORT: '1' })).toEqual({ PORT: '1' })
  })

  it('may have another name, and must be there then; none is none', () => {
    write('PORT=81')
    write('PORT=82', 'other.env')
    expect(read({ ACOPAY_ENV_FILE: 'other.env' }).PORT).toBe('82')
    expect(read({ ACOPAY_ENV_FILE: path.join(folder, 'other.env') }).PORT).toBe('82')
    expect(read({ ACOPAY_ENV_FILE: 'none' }).PORT).toBeUndefined()
    expect(problemsOf(() => read({ ACOPAY_ENV_FILE: 'gone.env' }))).toEqual([
      expect.stringMatching(/^ACOPAY_ENV_FILE .*gone\.env: ENOENT$/),
    ])
  })

  it('gives what is no setting to the process itself, where libraries and programs look, and settings not', () => {
    write(`PKCS11_TOKEN=acopay\nPGAPPNAME=file\n${`DATABASE_URL=${DATABASE_URL}`}\n`)
    const own: Record<string, string> = { PGAPPNAME: 'own' }
    expect(environment(own, folder)).toEqual({ PGAPPNAME: 'own', PKCS11_TOKEN: 'acopay', DATABASE_URL })
    expect(own).toEqual({ PGAPPNAME: 'own', PKCS11_TOKEN: 'acopay' })
  })

  it('has every wrong line told, with its number', () => {
    const file = write(
      `PORT 81\n${`ACOPAY_METRICS_TOKEN=a#${'b'.repeat(20)}`}\nUV_THREADPOOL_SIZE=8\nNODE_OPTIONS=-v\n`,
    )
    const problems = problemsOf(read)
    expect(problems.map((problem) => problem.slice(problem.lastIndexOf('(')))).toEqual(
      [1, 2, 3, 4].map((line) => `(${file}:${line})`),
    )
    expect(problems.join()).not.toContain('bbbb')
  })

  it('is named with the line where a setting in it is wrong or unknown, and where the environment is wrong it is not', () => {
    const file = write('\nPORT=81a\nACOPAY_HOMES=/x\n')
    const env = read({ ACOPAY_POOL_MAX: '1' })
    const problems = problemsOf(() => readConfig(env, ''))
    expect(problems[0]).toMatch(/^PORT .*; got "81a" \(/)
    expect(problems[0]?.endsWith(`(${file}:2)`)).toBe(true)
    expect(problems[1]).toMatch(/^ACOPAY_POOL_MAX .*; got "1"$/)
    expect(unknownSettings(env)).toEqual([expect.stringContaining(`ACOPAY_HOME? (${file}:3)`)])
  })
})

describe('the rights of the .env file', () => {
  it('with a secret that others may read: a sandbox says so, production does not start', () => {
    const file = write(`DATABASE_URL=${DATABASE_URL}`, '.env', 0o644)
    expect(envFileOf(read())?.warnings).toEqual([expect.stringContaining(`: ${file}`)])
    expect(problemsOf(() => read({ ACOPAY_MODE: 'production' }))).toEqual([expect.stringContaining('chmod o-rwx')])
    write(`ACOPAY_MODE=production\nACOPAY_METRICS_TOKEN=${'t'.repeat(16)}`, '.env', 0o604)
    expect(problemsOf(read)).toEqual([expect.stringContaining('chmod o-rwx')])
  })

  it('do not matter without a secret; a group may read one', () => {
    write('ACOPAY_MODE=production\nDATABASE_URL=\nDATABASE_URL_FILE=/run/secrets/db', '.env', 0o644)
    expect(envFileOf(read())?.warnings).toEqual([])
    write(`ACOPAY_MODE=production\nDATABASE_URL=${DATABASE_URL}`, '.env', 0o640)
    expect(envFileOf(read())?.warnings).toEqual([])
  })

  it('that let everyone write it are refused, whatever is in it', () => {
    write('PORT=81', '.env', 0o602)
    expect(problemsOf(read)).toEqual([expect.stringContaining('everyone may write')])
  })

  it.skipIf(process.getuid?.() !== 0)('of another user are refused, unless the file was named', () => {
    chownSync(write('PORT=81'), 12_345, 12_345)
    expect(problemsOf(read)).toEqual([expect.stringContaining('belongs to another user')])
    expect(read({ ACOPAY_ENV_FILE: '.env' }).PORT).toBe('81')
  })
})
