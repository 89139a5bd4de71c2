/** Money that upstreams tell of late, twice, wrongly, for an unknown attempt, or that was sent back outside of the gateway. */
import type { Channel, QueryAnswer, RefundAnswer, RefundQueryAnswer, Webhook } from '@acopay/channels'
import { brokenAt, readTimeline } from '@acopay/store'
import { afterEach, describe, expect, it } from 'vitest'
import { receivePayment } from '../apps/server/src/actions/payment/receive-payment.ts'
import { watchAttempt } from '../apps/server/src/actions/payment/watch-attempt.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
afterEach(() => test.stop())

const HOUR = 3_600_000
const PAYMENT = {
  paymentNo: 'UP1',
  amountFen: 1250n,
  currency: 'CNY',
  paidAt: new Date('2026-03-01T04:00:00Z'),
  payer: 'p1',
}

const books = async () => {
  const { rows } = await test.database.pool.query(
    `select p.payment_no, p.fate, r.state from payment p left join reversal r using (mch_no, attempt_no, payment_no)
      order by p.payment_no`,
  )
  return rows
}

const jobKinds = async (): Promise<string[]> =>
  (
    await test.database.pool.query<{ kind: string }>(`select kind from job where kind <> 'reconcile_day' order by kind`)
  ).rows.map(({ kind }) => kind)

describe('a closed order is watched', () => {
  it('and money that arrives although its attempt was proven shut is found by asking, and sent back', async () => {
    const upstream = { answer: null as QueryAnswer | null, refunds: 0 }
    test = await testWorld({
      upstream: (real) => ({
        latePaymentWindowMs: 24 * HOUR,
        query: async (ref, signal) => upstream.answer ?? real.query(ref, signal),
        refund: async () => {
          upstream.refunds += 1
          return { kind: 'done' }
        },
      }),
    })
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    upstream.answer = { kind: 'paid', payment: PAYMENT }
    test.advance(2 * 60_000)
    await test.runJobs()
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'reverse', state: 'SUCCESS' }])
    expect(upstream.refunds).toBe(1)
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await jobKinds()).toEqual([])
  })

  it('until nothing can be heard of it any more, and never with an alarm', async () => {
    test = await testWorld({ upstream: () => ({ latePaymentWindowMs: 24 * HOUR }) })
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    await close(test.demo, order)
    for (let hour = 0; hour < 25; hour += 1) {
      test.advance(HOUR)
      await test.runJobs()
      expect(await jobKinds()).toEqual(['watch_attempt'])
    }
    test.advance(3 * HOUR)
    await test.runJobs()
    expect(await jobKinds()).toEqual([])
    expect(test.logged().filter(({ alarm }) => alarm === true)).toEqual([])
  })
})

describe('a code that was not scanned when the order was closed', () => {
  it('is closed by the watch once it is scanned, before it can be paid', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    const attempt = (await openAttempt(test.demo, order, 'alipay')) ?? ''
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    const { control } = test.upstreams.of('alipay')
    expect(await control.scan(attempt)).toBe(true)
    test.advance(10_000)
    await test.runJobs()
    expect(await pay(test.demo, order, attempt)).toBe(false)
    expect(await control.trade(attempt)).toMatchObject({ state: 'closed', payment: null })
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await jobKinds()).toEqual(['watch_attempt'])
  })
})

describe('money that goes back by itself', () => {
  type Says = { refund: RefundAnswer; query: RefundQueryAnswer }
  /** A late payment of a closed order, with an upstream that sends money back as `says` has it. */
  async function lateAt(says: Says, asked: string[] = []): Promise<void> {
    test = await testWorld({
      upstream: () => ({
        refund: async ({ refundNo }) => {
          asked.push(refundNo)
          return says.refund
        },
        queryRefund: async () => says.query,
      }),
    })
    const order = await place(test.demo)
    const attempt = (await openAttempt(test.demo, order)) ?? ''
    await close(test.demo, order)
    await pay(test.demo, order, attempt, 'pay-anyway')
    await test.runJobs()
  }
  const stands = async () => (await books())[0]?.state
  const later = async (ms: number): Promise<void> => {
    test.advance(ms)
    await test.runJobs()
  }

  it('is asked for under another number where the first one ended without sending anything, and never before', async () => {
    const asked: string[] = []
    const says: Says = { refund: { kind: 'processing' }, query: { kind: 'processing' } }
    await lateAt(says, asked)
    await later(10 * 60_000)
    expect(new Set(asked).size).toBe(1)
    says.refund = { kind: 'refused', why: 'CLOSED' }
    says.query = { kind: 'failed', why: 'CLOSED' }
    await later(HOUR)
    says.refund = { kind: 'done' }
    await later(HOUR)
    const [first, last] = [asked[0], asked.at(-1)]
    expect(last).toBe(`${first}-2`)
    expect(await stands()).toBe('SUCCESS')
  })

  it('that no call brings back is settled by hand once it is stuck, by those who may, and is asked about no more', async () => {
    const asked: string[] = []
    await lateAt({ refund: { kind: 'refused', why: 'NOT_ENOUGH' }, query: { kind: 'absent' } }, asked)
    const { rows } = await test.database.pool.query<{ refund_no: string }>('select refund_no from reversal')
    const body = { mch_no: test.demo.mchNo, refund_no: rows[0]?.refund_no ?? '', note: '已通过银行转账退回' }
    const clients = [] as ConsoleClient[]
    for (const role of ['finance', 'operator', 'merchant_admin'] as const) {
      await addUser(test, `user-${role.replace('_', '-')}`, role)
      clients.push(await signedIn(test, `user-${role.replace('_', '-')}`))
    }
    const [finance, ...others] = clients as [ConsoleClient, ...ConsoleClient[]]
    const settle = (who: ConsoleClient, more = {}) => who.send('POST', 'reversals/settle', { ...body, ...more })
    expect((await settle(finance)).body).toMatchObject({ error: 'CONFLICT' })
    await later(11 * 60_000)
    for (const other of others) expect((await settle(other)).status).toBe(403)
    expect((await settle(finance, { note: '' })).body).toMatchObject({ field: 'note' })
    expect((await settle(finance, { refund_no: 'AR0' })).status).toBe(404)
    expect((await settle(finance)).status).toBe(200)
    expect((await settle(finance)).status).toBe(409)
    const calls = asked.length
    await later(HOUR)
    expect(asked).toHaveLength(calls)
    expect(await jobKinds()).toEqual([])
    const [row] = (await (await signedIn(test, 'user-finance')).get('reversals')).body.rows
    expect(row).toMatchObject({ state: 'SUCCESS', last_answer: 'by hand: 已通过银行转账退回 (user-finance)' })
  })

  it('is back when the upstream refuses to send it a second time and says that it has', async () => {
    await lateAt({ refund: { kind: 'refused', why: 'INVALID_REQUEST' }, query: { kind: 'done', amountFen: 1250n } })
    expect(await stands()).toBe('SUCCESS')
  })

  it('may take a bank its days without waking anybody, and is asked about hourly; what needs help is told after an hour', async () => {
    const asked: string[] = []
    const says: Says = { refund: { kind: 'processing' }, query: { kind: 'processing' } }
    await lateAt(says, asked)
    const alarms = () => test.logged().filter(({ alarm }) => alarm === true)
    for (let hours = 0; hours < 24; hours += 1) await later(HOUR)
    expect(alarms()).toEqual([])
    expect(asked.length).toBeLessThan(40)
    says.query = { kind: 'processing', why: 'ABNORMAL' }
    await later(2 * HOUR)
    expect(alarms()).toMatchObject([{ kind: 'reverse_payment', msg: 'job overdue' }])
    const { rows } = await test.database.pool.query('select last_answer from reversal')
    expect(rows).toEqual([{ last_answer: 'refund: processing, then query: processing (ABNORMAL)' }])
  })
})

describe("a payment that is sent back outside of this gateway, by the upstream or in the upstream's own pages", () => {
  it('before we heard of it, is booked as taken and as returned, and the order is closed', async () => {
    test = await testWorld({ upstream: () => ({ query: async () => ({ kind: 'returned', payment: PAYMENT }) }) })
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'reverse', state: 'SUCCESS' }])
    expect(await jobKinds()).toEqual([])
  })

  it('although the order had kept it, makes the order REFUND, with an alarm, and nothing more can be refunded', async () => {
    const upstream = { answer: null as QueryAnswer | null }
    test = await testWorld({
      upstream: (real) => ({ query: async (ref, signal) => upstream.answer ?? real.query(ref, signal) }),
    })
    const order = await place(test.demo)
    const [paid, other] = [await openAttempt(test.demo, order), await openAttempt(test.demo, order)]
    const { mchNo } = test.demo
    await receivePayment(test.world, { mchNo, transactionNo: order, attemptNo: paid ?? '', payment: PAYMENT })
    upstream.answer = { kind: 'returned', payment: PAYMENT }
    await watchAttempt(test.world, { mchNo, attemptNo: paid ?? '' })
    expect(other).not.toBeNull()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'REFUND' } })
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'keep', state: 'SUCCESS' }])
    expect(test.logged().filter(({ alarm }) => alarm === true)).toMatchObject([
      { transactionNo: order, paymentNo: 'UP1', msg: 'a kept payment was sent back upstream' },
    ])
    const refund = { transaction_no: order, mch_refund_no: newTradeNo(), refund_amount: '0.01', refund_reason: 'x' }
    expect(await call(test.demo, { method: 'POST', path: 'refund', params: refund })).toMatchObject({
      message: 'REFUND_AMOUNT_EXCEED',
    })
    expect(brokenAt(await readTimeline(test.database.pool, mchNo, order), mchNo, order)).toBeNull()
  })

  it('although it was to go back: the reversal that the upstream refuses ends when it says that all is back', async () => {
    const upstream = { answer: null as QueryAnswer | null, refunds: 0 }
    test = await testWorld({
      upstream: (real) => ({
        query: async (ref, signal) => upstream.answer ?? real.query(ref, signal),
        refund: async () => {
          upstream.refunds += 1
          return { kind: 'refused', why: 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL' }
        },
      }),
    })
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order)) ?? ''
    await close(test.demo, order)
    await receivePayment(test.world, { mchNo: test.demo.mchNo, transactionNo: order, attemptNo, payment: PAYMENT })
    upstream.answer = { kind: 'unknown', why: 'HTTP 502' }
    await test.runJobs()
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'reverse', state: 'PROCESSING' }])
    upstream.answer = { kind: 'returned', payment: PAYMENT }
    test.advance(10 * 60_000)
    await test.runJobs()
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'reverse', state: 'SUCCESS' }])
    expect(upstream.refunds).toBe(2)
  })
})

describe.each(['wechat', 'alipay'] as const)('a second payment number for one attempt (%s)', (name) => {
  it('has a reversal that names the second payment: the kept one is never sent back in its place', async () => {
    const attempt = { no: '', isSecond: false }
    test = await testWorld({
      upstream: (real, channel) => ({
        readWebhook: async (raw) =>
          attempt.isSecond && channel === name
            ? { kind: 'paid', attemptNo: attempt.no, payment: PAYMENT }
            : real.readWebhook(raw),
      }),
    })
    const order = await place(test.demo)
    attempt.no = (await openAttempt(test.demo, order, name)) ?? ''
    await pay(test.demo, order, attempt.no)
    attempt.isSecond = true
    await fetch(`${test.demo.baseUrl}/notify/${name}/${test.demo.mchNo}`, { method: 'POST', body: 'x' })
    for (let hour = 0; hour < 3; hour += 1) {
      await test.runJobs()
      test.advance(HOUR)
    }
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await books()).toMatchObject([{ fate: 'keep' }, { payment_no: 'UP1', fate: 'reverse', state: 'PROCESSING' }])
    // The upstream does not know the second payment, so it sends nothing back, and the operator is told.
    expect(await test.upstreams.of(name).control.taken()).toMatchObject([{ takenFen: 1250, returnedFen: 0 }])
    expect(test.logged()).toContainEqual(expect.objectContaining({ kind: 'reverse_payment', alarm: true }))
  })
})

describe('a notification', () => {
  const told = (notification: Webhook): { upstream: () => Partial<Channel> } => ({
    upstream: () => ({
      readWebhook: async () => notification,
      replyToWebhook: (isHeard) => ({
        status: isHeard ? 200 : 500,
        contentType: 'text/plain',
        body: isHeard ? 'success' : 'failure',
      }),
    }),
  })
  const notify = (channel = 'wechat', mchNo = test.demo.mchNo) =>
    fetch(`${test.demo.baseUrl}/notify/${channel}/${mchNo}`, { method: 'POST', body: 'x' })

  it('for a merchant that can be none is answered like any path that does not exist', async () => {
    test = await testWorld()
    for (const mchNo of ['%00', 'a%20b', 'x'.repeat(33), '%F0%9F%92%A9']) {
      expect((await notify('wechat', mchNo)).status).toBe(404)
    }
    expect(test.logged().filter(({ level }) => Number(level) >= 50)).toEqual([])
  })

  it('of money pays the order, twenty times at once but once', async () => {
    const attempt = { no: '' }
    test = await testWorld({
      upstream: () => ({
        ...told({ kind: 'other', what: '' }).upstream(),
        readWebhook: async () => ({ kind: 'paid', attemptNo: attempt.no, payment: PAYMENT }),
      }),
    })
    const order = await place(test.demo)
    attempt.no = (await openAttempt(test.demo, order)) ?? ''
    const replies = await Promise.all(Array.from({ length: 20 }, () => notify()))
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS', acoid: 'p1' } })
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'keep', state: null }])
  })

  it.each([
    ['another amount', { amountFen: 1251n }],
    ['another currency', { currency: 'USD' }],
  ])('of %s is never kept: it is sent back, and the order can still be paid', async (_what, wrong) => {
    const attempt = { no: '', isWrong: true }
    test = await testWorld({
      upstream: (real) => ({
        readWebhook: async (raw) =>
          attempt.isWrong
            ? { kind: 'paid', attemptNo: attempt.no, payment: { ...PAYMENT, ...wrong } }
            : real.readWebhook(raw),
        refund: async () => ({ kind: 'done' }),
      }),
    })
    const order = await place(test.demo)
    attempt.no = (await openAttempt(test.demo, order)) ?? ''
    await notify()
    await test.runJobs()
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'reverse', state: 'SUCCESS' }])
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'NOTPAY' } })
    attempt.isWrong = false
    const second = (await openAttempt(test.demo, order)) ?? ''
    expect(await pay(test.demo, order, second)).toBe(true)
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
  })

  it('that is forged changes nothing and is answered with the failure the upstream understands', async () => {
    test = await testWorld(told({ kind: 'forged', why: 'bad signature' }))
    const reply = await notify()
    expect([reply.status, await reply.text()]).toEqual([500, 'failure'])
    expect(test.logged()).toContainEqual(expect.objectContaining({ outcome: 'FORGED: bad signature' }))
  })

  it('of a payment for an unknown attempt is kept, acknowledged, and raised once', async () => {
    test = await testWorld(told({ kind: 'paid', attemptNo: 'AT0', payment: PAYMENT }))
    for (let times = 0; times < 3; times += 1) expect((await notify()).status).toBe(200)
    const { rows } = await test.database.pool.query('select attempt_no, payment_no, amount_fen from stray_payment')
    expect(rows).toEqual([{ attempt_no: 'AT0', payment_no: 'UP1', amount_fen: 1250n }])
    expect(test.logged().filter(({ alarm }) => alarm === true)).toHaveLength(1)
  })

  it('to a channel or for a merchant that does not exist: 404', async () => {
    test = await testWorld()
    expect((await notify('paypal')).status).toBe(404)
    expect((await notify('toString')).status).toBe(404)
  })

  it('while the database is away is not said to be heard', async () => {
    test = await testWorld(told({ kind: 'paid', attemptNo: 'AT0', payment: PAYMENT }))
    await test.database.pool.query('alter table attempt rename to attempt_away')
    const reply = await notify()
    await test.database.pool.query('alter table attempt_away rename to attempt')
    expect([reply.status, await reply.text()]).toEqual([500, 'failure'])
  })

  it('whose payment cannot be booked is not said to be heard, and is booked when it comes again', async () => {
    const attempt = { no: '' }
    test = await testWorld({
      upstream: () => ({ readWebhook: async () => ({ kind: 'paid', attemptNo: attempt.no, payment: PAYMENT }) }),
    })
    const order = await place(test.demo)
    attempt.no = (await openAttempt(test.demo, order)) ?? ''
    await test.database.pool.query('alter table payment rename to payment_away')
    expect((await notify()).status).toBe(500)
    await test.database.pool.query('alter table payment_away rename to payment')
    expect((await notify()).status).toBe(200)
    expect(await books()).toEqual([{ payment_no: 'UP1', fate: 'keep', state: null }])
  })
})
