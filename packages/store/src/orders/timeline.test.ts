import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { MCH, orderNow, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import type { Db } from '../db.ts'
import type { Order } from './orders.ts'
import { brokenAt, genesisHash, nextHash, readTimeline } from './timeline.ts'

const ENTRIES = 4
let database: TestDatabase
let order: Order
let other: Order
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  order = await seedOrder(database.pool)
  other = await seedOrder(database.pool)
  while (order.headSeq < ENTRIES) order = (await seedAttempt(database.pool, order)).order
})
afterAll(() => database.drop())

const check = async (db: Db, of: Order): Promise<number | null> =>
  brokenAt(await readTimeline(db, MCH, of.transactionNo), MCH, of.transactionNo, await orderNow(db, of))

/** What the check says after `sql` ($1: the order, $2: the entry), which is then undone. */
async function afterTampering(sql: string, values: unknown[]): Promise<number | null> {
  const db = await database.pool.connect()
  try {
    await db.query('begin')
    const { rowCount } = await db.query(sql, values)
    expect(rowCount).toBe(1)
    return await check(db, order)
  } finally {
    await db.query('rollback')
    db.release()
  }
}

const EACH = Array.from({ length: ENTRIES }, (_, index) => index + 1)

describe('an untouched timeline', () => {
  it('holds', async () => {
    expect(await check(database.pool, order)).toBeNull()
    expect(await check(database.pool, other)).toBeNull()
  })

  it('has entries in their order, each hash following from the one before', async () => {
    let hash = genesisHash(MCH, order.transactionNo)
    for (const [index, entry] of (await readTimeline(database.pool, MCH, order.transactionNo)).entries()) {
      hash = nextHash(hash, entry.entry)
      expect(entry).toMatchObject({ seq: index + 1, hash })
    }
    expect(hash).toEqual(order.headHash)
  })
})

describe.each(EACH)('entry %i', (seq) => {
  it.each([
    ['entry', `replace(entry, '2026', '2025')`],
    ['entry', `entry || ' '`],
    ['hash', `set_byte(hash, 31, get_byte(hash, 31) # 1)`],
    ['at', `at + interval '1 ms'`],
    ['seq', 'seq + 100'],
  ])('with another %s (%s) shows', async (column, value) => {
    const sql = `update timeline set ${column} = ${value} where transaction_no = $1 and seq = $2`
    expect(await afterTampering(sql, [order.transactionNo, seq])).toBe(seq)
  })

  it('taken away shows', async () => {
    const sql = 'delete from timeline where transaction_no = $1 and seq = $2'
    expect(await afterTampering(sql, [order.transactionNo, seq])).toBe(seq)
  })

  it('taken away, and counted out of the order, shows', async () => {
    const sql = `with gone as (delete from timeline where transaction_no = $1 and seq = $2 returning seq)
      update orders set head_seq = head_seq - 1 where transaction_no = $1 and exists (select from gone)`
    expect(await afterTampering(sql, [order.transactionNo, seq])).toBe(seq)
  })

  it('put into another order shows', async () => {
    const sql = 'update timeline set transaction_no = $3, seq = 50 where transaction_no = $1 and seq = $2'
    expect(await afterTampering(sql, [order.transactionNo, seq, other.transactionNo])).toBe(seq)
  })
})

describe('the chain', () => {
  it("of one order is not another's, and not another merchant's", async () => {
    const entries = await readTimeline(database.pool, MCH, order.transactionNo)
    expect(brokenAt(entries, MCH, other.transactionNo)).toBe(1)
    expect(brokenAt(entries, 'MCH2', order.transactionNo)).toBe(1)
  })

  it('rewritten from the first entry on shows, because it does not match the head in the order', async () => {
    let hash = genesisHash(MCH, order.transactionNo)
    const forged = (await readTimeline(database.pool, MCH, order.transactionNo)).map((entry) => {
      const text = entry.entry.replace('placed', 'forged')
      hash = nextHash(hash, text)
      return { ...entry, entry: text, hash }
    })
    expect(brokenAt(forged, MCH, order.transactionNo, order)).toBe(ENTRIES + 1)
  })

  it('an order without any entry is broken at the first', () => {
    expect(brokenAt([], MCH, order.transactionNo, order)).toBe(1)
  })
})
