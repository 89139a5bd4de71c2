import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { type ForgedEntry, forgeTimeline } from '../../../../test/support/forgery.ts'
import {
  after,
  entryAt,
  MCH,
  NOW,
  orderNow,
  STAMP,
  seedAttempt,
  seedMerchant,
  seedOrder,
} from '../../../../test/support/orders.ts'
import type { Db } from '../db.ts'
import type { Order } from './orders.ts'
import { brokenAt, entryStamp, genesisHash, nextHash, readTimeline, unstampedAt } from './timeline.ts'
import { moveUntouched } from './untouched-orders.ts'

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

/** What chain and stamps say once the timeline of `of` was rewritten, hashes and head too; it is undone again. */
async function afterForgery(
  of: Order,
  change: (entries: ForgedEntry[]) => ForgedEntry[],
  { since = null, sql = [] }: { since?: Date | null; sql?: string[] } = {},
): Promise<{ chain: number | null; stamps: number | null }> {
  const db = await database.pool.connect()
  try {
    await db.query('begin')
    await forgeTimeline(db, of, change)
    for (const statement of sql) await db.query(statement)
    const entries = await readTimeline(db, MCH, of.transactionNo)
    return { chain: await check(db, of), stamps: unstampedAt(entries, of, { entry: STAMP, since }) }
  } finally {
    await db.query('rollback')
    db.release()
  }
}

describe('a timeline that was rewritten with all its hashes and the head of its order', () => {
  const text = (change: (entry: string) => string, seq: number) => (entries: ForgedEntry[]) =>
    entries.map((one, index) => (index + 1 === seq ? { ...one, entry: change(one.entry) } : one))
  const others = () => readTimeline(database.pool, MCH, other.transactionNo)

  it('has no break in its chain, and its stamps name the first entry that is not as it was written', async () => {
    const [first] = await others()
    if (first === undefined) throw new Error('no entry')
    const swapped = (entries: ForgedEntry[], seq: number) =>
      entries.map((_, index, all) => all[index === seq - 1 ? seq : index === seq ? seq - 1 : index] as ForgedEntry)
    const rows: [string, (entries: ForgedEntry[]) => ForgedEntry[], number | null][] = [
      ['as it is', (entries) => entries, null],
      ...EACH.map((seq): (typeof rows)[number] => [
        `entry ${seq} with another event`,
        text((entry) => entry.replace('"event":"', '"event":"not '), seq),
        seq,
      ]),
      ['entry 2 left out', (entries) => entries.toSpliced(1, 1), 2],
      [
        'an entry of its own repeated behind itself',
        (entries) => entries.toSpliced(2, 0, entries[1] as ForgedEntry),
        3,
      ],
      ['one more at the end', (entries) => [...entries, { ...(entries[3] as ForgedEntry), mac: null }], 5],
      ["another order's first entry in place of its own", (entries) => [first, ...entries.slice(1)], 1],
      ['a made up stamp', (entries) => entries.map((one) => ({ ...one, mac: Buffer.alloc(32) })), 1],
      ['entries 1 and 2 swapped', (entries) => swapped(entries, 1), 1],
      // Both are the start of a payment at the same moment; only their place tells them apart.
      ['entries 2 and 3 swapped', (entries) => swapped(entries, 2), 2],
      // What was there last can be cut off unseen. The heads of its day tell (test/audit.test.ts).
      ['the last entry left out', (entries) => entries.slice(0, -1), null],
    ]
    const wrong: object[] = []
    for (const [what, change, stamps] of rows) {
      const found = await afterForgery(order, change)
      if (found.chain !== null || found.stamps !== stamps) wrong.push({ what, found })
    }
    expect(wrong).toEqual([])
  })

  it('is not stamped with the key of another installation, nor with that of another merchant', async () => {
    const entries = await readTimeline(database.pool, MCH, order.transactionNo)
    expect(unstampedAt(entries, order, { entry: entryStamp(Buffer.alloc(32, 8)), since: null })).toBe(1)
    expect(unstampedAt(entries, { ...order, mchNo: 'MCH2' }, { entry: STAMP, since: null })).toBe(1)
  })

  it("a close that was stamped under the merchant's number holds, and only in its own order", async () => {
    const closed = await seedOrder(database.pool)
    const ref = { mchTradeNo: closed.mchTradeNo }
    const entry = entryAt(NOW, 'close_asked')
    const ask = {
      mchNo: MCH,
      ref,
      nonce: closed.transactionNo.slice(-32),
      entry,
      mac: STAMP({ mchNo: MCH, ref, seq: 2, entry }),
    }
    const move = { from: 'NOTPAY', to: 'CLOSED', closeReason: 'MERCHANT' } as const
    await moveUntouched(database.pool, { move, asks: [ask], now: NOW })
    expect(await afterForgery(closed, (entries) => entries)).toEqual({ chain: null, stamps: null })
    const stolen = await readTimeline(database.pool, MCH, closed.transactionNo)
    const moved = (entries: ForgedEntry[]) => [entries[0] as ForgedEntry, stolen[1] as ForgedEntry]
    // The number in an order's row is not stamped: it is swapped too.
    const sql = [
      `update orders set mch_trade_no = 'gone' where transaction_no = '${closed.transactionNo}'`,
      `update orders set mch_trade_no = '${closed.mchTradeNo}' where transaction_no = '${other.transactionNo}'`,
    ]
    expect(await afterForgery(other, moved, { sql })).toEqual({ chain: null, stamps: 2 })
  })

  it('may lack stamps from before stamping began, and neither later nor in an order that was placed later', async () => {
    const bare = (entries: ForgedEntry[]) => entries.map((one) => ({ ...one, mac: null }))
    const stamps = async (of: Order, since: Date | null) => (await afterForgery(of, bare, { since })).stamps
    const placedAt = (at: string) => seedOrder(database.pool, { transactionNo: `AP${at}${'0'.repeat(19)}` })
    // The entries are of 2026-01-31T08:00 in UTC+8; the number says when the order was placed.
    const before = await placedAt('20260131075959999')
    const late = await placedAt('20260131080000001')
    expect(await stamps(before, after(1))).toBeNull()
    expect(await stamps(before, after(0))).toBe(1)
    expect(await stamps(before, null)).toBe(1)
    expect(await stamps(late, after(1))).toBe(1)
    expect(await stamps(late, after(2))).toBeNull()
  })
})
