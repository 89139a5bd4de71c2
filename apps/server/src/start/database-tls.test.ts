import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from './config.ts'
import { databaseConnection } from './database-tls.ts'

const REMOTE = 'postgresql://u:p%40ss@db.example.com:5433/acopay'

let dir: string
let ca: string
let key: string
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-tls-'))
  ca = path.join(dir, 'ca.pem')
  key = path.join(dir, 'client.key')
  writeFileSync(ca, '-----BEGIN CERTIFICATE-----\nMII…\n-----END CERTIFICATE-----\n')
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
})
afterAll(() => rmSync(dir, { recursive: true }))

type Connection = ReturnType<typeof databaseConnection>
type Alone = Exclude<Connection, { several: unknown }>
const sandbox = (url: string): Alone => databaseConnection(url, 'sandbox') as Alone

function refusal(url: string, mode: 'sandbox' | 'production' = 'sandbox'): string {
  try {
    databaseConnection(url, mode)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).not.toMatch(/\n|p%40ss/)
    return (error as Error).message
  }
  return 'taken'
}

describe('without sslmode', () => {
  it('production takes a database of this machine, and no other', () => {
    for (const local of [
      'postgres://u@localhost/a',
      'postgres://u@127.0.0.1:5433/a',
      'postgres://u@[::1]/a',
      'postgres://u@/a?host=/run/postgresql',
      'postgres:///a',
      'postgresql://u@%2Frun%2Fpostgresql:5432/a',
    ]) {
      expect(refusal(local, 'production'), local).toBe('taken')
    }
    for (const host of ['db', '10.0.0.5', 'localhost.example.com', '[2001:db8::1]']) {
      expect(refusal(`postgres://u@${host}/a`, 'production'), host).toMatch('sslmode is missing')
    }
    expect(refusal('postgres://u@localhost/a?host=db', 'production')).toMatch('sslmode is missing')
    expect(refusal('postgres://u@db/a?sslmode=', 'production')).toMatch('sslmode is missing')
  })

  it('production takes another machine in plain text where the URL says so', () => {
    expect(databaseConnection(`${REMOTE}?sslmode=disable`, 'production')).toEqual({
      connectionString: REMOTE,
      ssl: false,
    })
  })

  it('the driver gets the URL as it is', () => {
    expect(sandbox(REMOTE)).toEqual({ connectionString: REMOTE })
    expect(sandbox('postgres://:::')).toEqual({ connectionString: 'postgres://:::' })
  })
})

describe('with sslmode', () => {
  it('the driver gets the URL without what it would read in its own way, and the rest byte by byte', () => {
    const { connectionString } = sandbox(`${REMOTE}?application_name=a%20b&sslmode=require&options=-c%20x=y`)
    expect(connectionString).toBe(`${REMOTE}?application_name=a%20b&options=-c%20x=y`)
  })

  it('a socket is never encrypted, as with libpq', () => {
    expect(sandbox('postgres://u@/a?host=/run/postgresql&sslmode=require').ssl).toBe(false)
  })

  it('names what is wrong and what would be right', () => {
    const said = (query: string): string => refusal(`${REMOTE}?${query}`)
    expect(said('sslmode=prefer')).toMatch('sslmode is one of disable | require | verify-ca | verify-full')
    expect(said('sslmode=require&sslmode=disable')).toMatch('sslmode is there twice')
    expect(said('ssl=true')).toMatch('ssl is not supported; sslmode, sslrootcert')
    expect(said('sslcrl=x&sslmode=require')).toMatch('sslcrl is not supported')
    expect(said('channel_binding=require')).toMatch('channel_binding is not supported')
    expect(said(`sslrootcert=${ca}`)).toMatch('sslrootcert needs sslmode beside it')
    expect(said('sslmode=verify-ca')).toMatch('sslrootcert is missing: verify-ca needs')
    expect(said('sslmode=verify-full')).toMatch('sslrootcert is missing: verify-full needs')
    expect(said('sslmode=verify-ca&sslrootcert=system')).toMatch('sslmode=verify-full only')
    expect(said('sslmode=verify-full&sslrootcert=/nowhere.pem')).toMatch(
      'sslrootcert names a file that cannot be read: ENOENT',
    )
    expect(said(`sslmode=verify-full&sslrootcert=${key}`)).toMatch('sslrootcert is no file of PEM certificates')
    expect(said(`sslmode=require&sslcert=${ca}`)).toMatch('sslkey is missing')
    expect(said(`sslmode=require&sslkey=${key}`)).toMatch('sslcert is missing')
    expect(said(`sslmode=require&sslcert=${ca}&sslkey=${ca}`)).toMatch('sslkey is no PEM file of a private key')
    expect(said('sslmode=require&sslnegotiation=x')).toMatch('sslnegotiation is one of postgres | direct')
    expect(said('sslmode=verify-full&sslrootcert=system&sslnegotiation=direct')).toBe('taken')
  })

  it('a private key that others can read is refused', () => {
    const url = `${REMOTE}?sslmode=require&sslcert=${ca}&sslkey=${key}`
    expect(refusal(url)).toBe('taken')
    chmodSync(key, 0o644)
    expect(refusal(url)).toMatch('sslkey can be read by other users: chmod 600')
    chmodSync(key, 0o600)
  })
})
