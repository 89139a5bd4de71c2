import { brokenAt, readTimeline } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  close,
  newTradeNo,
  openAttempt,
  orderParams,
  pay,
  place,
  query,
  type TestGateway,
  testGateway,
} from './support/gateway.ts'

let test: TestGateway
beforeAll(async () => {
  test = await testGateway()
})
afterAll(() => test.stop())

const timeline = async (transactionNo: string) => {
  const entries = await readTimeline(test.database.pool, test.demo.mchNo, transactionNo)
  expect(brokenAt(entries, test.demo.mchNo, transactionNo)).toBeNull()
  return entries.map(({ entry }) => JSON.parse(entry) as { event: string; to: string; closeReason?: string })
}

describe('placing', () => {
  it('gives a platform number, a cashier link, and the same again for the same parameters', async () => {
    const params = orderParams(test.demo, { extra: '附加 data', time_expire: '2026-12-31T23:59:59+08:00' })
    params.time_expire = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z/, 'Z')
    const first = await call(test.demo, { method: 'POST', path: 'trade', params })
    expect(first).toMatchObject({ status: 200, isSigned: true, data: { code: 'SUCCESS', mch_no: test.demo.mchNo } })
    expect(first.data.transaction_no).toMatch(/^AP\d{36}$/)
    expect(first.data.cashier_url).toContain(`/cashier/${test.demo.mchNo}/${first.data.transaction_no}/`)
    const again = await call(test.demo, { method: 'POST', path: 'trade', params })
    expect(again.data.transaction_no).toBe(first.data.transaction_no)
    const other = await call(test.demo, { method: 'POST', path: 'trade', params: { ...params, amount_total: '12.51' } })
    expect(other).toMatchObject({ status: 1010, message: 'MCH_TRADE_NO_REPEAT', isSigned: true })
    expect(other.fieldErrors).toContain('amount_total')
  })

  it('twenty callers at once with one number get one order', async () => {
    const params = orderParams(test.demo)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call(test.demo, { method: 'POST', path: 'trade', params })),
    )
    expect(new Set(answers.map(({ data }) => data.transaction_no)).size).toBe(1)
    expect(answers.every(({ data }) => data.code === 'SUCCESS')).toBe(true)
  })

  it('an order may not expire sooner than a minute or later than seven days from now', async () => {
    for (const ms of [30_000, 8 * 86_400_000, -1000]) {
      const time_expire = new Date(Date.now() + ms).toISOString()
      const answer = await call(test.demo, {
        method: 'POST',
        path: 'trade',
        params: orderParams(test.demo, { time_expire }),
      })
      expect(answer).toMatchObject({ status: 1001, isSigned: true })
      expect(answer.fieldErrors).toContain('time_expire')
    }
  })
})

describe('closing an order no upstream has heard of', () => {
  it('closes it at once, says the same again, and its timeline tells it once', async () => {
    const transactionNo = await place(test.demo)
    expect(await query(test.demo, transactionNo)).toMatchObject({ data: { code: 'NOTPAY', amount_total: '12.50' } })
    for (let times = 0; times < 3; times += 1) {
      expect(await close(test.demo, transactionNo)).toMatchObject({
        status: 200,
        message: 'SUCCESS',
        isSigned: true,
        data: { code: 'SUCCESS', description: '关单成功', transaction_no: transactionNo },
      })
    }
    expect(await query(test.demo, transactionNo)).toMatchObject({ data: { code: 'CLOSED' } })
    expect((await timeline(transactionNo)).map(({ event }) => event)).toEqual(['placed', 'close_asked'])
    expect(await openAttempt(test.demo, transactionNo)).toBeNull()
  })

  it("is possible by the merchant's number, and the platform's wins when both are given", async () => {
    const mch_trade_no = newTradeNo()
    const [one, other] = [await place(test.demo, { mch_trade_no }), await place(test.demo)]
    const both = { transaction_no: other, mch_trade_no }
    expect((await call(test.demo, { method: 'POST', path: 'close', params: both })).data.transaction_no).toBe(other)
    const answer = await call(test.demo, { method: 'POST', path: 'close', params: { mch_trade_no } })
    expect(answer.data).toMatchObject({ code: 'SUCCESS', transaction_no: one, mch_trade_no })
  })

  it('fifty callers at once all hear SUCCESS, and it is closed once', async () => {
    const transactionNo = await place(test.demo)
    const answers = await Promise.all(Array.from({ length: 50 }, () => close(test.demo, transactionNo)))
    expect(answers.every(({ data }) => data.code === 'SUCCESS')).toBe(true)
    expect(await timeline(transactionNo)).toHaveLength(2)
  })
})

describe('closing an order that a payer is looking at', () => {
  it('shuts every attempt upstream before it says SUCCESS', async () => {
    const transactionNo = await place(test.demo)
    const attempts = [await openAttempt(test.demo, transactionNo), await openAttempt(test.demo, transactionNo)]
    expect(await close(test.demo, transactionNo)).toMatchObject({ data: { code: 'SUCCESS' } })
    for (const attempt of attempts) expect(await pay(test.demo, transactionNo, attempt ?? '')).toBe(false)
    expect((await timeline(transactionNo)).map(({ event, to }) => `${event} ${to}`)).toEqual([
      'placed NOTPAY',
      'pay_started NOTPAY',
      'pay_started NOTPAY',
      'close_asked CLOSING',
      'all_shut CLOSED',
    ])
    const { rows } = await test.database.pool.query(
      "select * from job where subject = $1 and kind <> 'watch_attempt'",
      [transactionNo],
    )
    expect(rows).toEqual([])
  })

  it('twenty callers at once all hear SUCCESS', async () => {
    const transactionNo = await place(test.demo)
    await openAttempt(test.demo, transactionNo)
    const answers = await Promise.all(Array.from({ length: 20 }, () => close(test.demo, transactionNo)))
    expect(answers.map(({ data }) => data.code)).toEqual(Array(20).fill('SUCCESS'))
    expect((await timeline(transactionNo)).filter(({ to }) => to === 'CLOSED')).toHaveLength(1)
  })

  it('finds that it is paid and says so', async () => {
    const transactionNo = await place(test.demo)
    const attempt = (await openAttempt(test.demo, transactionNo)) ?? ''
    expect(await pay(test.demo, transactionNo, attempt)).toBe(true)
    expect(await close(test.demo, transactionNo)).toMatchObject({ data: { code: 'FAIL', description: '订单已支付' } })
    expect(await query(test.demo, transactionNo)).toMatchObject({ data: { code: 'SUCCESS', acoid: 'sandbox-payer' } })
  })

  it('a payer and a merchant at the same moment: it is paid or closed, never both, and both hear the same', async () => {
    for (let round = 0; round < 30; round += 1) {
      const transactionNo = await place(test.demo)
      const attempt = (await openAttempt(test.demo, transactionNo)) ?? ''
      const [closed, isPaid] = await Promise.all([
        close(test.demo, transactionNo),
        pay(test.demo, transactionNo, attempt),
      ])
      const stands = (await query(test.demo, transactionNo)).data.code
      expect([closed.data.description, stands]).toEqual(isPaid ? ['订单已支付', 'SUCCESS'] : ['关单成功', 'CLOSED'])
    }
  })

  it('a second payment through another attempt is sent back by itself', async () => {
    const transactionNo = await place(test.demo)
    const attempts = [await openAttempt(test.demo, transactionNo), await openAttempt(test.demo, transactionNo)]
    const paid = await Promise.all(attempts.map((attempt) => pay(test.demo, transactionNo, attempt ?? '')))
    const { rows } = await test.database.pool.query<{ fate: string }>(
      'select fate from payment where transaction_no = $1 order by fate',
      [transactionNo],
    )
    // The second is either refused, because the first shut it in time, or taken and reversed.
    expect(rows.map(({ fate }) => fate)).toEqual(paid.every(Boolean) ? ['keep', 'reverse'] : ['keep'])
  })
})

describe('another merchant', () => {
  it("cannot see, close or collide with this merchant's orders", async () => {
    const transactionNo = await place(test.demo)
    const { pool } = test.database
    await pool.query("insert into merchant (mch_no, name, created_at) values ('MCH2', 'other', now())")
    await pool.query(
      "insert into merchant_key (mch_no, key_id, public_key, valid_from) select 'MCH2', key_id, public_key, valid_from from merchant_key",
    )
    const other = { ...test.demo, mchNo: 'MCH2' }
    for (const answer of [await close(other, transactionNo), await query(other, transactionNo)]) {
      expect(answer).toMatchObject({
        status: 1007,
        message: 'ORDER_NOT_EXIST',
        fieldErrors: '此订单不存在!',
        isSigned: true,
      })
    }
    expect(await query(test.demo, transactionNo)).toMatchObject({ data: { code: 'NOTPAY' } })
  })
})
