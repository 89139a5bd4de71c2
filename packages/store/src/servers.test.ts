import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type ServerPair, startPair } from '../../../test/support/server-pair.ts'
import { openPool, type Pool, run, transaction } from './db.ts'
import { NoServerError, type Server, type WantedServer } from './servers.ts'

let dir: string
let pair: ServerPair
const opened: Pool[] = []
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-pair-'))
  pair = await startPair(dir, 'synchronous')
  await pair.primary.admin.query('create table ledger (id integer primary key, amount bigint not null)')
  await pair.primary.admin.query('insert into ledger values (1, 0)')
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.end()))
})
afterAll(async () => {
  await pair.stop()
  fs.rmSync(dir, { recursive: true })
})

const at = (host: string): Server => ({ name: host, connectionString: `postgresql://acopay:geheim@${host}/acopay` })
const primary = (): Server => at(pair.primary.host)
const standby = (): Server => at(pair.standby.host)
/** Nobody listens at this port. */
const nobody = at('127.0.0.1:1')

function several(servers: Server[], wanted: WantedServer = 'read-write'): Pool {
  const pool = openPool({ several: { servers, wanted, serverMs: 1000 }, max: 4 })
  opened.push(pool)
  return pool
}

const whereIs = async (pool: Pool): Promise<string> => {
  const [row] = await run<{ at: string }>(
    pool,
    'whereIs',
    `select host(inet_server_addr()) || ':' || inet_server_port() as at`,
    [],
  )
  return row?.at ?? ''
}

const add = (pool: Pool) => transaction(pool, async (db) => db.query('update ledger set amount = amount + 1'))

/** By the server's own files, as an operator would; a new connection shows that it has read them. */
async function readOnly(value: 'on' | 'off'): Promise<void> {
  const { admin } = pair.primary
  // In one that reads only, settings can be changed all the same.
  await admin.query(`alter system set default_transaction_read_only = ${value}`)
  await admin.query('select pg_reload_conf()')
  const said = async (): Promise<string> => {
    const fresh = openPool({ ...primary(), max: 1 })
    const { rows } = await fresh.query<{ value: string }>(
      `select current_setting('default_transaction_read_only') as value`,
    )
    await fresh.end()
    return rows[0]?.value ?? ''
  }
  while ((await said()) !== value);
}

it('a server that refuses, a standby, and one that is silent: the next one gets the connections, whatever the order', async () => {
  const silent = net.createServer((socket) => socket.resume())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const mute = at(`127.0.0.1:${(silent.address() as net.AddressInfo).port}`)
  expect(await whereIs(several([nobody, primary()]))).toBe(pair.primary.host)
  expect(await whereIs(several([standby(), primary()]))).toBe(pair.primary.host)
  expect(await whereIs(several([standby(), primary()], 'primary'))).toBe(pair.primary.host)
  expect(await whereIs(several([mute, nobody, standby(), primary()]))).toBe(pair.primary.host)
  await new Promise((resolve) => silent.close(resolve))
})

it('`any` takes the first that answers', async () => {
  expect(await whereIs(several([nobody, standby(), primary()], 'any'))).toBe(pair.standby.host)
})

it('where none can be used, the error says why for each, and repeats no password', async () => {
  const pool = several([nobody, standby(), at(`${pair.standby.host.split(':')[0]}:1`)])
  const error: unknown = await pool.query('select 1').catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(NoServerError)
  expect((error as Error).message).toBe(
    `no server of 3 can be used: 127.0.0.1:1 (ECONNREFUSED), ${pair.standby.host} (a standby), ${pair.standby.host.replace(/\d+$/, '1')} (ECONNREFUSED)`,
  )
  const answers = await Promise.allSettled([add(pool), add(pool), add(pool)])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(pool.totalCount).toBe(0)
})

it('a primary that turned read-only is left at once, with all of its connections, for the one that takes writes', async () => {
  const pool = several([primary(), standby()])
  await Promise.all([add(pool), add(pool), add(pool), add(pool)])
  const before = pool.totalCount
  expect(before).toBeGreaterThan(1)
  await readOnly('on')
  // The connections that are open still stand at the server that they know, and each says so once at most.
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => add(pool)))
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []))
  expect(reasons.map(({ message }) => message).join()).toMatch(/read-only/)
  await expect(add(pool)).rejects.toThrow(`${pair.primary.host} (read-only)`)
  expect(pool.totalCount).toBe(0)
  await readOnly('off')
  await add(pool)
  expect(await whereIs(pool)).toBe(pair.primary.host)
})

it('with one address, a connection that turned read-only is thrown away: what stands behind the address may be another by then', async () => {
  const pool = openPool({ ...primary(), max: 3 })
  opened.push(pool)
  await Promise.all([add(pool), add(pool), add(pool)])
  const sessions = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
  for (const session of sessions) await session.query('set default_transaction_read_only = on')
  for (const session of sessions) session.release()
  // The first one that says so speaks for all.
  const answers = []
  for (let asked = 0; asked < 6; asked += 1)
    answers.push(
      await add(pool).then(
        () => 'done',
        ({ code }) => code,
      ),
    )
  expect(answers.filter((answer) => answer === '25006')).toHaveLength(1)
  expect(answers.filter((answer) => answer === 'done')).toHaveLength(5)
})

it('a primary that dies, and a standby that is promoted: the same pool goes on there, and finds all that was acknowledged', async () => {
  const pool = several([primary(), standby()])
  await Promise.all([add(pool), add(pool), add(pool)])
  const { rows: before } = await pool.query<{ amount: bigint }>('select amount from ledger')
  pair.primary.kill()
  await expect.poll(() => add(pool).catch(({ message }) => message)).toMatch('(a standby)')
  await pair.standby.admin.query('select pg_promote()')
  await add(pool)
  expect(await whereIs(pool)).toBe(pair.standby.host)
  const { rows } = await pool.query<{ amount: bigint }>('select amount from ledger')
  expect(rows[0]?.amount).toBe((before[0]?.amount ?? 0n) + 1n)
})
