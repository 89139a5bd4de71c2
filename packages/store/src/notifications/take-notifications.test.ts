/** Which notifications may be sent now: per host, per order, by the moment they are due. Rows are written as the gateway does. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { openPool, type Pool } from '../db.ts'
import type { NotificationKey } from './due-notifications.ts'
import { endNotificationTries, giveUpNotifications, insertNotification, takeNotifications } from './notifications.ts'

let database: TestDatabase
/** The same database without its indexes' help: what is asked for may not lean on the order in which a plan happens to read. */
let unindexed: Pool
const numbers = new Map<string, string>()
beforeAll(async () => {
  database = await testDatabase()
  const options = ['indexscan', 'indexonlyscan', 'bitmapscan'].map((plan) => `-c enable_${plan}=off`).join(' ')
  unindexed = openPool({ connectionString: database.connectionString, options: `${options} -c timezone=UTC` })
  for (const mchNo of ['M1', 'M2']) {
    await seedMerchant(database.pool, mchNo)
    for (const name of ['a', 'b', 'c', 'd']) {
      const transactionNo = `AP${String(name.charCodeAt(0)).padStart(36, '0')}`
      numbers.set(name, transactionNo)
      await seedOrder(database.pool, { mchNo, transactionNo, mchTradeNo: name })
      for (const seq of [2, 3]) {
        await database.pool.query(
          `insert into timeline (mch_no, transaction_no, seq, at, entry, hash) values ($1, $2, $3, $4, '{}', '')`,
          [mchNo, transactionNo, seq, NOW],
        )
      }
    }
  }
})
afterEach(() => database.pool.query('delete from notification_try; delete from notification'))
afterAll(async () => {
  await unindexed.end()
  await database.drop()
})

type Row = { mch?: string; order: string; seq?: number; host?: string; due?: number; state?: string }

/** `due` in milliseconds after NOW. */
async function write(...rows: Row[]): Promise<void> {
  for (const { mch = 'M1', order, seq = 1, host = 'h1', due, state } of rows) {
    const key = { mchNo: mch, transactionNo: numbers.get(order) ?? '', seq }
    await insertNotification(database.pool, { ...key, kind: 'payment', url: `https://${host}/`, host, news: '{}' }, NOW)
    if (due === undefined && state === undefined) continue
    await database.pool.query(
      `update notification set due_at = coalesce($4, due_at), state = coalesce($5, state)
        where mch_no = $1 and transaction_no = $2 and seq = $3`,
      [mch, key.transactionNo, seq, due === undefined ? null : after(due), state ?? null],
    )
  }
}

const nameOf = (transactionNo: string): string => [...numbers].find(([, number]) => number === transactionNo)?.[0] ?? ''

type Limits = { perHost?: number; total?: number; free?: Record<string, number>; ms?: number }

async function taken(pool: Pool, { perHost = 9, total = 9, free = {}, ms = 0 }: Limits = {}): Promise<string[]> {
  const limits = { perHost, total, free: new Map(Object.entries(free)) }
  const rows = await takeNotifications(pool, limits, after(ms), after(60_000))
  return rows.map(({ mchNo, transactionNo, seq }) => `${mchNo} ${nameOf(transactionNo)}${seq}`).sort()
}

const dueOf = async (mch: string, order: string, seq: number): Promise<number> => {
  const { rows } = await database.pool.query(
    'select due_at from notification where mch_no = $1 and transaction_no = $2 and seq = $3',
    [mch, numbers.get(order), seq],
  )
  return rows[0].due_at.getTime() - NOW.getTime()
}

describe.each([
  ['by the indexes', () => database.pool],
  ['without an index', () => unindexed],
] as const)('a notification is taken, %s,', (_, pool) => {
  it('from its moment on, and not before', async () => {
    await write({ order: 'a', due: 5 })
    expect(await taken(pool(), { ms: 4 })).toEqual([])
    expect(await taken(pool(), { ms: 5 })).toEqual(['M1 a1'])
    expect(await taken(pool(), { ms: 6 })).toEqual([])
  })

  it('of four hosts, each as many as it has free: its own number, or else the number for all', async () => {
    await write(
      { mch: 'M2', order: 'c', host: 'h4' },
      { mch: 'M2', order: 'd', host: 'h4' },
      { mch: 'M2', order: 'a', host: 'h3' },
      { mch: 'M2', order: 'b', host: 'h3' },
      { order: 'c', host: 'h2', due: -2 },
      { order: 'd', host: 'h2', due: -1 },
      { order: 'a', host: 'h1', due: -4 },
      { order: 'b', host: 'h1', due: -3 },
    )
    // Two for each host, but h2 has one left and h3 none.
    expect(await taken(pool(), { perHost: 2, free: { h2: 1, h3: 0 } })).toEqual([
      'M1 a1',
      'M1 b1',
      'M1 c1',
      'M2 c1',
      'M2 d1',
    ])
  })

  it('of one host the longest due first, and of all hosts too', async () => {
    await write(
      { order: 'a', due: -1 },
      { order: 'b', due: -3 },
      { order: 'c', host: 'h2', due: -2 },
      { order: 'd', host: 'h2', due: -4 },
    )
    expect(await taken(pool(), { perHost: 1 })).toEqual(['M1 b1', 'M1 d1'])
    expect(await taken(pool(), { total: 1 })).toEqual(['M1 c1'])
    expect(await taken(pool())).toEqual(['M1 a1'])
  })

  it('of one order the first that is pending: those that were heard, of other orders or other merchants, hold nothing up', async () => {
    await write(
      { order: 'a', seq: 1, due: 50 },
      { order: 'a', seq: 2, due: 0 },
      { mch: 'M2', order: 'a', seq: 1, due: 0, state: 'DELIVERED' },
      { mch: 'M2', order: 'a', seq: 2, due: 0 },
      { order: 'b', seq: 2, due: 0 },
    )
    expect(await taken(pool())).toEqual(['M1 b2', 'M2 a2'])
  })

  it('of those due at one moment, the earlier entries of all hosts first', async () => {
    await write({ order: 'a', seq: 2 }, { order: 'd', seq: 1, host: 'h3' })
    expect(await taken(pool(), { total: 1 })).toEqual(['M1 d1'])
  })

  it('taking one row changes that row alone', async () => {
    await write({ order: 'a', due: -1 }, { order: 'a', seq: 2, due: -1 }, { order: 'b' }, { mch: 'M2', order: 'a' })
    expect(await taken(pool(), { total: 1 })).toEqual(['M1 a1'])
    const { rows } = await database.pool.query('select mch_no, seq from notification where taken > 0')
    expect(rows).toEqual([{ mch_no: 'M1', seq: 1 }])
  })
})

it('twelve processes at once take each notification once and do not wait for each other', async () => {
  await write(...['a', 'b', 'c', 'd'].flatMap((order) => ['M1', 'M2'].map((mch) => ({ order, mch }))))
  const client = await database.pool.connect()
  try {
    await client.query('begin')
    await client.query(`select 1 from notification where mch_no = 'M1' and transaction_no = $1 for update`, [
      numbers.get('a'),
    ])
    const all = (await Promise.all(Array.from({ length: 12 }, () => taken(database.pool)))).flat().sort()
    expect(all).toEqual(['M1 b1', 'M1 c1', 'M1 d1', 'M2 a1', 'M2 b1', 'M2 c1', 'M2 d1'])
  } finally {
    await client.query('rollback')
    client.release()
  }
})

it('a new notification is due with the last pending one of its order, and at once where there is none', async () => {
  await write(
    { order: 'a', seq: 1, due: 700 },
    { order: 'b', seq: 1, due: 900, state: 'DELIVERED' },
    { order: 'c', seq: 1, due: 300 },
    { order: 'c', seq: 2, due: 100 },
  )
  await write(
    { order: 'a', seq: 2 },
    { order: 'b', seq: 2 },
    { order: 'c', seq: 3 },
    { order: 'd' },
    { mch: 'M2', order: 'a' },
  )
  expect(await dueOf('M1', 'a', 2)).toBe(700)
  expect(await dueOf('M1', 'b', 2)).toBe(0)
  expect(await dueOf('M1', 'c', 3)).toBe(300)
  expect(await dueOf('M1', 'd', 1)).toBe(0)
  expect(await dueOf('M2', 'a', 1)).toBe(0)
})

it('a failed try puts off what comes after it in its order, and not what came before and is sent once more', async () => {
  await write({ order: 'a', seq: 1, state: 'DEAD' }, { order: 'a', seq: 2, due: 0 }, { order: 'a', seq: 3, due: 0 })
  expect(await taken(database.pool)).toEqual(['M1 a2'])
  await database.pool.query(`update notification set state = 'PENDING' where seq = 1`)
  const key = { mchNo: 'M1', transactionNo: numbers.get('a') ?? '', seq: 2 }
  const tried = {
    ...key,
    taken: 1,
    at: after(5),
    ms: 5,
    httpStatus: 500,
    reply: 'no',
    failure: 'HTTP 500',
    nextAt: after(60_000),
  }
  await endNotificationTries(database.pool, [tried])
  expect(await Promise.all([1, 2, 3].map((seq) => dueOf('M1', 'a', seq)))).toEqual([0, 60_000, 60_000])
})

/** Between the look and the taking another process may have done anything: the functions look again. */
describe('what was seen as due and changed meanwhile', () => {
  const given = async (): Promise<number> => {
    const text = 'select place from give_up_notifications($1, $2, $3, $4, $5, $6)'
    const values = ['M1', after(1000), after(2000), ['M1'], [numbers.get('a')], [1]]
    return (await database.pool.query(text, values)).rowCount ?? 0
  }

  it('is not given up when it was heard, is younger, or is leased', async () => {
    await write({ order: 'a', state: 'DELIVERED' })
    expect(await giveUpNotifications(database.pool, { before: after(1000), now: after(2000) }, 9)).toBe(0)
    expect(await given()).toBe(0)
    await database.pool.query(`update notification set state = 'PENDING', round_at = $1`, [after(1001)])
    expect(await given()).toBe(0)
    await database.pool.query('update notification set round_at = $1, due_at = $2', [after(1000), after(2001)])
    expect(await given()).toBe(0)
    await database.pool.query('update notification set due_at = $1', [after(2000)])
    expect(await given()).toBe(1)
    expect((await database.pool.query('select state from notification')).rows).toEqual([{ state: 'DEAD' }])
    // And the way in which the gateway does it: it looks, and then gives up.
    await database.pool.query(`update notification set state = 'PENDING'`)
    expect(await giveUpNotifications(database.pool, { before: after(1000), now: after(2000) }, 9)).toBe(1)
  })

  it('is not taken when it was heard, or was taken', async () => {
    const take = async (): Promise<number> => {
      const text = 'select place from take_notifications($1, $2, $3, $4, $5, $6)'
      const values = ['M1', after(1000), after(9000), ['M1'], [numbers.get('a')], [1]]
      return (await database.pool.query(text, values)).rowCount ?? 0
    }
    await write({ order: 'a', state: 'DELIVERED' })
    expect(await taken(database.pool)).toEqual([])
    expect(await take()).toBe(0)
    await database.pool.query(`update notification set state = 'PENDING', due_at = $1`, [after(1001)])
    expect(await take()).toBe(0)
    await database.pool.query('update notification set due_at = $1', [after(1000)])
    expect([await take(), await take()]).toEqual([1, 0])
  })
})

it('what is pending is read no further than what is taken, also where the database last looked while nothing was pending', async () => {
  const pool = openPool({ connectionString: database.connectionString, max: 1 })
  const seeded = async (from: number, count: number, state: string) => {
    await pool.query(
      `with n as (select 'AP' || lpad(($1::integer + g)::text, 36, '0') as no from generate_series(1, $2::integer) g),
       placed as (
         insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire, state, head_seq,
           head_hash, created_at, changed_at)
         select 'M1', no, (select app_no from app where mch_no = 'M1'), no, 'x', 1250, 'CNY', $4, 'NOTPAY', 1, '', $4, $4 from n),
       entries as (insert into timeline (mch_no, transaction_no, seq, at, entry, hash) select 'M1', no, 1, $4, '{}', '' from n)
       insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
       select 'M1', no, 1, 'payment', 'https://h1/', 'h1', '{}', $3, $4, $4, $4 from n`,
      [from, count, state, NOW],
    )
  }
  await seeded(10_000, 400, 'DELIVERED')
  await pool.query('analyze notification')
  await seeded(20_000, 2000, 'PENDING')
  const readSoFar = async (): Promise<number> => {
    await pool.query('select pg_stat_force_next_flush()')
    const { rows } = await pool.query(
      `select sum(idx_tup_read)::integer as read from pg_stat_user_indexes
        where indexrelname in ('notification_by_host', 'notification_by_round')`,
    )
    return rows[0].read
  }
  const before = await readSoFar()
  const limits = { perHost: 20, total: 20, free: new Map() }
  const all = await takeNotifications(pool, limits, after(0), after(60_000))
  expect(all).toHaveLength(20)
  const delivered = { at: after(1), ms: 1, httpStatus: 200, reply: null, failure: null, nextAt: null }
  expect(
    await endNotificationTries(
      pool,
      all.map((one) => ({ ...one, ...delivered })),
    ),
  ).toEqual(all.map(() => 'DELIVERED'))
  const { mchNo, transactionNo } = all[0] as NotificationKey
  await pool.query(
    `insert into timeline (mch_no, transaction_no, seq, at, entry, hash) values ($1, $2, 2, $3, '{}', '')`,
    [mchNo, transactionNo, NOW],
  )
  const next = { mchNo, transactionNo, seq: 2, kind: 'refund', url: 'https://h1/', host: 'h1', news: '{}' } as const
  await insertNotification(pool, next, NOW)
  await giveUpNotifications(pool, { before: after(-1), now: after(0) }, 20)
  // The 20 that are taken, and a few more to find the host and to see that there is no other.
  expect((await readSoFar()) - before).toBeLessThan(60)
  await pool.end()
})
