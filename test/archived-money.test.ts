/** Money for orders whose rows lie in a file: it goes back by itself, is known where it was known before, and follows its order home. */
import type { QueryAnswer, UpstreamBillAnswer, UpstreamBillLine } from '@acopay/channels'
import { addMerchant, type BillRow, billPages, brokenAt, hasBillRows, lockOrder, readTimeline } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { receiveByAttempt } from '../apps/server/src/actions/payment/receive-payment.ts'
import { reversePayment } from '../apps/server/src/actions/refund/reverse-payment.ts'
import { countFigureHours } from '../apps/server/src/actions/statistics/count-figures.ts'
import { verify } from '../apps/server/src/commands/audit.ts'
import { provenPlatformKeys } from '../apps/server/src/security/platform-key.ts'
import { beginStamping } from '../apps/server/src/security/stamps.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { bringBack, putAway } from './support/archived.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const DAY = 86_400_000
let test: TestWorld
let operator: ConsoleClient
let viewer: ConsoleClient
let stranger: ConsoleClient
let bill: UpstreamBillAnswer = { kind: 'none' }
/** What a call for a refund does before the upstream answers it. */
let beforeRefund = async (): Promise<void> => {}
beforeAll(async () => {
  test = await testWorld({
    start: new Date('2026-03-10T04:00:00.000Z'),
    upstream: (real, name) => ({
      fetchUpstreamBill: async () => (name === 'wechat' ? bill : { kind: 'none' }),
      refund: async (ask, signal) => {
        await beforeRefund()
        return real.refund(ask, signal)
      },
    }),
  })
  const { world, database } = test
  await beginStamping(world.pool, world.stamps, world.now())
  await addMerchant(database.pool, { mchNo: 'MCH-OTHER', name: '别家商户' }, world.now())
  await database.pool.query(`update channel_account set created_at = '2026-03-01T00:00:00Z'`)
  await addUser(test, 'operator', 'operator')
  await addUser(test, 'viewer', 'merchant_viewer')
  await addUser(test, 'stranger', 'merchant_viewer', { mchNo: 'MCH-OTHER' })
  await signIn()
})
afterAll(() => test.stop())

async function signIn(): Promise<void> {
  operator = await signedIn(test, 'operator')
  viewer = await signedIn(test, 'viewer')
  stranger = await signedIn(test, 'stranger')
}

/** Sessions end meanwhile. */
async function later(ms: number): Promise<void> {
  test.advance(ms)
  await test.runJobs()
  await signIn()
}

/** A closed order with an attempt, or one that was paid through its first attempt and has a second one. */
async function ended(how: 'closed' | 'paid'): Promise<{ order: string; code: string; other: string }> {
  const order = await place(test.demo)
  const code = (await openAttempt(test.demo, order)) ?? ''
  if (how === 'closed') {
    await close(test.demo, order)
    return { order, code, other: '' }
  }
  const other = (await openAttempt(test.demo, order, 'alipay')) ?? ''
  await pay(test.demo, order, other, 'scan')
  await pay(test.demo, order, code)
  await test.runJobs()
  return { order, code, other }
}

/** The payer pays, although it is closed upstream, and the upstream tells us so over HTTP. */
const payLate = (code: string, channel: 'wechat' | 'alipay' = 'wechat') =>
  test.upstreams.of(channel).control.payAnyway(code)

/** What the payer paid and has back, in fen. */
async function taken(code: string, channel: 'wechat' | 'alipay' = 'wechat'): Promise<[number, number]> {
  const found = (await test.upstreams.of(channel).control.taken()).find(({ no }) => no === code)
  return [found?.takenFen ?? 0, found?.returnedFen ?? 0]
}

const arrived = async (order: string) =>
  (await test.database.pool.query('select * from archived_reversal where transaction_no = $1', [order])).rows
const unmatched = async () => (await test.database.pool.query('select * from stray_payment')).rows

async function heard(code: string): Promise<Extract<QueryAnswer, { kind: 'paid' | 'returned' }>['payment']> {
  const channel = await test.world.channelOf(test.demo.mchNo, 'wechat')
  const says = await channel?.query({ attemptNo: code }, AbortSignal.timeout(5000))
  if (says?.kind !== 'paid' && says?.kind !== 'returned') throw new Error(`not paid: ${says?.kind}`)
  return says.payment
}
const hearAgain = async (code: string) =>
  receiveByAttempt(test.world, {
    ...{ mchNo: test.demo.mchNo, channel: 'wechat', attemptNo: code, payment: await heard(code) },
  })

async function forged(): Promise<string[]> {
  const { world, masterKey } = test
  const said: string[] = []
  const keys = await provenPlatformKeys(world.pool, masterKeysOf(masterKey))
  const options = { heads: null, mchNo: null, day: null }
  await verify({ db: world.pool, stamps: world.stamps, keys, say: (line) => said.push(line) }, options)
  return said.filter((line) => line.startsWith('✗'))
}

describe('a payment for an archived order', () => {
  let late: Awaited<ReturnType<typeof ended>>
  const day = '2026-03-10'
  beforeAll(async () => {
    late = await ended('closed')
    await putAway(test, [late.order])
    await payLate(late.code)
    await test.runJobs()
  })

  it('goes back by itself, once, and is no unmatched payment', async () => {
    expect(await taken(late.code)).toEqual([1250, 1250])
    expect(await arrived(late.order)).toMatchObject([{ state: 'SUCCESS', amount_fen: 1250n, by_upstream: false }])
    expect(await unmatched()).toEqual([])
    expect(await hearAgain(late.code)).toMatchObject({ transactionNo: late.order })
    await test.runJobs()
    expect([await taken(late.code), (await arrived(late.order)).length]).toEqual([[1250, 1250], 1])
    expect(test.logged().filter(({ alarm }) => alarm === true)).toEqual([])
  })

  it('is seen by finance and by its merchant, with the archive of its order, and by no other merchant', async () => {
    const { mchNo } = test.demo
    const row = {
      ...{
        mch_no: mchNo,
        transaction_no: late.order,
        why: 'late',
        amount: '12.50',
        state: 'SUCCESS',
        channel: 'wechat',
      },
      ...{ archive_no: '2026-01-0a0b0c0d', closed_at: null, after_close_s: null },
    }
    for (const who of [operator, viewer]) expect((await who.get('sent-back')).body.rows).toMatchObject([row])
    expect((await stranger.get('sent-back')).body.rows).toEqual([])
    const { refund_no } = (await arrived(late.order))[0]
    expect((await operator.get('reversals?state=SUCCESS')).body.rows).toMatchObject([{ refund_no }])
    const [{ payment_no }] = await arrived(late.order)
    for (const number of [refund_no, late.order, payment_no])
      expect((await viewer.get(`reversals?number=${number}`)).body.rows, number).toMatchObject([{ refund_no }])
    expect((await stranger.get(`reversals?number=${refund_no}`)).body.rows).toEqual([])
  })

  it('is in the bill of its day as late money is, and in the figures', async () => {
    const { world, demo } = test
    const key = { mchNo: demo.mchNo, day }
    expect(await hasBillRows(world.pool, key)).toBe(true)
    const lines = async (kind: 'PAYMENT' | 'REVERSAL') => {
      const found: BillRow[] = []
      for await (const page of billPages(world.pool, key, { kind, limit: 10 })) found.push(...page)
      return found
    }
    const { rows } = await world.pool.query(
      'select mch_trade_no, refund_no from archived_order o join archived_reversal using (mch_no, transaction_no)',
    )
    const [{ mch_trade_no, refund_no }] = rows
    const of = {
      transactionNo: late.order,
      mchTradeNo: mch_trade_no,
      amountFen: 1250n,
      channel: 'wechat',
      method: 'native',
    }
    expect(await lines('PAYMENT')).toMatchObject([{ ...of, isKept: false, refundNo: null }])
    expect(await lines('REVERSAL')).toMatchObject([{ ...of, refundNo: refund_no, note: null }])
    await countFigureHours(world)
    const sums = await world.pool.query(
      `select channel, reversals, reversed_fen from figure where mch_no = $1 and span = 'hour' and reversals > 0 order by 1`,
      [demo.mchNo],
    )
    expect(sums.rows.at(-1)).toMatchObject({ channel: 'wechat', reversals: 1n, reversed_fen: 1250n })
  })

  it('is written under a keyed hash: a row that is changed afterwards is found', async () => {
    const { pool } = test.world
    expect(await forged()).toEqual([])
    await pool.query('update archived_reversal set amount_fen = 1')
    expect((await forged()).join()).toContain('印记不符')
    await pool.query('update archived_reversal set amount_fen = 1250')
    expect(await forged()).toEqual([])
  })

  it("is compared with the upstream's bills, and so is its return", async () => {
    const { paymentNo, paidAt } = await heard(late.code)
    const [{ refund_no }] = await arrived(late.order)
    const kinds = async () => {
      const { rows } = (await operator.get('differences')).body
      const own = rows.filter((row: { attempt_no: string }) => row.attempt_no === late.code)
      return own.map(({ kind, day: of }: { kind: string; day: string }) => `${of} ${kind}`)
    }
    // The upstream has both in the bill of the next day; in that of their own they are missing.
    bill = { kind: 'bill', lines: [] }
    await later(DAY)
    const missing = [`${day} REFUND_MISSING`, `${day} PAYMENT_MISSING`]
    expect(await kinds()).toEqual(missing)
    const line = { attemptNo: late.code, paymentNo, amountFen: 1250n, at: paidAt }
    bill = {
      kind: 'bill',
      lines: [
        { kind: 'payment', ...line },
        { kind: 'refund', ...line, refundNo: refund_no },
      ],
    }
    await later(DAY)
    bill = { kind: 'none' }
    expect(await kinds()).toEqual(missing)
  })
})

it('the payment that paid an archived order is known, and stays; a second one goes back', async () => {
  const { order, code, other } = await ended('paid')
  await putAway(test, [order])
  expect(await hearAgain(code)).toMatchObject({ transactionNo: order })
  await test.runJobs()
  expect([await taken(code), await arrived(order)]).toEqual([[1250, 0], []])
  await payLate(other, 'alipay')
  await test.runJobs()
  expect(await taken(other, 'alipay')).toEqual([1250, 1250])
  expect(await taken(code)).toEqual([1250, 0])
  const { rows } = (await operator.get('sent-back')).body
  const row = rows.find((one: { transaction_no: string }) => one.transaction_no === order)
  expect(row).toMatchObject({ why: 'second', channel: 'alipay' })
  expect(await unmatched()).toEqual([])
})

it("a payment that only the upstream's bill tells of goes back, and its difference is settled by itself", async () => {
  const { order, code } = await ended('closed')
  await putAway(test, [order])
  test.upstreams.faults('wechat').set([{ kind: 'silence' }])
  await payLate(code)
  test.upstreams.faults('wechat').set([])
  const { paymentNo, paidAt } = await heard(code)
  const line = (one: Partial<UpstreamBillLine>) =>
    ({ attemptNo: code, paymentNo, amountFen: 1250n, at: paidAt, ...one }) as UpstreamBillLine
  bill = { kind: 'bill', lines: [line({ kind: 'payment' })] }
  await later(DAY)
  bill = { kind: 'none' }
  expect(await taken(code)).toEqual([1250, 1250])
  const { rows } = (await operator.get('differences')).body
  expect(rows.find((row: { attempt_no: string }) => row.attempt_no === code)).toMatchObject({
    ...{ kind: 'PAYMENT_UNKNOWN', settled: true },
  })
  expect(await unmatched()).toEqual([])
})

describe('an order that is brought back', () => {
  const books = async (order: string) =>
    (
      await test.database.pool.query(
        `select p.fate, r.state, a.state as attempt from payment p join reversal r using (mch_no, attempt_no, payment_no)
           join attempt a using (mch_no, attempt_no) where p.transaction_no = $1`,
        [order],
      )
    ).rows
  async function expectWhole(order: string): Promise<void> {
    const { world, demo } = test
    const now = await lockOrder(world.pool, demo.mchNo, { transactionNo: order })
    if (now === null) throw new Error('not there')
    const timeline = await readTimeline(world.pool, demo.mchNo, order)
    expect(brokenAt(timeline, demo.mchNo, order, now)).toBeNull()
    expect(JSON.parse(timeline.at(-1)?.entry ?? '')).toMatchObject({
      event: 'money_arrived',
      from: 'CLOSED',
      to: 'CLOSED',
    })
    expect(await arrived(order)).toEqual([])
    expect(await forged()).toEqual([])
  }

  it('has the payment in its own timeline, and knows it when it is told of it again', async () => {
    const { order, code } = await ended('closed')
    const away = await putAway(test, [order])
    await payLate(code)
    await test.runJobs()
    await bringBack(test, away)
    expect(await books(order)).toEqual([{ fate: 'reverse', state: 'SUCCESS', attempt: 'PAID' }])
    await expectWhole(order)
    expect(await hearAgain(code)).toMatchObject({ transactionNo: order })
    await test.runJobs()
    expect([await taken(code), (await books(order)).length]).toEqual([[1250, 1250], 1])
    const { rows } = (await viewer.get('sent-back')).body
    expect(rows.filter((row: { transaction_no: string }) => row.transaction_no === order)).toMatchObject([
      { archive_no: null, why: 'late' },
    ])
    await putAway(test, [order])
    expect(await hearAgain(code)).toMatchObject({ transactionNo: order })
    expect(await arrived(order)).toEqual([])
  })

  it('while a payment for it arrives has that payment once', async () => {
    const { order, code } = await ended('closed')
    const away = await putAway(test, [order])
    let paying: Promise<unknown> = Promise.resolve()
    await bringBack(test, away, async () => {
      paying = payLate(code)
      const text = `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      for (let [waits, looks] = [0, 0]; waits === 0 && looks < 3000; looks += 1)
        waits = (await test.database.pool.query<{ n: number }>(text)).rows[0]?.n ?? 0
    })
    await paying
    await test.runJobs()
    expect(await books(order)).toEqual([{ fate: 'reverse', state: 'SUCCESS', attempt: 'PAID' }])
    await expectWhole(order)
    expect(await taken(code)).toEqual([1250, 1250])
  })

  it('brought back while the upstream is asked to send the money back has a return that ends as any other', async () => {
    const { order, code } = await ended('closed')
    const away = await putAway(test, [order])
    await payLate(code)
    const [{ refund_no }] = await arrived(order)
    beforeRefund = async () => {
      beforeRefund = async () => {}
      await bringBack(test, away)
    }
    expect(await reversePayment(test.world, { mchNo: test.demo.mchNo, refundNo: refund_no })).toBe('retry')
    expect(await books(order)).toEqual([{ fate: 'reverse', state: 'PROCESSING', attempt: 'PAID' }])
    await test.runJobs()
    expect(await books(order)).toEqual([{ fate: 'reverse', state: 'SUCCESS', attempt: 'PAID' }])
    expect(await taken(code)).toEqual([1250, 1250])
  })
})

it('the search finds an archived order by its whole numbers, and says in which archive it lies', async () => {
  const { order, code } = await ended('closed')
  const { rows: orders } = await test.database.pool.query('select mch_trade_no from orders where transaction_no = $1', [
    order,
  ])
  await putAway(test, [order])
  await payLate(code)
  const [{ refund_no, payment_no }] = await arrived(order)
  const row = { transaction_no: order, state: 'CLOSED', month: '2026-01', archive_no: '2026-01-0a0b0c0d' }
  for (const text of [order, orders[0].mch_trade_no, code, refund_no, payment_no]) {
    const found = async (who: ConsoleClient) => (await who.get(`find?text=${text}`)).body.archived
    expect(await found(operator), text).toMatchObject([{ ...row, file: '/archives/2026-01-0a0b0c0d' }])
    expect(await found(viewer), text).toMatchObject([{ ...row, file: null }])
    expect(await found(stranger), text).toEqual([])
  }
  await test.runJobs()
})

it('a return that the upstream refuses is stuck, and is settled by hand', async () => {
  const { order, code } = await ended('closed')
  await putAway(test, [order])
  beforeRefund = async () => Promise.reject(new Error('no'))
  await payLate(code)
  await test.runJobs()
  await later(2 * DAY)
  beforeRefund = async () => {}
  const { rows } = (await operator.get('reversals?state=STUCK')).body
  expect(rows).toMatchObject([{ transaction_no: order, is_stuck: true }])
  expect((await operator.get('jobs')).body.rows).toContainEqual(
    expect.objectContaining({ kind: 'reverse_payment', transaction_no: order }),
  )
  await addUser(test, 'finance', 'finance')
  const finance = await signedIn(test, 'finance')
  const body = { mch_no: test.demo.mchNo, refund_no: rows[0].refund_no, note: '已通过银行转账退回' }
  expect((await finance.send('POST', 'reversals/settle', body)).status).toBe(200)
  expect(await arrived(order)).toMatchObject([
    { state: 'SUCCESS', by_upstream: true, last_answer: expect.stringContaining('by hand') },
  ])
  await test.runJobs()
  expect(await taken(code)).toEqual([1250, 0])
})
