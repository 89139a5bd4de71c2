/** What finance sees at the console: bills, what they are compared with, differences and unmatched payments. */
import type { UpstreamBillAnswer } from '@acopay/channels'
import {
  addMerchant,
  type Difference,
  keepUnmatchedPayment,
  putChannelAccount,
  type UnmatchedPayment,
  writeReconciliation,
} from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000
const NONE = { lines: 0, fen: 0n }

let gateway: TestWorld
let finance: ConsoleClient
let operator: ConsoleClient
let ofMerchant: ConsoleClient
/** What WeChat's bill of every day says; Alipay's is not there yet. */
let bill: UpstreamBillAnswer = { kind: 'none' }
beforeAll(async () => {
  gateway = await testWorld({
    upstream: (_real, name) => ({ fetchUpstreamBill: async () => (name === 'wechat' ? bill : { kind: 'later' }) }),
  })
  const { pool } = gateway.database
  const now = gateway.world.now()
  await addMerchant(pool, { mchNo: 'MCH2', name: '别家商户' }, now)
  await putChannelAccount(pool, { mchNo: 'MCH2', channel: 'alipay', settingsSealed: Buffer.alloc(1) }, now)
  await addUser(gateway, 'in-finance', 'finance')
  await addUser(gateway, 'an-operator', 'operator')
  await addUser(gateway, 'of-the-merchant', 'merchant_admin')
  await everybodySignsIn()
})
afterAll(() => gateway.stop())

/** Sessions end while the clock is moved on. */
async function everybodySignsIn(): Promise<void> {
  finance = await signedIn(gateway, 'in-finance')
  operator = await signedIn(gateway, 'an-operator')
  ofMerchant = await signedIn(gateway, 'of-the-merchant')
}

/** Every row of a list, page by page. */
async function all(path: string, client = finance): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let after = ''; ; ) {
    const { status, body } = await client.get(`${path}${path.includes('?') ? '&' : '?'}limit=2&after=${after}`)
    if (status !== 200) throw new Error(JSON.stringify(body))
    rows.push(...body.rows)
    if (body.next === null) return rows
    after = encodeURIComponent(body.next)
  }
}

describe('bills', () => {
  const DAY = '2026-03-01'
  beforeAll(async () => {
    const { demo, database } = gateway
    const orders: string[] = []
    for (const amount_total of ['10.00', '20.00']) {
      const number = await place(demo, { amount_total })
      await pay(demo, number, (await openAttempt(demo, number)) ?? '')
      orders.push(number)
    }
    const refund = { refund_amount: '4.00', refund_reason: '退货', mch_refund_no: 'r'.repeat(30) }
    await call(demo, { method: 'POST', path: 'refund', params: { ...refund, transaction_no: orders[0] ?? '' } })
    const { rows } = await database.pool.query('select attempt_no, payment_no from payment order by amount_fen limit 1')
    const [{ attempt_no: attemptNo, payment_no: paymentNo }] = rows
    // The upstream knows of the first payment only, and says another amount.
    const line = { kind: 'payment', attemptNo, paymentNo, amountFen: 1001n, at: gateway.world.now() } as const
    bill = { kind: 'bill', lines: [line] }
    gateway.advance(24 * HOUR)
    await gateway.runJobs()
    await everybodySignsIn()
  })
  const path = (what: string): string => `bills/${gateway.demo.mchNo}/${DAY}/${what}`

  it('are fetched through a link of their own', async () => {
    const bills = await all(`bills?mch_no=${gateway.demo.mchNo}`)
    expect(bills.find(({ bill_day }) => bill_day === DAY)).toMatchObject({ lines: 3, has_file: true })
    const { body } = await finance.get(path('link'))
    expect(await (await fetch(body.url)).text()).toContain('TOTAL_NET')
    expect((await finance.get(`bills/${gateway.demo.mchNo}/1999-01-01/link`)).status).toBe(404)
    expect((await finance.get(`bills/${gateway.demo.mchNo}/1999-02-31/link`)).status).toBe(404)
    expect((await ofMerchant.get('bills/MCH2/2026-03-01/link')).status).toBe(403)
  })

  it('are compared with what each upstream says of the day', async () => {
    const { body } = await finance.get(path('comparison'))
    expect(body).toMatchObject({ bill_day: DAY, lines: 3, has_file: true })
    const nothing = { count: 0, amount: '0.00' }
    expect(body.channels).toEqual([
      {
        channel: 'alipay',
        ours: { paid: nothing, refunded: nothing, earlier: nothing, later: nothing },
        theirs: null,
      },
      {
        channel: 'wechat',
        ours: {
          paid: { count: 2, amount: '30.00' },
          refunded: { count: 1, amount: '4.00' },
          earlier: nothing,
          later: nothing,
        },
        theirs: {
          lines: 1,
          paid: { count: 1, amount: '10.01' },
          refunded: nothing,
          differences: 3,
          unsettled: 3,
          done_at: expect.any(String),
        },
      },
    ])
    expect((await finance.get(`bills/${gateway.demo.mchNo}/1999-01-01/comparison`)).status).toBe(404)
    expect((await ofMerchant.get(path('comparison'))).status).toBe(403)
  })

  it('say which payments the upstream counts on another day', async () => {
    const { pool } = gateway.database
    await pool.query(
      `update payment set booked_at = booked_at + interval '2 days' where amount_fen = 2000 and mch_no = $1`,
      [gateway.demo.mchNo],
    )
    const { body } = await finance.get(path('comparison'))
    expect(body.channels[1].ours).toMatchObject({
      paid: { count: 1, amount: '10.00' },
      later: { count: 1, amount: '20.00' },
    })
    await pool.query(`update payment set booked_at = booked_at - interval '2 days' where amount_fen = 2000`)
    await pool.query(`update payment set paid_at = paid_at - interval '1 day' where amount_fen = 2000`)
    expect((await finance.get(path('comparison'))).body.channels[1].ours).toMatchObject({
      paid: { count: 2, amount: '30.00' },
      earlier: { count: 1, amount: '20.00' },
    })
  })

  it("of an older version's reading are compared without sums, and with its lines and differences", async () => {
    const sql =
      'update reconciliation set paid_lines = null, paid_fen = null, refunded_lines = null, refunded_fen = null'
    await gateway.database.pool.query(sql)
    expect((await finance.get(path('comparison'))).body.channels[1].theirs).toMatchObject({
      lines: 1,
      paid: null,
      refunded: null,
      differences: 3,
    })
  })

  it('whose files were forgotten offer none, and keep their fingerprint', async () => {
    await gateway.database.pool.query('delete from bill_part where bill_day = $1', [DAY])
    const bills = await all(`bills?mch_no=${gateway.demo.mchNo}`)
    expect(bills.find(({ bill_day }) => bill_day === DAY)).toMatchObject({
      has_file: false,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect((await finance.get(path('link'))).status).toBe(404)
  })
})

describe('differences', () => {
  const found = { kind: 'PAYMENT_MISSING', refundNo: '', oursFen: 100n, theirsFen: null, isSettled: false } as const
  const write = (channel: string, day: string, differences: Difference[]) => {
    const { world, database } = gateway
    const sums = { paid: { lines: 9, fen: 900n }, refunded: NONE }
    return writeReconciliation(database.pool, { mchNo: 'MCH2', channel, day }, { ...sums, differences }, world.now())
  }

  it('are settled once, with a note that stays', async () => {
    await write('alipay', '2026-02-01', [{ ...found, attemptNo: 'AT1', paymentNo: '42' }])
    expect((await all('reconciliations?mch_no=MCH2')).at(0)).toMatchObject({ lines: 9, differences: 1, unsettled: 1 })
    const [row] = (await finance.get('differences?settled=false&mch_no=MCH2')).body.rows
    expect(row).toMatchObject({ mch_no: 'MCH2', kind: 'PAYMENT_MISSING', ours: '1.00', theirs: null })
    expect((await operator.send('POST', 'differences/settle', { ...row, note: 'x' })).status).toBe(403)
    expect(await finance.send('POST', 'differences/settle', row)).toMatchObject({
      status: 400,
      body: { field: 'note' },
    })
    expect((await finance.send('POST', 'differences/settle', { ...row, note: '上游次日补单' })).status).toBe(200)
    expect((await finance.send('POST', 'differences/settle', { ...row, note: '再次' })).status).toBe(409)
    const [settled] = (await finance.get('differences?mch_no=MCH2')).body.rows
    expect(settled).toMatchObject({ settled: true, note: '上游次日补单', settled_by: 'in-finance' })
  })

  it('are listed page by page, each once, the unsettled first, and chosen by merchant, day, channel and whether settled', async () => {
    const many = ['1', '2', '3'].map((no) => ({ ...found, attemptNo: `AT.${no}`, paymentNo: `支付"${no}` }))
    await write('alipay', '2026-02-02', many)
    await write('alipay', '2026-01-31', many.slice(0, 1))
    const rows = await all('differences?mch_no=MCH2')
    expect(rows.map(({ day, attempt_no, settled }) => [day, attempt_no, settled])).toEqual([
      ['2026-02-02', 'AT.3', false],
      ['2026-02-02', 'AT.2', false],
      ['2026-02-02', 'AT.1', false],
      ['2026-01-31', 'AT.1', false],
      ['2026-02-01', 'AT1', true],
    ])
    const everybodys = await all('differences')
    expect(everybodys).toHaveLength(rows.length + (await all(`differences?mch_no=${gateway.demo.mchNo}`)).length)
    expect(await all('differences?mch_no=MCH2&day=2026-02-02&channel=alipay')).toEqual(rows.slice(0, 3))
    expect(await all('differences?mch_no=MCH2&settled=true')).toEqual(rows.slice(4))
    expect(await all('differences?mch_no=MCH2&channel=wechat')).toEqual([])
    expect((await ofMerchant.get('differences')).status).toBe(403)
  })
})

describe('a payment that matches no attempt', () => {
  const unmatched = (paymentNo: string): UnmatchedPayment => ({
    mchNo: gateway.demo.mchNo,
    channel: 'wechat',
    attemptNo: 'AT0',
    currency: 'CNY',
    paymentNo,
    amountFen: 5n,
    paidAt: gateway.world.now(),
  })

  it('is listed page by page, of one merchant or all', async () => {
    const { world, database } = gateway
    for (const paymentNo of ['4200', '4201', '4202']) {
      gateway.advance(1)
      await keepUnmatchedPayment(database.pool, unmatched(paymentNo), world.now())
    }
    await keepUnmatchedPayment(database.pool, { ...unmatched('1'), mchNo: 'MCH2' }, world.now())
    const numbers = async (path: string) => (await all(path)).map(({ payment_no }) => payment_no)
    expect(await numbers(`unmatched-payments?mch_no=${gateway.demo.mchNo}`)).toEqual(['4202', '4201', '4200'])
    expect(await numbers('unmatched-payments?mch_no=MCH2')).toEqual(['1'])
    expect((await numbers('unmatched-payments')).sort()).toEqual(['1', '4200', '4201', '4202'])
  })

  it('is settled once with a note, and the overview counts what is not', async () => {
    expect((await finance.get('overview')).body.unmatched_payments).toBe(4)
    for (const row of await all('unmatched-payments')) {
      expect(row).toMatchObject({ amount: '0.05', settled: false, note: null })
      expect((await finance.send('POST', 'unmatched-payments/settle', row)).body.field).toBe('note')
      expect((await operator.send('POST', 'unmatched-payments/settle', { ...row, note: 'x' })).status).toBe(403)
      expect((await finance.send('POST', 'unmatched-payments/settle', { ...row, note: '已线下退款' })).status).toBe(200)
      expect((await finance.send('POST', 'unmatched-payments/settle', { ...row, note: '再次' })).status).toBe(409)
    }
    expect((await finance.get('overview')).body.unmatched_payments).toBe(0)
    expect(await all('unmatched-payments?settled=false')).toEqual([])
    expect((await all('unmatched-payments')).at(0)).toMatchObject({
      settled: true,
      note: '已线下退款',
      settled_by: 'in-finance',
    })
    const { rows } = (await finance.get('audit?action=reconciliation.settle')).body
    const detail = expect.objectContaining({ kind: 'STRAY' })
    expect(rows).toContainEqual(expect.objectContaining({ subject: 'AT0', detail, outcome: 'DONE' }))
  })
})
