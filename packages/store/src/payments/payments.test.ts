import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, MCH, NOW, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { transaction } from '../db.ts'
import type { Attempt } from './attempts.ts'
import { bookPayment, findPayment, findReversal, finishReversal, insertReversal, type Payment } from './payments.ts'

let database: TestDatabase
let attempts: [Attempt, Attempt]
let numbers = 0
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())
beforeEach(async () => {
  const first = await seedAttempt(database.pool, await seedOrder(database.pool))
  const second = await seedAttempt(database.pool, first.order)
  attempts = [first.attempt, second.attempt]
})

const payment = ({ attemptNo, transactionNo }: Attempt, more: Partial<Payment> = {}): Payment => ({
  mchNo: MCH,
  attemptNo,
  paymentNo: 'UP1',
  transactionNo,
  amountFen: 1250n,
  currency: 'CNY',
  payer: null,
  paidAt: NOW,
  ...more,
})
const book = (paid: Payment, fate: 'keep' | 'reverse') => bookPayment(database.pool, paid, fate, NOW)
const reversal = ({ mchNo, transactionNo, attemptNo, paymentNo, amountFen }: Payment) => {
  numbers += 1
  const refundNo = `AR${String(numbers).padStart(36, '0')}`
  return {
    mchNo,
    refundNo,
    transactionNo,
    attemptNo,
    paymentNo,
    amountFen,
    state: 'PROCESSING' as const,
    byUpstream: false,
  }
}
const fatesOf = async ({ transactionNo }: Attempt): Promise<string[]> => {
  const sql = 'select fate from payment where mch_no = $1 and transaction_no = $2 order by fate'
  return (await database.pool.query(sql, [MCH, transactionNo])).rows.map(({ fate }) => fate)
}

describe('payments', () => {
  it('an order keeps one; keeping a second is refused, and it can then be booked to be sent back', async () => {
    const [one, other] = attempts
    await book(payment(one), 'keep')
    await expect(book(payment(other), 'keep')).rejects.toMatchObject({ code: '23505', constraint: 'payment_kept' })
    await book(payment(other), 'reverse')
    await book(payment(other, { paymentNo: 'UP2' }), 'reverse')
    expect(await fatesOf(one)).toEqual(['keep', 'reverse', 'reverse'])
  })

  it('twenty that arrive at once: one is kept', async () => {
    const [one] = attempts
    const booked = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => book(payment(one, { paymentNo: `UP${index}` }), 'keep')),
    )
    expect(booked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await fatesOf(one)).toEqual(['keep'])
  })

  it('orders keep payments independently of each other', async () => {
    const { attempt } = await seedAttempt(database.pool, await seedOrder(database.pool))
    await book(payment(attempts[0]), 'keep')
    await book(payment(attempt), 'keep')
  })

  it('is booked once, also when it is reported again', async () => {
    const paid = payment(attempts[0])
    expect(await findPayment(database.pool, paid)).toBeNull()
    await book(paid, 'reverse')
    expect(await findPayment(database.pool, paid)).toEqual({
      fate: 'reverse',
      amountFen: paid.amountFen,
      goesBack: false,
      isInDoubt: false,
    })
    expect(await findPayment(database.pool, payment(attempts[1]))).toBeNull()
    await expect(book(paid, 'reverse')).rejects.toMatchObject({ code: '23505' })
  })

  it('of an attempt that does not exist, or of nothing, is refused', async () => {
    const [one] = attempts
    await expect(book(payment(one, { attemptNo: 'AT0' }), 'reverse')).rejects.toMatchObject({ code: '23503' })
    await expect(book(payment(one, { amountFen: 0n }), 'reverse')).rejects.toMatchObject({ code: '23514' })
  })
})

describe('reversals', () => {
  it('a payment has one, of the whole amount, with the channel of the payment', async () => {
    const paid = payment(attempts[0], { amountFen: 999n })
    await book(paid, 'reverse')
    const sent = reversal(paid)
    await insertReversal(database.pool, sent, NOW)
    expect(await findReversal(database.pool, MCH, sent.refundNo)).toEqual({
      ...sent,
      upstreamNo: null,
      createdAt: NOW,
      state: 'PROCESSING',
      channel: 'sandbox',
    })
    await expect(insertReversal(database.pool, reversal(paid), NOW)).rejects.toMatchObject({ code: '23505' })
    expect(await findReversal(database.pool, 'MCH2', sent.refundNo)).toBeNull()
  })

  it('without a booked payment is refused', async () => {
    const unbooked = reversal(payment(attempts[0]))
    await expect(insertReversal(database.pool, unbooked, NOW)).rejects.toMatchObject({ code: '23503' })
  })

  it('is rolled back together with its payment', async () => {
    const paid = payment(attempts[0])
    const sent = reversal(paid)
    const booking = transaction(database.pool, async (db) => {
      await bookPayment(db, paid, 'reverse', NOW)
      await insertReversal(db, sent, NOW)
      throw new Error('the process died')
    })
    await expect(booking).rejects.toThrow('the process died')
    expect(await findPayment(database.pool, paid)).toBeNull()
    expect(await findReversal(database.pool, MCH, sent.refundNo)).toBeNull()
  })

  it('is finished once, also when twenty callers finish it at once', async () => {
    const paid = payment(attempts[0])
    await book(paid, 'reverse')
    const sent = reversal(paid)
    await insertReversal(database.pool, sent, NOW)
    const finish = () => finishReversal(database.pool, { ...sent, byUpstream: false }, after(1))
    const finished = await Promise.all(Array.from({ length: 20 }, finish))
    expect(finished.filter(Boolean)).toHaveLength(1)
    expect(await findReversal(database.pool, MCH, sent.refundNo)).toMatchObject({ state: 'SUCCESS' })
    expect(await finish()).toBe(false)
  })
})
