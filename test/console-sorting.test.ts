/** Lists of orders in another order than the newest first: every order once, page by page, and only where an index has that order. */
import { addApp, addMerchant } from '@acopay/store'
import { listOrdersSorted, listRefunds, listReversals, type OrderSort } from '@acopay/store/read'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putAway } from './support/archived.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let operator: ConsoleClient
let mch: string
const AMOUNTS = ['7.00', '120.00', '0.50', '35.10', '35.10']
const paid: string[] = []
beforeAll(async () => {
  gateway = await testWorld()
  const { demo, database, world } = gateway
  mch = demo.mchNo
  await addMerchant(database.pool, { mchNo: 'MCH2', name: 'other' }, world.now())
  await addApp(database.pool, { mchNo: 'MCH2', appNo: 'APP2', name: 'other' }, world.now())
  await addUser(gateway, 'an-operator', 'operator')
  for (const amount_total of AMOUNTS) {
    gateway.advance(1000)
    const order = await place(demo, { amount_total })
    await pay(demo, order, (await openAttempt(demo, order)) ?? '')
    paid.push(order)
  }
  gateway.advance(1000)
  await place(demo, { amount_total: '999.00' })
  operator = await signedIn(gateway, 'an-operator')
})
afterAll(() => gateway.stop())

/** Every row of a list, two a page. */
async function rowsOf(query: string): Promise<{ transaction_no: string; amount_total: string }[]> {
  const all: { transaction_no: string; amount_total: string }[] = []
  for (let after = ''; ; ) {
    const { status, body } = await operator.get(`orders?limit=2&${query}${after}`)
    expect(status, JSON.stringify(body)).toBe(200)
    all.push(...body.rows)
    if (body.next === null) return all
    after = `&after=${body.next}`
  }
}
const numbers = async (query: string) => (await rowsOf(query)).map(({ transaction_no }) => transaction_no)
const amounts = async (query: string) => (await rowsOf(query)).map(({ amount_total }) => amount_total)

describe('orders', () => {
  it('are listed the oldest first, of all merchants and of one, with every filter', async () => {
    const newestFirst = await numbers('')
    expect(newestFirst).toHaveLength(6)
    expect(await numbers('sort=oldest')).toEqual([...newestFirst].reverse())
    expect(await numbers(`sort=oldest&mch_no=${mch}`)).toEqual([...newestFirst].reverse())
    expect(await numbers('sort=oldest&state=SUCCESS&amount_min=35')).toEqual([paid[1], paid[3], paid[4]])
  })

  it('of one merchant that are paid are listed by amount, equal ones by number', async () => {
    expect(await amounts(`sort=amount_down&mch_no=${mch}`)).toEqual(['120.00', '35.10', '35.10', '7.00', '0.50'])
    expect(await amounts(`sort=amount_up&mch_no=${mch}`)).toEqual(['0.50', '7.00', '35.10', '35.10', '120.00'])
    const both = await numbers(`sort=amount_up&mch_no=${mch}&amount_min=35&amount_max=36`)
    expect(both).toEqual([paid[3], paid[4]])
    expect(await numbers(`sort=amount_down&mch_no=${mch}&amount_min=35&amount_max=36`)).toEqual([paid[4], paid[3]])
    expect(await numbers('sort=amount_up&mch_no=MCH2')).toEqual([])
  })

  it('are not sorted by amount where no index has that order: the field says why', async () => {
    const wrong = async (query: string) => (await operator.get(`orders?${query}`)).body
    expect(await wrong('sort=amount_up')).toMatchObject({ error: 'FIELD_INVALID', field: 'sort' })
    expect(await wrong(`sort=amount_up&mch_no=${mch}&state=CLOSED`)).toMatchObject({ field: 'sort' })
    expect(await wrong('sort=oldest&state=STUCK')).toMatchObject({ field: 'state' })
    expect(await wrong('sort=color')).toMatchObject({ field: 'sort' })
    expect(await wrong('sort=oldest&after=AP1')).toMatchObject({ field: 'after' })
  })

  it('are exported in the order in which they are listed', async () => {
    const { body } = await operator.get(`orders.csv?sort=amount_up&mch_no=${mch}`)
    const places = paid.map((one) => (body as string).indexOf(one))
    expect(places.every((at) => at > 0)).toBe(true)
    expect(
      [places[2], places[0], places[3], places[4], places[1]].every(
        (at, i, all) => i === 0 || (at ?? 0) > (all[i - 1] ?? 0),
      ),
    ).toBe(true)
  })
})

describe('refunds and reversals', () => {
  const pages = async (query: string): Promise<string[]> => {
    const all: string[] = []
    for (let after = ''; ; ) {
      const { status, body } = await operator.get(`${query}&limit=2${after}`)
      expect(status, JSON.stringify(body)).toBe(200)
      all.push(...body.rows.map((row: { refund_no: string }) => row.refund_no))
      if (body.next === null) return all
      after = `&after=${body.next}`
    }
  }

  it('are listed the oldest first, every one once, also those of archived orders', async () => {
    const { demo } = gateway
    const archived: string[] = []
    for (const [index, transaction_no] of paid.entries()) {
      gateway.advance(1000)
      const refund = { transaction_no, mch_refund_no: `refund-number-${index}`.padEnd(24, '0'), refund_amount: '0.10' }
      await call(demo, { method: 'POST', path: 'refund', params: { ...refund, refund_reason: 'x' } })
      const order = await place(demo)
      const code = (await openAttempt(demo, order)) ?? ''
      await close(demo, order)
      if (index % 2 === 0) {
        await putAway(gateway, [order])
        archived.push(order)
      }
      await gateway.upstreams.of('wechat').control.payAnyway(code)
    }
    expect(archived).toHaveLength(3)
    for (const list of ['refunds', 'reversals']) {
      for (const more of ['', `&mch_no=${mch}`]) {
        const newestFirst = await pages(`${list}?x=${more}`)
        expect(newestFirst, list).toHaveLength(5)
        expect([...newestFirst].sort().reverse()).toEqual(newestFirst)
        expect(await pages(`${list}?sort=oldest${more}`), list).toEqual([...newestFirst].reverse())
      }
    }
    expect((await operator.get('refunds?sort=amount_up')).body).toMatchObject({ error: 'FIELD_INVALID', field: 'sort' })
  })
})

describe('an index that is there anyway', () => {
  /** The plans of a page and of its end, where PostgreSQL must not read whole tables. */
  async function plansOf(sort: OrderSort): Promise<string> {
    const client = await gateway.database.pool.connect()
    const plans: string[] = []
    const query = async ({ text, values }: { text: string; values: unknown[] }) => {
      const { rows } = await client.query(`explain ${text}`, values)
      plans.push(...rows.map((row) => String(row['QUERY PLAN'])))
      return { rows: [] }
    }
    try {
      await client.query('set enable_seqscan = off')
      const bounds = { from: 'AP', before: 'AQ', amountMin: null, amountMax: null }
      const filter = { mchNo: mch, state: null, channel: null, ...bounds }
      const after = { fen: 100n, transactionNo: 'AP2' }
      await listOrdersSorted({ query } as never, { filter, sort, after }, 50, 5000)
      return plans.join('\n')
    } finally {
      client.release(true)
    }
  }

  it.each([
    ['amount_down', 'orders_paid_by_amount'],
    ['amount_up', 'orders_paid_by_amount'],
    ['oldest', 'orders_by_number'],
  ] as const)('has the order %s: nothing is sorted, only the stretch of a page is read', async (sort, index) => {
    const plans = await plansOf(sort)
    expect(plans).toContain(index)
    expect(plans).not.toMatch(/Sort/)
  })

  it('has refunds and reversals the oldest first, of one merchant and of all', async () => {
    const client = await gateway.database.pool.connect()
    const query = async ({ text, values }: { text: string; values: unknown[] }) => {
      const { rows } = await client.query(`explain ${text}`, values)
      const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n')
      if (!text.includes('archived_reversal')) {
        expect(plan).toMatch(/Index (?:Only )?Scan using (?:refund|reversal)_(?:by_number|pkey)/)
        expect(plan).not.toMatch(/Sort|Seq Scan on (?:refund|reversal)/)
      }
      return { rows: [] }
    }
    try {
      await client.query('set enable_seqscan = off')
      const none = { number: null, state: null, channel: null, appNo: null, amountMin: null, amountMax: null }
      const bounds = { from: 'AR', before: 'AS', stuckBefore: new Date(0), isOldestFirst: true }
      for (const mchNo of [mch, null]) {
        for (const list of [listRefunds, listReversals])
          await list({ query } as never, { ...none, ...bounds, mchNo }, 50, 5000)
      }
    } finally {
      client.release(true)
    }
  })
})
