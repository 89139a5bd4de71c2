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

/** The world of a maker to whom something happens just before its statement of this name. */
function worldWhere(name: string, happens: () => Promise<void>): World {
  const { pool } = test.database
  const query = async (statement: { name?: string }): Promise<unknown> => {
    if (statement.name === name) await happens()
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
      worldWhere(name, async () => {
        test.advance(world.limits.leaseMs)
        const job = await take()
        await new Promise<void>((isHalfWay) => {
          const waiting = worldWhere('publishBill', async () => {
            isHalfWay()
            await new Promise<void>((resolve) => {
              firstGoesOn = resolve
            })
          })
          second = makeBill(waiting, job)
        })
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
