import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after } from '../../../../test/support/orders.ts'
import { transaction } from '../db.ts'
import { forgetNonces, useNonce } from './nonces.ts'

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
      await holder.query(`select 1 from nonce where nonce = 'held' for update`)
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
