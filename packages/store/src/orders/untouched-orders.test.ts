import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, entryAt, MCH, orderNow, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { openPool } from '../db.ts'
import type { Order } from './orders.ts'
import { brokenAt, nextHash, readTimeline } from './timeline.ts'
import { moveUntouched, type UntouchedAsk } from './untouched-orders.ts'

const CLOSE = { from: 'NOTPAY', to: 'CLOSED', closeReason: 'MERCHANT' } as const
// A caller writes its entry just before the shared statement runs.
const WRITTEN = after(993)
const LATER = after(1000)
const ENTRY = entryAt(WRITTEN, 'close_asked 关单')

let database: TestDatabase
let order: Order
let nonces = 0
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await seedMerchant(database.pool, 'MCH2')
})
afterAll(() => database.drop())
beforeEach(async () => {
  order = await seedOrder(database.pool)
})

const ask = (of: { transactionNo: string }, nonce?: string): UntouchedAsk => {
  nonces += 1
  const mac = Buffer.from(`mac ${nonces}`)
  return { mchNo: MCH, ref: { transactionNo: of.transactionNo }, nonce: nonce ?? `n${nonces}`, entry: ENTRY, mac }
}
const closeAll = (...asks: UntouchedAsk[]) => moveUntouched(database.pool, { move: CLOSE, asks, now: LATER })
const kinds = async (...asks: UntouchedAsk[]) => (await closeAll(...asks)).map(({ kind }) => kind)
const entriesOf = ({ transactionNo }: Order) => readTimeline(database.pool, MCH, transactionNo)
const isUsed = async (nonce: string): Promise<boolean> =>
  (await database.pool.query('select 1 from nonce where mch_no = $1 and nonce = $2', [MCH, nonce])).rows.length === 1

describe('closing orders without attempts in one statement', () => {
  it('closes the order, keeps the nonce, and extends the timeline with the hash that Node computes', async () => {
    const asked = ask(order, 'kept')
    const [answer] = await closeAll(asked)
    expect(answer).toMatchObject({ kind: 'moved', order: { state: 'CLOSED', closeReason: 'MERCHANT' } })
    const now = await orderNow(database.pool, order)
    expect(now).toMatchObject({ state: 'CLOSED', closeReason: 'MERCHANT', headSeq: 2 })
    expect(now.headHash).toEqual(nextHash(order.headHash, ENTRY))
    const entries = await entriesOf(order)
    expect(entries[1]).toMatchObject({ seq: 2, at: WRITTEN, entry: ENTRY, hash: now.headHash, mac: asked.mac })
    expect(brokenAt(entries, MCH, order.transactionNo, now)).toBeNull()
    expect(await isUsed('kept')).toBe(true)
  })

  it("finds orders by the merchant's number too", async () => {
    const [answer] = await closeAll({ ...ask(order), ref: { mchTradeNo: order.mchTradeNo } })
    expect(answer).toMatchObject({ kind: 'moved', order: { transactionNo: order.transactionNo } })
  })

  it('answers each request of a mixed list in its place', async () => {
    const { order: tried } = await seedAttempt(database.pool, await seedOrder(database.pool))
    const expired = await seedOrder(database.pool, { timeExpire: LATER })
    const closed = await seedOrder(database.pool)
    const other = await seedOrder(database.pool, { mchNo: 'MCH2' })
    await closeAll(ask(closed))
    const asks = [
      ask(tried, 'tried'),
      ask(order),
      ask(expired, 'expired'),
      ask(closed, 'again'),
      ask(other),
      ask({ transactionNo: 'AP0' }),
    ]
    expect(await kinds(...asks)).toEqual(['involved', 'moved', 'involved', 'unchanged', 'absent', 'absent'])
    for (const one of [tried, expired, other]) {
      const { rows } = await database.pool.query('select state, head_seq from orders where transaction_no = $1', [
        one.transactionNo,
      ])
      expect(rows).toEqual([{ state: 'NOTPAY', head_seq: one.headSeq }])
    }
    expect(await entriesOf(closed)).toHaveLength(2)
  })

  it('of a hundred requests for two orders, one for each closes it, with its own words', async () => {
    const orders = [order, await seedOrder(database.pool)] as const
    const asks = Array.from({ length: 100 }, (_, index) => ({
      ...ask(orders[index % 2] as Order),
      entry: entryAt(after(index), `close ${index}`),
    }))
    const found = await kinds(...asks)
    expect(found.toSorted()).toEqual(['moved', 'moved', ...Array(98).fill('unchanged')])
    for (const [index, one] of orders.entries()) {
      const entries = await entriesOf(one)
      const winner = asks.find((_, place) => place % 2 === index && found[place] === 'moved')
      expect(entries.slice(1)).toMatchObject([{ entry: winner?.entry, mac: winner?.mac }])
      expect(brokenAt(entries, MCH, one.transactionNo, await orderNow(database.pool, one))).toBeNull()
    }
  })

  it('of a hundred requests under two nonces, the first under each is heard', async () => {
    const asks: UntouchedAsk[] = []
    for (let count = 0; count < 100; count += 1) {
      asks.push(ask(await seedOrder(database.pool), count % 2 === 0 ? 'twice used' : 'again used'))
    }
    const found = await kinds(...asks)
    expect(found).toEqual(['moved', 'moved', ...Array(98).fill('nonce_used')])
  })

  it('says when it was closed, and nothing of that where it is not closed yet', async () => {
    const closing = await seedOrder(database.pool)
    await closeAll(ask(order))
    const move = { from: 'NOTPAY', to: 'CLOSING', closeReason: 'MERCHANT' } as const
    await moveUntouched(database.pool, { move, asks: [ask(closing)], now: LATER })
    const { rows } = await database.pool.query(
      'select state, closed_at, changed_at from orders where transaction_no = any($1) order by state',
      [[order.transactionNo, closing.transactionNo]],
    )
    expect(rows).toEqual([
      { state: 'CLOSED', closed_at: LATER, changed_at: LATER },
      { state: 'CLOSING', closed_at: null, changed_at: LATER },
    ])
  })

  it('waits for no order: one that somebody else has locked needs the full close, and the others of the list are closed', async () => {
    const { pool, connectionString } = database
    const other = await seedOrder(pool)
    const client = await pool.connect()
    await client.query('begin')
    await client.query('select 1 from orders where mch_no = $2 and transaction_no = $1 for update', [
      order.transactionNo,
      order.mchNo,
    ])
    const impatient = openPool({ connectionString, max: 1, options: '-c lock_timeout=1' })
    const asks = [ask(order, 'locked'), ask(other)]
    const answers = await moveUntouched(impatient, { move: CLOSE, asks, now: LATER })
    await impatient.end()
    await client.query('rollback')
    client.release()
    expect(answers.map(({ kind }) => kind)).toEqual(['involved', 'moved'])
    expect(await isUsed('locked')).toBe(false)
    expect(await orderNow(pool, order)).toEqual(order)
  })

  it('takes orders of several merchants, whose numbers and nonces may be the same', async () => {
    const { pool } = database
    const mine = await seedOrder(pool, { mchTradeNo: 'of both' })
    const theirs = await seedOrder(pool, { mchNo: 'MCH2', mchTradeNo: 'of both' })
    const asked = ['MCH2', MCH, 'MCH3', 'MCH2'].map((mchNo) => ({
      ...ask(mine, 'of both'),
      ref: { mchTradeNo: 'of both' },
      mchNo,
    }))
    const answers = await closeAll(...asked)
    expect(answers).toMatchObject([
      { kind: 'moved', order: { mchNo: 'MCH2', transactionNo: theirs.transactionNo } },
      { kind: 'moved', order: { mchNo: MCH, transactionNo: mine.transactionNo } },
      { kind: 'absent' },
      { kind: 'nonce_used' },
    ])
    const entries = await readTimeline(pool, 'MCH2', theirs.transactionNo)
    expect(entries[1]?.hash).toEqual(nextHash(theirs.headHash, ENTRY))
    expect(await entriesOf(mine)).toHaveLength(2)
  })

  it('answers in the order of the requests, whatever plan PostgreSQL chooses', async () => {
    const { pool, connectionString } = database
    const numbered = (count: number): Promise<Order> =>
      seedOrder(pool, { transactionNo: `AP${'8'.repeat(34)}${count}`, mchTradeNo: `in place ${count}` })
    for (const [options, high, low] of [
      ['-c enable_hashjoin=off -c enable_nestloop=off', 19, 18],
      ['-c enable_mergejoin=off -c enable_nestloop=off', 29, 28],
    ] as const) {
      const [closed, open] = [await numbered(high), await numbered(low)]
      await closeAll(ask(closed))
      const planned = openPool({ connectionString, max: 1, options })
      const asks = [ask(closed), ask(open)]
      const answers = await moveUntouched(planned, { move: CLOSE, asks, now: LATER })
      expect(answers.map(({ kind }) => kind)).toEqual(['unchanged', 'moved'])
      await planned.end()
    }
  })

  it('uses the nonce of every request that it answers, and not of those that need the full close', async () => {
    const { order: tried } = await seedAttempt(database.pool, await seedOrder(database.pool))
    await closeAll(ask(tried, 'not mine'), ask({ transactionNo: 'AP0' }, 'of no order'), ask(order, 'mine'))
    expect([await isUsed('not mine'), await isUsed('of no order'), await isUsed('mine')]).toEqual([false, true, true])
  })

  it('refuses a nonce that this merchant used, and leaves the order open', async () => {
    await closeAll(ask(await seedOrder(database.pool), 'captured'))
    expect(await kinds(ask(order, 'captured'))).toEqual(['nonce_used'])
    expect(await orderNow(database.pool, order)).toEqual(order)
    expect(await entriesOf(order)).toHaveLength(1)
  })

  it('accepts the first of two requests with one nonce in one list', async () => {
    const other = await seedOrder(database.pool)
    expect(await kinds(ask(order, 'twice'), ask(other, 'twice'))).toEqual(['moved', 'nonce_used'])
    expect(await orderNow(database.pool, other)).toEqual(other)
  })

  it('a used nonce does not keep another caller in the same list from closing the same order', async () => {
    await closeAll(ask(await seedOrder(database.pool), 'old'))
    expect(await kinds(ask(order, 'old'), ask(order))).toEqual(['nonce_used', 'moved'])
  })

  it('an order that is twenty times in one list is closed once, and all callers get the closed order', async () => {
    const answers = await closeAll(...Array.from({ length: 20 }, () => ask(order)))
    for (const answer of answers) expect(answer).toMatchObject({ order: { state: 'CLOSED', closeReason: 'MERCHANT' } })
    expect(await entriesOf(order)).toHaveLength(2)
  })

  it('twenty callers at once, each with a statement of its own: one entry in the timeline, one caller who moved it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const asked = await seedOrder(database.pool)
      const answers = await Promise.all(Array.from({ length: 20 }, () => closeAll(ask(asked))))
      expect(answers.flat().filter(({ kind }) => kind === 'moved')).toHaveLength(1)
      // Those who came while the winner was at work take the full close, which waits for it.
      for (const [answer] of answers) {
        if (answer?.kind !== 'involved') expect(answer).toMatchObject({ order: { state: 'CLOSED' } })
      }
      const entries = await entriesOf(asked)
      expect(entries).toHaveLength(2)
      expect(brokenAt(entries, MCH, asked.transactionNo, await orderNow(database.pool, asked))).toBeNull()
    }
  })

  it('twenty callers at once with one nonce: one succeeds', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, () => seedOrder(database.pool)))
    const answers = (await Promise.all(orders.map((one) => closeAll(ask(one, 'replayed'))))).flat()
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['moved', ...Array(19).fill('nonce_used')])
    const { rows } = await database.pool.query(
      `select 1 from orders where transaction_no = any ($1) and state = 'CLOSED'`,
      [orders.map(({ transactionNo }) => transactionNo)],
    )
    expect(rows).toHaveLength(1)
  })

  it('lists that name the same orders and nonces in opposite directions do not deadlock', async () => {
    const orders = await Promise.all(Array.from({ length: 30 }, () => seedOrder(database.pool)))
    const forth = orders.map((one, index) => ask(one, `both${index}`))
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, list) => closeAll(...(list % 2 === 0 ? forth : forth.toReversed()))),
    )
    expect(answers.flat().filter(({ kind }) => kind === 'moved')).toHaveLength(30)
  })

  it('an empty list changes nothing', async () => {
    expect(await closeAll()).toEqual([])
  })
})
