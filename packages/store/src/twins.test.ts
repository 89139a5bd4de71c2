/**
 * Two merchants all of whose numbers are the same, each with more than one of everything. A statement that forgets one
 * condition reads or writes the other merchant's row, the other order's, or the neighbour's.
 */
import { fen } from '@acopay/core'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts'
import { APP, after, entryAt, NOW, newOrder, placing, seedMerchant } from '../../../test/support/orders.ts'
import { BILL_KINDS, billRows } from './bills/bills.ts'
import { readOrderParts } from './console/order-lists.ts'
import type { Db } from './db.ts'
import {
  alarmJob,
  extendJob,
  insertLeasedJob,
  leaseJob,
  leaseJobs,
  postponeJob,
  removeJob,
  wakeJob,
} from './jobs/jobs.ts'
import { noteComplaint, putChannelAccount } from './merchants/channel-accounts.ts'
import { addApp, addMerchantKey, endMerchantKey, findMerchant, setMerchantEnabled } from './merchants/merchants.ts'
import { forgetNonces, useNonce } from './merchants/nonces.ts'
import { resendNotifications } from './notifications/notification-lists.ts'
import {
  endNotificationTries,
  giveUpNotifications,
  insertNotification,
  takeNotifications,
} from './notifications/notifications.ts'
import { lapsedOrders } from './orders/lapsed-orders.ts'
import { findOrder, insertOrders, lockOrder, moveOrder } from './orders/orders.ts'
import { moveUntouched } from './orders/untouched-orders.ts'
import { attemptsOf, findAttempt, insertAttempt, moveAttempt } from './payments/attempts.ts'
import {
  bookPayment,
  findPayment,
  findReversal,
  finishReversal,
  insertReversal,
  isSentByUpstream,
  renumberReversal,
} from './payments/payments.ts'
import { endRefund, findRefund, insertRefund, keptPayment, markRefundCall } from './payments/refunds.ts'

/** No test of this file looks at stamps. */
const MAC = Buffer.alloc(32)
const ONE = 'TWIN1'
const OTHER = 'TWIN2'
const BOTH = [ONE, OTHER] as const
const number = (prefix: string, count: number): string => prefix + String(count).padStart(36, '0')
/** Orders 1 and 2 were paid, 3 has an attempt, 4 and 5 have none. */
const order = (count: number): string => number('AP', 900 + count)
const attempt = (count: number): string => number('AT', 900 + count)
const refund = (count: number): string => number('AR', 900 + count)
const reversal = (count: number): string => number('AR', 950 + count)

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  for (const mchNo of BOTH) await seedTwin(database.pool, mchNo)
})
afterAll(() => database.drop())

/** The twins differ in their amounts and texts only: the second merchant's are a thousand more. */
const amountOf = (mchNo: string, count: number) => fen(BigInt(count * 100 + (mchNo === ONE ? 0 : 1000)))

const channelOf = (mchNo: string, count: number) => ((count === 3) === (mchNo === ONE) ? 'alipay' : 'wechat')

async function seedTwin(db: Db, mchNo: string): Promise<void> {
  await seedMerchant(db, mchNo)
  await addApp(db, { mchNo, appNo: 'APP2', name: 'another' }, NOW)
  for (const keyId of ['k1', 'k2']) {
    await addMerchantKey(db, { mchNo, keyId, publicKey: `${mchNo} ${keyId}`, validFrom: NOW, validUntil: null })
  }
  for (const count of [1, 2, 3, 4, 5]) {
    const placed = newOrder({
      mchNo,
      transactionNo: order(count),
      mchTradeNo: `trade${count}`,
      description: `${mchNo} ${count}`,
      amountFen: amountOf(mchNo, count),
      timeExpire: after(count * 60_000),
    })
    await insertOrders(db, [placing(placed, `nonce${count}`)])
  }
  // Attempts 1 and 2 belong to order 1, 3 to order 2, 4 to order 3.
  for (const [count, of] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
  ] as const) {
    await insertAttempt(db, {
      mchNo,
      attemptNo: attempt(count),
      transactionNo: order(of),
      channel: channelOf(mchNo, count),
      method: 'native',
      openId: `${mchNo} payer ${count}`,
      amountFen: amountOf(mchNo, of),
      state: 'OPEN',
      payUrl: null,
      upstreamExpire: after(60_000),
      createInFlightUntil: NOW,
      createdAt: after(-count),
    })
  }
  await seedMoney(db, mchNo)
  await seedNews(db, mchNo)
}

/** Order 1 keeps UP1 of attempt 1, and sends UP2 of attempt 1 and UP1 of attempt 2 back; order 2 keeps UP1 of attempt 3. */
async function seedMoney(db: Db, mchNo: string): Promise<void> {
  const pay = (of: number, attemptCount: number, paymentNo: string, fate: 'keep' | 'reverse') =>
    bookPayment(
      db,
      {
        ...{
          mchNo,
          attemptNo: attempt(attemptCount),
          paymentNo,
          transactionNo: order(of),
          currency: 'CNY',
          payer: null,
        },
        ...{ amountFen: amountOf(mchNo, of), paidAt: NOW },
      },
      fate,
      NOW,
    )
  await pay(1, 1, 'UP1', 'keep')
  await pay(1, 1, 'UP2', 'reverse')
  await pay(1, 2, 'UP1', 'reverse')
  await pay(2, 3, 'UP1', 'keep')
  await pay(3, 4, 'UP1', 'reverse')
  const reverse = (count: number, attemptCount: number, paymentNo: string, byUpstream: boolean) =>
    insertReversal(
      db,
      {
        ...{ mchNo, refundNo: reversal(count), transactionNo: order(1), attemptNo: attempt(attemptCount), paymentNo },
        ...{ amountFen: amountOf(mchNo, 1), state: 'PROCESSING' as const, byUpstream },
      },
      NOW,
    )
  await reverse(1, 1, 'UP2', false)
  await reverse(2, 2, 'UP1', true)
  // Of order 1's kept payment the first merchant sends 1 and 2 fen back, the second 3 and 4; of order 2's, 5 and 6.
  for (const [count, of, attemptCount] of [
    [1, 1, 1],
    [2, 1, 1],
    [3, 2, 3],
  ] as const) {
    await insertRefund(
      db,
      {
        ...{
          mchNo,
          refundNo: refund(count),
          mchRefundNo: `refund${count}`,
          transactionNo: order(of),
          paymentNo: 'UP1',
        },
        ...{ attemptNo: attempt(attemptCount), amountFen: fen(BigInt(count + (mchNo === ONE ? 0 : 2))) },
        ...{ reason: `${mchNo} ${count}`, notifyUrl: null, inFlightUntil: after(1000) },
      },
      NOW,
    )
  }
}

/** Each job, and each notification of orders 1 and 2: entry 1 of both is due, and 2 of order 1 waits for its first. */
async function seedNews(db: Db, mchNo: string): Promise<void> {
  for (const kind of ['shut_attempts', 'watch_attempt'] as const) {
    for (const subject of ['a', 'b']) await insertLeasedJob(db, { mchNo, kind, subject }, after(0), NOW)
  }
  await db.query(
    `insert into timeline (mch_no, transaction_no, seq, at, entry, hash) values ($1, $2, 2, $3, '{}', '')`,
    [mchNo, order(1), NOW],
  )
  for (const [of, seq] of [
    [1, 1],
    [1, 2],
    [2, 1],
  ] as const) {
    const host = `${mchNo}.example`
    const one = { mchNo, transactionNo: order(of), seq, kind: 'payment' as const, url: `https://${host}/${of}`, host }
    await insertNotification(db, { ...one, news: `{"of":${of},"seq":${seq}}` }, NOW)
  }
}

const TABLES = {
  merchant: ['mch_no'],
  merchant_key: ['mch_no', 'key_id'],
  orders: ['mch_no', 'transaction_no'],
  timeline: ['mch_no', 'transaction_no', 'seq'],
  attempt: ['mch_no', 'attempt_no'],
  payment: ['mch_no', 'attempt_no', 'payment_no'],
  reversal: ['mch_no', 'refund_no'],
  refund: ['mch_no', 'refund_no'],
  job: ['mch_no', 'kind', 'subject'],
  nonce: ['mch_no', 'nonce'],
  notification: ['mch_no', 'transaction_no', 'seq'],
  notification_try: ['mch_no', 'transaction_no', 'seq', 'taken'],
}

async function snapshot(db: Db): Promise<Map<string, string>> {
  const rows = new Map<string, string>()
  for (const [table, keys] of Object.entries(TABLES)) {
    const result = await db.query(`select ${keys.join(', ')}, t::text as whole from ${table} t`)
    for (const row of result.rows) rows.set([table, ...keys.map((key) => row[key])].join(' '), row.whole)
  }
  return rows
}

/** The rows that `work` added, changed or removed; everything is undone afterwards. */
async function touched(work: (db: Db) => Promise<unknown>): Promise<string[]> {
  return undone(async (client) => {
    const before = await snapshot(client)
    await work(client)
    const later = await snapshot(client)
    const keys = new Set([...before.keys(), ...later.keys()])
    return [...keys].filter((key) => before.get(key) !== later.get(key)).sort()
  })
}

async function undone<Result>(work: (db: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await database.pool.connect()
  try {
    await client.query('begin')
    return await work(client)
  } finally {
    await client.query('rollback')
    client.release()
  }
}

describe.each(BOTH)('%s reads', (mchNo) => {
  const own = (count: number) => ({ mchNo, transactionNo: order(count), description: `${mchNo} ${count}` })

  it('its own order by either number, locked or not', async () => {
    const { pool } = database
    for (const count of [1, 2, 5]) {
      for (const ref of [{ transactionNo: order(count) }, { mchTradeNo: `trade${count}` }]) {
        expect(await findOrder(pool, mchNo, ref)).toMatchObject(own(count))
        expect(await undone((db) => lockOrder(db, mchNo, ref))).toMatchObject(own(count))
      }
    }
  })

  it('its own attempts, the oldest first', async () => {
    const payer = (count: number) => ({ mchNo, attemptNo: attempt(count), openId: `${mchNo} payer ${count}` })
    for (const count of [1, 3])
      expect(await findAttempt(database.pool, mchNo, attempt(count))).toMatchObject(payer(count))
    expect(await attemptsOf(database.pool, mchNo, order(1))).toMatchObject([payer(2), payer(1)])
    expect(await attemptsOf(database.pool, mchNo, order(2))).toMatchObject([payer(3)])
    expect(await attemptsOf(database.pool, mchNo, order(4))).toEqual([])
  })

  it('what became of each of its payments, and of no other', async () => {
    const [cents, later] = [amountOf(mchNo, 1), amountOf(mchNo, 2)]
    const find = (count: number, paymentNo: string) =>
      findPayment(database.pool, { mchNo, attemptNo: attempt(count), paymentNo })
    expect(await find(1, 'UP1')).toEqual({ fate: 'keep', amountFen: cents, goesBack: false, isInDoubt: true })
    expect(await find(1, 'UP2')).toEqual({ fate: 'reverse', amountFen: cents, goesBack: true, isInDoubt: false })
    expect(await find(2, 'UP1')).toEqual({ fate: 'reverse', amountFen: cents, goesBack: true, isInDoubt: false })
    expect(await find(3, 'UP1')).toEqual({ fate: 'keep', amountFen: later, goesBack: false, isInDoubt: true })
    expect(await find(3, 'UP2')).toBeNull()
  })

  it('that a payment goes back, or may, by the refunds of that payment alone', async () => {
    const fates = await undone(async (db) => {
      await endRefund(db, { mchNo, refundNo: refund(1) }, null, after(1))
      await endRefund(db, { mchNo, refundNo: refund(2) }, 'no', after(1))
      const find = (of: string, count: number) =>
        findPayment(db, { mchNo: of, attemptNo: attempt(count), paymentNo: 'UP1' })
      return [await find(mchNo, 1), await find(mchNo, 3), await find(mchNo === ONE ? OTHER : ONE, 1)]
    })
    expect(fates).toMatchObject([
      { goesBack: true, isInDoubt: false },
      { goesBack: false, isInDoubt: true },
      { goesBack: false, isInDoubt: true },
    ])
  })

  it('that a refund of one payment sends back neither the other of its attempt nor the other of its order', async () => {
    const back = await undone(async (db) => {
      await db.query('delete from reversal')
      await endRefund(db, { mchNo, refundNo: refund(1) }, null, after(1))
      const find = async (count: number, paymentNo: string) =>
        (await findPayment(db, { mchNo, attemptNo: attempt(count), paymentNo }))?.goesBack
      return [await find(1, 'UP1'), await find(1, 'UP2'), await find(2, 'UP1')]
    })
    expect(back).toEqual([true, false, false])
  })

  it("its own lines of a day's bill, of each kind", async () => {
    const lines = await undone(async (db) => {
      for (const of of BOTH) {
        await endRefund(db, { mchNo: of, refundNo: refund(1) }, null, after(1))
        await finishReversal(db, { mchNo: of, refundNo: reversal(2), byUpstream: true }, after(1))
      }
      const rows = BILL_KINDS.map((kind) =>
        billRows(db, { mchNo, day: '2026-01-31' }, { kind, after: null, limit: 20 }),
      )
      return Promise.all(rows)
    })
    const [cents, later, latest] = [amountOf(mchNo, 1), amountOf(mchNo, 2), amountOf(mchNo, 3)]
    expect(lines.map((rows) => rows.map(({ amountFen }) => amountFen))).toEqual([
      [cents, cents, cents, later, latest],
      [mchNo === ONE ? 1n : 3n],
      [cents],
    ])
  })

  it('its own reversals, with the channel of their attempt, and which of them the upstream made', async () => {
    const amountFen = amountOf(mchNo, 1)
    const wechat = { mchNo, amountFen, channel: channelOf(mchNo, 1) }
    expect(await findReversal(database.pool, mchNo, reversal(1))).toMatchObject({ ...wechat, paymentNo: 'UP2' })
    expect(await findReversal(database.pool, mchNo, reversal(2))).toMatchObject({ ...wechat, paymentNo: 'UP1' })
    const isSent = (count: number, paymentNo: string, cents = amountFen as bigint) =>
      isSentByUpstream(database.pool, { mchNo, attemptNo: attempt(count), paymentNo, amountFen: cents })
    expect(await isSent(2, 'UP1')).toBe(true)
    expect(await isSent(1, 'UP2')).toBe(false)
    expect(await isSent(2, 'UP2')).toBe(false)
    expect(await isSent(1, 'UP1')).toBe(false)
    expect(await isSent(2, 'UP1', amountFen + 1n)).toBe(false)
    expect(await isSent(2, 'UP1', mchNo === ONE ? amountOf(OTHER, 1) : amountOf(ONE, 1))).toBe(false)
  })

  it('its own refunds by either number, with their order, attempt and payment', async () => {
    for (const [count, of] of [
      [1, 1],
      [3, 2],
    ] as const) {
      const found = {
        ...{ mchNo, refundNo: refund(count), reason: `${mchNo} ${count}`, mchTradeNo: `trade${of}`, appNo: APP },
        ...{ channel: channelOf(mchNo, count), totalFen: amountOf(mchNo, of) },
      }
      expect(await findRefund(database.pool, mchNo, { refundNo: refund(count) })).toMatchObject(found)
      expect(await findRefund(database.pool, mchNo, { mchRefundNo: `refund${count}` })).toMatchObject(found)
    }
  })

  it('what may still be refunded of its kept payment: failed refunds do not count, nor do those of other orders', async () => {
    const more = mchNo === ONE ? 0n : 4n
    const kept = { attemptNo: attempt(1), paymentNo: 'UP1', paidFen: amountOf(mchNo, 1), paidAtMs: NOW.getTime() }
    expect(await keptPayment(database.pool, mchNo, order(1))).toEqual({ ...kept, refunds: 2, refundedFen: 3n + more })
    const failed = await undone(async (db) => {
      await endRefund(db, { mchNo, refundNo: refund(1) }, 'no', after(1))
      return keptPayment(db, mchNo, order(1))
    })
    expect(failed).toEqual({ ...kept, refunds: 1, refundedFen: 2n + more / 2n })
    // The upstream gave the kept payment back by itself; the twin's and the other order's are still there.
    const other = mchNo === ONE ? OTHER : ONE
    const returned = await undone(async (db) => {
      const row = { mchNo, refundNo: reversal(9), transactionNo: order(1), attemptNo: attempt(1), paymentNo: 'UP1' }
      await insertReversal(db, { ...row, amountFen: 50n, state: 'SUCCESS', byUpstream: true }, NOW)
      await endRefund(db, { mchNo, refundNo: refund(3) }, 'no', after(1))
      const find = (of: string) => findPayment(db, { mchNo: of, attemptNo: attempt(1), paymentNo: 'UP1' })
      return {
        own: await keptPayment(db, mchNo, order(1)),
        second: await keptPayment(db, mchNo, order(2)),
        twin: await keptPayment(db, other, order(1)),
        goesBack: [(await find(mchNo))?.goesBack, (await find(other))?.goesBack],
      }
    })
    expect(returned).toMatchObject({
      own: { ...kept, refunds: 2, refundedFen: 53n + more },
      second: { attemptNo: attempt(3), refunds: 0, refundedFen: 0n },
      twin: { refunds: 2, refundedFen: 7n - more },
      goesBack: [true, false],
    })
    expect(await keptPayment(database.pool, mchNo, order(3))).toBeNull()
  })

  it('every part of one order of its own, and nothing of another', async () => {
    const parts = await undone(async (db) => {
      for (const of of BOTH) {
        const subjects = [
          ['watch_attempt', attempt(1)],
          ['shut_attempts', order(1)],
          ['send_refund', refund(1)],
          ['reverse_payment', reversal(1)],
          ['watch_attempt', attempt(3)],
          ['send_refund', refund(3)],
        ] as const
        for (const [index, [kind, subject]] of subjects.entries()) {
          await insertLeasedJob(db, { mchNo: of, kind, subject }, after(of === ONE ? 10 + index : 20 + index), NOW)
        }
      }
      return readOrderParts(db, mchNo, order(1))
    })
    const due = mchNo === ONE ? 10 : 20
    const [channel, amountFen] = [channelOf(mchNo, 1), amountOf(mchNo, 1)]
    expect(parts.attempts.map(({ attemptNo, channel: name, watchedUntil }) => [attemptNo, name, watchedUntil])).toEqual(
      [
        [attempt(2), channel, null],
        [attempt(1), channel, after(due)],
      ],
    )
    expect(
      parts.payments.map((one) => `${one.attemptNo} ${one.paymentNo} ${one.channel} ${one.amountFen}`).sort(),
    ).toEqual(
      [`${attempt(1)} UP1`, `${attempt(1)} UP2`, `${attempt(2)} UP1`].map((one) => `${one} ${channel} ${amountFen}`),
    )
    const more = mchNo === ONE ? 0n : 2n
    expect(parts.refunds).toMatchObject([
      { refundNo: refund(1), channel, amountFen: 1n + more, reason: `${mchNo} 1` },
      { refundNo: refund(2), channel, amountFen: 2n + more, reason: `${mchNo} 2` },
    ])
    expect(parts.reversals).toMatchObject([
      { refundNo: reversal(1), channel, amountFen, paymentNo: 'UP2' },
      { refundNo: reversal(2), channel, amountFen, paymentNo: 'UP1' },
    ])
    expect(parts.jobs.map(({ kind, subject, dueAt }) => [kind, subject, dueAt])).toEqual([
      ['watch_attempt', attempt(1), after(due)],
      ['shut_attempts', order(1), after(due + 1)],
      ['send_refund', refund(1), after(due + 2)],
      ['reverse_payment', reversal(1), after(due + 3)],
    ])
  })

  it('its own keys that are valid now, the newest first', async () => {
    const keys = await undone(async (db) => {
      const key = (keyId: string, from: number, until: number | null) =>
        addMerchantKey(db, {
          ...{ mchNo, keyId, publicKey: keyId, validFrom: after(from) },
          validUntil: until === null ? null : after(until),
        })
      await key('ended', -9, 50)
      await key('ends next', -8, 51)
      await key('begins', 50, null)
      await key('begins next', 51, null)
      return (await findMerchant(db, mchNo, after(50)))?.publicKeys
    })
    expect(keys?.slice(0, 1)).toEqual(['begins'])
    expect(keys?.slice(1, 3).sort()).toEqual([`${mchNo} k1`, `${mchNo} k2`])
    expect(keys?.slice(3)).toEqual(['ends next'])
  })
})

describe.each(BOTH)('%s changes', (mchNo) => {
  const key = { mchNo, kind: 'watch_attempt' as const, subject: 'b' }
  const job = { ...key, tries: 1, createdAt: NOW }
  const one = (count: number) => ({ mchNo, refundNo: refund(count) })
  const news = (of: number, seq: number): string => `notification ${mchNo} ${order(of)} ${seq}`
  const tried = (taken: number, failure: string | null) => ({
    ...{ mchNo, transactionNo: order(1), seq: 1, taken, at: after(1), ms: 5, httpStatus: 200, reply: '', failure },
    nextAt: failure === null ? null : after(10),
  })
  const take = (total: number) => (db: Db) =>
    takeNotifications(db, { perHost: 5, free: new Map(), total }, after(1), after(1000))

  const untouched = (db: Db, refs: ({ transactionNo: string } | { mchTradeNo: string })[]) =>
    moveUntouched(db, {
      ...{ now: NOW, move: { from: 'NOTPAY', to: 'CLOSED', closeReason: 'MERCHANT' } },
      asks: refs.map((ref, index) => ({
        mchNo,
        ref,
        nonce: `u${index}`,
        entry: entryAt(NOW, 'close_asked'),
        mac: MAC,
      })),
    })

  const ROWS: [string, (db: Db) => Promise<unknown>, string[]][] = [
    [
      'moveOrder',
      async (db) => {
        const found = await findOrder(db, mchNo, { transactionNo: order(4) })
        if (found === null) throw new Error('no order')
        const entry = entryAt(after(1), 'close_asked')
        await moveOrder(db, found, {
          to: 'CLOSED',
          closeReason: 'MERCHANT',
          attempts: 0,
          paid: null,
          entry,
          mac: MAC,
          now: after(1),
        })
      },
      [`orders ${mchNo} ${order(4)}`, `timeline ${mchNo} ${order(4)} 2`],
    ],
    [
      'moveUntouched by the platform number',
      (db) => untouched(db, [{ transactionNo: order(4) }]),
      [`nonce ${mchNo} u0`, `orders ${mchNo} ${order(4)}`, `timeline ${mchNo} ${order(4)} 2`],
    ],
    [
      "moveUntouched by the merchant's number",
      (db) => untouched(db, [{ mchTradeNo: 'trade5' }]),
      [`nonce ${mchNo} u0`, `orders ${mchNo} ${order(5)}`, `timeline ${mchNo} ${order(5)} 2`],
    ],
    [
      'moveAttempt',
      async (db) => {
        const found = await findAttempt(db, mchNo, attempt(1))
        if (found === null) throw new Error('no attempt')
        await moveAttempt(db, found, { event: 'shut', payUrl: null, now: after(1) })
      },
      [`attempt ${mchNo} ${attempt(1)}`],
    ],
    [
      'finishReversal',
      (db) => finishReversal(db, { mchNo, refundNo: reversal(1), byUpstream: false }, after(1)),
      [`reversal ${mchNo} ${reversal(1)}`],
    ],
    [
      'renumberReversal',
      (db) => renumberReversal(db, { mchNo, refundNo: reversal(1) }, 'N2'),
      [`reversal ${mchNo} ${reversal(1)}`],
    ],
    ['markRefundCall', (db) => markRefundCall(db, one(1), after(5000)), [`refund ${mchNo} ${refund(1)}`]],
    ['endRefund', (db) => endRefund(db, one(2), null, after(1)), [`refund ${mchNo} ${refund(2)}`]],
    ['leaseJob', (db) => leaseJob(db, key, after(1), after(99)), [`job ${mchNo} watch_attempt b`]],
    ['removeJob', (db) => removeJob(db, key), [`job ${mchNo} watch_attempt b`]],
    ['postponeJob', (db) => postponeJob(db, job, after(99)), [`job ${mchNo} watch_attempt b`]],
    ['extendJob', (db) => extendJob(db, job, after(99)), [`job ${mchNo} watch_attempt b`]],
    ['wakeJob', (db) => wakeJob(db, key, after(-1)), [`job ${mchNo} watch_attempt b`]],
    ['alarmJob', (db) => alarmJob(db, job, after(1)), [`job ${mchNo} watch_attempt b`]],
    ['postponeJob under an older lease', (db) => postponeJob(db, { ...job, tries: 0 }, after(99)), []],
    ['extendJob under an older lease', (db) => extendJob(db, { ...job, tries: 0 }, after(99)), []],
    ['wakeJob for a job that is due earlier', (db) => wakeJob(db, key, after(1)), []],
    ['insertLeasedJob for a job that exists', (db) => insertLeasedJob(db, key, after(99), after(99)), []],
    ['useNonce', (db) => useNonce(db, { mchNo, nonce: 'fresh', now: NOW }), [`nonce ${mchNo} fresh`]],
    ['useNonce of a used one', (db) => useNonce(db, { mchNo, nonce: 'nonce1', now: after(1) }), []],
    [
      'endMerchantKey',
      (db) => endMerchantKey(db, { mchNo, keyId: 'k1', validUntil: after(1) }),
      [`merchant_key ${mchNo} k1`],
    ],
    ['setMerchantEnabled', (db) => setMerchantEnabled(db, mchNo, false), [`merchant ${mchNo}`]],
    [
      'endNotificationTries, heard',
      (db) => endNotificationTries(db, [tried(0, null)]),
      [news(1, 1), `notification_try ${mchNo} ${order(1)} 1 0`],
    ],
    [
      'endNotificationTries, failed: what is behind it waits too',
      (db) => endNotificationTries(db, [tried(0, 'no')]),
      [news(1, 1), news(1, 2), `notification_try ${mchNo} ${order(1)} 1 0`],
    ],
    [
      'resendNotifications of one',
      (db) => resendNotifications(db, mchNo, { transactionNo: order(1), seq: 2 }, { limit: 9, now: after(7) }),
      [news(1, 2)],
    ],
    [
      'resendNotifications of dead letters',
      async (db) => {
        await db.query(`update notification set state = 'DEAD' where seq = 1`)
        const dead = { from: after(0), until: after(1), transactionNo: order(1) }
        const before = await snapshot(db)
        expect(await resendNotifications(db, mchNo, { dead }, { limit: 9, now: after(7) })).toBe(1)
        const later = await snapshot(db)
        const changed = [...later.keys()].filter((key) => later.get(key) !== before.get(key))
        expect(changed).toEqual([news(1, 1)])
        await db.query(`update notification set state = 'PENDING' where state = 'DEAD'`)
      },
      [news(1, 1)],
    ],
    [
      'resendNotifications of an order',
      (db) => resendNotifications(db, mchNo, { transactionNo: order(1), seq: null }, { limit: 9, now: after(7) }),
      [news(1, 1), news(1, 2)],
    ],
  ]

  it('with each statement the rows that it names, and no other', async () => {
    const wrong: object[] = []
    for (const [name, work, expected] of ROWS) {
      const found = await touched(work)
      if (found.join() !== [...expected].sort().join()) wrong.push({ name, found, expected })
    }
    expect(wrong).toEqual([])
  })

  it('a complaint of its own account: its word, since when, and once; another word begins anew, none ends it', async () => {
    const said = await undone(async (db) => {
      for (const of of BOTH) {
        for (const channel of ['wechat', 'alipay']) {
          await putChannelAccount(db, { mchNo: of, channel, settingsSealed: Buffer.from('x') }, NOW)
        }
      }
      const note = (complaint: string | null, ms: number) =>
        noteComplaint(db, { mchNo, channel: 'wechat' }, complaint, after(ms))
      const read = async () =>
        (
          await db.query(
            'select mch_no, channel, complaint, complained_at as at from channel_account where complaint is not null',
          )
        ).rows.map((row) => `${row.mch_no} ${row.channel} ${row.complaint} ${row.at?.getTime() - NOW.getTime()}`)
      const steps: unknown[] = [await note('SIGN', 1), await read(), await note('SIGN', 2), await read()]
      steps.push(await note('APP', 3), await read(), await note(null, 4), await read(), await note(null, 5))
      const { rows } = await db.query('select complained_at from channel_account where complained_at is not null')
      steps.push(rows)
      // New settings forget it.
      await note('SIGN', 6)
      await putChannelAccount(db, { mchNo, channel: 'wechat', settingsSealed: Buffer.from('y') }, after(7))
      const { rows: fresh } = await db.query(
        `select settings_sealed, created_at, changed_at, complaint, complained_at from channel_account
          where mch_no = $1 and channel = 'wechat'`,
        [mchNo],
      )
      return [...steps, fresh]
    })
    expect(said).toEqual([
      true,
      [`${mchNo} wechat SIGN 1`],
      false,
      [`${mchNo} wechat SIGN 1`],
      true,
      [`${mchNo} wechat APP 3`],
      true,
      [],
      false,
      [],
      [
        {
          settings_sealed: Buffer.from('y'),
          created_at: NOW,
          changed_at: after(7),
          complaint: null,
          complained_at: null,
        },
      ],
    ])
  })

  it('as many due notifications as may be taken, of each order the first', async () => {
    const taken = await undone(async (db) =>
      (await take(9)(db)).map(({ mchNo: of, transactionNo, seq }) => `${of} ${transactionNo} ${seq}`),
    )
    expect(taken.sort()).toEqual([1, 2].flatMap((of) => BOTH.map((mch) => `${mch} ${order(of)} 1`)).sort())
    expect(await touched(take(9))).toEqual(
      BOTH.flatMap((mch) => [1, 2].map((of) => `notification ${mch} ${order(of)} 1`)).sort(),
    )
    expect(await touched(take(1))).toHaveLength(1)
  })
})

describe('a step of an order', () => {
  const columns = 'state, closed_at, success_time, payer, pay_channel, pay_method'
  const rowOf = async (db: Db) =>
    (await db.query(`select ${columns} from orders where mch_no = $1 and transaction_no = $2`, [ONE, order(4)])).rows[0]
  const step = async (db: Db, to: 'CLOSED' | 'SUCCESS', paid: Parameters<typeof moveOrder>[2]['paid'], ms: number) => {
    const found = await findOrder(db, ONE, { transactionNo: order(4) })
    if (found === null) throw new Error('no order')
    const closeReason = to === 'CLOSED' ? ('MERCHANT' as const) : null
    await moveOrder(db, found, {
      to,
      closeReason,
      attempts: 0,
      paid,
      entry: entryAt(after(ms), 'x'),
      mac: MAC,
      now: after(ms),
    })
    return rowOf(db)
  }

  it('keeps the moment of the first close, and forgets it when the order is paid after all', async () => {
    await undone(async (db) => {
      expect(await step(db, 'CLOSED', null, 1)).toMatchObject({ closed_at: after(1) })
      expect(await step(db, 'CLOSED', null, 2)).toMatchObject({ closed_at: after(1) })
      const paid = { successTime: after(3), payer: 'p', payChannel: 'wechat', payMethod: 'native' }
      expect(await step(db, 'SUCCESS', paid, 3)).toMatchObject({ state: 'SUCCESS', closed_at: null })
    })
  })

  it('writes who paid, when and how, and a later step without a payment leaves that as it is', async () => {
    await undone(async (db) => {
      const paid = { successTime: after(1), payer: 'p', payChannel: 'wechat', payMethod: 'native' }
      const first = { success_time: after(1), payer: 'p', pay_channel: 'wechat', pay_method: 'native' }
      expect(await step(db, 'SUCCESS', paid, 1)).toMatchObject(first)
      expect(await step(db, 'SUCCESS', null, 2)).toMatchObject(first)
      const again = { successTime: after(3), payer: 'q', payChannel: 'alipay', payMethod: 'page' }
      const second = { success_time: after(3), payer: 'q', pay_channel: 'alipay', pay_method: 'page' }
      expect(await step(db, 'SUCCESS', again, 3)).toMatchObject(second)
    })
  })
})

it('a step of an attempt keeps its link unless there is another, and changes nothing when the attempt moved before', async () => {
  const steps = await undone(async (db) => {
    const read = () => findAttempt(db, ONE, attempt(4))
    const stale = await read()
    if (stale === null) throw new Error('no attempt')
    await db.query(`update attempt set state = 'OPENING' where mch_no = $1 and attempt_no = $2`, [ONE, attempt(4)])
    await moveAttempt(db, stale, { event: 'shut', payUrl: 'https://x.example', now: after(1) })
    const ignored = await read()
    await moveAttempt(
      db,
      { ...stale, state: 'OPENING' },
      { event: 'opened', payUrl: 'https://new.example', now: after(1) },
    )
    const opened = await read()
    await moveAttempt(db, stale, { event: 'shut', payUrl: null, now: after(2) })
    return [ignored, opened, await read()].map((one) => [one?.state, one?.payUrl])
  })
  expect(steps).toEqual([
    ['OPENING', null],
    ['OPEN', 'https://new.example'],
    ['SHUT', 'https://new.example'],
  ])
})

it('one leased job is one row: the job that has been due the longest', async () => {
  const found = await touched(async (db) => {
    await wakeJob(db, { mchNo: OTHER, kind: 'watch_attempt', subject: 'a' }, after(-5))
    // Due even longer, but of a kind that was not asked for.
    await wakeJob(db, { mchNo: ONE, kind: 'shut_attempts', subject: 'a' }, after(-9))
    const jobs = await leaseJobs(db, { now: after(1), leaseUntil: after(99) }, 1, ['watch_attempt'])
    expect(jobs).toEqual([{ mchNo: OTHER, kind: 'watch_attempt', subject: 'a', tries: 2, createdAt: NOW }])
  })
  expect(found).toEqual([`job ${ONE} shut_attempts a`, `job ${OTHER} watch_attempt a`])
})

it('orders are swept the moment they expire, the longest expired first; one that was closed before is not', async () => {
  const swept = await undone(async (db) => {
    // Whatever plan PostgreSQL chooses.
    for (const plan of ['indexscan', 'bitmapscan']) await db.query(`set local enable_${plan} = off`)
    const found = await findOrder(db, OTHER, { transactionNo: order(2) })
    if (found === null) throw new Error('no order')
    const entry = entryAt(after(1), 'close_asked')
    await moveOrder(db, found, {
      to: 'CLOSED',
      closeReason: 'MERCHANT',
      attempts: 0,
      paid: null,
      entry,
      mac: MAC,
      now: after(1),
    })
    const at = async (ms: number, limit: number) =>
      (await lapsedOrders(db, after(ms), limit)).map(({ mchNo, transactionNo }) => `${mchNo} ${transactionNo}`)
    return {
      before: await at(59_999, 9),
      due: (await at(60_000, 9)).sort(),
      two: await at(120_000, 2),
      all: await at(120_000, 9),
    }
  })
  const first = BOTH.map((mchNo) => `${mchNo} ${order(1)}`)
  expect(swept).toMatchObject({ before: [], due: first })
  expect(swept.two.sort()).toEqual(first)
  expect(swept.all).toHaveLength(3)
  expect(swept.all[2]).toBe(`${ONE} ${order(2)}`)
})

it('forgetting nonces and giving notifications up takes the oldest first and those alone', async () => {
  const forgotten = await touched(async (db) => {
    await useNonce(db, { mchNo: ONE, nonce: 'older', now: after(-5) })
    await useNonce(db, { mchNo: OTHER, nonce: 'older', now: after(-6) })
    expect(await forgetNonces(db, after(0), 1)).toBe(1)
  })
  expect(forgotten).toEqual([`nonce ${ONE} older`])
  const given = await touched(async (db) => {
    await db.query(`update notification set round_at = $1 where mch_no = $2 and transaction_no = $3`, [
      after(-9),
      ONE,
      order(2),
    ])
    expect(await giveUpNotifications(db, { before: after(-9), now: after(0) }, 1)).toBe(1)
    expect(await giveUpNotifications(db, { before: after(-9), now: after(0) }, 1)).toBe(0)
  })
  expect(given).toEqual([`notification ${ONE} ${order(2)} 1`])
})
