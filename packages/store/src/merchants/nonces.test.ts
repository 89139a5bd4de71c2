import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after } from '../../../../test/support/orders.ts'
import { transaction } from '../db.ts'
import { forgetNonces, rememberNonces, useNonce } from './nonces.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const use = (nonce: string, ms = 0, mchNo = 'MCH1') => useNonce(database.pool, { mchNo, nonce, now: after(ms) })

describe('a nonce', () => {
  it('is fresh once for each merchant', async () => {
    expect([await use('a'), await use('a', 5), await use('a', 0, 'MCH2')]).toEqual([true, false, true])
  })

  it('differs by every character, blanks and case included', async () => {
    for (const nonce of ['x', 'X', 'x ', ' x', 'х']) expect(await use(nonce)).toBe(true)
  })

  it('used by twenty callers at once is fresh for one', async () => {
    const uses = await Promise.all(Array.from({ length: 20 }, () => use('together')))
    expect(uses.filter(Boolean)).toHaveLength(1)
  })

  it('is fresh again when its change was rolled back', async () => {
    const change = transaction(database.pool, async (db) => {
      await useNonce(db, { mchNo: 'MCH1', nonce: 'undone', now: after(0) })
      throw new Error('the change failed')
    })
    await expect(change).rejects.toThrow('the change failed')
    expect(await use('undone')).toBe(true)
  })

  it('of no or more than 32 characters is refused by the database', async () => {
    expect(await use('n'.repeat(32))).toBe(true)
    for (const nonce of ['', 'n'.repeat(33)]) await expect(use(nonce)).rejects.toMatchObject({ code: '23514' })
  })
})

describe('the nonces of queries', () => {
  const remember = (nonces: string[], mchNo = 'MCH1') =>
    rememberNonces(database.pool, { uses: nonces.map((nonce) => ({ mchNo, nonce })), now: after(0) })

  it('are used from then on, by this merchant only, and may have been used before', async () => {
    expect(await use('of a close')).toBe(true)
    await remember(['q1', 'q2', 'q1', 'of a close'])
    await remember(['q2'])
    expect([await use('q1'), await use('q2'), await use('of a close')]).toEqual([false, false, false])
    expect(await use('q1', 0, 'MCH2')).toBe(true)
    expect(await use('q3')).toBe(true)
  })

  it('of lists at once, each in another order, never wait for each other in a circle', async () => {
    const nonces = Array.from({ length: 300 }, (_, index) => `list ${index}`)
    const lists = Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? nonces : nonces.toReversed()))
    await Promise.all(lists.map((list) => remember(list)))
    const { rowCount } = await database.pool.query(`select from nonce where nonce like 'list %'`)
    expect(rowCount).toBe(300)
  })
})

describe('forgetting', () => {
  it('drops nonces from before the window, the oldest first and at most `limit`, and keeps one at its edge', async () => {
    await database.pool.query('delete from nonce')
    for (const ms of [-3, -2, -1, 0, 1]) await use(`n${ms}`, ms)
    expect(await forgetNonces(database.pool, after(0), 2)).toBe(2)
    expect([await use('n-3', 9), await use('n-2', 9), await use('n-1', 9)]).toEqual([true, true, false])
    expect(await forgetNonces(database.pool, after(0), 100)).toBe(1)
    expect([await use('n0'), await use('n1')]).toEqual([false, false])
    expect(await forgetNonces(database.pool, after(0), 100)).toBe(0)
  })

  it('by many processes at once counts each nonce once', async () => {
    await database.pool.query('delete from nonce')
    for (let index = 0; index < 40; index += 1) await use(`n${index}`, -1)
    const counts = await Promise.all(Array.from({ length: 8 }, () => forgetNonces(database.pool, after(0), 40)))
    expect(counts.reduce((sum, count) => sum + count)).toBe(40)
  })

  it('does not wait for a nonce that another process is at', async () => {
    await database.pool.query('delete from nonce')
    for (const nonce of ['held', 'free']) await use(nonce, -1)
    const counts = await transaction(database.pool, async (holder) => {
      await holder.query(`select 1 from nonce where mch_no = 'MCH1' and nonce = 'held' for update`)
      return transaction(database.pool, async (db) => {
        await db.query(`set local lock_timeout = '1s'`)
        return forgetNonces(db, after(0), 100)
      })
    })
    expect(counts).toBe(1)
    expect(await use('free')).toBe(true)
    expect(await use('held')).toBe(false)
  })
})
