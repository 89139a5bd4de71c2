/** Two makers of one bill, of whom the first slept until its lease ran out. */
import type { JobOutcome } from '@acopay/core'
import { insertLeasedJob, type Job, leaseJob, type Pool } from '@acopay/store'
import { afterEach, expect, it } from 'vitest'
import { makeBill } from '../apps/server/src/actions/bill/make-bill.ts'
import type { World } from '../apps/server/src/world.ts'
import { call, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
afterEach(() => test.stop())

const DAY = '2026-03-01'

async function take(): Promise<Job> {
  const { world, demo, database } = test
  const key = { mchNo: demo.mchNo, kind: 'make_bill' as const, subject: DAY }
  const now = world.now()
  const job = await leaseJob(database.pool, key, now, new Date(now.getTime() + world.limits.leaseMs))
  if (job === null) throw new Error('another process holds the job')
  return job
}

/** The world of a maker to whom something happens just before its statements of these names. */
function worldWhere(happens: Record<string, () => Promise<void>>): World {
  const { pool } = test.database
  const query = async (statement: { name?: string }): Promise<unknown> => {
    await happens[statement.name ?? '']?.()
    return pool.query(statement as never)
  }
  return { ...test.world, pool: Object.create(pool, { query: { value: query } }) as Pool }
}

it.each(['removeLeftoverBillParts', 'writeBillPart', 'publishBill'])(
  'the first, which slept before its %s, leaves the second its pieces: what is published is whole',
  async (name) => {
    test = await testWorld()
    const { world, demo, database } = test
    const order = await place(demo)
    await pay(demo, order, (await openAttempt(demo, order)) ?? '')
    test.advance(Date.parse('2026-03-02T09:01:00+08:00') - world.now().getTime())
    const now = world.now()
    await insertLeasedJob(database.pool, { mchNo: demo.mchNo, kind: 'make_bill', subject: DAY }, now, now)

    const firstJob = await take()
    let firstGoesOn = (): void => {}
    let second: Promise<JobOutcome> = Promise.resolve('retry')
    const first = makeBill(
      worldWhere({
        [name]: async () => {
          test.advance(world.limits.leaseMs)
          const job = await take()
          await new Promise<void>((isHalfWay) => {
            const waiting = worldWhere({
              publishBill: async () => {
                isHalfWay()
                await new Promise<void>((resolve) => {
                  firstGoesOn = resolve
                })
              },
            })
            second = makeBill(waiting, job)
          })
        },
      }),
      firstJob,
    )
    expect(await first).toBe('retry')
    firstGoesOn()
    expect(await second).toBe('done')
    const { data } = await call(demo, { method: 'GET', path: 'bill', params: { bill_date: DAY } })
    const response = await fetch(new URL(new URL(data.url ?? '').pathname, demo.baseUrl))
    expect([response.status, (await response.text()).slice(0, 10)]).toEqual([200, 'kind,time,'])
  },
)

it('a link with something behind it leaves its proof in no log, however its path is written', async () => {
  test = await testWorld()
  await fetch(`${test.demo.baseUrl}/bills/MCH1000000/${DAY}/1772415060000/proof.csv/`)
  for (const written of ['%62ills', 'bill%73'])
    await fetch(`${test.demo.baseUrl}/${written}/MCH1000000/${DAY}/1772415060000/proof.csv`)
  await fetch(`${test.demo.baseUrl}/%63ashier/MCH1000000/AP1/proof.csv`)
  const logged = JSON.stringify(test.logged())
  expect(logged).toContain('/cashier/…')
  expect(logged).not.toContain('proof.csv')
})

/** A day with one page of payments and one more. */
async function twoPages({ database: { pool }, demo }: TestWorld): Promise<void> {
  const trade = `(select 'AP' || lpad(g::text, 36, '0') as order_no, 'AT' || lpad(g::text, 30, '0') as attempt_no,
    'UP' || g as payment_no, timestamptz '${DAY}T00:00:00+08:00' + g * interval '1 s' as at from generate_series(1, 2001) g)`
  await pool.query(
    `insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire, state,
       attempts, success_time, head_seq, head_hash, created_at, changed_at)
     select $1, order_no, $2, order_no, 'x', 1250, 'CNY', at, 'SUCCESS', 1, at, 1, '', at, at from ${trade} t`,
    [demo.mchNo, demo.appNo],
  )
  await pool.query(
    `insert into attempt (mch_no, attempt_no, transaction_no, channel, method, amount_fen, state, upstream_expire,
       create_lands_until, created_at, changed_at)
     select $1, attempt_no, order_no, 'wechat', 'native', 1250, 'PAID', at, at, at, at from ${trade} t`,
    [demo.mchNo],
  )
  await pool.query(
    `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, paid_at, fate, booked_at)
     select $1, attempt_no, payment_no, order_no, 1250, 'CNY', at, 'keep', at from ${trade} t`,
    [demo.mchNo],
  )
}

/** Begins the bill of that day, and tells how long its job is held when it is published: null if it never is. */
async function made(
  afterPage: (page: number) => Promise<void>,
): Promise<{ outcome: JobOutcome; heldMs: number | null }> {
  const { world, demo, database } = test
  await twoPages(test)
  test.advance(Date.parse('2026-03-02T09:01:00+08:00') - world.now().getTime())
  const beganAt = world.now()
  await insertLeasedJob(database.pool, { mchNo: demo.mchNo, kind: 'make_bill', subject: DAY }, beganAt, beganAt)
  let pages = 0
  let heldMs: number | null = null
  const watched = worldWhere({
    billRowsPAYMENT: async () => {
      pages += 1
      await afterPage(pages)
    },
    publishBill: async () => {
      const { rows } = await database.pool.query(`select due_at from job where kind = 'make_bill'`)
      heldMs = rows[0].due_at.getTime() - beganAt.getTime()
    },
  })
  return { outcome: await makeBill(watched, await take()), heldMs }
}

it.each([
  ['after a third of its lease is held for a whole one from then on', 5_000, 20_000],
  ['before a third of its lease has passed is left as it is', 4_999, 15_000],
])('the job of a bill whose first page ends %s', async (_what, pageMs, heldMs) => {
  test = await testWorld()
  const bill = await made(async (page) => {
    if (page === 1) test.advance(pageMs)
  })
  expect(bill).toEqual({ outcome: 'done', heldMs })
})

it('a bill is given up at the end of a page when another process has taken its job', async () => {
  test = await testWorld()
  const bill = await made(async (page) => {
    if (page > 1) throw new Error('it reads on')
    test.advance(test.world.limits.leaseMs)
    await take()
  })
  expect(bill).toEqual({ outcome: 'retry', heldMs: null })
  expect((await test.database.pool.query('select from bill')).rows).toEqual([])
})
