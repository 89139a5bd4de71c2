import { describe, expect, it } from 'vitest'
import { ConfigError } from './config-error.ts'
import { databaseHosts, withDatabase } from './database-hosts.ts'
import { databaseConnection } from './database-tls.ts'
import { databaseAddress } from './setting-kinds.ts'

const namesOf = (url: string) => databaseHosts(url)?.hosts.map(({ name }) => name)
const urlsOf = (url: string) => databaseHosts(url)?.hosts.map((host) => host.url)

function refusal(url: string, mode: 'sandbox' | 'production' = 'sandbox'): string {
  try {
    databaseConnection(url, mode)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).not.toMatch(/\n|geheim/)
    return (error as Error).message
  }
  return 'taken'
}

describe('the hosts of an address', () => {
  it('are read as libpq reads them, before the question mark or behind it', () => {
    const both = ['a:5432', 'b:5433']
    expect(namesOf('postgres://u:geheim@a:5432,b:5433/db')).toEqual(both)
    expect(namesOf('postgres://u@a,b:5433/db')).toEqual(both)
    expect(namesOf('postgres:///db?host=a,b&port=5432,5433')).toEqual(both)
    expect(namesOf('postgres://u@ignored:1/db?host=a,b&port=,5433')).toEqual(both)
    expect(namesOf('postgres://u@/db?host=a,b')).toEqual(['a:5432', 'b:5432'])
    expect(namesOf('postgres://u@/db?host=a,b&port=7')).toEqual(['a:7', 'b:7'])
    expect(namesOf('postgres://u@[::1]:1,[2001:db8::1]/db')).toEqual(['::1:1', '2001:db8::1:5432'])
    expect(namesOf('postgres://u@%2Frun%2Fpg,b/db')).toEqual(['/run/pg:5432', 'b:5432'])
  })

  it('each get an address of their own, in which all else stays byte by byte', () => {
    const rest = 'application_name=a%20b&options=-c%20x=y'
    expect(urlsOf(`postgresql://u:ge%40heim@a:1,b/db?target_session_attrs=any&connect_timeout=3&${rest}`)).toEqual([
      `postgresql://u:ge%40heim@a:1/db?${rest}`,
      `postgresql://u:ge%40heim@b:5432/db?${rest}`,
    ])
    expect(urlsOf('postgres://u@/db?host=/run/pg,::1')).toEqual([
      'postgres://u@%2Frun%2Fpg:5432/db',
      'postgres://u@[::1]:5432/db',
    ])
  })

  it('of an address with one that wants nothing are left to the driver, and so is what is no address', () => {
    for (const url of ['postgres://u@a/db', 'postgres:///db', 'postgres://:::', 'postgres://u@%zz/db', 'a,b'])
      expect(databaseHosts(url), url).toBeNull()
    expect(namesOf('postgres://u@a/db?target_session_attrs=read-write')).toEqual(['a:5432'])
  })

  it('are those that take writes, unless the address says otherwise, and each has a bounded time', () => {
    expect(databaseHosts('postgres://a,b/db')).toMatchObject({ wanted: 'read-write', hostMs: 2000 })
    expect(databaseHosts('postgres://a,b/db?target_session_attrs=primary&connect_timeout=1')).toMatchObject({
      wanted: 'primary',
      hostMs: 1000,
    })
    expect(databaseHosts('postgres://a,b/db?target_session_attrs=any&connect_timeout=0')).toMatchObject({
      wanted: 'any',
      hostMs: 4000,
    })
    expect(databaseHosts('postgres://a,b/db?connect_timeout=60')?.hostMs).toBe(4000)
  })

  it('that make no sense are refused by the name of the parameter', () => {
    const both = 'postgres://u:geheim@a,b/db'
    for (const one of ['read-only', 'standby', 'prefer-standby'])
      expect(refusal(`${both}?target_session_attrs=${one}`)).toMatch('would choose a server that takes no writes')
    expect(refusal(`${both}?target_session_attrs=master`)).toMatch(
      'target_session_attrs is one of any | read-write | primary',
    )
    expect(refusal(`${both}?load_balance_hosts=random`)).toMatch('load_balance_hosts is not supported')
    expect(refusal(`${both}?load_balance_hosts=disable`)).toBe('taken')
    expect(refusal(`${both}?connect_timeout=soon`)).toMatch('connect_timeout is a number of seconds')
    expect(refusal('postgres://u:geheim@/db?host=a,b&port=1,2,3')).toMatch('port has 3 for 2 hosts')
    expect(refusal('postgres://u:geheim@a,,b/db')).toMatch('host has an empty one')
    expect(refusal('postgres://u:geheim@a,b:65536/db')).toMatch('port is a number from 1 to 65535')
  })
})

it('the rules of sslmode hold for every host', () => {
  expect(refusal('postgres://u:geheim@localhost,db/a', 'production')).toMatch('sslmode is missing')
  expect(refusal('postgres://u:geheim@localhost,127.0.0.1:5433/a', 'production')).toBe('taken')
  const connection = databaseConnection('postgres://u:p@/a?host=/run/pg,db&sslmode=require', 'production')
  expect(connection).toMatchObject({
    several: {
      servers: [
        { name: '/run/pg:5432', ssl: false },
        { name: 'db:5432', ssl: { rejectUnauthorized: false } },
      ],
    },
  })
})

it('another database of the same servers', () => {
  expect(withDatabase('postgres://u:p@a,b:1/db?sslmode=disable', 'x')).toBe('postgres://u:p@a,b:1/x?sslmode=disable')
  expect(withDatabase('postgres://u@a', 'x')).toBe('postgres://u@a/x')
})

it('`config` shows where an address leads: every host, no password', () => {
  const place = (url: string) => databaseAddress.secret?.place(url)
  expect(place('postgres://u:geheim@a:5432,[::1]:5433/db?target_session_attrs=any')).toBe('a:5432,[::1]:5433/db')
  expect(place('postgres://u:geheim@a/db')).toBe('a/db')
  expect(place('postgres://u:geheim@a,/db')).toBeNull()
})
