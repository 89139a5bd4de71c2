import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { openPool } from '../db.ts'
import {
  insertDayHeads,
  lastDayHeads,
  leaseDayHeads,
  readDayHeads,
  readEntriesOf,
  releaseDayHeads,
} from './day-heads.ts'
import { isStamped } from './stamping.ts'
import { timelinePages } from './timeline-pages.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

/** Many orders with one entry each, which has no stamp. */
async function seedOrdersWithTimelines(numbers: string[]): Promise<void> {
  await database.pool.query(
    `with placed as (
       insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire, state,
         head_seq, head_hash, created_at, changed_at)
       select 'MCH1', number, 'APP1', 'm' || number, 'x', 1, 'CNY', $2, 'NOTPAY', 1, '', $2, $2 from unnest($1::text[]) number
       returning transaction_no)
     insert into timeline (mch_no, transaction_no, seq, at, entry, hash)
     select 'MCH1', transaction_no, 1, $2, '{}', '' from placed`,
    [numbers, NOW],
  )
}

it('whether timelines have begun to be stamped is told from a database without orders', async () => {
  const timelines = () => isStamped(database.pool, 'timeline')
  expect(await timelines()).toBe('empty')
  // The newest orders say it, however many were written before stamps began.
  await seedOrdersWithTimelines(Array.from({ length: 150 }, (_, index) => `AP0${String(index).padStart(35, '0')}`))
  expect(await timelines()).toBe('unstamped')
  const { transactionNo } = await seedOrder(database.pool, { transactionNo: `AP${'1'.repeat(36)}`, mchTradeNo: 'one' })
  const stamp = (mac: Buffer | null) =>
    database.pool.query('update timeline set mac = $1 where transaction_no = $2', [mac, transactionNo])
  await stamp(null)
  expect(await timelines()).toBe('unstamped')
  await stamp(Buffer.alloc(32))
  expect(await timelines()).toBe('stamped')
  await database.pool.query('delete from timeline')
  await database.pool.query('delete from orders')
})

it('a day is read to its end although that takes longer than a request may', async () => {
  const order = await seedOrder(database.pool)
  // Statements of a request end after a second here, and its caller gives up a second later.
  const hurried = openPool({ connectionString: database.connectionString, max: 1, statementTimeoutMs: 1000 })
  const blocker = await database.pool.connect()
  await blocker.query('begin')
  await blocker.query('lock table timeline in access exclusive mode')
  const released = blocker.query('select pg_sleep(2.3)').then(() => blocker.query('commit'))
  const read: string[] = []
  try {
    await readEntriesOf(hurried, { from: NOW, until: after(1) }, (entries) => {
      read.push(...entries.map(({ transactionNo, seq }) => `${transactionNo} ${seq}`))
    })
  } finally {
    await released
    blocker.release()
    await hurried.end()
  }
  expect(read).toEqual([`${order.transactionNo} 1`])
})

it('the heads of a day are written once; the newest are those of the last day', async () => {
  const heads = (day: string, text = day) => ({ day, heads: text, keyId: 'k', signature: 's' })
  expect(await lastDayHeads(database.pool)).toBeNull()
  for (const day of ['2026-03-02', '2026-03-01']) expect(await insertDayHeads(database.pool, heads(day))).toBe(true)
  expect(await insertDayHeads(database.pool, heads('2026-03-01', 'other'))).toBe(false)
  expect(await lastDayHeads(database.pool)).toEqual(heads('2026-03-02'))
  expect(await readDayHeads(database.pool)).toEqual([heads('2026-03-01'), heads('2026-03-02')])
  expect(await readDayHeads(database.pool, '2026-03-01')).toEqual([heads('2026-03-01')])
})

it('heads are made by one process at a time, until its lease ends or is given back', async () => {
  const lease = (from: number, until: number) => leaseDayHeads(database.pool, after(from), after(until))
  expect(await lease(0, 100)).toBe(true)
  expect(await lease(99, 200)).toBe(false)
  expect(await lease(100, 200)).toBe(true)
  // The one before gives back what it does not hold any more.
  await releaseDayHeads(database.pool, after(100), after(110))
  expect(await lease(199, 300)).toBe(false)
  await releaseDayHeads(database.pool, after(200), after(120))
  expect(await lease(120, 300)).toBe(true)
})

it('orders of a time are those with an entry from its first moment on and before its last', async () => {
  const { transactionNo } = await seedOrder(database.pool, { transactionNo: `AP${'9'.repeat(36)}`, mchTradeNo: 'nine' })
  await database.pool.query('update timeline set at = $1 where transaction_no = $2', [after(5000), transactionNo])
  const found = async (from: number, until: number): Promise<string[]> => {
    const pages = timelinePages(database.pool, { mchNo: null, from: after(from), until: after(until) })
    const numbers: string[] = []
    for await (const page of pages) numbers.push(...page.map((one) => one.transactionNo))
    return numbers
  }
  expect(await found(5000, 5001)).toEqual([transactionNo])
  expect(await found(4000, 5000)).toEqual([])
  expect(await found(5001, 6000)).toEqual([])
})

it('all orders are read page by page, each with its timeline, and none twice', async () => {
  const numbers = Array.from({ length: 501 }, (_, index) => `AP7${String(index).padStart(35, '0')}`)
  await seedOrdersWithTimelines(numbers)
  const pages: string[][] = []
  for await (const page of timelinePages(database.pool, { mchNo: 'MCH1', from: null, until: null })) {
    pages.push(page.filter(({ entries }) => entries.length === 1).map(({ transactionNo }) => transactionNo))
  }
  const read = pages.flat().filter((number) => numbers.includes(number))
  expect([pages[0]?.length, read.length]).toEqual([500, 501])
  expect(read).toEqual([...numbers].sort())
})
