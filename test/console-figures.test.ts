/** The page of figures: every sum equals the books, added up here row by row and by other code. */
import { addMerchant } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countFigureHours } from '../apps/server/src/actions/statistics/count-figures.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let admin: ConsoleClient
let viewer: ConsoleClient
let stranger: ConsoleClient
const M = 'MCH1000000'
const HOUR = 3_600_000

async function paid(amount: string, channel: 'wechat' | 'alipay' = 'wechat', afterS = 0): Promise<string> {
  const order = await place(gateway.demo, { amount_total: amount })
  const code = await openAttempt(gateway.demo, order, channel)
  if (channel === 'alipay') await pay(gateway.demo, order, code ?? '', 'scan')
  gateway.advance(afterS * 1000)
  await pay(gateway.demo, order, code ?? '')
  return order
}

/** An order that was closed, and paid all the same. */
async function paidLate(afterMs: number): Promise<void> {
  const order = await place(gateway.demo)
  const code = (await openAttempt(gateway.demo, order)) ?? ''
  await close(gateway.demo, order)
  gateway.advance(afterMs)
  await pay(gateway.demo, order, code, 'pay-anyway')
  await gateway.runJobs()
}

async function signIn(): Promise<void> {
  admin = await signedIn(gateway, 'admin')
  viewer = await signedIn(gateway, 'viewer')
  stranger = await signedIn(gateway, 'stranger')
}

beforeAll(async () => {
  // 1 March, 12:00 in China.
  gateway = await testWorld({ start: new Date('2026-03-01T04:00:00Z') })
  const { demo, database, world } = gateway
  await addMerchant(database.pool, { mchNo: 'MCH-OTHER', name: '别家商户' }, world.now())
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'viewer', 'merchant_viewer')
  await addUser(gateway, 'stranger', 'merchant_viewer', { mchNo: 'MCH-OTHER' })
  const refunded = await paid('10.00', 'wechat', 30)
  await paid('20.50', 'alipay', 90)
  const params = { transaction_no: refunded, mch_refund_no: 'r'.repeat(24), refund_amount: '4.00', refund_reason: 'x' }
  await call(demo, { method: 'POST', path: 'refund', params })
  await close(demo, await place(demo))
  await paidLate(2 * HOUR)
  // The next day.
  gateway.advance(20 * HOUR)
  await paid('7.00')
  await place(demo, { amount_total: '3.00' })
  await gateway.runJobs()
  await countFigureHours(world)
  await signIn()
})
afterAll(() => gateway.stop())

type Row = Record<string, string>
const rowsOf = async (sql: string): Promise<Row[]> => (await gateway.database.pool.query(sql)).rows

/** What the books say between two moments, in fen, of every merchant. */
async function books(from: string, until: string) {
  const isIn = (at: string | Date | null): boolean =>
    at !== null && +new Date(at) >= +new Date(from) && +new Date(at) < +new Date(until)
  const all = {
    orders: await rowsOf('select mch_no, transaction_no, amount_fen, created_at, closed_at, close_reason from orders'),
    attempts: await rowsOf('select transaction_no, attempt_no, channel, method, created_at from attempt'),
    payments: await rowsOf('select transaction_no, attempt_no, amount_fen, booked_at, paid_at, fate from payment'),
    refunds: await rowsOf('select amount_fen, success_time from refund'),
    reversals: await rowsOf(`select amount_fen, changed_at from reversal where state = 'SUCCESS'`),
  }
  const sum = (rows: Row[]): string => {
    const fen = rows.reduce((total, row) => total + Number(row.amount_fen), 0)
    return (fen / 100).toFixed(2)
  }
  const placed = all.orders.filter((row) => isIn(row.created_at as string))
  const closed = all.orders.filter((row) => isIn(row.closed_at as string))
  const kept = all.payments.filter((row) => row.fate === 'keep' && isIn(row.booked_at as string))
  const refunds = all.refunds.filter((row) => isIn(row.success_time as string))
  const reversals = all.reversals.filter((row) => isIn(row.changed_at as string))
  const ended = new Set([...closed, ...kept].map((row) => row.transaction_no))
  const opened = (row: Row): number =>
    +new Date(all.attempts.find((one) => one.attempt_no === row.attempt_no)?.created_at ?? 0)
  const seconds = kept.map((row) => Math.max(0, Math.floor((+new Date(row.paid_at as string) - opened(row)) / 1000)))
  const by = (reason: string): number => closed.filter((row) => row.close_reason === reason).length
  return {
    ...{ placed: placed.length, placed_amount: sum(placed), paid: kept.length, paid_amount: sum(kept) },
    ...{ closed_by_merchant: by('MERCHANT'), closed_by_expiry: by('EXPIRED'), closed_by_operator: by('OPERATOR') },
    ...{ closed_amount: sum(closed), refunds: refunds.length, refunded_amount: sum(refunds) },
    ...{ reversals: reversals.length, reversed_amount: sum(reversals) },
    attempts: all.attempts.filter((row) => ended.has(row.transaction_no)).length,
    pay_seconds: kept.length === 0 ? null : Math.round(seconds.reduce((one, other) => one + other, 0) / kept.length),
  }
}

const DAY = ['2026-03-01T00:00:00+08:00', '2026-03-02T00:00:00+08:00'] as const
const NEXT = ['2026-03-02T00:00:00+08:00', '2026-03-03T00:00:00+08:00'] as const

describe('the figures', () => {
  it('of a day, of both days and of the day before equal the books, row by row', async () => {
    const first = (await admin.get('figures?from=2026-03-01&until=2026-03-01')).body
    expect(first.total).toEqual(await books(...DAY))
    expect(first.total).toMatchObject({
      ...{ placed: 4, paid: 2, paid_amount: '30.50', refunds: 1, refunded_amount: '4.00', pay_seconds: 60 },
      ...{ closed_by_merchant: 2, closed_amount: '25.00', reversals: 1, reversed_amount: '12.50', attempts: 3 },
    })
    expect(first.before).toEqual(await books('2026-02-28T00:00:00+08:00', DAY[0]))
    const second = (await admin.get('figures?from=2026-03-02&until=2026-03-02')).body
    expect(second.total).toEqual(await books(...NEXT))
    expect(second.before).toEqual(first.total)
    const both = (await admin.get('figures?from=2026-03-01&until=2026-03-02')).body
    expect(both.total).toEqual(await books(DAY[0], NEXT[1]))
    expect([both.before_from, both.before_until]).toEqual(['2026-02-27', '2026-02-28'])
  })

  it('of each hour, and of each day where there are more than two, equal the books', async () => {
    const { step, by_time } = (await admin.get('figures?from=2026-03-01&until=2026-03-02')).body
    expect([step, by_time.length]).toEqual(['hour', 48])
    for (const { at, ...figures } of by_time) {
      const end = new Date(Date.parse(at) + HOUR).toISOString()
      expect(figures, at).toEqual(await books(at, end))
    }
    const week = (await admin.get('figures?from=2026-02-28&until=2026-03-03')).body
    expect([week.step, week.by_time.length]).toEqual(['day', 4])
    expect(week.by_time.map(({ at, ...figures }: { at: string }) => figures)).toEqual([
      await books('2026-02-28T00:00:00+08:00', DAY[0]),
      await books(...DAY),
      await books(...NEXT),
      await books(NEXT[1], '2026-03-04T00:00:00+08:00'),
    ])
  })

  it('by channel, by merchant and by the hour of the day add up to the total', async () => {
    const { total, by_channel, by_merchant, by_clock } = (await admin.get('figures?from=2026-03-01&until=2026-03-02'))
      .body
    type Sum = { paid: number; attempts: number; paid_amount: string; reversed_amount: string }
    const sumOf = (rows: Sum[]) => ({
      paid: rows.reduce((sum, row) => sum + row.paid, 0),
      attempts: rows.reduce((sum, row) => sum + row.attempts, 0),
      paid_amount: rows.reduce((sum, row) => sum + Number(row.paid_amount), 0).toFixed(2),
      reversed_amount: rows.reduce((sum, row) => sum + Number(row.reversed_amount), 0).toFixed(2),
    })
    for (const rows of [by_channel, by_merchant, by_clock]) expect(total).toMatchObject(sumOf(rows))
    expect(by_channel.map((row: { channel: string; paid: number }) => [row.channel, row.paid])).toEqual([
      ['alipay', 1],
      ['wechat', 2],
    ])
    expect(by_merchant).toEqual([{ mch_no: M, name: expect.any(String), ...total }])
    expect(by_clock).toHaveLength(24)
    // 12:00 to 13:00 in China.
    expect(by_clock[12]).toMatchObject({ hour: 12, paid: 2, paid_amount: '30.50' })
  })

  it('are of the caller’s own merchant, and compare merchants for nobody else', async () => {
    const days = 'from=2026-03-01&until=2026-03-02'
    const whole = (await admin.get(`figures?${days}`)).body
    expect((await viewer.get(`figures?${days}`)).body).toMatchObject({ total: whole.total, by_merchant: [] })
    expect((await admin.get(`figures?${days}&mch_no=${M}`)).body).toMatchObject({ total: whole.total, by_merchant: [] })
    expect((await stranger.get(`figures?${days}`)).body.total).toMatchObject({ placed: 0, paid_amount: '0.00' })
  })

  it('stay as they are when an hour is counted again, and take in what comes late in its own hour', async () => {
    const { world, database } = gateway
    const before = (await admin.get('figures?from=2026-03-01&until=2026-03-02')).body
    await database.pool.query(`update figure set counted_at = begins_at, paid = 99, placed = 99 where span = 'hour'`)
    await database.pool.query(
      `insert into figure select 'MCH-GONE', span, begins_at, channel, method, placed, placed_fen, attempts, paid, paid_fen, pay_seconds,
         closed_by_merchant, closed_by_expiry, closed_by_operator, closed_fen, refunds, refunded_fen, reversals, reversed_fen, counted_at
         from figure where mch_no = '*' and span = 'hour'`,
    )
    expect(await countFigureHours(world)).toBeGreaterThan(20)
    expect((await admin.get('figures?from=2026-03-01&until=2026-03-02')).body).toMatchObject({
      ...{
        total: before.total,
        by_time: before.by_time,
        by_merchant: before.by_merchant,
        by_channel: before.by_channel,
      },
    })
    await paidLate(HOUR)
    gateway.advance(11 * 60_000)
    await countFigureHours(world)
    await signIn()
    const after = (await admin.get('figures?from=2026-03-01&until=2026-03-02')).body
    expect(after.total).toEqual(await books(DAY[0], NEXT[1]))
    expect(after.total.reversals).toBe(before.total.reversals + 1)
  })

  it('count an hour that is over no more, and the one that goes on once a minute', async () => {
    const { world } = gateway
    gateway.advance(2 * HOUR)
    await countFigureHours(world)
    expect(await countFigureHours(world)).toBe(0)
    gateway.advance(59_999)
    expect(await countFigureHours(world)).toBe(0)
    gateway.advance(1)
    expect(await countFigureHours(world)).toBeLessThanOrEqual(2)
    await signIn()
  })

  it('are of at most 366 days, in their order, with an error that names the field', async () => {
    const said = async (query: string) => {
      const { status, body } = await admin.get(`figures?${query}`)
      return status === 200 ? 200 : body.field
    }
    expect(await said('from=2025-03-02&until=2026-03-02')).toBe(200)
    expect(await said('from=2025-03-01&until=2026-03-02')).toBe('from')
    expect(await said('from=2026-03-03&until=2026-03-02')).toBe('until')
    expect(await said('from=2026-02-30')).toBe('from')
    expect((await admin.get('figures.csv?part=none')).body.field).toBe('part')
    expect((await admin.get('figures.csv?language=fr')).body.field).toBe('language')
    const week = (await admin.get('figures')).body
    expect([week.from, week.until, week.by_time.length]).toEqual(['2026-02-24', '2026-03-02', 7])
  })
})

it('name the fifty merchants that took the most', async () => {
  const { database, world } = gateway
  for (let n = 1; n <= 51; n += 1) {
    await addMerchant(database.pool, { mchNo: `MCH-F${n}`, name: `店${n}` }, world.now())
    await database.pool.query(
      `insert into figure select (f).* from (select jsonb_populate_record(f, $2::jsonb) as f from figure f where mch_no = $1) all_of_one`,
      [M, JSON.stringify({ mch_no: `MCH-F${n}`, paid_fen: n * 1_000_000 })],
    )
  }
  const { by_merchant } = (await admin.get('figures?from=2026-03-01&until=2026-03-02')).body
  expect(by_merchant.map(({ mch_no }: { mch_no: string }) => mch_no)).toEqual(
    Array.from({ length: 50 }, (_, at) => `MCH-F${51 - at}`),
  )
  await database.pool.query(`delete from figure where mch_no like 'MCH-F%'`)
})

describe('the file', () => {
  const file = async (query: string) => admin.get(`figures.csv?from=2026-03-01&until=2026-03-03&${query}`)

  it('has the rows of the page, its headings in the reader’s language, and the total at its end', async () => {
    const { total, by_time } = (await admin.get('figures?from=2026-03-01&until=2026-03-03')).body
    const { body, headers } = await file('part=by_time&language=zh')
    expect(headers.get('content-disposition')).toBe('attachment; filename="figures-by-time-2026-03-01-2026-03-03.csv"')
    const lines = body.split('\r\n')
    expect(lines[0]).toMatch(/^时间,下单笔数,下单金额,支付笔数,支付金额,/)
    expect(lines).toHaveLength(6)
    expect(lines[1]).toBe(
      ['2026-03-01T00:00:00+08:00', ...Object.values(by_time[0]).slice(1)].map((one) => String(one ?? '')).join(','),
    )
    expect(lines[4]).toBe(['合计', ...Object.values(total)].join(','))
    expect((await file('part=by_channel&language=en')).body).toMatch(/^channel,method,placed,/)
    expect((await file('part=by_merchant')).body).toContain(`\r\n${M},`)
    // The mark that tells spreadsheets that it is UTF-8.
    const raw = await fetch(`${gateway.demo.baseUrl}/console/api/figures.csv`, { headers: { cookie: admin.cookie } })
    expect([...new Uint8Array(await raw.arrayBuffer()).slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  })
})
