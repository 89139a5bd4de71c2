/** Months that an operator takes out into files, verifies and brings back: what the files hold, what everybody is told meanwhile, and kills. */
import './support/only-long.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  inOneTransaction,
  keepOfOrders,
  listArchives,
  ORDER_TABLES,
  orderColumns,
  readOrderRows,
  removeOrderRows,
} from '@acopay/store'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDueHeads } from '../apps/server/src/actions/audit/day-heads.ts'
import { countFigureHours } from '../apps/server/src/actions/statistics/count-figures.ts'
import { archive, archiveBefore } from '../apps/server/src/commands/archive.ts'
import { audit } from '../apps/server/src/commands/audit.ts'
import { bringBack } from '../apps/server/src/commands/months/bring-back.ts'
import type { MonthTools } from '../apps/server/src/commands/months/tools.ts'
import { restore } from '../apps/server/src/commands/restore.ts'
import { loadSigningKey, provenPlatformKeys } from '../apps/server/src/security/platform-key.ts'
import { beginStamping } from '../apps/server/src/security/stamps.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { FROM_SOURCE } from './support/from-source.ts'
import { call, close, openAttempt, orderParams, pay, place, query } from './support/merchant.ts'
import { SIZE } from './support/size.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const DAY = 86_400_000
const OPEN = { recipients: [], passphraseFile: null }
const UNLOCKED = { identityFile: null, passphraseFile: null }
const NUMBER = 'archived-number-of-the-merchant'
const REFUND = 'refund-of-january-2026-01'

let test: TestWorld
let folder: string
let operator: ConsoleClient
const orders: Record<'cheap' | 'full' | 'paid' | 'refunded' | 'expired' | 'waiting', string> = {
  ...{ cheap: '', full: '', paid: '', refunded: '', expired: '', waiting: '' },
}
beforeAll(async () => {
  test = await testWorld({ start: new Date('2026-01-31T04:00:00.000Z') })
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-months-'))
  const { world, demo } = test
  await beginStamping(world.pool, world.stamps, world.now())
  await makeOrders()
  await countFigureHours(world)
  test.advance(36 * DAY)
  await test.runJobs()
  await makeDueHeads(world)
  test.advance(4 * DAY)
  await test.runJobs()
  await makeDueHeads(world)
  // The hours in which nothing happened, as the gateway would have counted them one by one.
  await world.pool.query(
    `insert into figure select mch_no, span, h, channel, method, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $1
       from figure, generate_series(begins_at + interval '1 hour', $1, interval '1 hour') h
      where mch_no = '*' and span = 'hour' and channel = '' on conflict do nothing`,
    [world.now()],
  )
  await addUser(test, 'operator', 'operator')
  operator = await signedIn(test, 'operator')
  expect(demo.mchNo).not.toBe('')
}, 120_000)
afterAll(async () => {
  await test.stop()
  rmSync(folder, { recursive: true })
})

/** One of each kind that is at rest a month later, and one that is not. */
async function makeOrders(): Promise<void> {
  const { demo, world } = test
  orders.cheap = await place(demo, { mch_trade_no: NUMBER, description: '行\n列\t斜\\杠' })
  await close(demo, orders.cheap)
  orders.full = await place(demo)
  await openAttempt(demo, orders.full)
  await close(demo, orders.full)
  orders.paid = await place(demo)
  await pay(demo, orders.paid, (await openAttempt(demo, orders.paid)) ?? '')
  orders.refunded = await place(demo)
  await pay(demo, orders.refunded, (await openAttempt(demo, orders.refunded, 'alipay')) ?? '')
  const refund = { transaction_no: orders.refunded, mch_refund_no: REFUND, refund_amount: '1.00', refund_reason: 'x' }
  expect(await call(demo, { method: 'POST', path: 'refund', params: refund })).toMatchObject({
    data: { code: 'SUCCESS' },
  })
  orders.expired = await place(demo)
  orders.waiting = await place(demo)
  const { pool } = world
  const at = [demo.mchNo, orders.paid, world.now()]
  await pool.query(
    `insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
     values ($1, $2, 1, 'payment', 'https://x.example', 'x.example', '{}', 'DELIVERED', $3, $3, $3) on conflict do nothing`,
    at,
  )
  await pool.query(`insert into notification_try values ($1, $2, 1, 1, $3, 5, 200, 'SUCCESS', null)`, at)
  await pool.query(`insert into order_note values ($1, $2, 'ON' || repeat('0', 36), $3, 'operator', true, '备注')`, at)
  await pool.query(`insert into order_tag values ($1, $2, 'vip', $3, 'operator')`, at)
  await pool.query(`insert into refund_request values ($1, 'waits', $2, 100, 'x', 'operator', $3)`, [
    demo.mchNo,
    orders.waiting,
    world.now(),
  ])
}

const ALL = () => Object.values(orders)
const OUT = () => ALL().filter((number) => number !== orders.waiting)

/** Every row of the orders, as PostgreSQL writes them. */
const rowsNow = async (numbers = ALL()) =>
  inOneTransaction(test.world.pool, 'read', async (client) =>
    readOrderRows(client, { mchNo: test.demo.mchNo, numbers }, await orderColumns(client)),
  )

async function tools(more: Partial<MonthTools> = {}): Promise<MonthTools & { said: string[] }> {
  const { world, masterKey } = test
  const master = masterKeysOf(masterKey)
  const said: string[] = []
  return {
    ...{ pool: world.pool, master, stamps: world.stamps, now: world.now(), partOrders: 2, step: () => {}, said },
    key: await loadSigningKey(world.pool, master, world.now()),
    keys: await provenPlatformKeys(world.pool, master),
    say: (line) => void said.push(line),
    ...more,
  }
}

const asked = { before: '2026-02', to: '', isDry: false, lock: OPEN, unlock: UNLOCKED }
const archiveIt = async (more: Partial<MonthTools> = {}, how: Partial<typeof asked> = {}): Promise<string> => {
  const given = await tools(more)
  await archiveBefore(given, { ...asked, to: folder, ...how })
  return given.said.join('\n')
}

/** The file of the archive that was not brought back; when all were, of any. */
async function newest(): Promise<string> {
  const archives = await listArchives(test.world.pool)
  return (archives.find(({ state }) => state !== 'RESTORED') ?? archives[0])?.file ?? ''
}
const bringItBack = async (more: Partial<MonthTools> = {}): Promise<number> =>
  bringBack(await tools(more), await newest(), UNLOCKED)

async function verified(): Promise<string[]> {
  const said: string[] = []
  const env = {
    DATABASE_URL: test.database.connectionString,
    ACOPAY_HOME: folder,
    ACOPAY_MASTER_KEY: test.masterKey.toString('base64'),
  }
  await audit.run(['verify'], { env, defaultHome: folder, say: (line) => said.push(line) })
  return said.filter((line) => line.startsWith('✗'))
}

const command = async (...args: string[]): Promise<string> => {
  const said: string[] = []
  await archive.run(args, { env: {}, defaultHome: folder, say: (line) => void said.push(line) })
  return said.join('\n')
}

/** What finance sees: the statement of each month, the figures, the bills. */
async function seenByFinance(): Promise<unknown[]> {
  const { mchNo } = test.demo
  const statements = await Promise.all(
    ['2026-01', '2026-02'].map(
      async (month) => (await operator.get(`statements/${mchNo}/${month}/csv`)).body as unknown,
    ),
  )
  const { pool } = test.world
  const figures = await pool.query('select * from figure where placed + paid + refunds > 0 order by 1, 2, 3, 4, 5')
  const bills = await pool.query('select bill_day, sha256, lines from bill order by 1')
  return [...statements, figures.rows, bills.rows]
}

/** Runs the command in a process that kills itself at this step; by what it ended. */
async function killed(way: 'out' | 'back', step: number, where: string): Promise<NodeJS.Signals | null> {
  const script = path.join(import.meta.dirname, 'support/killed-archive.ts')
  const args = [...FROM_SOURCE, script, way, String(step), test.world.now().toISOString(), where]
  const env = {
    ...process.env,
    DATABASE_URL: test.database.connectionString,
    ACOPAY_MASTER_KEY: test.masterKey.toString('base64'),
  }
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return signal
}

/** Ends the command at the step of this number, counted from 1. */
const endedAt = (step: number): { step: (name: string) => void } => {
  let steps = 0
  return {
    step: (name) => {
      steps += 1
      if (steps === step) throw new Error(`ended at ${name}`)
    },
  }
}

describe('a month that was archived', () => {
  it('is counted by a dry run, which writes nothing', async () => {
    const before = await rowsNow()
    const said = await archiveIt({}, { isDry: true })
    expect(said).toMatch(/5 单 orders, \d+ 行 rows, \d+ 字节 bytes/)
    expect(said).toContain(`${orders.waiting}: 退款等待复核`)
    expect(await rowsNow()).toEqual(before)
    expect([readdirSync(folder), await listArchives(test.world.pool)]).toEqual([[], []])
  })

  it('lies in files, byte for byte, and comes back so; meanwhile finance sees the same, and the chains are whole', async () => {
    const before = await rowsNow()
    const finance = await seenByFinance()
    expect(before.filter(({ lines }) => lines.length === 0).map(({ table }) => table)).toEqual(['reversal'])
    expect(await verified()).toEqual([])
    const said = await archiveIt()
    expect(said).toContain('5 单已归档并移出')
    expect(said).toContain(`${orders.waiting}: 退款等待复核`)
    for (const { lines } of await rowsNow(OUT())) expect(lines).toEqual([])
    expect(await rowsNow([orders.waiting])).not.toEqual([])
    expect(await seenByFinance()).toEqual(finance)
    expect(await verified()).toEqual([])
    expect(await command('verify', await newest())).toContain('✓')
    expect(await bringItBack()).toBe(5)
    expect(await rowsNow()).toEqual(before)
    expect(await seenByFinance()).toEqual(finance)
    expect(await verified()).toEqual([])
    for (const table of ['archived_order', 'archived_refund', 'archived_attempt', 'archived_lines', 'archived_day'])
      expect((await test.world.pool.query(`select * from ${table}`)).rows, table).toEqual([])
    expect(await bringItBack()).toBe(0)
  }, 60_000)
})

describe('while a month is archived', () => {
  beforeAll(async () => void (await archiveIt()))
  afterAll(async () => void (await bringItBack()))

  it('a close is answered by how the order ended, by either number', async () => {
    const told = async (params: Record<string, string>) => {
      const { data } = await call(test.demo, { method: 'POST', path: 'close', params })
      return [data.transaction_no, data.description]
    }
    expect(await told({ transaction_no: orders.cheap })).toEqual([orders.cheap, '关单成功'])
    expect(await told({ mch_trade_no: NUMBER })).toEqual([orders.cheap, '关单成功'])
    expect(await told({ transaction_no: orders.expired })).toEqual([orders.expired, '订单已过期'])
    expect((await told({ transaction_no: orders.paid }))[1]).toBe('订单已支付')
    expect((await told({ transaction_no: orders.refunded }))[1]).toBe('订单已支付')
  })

  it('a query, a refund and the evidence say where the order went, and change nothing', async () => {
    const said = { status: 1009, fieldErrors: expect.stringMatching(/^订单已归档\(2026-01\)，终态CLOSED，/) }
    expect(await query(test.demo, orders.cheap)).toMatchObject(said)
    const ask = (method: 'GET' | 'POST', at: Parameters<typeof call>[1]['path'], params: Record<string, string>) =>
      call(test.demo, { method, path: at, params })
    expect(await ask('GET', 'trade', { mch_trade_no: NUMBER })).toMatchObject(said)
    expect(await ask('GET', 'close/evidence', { transaction_no: orders.cheap })).toMatchObject(said)
    expect(await ask('GET', 'notifications', { transaction_no: orders.cheap })).toMatchObject(said)
    const refund = { mch_refund_no: 'r'.repeat(24), refund_amount: '1.00', refund_reason: 'x' }
    const paid = { status: 1009, fieldErrors: expect.stringContaining('请联系网关运营方恢复') }
    expect(await ask('POST', 'refund', { transaction_no: orders.paid, ...refund })).toMatchObject(paid)
    expect(await ask('GET', 'refund', { mch_refund_no: REFUND })).toMatchObject(paid)
    expect(await query(test.demo, `AP${'0'.repeat(36)}`)).toMatchObject({ status: 1007 })
  })

  it("the merchant's numbers are never used again", async () => {
    const params = orderParams(test.demo, { mch_trade_no: NUMBER })
    const again = await call(test.demo, { method: 'POST', path: 'trade', params })
    expect(again).toMatchObject({ status: 1010, fieldErrors: 'mch_trade_no 已用于归档的订单(2026-01)' })
    const other = await place(test.demo)
    await pay(test.demo, other, (await openAttempt(test.demo, other)) ?? '')
    const refund = { transaction_no: other, mch_refund_no: REFUND, refund_amount: '1.00', refund_reason: 'x' }
    expect(await call(test.demo, { method: 'POST', path: 'refund', params: refund })).toMatchObject({ status: 1012 })
    const { rows } = await test.world.pool.query('select from refund where transaction_no = $1', [other])
    expect(rows).toEqual([])
  })

  it('the page of the order says so at the console', async () => {
    const { status, body } = await operator.get(`orders/${test.demo.mchNo}/${orders.cheap}`)
    expect(status).toBe(404)
    expect(body.message.zh).toMatch(
      /^订单已归档：2026-01-[0-9a-f]{8}，商户订单号 archived-number-of-the-merchant，终态 CLOSED/,
    )
    expect((await operator.get(`orders/${test.demo.mchNo}/AP${'0'.repeat(36)}`)).body.message.zh).toBe('没有这个订单')
  })

  it('rows of its days that are changed afterwards are found, and so is a forged mark', async () => {
    const { pool } = test.world
    const kept = await pool.query('select * from archived_day order by day')
    await pool.query('update archived_day set entries = entries + 1')
    expect((await verified()).join('\n')).toContain('归档标记是伪造的')
    await pool.query('update archived_day set entries = entries - 1')
    await pool.query('delete from archived_day')
    expect((await verified()).join('\n')).toContain('日摘要不符')
    for (const row of kept.rows)
      await pool.query('insert into archived_day values ($1, $2, $3, $4, $5)', Object.values(row))
    expect(await verified()).toEqual([])
  })
})

it('an order stays until it has not changed for three days', async () => {
  const { pool } = test.world
  const move = 'update orders set changed_at = $2 where transaction_no = $1'
  const was = (await pool.query('select changed_at from orders where transaction_no = $1', [orders.cheap])).rows[0]
  await pool.query(move, [orders.cheap, new Date(test.world.now().getTime() - 3 * DAY)])
  expect(await archiveIt({}, { isDry: true })).toContain(`${orders.cheap}: 近三天内有变化`)
  await pool.query(move, [orders.cheap, new Date(test.world.now().getTime() - 3 * DAY - 1)])
  expect(await archiveIt({}, { isDry: true })).not.toContain(orders.cheap)
  await pool.query(move, [orders.cheap, was.changed_at])
})

describe('a run that is ended at any step', () => {
  it('loses nothing and doubles nothing: the next one goes on, out and back', async () => {
    const before = await rowsNow()
    let [outs, backs] = [0, 0]
    for (let step = 1; ; step += 1) {
      const isEnded = await archiveIt(endedAt(step)).then(
        () => false,
        () => true,
      )
      // Each order is in the tables as it was, or archived: never both, never neither.
      const { rows } = await test.world.pool.query<{ n: number }>(
        `select count(*)::int as n from (select transaction_no from orders where transaction_no = any ($1)
           union all select transaction_no from archived_order where transaction_no = any ($1)) x`,
        [ALL()],
      )
      expect(rows).toEqual([{ n: ALL().length }])
      if (isEnded) await archiveIt()
      for (const { lines } of await rowsNow(OUT())) expect(lines).toEqual([])
      expect(await verified()).toEqual([])
      const isEndedBack = await bringItBack(endedAt(step)).then(
        () => false,
        () => true,
      )
      if (isEndedBack) {
        await expect(archiveIt()).rejects.toThrow('正在恢复')
        await bringItBack()
      }
      expect(await rowsNow()).toEqual(before)
      expect(await verified()).toEqual([])
      outs += Number(isEnded)
      backs += Number(isEndedBack)
      if (!isEnded && !isEndedBack) break
    }
    // begun, written, manifest, removing, three parts, days, removed; restoring, three parts, days.
    expect([outs, backs]).toEqual([9, 5])
  }, 240_000)

  it('and so does one whose process is killed there with SIGKILL', async () => {
    const before = await rowsNow()
    // After the second part of the orders; then every step out, and every step back.
    const out = [6, 1, 2, 3, 4, 5, 7, 8, 9].map((step) => ['out', step] as const)
    const back = [1, 2, 3, 4, 5].map((step) => ['back', step] as const)
    for (const [way, step] of [...out, ...back].slice(0, SIZE.archiveKills)) {
      if (way === 'back') await archiveIt()
      expect(await killed(way, step, way === 'out' ? folder : await newest())).toBe('SIGKILL')
      if (way === 'out') await archiveIt()
      for (const { lines } of way === 'out' ? await rowsNow(OUT()) : []) expect(lines).toEqual([])
      await bringItBack()
      expect(await rowsNow()).toEqual(before)
      expect(await verified()).toEqual([])
    }
  }, 240_000)

  it('after it has written the file, an order that has changed since stays, and is named', async () => {
    const { pool } = test.world
    const [note] = (await pool.query('select note from order_note')).rows
    const said = await archiveIt({
      step: (name) => {
        if (name === 'removing') void pool.query(`update order_note set note = '改'`)
      },
    })
    expect(said).toMatch(new RegExp(`${orders.paid} 之后有变化，留在数据库`))
    expect(said).toContain('4 单已归档并移出')
    expect((await query(test.demo, orders.paid)).data.code).toBe('SUCCESS')
    expect(await verified()).toEqual([])
    expect(await bringItBack()).toBe(4)
    await pool.query('update order_note set note = $1', [note.note])
    expect(await verified()).toEqual([])
  }, 60_000)
})

describe('a file', () => {
  it('that was changed, cut off or signed by nobody is refused, and so is one of another kind', async () => {
    await archiveIt()
    const file = await newest()
    const [bytes, manifest] = [readFileSync(file), readFileSync(`${file}.manifest.json`)]
    const put = (name: string, of: Buffer, beside: Buffer | string): string => {
      const to = path.join(folder, name)
      writeFileSync(to, of)
      writeFileSync(`${to}.manifest.json`, beside)
      return to
    }
    await expect(command('verify', put('cut.gz', bytes.subarray(0, -9), manifest))).rejects.toThrow('文件与清单不符')
    const other = manifest.toString('utf8').replace(/"orders": 5/, '"orders": 6')
    await expect(command('verify', put('other.gz', bytes, other))).rejects.toThrow('清单的签名不符')
    await expect(command('verify', put('none.gz', bytes, '{}'))).rejects.toThrow('读不到清单')
    const env = { DATABASE_URL: test.database.connectionString, ACOPAY_MASTER_KEY: test.masterKey.toString('base64') }
    const io = { env, defaultHome: folder, say: () => {} }
    await expect(restore.run([file, '--rehearse'], io)).rejects.toThrow('这是订单归档，不是备份')
    await bringItBack()
  })

  it('is encrypted for a public key of age, and read back with its private key', async () => {
    const identity = await generateX25519Identity()
    const identityFile = path.join(folder, 'identity')
    writeFileSync(identityFile, identity)
    const lock = { recipients: [await identityToRecipient(identity)], passphraseFile: null }
    const locked = { lock: lock as never, unlock: { identityFile, passphraseFile: null } as never }
    await expect(archiveIt({}, { ...locked, unlock: UNLOCKED })).rejects.toThrow('--identity')
    await archiveIt({}, locked)
    await expect(command('verify', await newest())).rejects.toThrow('备份已加密')
    expect(await command('verify', await newest(), '--identity', identityFile)).toContain('✓')
    await bringBack(await tools(), await newest(), { identityFile, passphraseFile: null })
  })

  it('is written only of months that have ended long ago, into a folder that is there', async () => {
    await expect(archiveIt({}, { before: '2026-03' })).rejects.toThrow('最晚为 2026-02')
    await expect(archiveIt({}, { before: '2026-13' })).rejects.toThrow('--before')
    await expect(archiveIt({}, { to: path.join(folder, 'none') })).rejects.toThrow('没有这个目录')
    mkdirSync(path.join(folder, 'empty'))
    expect(await archiveIt({}, { before: '2026-01', to: path.join(folder, 'empty') })).toContain('没有可归档的订单')
    expect(readdirSync(path.join(folder, 'empty'))).toEqual([])
  })
})

it('money that arrives for an archived order goes back, and comes home with its order', async () => {
  await archiveIt()
  const { pool } = test.world
  const read = async (text: string) => (await pool.query(text, [orders.full])).rows
  const [{ attempt_no }] = await read('select attempt_no from archived_attempt where transaction_no = $1')
  await test.upstreams.of('wechat').control.payAnyway(attempt_no)
  await test.runJobs()
  const back = [{ attempt_no, state: 'SUCCESS' }]
  expect(await read('select attempt_no, state from archived_reversal where transaction_no = $1')).toEqual(back)
  expect(await verified()).toEqual([])
  expect(await bringItBack()).toBe(5)
  expect(await read('select attempt_no, state from reversal where transaction_no = $1')).toEqual(back)
  expect((await pool.query('select * from archived_reversal')).rows).toEqual([])
  expect(await verified()).toEqual([])
})

it('a number that is placed again while its order is being archived is not used twice', async () => {
  const { pool } = test.world
  const { mchNo } = test.demo
  const params = orderParams(test.demo, { mch_trade_no: NUMBER })
  const client = await pool.connect()
  await client.query('begin')
  const which = { mchNo, numbers: [orders.cheap] }
  await keepOfOrders(client, { mchNo, archiveNo: '2026-01-00000000', part: 1 }, which.numbers)
  const rows = await readOrderRows(client, which, await orderColumns(client))
  await removeOrderRows(client, which)
  const placing = call(test.demo, { method: 'POST', path: 'trade', params })
  for (let [waits, looks] = [0, 0]; waits === 0 && looks < 3000; looks += 1) {
    const text = `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    waits = (await pool.query<{ n: number }>(text)).rows[0]?.n ?? 0
  }
  await client.query('commit')
  client.release()
  expect(await placing).toMatchObject({ status: 1010 })
  expect((await pool.query('select from orders where mch_trade_no = $1', [NUMBER])).rows).toEqual([])
  expect(rows.map(({ table }) => table)).toEqual([...ORDER_TABLES])
})

it('every table with rows of an order is written into the files, or known to hold none of an order at rest', async () => {
  const { rows } = await test.world.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'transaction_no' order by 1`,
  )
  const kept = ['archived_attempt', 'archived_order', 'archived_refund', 'archived_reversal']
  const others = [...kept, 'call_log', 'refund_request', 'restoration_close']
  expect(rows.map(({ name }) => name)).toEqual([...ORDER_TABLES, ...others].sort())
})
