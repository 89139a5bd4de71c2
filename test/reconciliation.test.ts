/** The upstreams' bills against our books, both ways. */
import type { UpstreamBillAnswer, UpstreamBillLine } from '@acopay/channels'
import { fen, upstreamBillDays } from '@acopay/core'
import { paymentsOfDay } from '@acopay/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { receivePayment } from '../apps/server/src/actions/payment/receive-payment.ts'
import { settleDifference } from '../apps/server/src/actions/reconciliation/settle-difference.ts'
import { addUser, signedIn } from './support/console.ts'
import { expectInvariants } from './support/invariants.ts'
import { call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { receiver, type Told } from './support/receiver.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000

let test: TestWorld
let bill: UpstreamBillAnswer
/** Whose bill it is; the other channel has none. */
let billed: 'wechat' | 'alipay'
beforeEach(async () => {
  bill = { kind: 'none' }
  billed = 'wechat'
  test = await testWorld({
    upstream: (_real, name) => ({ fetchUpstreamBill: async () => (name === billed ? bill : { kind: 'none' }) }),
  })
  await test.database.pool.query(`update channel_account set created_at = '2026-02-27T20:00:00Z'`)
})
afterEach(() => test.stop())

/** It is noon in China; the upstream makes the bill of that day the next morning. */
async function nextMorning(): Promise<void> {
  test.advance(24 * HOUR)
  await test.runJobs()
}

const paidOrder = async () => {
  const order = await place(test.demo)
  const attemptNo = (await openAttempt(test.demo, order)) ?? ''
  await pay(test.demo, order, attemptNo)
  const { rows } = await test.database.pool.query<{ payment_no: string }>(
    'select payment_no from payment where attempt_no = $1',
    [attemptNo],
  )
  return { order, attemptNo, paymentNo: rows[0]?.payment_no as string }
}

const at = new Date('2026-03-01T04:00:00Z')
const payment = (attemptNo: string, paymentNo: string, amountFen = 1250n): UpstreamBillLine => ({
  kind: 'payment',
  attemptNo,
  paymentNo,
  amountFen,
  at,
})
const refund = (attemptNo: string, refundNo: string, amountFen = 1250n): UpstreamBillLine => ({
  kind: 'refund',
  attemptNo,
  paymentNo: 'UP1',
  refundNo,
  amountFen,
  at,
})

const differences = async () => {
  const { rows } = await test.database.pool.query(
    'select kind, ours_fen, theirs_fen, settled from reconciliation_difference order by kind, attempt_no',
  )
  return rows
}
const days = async () =>
  (
    await test.database.pool.query(
      `select day::text, lines, differences from reconciliation where channel = 'wechat' order by day`,
    )
  ).rows

it('a day on which both agree leaves no difference, and is done once', async () => {
  const paid = await paidOrder()
  bill = { kind: 'bill', lines: [payment(paid.attemptNo, paid.paymentNo)] }
  await nextMorning()
  await test.runJobs()
  expect(await differences()).toEqual([])
  expect(await days()).toEqual([
    { day: '2026-02-28', lines: 1, differences: 0 },
    { day: '2026-03-01', lines: 1, differences: 0 },
  ])
})

/** A paid order of whose payment no notification came. Returns what the upstream took. */
async function paidInSilence(order: string, attemptNo: string) {
  test.upstreams.faults(billed).set([{ kind: 'silence' }])
  const taken = await test.upstreams.of(billed).control.pay(attemptNo)
  if (taken === null) throw new Error(`order ${order} could not be paid`)
  return taken
}

it('a payment we never heard of is booked, once the upstream itself says so, and settled like a notification', async () => {
  const order = await place(test.demo)
  const attemptNo = (await openAttempt(test.demo, order)) ?? ''
  const taken = await paidInSilence(order, attemptNo)
  bill = { kind: 'bill', lines: [payment(attemptNo, taken.no)] }
  await test.runJobs()
  expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
  expect(await differences()).toEqual([{ kind: 'PAYMENT_UNKNOWN', ours_fen: null, theirs_fen: 1250n, settled: true }])
})

/** Only Alipay's answer to a query tells a payment that went back whole from one that was refunded in part. */
it('a payment we never heard of, whose money went back before, is booked as sent back and pays no order', async () => {
  billed = 'alipay'
  const { control } = test.upstreams.of('alipay')
  const order = await place(test.demo)
  const attemptNo = (await openAttempt(test.demo, order, 'alipay')) ?? ''
  const taken = await paidInSilence(order, attemptNo)
  await control.giveBack(attemptNo)
  bill = { kind: 'bill', lines: [payment(attemptNo, taken.no)] }
  await test.runJobs()
  expect((await query(test.demo, order)).data.code).not.toBe('SUCCESS')
  const { rows } = await test.database.pool.query('select fate from payment')
  expect(rows).toEqual([{ fate: 'reverse' }])
  const reversals = await test.database.pool.query('select state, by_upstream from reversal')
  expect(reversals.rows).toEqual([{ state: 'SUCCESS', by_upstream: true }])
  // Nothing is sent back a second time.
  expect(await control.taken()).toMatchObject([{ takenFen: 1250, returnedFen: 1250 }])
})

describe('a line of a bill that the upstream does not confirm', () => {
  const changesNothing = async (order: string) => {
    await test.runJobs()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'NOTPAY' } })
    const { rows } = await test.database.pool.query('select 1 from payment union all select 1 from stray_payment')
    expect(rows).toEqual([])
    expect((await differences()).every(({ kind, settled }) => kind === 'PAYMENT_UNKNOWN' && !settled)).toBe(true)
    expect(test.logged()).toContainEqual(expect.objectContaining({ alarm: true, kind: 'PAYMENT_UNKNOWN' }))
  }

  it('because no payer paid, or the payer paid under another number, is a difference and changes nothing else', async () => {
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order)) ?? ''
    bill = { kind: 'bill', lines: [payment(attemptNo, '4200000000000000000000000001'), payment('AT0', 'UP1')] }
    await changesNothing(order)
  })

  it('because the amount is another one, books neither', async () => {
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order)) ?? ''
    const taken = await paidInSilence(order, attemptNo)
    bill = { kind: 'bill', lines: [payment(attemptNo, taken.no, 1251n)] }
    await changesNothing(order)
  })

  it('because it does not answer, waits for its answer, and is a difference when none comes', async () => {
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order)) ?? ''
    const taken = await paidInSilence(order, attemptNo)
    test.upstreams.faults('wechat').set([{ kind: 'error_before', verb: 'query' }])
    bill = { kind: 'bill', lines: [payment(attemptNo, taken.no)] }
    await test.runJobs()
    expect(await days()).toEqual([])
    const tries: number[] = []
    while ((await days()).length === 0) {
      const { rows } = await test.database.pool.query(`select tries from job where subject = 'wechat/2026-02-28'`)
      // A round may come while the job's pause still runs.
      if (tries.at(-1) !== rows[0].tries) tries.push(rows[0].tries)
      test.advance(HOUR)
      await test.runJobs()
    }
    // The eighth try wrote the difference.
    expect(tries).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect((await days())[0]).toMatchObject({ day: '2026-02-28', differences: 1 })
    expect(await differences()).toContainEqual(expect.objectContaining({ kind: 'PAYMENT_UNKNOWN', settled: false }))
    test.upstreams.faults('wechat').set([])
    for (let hour = 0; hour < 20; hour += 1) {
      test.advance(HOUR)
      await test.runJobs()
    }
    // Nothing but asking the upstream paid it, and then sent it back: the order had expired.
    expect((await test.upstreams.of('wechat').control.taken())[0]).toMatchObject({ takenFen: 1250 })
  })
})

it('a payment of a closed order is booked and sent back', async () => {
  const order = await place(test.demo)
  const attemptNo = (await openAttempt(test.demo, order)) ?? ''
  await close(test.demo, order)
  const { control } = test.upstreams.of('wechat')
  test.upstreams.faults('wechat').set([{ kind: 'silence' }])
  const taken = await control.payAnyway(attemptNo)
  bill = { kind: 'bill', lines: [payment(attemptNo, taken?.no ?? '')] }
  await test.runJobs()
  expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
  expect(await control.taken()).toEqual([{ no: attemptNo, takenFen: 1250, returnedFen: 1250 }])
})

it('money for an attempt we do not know is kept for the operator, with an alarm, once the upstream says that it has it', async () => {
  const [attemptNo, notifyUrl] = ['AT00000000000000000000000000ELSE', 'http://127.0.0.1:1/']
  const channel = await test.world.channelOf(test.demo.mchNo, 'wechat')
  const expireAt = new Date(at.getTime() + HOUR)
  const ask = { attemptNo, method: 'native', amountFen: fen(1250n), description: 'x', expireAt, notifyUrl }
  await channel?.open({ ...ask, returnUrl: null, payerIp: null, openId: null }, AbortSignal.timeout(10_000))
  const taken = await paidInSilence('elsewhere', attemptNo)
  bill = { kind: 'bill', lines: [payment(attemptNo, taken.no)] }
  await test.runJobs()
  expect(await differences()).toMatchObject([{ kind: 'PAYMENT_UNKNOWN', settled: false }])
  expect((await test.database.pool.query('select attempt_no from stray_payment')).rows).toEqual([
    { attempt_no: attemptNo },
  ])
  expect(test.logged()).toContainEqual(expect.objectContaining({ alarm: true, kind: 'PAYMENT_UNKNOWN' }))
})

it('what the bill lacks, counts otherwise or has made up is a row each', async () => {
  const [missing, other] = [await paidOrder(), await paidOrder()]
  bill = { kind: 'bill', lines: [payment(other.attemptNo, other.paymentNo, 1251n), refund(other.attemptNo, 'AR0')] }
  await nextMorning()
  const found = (await differences()).filter(({ kind }) => kind !== 'PAYMENT_UNKNOWN')
  expect(missing.paymentNo).not.toBe('')
  expect(found).toEqual([
    // The bills of both days list it here, and it is booked on one of them.
    { kind: 'PAYMENT_AMOUNT', ours_fen: 1250n, theirs_fen: 1251n, settled: false },
    { kind: 'PAYMENT_AMOUNT', ours_fen: 1250n, theirs_fen: 1251n, settled: false },
    { kind: 'PAYMENT_MISSING', ours_fen: 1250n, theirs_fen: null, settled: false },
    { kind: 'REFUND_UNKNOWN', ours_fen: null, theirs_fen: 1250n, settled: false },
    { kind: 'REFUND_UNKNOWN', ours_fen: null, theirs_fen: 1250n, settled: false },
  ])
})

it('money that went back before we kept it has a number of theirs in the bill: nothing differs', async () => {
  const order = await place(test.demo)
  const attemptNo = (await openAttempt(test.demo, order)) ?? ''
  const { world, demo } = test
  const paid = { paymentNo: 'UP1', amountFen: 1250n, currency: 'CNY', paidAt: at, payer: null }
  await receivePayment(world, { mchNo: demo.mchNo, transactionNo: order, attemptNo, payment: paid, isReturned: true })
  bill = { kind: 'bill', lines: [payment(attemptNo, 'UP1'), refund(attemptNo, 'number-of-theirs')] }
  await nextMorning()
  expect((await differences()).filter(({ kind }) => kind.startsWith('REFUND'))).toEqual([])
})

describe('a kept payment that went back outside of the gateway', () => {
  const told: Told[] = []
  const paidAndBilled = async (amountFen = 1250n) => {
    const merchant = await receiver(test.demo.platformPublicKey)
    const order = await place(test.demo, { notify_url: merchant.url })
    const attemptNo = (await openAttempt(test.demo, order)) ?? ''
    await pay(test.demo, order, attemptNo)
    const { rows } = await test.database.pool.query<{ payment_no: string }>('select payment_no from payment')
    const paymentNo = rows[0]?.payment_no as string
    const { control } = test.upstreams.of('wechat')
    bill = {
      kind: 'bill',
      lines: [
        payment(attemptNo, paymentNo),
        { kind: 'refund', attemptNo, paymentNo, refundNo: `own-${attemptNo}`, amountFen, at },
      ],
    }
    return { merchant, order, attemptNo, control }
  }
  const morning = async ({ merchant }: { merchant: Awaited<ReturnType<typeof receiver>> }) => {
    await nextMorning()
    told.splice(0, told.length, ...merchant.told())
    await merchant.stop()
    return (await differences()).filter(({ kind }) => kind !== 'PAYMENT_UNKNOWN')
  }

  it('makes the order REFUND and tells the merchant so in words of its own, with a difference and an alarm', async () => {
    const one = await paidAndBilled()
    await one.control.giveBack(one.attemptNo)
    // The bills of both days list it here; each says so, and the merchant is told once.
    const returned = { kind: 'PAYMENT_RETURNED', ours_fen: 1250n, theirs_fen: 1250n, settled: false }
    expect(await morning(one)).toEqual([returned, returned])
    expect(await query(test.demo, one.order)).toMatchObject({ data: { code: 'REFUND' } })
    expect(told.map(({ code, description }) => `${code} ${description}`)).toEqual([
      'SUCCESS 支付成功',
      'REFUND 款项已在支付渠道退回，非经本网关',
    ])
    const alarms = test.logged().filter(({ alarm }) => alarm === true)
    expect(new Set(alarms.map(({ msg }) => msg))).toEqual(
      new Set(['a kept payment was sent back upstream', 'the bill and the books differ']),
    )
    const refund = { transaction_no: one.order, mch_refund_no: newTradeNo(), refund_amount: '0.01', refund_reason: 'x' }
    expect(await call(test.demo, { method: 'POST', path: 'refund', params: refund })).toMatchObject({
      message: 'REFUND_AMOUNT_EXCEED',
    })
  })

  it('only because a line of the bill says so changes nothing: the upstream itself does not confirm it', async () => {
    const one = await paidAndBilled()
    const unknown = { kind: 'REFUND_UNKNOWN', ours_fen: null, theirs_fen: 1250n, settled: false }
    expect(await morning(one)).toEqual([unknown, unknown])
    expect(await query(test.demo, one.order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(told.map(({ code }) => code)).toEqual(['SUCCESS'])
  })

  it('in part is a difference for the operator; the order keeps the rest', async () => {
    const one = await paidAndBilled(500n)
    await one.control.giveBack(one.attemptNo)
    const unknown = { kind: 'REFUND_UNKNOWN', ours_fen: null, theirs_fen: 500n, settled: false }
    expect(await morning(one)).toEqual([unknown, unknown])
    expect(await query(test.demo, one.order)).toMatchObject({ data: { code: 'SUCCESS' } })
  })
})

describe('a refund that was told failed, and that the bill lists', () => {
  let merchant: Awaited<ReturnType<typeof receiver>>
  afterEach(() => merchant.stop())

  /** Told FAIL with a word that the manual calls a refusal; the upstream makes it half a minute later all the same. */
  const failedAndDone = async (says: { isConfirmed: boolean }) => {
    merchant = await receiver(test.demo.platformPublicKey)
    const { order, attemptNo, paymentNo } = await paidOrder()
    const faults = test.upstreams.faults('wechat')
    const ms = says.isConfirmed ? 30_000 : 300 * 24 * HOUR
    faults.set([{ kind: 'refused_then_done', verb: 'refund', word: 'NOT_ENOUGH', times: 1, ms }])
    const params = { transaction_no: order, mch_refund_no: newTradeNo(), refund_amount: '5.00', refund_reason: 'x' }
    const failed = await call(test.demo, {
      method: 'POST',
      path: 'refund',
      params: { ...params, notify_url: merchant.url },
    })
    expect(failed.data.code).toBe('FAIL')
    const refundNo = failed.data.refund_no ?? ''
    bill = {
      kind: 'bill',
      lines: [payment(attemptNo, paymentNo), { kind: 'refund', attemptNo, paymentNo, refundNo, amountFen: 500n, at }],
    }
    await nextMorning()
    return {
      order,
      refundNo,
      ask: (refund_amount: string) =>
        call(test.demo, {
          method: 'POST',
          path: 'refund',
          params: { ...params, mch_refund_no: newTradeNo(), refund_amount },
        }),
    }
  }
  const found = async () => (await differences()).filter(({ kind }) => kind === 'REFUND_DONE_THOUGH_FAILED')
  const stands = async (refund_no: string) =>
    (await call(test.demo, { method: 'GET', path: 'refund', params: { refund_no, aco_pay_sdk: '2.0.0' } })).data.code

  it('is done once the upstream itself says so: the merchant hears it, with a difference and an alarm', async () => {
    const { order, refundNo, ask } = await failedAndDone({ isConfirmed: true })
    expect((await found())[0]).toEqual({
      kind: 'REFUND_DONE_THOUGH_FAILED',
      ours_fen: 500n,
      theirs_fen: 500n,
      settled: true,
    })
    expect(await stands(refundNo)).toBe('SUCCESS')
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'REFUND' } })
    expect(merchant.told().map(({ code }) => code)).toEqual(['FAIL', 'SUCCESS'])
    expect(test.logged()).toContainEqual(expect.objectContaining({ alarm: true, refundNo }))
    expect((await ask('7.51')).message).toBe('REFUND_AMOUNT_EXCEED')
    expect((await ask('7.50')).data.code).toBe('SUCCESS')
    bill = { kind: 'bill', lines: [] }
    await nextMorning()
    const missing = 'select kind from reconciliation_difference where refund_no = $1 and kind <> $2'
    expect((await test.database.pool.query(missing, [refundNo, 'REFUND_DONE_THOUGH_FAILED'])).rows).toEqual([])
    await expectInvariants(test.database.pool, test.demo.mchNo, await test.upstreams.of('wechat').control.taken())
  })

  it('and that the upstream does not confirm stays failed, and its amount cannot be refunded until an operator has settled it', async () => {
    const { refundNo, ask } = await failedAndDone({ isConfirmed: false })
    expect((await found())[0]).toMatchObject({ settled: false })
    expect(await stands(refundNo)).toBe('FAIL')
    expect((await ask('7.51')).message).toBe('REFUND_AMOUNT_EXCEED')
    const { rows } = await test.database.pool.query(
      `select mch_no as "mchNo", channel, day::text, kind, attempt_no as "attemptNo", payment_no as "paymentNo",
              refund_no as "refundNo" from reconciliation_difference where kind = 'REFUND_DONE_THOUGH_FAILED'`,
    )
    for (const key of rows) await settleDifference(test.world, key, { username: 'anna', note: 'asked WeChat Pay' })
    expect((await ask('7.51')).message).not.toBe('REFUND_AMOUNT_EXCEED')
  })
})

it('a refund that the bill says was not made, and a line that cannot be read, are a difference each, and the day is done', async () => {
  const { attemptNo, paymentNo } = await paidOrder()
  bill = {
    kind: 'bill',
    lines: [
      payment(attemptNo, paymentNo),
      { kind: 'refund_not_done', attemptNo, paymentNo, refundNo: 'AR1', amountFen: 500n, at, why: 'CHANGE' },
      { kind: 'unreadable', row: 3, attemptNo: '', paymentNo: '', why: '订单金额' },
      { kind: 'unreadable', row: 4, attemptNo: '', paymentNo: '', why: '订单金额' },
    ],
  }
  await nextMorning()
  const { rows } = await test.database.pool.query(
    `select kind, refund_no, theirs_fen, settled from reconciliation_difference where day = '2026-03-01' order by 1, 2`,
  )
  expect(rows).toEqual([
    { kind: 'LINE_UNREADABLE', refund_no: 'row 3: 订单金额', theirs_fen: null, settled: false },
    { kind: 'LINE_UNREADABLE', refund_no: 'row 4: 订单金额', theirs_fen: null, settled: false },
    { kind: 'REFUND_NOT_DONE', refund_no: 'AR1', theirs_fen: 500n, settled: false },
  ])
  expect((await days()).at(-1)).toMatchObject({ day: '2026-03-01', lines: 1, differences: 3 })
  // What has no numbers is settled without them.
  await addUser(test, 'li', 'finance')
  const li = await signedIn(test, 'li')
  const of = { mch_no: test.demo.mchNo, channel: 'wechat', day: '2026-03-01', kind: 'LINE_UNREADABLE' }
  const settled = await li.send('POST', 'differences/settle', { ...of, refund_no: 'row 3: 订单金额', note: 'seen' })
  expect([settled.status, settled.body]).toEqual([200, {}])
  const left = await test.database.pool.query(
    `select refund_no from reconciliation_difference where not settled and day = '2026-03-01' order by 1`,
  )
  expect(left.rows.map((row) => row.refund_no)).toEqual(['AR1', 'row 4: 订单金额'])
})

it('a reversal that had to be asked for under another number is known by it', async () => {
  const order = await place(test.demo)
  const attemptNo = (await openAttempt(test.demo, order)) ?? ''
  await close(test.demo, order)
  await pay(test.demo, order, attemptNo, 'pay-anyway')
  await test.database.pool.query(`update reversal set upstream_no = refund_no || '-2'`)
  await test.runJobs()
  const { rows } = await test.database.pool.query('select refund_no, payment_no from reversal')
  const [{ refund_no, payment_no }] = rows as [{ refund_no: string; payment_no: string }]
  bill = { kind: 'bill', lines: [payment(attemptNo, payment_no), refund(attemptNo, `${refund_no}-2`)] }
  await nextMorning()
  expect((await differences()).filter(({ kind }) => kind.startsWith('REFUND'))).toEqual([])
})

it('a day of many payments is read page by page, each once', async () => {
  for (let count = 0; count < 7; count += 1) await paidOrder()
  const { rows } = await test.database.pool.query<{ attempt_no: string }>('select attempt_no from payment')
  const key = { mchNo: test.demo.mchNo, channel: 'wechat', day: '2026-03-01' }
  const [from, until] = [new Date('2026-02-28T16:00:00Z'), new Date('2026-03-01T16:00:00Z')]
  const pages = []
  for await (const page of paymentsOfDay(test.database.pool, key, { from, until, page: 3 })) pages.push(page)
  expect(pages.map(({ length }) => length)).toEqual([3, 3, 1])
  expect(new Set(pages.flat().map(({ attemptNo }) => attemptNo))).toEqual(
    new Set(rows.map(({ attempt_no }) => attempt_no)),
  )
})

it('a bill that is not there yet is asked for again', async () => {
  bill = { kind: 'later' }
  await test.runJobs()
  expect(await days()).toEqual([])
  bill = { kind: 'none' }
  test.advance(HOUR / 2)
  await test.runJobs()
  expect(await days()).toEqual([{ day: '2026-02-28', lines: 0, differences: 0 }])
})

it('a day begins at midnight in China, and its bill is asked for from ten in the morning on', () => {
  const newest = (time: string): string | undefined => upstreamBillDays(Date.parse(time))[0]
  expect(newest('2026-03-02T09:59:59+08:00')).toBe('2026-02-28')
  expect(newest('2026-03-02T10:00:00+08:00')).toBe('2026-03-01')
})
