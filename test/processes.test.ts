import { setTimeout as pause } from 'node:timers/promises'
import { brokenAt, readTimeline } from '@acopay/store'
import { describe, expect, it } from 'vitest'
import { type Answer, close, openAttempt, pay, place } from './support/gateway.ts'
import { ownGateways } from './support/own-gateways.ts'
import { PATIENT, type StartedProcess } from './support/process.ts'
import { SIZE } from './support/size.ts'

const own = ownGateways()

/** Runs the work for every item, at most `atOnce` at a time, in order. */
async function forAll<Item, Result>(items: Item[], atOnce: number, work: (item: Item) => Promise<Result>) {
  const results = new Array<Result>(items.length)
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next
      next += 1
      results[index] = await work(items[index] as Item)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return results
}

const eventsOf = async (mchNo: string, transactionNo: string) => {
  const entries = await readTimeline(own.database.pool, mchNo, transactionNo)
  expect(brokenAt(entries, mchNo, transactionNo)).toBeNull()
  return entries.map(({ entry }) => JSON.parse(entry) as { event: string; to: string })
}

/** How many closes have succeeded when the gateway is killed; `npm run test:long` kills it early and late as well. */
const KILLED_AFTER = [40, 10, 80].slice(0, SIZE.killsOfClosing)

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('two gateways on one database', () => {
  it(`close ${SIZE.closedByTwo} orders while both are asked for each of them: closed once, and every caller hears SUCCESS`, async () => {
    const [one, two] = [await own.start(PATIENT), await own.start(PATIENT)]
    const orders = await forAll(numbers(SIZE.closedByTwo), 40, () => place(one.demo))
    // A tenth of them is being looked at by a payer, so that closing them takes all three phases.
    await forAll(
      orders.filter((_, index) => index % 10 === 0),
      20,
      (order) => openAttempt(two.demo, order),
    )

    const heard = await forAll(orders, 40, (order) => Promise.all([close(one.demo, order), close(two.demo, order)]))

    expect(heard.flat().filter(({ data }) => data.code !== 'SUCCESS')).toEqual([])
    const closings = await forAll(orders, 10, async (order) =>
      (await eventsOf(one.demo.mchNo, order)).filter(({ to }) => to === 'CLOSED'),
    )
    expect(closings.filter((entries) => entries.length !== 1)).toEqual([])
  })
})

describe('kill -9 in the middle of 200 closes', () => {
  const AT_WORK = { ...PATIENT, ACOPAY_JOB_PAUSE_MS: '20' }

  /** Asks again as long as the answer is that the close is still under way, or did not come in time. */
  const closeForGood = async (demo: StartedProcess['demo'], order: string): Promise<Answer> => {
    const answer = await close(demo, order)
    if (answer.status === 200 && answer.data.description !== '关单处理中，请稍后查询') return answer
    await pause(200)
    return closeForGood(demo, order)
  }

  it.each(KILLED_AFTER)(
    'after %i of them were told SUCCESS: a restart leaves none CLOSING, and no answer that said SUCCESS is untrue',
    async (successesBefore) => {
      const first = await own.start(AT_WORK)
      const { demo } = first
      const orders = await forAll(numbers(200), 20, () => place(demo))
      const attempts = await forAll(orders, 20, async (order) => (await openAttempt(demo, order)) ?? '')

      let successes = 0
      // Sixty at once, so that the kill always meets some on their way, and some that have not begun.
      const heard = await forAll(orders, 60, async (order): Promise<Answer | 'lost'> => {
        const index = orders.indexOf(order)
        // Every fifth payer types the password at this moment.
        if (index % 5 === 0) void pay(demo, order, attempts[index] ?? '').catch(() => false)
        // On a slow machine more than half are told first that the close is under way.
        const answer = await closeForGood(demo, order).catch(() => 'lost' as const)
        if (answer !== 'lost' && answer.data.code === 'SUCCESS') successes += 1
        if (successes === successesBefore) await first.end('SIGKILL')
        return answer
      })
      expect(heard.filter((answer) => answer === 'lost').length).toBeGreaterThan(0)

      own.running.length = 0
      // The leases of the killed process end now: a test does not wait for them.
      await own.database.pool.query(`update job set due_at = now() where kind <> 'watch_attempt'`)
      const second = await own.start(AT_WORK)
      const count = async (sql: string): Promise<number> =>
        Number((await own.database.pool.query<{ n: string }>(`select count(*) as n from ${sql}`)).rows[0]?.n)
      await expect.poll(() => count(`job where kind <> 'watch_attempt'`), { timeout: 240_000, interval: 100 }).toBe(0)

      expect(await count(`orders where state = 'CLOSING'`)).toBe(0)
      const { rows } = await own.database.pool.query<{ transaction_no: string; state: string }>(
        'select transaction_no, state from orders',
      )
      const stateOf = new Map(rows.map((row) => [row.transaction_no, row.state]))
      const toldClosed = orders.filter((_, index) => {
        const answer = heard[index]
        return answer !== 'lost' && answer?.data.code === 'SUCCESS'
      })
      expect(toldClosed.length).toBeGreaterThan(0)
      expect(toldClosed.filter((order) => stateOf.get(order) !== 'CLOSED')).toEqual([])
      // No payer can pay a closed order, and every payment that an upstream took is booked.
      const paid = await forAll(toldClosed, 20, (order) =>
        pay({ ...demo, baseUrl: second.url }, order, attempts[orders.indexOf(order)] ?? ''),
      )
      expect(paid.filter(Boolean)).toEqual([])
      await forAll(orders, 10, (order) => eventsOf(demo.mchNo, order))

      // The merchant asks again for what it got no answer to, and hears the truth.
      const again = await forAll(orders, 20, (order) => closeForGood({ ...demo, baseUrl: second.url }, order))
      const response = await fetch(`${second.url}/sandbox/upstreams/wechat/taken`)
      const trades = (await response.json()) as { attempt_no: string; taken_fen: number; returned_fen: number }[]
      expect(trades).toHaveLength(200)
      for (const { attempt_no, taken_fen, returned_fen } of trades) {
        const index = attempts.indexOf(attempt_no)
        const answer = again[index] as Answer
        const isKept = taken_fen - returned_fen > 0
        expect([orders[index], answer.data.code]).toEqual([orders[index], isKept ? 'FAIL' : 'SUCCESS'])
      }
    },
  )
})

it('a gateway process finishes what is in flight before it stops', async () => {
  const gateway = await own.start(PATIENT)
  const orders = await forAll(numbers(40), 20, () => place(gateway.demo))
  await forAll(orders, 20, (order) => openAttempt(gateway.demo, order))
  const closes = orders.map((order) => close(gateway.demo, order).catch(() => 'refused' as const))
  await Promise.race(closes)
  expect(await gateway.end('SIGTERM')).toBe(0)
  own.running.length = 0
  const heard = await Promise.all(closes)
  const { rows } = await own.database.pool.query<{ transaction_no: string; state: string }>(
    'select transaction_no, state from orders',
  )
  for (const { transaction_no, state } of rows) {
    const answer = heard[orders.indexOf(transaction_no)]
    // Either it was answered in full, or it never got in. On a slow machine the answer may be that the close is under way, or
    // that there is none in time.
    if (answer !== 'refused' && answer?.status === 1500) continue
    const said = answer === 'refused' ? answer : answer?.data.description
    expect(['NOTPAY refused', 'CLOSED 关单成功', 'CLOSING 关单处理中，请稍后查询']).toContain(`${state} ${said}`)
  }
})
