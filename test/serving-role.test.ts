/**
 * Two database roles: one owns the tables and migrates, the other serves. The other runs the whole gateway, and can rewrite neither
 * timelines nor the audit log.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Pool } from '@acopay/store'
import { openPool } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit } from '../apps/server/src/commands/audit.ts'
import { migrate } from '../apps/server/src/commands/migrate.ts'
import { UsageError } from '../apps/server/src/commands/usage-error.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { type Gateway, startGateway } from '../apps/server/src/start/gateway.ts'
import { type ConsoleClient, signedIn } from './support/console.ts'
import { startedOnce, type TestDatabase, testDatabase } from './support/database.ts'
import { call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { PATIENT } from './support/process.ts'

const ROLE = `serve_${randomBytes(4).toString('hex')}`

let home: string
let owner: TestDatabase
let serving: string
let pool: Pool
/** Of the owner, and of the role that serves. */
let env: { owner: Record<string, string>; serving: Record<string, string> }
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-roles-'))
  owner = await testDatabase('started')
  startedOnce(home)
  await owner.pool.query(`create role ${ROLE} login`)
  const url = new URL(owner.connectionString)
  url.username = ROLE
  serving = url.href
  const both = { PORT: '0', LOG_LEVEL: 'error', ACOPAY_HOME: home, ...PATIENT }
  env = { owner: { ...both, DATABASE_URL: owner.connectionString }, serving: { ...both, DATABASE_URL: serving } }
  pool = openPool({ connectionString: serving, max: 2 })
})
afterAll(async () => {
  await pool.end()
  await owner.pool.query(`drop owned by ${ROLE}`)
  await owner.pool.query(`drop role ${ROLE}`)
  await owner.drop()
  rmSync(home, { recursive: true })
})

const refusedBy = async (sql: string): Promise<string> => {
  try {
    await pool.query(sql)
    return 'done'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

async function migrateAs(args: string[]): Promise<string[]> {
  const said: string[] = []
  expect(await migrate.run(args, { env: env.owner, defaultHome: home, say: (line) => said.push(line) })).toBe(0)
  return said
}

describe('npm run migrate', () => {
  it('names the role that does not exist, and one that could do anything anyway', async () => {
    const said = (role: string) => migrateAs(['--serving-role', role])
    await expect(said('nobody_here')).rejects.toThrow('没有数据库角色 nobody_here')
    const { rows } = await owner.pool.query('select current_user as name')
    await expect(said(rows[0].name)).rejects.toThrow('是表的所有者或超级用户')
    await expect(migrateAs(['--role', 'x'])).rejects.toThrow(UsageError)
  })

  it('says what the role may do, also when it is said again', async () => {
    for (const _ of [1, 2]) {
      const [migrated, granted] = await migrateAs(['--serving-role', ROLE])
      expect(migrated).toMatch(/^数据库已是本版本/)
      expect(granted).toMatch(`${ROLE} 可以运行网关，不能修改或删除时间线与审计日志`)
    }
  })

  it('is asked for where a role that owns no tables meets an older database', async () => {
    await owner.pool.query('create table kept as select * from schema_migration')
    await owner.pool.query('delete from schema_migration where number = (select max(number) from schema_migration)')
    await expect(startGateway(readConfig(env.serving, ''))).rejects.toThrow('请用表的所有者执行 npm run migrate')
    await owner.pool.query('insert into schema_migration select * from kept on conflict do nothing')
    await owner.pool.query('drop table kept')
  })
})

describe('the role that serves', () => {
  let gateway: Gateway
  let demo: Parameters<typeof place>[0]
  let admin: ConsoleClient
  beforeAll(async () => {
    gateway = await startGateway(readConfig({ ...env.serving, ACOPAY_AUDIT_DAYS: '1' }, ''))
    demo = JSON.parse(readFileSync(gateway.sandbox?.demoFile ?? '', 'utf8'))
    const { users } = JSON.parse(readFileSync(gateway.sandbox?.consoleFile ?? '', 'utf8')) as {
      users: { role: string; username: string; password: string }[]
    }
    const of = users.find(({ role }) => role === 'platform_admin')
    admin = await signedIn({ demo }, of?.username ?? '', of?.password)
  })
  afterAll(() => gateway.stop())

  it('places, opens, is paid, refunds, closes, and runs the jobs that follow', async () => {
    const paid = await place(demo)
    expect(await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')).toBe(true)
    await expect.poll(async () => (await query(demo, paid)).data.code).toBe('SUCCESS')
    const params = {
      ...{ transaction_no: paid, mch_refund_no: newTradeNo(), refund_amount: '0.10', refund_reason: '退货' },
      aco_pay_sdk: '2.0.0',
    }
    const refunded = await call(demo, { method: 'POST', path: 'refund', params })
    expect(refunded.data.code, JSON.stringify(refunded)).toMatch(/^(SUCCESS|PROCESSING)$/)
    const closed = await place(demo)
    const attempt = (await openAttempt(demo, closed, 'alipay')) ?? ''
    expect((await close(demo, closed)).data.code).toBe('SUCCESS')
    // Late money goes back by a job.
    expect(await pay(demo, closed, attempt, 'pay-anyway')).toBe(true)
    const back = `select 1 from reversal where state = 'SUCCESS'`
    await expect.poll(async () => (await owner.pool.query(back)).rowCount).toBe(1)
  })

  it('serves the console: what is read, and what is changed and noted', async () => {
    for (const list of ['orders', 'refunds', 'notifications', 'users', 'merchants', 'audit', 'jobs', 'overview']) {
      expect((await admin.get(list)).status, list).toBe(200)
    }
    expect((await admin.send('PUT', `merchants/${demo.mchNo}`, { name: 'renamed' })).status).toBe(200)
    const { rows } = (await admin.get('audit')).body
    expect(rows[0]).toMatchObject({ action: 'merchants.change', outcome: 'DONE' })
  })

  it('adds a platform key, and ends none: that is for the owner, and the console says so', async () => {
    const { status, body } = await admin.send('POST', 'platform-keys', { days: 1 })
    expect(status).toBe(200)
    const ended = await admin.send('DELETE', `platform-keys/${body.key_id}`)
    expect([ended.status, ended.body.message.en]).toEqual([409, expect.stringContaining('acopay-server rotate end')])
  })

  it('is ready, which it learns by writing', async () => {
    // On a slow machine it may say first that it is slow.
    await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  })

  it('can change and remove no entry of a timeline, no row of the audit log and no head of a day, nor take itself the right', async () => {
    const tries = [
      `update timeline set entry = entry`,
      `delete from timeline`,
      `truncate timeline`,
      `update console_audit set detail = '{}'`,
      `delete from console_audit`,
      `update console_audit_outcome set outcome = 'DONE'`,
      `delete from console_audit_outcome`,
      `insert into console_audit_mark (until_seq, last_mac, removed_at, mac) values (1, '', now(), '')`,
      `update day_heads set day = day`,
      `update platform_key set public_key = public_key`,
      `delete from stamping`,
      `update schema_migration set name = name`,
      `alter table timeline add column x integer`,
      `drop table console_audit`,
      `insert into archived_order values ('M', 'A', 'T', 'CLOSED', null, 'x')`,
      `delete from archived_day`,
      `update archived_attempt set payments = '{}'`,
      `create table mine (x integer)`,
    ]
    const said = []
    for (const sql of tries) said.push([sql, await refusedBy(sql)])
    expect(said.filter(([, code]) => code !== '42501')).toEqual([])
    // It did not do nothing because it can do nothing.
    expect(await refusedBy('select count(*) from timeline')).toBe('done')
    // A grant of a right that one does not have is a warning, and grants nothing.
    await refusedBy(`grant update on timeline to ${ROLE}`)
    expect(await refusedBy('update timeline set entry = entry')).toBe('42501')
  })

  it('leaves old rows of the audit log to the owner, who removes them with a mark that the verifier knows', async () => {
    const lines: string[] = []
    const run = (of: Record<string, string>, what: string) =>
      audit.run([what], {
        env: { ...of, ACOPAY_AUDIT_DAYS: '1' },
        defaultHome: home,
        say: (line) => lines.push(line),
      })
    await expect(run(env.serving, 'forget')).rejects.toThrow('permission denied')
    expect(await run(env.owner, 'forget')).toBe(0)
    expect(lines.at(-1)).toMatch(/^已删除 0 行/)
    expect(await run(env.owner, 'verify'), lines.join('\n')).toBe(0)
  })
})
