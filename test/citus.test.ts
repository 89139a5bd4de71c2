/**
 * A coordinator and two workers of Citus: what `migrate` makes of it, that a merchant's calls run where the merchant lies, and what the loss of a
 * worker means to whom. `npm run test:citus` runs it with the store's tests; without Citus it is skipped.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  endNotificationTries,
  expireUntouched,
  findMerchants,
  findOrder,
  forgetNonces,
  giveUpNotifications,
  insertOrders,
  leaseJobs,
  lockOrder,
  migrate,
  migrateTo,
  moveUntouched,
  openPool,
  type Pool,
  readCluster,
  takeNotifications,
  type UntouchedAsk,
} from '@acopay/store'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { clusterLines } from '../apps/server/src/commands/migrate-citus.ts'
import { merchantsOf } from '../apps/server/src/start/merchant-groups.ts'
import { ourMigrations, readMigration } from '../packages/store/src/migrations/files.ts'
import { type Citus, citusPrograms, databaseOf, makeCluster, startCitus } from './support/citus.ts'
import './support/only-long.ts'
import { NOW, newOrder, placing, seedMerchant } from './support/orders.ts'
import './support/postgres.ts'

const LONG_MS = 180_000
const LATER = new Date(NOW.getTime() + 600_000)
const HAS_CITUS = citusPrograms() !== null

let dir: string
let citus: Citus
const pools: Pool[] = []
beforeAll(async () => {
  if (!HAS_CITUS) return
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-nodes-'))
  citus = await startCitus(dir, { workers: 2 })
}, LONG_MS)
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end()
})
afterAll(async () => {
  if (!HAS_CITUS) return
  await citus.stop()
  fs.rmSync(dir, { recursive: true })
}, LONG_MS)

/** Without tables. */
async function cluster(name: string): Promise<Pool> {
  await makeCluster(citus, name)
  const pool = openPool({ connectionString: databaseOf(citus.url, name), statementTimeoutMs: 60_000 })
  pools.push(pool)
  return pool
}

const LINES = (text: string[]): string => text.join('\n')

/** Merchants with an order each, and the port of the worker on which each lies. */
async function merchantsOn(pool: Pool): Promise<Map<string, number>> {
  for (let number = 1; number <= 8; number += 1) await seedMerchant(pool, `MCH${number}`)
  const { rows } = await pool.query<{ mchNo: string; port: number }>(
    `select mch_no as "mchNo", nodeport as port from merchant
       join pg_dist_placement on shardid = get_shard_id_for_distribution_column('orders', mch_no)
       join pg_dist_node using (groupid)`,
  )
  return new Map(rows.map(({ mchNo, port }) => [mchNo, port]))
}

async function place(pool: Pool, mchNo: string): Promise<string> {
  const order = newOrder({ mchNo })
  await insertOrders(pool, [placing(order)])
  return order.transactionNo
}

let asked = 0

const ask = (mchNo: string, transactionNo: string): UntouchedAsk => {
  asked += 1
  return {
    mchNo,
    ref: { transactionNo },
    nonce: `n${asked}`,
    entry: `{"at":"${NOW.toISOString()}"}`,
    mac: Buffer.alloc(32),
  }
}
const MOVE = { from: 'NOTPAY', to: 'CLOSED', closeReason: 'MERCHANT' } as const
const close = (pool: Pool, ...asks: UntouchedAsk[]) => moveUntouched(pool, { move: MOVE, asks, now: NOW })

describe.skipIf(!HAS_CITUS)('migrate on a Citus', () => {
  it(
    'spreads the tables of merchants, leaves those of the installation, and says so',
    async () => {
      const pool = await cluster('fresh')
      await migrate(pool)
      const spread = await readCluster(pool)
      expect(spread?.tables.filter(({ isOfMerchants, isSpread }) => isOfMerchants !== isSpread)).toEqual([])
      expect(spread?.tables.find(({ table }) => table === 'orders')?.isSpread).toBe(true)
      expect(spread?.tables.find(({ table }) => table === 'console_user')?.isSpread).toBe(false)
      const said = LINES([...clusterLines(spread)])
      expect(said).toMatch(/spread by mch_no: .*\borders\b/)
      expect(said).toMatch(/on the coordinator: .*\bconsole_user\b/)
      const { rows } = await pool.query(
        `select conname from pg_constraint where contype = 'f' and conrelid = 'timeline'::regclass`,
      )
      expect(rows).toHaveLength(1)
      // A second run finds nothing to do.
      const lines: string[] = []
      await migrate(pool, { say: (line) => lines.push(line) })
      expect(lines).toEqual([])
    },
    LONG_MS,
  )

  it(
    'spreads tables that have rows only when that is asked for, and then loses none',
    async () => {
      const pool = await cluster('filled')
      await pool.query('drop extension citus cascade')
      await migrate(pool)
      await seedMerchant(pool, 'MCH1')
      const number = await place(pool, 'MCH1')
      await pool.query('create extension citus')
      await pool.query(`select citus_set_coordinator_host('127.0.0.1', $1)`, [citus.coordinator.port])
      for (const { port } of citus.workers) await pool.query(`select citus_add_node('127.0.0.1', $1)`, [port])
      await migrate(pool)
      expect((await readCluster(pool))?.tables.some(({ isSpread }) => isSpread)).toBe(false)
      await migrate(pool, { spreadRows: true })
      expect((await readCluster(pool))?.tables.find(({ table }) => table === 'timeline')?.isSpread).toBe(true)
      expect((await findOrder(pool, 'MCH1', { transactionNo: number }))?.state).toBe('NOTPAY')
      expect((await close(pool, ask('MCH1', number))).map(({ kind }) => kind)).toEqual(['moved'])
      await expect(
        pool.query(`insert into order_note values ('MCH1', 'AP0', $1, now(), 'x', true, 'x')`, [`ON${'0'.repeat(36)}`]),
      ).rejects.toMatchObject({ code: '23503' })
    },
    LONG_MS,
  )

  it(
    'runs later migrations on what is spread: a new table that refers to a spread one, and a changed one',
    async () => {
      const pool = await cluster('later')
      await migrate(pool)
      const sql = `alter table orders add column more text;
create table more_of_order (
  mch_no         text not null,
  transaction_no text not null,
  primary key (mch_no, transaction_no),
  foreign key (mch_no, transaction_no) references orders
);
create index more_of_order_by_number on more_of_order (transaction_no);
`
      const ours = ourMigrations()
      const next = readMigration(ours.length + 1, `${String(ours.length + 1).padStart(4, '0')}-more.sql`, sql)
      await migrate(pool, { migrations: [...ours, next] })
      expect((await readCluster(pool))?.tables.find(({ table }) => table === 'more_of_order')?.isSpread).toBe(true)
      await seedMerchant(pool, 'MCH1')
      const number = await place(pool, 'MCH1')
      await pool.query(`insert into more_of_order values ('MCH1', $1)`, [number])
      await expect(pool.query(`insert into more_of_order values ('MCH1', 'AP0')`)).rejects.toMatchObject({
        code: '23503',
      })
    },
    LONG_MS,
  )

  it(
    'brings a database that was spread some migrations ago to today’s',
    async () => {
      const pool = await cluster('older')
      await migrateTo(pool, 36, 'older')
      await migrate(pool)
      const now = await readCluster(pool)
      expect(now?.tables.filter(({ isOfMerchants, isSpread }) => isOfMerchants !== isSpread)).toEqual([])
    },
    LONG_MS,
  )
})

describe.skipIf(!HAS_CITUS)('on three nodes', () => {
  let pool: Pool
  let places: Map<string, number>
  beforeAll(async () => {
    await makeCluster(citus, 'served')
    pool = openPool({ connectionString: databaseOf(citus.url, 'served'), statementTimeoutMs: 60_000 })
    await migrate(pool)
    places = await merchantsOn(pool)
  }, LONG_MS)
  afterAll(() => pool.end())

  /** The plan of the one statement that this asks. */
  async function planOf(asks: (db: Pool) => Promise<unknown>): Promise<string> {
    const plans: string[] = []
    const query = async ({ text, values }: { text: string; values: unknown[] }) => {
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${text}`, values)
      plans.push(LINES(rows.map((row) => row['QUERY PLAN'])))
      return { rows: [] }
    }
    await asks({ query } as unknown as Pool).catch(() => {})
    return plans.at(-1) ?? ''
  }

  const ref = { transactionNo: 'AP1' }
  const key = { mchNo: 'MCH1', transactionNo: 'AP1', seq: 1 }
  const tried = { ...key, taken: 1, at: NOW, ms: 1, httpStatus: 200, reply: null, failure: null, nextAt: null }
  const expiry = { ...MOVE, closeReason: 'EXPIRED', entry: '{}' } as const
  const HOT: [string, (db: Pool) => Promise<unknown>][] = [
    ['who calls', (db) => findMerchants(db, ['MCH1'], NOW)],
    ['placing', (db) => insertOrders(db, [placing(newOrder())])],
    ['closing without attempts', (db) => moveUntouched(db, { move: MOVE, asks: [ask('MCH1', 'AP1')], now: NOW })],
    [
      'expiring in lists',
      (db) => expireUntouched(db, { expiry, orders: [{ ...key, mac: Buffer.alloc(32) }], due: NOW, now: NOW }),
    ],
    ['querying', (db) => findOrder(db, 'MCH1', ref)],
    ['locking', (db) => lockOrder(db, 'MCH1', ref)],
    ['the end of tries', (db) => endNotificationTries(db, [tried])],
  ]
  it.each(HOT)('%s is one task on one node', async (_, asks) => {
    const plan = await planOf(asks)
    expect(plan).toContain('Task Count: 1')
    expect(plan).not.toContain('Subplan')
  })

  it('what is due is found over all nodes, and taken where it lies', async () => {
    expect(await leaseJobs(pool, { now: LATER, leaseUntil: LATER }, 5)).toEqual([])
    expect(await takeNotifications(pool, { perHost: 1, total: 1, free: new Map() }, LATER, LATER)).toEqual([])
    expect(await forgetNonces(pool, new Date(0), 5)).toBe(0)
    expect(await giveUpNotifications(pool, { before: NOW, now: NOW }, 5)).toBe(0)
  })

  it('merchants of one shard share a call, and others do not', async () => {
    const { groupOf = () => '' } = await merchantsOf(pool, () => 0, pino({ level: 'silent' }))
    const merchants = [...places.keys()]
    for (let look = 0; look < 3; look += 1) {
      merchants.map(groupOf)
      await expect.poll(() => merchants.every((mchNo) => groupOf(mchNo).startsWith('shard '))).toBe(true)
    }
    const groups = [...new Set(merchants.map(groupOf))].map((group) =>
      merchants.filter((one) => groupOf(one) === group),
    )
    expect(groups.length).toBeGreaterThan(1)
    const [shared] = groups.sort((one, other) => other.length - one.length) as [string[]]
    expect(shared.length).toBeGreaterThan(1)
    const asks = []
    for (const mchNo of shared) asks.push(ask(mchNo, await place(pool, mchNo)))
    expect((await close(pool, ...asks)).map(({ kind }) => kind)).toEqual(shared.map(() => 'moved'))
  })

  it(
    'while a worker is dead only its merchants’ orders cannot be closed, and once it is back they can',
    async () => {
      const orders = new Map<string, string>()
      const closeOne = (mchNo: string) =>
        close(pool, ask(mchNo, orders.get(mchNo) as string)).then(
          ([answer]) => answer?.kind,
          () => 'failed',
        )
      for (const worker of citus.workers) {
        for (const mchNo of places.keys()) orders.set(mchNo, await place(pool, mchNo))
        worker.kill()
        for (const [mchNo, port] of places) {
          if (port !== worker.port) await place(pool, mchNo)
          expect(await closeOne(mchNo), `${mchNo} on ${port}, dead ${worker.port}`).toBe(
            port === worker.port ? 'failed' : 'moved',
          )
        }
        await worker.start()
        for (const [mchNo, port] of places) {
          if (port !== worker.port) continue
          expect((await findOrder(pool, mchNo, { transactionNo: orders.get(mchNo) as string }))?.headSeq).toBe(1)
          expect(await closeOne(mchNo)).toBe('moved')
        }
      }
      expect(new Set(places.values()).size).toBe(2)
    },
    LONG_MS,
  )

  it(
    'a merchant is moved to another node while its orders are closed, and no acknowledged close is lost',
    async () => {
      const [[mchNo, from]] = [...places] as [[string, number]]
      const to = citus.workers.find(({ port }) => port !== from)?.port
      const shard = `get_shard_id_for_distribution_column('orders', $1::text)`
      const move = `select citus_move_shard_placement(${shard}, '127.0.0.1', $2, '127.0.0.1', $3, 'force_logical')`
      let isMoving = true
      const moving = pool.query(move, [mchNo, from, to]).finally(() => {
        isMoving = false
      })
      const acknowledged: string[] = []
      while (isMoving) {
        const number = await place(pool, mchNo)
        const [answer] = await close(pool, ask(mchNo, number))
        if (answer?.kind === 'moved') acknowledged.push(number)
      }
      await moving
      expect((await merchantsOn(pool)).get(mchNo)).toBe(to)
      expect(acknowledged.length).toBeGreaterThan(0)
      for (const transactionNo of acknowledged)
        expect((await findOrder(pool, mchNo, { transactionNo }))?.state).toBe('CLOSED')
      console.info(`${acknowledged.length} closes while the shard was moved, 0 lost`)
    },
    LONG_MS,
  )
})
