/** Whoever writes the database without the master key: what `npm run audit -- verify` finds of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Db, readDayHeads } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headsOf, makeDueHeads } from '../apps/server/src/actions/audit/day-heads.ts'
import { verifyAuditLog } from '../apps/server/src/actions/audit/verify-audit-log.ts'
import { differences } from '../apps/server/src/actions/audit/verify-heads.ts'
import { verifyTimelines } from '../apps/server/src/actions/audit/verify-timelines.ts'
import { forgetOldAudit } from '../apps/server/src/actions/console/audit.ts'
import { audit } from '../apps/server/src/commands/audit.ts'
import { seedOrders } from '../apps/server/src/commands/seed-orders.ts'
import { beginStamping, stampedSince } from '../apps/server/src/security/stamps.ts'
import { addUser, signedIn } from './support/console.ts'
import { forgeTimeline } from './support/forgery.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000
const DAY = '2026-03-01'

let test: TestWorld
let home: string
/** Closed at once; closed after an attempt; paid and refunded. */
let cheap = ''
let full = ''
let refunded = ''
beforeAll(async () => {
  test = await testWorld()
  home = mkdtempSync(path.join(tmpdir(), 'acopay-audit-'))
  const { world, demo } = test
  expect(await beginStamping(world.pool, world.stamps, world.now())).toBe(true)
  cheap = await place(demo)
  await close(demo, cheap)
  const named = await place(demo)
  const { rows } = await world.pool.query('select mch_trade_no from orders where transaction_no = $1', [named])
  await call(demo, { method: 'POST', path: 'close', params: { mch_trade_no: rows[0].mch_trade_no } })
  full = await place(demo)
  await openAttempt(demo, full)
  await close(demo, full)
  refunded = await place(demo)
  await pay(demo, refunded, (await openAttempt(demo, refunded)) ?? '')
  await place(demo)
  await addUser(test, 'admin', 'platform_admin')
  const admin = await signedIn(test, 'admin')
  const refund = { mch_refund_no: 'r'.repeat(24), amount: '1.00', reason: 'x' }
  expect((await admin.send('POST', `orders/${demo.mchNo}/${refunded}/refunds`, refund)).status).toBe(200)
  await admin.send('PUT', `merchants/${demo.mchNo}`, { name: 'another name' })
  await seedOrders.run(['--orders', '60'], { env: env(), defaultHome: home, say: () => {} })
  test.advance(25 * HOUR)
  expect(await makeDueHeads(world)).toEqual([DAY])
})
afterAll(async () => {
  await test.stop()
  rmSync(home, { recursive: true })
})

const env = () => ({
  DATABASE_URL: test.database.connectionString,
  ACOPAY_HOME: home,
  ACOPAY_MASTER_KEY: test.masterKey.toString('base64'),
})
const command = async (...args: string[]) => {
  const said: string[] = []
  const isFine = (await audit.run(args, { env: env(), defaultHome: home, say: (line) => said.push(line) })) === 0
  return { isFine, said }
}
const ALL = { mchNo: null, from: null, until: null }

/** What is found after this was done to the database, which is then undone. */
async function afterwards(tamper: (db: Db) => Promise<unknown>): Promise<string[]> {
  const db = await test.database.pool.connect()
  try {
    await db.query('begin')
    await tamper(db)
    const { stamps } = test.world
    const since = await stampedSince(db, stamps, 'timeline')
    const timelines = await verifyTimelines(db, { entry: stamps.entry, since }, ALL, () => {})
    const heads = (await readDayHeads(db)).map((one) => ({ ...JSON.parse(one.heads), where: 'x' }))
    const wanted = new Set(heads.map((one) => BigInt(one.audit.seq)))
    const log = await verifyAuditLog(db, { stamps, since: await stampedSince(db, stamps, 'audit'), wanted })
    const held = heads.flatMap((one) => differences(one, timelines, { log, mchNo: null }))
    return [...timelines.findings, ...log.findings, ...held].map(({ zh, en }) => `${zh} ${en}`)
  } finally {
    await db.query('rollback')
    db.release()
  }
}

const key = (transactionNo: string) => ({ mchNo: test.demo.mchNo, transactionNo })
const sql =
  (text: string, ...values: unknown[]) =>
  (db: Db) =>
    db.query(text, values)

describe('a database that nobody but gateways has written', () => {
  it('is all as it was written: cheap and full closes by both numbers, payments, refunds, seeded orders', async () => {
    const { isFine, said } = await command('verify')
    expect(said.filter((line) => line.startsWith('✗'))).toEqual([])
    expect(isFine).toBe(true)
    expect(said.at(-2)).toMatch(
      /^65 单 orders, \d+ 条 timeline entries, [1-9]\d* 行 audit rows, 1 日 days; 无印记 0 条/,
    )
  })

  it('has the heads of the day that is over, and does not make them twice', async () => {
    expect(await makeDueHeads(test.world)).toEqual([])
    const [stored] = await readDayHeads(test.database.pool)
    expect(JSON.parse(stored?.heads ?? '')).toEqual(await headsOf(test.world, DAY))
    const lines = test.logged().filter(({ msg }) => msg === 'heads of a day')
    expect(lines).toMatchObject([{ day: DAY, merchants: 1, signature: stored?.signature }])
  })
})

it('each row of a timeline that was changed, added, removed, moved or swapped is named', async () => {
  const tell = (no: () => string, seq: number) => new RegExp(`${no()} 时间线第${seq}条印记不符`)
  const other = () => full
  const ROWS: [string, (db: Db) => Promise<unknown>, RegExp][] = [
    [
      'another story with all its hashes',
      (db) =>
        forgeTimeline(db, key(cheap), (all) =>
          all.map((one) => ({ ...one, entry: one.entry.replace('"by":"MERCHANT"', '"by":"OPERATOR"') })),
        ),
      tell(() => cheap, 2),
    ],
    [
      'an entry removed',
      (db) => forgeTimeline(db, key(refunded), (all) => all.toSpliced(1, 1)),
      tell(() => refunded, 2),
    ],
    [
      'an entry added',
      (db) => forgeTimeline(db, key(full), (all) => all.toSpliced(1, 0, { ...all[0], mac: null } as never)),
      tell(() => full, 2),
    ],
    [
      'two entries swapped',
      (db) => forgeTimeline(db, key(full), ([a, b, c, ...rest]) => [a, c, b, ...rest] as never),
      tell(() => full, 2),
    ],
    [
      "another order's close",
      async (db) => {
        const { rows } = await db.query('select at, entry, mac from timeline where transaction_no = $1 and seq = 2', [
          cheap,
        ])
        await forgeTimeline(db, key(other()), ([first]) => [first, rows[0]] as never)
      },
      tell(other, 2),
    ],
    [
      'a hash',
      sql(`update timeline set hash = sha256('x') where transaction_no = $1 and seq = 1`, cheap),
      /时间线第1条被改动/,
    ],
    [
      "the order's state",
      sql(`update orders set state = 'NOTPAY', close_reason = null, closed_at = null where transaction_no = $1`, cheap),
      /订单状态NOTPAY与时间线CLOSED不符/,
    ],
    [
      "the merchant's number",
      sql(`update orders set mch_trade_no = 'x' where transaction_no = $1`, cheap),
      /商户订单号被改动/,
    ],
    [
      'no stamp',
      sql(`update timeline set mac = null where transaction_no = $1 and seq = 2`, cheap),
      tell(() => cheap, 2),
    ],
    [
      'the end cut off, with the order set back',
      async (db) => {
        await forgeTimeline(db, key(cheap), (all) => all.slice(0, 1))
        await db.query(
          `update orders set state = 'NOTPAY', close_reason = null, closed_at = null where transaction_no = $1`,
          [cheap],
        )
      },
      /2026-03-01 的时间线与日摘要不符：当时\d+条，现在\d+条/,
    ],
  ]
  const wrong: object[] = []
  for (const [what, tamper, expected] of ROWS) {
    const found = await afterwards(tamper)
    if (!found.some((line) => expected.test(line))) wrong.push({ what, found })
  }
  expect(wrong).toEqual([])
  expect(await afterwards(async () => {})).toEqual([])
})

it('each row of the audit log that was changed, added, removed or swapped is named', async () => {
  const ROWS: [string, (db: Db) => Promise<unknown>, RegExp][] = [
    ['a row deleted', sql('delete from console_audit where seq = 2'), /审计日志第2行被删除/],
    [
      'three rows deleted',
      async (db) => {
        await db.query('delete from console_audit where seq between 2 and 4')
        await db.query('delete from console_audit_outcome where seq between 2 and 4')
      },
      /审计日志第2–4行被删除/,
    ],
    ['an outcome deleted', sql('delete from console_audit_outcome where seq = 3'), /审计日志第3行被删除/],
    [
      'a row changed',
      sql(`update console_audit set username = 'nobody' where seq = 2`),
      /审计日志第2行（AL\d+）被改动/,
    ],
    [
      'an outcome changed',
      sql(`update console_audit_outcome set outcome = 'FORBIDDEN' where seq = 3`),
      /审计日志第3行（AL\d+）被改动/,
    ],
    [
      'a change changed',
      sql(`update console_audit_outcome set changes = '{}' where seq = 5`),
      /审计日志第5行（AL\d+）被改动/,
    ],
    [
      'two rows swapped',
      async (db) => {
        await db.query('update console_audit set seq = seq + 100 where seq in (1, 2)')
        await db.query('update console_audit set seq = 103 - seq where seq > 100')
        await db.query('update console_audit set seq = case seq when 1 then 2 else 1 end where false')
      },
      /审计日志第1行（AL\d+）被改动/,
    ],
    [
      'a row added without a number',
      sql(
        `insert into console_audit select 'AL' || lpad('9', 36, '9'), '2026-03-01T05:00:00Z', 'a', 'b', 'c', null, null, 'DONE', '{}', null, null`,
      ),
      /没有编号和印记/,
    ],
    [
      'the end removed',
      sql('delete from console_audit_outcome where seq = 5'),
      /审计日志末尾被删除：应到第5行，只到第4行/,
    ],
    [
      'the end removed, with the head set back',
      async (db) => {
        await db.query('delete from console_audit_outcome where seq = 5')
        await db.query('update console_audit_head set (seq, mac) = (select seq, mac from console_audit where seq = 4)')
      },
      /审计日志第5行与 2026-03-01 日摘要不符/,
    ],
    [
      'all of it, under a forged mark of the retention',
      async (db) => {
        await db.query(
          `insert into console_audit_mark select seq, mac, '2026-03-02T00:00:00Z', mac from console_audit where seq = 4`,
        )
        await db.query('delete from console_audit where seq <= 4')
        await db.query('delete from console_audit_outcome where seq <= 4')
      },
      /清理标记（第4行）是伪造的/,
    ],
  ]
  const wrong: object[] = []
  for (const [what, tamper, expected] of ROWS) {
    const found = await afterwards(tamper)
    if (!found.some((line) => expected.test(line))) wrong.push({ what, found })
  }
  expect(wrong).toEqual([])
})

it('says before and after of what a call changed, and nothing of a secret', async () => {
  const { rows } = await test.database.pool.query(
    `select a.action, o.changes from console_audit a join console_audit_outcome o using (audit_no) order by o.seq`,
  )
  expect(rows.map(({ action, changes }) => [action, JSON.parse(changes)])).toMatchObject([
    ['refunds.create', { timeline: { before: 3, after: expect.any(Number) } }],
    ['merchants.change', { name: { before: expect.any(String), after: 'another name' } }],
  ])
})

it('a day is over for its heads an hour after midnight in China, and not a millisecond before', async () => {
  const { world } = test
  const at = (text: string) => makeDueHeads({ ...world, now: () => new Date(text) })
  expect(await at('2026-03-03T00:59:59.999+08:00')).toEqual([])
  expect(await at('2026-03-03T01:00:00.000+08:00')).toEqual(['2026-03-02'])
})

it("what is older than the retention's days goes, and the rest still verifies", async () => {
  const { world } = test
  const forget = (auditDays: number, text: string) =>
    forgetOldAudit({ ...world, limits: { ...world.limits, auditDays }, sureNow: () => new Date(text) })
  // The rows are of 2026-03-01T12:00 in UTC+8.
  expect(await forget(0, '2036-01-01T00:00:00+08:00')).toBe(0)
  expect(await forget(30, '2026-03-31T12:00:00.000+08:00')).toBe(0)
  const before = (await verified()).count
  expect(await forget(30, '2026-03-31T12:00:00.001+08:00')).toBe(before - 1)
  expect(await verified()).toMatchObject({ findings: [], count: 1 })
})

const verified = async () => {
  const { pool, stamps } = test.world
  return verifyAuditLog(pool, { stamps, since: await stampedSince(pool, stamps, 'audit'), wanted: new Set() })
}

it('an exported file of heads finds an end that was cut off together with the heads in the database', async () => {
  const { said } = await command('heads')
  expect(said.map((line) => JSON.parse(line).day)).toEqual([DAY, '2026-03-02'])
  const file = path.join(home, 'heads.jsonl')
  writeFileSync(file, `${said.join('\n')}\n`)
  expect(await command('verify', '--heads', file, '--day', DAY)).toMatchObject({ isFine: true })
  const { pool } = test.database
  await pool.query('delete from day_heads')
  await forgeTimeline(pool, key(cheap), (all) => all.slice(0, 1))
  await pool.query(
    `update orders set state = 'NOTPAY', close_reason = null, closed_at = null where transaction_no = $1`,
    [cheap],
  )
  expect(await command('verify')).toMatchObject({ isFine: true })
  const found = await command('verify', '--heads', file, '--merchant', test.demo.mchNo)
  expect(found.isFine).toBe(false)
  const told = found.said.filter((line) => line.startsWith('✗')).join('\n')
  expect(told).toMatch(/数据库中 2026-03-01 的日摘要被删除或改动/)
  expect(told).toMatch(/2026-03-01 的时间线与日摘要不符/)
  writeFileSync(file, `${said.join('\n').replace('\\"entries\\":', '\\"entries\\":1')}\n`)
  expect((await command('verify', '--heads', file)).said.join('\n')).toMatch(/日摘要签名不符/)
})

it('the whole audit log is exported as JSON lines, in as many reads as it takes, the newest first', async () => {
  const { pool } = test.database
  await pool.query(
    `insert into console_audit select 'AL2026020112000000' || lpad(n::text, 20, '0'), '2026-02-01T00:00:00Z', 'old', '127.0.0.1',
            'orders.close', null, null, 'DONE', '{}', null, null from generate_series(1, 1200) n`,
  )
  await addUser(test, 'reader', 'operator')
  const reader = await signedIn(test, 'reader')
  const { body } = await reader.get('audit.jsonl')
  const lines = String(body).trimEnd().split('\n')
  const { rows } = await pool.query('select audit_no from console_audit order by audit_no desc')
  expect(rows.length).toBeGreaterThan(1200)
  expect(lines.map((line) => JSON.parse(line).audit_no)).toEqual(rows.map(({ audit_no }) => audit_no))
  expect(JSON.parse(lines[0] ?? '')).toEqual((await reader.get('audit?limit=1')).body.rows[0])
})

it('while one process makes the heads of a day, for at most half an hour, no other does', async () => {
  test.advance(24 * HOUR)
  const { pool } = test.database
  const blocker = await pool.connect()
  await blocker.query('begin')
  await blocker.query('lock table timeline in access exclusive mode')
  const first = makeDueHeads(test.world)
  const heldUntil = async (): Promise<number> => {
    const { rows } = await pool.query('select held_until from day_heads_lease')
    return rows[0].held_until.getTime() - test.world.now().getTime()
  }
  await expect.poll(heldUntil).toBe(HOUR / 2)
  expect(await makeDueHeads(test.world)).toEqual([])
  await blocker.query('commit')
  blocker.release()
  expect((await first).at(-1)).toBe('2026-03-02')
  expect(await heldUntil()).toBe(0)
})
