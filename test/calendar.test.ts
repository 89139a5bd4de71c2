/**
 * An order's life and the day's books at the moments at which a calendar trips programs: written by hand, in UTC and as China
 * reads them. One gateway lives through all of them; then its clock is set back.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectInvariants, type Taken } from './support/invariants.ts'
import { call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000

/** The moment; as in the platform's numbers; as answers write it; the day whose bill it is on. All but the first in UTC+8. */
const MOMENTS = `
2026-12-31T15:59:59.999Z  20261231235959999  2026-12-31T23:59:59+08:00  2026-12-31
2026-12-31T23:59:59.999Z  20270101075959999  2027-01-01T07:59:59+08:00  2027-01-01
2027-01-31T16:00:00.000Z  20270201000000000  2027-02-01T00:00:00+08:00  2027-02-01
2027-02-28T15:59:59.999Z  20270228235959999  2027-02-28T23:59:59+08:00  2027-02-28
2027-04-30T16:00:00.000Z  20270501000000000  2027-05-01T00:00:00+08:00  2027-05-01
2027-11-07T09:30:00.000Z  20271107173000000  2027-11-07T17:30:00+08:00  2027-11-07
2027-12-31T16:00:00.000Z  20280101000000000  2028-01-01T00:00:00+08:00  2028-01-01
2028-02-28T16:00:00.000Z  20280229000000000  2028-02-29T00:00:00+08:00  2028-02-29
2028-02-29T15:59:59.999Z  20280229235959999  2028-02-29T23:59:59+08:00  2028-02-29
2028-03-01T00:00:00.000Z  20280301080000000  2028-03-01T08:00:00+08:00  2028-03-01
`
const rows = MOMENTS.trim()
  .split('\n')
  .map((row) => row.split(/ {2,}/) as [string, string, string, string])
  .map(([at, number, text, day]) => ({ at, number, text, day }))

let test: TestWorld
beforeAll(async () => {
  test = await testWorld({ start: new Date('2026-12-31T15:00:00.000Z') })
})
afterAll(() => test.stop())

/** Lives a whole life: one order is paid and refunded in part, one is closed with a code open, one without. */
async function live(): Promise<{ paid: string; left: string[] }> {
  const { demo } = test
  const [paid, shut, untouched] = [await place(demo), await place(demo), await place(demo)]
  const attempts = [(await openAttempt(demo, paid, 'alipay')) ?? '', (await openAttempt(demo, shut)) ?? '']
  const left: string[] = []
  if (!(await pay(demo, paid, attempts[0] as string))) left.push('the payer could not pay')
  const refund = { transaction_no: paid, refund_amount: '0.50', refund_reason: 'x', mch_refund_no: newTradeNo() }
  const refunded = await call(demo, { method: 'POST', path: 'refund', params: refund })
  if (refunded.data.code !== 'SUCCESS') left.push(`refund: ${JSON.stringify(refunded)}`)
  for (const order of [shut, untouched]) {
    const { data } = await close(demo, order)
    if (data.code !== 'SUCCESS') left.push(`close: ${data.code} ${data.description}`)
  }
  if (await pay(demo, shut, attempts[1] as string)) left.push('a closed order was paid')
  return { paid, left }
}

const taken = async (): Promise<Taken[]> =>
  (await Promise.all(['wechat', 'alipay'].map((channel) => test.upstreams.of(channel).control.taken()))).flat()

it(`an order lives, and its day's books close, at ${rows.length} moments of the calendar`, async () => {
  const wrong: string[] = []
  const same = (at: string, what: string, found: unknown, expected: unknown): void => {
    if (found !== expected) wrong.push(`${at}: ${what}: ${found}, not ${expected}`)
  }
  for (const { at, number, text, day } of rows) {
    test.advance(Date.parse(at) - test.world.now().getTime())
    const { paid, left } = await live()
    wrong.push(...left.map((what) => `${at}: ${what}`))
    same(at, 'number', paid.slice(2, 19), number)
    const { data } = await query(test.demo, paid)
    same(at, 'success_time', data.success_time, text)
    const { rows: days } = await test.database.pool.query(
      'select bill_day::text as day from payment where transaction_no = $1',
      [paid],
    )
    same(at, 'the day of its payment', days.map((one) => one.day).join(), day)
  }
  expect(wrong).toEqual([])
})

it('the books of those days agree with the upstreams, and every bill has what was paid and sent back on its day', async () => {
  // Backwards through the catalog: a gateway catches up on seven days, and a bill can be asked for during three months.
  const last = Date.parse('2028-03-02T10:01:00+08:00')
  test.advance(last - test.world.now().getTime())
  await test.runJobs()
  const { rows: differences } = await test.database.pool.query('select * from reconciliation_difference')
  expect(differences).toEqual([])
  const found: Record<string, string> = {}
  for (const day of ['2028-01-01', '2028-02-29', '2028-03-01']) {
    const { data } = await call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: day } })
    await test.runJobs()
    const again =
      data.code === 'SUCCESS'
        ? data
        : (await call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: day } })).data
    const text = await (await fetch(again.url ?? '')).text()
    found[day] = ['PAYMENT', 'REFUND']
      .map((kind) => text.split('\n').filter((line) => line.startsWith(`${kind},`)).length)
      .join(' ')
  }
  expect(found).toEqual({ '2028-01-01': '1 1', '2028-02-29': '2 2', '2028-03-01': '1 1' })
  const early = await call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: '2027-11-30' } })
  expect(early.status).toBe(1001)
})

it('a clock that is set back by a day, an hour and a second keeps every promise', async () => {
  const wrong: string[] = []
  for (const back of [1000, HOUR, 24 * HOUR]) {
    const begun = await place(test.demo)
    const attempt = (await openAttempt(test.demo, begun)) ?? ''
    test.advance(-back)
    if (!(await pay(test.demo, begun, attempt))) wrong.push(`${back}: cannot be paid`)
    const { left } = await live()
    wrong.push(...left.map((what) => `${back}: ${what}`))
    test.advance(back)
    await test.runJobs()
    const { data } = await query(test.demo, begun)
    if (data.code !== 'SUCCESS') wrong.push(`${back}: ${data.code}`)
  }
  expect(wrong).toEqual([])
  test.advance(3 * HOUR)
  await test.runJobs()
  await expectInvariants(test.database.pool, test.demo.mchNo, await taken())
})
