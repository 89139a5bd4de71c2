/** What is no part of the books, and how long it is kept. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { forgetOldRows } from '../apps/server/src/actions/calls/forget-rows.ts'
import { place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const DAY = 86_400_000
const DAYS = { tryDays: 100, hourDays: 60, reconciliationDays: 365 }

let test: TestWorld
beforeAll(async () => {
  test = await testWorld({ start: new Date('2026-01-31T04:00:00.000Z') })
  const { world, demo } = test
  const { pool } = world
  for (const [state, number] of [
    ['DELIVERED', await place(demo)],
    ['PENDING', await place(demo)],
  ]) {
    const at = [demo.mchNo, number, world.now()]
    await pool.query(
      `insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
       values ($1, $2, 1, 'payment', 'https://x.example', 'x.example', '{}', $4, $3, $3, $3)`,
      [...at, state],
    )
    await pool.query(
      `insert into notification_try select $1, $2, 1, n, $3, 5, 500, 'no', 'HTTP 500' from generate_series(1, 3) n`,
      at,
    )
  }
  await pool.query(
    `insert into order_hour select $1, h, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, h from generate_series($2::timestamptz, $3, interval '1 hour') h`,
    [demo.mchNo, new Date(+world.now() - 59 * DAY), world.now()],
  )
  await pool.query(
    `insert into reconciliation (mch_no, channel, day, lines, differences, done_at)
     select $1, 'wechat', d, 0, 0, d from generate_series('2025-02-01'::date, '2025-02-10', interval '1 day') d`,
    [demo.mchNo],
  )
  await pool.query(
    `insert into reconciliation_difference (mch_no, channel, day, kind, attempt_no, payment_no, refund_no, settled, found_at)
     select $1, 'wechat', '2025-02-01', 'PAYMENT_UNKNOWN', s::text, 'p', '', s, now() from unnest(array[true, false]) s`,
    [demo.mchNo],
  )
})
afterAll(() => test.stop())

const left = async (): Promise<Record<string, number>> => {
  const tables = ['notification_try', 'order_hour', 'reconciliation', 'reconciliation_difference']
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`)
  const { rows } = await test.world.pool.query<Record<string, number>>(`select ${counts.join(', ')}`)
  return rows[0] ?? {}
}

/** So many days after the rows were written. */
const forget = (days: number, limits = DAYS): Promise<number> => {
  const { world } = test
  const sureNow = () => new Date(+world.now() + days * DAY)
  return forgetOldRows({ ...world, limits: { ...world.limits, ...limits }, sureNow })
}

const ALL = { notification_try: 6, order_hour: 59 * 24 + 1, reconciliation: 10, reconciliation_difference: 2 }

it('no fewer days than 32 are kept, and 0 is for good', async () => {
  expect(await forget(36_000, { tryDays: 0, hourDays: 0, reconciliationDays: 0 })).toBe(0)
  // The oldest hour is 59 days old: one day is counted as 32.
  expect(await forget(-27, { tryDays: 1, hourDays: 1, reconciliationDays: 0 })).toBe(0)
  expect(await left()).toEqual(ALL)
})

it('what is older than its retention goes, some rows at a time, and what is due, unsettled or younger stays', async () => {
  expect(await forget(0)).toBe(0)
  expect(await left()).toEqual(ALL)
  // The first hours are 60 days old, and the first days a year.
  expect(await forget(1.5)).toBe(12 + 1 + 1)
  expect(await left()).toEqual({
    ...ALL,
    order_hour: ALL.order_hour - 12,
    reconciliation: 9,
    reconciliation_difference: 1,
  })
  await forget(101)
  expect(await left()).toEqual({ notification_try: 3, order_hour: 0, reconciliation: 0, reconciliation_difference: 1 })
  expect(await forget(101)).toBe(0)
  const lines = test.logged().filter(({ msg }) => msg === 'rows older than their retention removed')
  expect(lines.map(({ of }) => of)).toContain('notification_try')
  expect(await test.world.metrics.registry.metrics()).toContain('acopay_forgotten_rows_total{of="notification_try"} 3')
})
