/** TLS to the database, against a real PostgreSQL with certificates of a test's own authority. */
import './support/only-long.ts'
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../apps/server/src/start/config.ts'
import { openDatabase } from '../apps/server/src/start/database.ts'
import { startGateway } from '../apps/server/src/start/gateway.ts'
import { authority, type Certified } from './support/authority.ts'

/** An address of this machine that no other server listens at: the port is PostgreSQL's own. */
const ADDRESS = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`
const ours = authority('acopay test CA')
const strange = authority('another CA')

let dir: string
let server: EmbeddedPostgres
let admin: Pool
/** Brings connections to `localhost` to the server, so that it has a name. */
let relay: Server
const file = (name: string): string => path.join(dir, name)

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-tls-'))
  fs.writeFileSync(file('ca.pem'), ours.cert)
  fs.writeFileSync(file('strange.pem'), strange.cert)
  keep('client', ours.issue({ commonName: 'acopay' }))
  keep('stranger', strange.issue({ commonName: 'acopay' }))
  server = await startEmbeddedPostgres(file('postgres'), {
    settings: { listen_addresses: ADDRESS, fsync: 'off' },
  })
  admin = openPool({ ...server.connection, max: 1 })
  relay = createServer((from) => {
    const to = connect(server.connection.port, ADDRESS)
    from.on('error', () => to.destroy()).on('close', () => to.destroy())
    to.on('error', () => from.destroy()).on('close', () => from.destroy())
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await admin.end()
  await server.stop()
  await new Promise((resolve) => relay.close(resolve))
  fs.rmSync(dir, { recursive: true })
})

function keep(name: string, { cert, key }: Certified): void {
  fs.writeFileSync(file(`${name}.pem`), cert)
  fs.writeFileSync(file(`${name}.key`), key, { mode: 0o600 })
}

/** The server's certificate from now on (null: it speaks no TLS), and what it asks of clients. */
async function serverWith(
  certified: Certified | null,
  clients: 'any' | 'encrypted' | 'certified' = 'any',
): Promise<void> {
  const data = file('postgres/data')
  const { uid, gid } = fs.statSync(data)
  const put = (name: string, text: string): void => {
    fs.writeFileSync(path.join(data, name), text, { mode: 0o600 })
    fs.chownSync(path.join(data, name), uid, gid)
  }
  if (certified !== null) {
    put('server.crt', certified.cert)
    put('server.key', certified.key)
    put('ca.crt', ours.cert)
  }
  const who = {
    any: 'host all all all trust',
    encrypted: 'hostssl all all all trust',
    certified: 'hostssl all all all cert',
  }
  put('pg_hba.conf', `local all all trust\n${who[clients]}\n`)
  await admin.query(`alter system set ssl_ca_file = 'ca.crt'`)
  await admin.query(`alter system set ssl = ${certified === null ? 'off' : 'on'}`)
  await reloaded()
}

/** The postmaster reads its files again by a signal; a new connection shows that it has. */
async function reloaded(): Promise<void> {
  const { rows } = await admin.query<{ at: Date }>('select pg_conf_load_time() as at')
  await admin.query('select pg_reload_conf()')
  for (;;) {
    const fresh = openPool({ ...server.connection, max: 1 })
    const now = await fresh.query<{ at: Date }>('select pg_conf_load_time() as at')
    await fresh.end()
    if ((now.rows[0]?.at.getTime() ?? 0) > (rows[0]?.at.getTime() ?? 0)) return
  }
}

const byName = (query: string): string => {
  const { port } = relay.address() as AddressInfo
  return `postgresql://acopay@localhost:${port}/acopay${query}`
}
const byAddress = (query: string): string => `postgresql://acopay@${ADDRESS}:${server.connection.port}/acopay${query}`

/** What a start says: how it is connected, or the one line by which it ends. */
async function connected(url: string): Promise<string> {
  try {
    const { pool, close } = await openDatabase(readConfig({ DATABASE_URL: url, ACOPAY_HOME: dir }, ''))
    const { rows } = await pool.query<{ how: string }>(
      `select case when ssl then 'encrypted' || coalesce(', as ' || client_dn, '') else 'plain' end as how
         from pg_stat_ssl where pid = pg_backend_pid()`,
    )
    await close()
    return rows[0]?.how ?? ''
  } catch (error) {
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
}

const named = () => ours.issue({ commonName: 'db', dns: ['localhost'], ip: [ADDRESS] })
const root = (name = 'ca'): string => `&sslrootcert=${file(`${name}.pem`)}`

it('a server with a certificate of the CA and for the name: each mode connects, and says how', async () => {
  await serverWith(named())
  expect(await connected(byName('?sslmode=disable'))).toBe('plain')
  expect(await connected(byName(''))).toBe('plain')
  for (const mode of ['require', `require${root()}`, `verify-ca${root()}`, `verify-full${root()}`]) {
    expect(await connected(byName(`?sslmode=${mode}`)), mode).toBe('encrypted')
  }
  expect(await connected(byAddress(`?sslmode=verify-full${root()}`))).toBe('encrypted')
})

it('a certificate of another CA: `require` encrypts without asking by whom, all others name sslrootcert', async () => {
  await serverWith(strange.issue({ commonName: 'db', dns: ['localhost'] }))
  expect(await connected(byName('?sslmode=require'))).toBe('encrypted')
  for (const mode of [
    `require${root()}`,
    `verify-ca${root()}`,
    `verify-full${root()}`,
    'verify-full&sslrootcert=system',
  ]) {
    expect(await connected(byName(`?sslmode=${mode}`)), mode).toMatch('was not issued by a CA of this file')
  }
  expect(await connected(byName(`?sslmode=verify-full${root('strange')}`))).toBe('encrypted')
})

it('a certificate for another host: only verify-full refuses, by name and by address', async () => {
  await serverWith(ours.issue({ commonName: 'localhost', dns: ['db.example.com'], ip: ['192.0.2.1'] }))
  expect(await connected(byName(`?sslmode=verify-ca${root()}`))).toBe('encrypted')
  for (const url of [byName, byAddress]) {
    expect(await connected(url(`?sslmode=verify-full${root()}`))).toMatch('is for another host name')
  }
})

it('an expired certificate is named as such by the modes that look at it', async () => {
  await serverWith(ours.issue({ commonName: 'db', dns: ['localhost'], validUntil: new Date(Date.now() - 86_400_000) }))
  expect(await connected(byName('?sslmode=require'))).toBe('encrypted')
  for (const mode of ['verify-ca', 'verify-full']) {
    expect(await connected(byName(`?sslmode=${mode}${root()}`)), mode).toMatch('has expired: replace it there')
  }
})

it('a server without TLS is not spoken to in plain text by any mode that encrypts', async () => {
  await serverWith(null)
  for (const mode of ['require', `verify-ca${root()}`, `verify-full${root()}`]) {
    expect(await connected(byName(`?sslmode=${mode}`)), mode).toMatch('the server speaks no TLS')
  }
  expect(await connected(byName('?sslmode=disable'))).toBe('plain')
})

it('a server that takes encrypted connections only says so to a plain one', async () => {
  await serverWith(named(), 'encrypted')
  expect(await connected(byName('?sslmode=disable'))).toMatch('takes encrypted connections only')
  expect(await connected(byName('?sslmode=require'))).toBe('encrypted')
})

it('a server that wants a client certificate gets it; none, and one of another CA, name sslcert', async () => {
  await serverWith(named(), 'certified')
  const full = `?sslmode=verify-full${root()}`
  const own = (name: string): string => `${full}&sslcert=${file(`${name}.pem`)}&sslkey=${file(`${name}.key`)}`
  expect(await connected(byName(own('client')))).toBe('encrypted, as /CN=acopay')
  expect(await connected(byName(full))).toMatch('sslcert：服务器不接受网关的证书')
  expect(await connected(byName(own('stranger')))).toMatch('sslcert：服务器不接受网关的证书')
  expect(await connected(byName(`${full}&sslcert=${file('client.pem')}&sslkey=${file('stranger.key')}`))).toMatch(
    'sslkey：与 sslcert 不是一对',
  )
})

it('a gateway serves over a connection that is encrypted and verified, and starts no other way in production', async () => {
  await serverWith(named(), 'certified')
  const tls = `${root()}&sslcert=${file('client.pem')}&sslkey=${file('client.key')}`
  const env = {
    ACOPAY_HOME: file('home'),
    PORT: '0',
    LOG_LEVEL: 'silent',
    ACOPAY_MODE: 'production',
    ACOPAY_MIGRATE: 'auto',
    ACOPAY_DRAIN_MS: '0',
  }
  const gateway = await startGateway(readConfig({ ...env, DATABASE_URL: byName(`?sslmode=verify-full${tls}`) }, ''))
  const ready = async () => (await fetch(`${gateway.url}/readyz`)).json()
  onTestFinished(() => gateway.stop())
  await expect.poll(ready).toEqual({ status: 'ok' })
  const { rows } = await admin.query(
    'select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where client_addr is not null',
  )
  expect(rows).toEqual([{ ssl: true }])
  // The certificate ends while the gateway runs: new connections fail. A new one needs no restart.
  await serverWith(ours.issue({ commonName: 'db', dns: ['localhost'], validUntil: new Date(Date.now() - 86_400_000) }))
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where client_addr is not null')
  await expect.poll(ready).toEqual({ status: 'database unreachable', code: 'CERT_HAS_EXPIRED' })
  await serverWith(named(), 'certified')
  await expect.poll(ready).toEqual({ status: 'ok' })
  const elsewhere = readConfig({ ...env, DATABASE_URL: 'postgres://acopay:secret@db.example.com/acopay' }, '')
  const refused = await startGateway(elsewhere).catch((error: Error) => error.message)
  expect(refused).toMatch('sslmode is missing, and the database on another machine would be reached in plain text')
  expect(refused).not.toContain('secret')
})
