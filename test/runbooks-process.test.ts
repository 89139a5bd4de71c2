/**
 * The runbooks about the process, its database and its keys (docs/runbooks), each followed once with the commands and statements that
 * the page names.
 */
import './support/only-long.ts'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { audit } from '../apps/server/src/commands/audit.ts'
import { channelAccount } from '../apps/server/src/commands/channel-account.ts'
import { rotate } from '../apps/server/src/commands/rotate.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { type Gateway, startGateway, thisMachine } from '../apps/server/src/start/gateway.ts'
import { startedOnce, type TestDatabase, testDatabase } from './support/database.ts'
import { call, close, place, signedRequest } from './support/merchant.ts'
import { onServer } from './support/postgres.ts'

const page = (name: string): string => readFileSync(`docs/runbooks/${name}.md`, 'utf8')

let home: string
let database: TestDatabase
let env: Record<string, string>
let lines: string[] = []
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-runbooks-'))
  database = await testDatabase('started')
  startedOnce(home)
  env = {
    PORT: '0',
    ACOPAY_HOME: home,
    DATABASE_URL: database.connectionString,
    ACOPAY_METRICS_TOKEN: 'a-token-of-the-tests',
  }
})
afterAll(async () => {
  await database.drop()
  rmSync(home, { recursive: true })
})

async function start(more: Record<string, string> = {}): Promise<Gateway> {
  const config = readConfig({ ...env, ...more }, '')
  lines = []
  return startGateway(config, { ...(await thisMachine(config)), output: { write: (line) => void lines.push(line) } })
}
const says = async (more: Record<string, string>): Promise<string> => {
  try {
    await (await start(more)).stop()
    return 'started'
  } catch (error) {
    return (error as Error).message
  }
}
const io = (say: (line: string) => void = () => {}) => ({ env, defaultHome: home, say })
const alarms = (): unknown[] =>
  lines.map((line) => JSON.parse(line)).flatMap(({ alarm, msg }) => (alarm === true ? [msg] : []))
const demoOf = (gateway: Gateway) => ({
  ...JSON.parse(readFileSync(path.join(home, 'demo.json'), 'utf8')),
  baseUrl: gateway.url,
})
const ready = async (gateway: Gateway) => (await fetch(`${gateway.url}/readyz`)).json()
/** A page's statements, as they stand in it. */
const statements = (name: string): string[] =>
  [...page(name).matchAll(/```sql\n([\s\S]*?)```/g)].flatMap(([, text = '']) =>
    text.split(/;\s*(?:--.*)?\n/).filter((one) => /\w/.test(one)),
  )
const runAll = async (name: string): Promise<void> => {
  for (const statement of statements(name)) await database.pool.query(statement)
}

/** A TCP port that leads to the database until it is cut. */
async function wayToDatabase(): Promise<{ url: string; cut: () => void; mend: () => Promise<void> }> {
  const url = new URL(database.connectionString)
  const socket = `${decodeURIComponent(url.hostname)}/.s.PGSQL.${url.port}`
  const open = new Set<Socket>()
  let server: Server
  const listen = async (port: number): Promise<number> => {
    server = createServer((from) => {
      const to = connect(socket)
      open.add(from.on('error', () => {}).on('close', () => to.destroy())).add(to.on('error', () => from.destroy()))
      from.pipe(to).pipe(from)
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0)
  return {
    url: `postgres://${url.username}@127.0.0.1:${port}${url.pathname}`,
    cut: () => {
      server.close()
      for (const one of open) one.destroy()
      open.clear()
    },
    mend: async () => void (await listen(port)),
  }
}

describe('does-not-start', () => {
  it('each line that ends a start is in the table, and goes when its row is followed', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const port = String((taken.address() as { port: number }).port)
    const notAFolder = path.join(home, 'a-file')
    writeFileSync(notAFolder, '')
    const other = { ACOPAY_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    const production = { ACOPAY_MODE: 'production', ...other }
    const remote = 'postgres://u@db.example.com/acopay'
    const said = [
      await says({ PORT: port }),
      await says({ DATABASE_URL: 'postgres://acopay@127.0.0.1:1/acopay' }),
      await says({ ...production, DATABASE_URL: remote }),
      await says({ DATABASE_URL: 'postgres://acopay@127.0.0.1:1/acopay?sslmode=verify-full' }),
      await says({ ACOPAY_HOME: notAFolder }),
      await says(other),
      await says({ HOST: '0.0.0.0' }),
      await says({ ACOPAY_POOL_MAX: '1' }),
    ]
    taken.close()
    await database.pool.query(`insert into schema_migration values (9999, '9999-later.sql', 'x')`)
    said.push(await says({}))
    await database.pool.query('delete from schema_migration where number = 9999')
    const english = [...page('does-not-start').matchAll(/^\| `([^`]+)`/gm)].map(([, text = '']) => text)
    for (const line of said)
      expect(
        english.filter((text) => line.includes(text)),
        line,
      ).not.toEqual([])
    expect(await says({})).toBe('started')
  })
})

describe('with a gateway that runs', () => {
  it('database-read-only, acopay-not-ready, acopay-system-errors: /readyz and the log name it, and it ends without a restart', async () => {
    const gateway = await start()
    const demo = demoOf(gateway)
    const name = new URL(database.connectionString).pathname.slice(1)
    const end = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`
    await onServer(inject('postgresUrl'), `alter database ${name} set default_transaction_read_only = on`, end)
    await expect.poll(() => ready(gateway), { timeout: 20_000 }).toEqual({ status: 'database refuses', code: '25006' })
    expect((await call(demo, { method: 'POST', path: 'close', params: { transaction_no: 'AP1' } })).status).toBe(1500)
    expect(lines.some((line) => line.includes('"request failed"'))).toBe(true)
    await onServer(inject('postgresUrl'), `alter database ${name} reset default_transaction_read_only`, end)
    await expect.poll(() => ready(gateway), { timeout: 20_000 }).toEqual({ status: 'ok' })
    expect((await close(demo, await place(demo))).data.code).toBe('SUCCESS')
    await gateway.stop()
  })

  it('database-gone, acopay-not-ready: calls are answered 1500 while it is away, and go through when it is back', async () => {
    const way = await wayToDatabase()
    const gateway = await start({ DATABASE_URL: way.url })
    const demo = demoOf(gateway)
    const order = await place(demo)
    way.cut()
    await expect
      .poll(() => ready(gateway), { timeout: 20_000 })
      .toEqual({ status: 'database unreachable', code: 'ECONNREFUSED' })
    expect((await close(demo, order)).status).toBe(1500)
    await way.mend()
    await expect.poll(() => ready(gateway), { timeout: 20_000 }).toEqual({ status: 'ok' })
    expect((await close(demo, order)).data.code).toBe('SUCCESS')
    await gateway.stop()
    way.cut()
  })

  it('acopay-pool-full: the statement that blocks is found by the page, and ending it lets the others go on', async () => {
    const gateway = await start({ ACOPAY_POOL_MAX: '2' })
    const demo = demoOf(gateway)
    const order = await place(demo)
    const blocker = await database.pool.connect()
    // It is ended below: without a listener its error would end the test run.
    blocker.on('error', () => {})
    const { rows } = await blocker.query('select pg_backend_pid() as pid')
    await blocker.query('begin')
    await blocker.query('select 1 from orders where transaction_no = $1 for update', [order])
    let isOver = false
    const closing = (async () => {
      while (!isOver && (await close(demo, order)).data.code !== 'SUCCESS');
    })()
    const looking = statements('acopay-pool-full')[0] ?? ''
    const isBlocked = ({ blocked_by }: { blocked_by: number[] }) => blocked_by.length > 0
    const blocked = async () => (await database.pool.query(looking)).rows.find(isBlocked)
    await expect.poll(async () => (await blocked())?.blocked_by, { timeout: 20_000 }).toEqual([rows[0].pid])
    await database.pool.query('select pg_terminate_backend($1)', [rows[0].pid])
    await closing
    isOver = true
    blocker.release(true)
    await gateway.stop()
  })

  it('platform-key-leaked: from the command on another key signs, and the old one no more', async () => {
    const gateway = await start()
    const said: string[] = []
    const command = (...args: string[]) =>
      rotate.run(
        args,
        io((line) => said.push(line)),
      )
    await command('keys')
    await command('platform', '--days', '0')
    await command('end', 'first')
    await gateway.stop()
    const again = await start()
    const { url, ...init } = await signedRequest(demoOf(again), {
      method: 'GET',
      path: 'trade',
      params: { transaction_no: 'AP1' },
    })
    const { headers } = await fetch(url, init)
    expect(headers.get('x-acopay-platform-key')).toMatch(/^[0-9a-f]{16}$/)
    await again.stop()
  })

  it('stamping-changed: the row comes back from a backup, and the next start is silent', async () => {
    const gateway = await start()
    await close(demoOf(gateway), await place(demoOf(gateway)))
    await gateway.stop()
    await database.pool.query('create table backup_of_stamping as select * from stamping')
    await database.pool.query('delete from stamping')
    const alarmed = await start()
    const headers = { authorization: `Bearer ${env.ACOPAY_METRICS_TOKEN}` }
    expect(await (await fetch(`${alarmed.url}/metrics`, { headers })).text()).toMatch(
      /acopay_alarms_total\{message="the moment at which stamping began .*"\} 1/,
    )
    await alarmed.stop()
    expect(alarms()).toContain('the moment at which stamping began was removed or changed in the database')
    await database.pool.query('delete from stamping')
    await database.pool.query('insert into stamping select * from backup_of_stamping')
    await database.pool.query('drop table backup_of_stamping')
    await (await start()).stop()
    expect(alarms()).toEqual([])
    expect(await audit.run(['verify'], io())).toBe(0)
  })
})

describe('master-key-lost', () => {
  const file = () => path.join(home, 'master.key')

  it('a start in the wrong home says so, and the right file ends it', async () => {
    renameSync(file(), `${file()}.away`)
    expect(await says({})).toMatch('was sealed with another master key')
    // The trap of the page: the start has made a new file.
    expect(readFileSync(file(), 'utf8')).not.toBe(readFileSync(`${file()}.away`, 'utf8'))
    renameSync(`${file()}.away`, file())
    expect(await says({})).toBe('started')
  })

  it('lost for good: by the statements of the page the gateway starts again, and what is sealed anew works', async () => {
    rmSync(file())
    expect(await says({})).toMatch('was sealed with another master key')
    await runAll('master-key-lost')
    const before = (await database.pool.query(`select transaction_no from orders where state = 'CLOSED'`)).rows
    const gateway = await start()
    expect(await ready(gateway)).toEqual({ status: 'ok' })
    const demo = demoOf(gateway)
    expect((await close(demo, await place(demo))).data.code).toBe('SUCCESS')
    // What the page says is lost.
    const params = { transaction_no: before[0].transaction_no }
    expect((await call(demo, { method: 'GET', path: 'close/evidence', params })).status).toBe(1500)
    expect(await audit.run(['verify'], io())).toBe(1)
    expect(alarms()).toContain('the moment at which stamping began was removed or changed in the database')
    const settings = path.join(home, 'wechat.json')
    const { accountsOf, newSettings } = await import('../apps/server/src/sandbox/upstreams.ts')
    writeFileSync(
      settings,
      JSON.stringify({ ...accountsOf(newSettings()).wechat, baseUrl: 'https://api.mch.weixin.qq.com' }),
    )
    await expect(channelAccount.run(['MCH1000000', 'wechat', settings], io())).rejects.toThrow('--anew')
    expect(await channelAccount.run(['MCH1000000', 'wechat', settings, '--anew'], io())).toBe(0)
    await gateway.stop()
  })
})
