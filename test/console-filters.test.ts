/** The filters of the console's lists, the search over everything, and files of lists: what each finds, and whose. */
import { once } from 'node:events'
import { get as httpGet } from 'node:http'
import { addApp, addMerchant } from '@acopay/store'
import { readXlsx } from 'hucre/xlsx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConsoleCall } from '../apps/server/src/http/console/call.ts'
import { fileOf } from '../apps/server/src/http/console/exports/files.ts'
import { partsOf } from '../apps/server/src/http/console/exports/lists.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let operator: ConsoleClient
let stranger: ConsoleClient
const no = {} as Record<'plain' | 'elsewhere' | 'paid' | 'late' | 'dead', string>
beforeAll(async () => {
  gateway = await testWorld()
  const { demo, database, world } = gateway
  await addMerchant(database.pool, { mchNo: 'MCH2', name: '别家商户' }, world.now())
  await addApp(database.pool, { mchNo: demo.mchNo, appNo: 'APP-TWO', name: 'two' }, world.now())
  await addUser(gateway, 'an-operator', 'operator')
  await addUser(gateway, 'a-stranger', 'merchant_admin', { mchNo: 'MCH2' })
  const order = async (more = {}): Promise<string> => {
    gateway.advance(1000)
    return place(demo, more)
  }
  no.plain = await order()
  no.elsewhere = await order({ app_no: 'APP-TWO' })
  no.paid = await order({ amount_total: '77.77' })
  await pay(demo, no.paid, (await openAttempt(demo, no.paid)) ?? '')
  no.late = await order({ amount_total: '77.77' })
  const code = (await openAttempt(demo, no.late)) ?? ''
  await close(demo, no.late)
  await pay(demo, no.late, code, 'pay-anyway')
  no.dead = await order({ notify_url: `${demo.baseUrl}/sandbox/shop/fail` })
  await pay(demo, no.dead, (await openAttempt(demo, no.dead)) ?? '')
  await gateway.runJobs()
  await database.pool.query(`update notification set state = 'DEAD' where transaction_no = $1`, [no.dead])
  const params = {
    transaction_no: no.paid,
    mch_refund_no: `r${'0'.repeat(29)}`,
    refund_amount: '7.00',
    refund_reason: '=退货',
  }
  await call(demo, { method: 'POST', path: 'refund', params })
  operator = await signedIn(gateway, 'an-operator')
  stranger = await signedIn(gateway, 'a-stranger')
})
afterAll(() => gateway.stop())

const numbers = async (path: string, client = operator): Promise<string[]> =>
  (await client.get(path)).body.rows.map((row: { transaction_no: string }) => row.transaction_no)

describe('orders', () => {
  it('are found by app, by money that was sent back, by the state of a notification, and by an amount', async () => {
    const { mchNo } = gateway.demo
    for (const whose of ['', `&mch_no=${mchNo}`]) {
      expect(await numbers(`orders?app_no=APP-TWO${whose}`)).toEqual([no.elsewhere])
      expect(await numbers(`orders?sent_back=true${whose}`)).toEqual([no.late])
      expect(await numbers(`orders?sent_back=true&state=SUCCESS${whose}`)).toEqual([])
      expect(await numbers(`orders?notified=DEAD${whose}`)).toEqual([no.dead])
      expect(await numbers(`orders?notified=DEAD&state=CLOSED${whose}`)).toEqual([])
      expect(await numbers(`orders?notified=PENDING${whose}`)).toEqual([])
      expect(await numbers(`orders?amount_min=77.77&amount_max=77.77${whose}`)).toEqual([no.late, no.paid])
      // Paid orders of one amount have an index of their own.
      expect(await numbers(`orders?state=REFUND&amount_min=77.77&amount_max=77.77${whose}`)).toEqual([no.paid])
      expect(await numbers(`orders?state=SUCCESS&amount_min=77.77&amount_max=77.77${whose}`)).toEqual([])
    }
    for (const filter of ['app_no=APP-TWO', 'sent_back=true', 'notified=DEAD', 'amount_min=1']) {
      expect(await numbers(`orders?${filter}`, stranger), filter).toEqual([])
    }
  })

  it('are counted as far as the filters choose them, and those of another merchant are not', async () => {
    expect((await operator.get('totals/orders?sent_back=true')).body).toEqual({ count: 1, has_more: false })
    expect((await operator.get('totals/orders?limit=2')).body).toEqual({ count: 5, has_more: false })
    expect((await stranger.get('totals/orders')).body).toEqual({ count: 0, has_more: false })
  })

  it('are found by the beginning of a number where no number is the whole of it, and by the end of a payment’s', async () => {
    expect(await numbers(`orders?number=${no.plain.slice(0, 19)}`)).toEqual([no.plain])
    expect(await numbers(`orders?number=${no.plain.slice(2, 19)}`)).toEqual([no.plain])
    const { body } = await operator.get(`orders/${gateway.demo.mchNo}/${no.paid}`)
    const [{ payment_no }] = body.payments as [{ payment_no: string }]
    expect(await numbers(`orders?number=${payment_no.slice(-12)}`)).toEqual([no.paid])
    expect(await numbers(`orders?number=${body.mch_trade_no.slice(0, -1)}`)).toContain(no.paid)
    for (const part of [no.plain.slice(0, 19), payment_no.slice(-12), 'AP202', '%', '______']) {
      expect(await numbers(`orders?number=${encodeURIComponent(part)}`, stranger), part).toEqual([])
    }
  })
})

describe('refunds and reversals', () => {
  it('are found by channel, app, amount and day', async () => {
    const day = gateway.world.now().toISOString().slice(0, 10)
    expect(await numbers('refunds?channel=wechat&amount_min=7&amount_max=7')).toEqual([no.paid])
    expect(await numbers(`refunds?app_no=${gateway.demo.appNo}&from=${day}T00:00:00Z`)).toEqual([no.paid])
    expect(await numbers('reversals?amount_min=77')).toEqual([no.late])
    for (const none of ['channel=alipay', 'app_no=APP-TWO', 'amount_min=8', `until=${day}T00:00:00Z`]) {
      expect(await numbers(`refunds?${none}`), none).toEqual([])
    }
    expect(await numbers('refunds', stranger)).toEqual([])
  })
})

describe('the search over everything', () => {
  const found = async (text: string, client = operator) =>
    (await client.get(`find?text=${encodeURIComponent(text)}`)).body

  it('finds an order with its notifications, what was paid of an amount, refunds, reversals and merchants', async () => {
    const of = await found(` ${no.dead.slice(0, 10)} ${no.dead.slice(10)} `)
    expect(of.orders).toMatchObject([{ transaction_no: no.dead }])
    expect(of.notifications).toMatchObject([{ transaction_no: no.dead, state: 'DEAD' }])
    expect((await found('¥77.77')).of_amount).toMatchObject([{ transaction_no: no.paid }])
    expect((await found(`r${'0'.repeat(29)}`)).refunds).toMatchObject([{ transaction_no: no.paid }])
    expect((await found(no.late)).reversals).toMatchObject([{ transaction_no: no.late }])
    expect((await found('别家')).merchants).toMatchObject([{ mch_no: 'MCH2' }])
    expect((await found('mch2')).merchants).toMatchObject([{ mch_no: 'MCH2' }])
  })

  it('finds nothing of another merchant', async () => {
    const { name } = (await operator.get(`merchants/${gateway.demo.mchNo}`)).body
    for (const text of [no.dead, no.paid, '77.77', `r${'0'.repeat(29)}`, gateway.demo.mchNo, name]) {
      const nothing = {
        orders: [],
        of_amount: [],
        refunds: [],
        reversals: [],
        archived: [],
        notifications: [],
        merchants: [],
      }
      expect(await found(text, stranger), text).toEqual(nothing)
    }
  })
})

describe('a file', () => {
  /** The rows of the workbook, without its headings. */
  async function sheet(path: string) {
    const response = await fetch(`${gateway.demo.baseUrl}/console/api/${path}`, {
      headers: { cookie: operator.cookie },
    })
    expect(response.headers.get('content-type')).toContain('spreadsheetml')
    const { sheets } = await readXlsx(new Uint8Array(await response.arrayBuffer()))
    return (sheets[0]?.rows ?? []) as unknown[][]
  }

  it('as a workbook has numbers that add up, times of UTC+8, and texts that stay texts', async () => {
    const [head, ...rows] = await sheet('refunds.xlsx?language=en')
    expect(head?.slice(0, 4)).toEqual(['Merchant', 'Refund', "Merchant's refund", 'Order'])
    expect(rows).toHaveLength(1)
    expect(rows[0]?.slice(6, 9)).toEqual([7, 'SUCCESS', '=退货'])
    const [, ...orders] = await sheet(`orders.xlsx?number=${no.plain}`)
    expect(orders[0]?.[5]).toBe(12.5)
    // 12:00:01 in China. A workbook knows no zones.
    expect((orders[0]?.[10] as Date | undefined)?.toISOString()).toBe('2026-03-01T12:00:01.000Z')
  })

  it('as CSV has headings in the language of the page, and its rows are those of the list, page by page', async () => {
    const { body } = await operator.get('reversals.csv')
    const [head, ...lines] = body.trimEnd().split('\r\n')
    expect(head).toMatch(/^商户号,退款单号,平台订单号,.*,金额（元）,状态,/)
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^${gateway.demo.mchNo},AR\\d+,${no.late},.*,77.77,SUCCESS,`)),
    ])
    for (const list of ['orders', 'refunds', 'reversals', 'notifications', 'bills']) {
      expect((await stranger.get(`${list}.csv`)).body.trimEnd().split('\r\n'), list).toHaveLength(1)
    }
  })

  it('that is no longer wanted stops the reading', async () => {
    let reads = 0
    const read = async () => {
      reads += 1
      return { rows: Array.from({ length: 50 }, (_, index) => ({ index, text: 'x'.repeat(500) })), next: 'on' }
    }
    const limits = { rows: 1_000_000, page: 50, inVain: 10 }
    for (const format of ['csv', 'xlsx'] as const) {
      reads = 0
      const parts = await partsOf(gateway.world, { query: {} } as ConsoleCall, read, limits)
      if (!('next' in parts)) throw new Error('refused')
      const columns = [{ zh: '文', en: 'text', of: (row: { text: string }) => row.text }]
      for await (const _ of fileOf('x', format, { columns, parts, language: 'zh' }).chunks) if (reads >= 5) break
      // Of the twenty thousand pages that the file would have; a workbook is compressed some way ahead.
      expect(reads, format).toBeLessThan(200)
      expect((await parts.next()).done, format).toBe(true)
    }
  })

  it('whose reader goes away leaves no statement running, and is in the audit log', async () => {
    gateway.advance(1)
    const request = httpGet(`${gateway.demo.baseUrl}/console/api/orders.csv`, { headers: { cookie: operator.cookie } })
    const [response] = await once(request, 'response')
    response.destroy()
    const { rows } = await gateway.database.pool.query(
      `select subject from console_audit where action = 'lists.export' order by seq desc limit 1`,
    )
    expect(rows).toEqual([{ subject: 'orders.csv' }])
  })
})

describe('the statement of a month', () => {
  it('has every payment and what went back, with sums that are those of the orders', async () => {
    const { mchNo } = gateway.demo
    const { body } = await operator.get(`statements/${mchNo}/2026-03/csv?language=en`)
    const lines: string[][] = body
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line: string) => line.split(','))
    const fen = (amount = ''): number => Math.round(Number(amount) * 100)
    const of = (kind: string) => lines.filter(([, found]) => found === kind)
    const added = (kind: string): number => of(kind).reduce((sum, line) => sum + fen(line[10]), 0)
    for (const kind of ['PAYMENT', 'REFUND', 'REVERSAL']) {
      expect(
        of(`TOTAL_${kind}`).map((line) => [fen(line[10]), Number(line[12])]),
        kind,
      ).toEqual([[added(kind), of(kind).length]])
    }
    // Outside of the statement: what the orders themselves say.
    const { rows } = await gateway.database.pool.query(
      `select sum(o.amount_fen)::int - coalesce(sum(r.amount_fen), 0)::int as left
         from orders o left join refund r on r.mch_no = o.mch_no and r.transaction_no = o.transaction_no and r.state = 'SUCCESS'
        where o.mch_no = $1 and o.success_time is not null`,
      [mchNo],
    )
    expect(of('TOTAL_NET').map((line) => fen(line[10]))).toEqual([rows[0].left])
    expect(of('PAYMENT')).toHaveLength(3)
    expect(new Set(of('PAYMENT').map(([day]) => day))).toEqual(new Set(['2026-03-01']))
    expect(of('REVERSAL').map((line) => line[3])).toEqual([no.late])
  })

  it('of another month is empty, and of one that has not begun there is none', async () => {
    const { mchNo } = gateway.demo
    expect((await operator.get(`statements/${mchNo}/2026-02/csv`)).body.trimEnd().split('\r\n')).toHaveLength(1)
    for (const month of ['2026-04', '2026-13', '2026-3', 'x']) {
      const { status, body } = await operator.get(`statements/${mchNo}/${month}/csv`)
      expect([status, body.field], month).toEqual([400, 'month'])
    }
    expect((await stranger.get(`statements/${mchNo}/2026-03/csv`)).status).toBe(403)
  })
})
