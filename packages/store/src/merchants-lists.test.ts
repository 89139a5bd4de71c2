/** A merchant's lists of orders and refunds over many rows: what each way to ask finds, and that it walks an index to find it. */
import { ORDER_STATES, type OrderState } from '@acopay/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts'
import { NOW, seedMerchant } from '../../../test/support/orders.ts'
import type { Db } from './db.ts'
import { addApp } from './merchants/merchants.ts'
import { listMerchantsOrders, type MerchantsOrderFilter, ROWS_LOOKED_THROUGH } from './orders/merchants-orders.ts'
import { listMerchantsRefunds, type MerchantsRefundFilter } from './payments/merchants-refunds.ts'

const [ONE, OTHER] = ['LIST1', 'LIST2']
const ORDERS = 5000
const REFUNDS = 1000

/** Few of the rows that there are, as 10 000 are few of a large table. */
const FEW = 200

const orderNo = (count: number): string => `AP${String(count).padStart(36, '0')}`
const refundNo = (count: number): string => `AR${String(count).padStart(36, '0')}`

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  for (const mchNo of [ONE, OTHER]) {
    await seedMerchant(database.pool, mchNo)
    await addApp(database.pool, { mchNo, appNo: 'RARE', name: 'x' }, NOW)
    await seedRows(mchNo)
  }
  await database.pool.query('analyze orders, refund, attempt, payment')
})
afterAll(() => database.drop())

/**
 * Both merchants have the same numbers. The oldest ten orders are of the app RARE: two of each state, the second NOTPAY one past its
 * expiry. All later ones are CLOSED and SUCCESS in turn, and each fifth was refunded; the oldest two refunds have failed.
 */
async function seedRows(mchNo: string): Promise<void> {
  await database.pool.query(
    `insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire, state,
       close_reason, success_time, head_seq, head_hash, created_at, changed_at)
     select $1, 'AP' || lpad(n::text, 36, '0'), case when n <= 10 then 'RARE' else 'APP1' end, 'trade' || n, $1, n, 'CNY',
            $2::timestamptz + case when n = 6 then interval '0' else interval '1 hour' end, s.state,
            case when s.state like 'CLOS%' then 'MERCHANT' end, case when s.state in ('SUCCESS', 'REFUND') then $2::timestamptz end,
            1, '\\x00', $2::timestamptz + n * interval '1 second', $2
       from generate_series(1, $3::int) n cross join lateral (
         select case when n <= 10 then ($4::text[])[1 + (n - 1) % 5] when n % 2 = 0 then 'CLOSED' else 'SUCCESS' end as state) s`,
    [mchNo, NOW, ORDERS, ORDER_STATES],
  )
  await database.pool.query(
    `insert into attempt (mch_no, attempt_no, transaction_no, channel, method, amount_fen, state, upstream_expire,
       create_lands_until, created_at, changed_at)
     select $1, 'AT' || n, 'AP' || lpad(n::text, 36, '0'), 'wechat', 'native', 1, 'PAID', $2, $2, $2, $2
       from generate_series(5, $3::int, 5) n`,
    [mchNo, NOW, ORDERS],
  )
  await database.pool.query(
    `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, paid_at, fate, booked_at)
     select mch_no, attempt_no, 'UP1', transaction_no, 1, 'CNY', $2, 'keep', $2 from attempt where mch_no = $1`,
    [mchNo, NOW],
  )
  await database.pool.query(
    `insert into refund (mch_no, refund_no, mch_refund_no, transaction_no, attempt_no, payment_no, amount_fen, reason, state,
       failure, lands_until, success_time, created_at, changed_at)
     select $1, 'AR' || lpad(n::text, 36, '0'), 'refund' || n, 'AP' || lpad((5 * n)::text, 36, '0'), 'AT' || 5 * n, 'UP1', n, $1,
            case when n <= 2 then 'FAIL' else 'SUCCESS' end, case when n <= 2 then 'x' end, $2,
            case when n > 2 then $2::timestamptz end, $2::timestamptz + n * interval '1 second', $2
       from generate_series(1, $3::int) n`,
    [mchNo, NOW, REFUNDS],
  )
}

const ALL_ORDERS: MerchantsOrderFilter = { ref: null, appNo: null, state: null, from: 'AP', before: 'AQ' }
const ALL_REFUNDS: MerchantsRefundFilter = {
  transactionNo: null,
  refundRef: null,
  state: null,
  from: 'AR',
  before: 'AS',
}

const orders = async (
  filter: Partial<MerchantsOrderFilter>,
  limit = 100,
  db: Db = database.pool,
): Promise<number[]> => {
  const options = { limit, now: NOW, lookThrough: db === database.pool ? ROWS_LOOKED_THROUGH : FEW }
  const found = await listMerchantsOrders(db, ONE, { ...ALL_ORDERS, ...filter }, options)
  for (const { description } of found.rows) expect(description).toBe(ONE)
  return found.rows.map(({ transactionNo }) => Number(transactionNo.slice(2)))
}
const refunds = async (
  filter: Partial<MerchantsRefundFilter>,
  limit = 100,
  db: Db = database.pool,
): Promise<number[]> => {
  const found = await listMerchantsRefunds(
    db,
    ONE,
    { ...ALL_REFUNDS, ...filter },
    { limit, lookThrough: db === database.pool ? ROWS_LOOKED_THROUGH : FEW },
  )
  for (const { reason } of found.rows) expect(reason).toBe(ONE)
  return found.rows.map(({ refundNo: number }) => Number(number.slice(2)))
}

describe("a merchant's orders", () => {
  const countdown = (from: number, to: number, step = 1): number[] =>
    Array.from({ length: Math.floor((from - to) / step) + 1 }, (_, index) => from - index * step)

  it('are the newest, then those before a place', async () => {
    expect(await orders({})).toEqual(countdown(5000, 4901))
    expect(await orders({ before: orderNo(4901) }, 3)).toEqual([4900, 4899, 4898])
    expect(await orders({ before: orderNo(3) })).toEqual([2, 1])
    expect(await orders({ from: orderNo(18), before: orderNo(20) })).toEqual([19, 18])
  })

  it.each([
    ['NOTPAY', [1]],
    ['CLOSING', [7, 2]],
    ['CLOSED', [8, 3]],
    ['SUCCESS', [9, 4]],
    ['REFUND', [10, 5]],
  ] as [OrderState, number[]][])('that are %s, of all apps and of one', async (state, rare) => {
    expect(await orders({ state, before: orderNo(11) })).toEqual(rare)
    expect(await orders({ state, appNo: 'RARE' })).toEqual(rare)
    expect(await orders({ state, appNo: 'APP1' }, 1)).toEqual(
      { CLOSED: [5000], SUCCESS: [4999] }[state as string] ?? [],
    )
  })

  it('of one app, in any state', async () => {
    expect(await orders({ appNo: 'RARE' })).toEqual(countdown(10, 1))
    expect(await orders({ appNo: 'RARE', from: orderNo(2), before: orderNo(9) }, 4)).toEqual([8, 7, 6, 5])
    expect(await orders({ appNo: 'APP1' }, 3)).toEqual([5000, 4999, 4998])
    expect(await orders({ appNo: 'NONE' })).toEqual([])
  })

  it('of one number are that order, where the rest fits as well', async () => {
    for (const ref of [{ transactionNo: orderNo(4) }, { mchTradeNo: 'trade4' }]) {
      expect(await orders({ ref })).toEqual([4])
      expect(await orders({ ref, state: 'SUCCESS', appNo: 'RARE', from: orderNo(4), before: orderNo(5) })).toEqual([4])
      for (const wrong of [
        { state: 'CLOSED' as const },
        { appNo: 'APP1' },
        { from: orderNo(5) },
        { before: orderNo(4) },
      ]) {
        expect(await orders({ ref, ...wrong })).toEqual([])
      }
    }
    expect(await orders({ ref: { mchTradeNo: 'none' } })).toEqual([])
  })

  it('have all that a list shows of them', async () => {
    const found = await listMerchantsOrders(database.pool, OTHER, ALL_ORDERS, { limit: 1, now: NOW })
    expect(found.rows[0]).toMatchObject({
      ...{ mchNo: OTHER, transactionNo: orderNo(ORDERS), mchTradeNo: `trade${ORDERS}`, amountFen: 5000n },
      ...{ state: 'CLOSED', createdAt: new Date(NOW.getTime() + ORDERS * 1000) },
    })
  })
})

it('a page looks through so many rows and no more, and says where to look on', async () => {
  const look = async (filter: Partial<MerchantsOrderFilter>, lookThrough: number, limit = 100) => {
    const options = { limit, lookThrough, now: NOW }
    const { rows, goOnBefore } = await listMerchantsOrders(database.pool, ONE, { ...ALL_ORDERS, ...filter }, options)
    return [rows.map(({ transactionNo }) => Number(transactionNo.slice(2))), goOnBefore]
  }
  expect(await look({ appNo: 'RARE' }, 4000)).toEqual([[], orderNo(1001)])
  expect(await look({ appNo: 'RARE', before: orderNo(1001) }, 991)).toEqual([[10], orderNo(10)])
  // A full page says by itself where it ends, and so does the end of the list.
  expect(await look({ appNo: 'APP1' }, 4000, 2)).toEqual([[5000, 4999], null])
  expect(await look({ appNo: 'RARE', before: orderNo(10) }, 10)).toEqual([[9, 8, 7, 6, 5, 4, 3, 2, 1], null])
  expect(await look({ ref: { transactionNo: orderNo(9) } }, 1)).toEqual([[9], null])

  const failed = { ...ALL_REFUNDS, state: 'FAIL' as const }
  const found = await listMerchantsRefunds(database.pool, ONE, failed, { limit: 100, lookThrough: 999 })
  expect([found.rows.map((row) => Number(row.refundNo.slice(2))), found.goOnBefore]).toEqual([[2], refundNo(2)])
})

describe("a merchant's refunds", () => {
  it('are the newest, then those before a place; in a state, of an order, or one', async () => {
    expect(await refunds({}, 2)).toEqual([1000, 999])
    expect(await refunds({ from: refundNo(2), before: refundNo(4) })).toEqual([3, 2])
    expect(await refunds({ state: 'FAIL' })).toEqual([2, 1])
    expect(await refunds({ transactionNo: orderNo(10) })).toEqual([2])
    expect(await refunds({ transactionNo: orderNo(11) })).toEqual([])
    for (const refundRef of [{ refundNo: refundNo(2) }, { mchRefundNo: 'refund2' }]) {
      expect(await refunds({ refundRef })).toEqual([2])
      expect(await refunds({ refundRef, state: 'FAIL', transactionNo: orderNo(10) })).toEqual([2])
      expect(await refunds({ refundRef, state: 'SUCCESS' })).toEqual([])
      expect(await refunds({ refundRef, transactionNo: orderNo(5) })).toEqual([])
    }
    const found = await listMerchantsRefunds(database.pool, OTHER, ALL_REFUNDS, { limit: 1 })
    expect(found.rows[0]).toEqual({
      ...{
        refundNo: refundNo(1000),
        mchRefundNo: 'refund1000',
        transactionNo: orderNo(5000),
        mchTradeNo: 'trade5000',
      },
      ...{ amountFen: 1000n, reason: OTHER, state: 'SUCCESS', channel: 'wechat', successTime: NOW },
      createdAt: new Date(NOW.getTime() + REFUNDS * 1000),
    })
  })
})

type Plan = {
  'Node Type': string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

/** Runs a list's statements with `explain analyze` in their place. */
async function planOf(list: (db: Db) => Promise<unknown>): Promise<Plan[]> {
  const nodes: Plan[] = []
  const explaining = {
    async query({ text, values }: { text: string; values: unknown[] }) {
      const { rows } = await database.pool.query(`explain (analyze, costs off, format json) ${text}`, values)
      nodes.push(...nodesOf(rows[0]['QUERY PLAN'][0].Plan))
      return { rows: [] }
    },
  }
  await list(explaining as unknown as Db)
  return nodes
}

const WAYS: Record<string, (db: Db) => Promise<unknown>> = {
  'all orders': (db) => orders({}, PAGE, db),
  'orders from the middle on': (db) => orders({ before: orderNo(3000) }, PAGE, db),
  'orders of a period': (db) => orders({ from: orderNo(1000), before: orderNo(4000) }, PAGE, db),
  'orders of the rarest state': (db) => orders({ state: 'REFUND' }, PAGE, db),
  'orders that can be paid': (db) => orders({ state: 'NOTPAY' }, PAGE, db),
  'orders of a frequent state': (db) => orders({ state: 'CLOSED', before: orderNo(3000) }, PAGE, db),
  'orders of the rarest app': (db) => orders({ appNo: 'RARE' }, PAGE, db),
  'orders of a frequent app': (db) => orders({ appNo: 'APP1', before: orderNo(3000) }, PAGE, db),
  'orders of an app in a state': (db) => orders({ appNo: 'APP1', state: 'REFUND' }, PAGE, db),
  'an order by its number': (db) => orders({ ref: { transactionNo: orderNo(5) } }, PAGE, db),
  "an order by the merchant's number": (db) => orders({ ref: { mchTradeNo: 'trade5' } }, PAGE, db),
  'all refunds': (db) => refunds({}, PAGE, db),
  'refunds of a period': (db) => refunds({ from: refundNo(100), before: refundNo(900) }, PAGE, db),
  'refunds in the rarest state': (db) => refunds({ state: 'FAIL' }, PAGE, db),
  'refunds in a frequent state': (db) => refunds({ state: 'SUCCESS', before: refundNo(900) }, PAGE, db),
  'refunds of an order': (db) => refunds({ transactionNo: orderNo(10) }, PAGE, db),
  "a refund by the merchant's number": (db) => refunds({ refundRef: { mchRefundNo: 'refund5' } }, PAGE, db),
}

const PAGE = 101

it.each(Object.entries(WAYS))(
  '%s: an index has them in their order, and what is read has a bound',
  async (_way, list) => {
    const nodes = await planOf(list)
    const kinds = [...new Set(nodes.map((node) => node['Node Type']))]
    const allowed = [
      'Function Scan',
      'Index Only Scan',
      'Index Scan',
      'Limit',
      'Memoize',
      'Nested Loop',
      'Sort',
      'Subquery Scan',
    ]
    expect(kinds.filter((kind) => !allowed.includes(kind))).toEqual([])
    for (const node of nodes) expect(node['Actual Rows'] * node['Actual Loops']).toBeLessThanOrEqual(FEW)
  },
)
