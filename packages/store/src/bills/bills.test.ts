/** The rows of a day's bill, the bills that are missing, and the pieces of their files. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, MCH, NOW, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { addMerchant } from '../merchants/merchants.ts'
import { bookPayment, finishReversal, insertReversal } from '../payments/payments.ts'
import { billRows, hasBillRows, planBill, planBills, readBillPart, removeBillFile, writeBillPart } from './bills.ts'
import { refundsBetween } from './reconciliations.ts'

const DAY = '2026-01-31'
const HOUR = 3_600_000

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await seedMerchant(database.pool, 'MCH2')
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('delete from job'))

it('the rows of a bill come by their time, page by page, whatever the order in which they were written', async () => {
  for (const [index, ms] of [5000, 1000, 3000, 1000].entries()) {
    const { attempt } = await seedAttempt(database.pool, await seedOrder(database.pool))
    const { mchNo, attemptNo, transactionNo } = attempt
    const payment = { mchNo, attemptNo, transactionNo, paymentNo: `UP${index}`, amountFen: 1250n, currency: 'CNY' }
    await bookPayment(database.pool, { ...payment, paidAt: after(ms), payer: null }, 'keep', NOW)
  }
  const page = (afterRow: Awaited<ReturnType<typeof billRows>>[number] | null) =>
    billRows(database.pool, { mchNo: MCH, day: DAY }, { kind: 'PAYMENT', after: afterRow, limit: 3 })
  const first = await page(null)
  expect(first.map(({ paymentNo }) => paymentNo)).toEqual(['UP1', 'UP3', 'UP2'])
  expect((await page(first.at(-1) ?? null)).map(({ paymentNo }) => paymentNo)).toEqual(['UP0'])
})

it('a reversal belongs to the moment at which it was done: of a time its first moment is in it and its last is not', async () => {
  const { attempt } = await seedAttempt(database.pool, await seedOrder(database.pool))
  const { mchNo, attemptNo, transactionNo } = attempt
  const of = { mchNo, attemptNo, transactionNo, paymentNo: 'UP-BACK', amountFen: 1250n }
  await bookPayment(database.pool, { ...of, currency: 'CNY', paidAt: after(1000), payer: null }, 'reverse', NOW)
  const refundNo = `AR${'1'.padStart(36, '0')}`
  await insertReversal(database.pool, { ...of, refundNo, state: 'PROCESSING', byUpstream: false }, NOW)
  await finishReversal(database.pool, { mchNo, refundNo, byUpstream: false }, after(30 * HOUR))
  const found = async (from: number, until: number): Promise<string[]> => {
    const account = { mchNo, channel: attempt.channel }
    const some = await refundsBetween(database.pool, account, after(from), after(until))
    return some.map((one) => one.refundNo)
  }
  expect(await found(30 * HOUR, 30 * HOUR + 1)).toEqual([refundNo])
  expect([await found(30 * HOUR + 1, 99 * HOUR), await found(0, 30 * HOUR)]).toEqual([[], []])
  const days = ['2026-01-30', DAY, '2026-02-01', '2026-02-02']
  expect(await Promise.all(days.map((day) => hasBillRows(database.pool, { mchNo, day })))).toEqual([
    false,
    true,
    true,
    false,
  ])
  expect(await hasBillRows(database.pool, { mchNo: 'MCH2', day: DAY })).toBe(false)
})

it('a bill is planned for merchants that there were by the end of its day, once, where it is not made yet', async () => {
  const begin = after(-8 * HOUR)
  for (const [mchNo, ms] of [
    ['IN-IT', 1],
    ['AT-END', 16 * HOUR],
    ['AFTER', 16 * HOUR + 1],
  ] as const) {
    await addMerchant(database.pool, { mchNo, name: mchNo }, after(ms))
  }
  await database.pool.query(
    `insert into bill (mch_no, bill_day, lines, size_bytes, made_at) values ('MCH2', '2026-01-31', 0, 0, $1)`,
    [NOW],
  )
  const planned = async (): Promise<string[]> =>
    (await database.pool.query<{ mch_no: string }>('select mch_no from job order by mch_no')).rows.map(
      ({ mch_no }) => mch_no,
    )
  expect(await planBills(database.pool, [{ day: DAY, begin }], NOW)).toBe(3)
  expect(await planned()).toEqual(['AT-END', 'IN-IT', MCH])
  expect(await planBills(database.pool, [{ day: DAY, begin }], NOW)).toBe(0)
  await planBill(database.pool, { mchNo: MCH, day: DAY }, NOW)
  expect(await planned()).toHaveLength(3)
})

it('a file that is given up is removed, and no other of another merchant, day or number', async () => {
  const files = [
    { mchNo: MCH, day: DAY, fileNo: 'f1' },
    { mchNo: 'MCH2', day: DAY, fileNo: 'f1' },
    { mchNo: MCH, day: '2026-01-30', fileNo: 'f1' },
    { mchNo: MCH, day: DAY, fileNo: 'f2' },
  ]
  for (const { fileNo, ...key } of files) await writeBillPart(database.pool, key, { fileNo, seq: 1 }, Buffer.from('x'))
  await removeBillFile(database.pool, { mchNo: MCH, day: DAY }, 'f1')
  const left = await Promise.all(
    files.map(async ({ fileNo, ...key }) => (await readBillPart(database.pool, key, { fileNo, seq: 1 })) !== null),
  )
  expect(left).toEqual([false, true, true, true])
})
