import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import {
  APP,
  after,
  entryAt,
  MCH,
  NOW,
  newOrder,
  orderNow,
  placing,
  seedAttempt,
  seedMerchant,
  seedOrder,
} from '../../../../test/support/orders.ts'
import { transaction } from '../db.ts'
import { attemptsOf, moveAttempt } from '../payments/attempts.ts'
import { findOrder, insertOrders, lockOrder, type Move, moveOrder, type Placed, type Placing } from './orders.ts'
import { brokenAt, readTimeline } from './timeline.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await seedMerchant(database.pool, 'MCH2')
})
afterAll(() => database.drop())

const noncesOf = async (mchNo: string): Promise<string[]> => {
  const { rows } = await database.pool.query('select nonce from nonce where mch_no = $1 order by 1', [mchNo])
  return rows.map(({ nonce }) => nonce)
}
const move = (more: Partial<Move> = {}): Move => ({
  to: 'CLOSED',
  closeReason: 'MERCHANT',
  attempts: 0,
  paid: null,
  entry: entryAt(after(1000), 'close_asked'),
  mac: Buffer.from('the mac of the move'),
  now: after(1000),
  ...more,
})

async function insert(sent: Placing): Promise<Placed> {
  const [placed] = await insertOrders(database.pool, [sent])
  if (placed === undefined) throw new Error('no answer')
  return placed
}

describe('insertOrders', () => {
  it('answers each order of a list in its place, whichever merchants they are of', async () => {
    await database.pool.query(`insert into app values ('MCH2', 'LIST', 'x', true, $1)`, [NOW])
    const [first, second, third, fourth] = [
      newOrder({ mchTradeNo: 'list z' }),
      newOrder({ mchNo: 'MCH2', appNo: 'LIST', mchTradeNo: 'list a' }),
      newOrder({ mchTradeNo: 'list z' }),
      newOrder({ appNo: 'LIST', mchTradeNo: 'list b' }),
    ] as const
    const nonces = ['list 1', 'list 1', 'list 2', 'list 1']
    const sent = [first, second, third, fourth].map((order, index) => placing(order, nonces[index]))
    // Of one merchant's members under one nonce, the one with the lowest number is taken first.
    expect(await insertOrders(database.pool, sent)).toEqual([
      { app: 'enabled', isNonceFresh: false, isPlaced: false },
      { app: 'enabled', isNonceFresh: true, isPlaced: true },
      { app: 'enabled', isNonceFresh: true, isPlaced: true },
      { app: 'absent', isNonceFresh: true, isPlaced: false },
    ])
    expect(await findOrder(database.pool, 'MCH2', { mchTradeNo: 'list a' })).toMatchObject(second)
    expect(await findOrder(database.pool, MCH, { mchTradeNo: 'list z' })).toMatchObject(third)
  })

  it('lists that name the same numbers in opposite directions do not deadlock', async () => {
    const numbers = Array.from({ length: 30 }, (_, index) => `both ways ${index}`)
    const lists = Array.from({ length: 8 }, (_, list) => {
      const sent = numbers.map((mchTradeNo) =>
        placing(newOrder({ mchTradeNo }), `both ways ${mchTradeNo} ${list}`.slice(-32)),
      )
      return list % 2 === 0 ? sent : sent.toReversed()
    })
    const placed = await Promise.all(lists.map((list) => insertOrders(database.pool, list)))
    expect(placed.flat().filter(({ isPlaced }) => isPlaced)).toHaveLength(30)
  })

  it('writes the order, its nonce and the first entry of its timeline', async () => {
    const order = newOrder({ extra: 'x', notifyUrl: 'https://a.example', askedExpire: after(60_000) })
    const sent = placing(order, 'first')
    expect(await insert(sent)).toEqual({
      app: 'enabled',
      isNonceFresh: true,
      isPlaced: true,
    })
    const stored = await orderNow(database.pool, order)
    expect(stored).toMatchObject({ ...order, state: 'NOTPAY', closeReason: null, attempts: 0, headSeq: 1 })
    const entries = await readTimeline(database.pool, MCH, order.transactionNo)
    expect(entries).toMatchObject([{ seq: 1, at: NOW, entry: sent.entry, hash: stored.headHash, mac: sent.mac }])
    expect(brokenAt(entries, MCH, order.transactionNo, stored)).toBeNull()
    expect(await noncesOf(MCH)).toContain('first')
  })

  it("leaves the order that has the merchant's number as it is, also when the second request differs", async () => {
    const first = await seedOrder(database.pool)
    const second = newOrder({ mchTradeNo: first.mchTradeNo, description: 'another', extra: 'another' })
    expect(await insert(placing(second))).toMatchObject({ isPlaced: false, app: 'enabled' })
    expect(await findOrder(database.pool, MCH, { mchTradeNo: first.mchTradeNo })).toEqual(first)
    expect(await findOrder(database.pool, MCH, { transactionNo: second.transactionNo })).toBeNull()
    expect(await readTimeline(database.pool, MCH, first.transactionNo)).toHaveLength(1)
  })

  it('places one order for twenty callers with one number, each with a nonce of its own', async () => {
    const mchTradeNo = newOrder().mchTradeNo
    const placed = await Promise.all(
      Array.from({ length: 20 }, (_, caller) => insert(placing(newOrder({ mchTradeNo }), `c${caller}`))),
    )
    expect(placed.filter(({ isPlaced }) => isPlaced)).toHaveLength(1)
    expect(placed.every(({ isNonceFresh }) => isNonceFresh)).toBe(true)
    const { rows } = await database.pool.query('select 1 from orders where mch_trade_no = $1', [mchTradeNo])
    expect(rows).toHaveLength(1)
  })

  it('places one order for twenty callers with one nonce, each with a number of its own', async () => {
    const placed = await Promise.all(
      Array.from({ length: 20 }, () => insert(placing(newOrder({ description: 'replayed' }), 'same'))),
    )
    expect(placed.filter(({ isPlaced }) => isPlaced)).toHaveLength(1)
    expect(placed.filter(({ isNonceFresh }) => isNonceFresh)).toHaveLength(1)
    const { rows } = await database.pool.query(`select 1 from orders where description = 'replayed'`)
    expect(rows).toHaveLength(1)
  })

  it('places nothing for an app that is absent, disabled or of another merchant', async () => {
    await database.pool.query(
      `insert into app values ($1, 'OFF', 'off', false, $2), ('MCH2', 'ONLY2', 'x', true, $2)`,
      [MCH, NOW],
    )
    for (const [appNo, app] of [
      ['NONE', 'absent'],
      ['ONLY2', 'absent'],
      ['OFF', 'disabled'],
    ] as const) {
      const order = newOrder({ appNo })
      expect(await insert(placing(order))).toMatchObject({ app, isPlaced: false })
      expect(await findOrder(database.pool, MCH, { transactionNo: order.transactionNo })).toBeNull()
    }
  })

  it("gives two merchants orders of the same merchant's number, and neither sees the other's", async () => {
    const mine = await seedOrder(database.pool)
    const theirs = await seedOrder(database.pool, { mchNo: 'MCH2', mchTradeNo: mine.mchTradeNo, appNo: APP })
    expect(theirs.transactionNo).not.toBe(mine.transactionNo)
    expect(await findOrder(database.pool, 'MCH2', { transactionNo: mine.transactionNo })).toBeNull()
    expect(await lockOrder(database.pool, 'MCH2', { transactionNo: mine.transactionNo })).toBeNull()
    expect(await lockOrder(database.pool, 'MCH2', { mchTradeNo: mine.mchTradeNo })).toEqual(theirs)
  })
})

describe('moveOrder', () => {
  it('writes the step and its entry, and returns the changed order', async () => {
    const order = await seedOrder(database.pool)
    const moved = await moveOrder(database.pool, order, move())
    expect(moved).toEqual(await orderNow(database.pool, order))
    expect(moved).toMatchObject({ state: 'CLOSED', closeReason: 'MERCHANT', headSeq: 2 })
    const entries = await readTimeline(database.pool, MCH, order.transactionNo)
    expect(entries[1]?.mac).toEqual(Buffer.from('the mac of the move'))
    expect(brokenAt(entries, MCH, order.transactionNo, moved)).toBeNull()
  })

  it('throws, and writes nothing, when the order is not as it was read', async () => {
    const stale = await seedOrder(database.pool)
    await moveOrder(database.pool, stale, move())
    await expect(moveOrder(database.pool, stale, move())).rejects.toThrow('changed while')
    expect(await readTimeline(database.pool, MCH, stale.transactionNo)).toHaveLength(2)
  })

  it('keeps the payer when a later step has none', async () => {
    const { order } = await seedAttempt(database.pool, await seedOrder(database.pool))
    const paid = { successTime: after(5), payer: 'p', payChannel: 'sandbox', payMethod: 'native' }
    const success = await moveOrder(database.pool, order, move({ to: 'SUCCESS', closeReason: null, attempts: 1, paid }))
    const refund = await moveOrder(database.pool, success, move({ to: 'REFUND', closeReason: null, attempts: 1 }))
    expect(refund).toMatchObject({ ...paid, state: 'REFUND' })
    expect(await orderNow(database.pool, order)).toEqual(refund)
  })

  it.each([
    ['closed without a reason', { to: 'CLOSED', closeReason: null }],
    ['open with a reason', { to: 'NOTPAY', closeReason: 'MERCHANT' }],
    ['paid at no time', { to: 'SUCCESS', closeReason: null }],
  ] as [string, Partial<Move>][])('cannot make an order that is %s: the database refuses', async (_, wrong) => {
    const order = await seedOrder(database.pool)
    await expect(moveOrder(database.pool, order, move(wrong))).rejects.toMatchObject({ code: '23514' })
    expect(await orderNow(database.pool, order)).toEqual(order)
  })

  it('twenty callers who lock first write twenty steps in one unbroken chain', async () => {
    const order = await seedOrder(database.pool)
    await Promise.all(
      Array.from({ length: 20 }, () =>
        transaction(database.pool, async (db) => {
          const locked = await lockOrder(db, MCH, { mchTradeNo: order.mchTradeNo })
          if (locked === null) throw new Error('no order')
          await moveOrder(db, locked, move({ to: 'NOTPAY', closeReason: null, attempts: locked.attempts + 1 }))
        }),
      ),
    )
    const now = await orderNow(database.pool, order)
    expect(now).toMatchObject({ attempts: 20, headSeq: 21 })
    expect(
      brokenAt(await readTimeline(database.pool, MCH, order.transactionNo), MCH, order.transactionNo, now),
    ).toBeNull()
  })
})

describe('attempts', () => {
  it('move only from the state in which they were read, and keep their link', async () => {
    const { attempt } = await seedAttempt(database.pool, await seedOrder(database.pool))
    const one = async () => (await attemptsOf(database.pool, MCH, attempt.transactionNo))[0]
    await moveAttempt(database.pool, attempt, { event: 'opened', payUrl: 'sandbox://x', now: NOW })
    expect(await one()).toMatchObject({ state: 'OPEN', payUrl: 'sandbox://x', amountFen: 1250n })
    // The attempt was read as OPENING and is OPEN now, so the late event changes nothing.
    await moveAttempt(database.pool, attempt, { event: 'shut', payUrl: null, now: NOW })
    expect(await one()).toMatchObject({ state: 'OPEN', payUrl: 'sandbox://x' })
  })
})
