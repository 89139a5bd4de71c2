import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { keyText, privateKeyFrom } from '@acopay/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { derKeys } from '../../../../test/support/keys.ts'
import { type Config, ConfigError, readConfig } from './config.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-secrets-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let made = 0
function fileWith(content: string | Buffer): string {
  made += 1
  const file = path.join(folder, `secret-${made}`)
  writeFileSync(file, content)
  return file
}

const read = (env: Record<string, string>): Config => readConfig(env, 'home')

function complaint(env: Record<string, string>): string {
  try {
    read(env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).problems).toHaveLength(1)
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
  throw new Error('accepted')
}

const URL_TEXT = 'postgres://u:hunter22@db/d'
const KEYS = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)]
const [ONE = '', TWO = ''] = KEYS.map((key) => key.toString('base64'))

describe('a secret in a file', () => {
  it('is read for each secret, without the line end', () => {
    const token = 't'.repeat(16)
    const { privateKey } = derKeys('ours')
    const config = read({
      DATABASE_URL_FILE: fileWith(`${URL_TEXT}\n`),
      ACOPAY_MASTER_KEY_FILE: fileWith(`${ONE}\r\n`),
      ACOPAY_METRICS_TOKEN_FILE: fileWith(`\ufeff${token}`),
      ACOPAY_PLATFORM_KEYS_FILE: fileWith(`${privateKey}\n\n`),
    })
    expect([config.databaseUrl, config.masterKeys, config.metricsToken]).toEqual([URL_TEXT, [KEYS[0]], token])
    expect(config.platformKeys.map(keyText)).toEqual([privateKey])
  })

  it('may be a master.key with several lines, of which the first seals', () => {
    for (const text of [`${ONE}\n${TWO}\n`, `${ONE},${TWO}`, `${ONE}\r\n${TWO}`]) {
      expect(read({ ACOPAY_MASTER_KEY_FILE: fileWith(text) }).masterKeys).toEqual(KEYS)
    }
  })

  it('may hold platform keys as PEM, one after the other', () => {
    const pairs = ['ours', 'other'].map((whose) => privateKeyFrom(derKeys(whose).privateKey))
    const pem = pairs.map((key) => key.export({ type: 'pkcs8', format: 'pem' })).join('')
    expect(read({ ACOPAY_PLATFORM_KEYS_FILE: fileWith(pem) }).platformKeys.map(keyText)).toEqual(pairs.map(keyText))
  })

  it('is found behind links, as Kubernetes makes them', () => {
    mkdirSync(path.join(folder, '..2026_11_27'))
    writeFileSync(path.join(folder, '..2026_11_27', 'url'), URL_TEXT)
    symlinkSync('..2026_11_27', path.join(folder, '..data'))
    symlinkSync('..data/url', path.join(folder, 'url'))
    expect(read({ DATABASE_URL_FILE: path.join(folder, 'url') }).databaseUrl).toBe(URL_TEXT)
  })

  it('keeps the blanks that are its own', () => {
    expect(read({ DATABASE_URL_FILE: fileWith(`${URL_TEXT} \n`) }).databaseUrl).toBe(`${URL_TEXT} `)
  })

  it('and in its variable too is one line that repeats neither', () => {
    const message = complaint({ DATABASE_URL: URL_TEXT, DATABASE_URL_FILE: fileWith(URL_TEXT) })
    expect(message).toMatch(/^DATABASE_URL .*DATABASE_URL_FILE .*not both/)
    expect(message).not.toContain('hunter22')
  })

  it('with an empty variable beside it counts, and so does the other way round', () => {
    expect(read({ DATABASE_URL: '', DATABASE_URL_FILE: fileWith(URL_TEXT) }).databaseUrl).toBe(URL_TEXT)
    expect(read({ DATABASE_URL: URL_TEXT, DATABASE_URL_FILE: '' }).databaseUrl).toBe(URL_TEXT)
  })

  it.each([
    ['is not there', () => path.join(folder, 'gone'), 'ENOENT'],
    ['is a folder', () => folder, 'no regular file'],
    ['is empty', () => fileWith(''), 'is empty'],
    ['has line ends only', () => fileWith('\n\r\n'), 'is empty'],
    ['is too long', () => fileWith('hunter22'.repeat(8192).concat('x')), 'longer than 65536 bytes'],
  ])('that %s is one line with the variable and the file', (_what, file, expected) => {
    const DATABASE_URL_FILE = file()
    const message = complaint({ DATABASE_URL_FILE })
    expect(message).toMatch(/^DATABASE_URL_FILE /)
    expect(message).toContain(expected)
    expect(message.endsWith(DATABASE_URL_FILE)).toBe(true)
    expect(message).not.toContain('hunter22')
  })

  it('of 65536 bytes is read', () => {
    const url = URL_TEXT.padEnd(65_536, 'x')
    expect(read({ DATABASE_URL_FILE: fileWith(url) }).databaseUrl).toBe(url)
  })

  it('that holds something else is told by the setting, what it should be, and the file', () => {
    for (const [name, text] of [
      ['DATABASE_URL', 'mysql://hunter22'],
      ['ACOPAY_MASTER_KEY', `${ONE}\nhunter22`],
      ['ACOPAY_PLATFORM_KEYS', '-----BEGIN PRIVATE KEY-----\nhunter22\n-----END PRIVATE KEY-----'],
      ['ACOPAY_METRICS_TOKEN', 'hunter22 hunter22 hunter22'],
    ] as const) {
      const file = fileWith(text)
      const message = complaint({ [`${name}_FILE`]: file })
      expect(message.startsWith(`${name} 应`)).toBe(true)
      expect(message.endsWith(`: ${file}`)).toBe(true)
      expect(message).not.toContain('hunter22')
    }
  })

  it('is there for secrets only', () => {
    expect(read({ PORT_FILE: fileWith('81') }).port).toBe(8080)
  })
})
