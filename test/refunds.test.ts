/** Refunds that merchants ask for (spec/protocol.md 3.4, 3.5): limits, repeats, lost answers, two hundred at once. */
import type { Channel, RefundAnswer, RefundQueryAnswer } from '@acopay/channels'
import type { JsonObject } from '@acopay/protocol'
import { findRefund } from '@acopay/store'
import { afterEach, describe, expect, it } from 'vitest'
import { changeOrder } from '../apps/server/src/actions/order/change-order.ts'
import { expectInvariants } from './support/invariants.ts'
import { type Answer, call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
afterEach(() => test.stop())

const DAY = 24 * 3_600_000

async function paidOrder(channel: 'wechat' | 'alipay' = 'wechat'): Promise<string> {
  const order = await place(test.demo)
  await pay(test.demo, order, (await openAttempt(test.demo, order, channel)) ?? '')
  return order
}

const refund = (transaction_no: string, more: JsonObject = {}): Promise<Answer> =>
  call(test.demo, {
    method: 'POST',
    path: 'refund',
    params: {
      transaction_no,
      mch_refund_no: newTradeNo(),
      refund_amount: '0.10',
      refund_reason: '商品已退货',
      ...more,
    },
  })

/** As a merchant asks: when the answer takes too long, which says nothing about the refund, again with the same number. */
async function refundAskedAgain(order: string): Promise<Answer> {
  const mch_refund_no = newTradeNo()
  for (;;) {
    const answer = await refund(order, { mch_refund_no })
    if (answer.status !== 1500) return answer
  }
}

const queryRefund = (params: JsonObject): Promise<Answer> =>
  call(test.demo, { method: 'GET', path: 'refund', params: { aco_pay_sdk: '2.0.0', ...params } })

const holds = async (): Promise<void> => {
  const lists = await Promise.all(
    (['wechat', 'alipay'] as const).map((channel) => test.upstreams.of(channel).control.taken()),
  )
  await expectInvariants(test.database.pool, test.demo.mchNo, lists.flat())
}

describe.each(['wechat', 'alipay'] as const)('with %s', (channel) => {
  it('a refund is made, told by either number, and the order says so', async () => {
    test = await testWorld()
    const order = await paidOrder(channel)
    const mch_refund_no = newTradeNo()
    const made = await refund(order, { mch_refund_no, aco_pay_sdk: '2.0.0', refund_amount: '2.50' })
    expect(made).toMatchObject({
      status: 200,
      isSigned: true,
      data: { app_no: test.demo.appNo, transaction_no: order, mch_refund_no, refund_amount: '2.50', code: 'SUCCESS' },
    })
    expect(made.data).toMatchObject({ description: '退款成功', refund_channel: channel })
    expect(made.data.refund_no).toMatch(/^AR\d{36}$/)
    for (const ref of [{ mch_refund_no }, { refund_no: made.data.refund_no ?? '' }]) {
      expect(await queryRefund(ref)).toMatchObject({
        data: { transaction_no: order, code: 'SUCCESS', refund_amount: '2.50', refund_reason: '商品已退货' },
      })
    }
    // SDK 1.0.0, which sends no version of its own, fails on a field that it does not know.
    const old = await call(test.demo, { method: 'GET', path: 'refund', params: { mch_refund_no } })
    expect(old).toMatchObject({ data: { code: 'SUCCESS', mch_refund_no } })
    expect(old.data).not.toHaveProperty('refund_channel')
    expect((await queryRefund({ mch_refund_no })).data).toMatchObject({ refund_channel: channel })
    expect((await queryRefund({ mch_refund_no })).data.success_time).toBe('2026-03-01T12:00:00+08:00')
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'REFUND', description: '转入退款' } })
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'FAIL', description: '订单已支付' } })
    await holds()
  })

  it('200 refunds of 0.10 of 12.50 at once: 20 succeed, the others are too many, the upstream agrees to the fen', async () => {
    test = await testWorld()
    const order = await paidOrder(channel)
    const answers = await Promise.all(Array.from({ length: 200 }, () => refundAskedAgain(order)))
    const count = (word: string): number =>
      answers.filter(({ message, data }) => (data.code ?? message) === word).length
    expect([count('SUCCESS') + count('PROCESSING'), count('REFUND_TIMES_EXCEED')]).toEqual([20, 180])
    const taken = () => test.upstreams.of(channel).control.taken()
    // Alipay takes one refund of a payment every three seconds, so the others are asked for again and again.
    for (let round = 0; round < 400 && (await taken())[0]?.returnedFen !== 200; round += 1) {
      test.advance(15_000)
      await test.runJobs()
    }
    test.advance(60_000)
    await test.runJobs()
    expect(await taken()).toMatchObject([{ takenFen: 1250, returnedFen: 200 }])
    await holds()
  })

  it('an answer that is lost leaves it under way, and asking again does it once', async () => {
    test = await testWorld()
    const order = await paidOrder(channel)
    const mch_refund_no = newTradeNo()
    test.upstreams.faults(channel).set([{ kind: 'error_after', probability: 1 }])
    expect(await refund(order, { mch_refund_no })).toMatchObject({
      data: { code: 'PROCESSING', description: '退款处理中' },
    })
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    test.upstreams.faults(channel).set([])
    test.advance(60_000)
    await test.runJobs()
    expect(await queryRefund({ mch_refund_no })).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await test.upstreams.of(channel).control.taken()).toMatchObject([{ returnedFen: 10 }])
    await holds()
  })
})

it('that WeChat Pay makes later is under way until it is told of, and then done without waiting for the next try', async () => {
  test = await testWorld()
  const order = await paidOrder()
  const mch_refund_no = newTradeNo()
  test.upstreams.faults('wechat').set([{ kind: 'refunds_late', ms: 3_600_000 }])
  expect(await refund(order, { mch_refund_no })).toMatchObject({ data: { code: 'PROCESSING' } })
  for (let minutes = 0; minutes < 60; minutes += 10) {
    await test.runJobs()
    test.advance(600_000)
  }
  // Asked a moment before it was done: the next try would be minutes away.
  expect((await queryRefund({ mch_refund_no })).data.code).toBe('PROCESSING')
  await test.upstreams.deliverDue()
  await test.runJobs()
  expect((await queryRefund({ mch_refund_no })).data.code).toBe('SUCCESS')
  await holds()
})

describe('the limits', () => {
  it('the sum stays within what was paid, to the fen', async () => {
    test = await testWorld()
    const order = await paidOrder()
    expect(await refund(order, { refund_amount: '12.51' })).toMatchObject({ status: 1013 })
    expect(await refund(order, { refund_amount: '12.00' })).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await refund(order, { refund_amount: '0.51' })).toMatchObject({ status: 1013, isSigned: true })
    expect(await refund(order, { refund_amount: '0.50' })).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await refund(order, { refund_amount: '0.01' })).toMatchObject({ status: 1013 })
    await holds()
  })

  it('180 days to the millisecond', async () => {
    test = await testWorld()
    const order = await paidOrder()
    test.advance(180 * DAY)
    expect(await refund(order)).toMatchObject({ data: { code: 'SUCCESS' } })
    test.advance(1)
    expect(await refund(order)).toMatchObject({ status: 1015 })
  })

  it('an order that is not paid, closed or not, is not refunded; one that is not there neither', async () => {
    test = await testWorld()
    const order = await place(test.demo)
    expect(await refund(order)).toMatchObject({ status: 1008, fieldErrors: '订单未支付，不能退款' })
    await close(test.demo, order)
    expect(await refund(order)).toMatchObject({ status: 1008 })
    expect(await refund('AP0')).toMatchObject({ status: 1007 })
    expect(await queryRefund({ refund_no: 'AR0' })).toMatchObject({ status: 1011, fieldErrors: '此退款不存在!' })
  })

  it.each([
    [{ refund_amount: '0.00' }, 'refund_amount'],
    [{ refund_amount: '1' }, 'refund_amount'],
    [{ refund_amount: 1 }, 'refund_amount'],
    [{ refund_reason: '' }, 'refund_reason'],
    [{ mch_refund_no: 'short' }, 'mch_refund_no'],
    [{ notify_url: 'http://a.example/' }, 'notify_url'],
  ])('%j is refused by name, and changes nothing', async (more, name) => {
    test = await testWorld()
    const order = await paidOrder()
    expect(await refund(order, more)).toMatchObject({ status: 1001, fieldErrors: expect.stringContaining(name) })
    expect((await test.database.pool.query('select from refund')).rowCount).toBe(0)
  })
})

it('a refund of an order whose other code is still payable leaves that code to be shut', async () => {
  test = await testWorld()
  const order = await place(test.demo)
  await openAttempt(test.demo, order, 'alipay')
  await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
  expect(await refund(order)).toMatchObject({ data: { code: 'SUCCESS' } })
  await test.runJobs()
  const { rows } = await test.database.pool.query('select channel, state from attempt order by channel')
  expect(rows).toEqual([
    { channel: 'alipay', state: 'SHUT' },
    { channel: 'wechat', state: 'PAID' },
  ])
})

describe('the same number again', () => {
  it('is the same refund, twenty times at once; with other parameters the first that differs is named', async () => {
    test = await testWorld()
    const [order, other] = [await paidOrder(), await paidOrder()]
    const mch_refund_no = newTradeNo()
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(order, { mch_refund_no })))
    expect(new Set(answers.map(({ data }) => data.refund_no)).size).toBe(1)
    expect(await refund(order, { mch_refund_no })).toMatchObject({ data: { code: 'SUCCESS' } })
    for (const [more, field] of [
      [{ refund_amount: '0.20' }, 'refund_amount'],
      [{ refund_reason: '其他' }, 'refund_reason'],
      [{ notify_url: 'https://a.example/' }, 'notify_url'],
    ] as const) {
      const differing = await refund(order, { mch_refund_no, ...more })
      expect(differing).toMatchObject({ status: 1012, fieldErrors: `${field} 与首次退款时不同` })
    }
    const elsewhere = { status: 1012, fieldErrors: 'transaction_no 与首次退款时不同' }
    expect(await refund(other, { mch_refund_no })).toMatchObject(elsewhere)
    // Named as it was asked.
    const { rows } = await test.database.pool.query('select mch_trade_no from orders where transaction_no = $1', [
      other,
    ])
    const byOwn = { mch_trade_no: rows[0].mch_trade_no, mch_refund_no, refund_amount: '0.10', refund_reason: 'x' }
    const named = { status: 1012, fieldErrors: 'mch_trade_no 与首次退款时不同' }
    expect(await call(test.demo, { method: 'POST', path: 'refund', params: byOwn })).toMatchObject(named)
    await holds()
  })

  it('for two orders at once is a refund of one of them', async () => {
    test = await testWorld()
    const orders = [await paidOrder(), await paidOrder()]
    const mch_refund_no = newTradeNo()
    const answers = await Promise.all(orders.map((order) => refund(order, { mch_refund_no })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 1012]))
    await holds()
  })
})

describe('an upstream that refuses', () => {
  const saying = (says: { refund: RefundAnswer; query: RefundQueryAnswer }): { upstream: () => Partial<Channel> } => ({
    upstream: () => ({ refund: async () => says.refund, queryRefund: async () => says.query }),
  })

  it('and knows of no such refund: it failed, and its amount can be refunded under another number', async () => {
    const says: Parameters<typeof saying>[0] = {
      refund: { kind: 'refused', why: 'NOT_ENOUGH' },
      query: { kind: 'absent' },
    }
    test = await testWorld(saying(says))
    const order = await paidOrder()
    const failed = await refund(order, { refund_amount: '12.50' })
    expect(failed).toMatchObject({ data: { code: 'FAIL', description: '退款失败' } })
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    says.refund = { kind: 'done' }
    expect(await refund(order, { refund_amount: '12.50' })).toMatchObject({ data: { code: 'SUCCESS' } })
  })

  it('is not believed of a sender that was halted while another process called again', async () => {
    const says: Parameters<typeof saying>[0] = {
      refund: { kind: 'unknown', why: 'HTTP 502' },
      query: { kind: 'absent' },
    }
    test = await testWorld(saying(says))
    const order = await paidOrder()
    const mch_refund_no = newTradeNo()
    await refund(order, { mch_refund_no })
    const { mchNo } = test.demo
    const found = await findRefund(test.world.pool, mchNo, { mchRefundNo: mch_refund_no })
    if (found === null) throw new Error('the refund is not there')
    test.advance(20_000)
    await test.runJobs()
    // What the halted one was told: true of its own call, and of nothing that came after it.
    const { refundNo, inFlightUntil } = found
    const failed = { event: 'refund_failed', refundNo, failure: 'NOT_ENOUGH', inFlightUntil } as const
    const changed = await changeOrder(test.world, { mchNo, ref: { transactionNo: order } }, failed)
    expect(changed).toMatchObject({ kind: 'answered', steps: [] })
    expect((await queryRefund({ mch_refund_no })).data.code).toBe('PROCESSING')
  })

  it('is believed only when no earlier call can still be carried out', async () => {
    const says: Parameters<typeof saying>[0] = {
      refund: { kind: 'unknown', why: 'HTTP 502' },
      query: { kind: 'absent' },
    }
    test = await testWorld(saying(says))
    const order = await paidOrder()
    const mch_refund_no = newTradeNo()
    const stands = async () => (await queryRefund({ mch_refund_no })).data.code
    await refund(order, { mch_refund_no })
    says.refund = { kind: 'refused', why: 'NOT_ENOUGH' }
    test.advance(20_000)
    await test.runJobs()
    expect(await stands()).toBe('PROCESSING')
    for (let tries = 0; tries < 8; tries += 1) {
      test.advance(400_000)
      await test.runJobs()
    }
    expect(await stands()).toBe('FAIL')
  })
})

describe('a refund that Alipay answers with a word, and makes all the same', () => {
  const mch_refund_no = newTradeNo()
  const told = async () => (await queryRefund({ mch_refund_no })).data.code
  const taken = async () => (await test.upstreams.of('alipay').control.taken())[0]
  const asked = async (word: string, ms: number) => {
    test = await testWorld()
    const order = await paidOrder('alipay')
    test.upstreams.faults('alipay').set([{ kind: 'refused_then_done', verb: 'refund', times: 1, ms, word }])
    return refund(order, { mch_refund_no, refund_amount: '5.00' })
  }
  const waitFor = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      test.advance(1000)
      await test.runJobs()
    }
  }

  it.each(['AQC.SYSTEM_ERROR', 'ACQ.REFUND_CHARGE_ERROR', 'isv.app-call-limited', 'ACQ.A_WORD_OF_TOMORROW'])(
    '%s: it is never told failed, and is told done, once',
    async (word) => {
      expect((await asked(word, 12_000)).data.code).toBe('PROCESSING')
      for (let second = 0; second < 11; second += 1) {
        await waitFor(1)
        expect(await told()).toBe('PROCESSING')
      }
      await waitFor(40)
      expect(await told()).toBe('SUCCESS')
      expect(await taken()).toMatchObject({ takenFen: 1250, returnedFen: 500 })
      await holds()
    },
  )

  it('a refusal of the manual: what its query shows after ten seconds decides, not what it shows at once', async () => {
    expect((await asked('ACQ.SELLER_BALANCE_NOT_ENOUGH', 9_000)).data.code).toBe('PROCESSING')
    await waitFor(40)
    expect(await told()).toBe('SUCCESS')
    expect(await taken()).toMatchObject({ returnedFen: 500 })
    await holds()
  })

  it('a refusal that stays one is told failed after the upstream’s delay, once, and its amount is free again', async () => {
    test = await testWorld()
    const order = await paidOrder('alipay')
    test.upstreams.faults('alipay').set([{ kind: 'says', verb: 'refund', word: 'ACQ.SELLER_BALANCE_NOT_ENOUGH' }])
    expect((await refund(order, { mch_refund_no, refund_amount: '12.50' })).data.code).toBe('PROCESSING')
    await waitFor(9)
    expect(await told()).toBe('PROCESSING')
    await waitFor(12)
    expect(await told()).toBe('FAIL')
    test.upstreams.faults('alipay').set([])
    expect(await refund(order, { refund_amount: '12.50' })).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await taken()).toMatchObject({ returnedFen: 1250 })
    await holds()
  })
})

it('two refunds of one payment at once are both made, although WeChat Pay wants a minute between them', async () => {
  test = await testWorld()
  const order = await paidOrder()
  test.upstreams.faults('wechat').set([{ kind: 'refunds_spaced', verb: 'refund' }])
  const asked = await Promise.all(['1.00', '2.00'].map((refund_amount) => refund(order, { refund_amount })))
  const codes = async () =>
    (
      await Promise.all(
        asked.map(({ data }) =>
          queryRefund({ mch_refund_no: data.mch_refund_no ?? '' }).then(({ data: { code } }) => code),
        ),
      )
    ).sort()
  for (let second = 0; second < 55; second += 5) {
    test.advance(5000)
    await test.runJobs()
  }
  expect(await codes()).toEqual(['PROCESSING', 'SUCCESS'])
  for (let minute = 0; minute < 10; minute += 1) {
    test.advance(60_000)
    await test.runJobs()
  }
  expect(await codes()).toEqual(['SUCCESS', 'SUCCESS'])
  expect(await test.upstreams.of('wechat').control.taken()).toMatchObject([{ takenFen: 1250, returnedFen: 300 }])
  await holds()
})

it.each(['wechat', 'alipay'] as const)(
  'a refund that %s says is done with another sum is not called done',
  async (channel) => {
    test = await testWorld({
      upstream: () => ({
        refund: async () => ({ kind: 'processing' }),
        queryRefund: async () => ({ kind: 'done', amountFen: 499n }),
      }),
    })
    const order = await paidOrder(channel)
    const asked = await refund(order, { refund_amount: '5.00' })
    expect(asked.data.code).toBe('PROCESSING')
  },
)
