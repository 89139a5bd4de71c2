/** Closing when time, upstreams or processes do not cooperate. Only a test moves the clock. */
import type { Channel } from '@acopay/channels'
import { brokenAt, readTimeline } from '@acopay/store'
import { afterEach, describe, expect, it } from 'vitest'
import { changeOrder } from '../apps/server/src/actions/order/change-order.ts'
import { forgeTimeline } from './support/forgery.ts'
import { call, close, openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
afterEach(() => test.stop())

const HOUR = 3_600_000

const jobs = async () =>
  (
    await test.database.pool.query<{ kind: string; tries: number }>(
      "select kind, tries from job where kind <> 'watch_attempt'",
    )
  ).rows

const events = async (transactionNo: string): Promise<string[]> => {
  const entries = await readTimeline(test.database.pool, test.demo.mchNo, transactionNo)
  expect(brokenAt(entries, test.demo.mchNo, transactionNo)).toBeNull()
  return entries.map(({ entry }) => (JSON.parse(entry) as { event: string }).event)
}

describe('an order whose time is up', () => {
  it('is closed without anyone asking, and a later close is told 订单已过期', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    test.advance(2 * HOUR)
    await test.runJobs()
    expect(await events(order)).toEqual(['placed', 'expired'])
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'FAIL', description: '订单已过期' } })
  })

  it('counts as expired from that moment on, also before the sweep has come by', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    test.advance(2 * HOUR)
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await openAttempt(test.demo, order)).toBeNull()
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'FAIL', description: '订单已过期' } })
    expect(await events(order)).toEqual(['placed', 'expired'])
  })

  it('has its attempts shut upstream first', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    const attempt = (await openAttempt(test.demo, order)) ?? ''
    test.advance(2 * HOUR)
    await test.runJobs()
    expect(await events(order)).toEqual(['placed', 'pay_started', 'expired', 'all_shut'])
    expect(await pay(test.demo, order, attempt)).toBe(false)
    expect(await jobs()).toEqual([])
  })

  it('stays open until then', async () => {
    test = await testWorld()
    const order = await place(test.demo, { time_expire: '2026-03-01T13:00:00+08:00' })
    test.advance(HOUR - 1)
    await test.runJobs()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'NOTPAY' } })
    test.advance(1)
    await test.runJobs()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
  })
})

describe('an upstream that does not cooperate', () => {
  /** Sick until the test says otherwise. */
  const sick = (how: (real: Channel) => Partial<Channel>) => {
    const state = { isSick: true }
    return {
      state,
      upstream: (real: Channel): Partial<Channel> =>
        Object.fromEntries(
          Object.entries(how(real)).map(([name, bad]) => [
            name,
            (...args: never[]) => {
              const call = (state.isSick ? bad : real[name as keyof Channel]) as (...args: never[]) => unknown
              return call(...args)
            },
          ]),
        ),
    }
  }

  it.each<[string, Partial<Channel>]>([
    ['never answers', { query: () => new Promise(() => {}) }],
    ['throws', { query: () => Promise.reject(new Error('socket hang up')) }],
    ['says an unknown word', { query: async () => ({ kind: 'unknown', why: 'HTTP 502' }) }],
  ])(
    '%s: the merchant is told 关单处理中, no payment can be started, and it is closed once the upstream is back',
    async (_how, bad) => {
      const { state, upstream } = sick(() => bad)
      test = await testWorld({ upstream })
      const order = await place(test.demo)
      const attempt = (await openAttempt(test.demo, order)) ?? ''

      expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({
        data: { code: 'FAIL', description: '关单处理中，请稍后查询' },
      })
      expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSING' } })
      expect(await openAttempt(test.demo, order)).toBeNull()

      state.isSick = false
      test.advance(HOUR)
      await test.runJobs()
      expect(await events(order)).toEqual(['placed', 'pay_started', 'close_asked', 'all_shut'])
      expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
      expect(await pay(test.demo, order, attempt)).toBe(false)
      expect(await jobs()).toEqual([])
    },
  )

  it('accepts the close and does not close: SUCCESS is not believed, and the payment that comes is kept', async () => {
    test = await testWorld({ upstream: () => ({ close: async () => ({ kind: 'accepted' }) }) })
    const order = await place(test.demo)
    const attempt = (await openAttempt(test.demo, order)) ?? ''
    expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({
      data: { code: 'FAIL', description: '关单处理中，请稍后查询' },
    })
    expect(await pay(test.demo, order, attempt)).toBe(true)
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({ data: { description: '订单已支付' } })
  })

  it('contradicts itself: an attempt that it confirmed and now calls absent is not shut as long as it can be paid', async () => {
    test = await testWorld({
      upstream: (_real, name) => (name === 'wechat' ? { query: async () => ({ kind: 'absent' }) } : {}),
    })
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({
      data: { code: 'FAIL', description: '关单处理中，请稍后查询' },
    })
    test.advance(HOUR)
    await test.runJobs()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSING' } })
    // After its expiry no payer can pay it, whatever the upstream's state is.
    test.advance(2 * HOUR)
    await test.runJobs()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
  })

  it('answers too late to the create: the attempt is not thought absent before the create can no longer land', async () => {
    const late: { land?: () => Promise<unknown> } = {}
    test = await testWorld({
      upstream: (real) => ({
        createInFlightMs: HOUR,
        open: (ask) => {
          late.land = () => real.open(ask, new AbortController().signal)
          return new Promise(() => {})
        },
      }),
    })
    const order = await place(test.demo, { time_expire: '2026-03-04T12:00:00+08:00' })
    await test.whileTimePasses(openAttempt(test.demo, order))
    expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({
      data: { description: '关单处理中，请稍后查询' },
    })
    expect(await late.land?.()).toMatchObject({ kind: 'opened' })
    test.advance(2 * HOUR)
    await test.runJobs()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await test.upstreams.of('wechat').control.trades()).toMatchObject([{ state: 'closed' }])
  })

  it('answers, and we are halted before we read it: absent is as old as the question, and the create may have landed since', async () => {
    const absent = { kind: 'absent' } as const
    let queries = 0
    test = await testWorld({
      upstream: () => ({
        createInFlightMs: HOUR,
        open: () => new Promise(() => {}),
        query: () => {
          queries += 1
          if (queries < 2) return Promise.resolve(absent)
          // The answer has come; the clock moves on before its caller continues.
          queueMicrotask(() => queueMicrotask(() => test.advance(2 * HOUR)))
          return Promise.resolve(absent)
        },
      }),
    })
    const order = await place(test.demo, { time_expire: '2026-03-04T12:00:00+08:00' })
    await test.whileTimePasses(openAttempt(test.demo, order))
    expect(await close(test.demo, order)).toMatchObject({ data: { description: '关单处理中，请稍后查询' } })
    expect(queries).toBe(2)
  })

  it('answers no create at all: whether it opened is found out by asking, and nothing is assumed before', async () => {
    const create = { lands: async (): Promise<unknown> => null, isSick: true }
    test = await testWorld({
      upstream: (real) => ({
        createInFlightMs: HOUR,
        open: (ask, signal) => {
          create.lands = () => real.open(ask, new AbortController().signal)
          return create.isSick ? new Promise(() => {}) : real.open(ask, signal)
        },
      }),
    })
    const state = async () => (await test.database.pool.query('select state from attempt')).rows
    const order = await place(test.demo, { time_expire: '2026-03-04T12:00:00+08:00' })
    await test.whileTimePasses(openAttempt(test.demo, order))
    test.advance(60_000)
    await test.runJobs()
    expect(await state()).toEqual([{ state: 'OPENING' }])
    await create.lands()
    test.advance(60_000)
    await test.runJobs()
    expect(await state()).toEqual([{ state: 'OPEN' }])
    expect(await jobs()).toEqual([])

    await test.whileTimePasses(openAttempt(test.demo, order))
    test.advance(3 * HOUR)
    await test.runJobs()
    expect(await state()).toEqual([{ state: 'OPEN' }, { state: 'SHUT' }])
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'NOTPAY' } })
  })

  it.each([
    ['wechat', 'SIGN_ERROR'],
    ['alipay', 'isv.invalid-app-id'],
  ] as const)(
    'answers nothing that is signed (%s): an alarm names its word, and the order is closed when its time and the watch are over',
    async (channel, word) => {
      test = await testWorld()
      test.upstreams.faults(channel).set([{ kind: 'unsigned', word }])
      const order = await place(test.demo)
      await openAttempt(test.demo, order, channel)
      expect((await close(test.demo, order)).data.description).toBe('关单处理中，请稍后查询')
      const alarms = () => test.logged().filter(({ alarm, complaint }) => alarm === true && complaint !== undefined)
      expect(alarms()).toMatchObject([{ mchNo: test.demo.mchNo, channel, complaint: word }])
      const complaints = async () =>
        (await test.database.pool.query('select complaint from channel_account where channel = $1', [channel])).rows
      expect(await complaints()).toEqual([{ complaint: word }])
      const watches = async () =>
        (await test.database.pool.query("select 1 from job where kind = 'watch_attempt'")).rows
      // Two hours until it expires upstream, and 24 in which a payment may still be reported.
      for (let hour = 0; hour < 25; hour += 1) {
        test.advance(HOUR)
        await test.runJobs()
        expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSING' } })
      }
      test.advance(HOUR + 300_000)
      await test.runJobs()
      expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
      expect((await close(test.demo, order)).data.description).toBe('关单成功')
      expect(await watches()).toHaveLength(1)
      expect(alarms()).toHaveLength(1)

      test.upstreams.faults(channel).set([])
      test.advance(HOUR)
      await test.runJobs()
      expect(await complaints()).toEqual([{ complaint: null }])
      expect(await watches()).toEqual([])
    },
  )

  it('never answers about an attempt that it did confirm: the order is not called closed', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    test.upstreams.faults('wechat').set([{ kind: 'unsigned', word: 'SIGN_ERROR' }])
    await close(test.demo, order)
    for (let day = 0; day < 3; day += 1) {
      test.advance(24 * HOUR)
      await test.runJobs()
    }
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSING' } })
  })

  it('raises one alarm for an order that cannot be closed for an hour', async () => {
    test = await testWorld({ upstream: () => ({ query: async () => ({ kind: 'unknown', why: 'HTTP 502' }) }) })
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    await close(test.demo, order)
    for (let round = 0; round < 20; round += 1) {
      test.advance(HOUR / 4)
      await test.runJobs()
    }
    const alarms = test.logged().filter(({ alarm }) => alarm === true)
    expect(alarms).toMatchObject([{ kind: 'shut_attempts', subject: order, msg: 'job overdue' }])
  })
})

describe('a process that dies', () => {
  it('right after it fenced the order: the job it left finishes the close, and not before its lease has run out', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    const { world, demo } = test
    await changeOrder(
      world,
      { mchNo: demo.mchNo, ref: { transactionNo: order } },
      { event: 'close_asked', by: 'MERCHANT' },
    )
    await test.runJobs()
    expect(await query(demo, order)).toMatchObject({ data: { code: 'CLOSING' } })
    test.advance(world.limits.leaseMs)
    await test.runJobs()
    expect(await query(demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await jobs()).toEqual([])
  })

  it('is followed by the next caller, who takes over once the lease has run out', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    const { world, demo } = test
    const key = { mchNo: demo.mchNo, ref: { transactionNo: order } }
    await changeOrder(world, key, { event: 'close_asked', by: 'MERCHANT' })
    expect(await test.whileTimePasses(close(demo, order))).toMatchObject({ data: { code: 'FAIL' } })
    test.advance(world.limits.leaseMs)
    expect(await close(demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await jobs()).toEqual([])
  })
})

describe('the evidence of a close', () => {
  const evidence = (transaction_no: string) =>
    call(test.demo, { method: 'GET', path: 'close/evidence', params: { transaction_no } })

  it('of an order without attempts names no upstream', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    await close(test.demo, order)
    expect(await evidence(order)).toMatchObject({
      isSigned: true,
      data: { code: 'CLOSED', upstream_answers: '[]', fence_time: '2026-03-01T12:00:00+08:00', timeline_length: '2' },
    })
  })

  it('is not given when the timeline was tampered with', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    await close(test.demo, order)
    const { pool } = test.database
    await pool.query(`update timeline set entry = replace(entry, 'MERCHANT', 'OPERATOR') where seq = 2`)
    expect(await evidence(order)).toMatchObject({ status: 1500, isSigned: true })
  })

  it('is not given for another story, though all its hashes and the head of the order are right', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    await close(test.demo, order)
    const key = { mchNo: test.demo.mchNo, transactionNo: order }
    expect(await evidence(order)).toMatchObject({ isSigned: true, data: { code: 'CLOSED' } })
    await forgeTimeline(test.database.pool, key, (entries) =>
      entries.map((one) => ({ ...one, entry: one.entry.replace('"by":"MERCHANT"', '"by":"OPERATOR"') })),
    )
    const entries = await readTimeline(test.database.pool, key.mchNo, order)
    expect(entries[1]?.entry).toContain('"by":"OPERATOR"')
    expect(brokenAt(entries, key.mchNo, order)).toBeNull()
    expect(await evidence(order)).toMatchObject({ status: 1500, isSigned: true })
  })
})

describe('money that still comes', () => {
  it('after a close succeeded goes back in full by itself, and the order stays closed', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    const attempt = (await openAttempt(test.demo, order)) ?? ''
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await pay(test.demo, order, attempt, 'pay-anyway')).toBe(true)
    expect(await jobs()).toMatchObject([{ kind: 'reverse_payment' }])
    await test.runJobs()
    const { rows } = await test.database.pool.query(
      'select r.state, r.amount_fen, p.fate from reversal r join payment p using (mch_no, attempt_no)',
    )
    expect(rows).toEqual([{ state: 'SUCCESS', amount_fen: 1250n, fate: 'reverse' }])
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    expect(await jobs()).toEqual([])
  })

  it('keeps being sent back until the upstream says that it is', async () => {
    let refusals = 3
    test = await testWorld({
      upstream: (real) => ({
        refund: async (ask, signal) => {
          refusals -= 1
          return refusals >= 0 ? { kind: 'refused', why: 'not enough funds' } : real.refund(ask, signal)
        },
      }),
    })
    const order = await place(test.demo)
    const attempt = (await openAttempt(test.demo, order)) ?? ''
    await close(test.demo, order)
    await pay(test.demo, order, attempt, 'pay-anyway')
    for (let round = 0; round < 10; round += 1) {
      await test.runJobs()
      test.advance(HOUR)
    }
    const { rows } = await test.database.pool.query('select state from reversal')
    expect(rows).toEqual([{ state: 'SUCCESS' }])
  })
})
