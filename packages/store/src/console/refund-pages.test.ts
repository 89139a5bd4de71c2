/** Pages of refunds: what is rare is looked for stretch after stretch, and the end of each stretch is told. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { MCH, NOW, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { FIRST_REFUND, LAST_REFUND, listRefunds } from './refund-pages.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

const numberOf = (at: number): string => `AR${String(at).padStart(36, '0')}`

it('a stretch without what is asked for ends at its last refund, and the next one goes on from there', async () => {
  const { order, attempt } = await seedAttempt(database.pool, await seedOrder(database.pool))
  const payment = [MCH, attempt.attemptNo, 'P1', order.transactionNo]
  await database.pool.query(
    `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, paid_at, fate, booked_at)
     values ($1, $2, $3, $4, 500, 'CNY', $5, 'keep', $5)`,
    [...payment, NOW],
  )
  for (const [at, state] of ['SUCCESS', 'FAIL', 'FAIL', 'FAIL'].entries()) {
    await database.pool.query(
      `insert into refund (mch_no, attempt_no, payment_no, transaction_no, refund_no, mch_refund_no, amount_fen, reason, state,
         failure, success_time, lands_until, created_at, changed_at)
       values ($1, $2, $3, $4, $5, $5, 1, 'r', $6, $7, $8, $9, $9, $9)`,
      [...payment, numberOf(at + 1), state, state === 'FAIL' ? 'NO' : null, state === 'SUCCESS' ? NOW : null, NOW],
    )
  }
  const found = async (before: string, mchNo: string | null) => {
    const filter = { mchNo, number: null, from: FIRST_REFUND, before, state: 'SUCCESS', channel: null, appNo: null }
    const { rows, next } = await listRefunds(
      database.pool,
      { ...filter, amountMin: null, amountMax: null, stuckBefore: NOW },
      5,
      2,
    )
    return [rows.map(({ refundNo }) => refundNo), next]
  }
  for (const mchNo of [null, MCH]) {
    expect(await found(LAST_REFUND, mchNo)).toEqual([[], numberOf(3)])
    expect(await found(numberOf(3), mchNo)).toEqual([[numberOf(1)], numberOf(1)])
    expect(await found(numberOf(1), mchNo)).toEqual([[], null])
  }
})
