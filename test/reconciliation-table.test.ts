/**
 * Every kind of difference between an upstream's bill and our books, in both directions and at equality. One day of one
 * channel, 2 March 2026 in China, holds all of them; the expected rows are written by hand.
 */
import type { UpstreamBillAnswer, UpstreamBillLine } from '@acopay/channels'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const DAY = '2026-03-02'
const NOON = new Date('2026-03-02T12:00:00+08:00')

let test: TestWorld
let bill: UpstreamBillAnswer = { kind: 'none' }

type Money = { order: string; attemptNo: string; paymentNo: string; refundNo: string }
/** What happened, by a name that says it. */
const facts: Record<string, Money> = {}

beforeAll(async () => {
  test = await testWorld({
    upstream: (_real, name) => ({
      fetchUpstreamBill: async (day) => (name === 'wechat' && day === DAY ? bill : { kind: 'none' }),
    }),
  })
  await test.database.pool.query(`update channel_account set created_at = '2026-02-27T20:00:00Z'`)
  await theDay()
  bill = { kind: 'bill', lines: LINES() }
  goTo('2026-03-03T10:00:00+08:00')
  await test.runJobs()
})
afterAll(() => test.stop())

function goTo(time: string): void {
  test.advance(Date.parse(time) - test.world.now().getTime())
}

async function paymentOf(attemptNo: string): Promise<string> {
  const { rows } = await test.database.pool.query<{ payment_no: string }>(
    'select payment_no from payment where attempt_no = $1',
    [attemptNo],
  )
  return rows[0]?.payment_no ?? ''
}

/** Orders paid now, one for each name. */
async function paid(names: string[], channel: 'wechat' | 'alipay' = 'wechat'): Promise<void> {
  for (const name of names) {
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order, channel)) ?? ''
    await pay(test.demo, order, attemptNo)
    facts[name] = { order, attemptNo, paymentNo: await paymentOf(attemptNo), refundNo: '' }
  }
}

/** Orders paid before, of which 3.00 is refunded now. */
async function refunded(names: string[]): Promise<void> {
  for (const name of names) {
    await paid([name])
    const { order } = facts[name] as Money
    const params = {
      transaction_no: order,
      mch_refund_no: newTradeNo(),
      refund_amount: '3.00',
      refund_reason: 'x',
    }
    const { data } = await call(test.demo, { method: 'POST', path: 'refund', params })
    expect(data, name).toMatchObject({ code: 'SUCCESS' })
    facts[name] = { ...(facts[name] as Money), refundNo: data.refund_no as string }
  }
}

/** Closed orders that were paid after all: the payment goes back now. */
async function reversed(names: string[]): Promise<void> {
  for (const name of names) {
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order)) ?? ''
    await close(test.demo, order)
    await pay(test.demo, order, attemptNo, 'pay-anyway')
    await test.runJobs()
    const { rows } = await test.database.pool.query<{ refund_no: string; state: string }>(
      'select refund_no, state from reversal where attempt_no = $1',
      [attemptNo],
    )
    expect(rows, name).toMatchObject([{ state: 'SUCCESS' }])
    facts[name] = { order, attemptNo, paymentNo: await paymentOf(attemptNo), refundNo: rows[0]?.refund_no as string }
  }
}

async function theDay(): Promise<void> {
  goTo('2026-03-01T23:59:59+08:00')
  await paid([
    'paid at the last second of the day before',
    'paid the day before, listed',
    'paid the day before, more',
    'paid the day before, less',
  ])
  goTo('2026-03-02T00:00:00+08:00')
  await paid(['paid at the first second', 'paid at the first second, not listed'])
  goTo('2026-03-02T00:09:59+08:00')
  await refunded(['refunded ten minutes after midnight, less a second'])
  goTo('2026-03-02T00:10:00+08:00')
  await refunded(['refunded ten minutes after midnight'])
  goTo('2026-03-02T12:00:00+08:00')
  await paid(['equal', 'more', 'less', 'nothing', 'not listed', 'listed twice', 'paid twice'])
  await paid(['of the other channel, listed', 'of the other channel, not listed'], 'alipay')
  await refunded([
    'refund equal',
    'refund more',
    'refund less',
    'refund not listed',
    'refund failed',
    'refund under way',
  ])
  await reversed(['reversal equal', 'reversal more', 'reversal less', 'reversal not listed', 'reversal again'])
  for (const name of ['never heard of', 'only the bill says so']) {
    const order = await place(test.demo, { time_expire: '2026-03-05T00:00:00+08:00' })
    facts[name] = { order, attemptNo: (await openAttempt(test.demo, order)) ?? '', paymentNo: 'UP-1', refundNo: '' }
  }
  // The upstream took this one, and its webhook was lost.
  const unheard = facts['never heard of'] as Money
  test.upstreams.faults('wechat').set([{ kind: 'silence' }])
  const taken = await test.upstreams.of('wechat').control.pay(unheard.attemptNo)
  test.upstreams.faults('wechat').set([])
  unheard.paymentNo = taken?.no ?? ''
  const { pool } = test.database
  const set = (what: string, name: string) =>
    pool.query(`update refund set ${what} where refund_no = $1`, [facts[name]?.refundNo])
  await set(`state = 'FAIL', failure = 'x', success_time = null`, 'refund failed')
  await set(`state = 'PROCESSING', success_time = null`, 'refund under way')
  await pool.query(`update reversal set upstream_no = refund_no || '-2' where refund_no = $1`, [
    facts['reversal again']?.refundNo,
  ])
  goTo('2026-03-02T23:49:59+08:00')
  await refunded(['refunded ten minutes before midnight, and a second'])
  goTo('2026-03-02T23:50:00+08:00')
  await refunded(['refunded ten minutes before midnight'])
  goTo('2026-03-02T23:59:59+08:00')
  await paid(['paid at the last second', 'paid at the last second, not listed'])
  goTo('2026-03-03T00:00:00+08:00')
  await paid(['paid at the first second of the day after'])
}

/** The bill's rows. A name without one is not in the bill. The payments of refunds and reversals are listed as they were. */
const LISTED: [name: string, kind: 'payment' | 'refund', amountFen: bigint, more?: object][] = [
  ['paid the day before, listed', 'payment', 1250n],
  ['paid the day before, more', 'payment', 1251n],
  ['paid the day before, less', 'payment', 1249n],
  ['paid at the first second', 'payment', 1250n],
  ['paid at the last second', 'payment', 1250n],
  ['equal', 'payment', 1250n],
  ['more', 'payment', 1251n],
  ['less', 'payment', 1249n],
  ['nothing', 'payment', 0n],
  ['listed twice', 'payment', 1250n],
  ['listed twice', 'payment', 1250n],
  ['paid twice', 'payment', 1250n],
  ['paid twice', 'payment', 1250n, { paymentNo: 'UP-2' }],
  ['of the other channel, listed', 'payment', 1250n],
  ['never heard of', 'payment', 1250n],
  ['only the bill says so', 'payment', 1250n],
  ['of others', 'payment', 700n],
  ['refund equal', 'refund', 300n],
  ['refund more', 'refund', 301n],
  ['refund less', 'refund', 299n],
  ['refund failed', 'refund', 300n],
  ['refund under way', 'refund', 300n],
  ['reversal equal', 'refund', 1250n],
  ['reversal more', 'refund', 1251n],
  ['reversal less', 'refund', 1249n],
  ['reversal again', 'refund', 1250n, { again: true }],
  ['equal', 'refund', 400n, { refundNo: 'theirs-1' }],
  ['of others', 'refund', 700n, { refundNo: 'theirs-2' }],
]

function LINES(): UpstreamBillLine[] {
  const others: Money = { order: '', attemptNo: 'AT-of-others', paymentNo: 'UP-3', refundNo: '' }
  const factOf = (name: string): Money => facts[name] ?? others
  const listed = LISTED.map(([name, kind, amountFen, more = {}]): UpstreamBillLine => {
    const { attemptNo, paymentNo, refundNo } = factOf(name)
    const common = { attemptNo, paymentNo, amountFen, at: NOON }
    if (kind === 'payment') return { kind, ...common, ...more }
    const number = 'again' in more ? `${refundNo}-2` : refundNo
    return { kind, ...common, refundNo: number, ...more } as UpstreamBillLine
  })
  const back = Object.entries(facts).filter(([name]) => /^(refund|reversal)/.test(name))
  return [
    ...listed,
    ...back.map(
      ([, { attemptNo, paymentNo }]): UpstreamBillLine => ({
        kind: 'payment',
        attemptNo,
        paymentNo,
        amountFen: 1250n,
        at: NOON,
      }),
    ),
  ]
}

/** What the operator must see: the kind, our amount, theirs, and whether the gateway has settled it by itself. */
const EXPECTED = `
paid the day before, more                            PAYMENT_AMOUNT   1250  1251  open
paid the day before, less                            PAYMENT_AMOUNT   1250  1249  open
paid at the first second, not listed                 PAYMENT_MISSING  1250  -     open
paid at the last second, not listed                  PAYMENT_MISSING  1250  -     open
more                                                 PAYMENT_AMOUNT   1250  1251  open
less                                                 PAYMENT_AMOUNT   1250  1249  open
nothing                                              PAYMENT_AMOUNT   1250  0     open
not listed                                           PAYMENT_MISSING  1250  -     open
paid twice                                           PAYMENT_UNKNOWN  -     1250  open
of the other channel, listed                         PAYMENT_UNKNOWN  -     1250  open
never heard of                                       PAYMENT_UNKNOWN  -     1250  settled
only the bill says so                                PAYMENT_UNKNOWN  -     1250  open
of others                                            PAYMENT_UNKNOWN  -     700   open
refunded ten minutes after midnight                  REFUND_MISSING   300   -     open
refunded ten minutes before midnight, and a second   REFUND_MISSING   300   -     open
refund more                                          REFUND_AMOUNT    300   301   open
refund less                                          REFUND_AMOUNT    300   299   open
refund not listed                                    REFUND_MISSING   300   -     open
refund failed                                        REFUND_DONE_THOUGH_FAILED   300   300   settled
reversal more                                        REFUND_AMOUNT    1250  1251  open
reversal less                                        REFUND_AMOUNT    1250  1249  open
reversal not listed                                  REFUND_MISSING   1250  -     open
equal                                                REFUND_UNKNOWN   -     400   open
of others                                            REFUND_UNKNOWN   -     700   open
`

it('finds every difference of the day, and no other', async () => {
  const { rows } = await test.database.pool.query<Record<string, string | bigint | boolean | null>>(
    `select kind, attempt_no, ours_fen, theirs_fen, settled from reconciliation_difference
      where channel = 'wechat' and day = $1`,
    [DAY],
  )
  const nameOf = (attemptNo: unknown): string =>
    Object.keys(facts).find((name) => facts[name]?.attemptNo === attemptNo) ?? 'of others'
  const found = rows.map(({ kind, attempt_no, ours_fen, theirs_fen, settled }) =>
    [nameOf(attempt_no), kind, ours_fen ?? '-', theirs_fen ?? '-', settled ? 'settled' : 'open'].join(' | '),
  )
  const expected = EXPECTED.trim()
    .split('\n')
    .map((line) =>
      line
        .trim()
        .split(/\s{2,}|(?<=PAYMENT_AMOUNT|REFUND_AMOUNT)\s+/)
        .join(' | '),
    )
  expect(found.sort()).toEqual(expected.sort())
})

it('counts the rows and sums of the bill, whatever differs', async () => {
  const { rows } = await test.database.pool.query(
    `select differences, lines, paid_lines, paid_fen, refunded_lines, refunded_fen from reconciliation
      where channel = 'wechat' and day = $1`,
    [DAY],
  )
  const listed = LISTED.length + Object.keys(facts).filter((name) => /^(refund|reversal)/.test(name)).length
  expect(rows).toEqual([
    {
      differences: 24,
      lines: listed,
      paid_lines: listed - 11,
      // Eleven by the list and the fifteen that went back are of 12.50; two have a fen more, two a fen less, and one nothing.
      paid_fen: 1250n * 26n + 1251n * 2n + 1249n * 2n + 700n,
      refunded_lines: 11,
      refunded_fen: 300n * 5n + 1250n * 4n + 400n + 700n,
    },
  ])
})

it('raises an alarm for what is open, and for nothing that it settled itself', () => {
  const told = test
    .logged()
    .filter(({ msg, day, channel }) => msg === 'the bill and the books differ' && day === DAY && channel === 'wechat')
  expect(told).toHaveLength(24)
  expect(told.filter(({ alarm }) => alarm === true)).toHaveLength(22)
})

it('books what it had not heard of once the upstream itself says so, and nothing that only a bill says', async () => {
  expect((await query(test.demo, facts['never heard of']?.order ?? '')).data.code).toBe('SUCCESS')
  expect((await query(test.demo, facts['only the bill says so']?.order ?? '')).data.code).toBe('NOTPAY')
  const { rows } = await test.database.pool.query(`select payment_no from payment where payment_no in ('UP-1', 'UP-2')`)
  expect(rows).toEqual([])
  const { rows: refunds } = await test.database.pool.query('select state from refund where refund_no = $1', [
    facts['refund failed']?.refundNo,
  ])
  expect(refunds).toEqual([{ state: 'SUCCESS' }])
})
