/** The packed lines of archived orders: each in the bill of its own day, once. */
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, MCH, refundNumber, seedMerchant, seedPayment, seedRefund } from '../../../../test/support/orders.ts'
import { keepBillLines } from './archived-lines.ts'
import { billRows } from './bills.ts'

const DAY_MS = 86_400_000

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
})
afterAll(() => database.drop())

/** A paid order that was refunded once on each of these days after its payment. */
async function refundedOn(days: number[], first: number): Promise<string> {
  const payment = await seedPayment(database.pool, `UP${first}`)
  for (const [at, day] of days.entries()) {
    await seedRefund(database.pool, payment, { refundNo: refundNumber(first + at), at: after(day * DAY_MS) })
  }
  return payment.transactionNo
}

it('an order that was refunded on three days has one line in each of their bills; another order has none', async () => {
  const order = await refundedOn([0, 1, 3], 1)
  await refundedOn([1], 10)
  await keepBillLines(database.pool, { mchNo: MCH, archiveNo: '2026-01-00000000', part: 1 }, [order])
  const { rows } = await database.pool.query(
    'select bill_day::text as day, kind, lines from archived_lines order by kind, bill_day',
  )
  const lines = rows.map(({ day, kind, lines: packed }) => [
    day,
    kind,
    JSON.parse(gunzipSync(packed).toString()).map((line: Record<string, string>) => line.refundNo ?? line.paymentNo),
  ])
  expect(lines).toEqual([
    ['2026-01-31', 'PAYMENT', ['UP1']],
    ['2026-01-31', 'REFUND', [refundNumber(1)]],
    ['2026-02-01', 'REFUND', [refundNumber(2)]],
    ['2026-02-03', 'REFUND', [refundNumber(3)]],
  ])
})

it("a bill has the rows of its own merchant, and nothing of another's of the same day", async () => {
  await seedMerchant(database.pool, 'MCH2')
  const page = { after: null, limit: 99 }
  for (const kind of ['PAYMENT', 'REFUND', 'REVERSAL'] as const) {
    expect(await billRows(database.pool, { mchNo: 'MCH2', day: '2026-01-31' }, { kind, ...page })).toEqual([])
  }
  const own = await billRows(database.pool, { mchNo: MCH, day: '2026-01-31' }, { kind: 'REFUND', ...page })
  expect(own.map(({ refundNo }) => refundNo)).toEqual([refundNumber(1)])
})
