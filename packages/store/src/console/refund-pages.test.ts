/** Pages of refunds: what is rare is looked for stretch after stretch, and the end of each stretch is told. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { MCH, NOW, refundNumber, seedMerchant, seedPayment, seedRefund } from '../../../../test/support/orders.ts'
import { FIRST_REFUND, LAST_REFUND, listRefunds } from './refund-pages.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

it('a stretch without what is asked for ends at its last refund, and the next one goes on from there', async () => {
  const payment = await seedPayment(database.pool, 'P1')
  for (const [at, state] of (['SUCCESS', 'FAIL', 'FAIL', 'FAIL'] as const).entries()) {
    await seedRefund(database.pool, payment, { refundNo: refundNumber(at + 1), state })
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
    expect(await found(LAST_REFUND, mchNo)).toEqual([[], refundNumber(3)])
    expect(await found(refundNumber(3), mchNo)).toEqual([[refundNumber(1)], refundNumber(1)])
    expect(await found(refundNumber(1), mchNo)).toEqual([[], null])
  }
})
