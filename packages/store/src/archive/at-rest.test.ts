/** Which orders of a month may be archived: each cause that keeps one of them, beside another order that it does not concern. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, MCH, NOW, seedMerchant, seedPayment, seedRefund } from '../../../../test/support/orders.ts'
import { insertReversal, type Payment } from '../payments/payments.ts'
import { merchantsWithOrders, restOfOrders } from './at-rest.ts'

const MONTH = { from: 'AP', until: 'AQ', changedBefore: after(1000) }

let database: TestDatabase
let one: Payment
let other: Payment
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await seedMerchant(database.pool, 'MCH2')
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.pool.query('truncate job, refund_request, notification, timeline, orders cascade')
  one = await paid('UP1')
  other = await paid('UP2')
})

const sql = (text: string, values: unknown[]) => database.pool.query(text, values)

async function paid(paymentNo: string): Promise<Payment> {
  const payment = await seedPayment(database.pool, paymentNo)
  await sql(`update attempt set state = 'PAID' where attempt_no = $1`, [payment.attemptNo])
  await sql(`update orders set state = 'SUCCESS', success_time = $2 where transaction_no = $1`, [
    payment.transactionNo,
    NOW,
  ])
  return payment
}

const numberOf = ({ transactionNo }: Payment): string => `AR${transactionNo.slice(2)}`

async function refund(of: Payment, state: 'SUCCESS' | 'PROCESSING'): Promise<string> {
  await seedRefund(database.pool, of, { refundNo: numberOf(of), state })
  return numberOf(of)
}

async function reversal(of: Payment, state: 'SUCCESS' | 'PROCESSING'): Promise<string> {
  await insertReversal(database.pool, { ...of, refundNo: numberOf(of), state, byUpstream: false }, NOW)
  return numberOf(of)
}

const job = (kind: string, subject: string, createdAt = NOW) =>
  sql(`insert into job (mch_no, kind, subject, due_at, tries, created_at) values ($1, $2, $3, $4, 0, $4)`, [
    MCH,
    kind,
    subject,
    createdAt,
  ])

const rest = async () =>
  (await restOfOrders(database.pool, { mchNo: MCH, after: '' }, MONTH, 10)).map(({ unrest }) => unrest)

const CAUSES: [cause: string, why: string, make: () => Promise<unknown>][] = [
  [
    'state',
    'is closing',
    () =>
      sql(
        `update orders set state = 'CLOSING', close_reason = 'MERCHANT', success_time = null where transaction_no = $1`,
        [one.transactionNo],
      ),
  ],
  [
    'recent',
    'changed a moment ago',
    () => sql('update orders set changed_at = $2 where transaction_no = $1', [one.transactionNo, MONTH.changedBefore]),
  ],
  [
    'attempt',
    'has an open attempt',
    () => sql(`update attempt set state = 'OPEN' where attempt_no = $1`, [one.attemptNo]),
  ],
  ['reversal', 'has money on its way back', () => reversal(one, 'PROCESSING')],
  ['refund', 'has a refund under way', () => refund(one, 'PROCESSING')],
  [
    'refund',
    'has a refund of which the upstream says two things',
    async () => {
      await refund(other, 'SUCCESS')
      await sql('update refund set contested_at = $2 where refund_no = $1', [await refund(one, 'SUCCESS'), NOW])
    },
  ],
  ['job', 'has a job of its own', () => job('shut_attempts', one.transactionNo)],
  ['job', 'has a job of an attempt', () => job('watch_attempt', one.attemptNo)],
  ['job', 'has a job of a refund', async () => job('send_refund', await refund(one, 'SUCCESS'))],
  ['job', 'has a job of a reversal', async () => job('reverse_payment', await reversal(one, 'SUCCESS'))],
]

it.each(CAUSES)('%s: an order that %s stays, and the order beside it may go', async (cause, _why, make) => {
  expect(await rest()).toEqual([null, null])
  await make()
  expect(await rest()).toEqual([cause, null])
})

it('a notification that waits keeps its order, and none other', async () => {
  const notification = (transactionNo: string, state: string) =>
    sql(
      `insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
       values ($1, $2, 1, 'payment', 'https://h', 'h', '{}', $3, $4, $4, $4)`,
      [MCH, transactionNo, state, NOW],
    )
  await notification(other.transactionNo, 'DELIVERED')
  expect(await rest()).toEqual([null, null])
  await notification(one.transactionNo, 'PENDING')
  expect(await rest()).toEqual(['notification', null])
})

it('a bill of those days that is not made keeps all of the merchant, one of later days none', async () => {
  await job('make_bill', '2026-02-27', MONTH.changedBefore)
  expect(await rest()).toEqual([null, null])
  await job('make_bill', '2026-01-31')
  expect(await rest()).toEqual(['bill', 'bill'])
})

it('a page begins after the number that it is given, and only merchants with such orders are looked through', async () => {
  const page = await restOfOrders(database.pool, { mchNo: MCH, after: one.transactionNo }, MONTH, 10)
  expect(page.map(({ transactionNo }) => transactionNo)).toEqual([other.transactionNo])
  expect(await merchantsWithOrders(database.pool, MONTH)).toEqual([MCH])
  expect(await merchantsWithOrders(database.pool, { from: 'AP', until: one.transactionNo })).toEqual([])
})
