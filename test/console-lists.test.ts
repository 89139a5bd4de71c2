/** The console's lists and its overview: what they hold, page by page, and that no user sees another merchant's. */
import { addMerchant } from '@acopay/store'
import { listAllNotifications } from '@acopay/store/console'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countHourlyFigures } from '../apps/server/src/actions/statistics/count-hours.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let operator: ConsoleClient
let stranger: ConsoleClient
beforeAll(async () => {
  gateway = await testWorld()
  const { pool } = gateway.database
  await addMerchant(pool, { mchNo: 'MCH2', name: '别家商户' }, gateway.world.now())
  await addUser(gateway, 'an-operator', 'operator')
  await addUser(gateway, 'a-stranger', 'merchant_admin', { mchNo: 'MCH2' })
  await everybodySignsIn()
})
afterAll(() => gateway.stop())

/** Sessions end while the clock is moved on. */
async function everybodySignsIn(): Promise<void> {
  operator = await signedIn(gateway, 'an-operator')
  stranger = await signedIn(gateway, 'a-stranger')
}

const paidOrder = async (more = {}): Promise<string> => {
  gateway.advance(1)
  const number = await place(gateway.demo, more)
  await pay(gateway.demo, number, (await openAttempt(gateway.demo, number)) ?? '')
  return number
}

const refundOf = async (transaction_no: string, refund_amount: string): Promise<string> => {
  gateway.advance(1)
  const mch_refund_no = `r${gateway.world.newDigits(30)}`
  const params = { transaction_no, mch_refund_no, refund_amount, refund_reason: '退货' }
  const { data } = await call(gateway.demo, { method: 'POST', path: 'refund', params })
  return data.refund_no ?? ''
}

/** Every row of a list, page by page. */
async function all(client: ConsoleClient, path: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let after = ''; ; ) {
    const { status, body } = await client.get(`${path}${path.includes('?') ? '&' : '?'}limit=2&after=${after}`)
    if (status !== 200) throw new Error(JSON.stringify(body))
    rows.push(...body.rows)
    if (body.next === null) return rows
    after = encodeURIComponent(body.next)
  }
}

describe('the overview', () => {
  it('counts each thing once, in the hour it was written down, for all and for each merchant', async () => {
    const { demo } = gateway
    const paid = await paidOrder({ amount_total: '10.00' })
    await refundOf(paid, '4.00')
    const closed = await place(demo)
    const code = (await openAttempt(demo, closed)) ?? ''
    await close(demo, closed)
    await pay(demo, closed, code, 'pay-anyway')
    await gateway.runJobs()
    const byOperator = await place(demo)
    await operator.send('POST', `orders/${demo.mchNo}/${byOperator}/close`)
    await countHourlyFigures(gateway.world)
    const { body } = await operator.get('overview')
    const figures = {
      placed: 3,
      paid: 1,
      paid_amount: '10.00',
      refunds: 1,
      refunded_amount: '4.00',
      closed_by_merchant: 1,
      closed_by_operator: 1,
      closed_by_expiry: 0,
      reversals: 1,
      reversed_amount: '12.50',
    }
    expect(body.today).toEqual(figures)
    expect(body.hours).toHaveLength(24)
    expect(body.hours.at(-1)).toMatchObject(figures)
    expect(body.days).toHaveLength(30)
    expect(body.days.at(-1)).toMatchObject(figures)
    expect(body.channels).toEqual([{ channel: 'wechat', attempts: 2, paid: 2, in_doubt: 0 }])
    expect((await operator.get(`overview?mch_no=${demo.mchNo}`)).body.today).toEqual(figures)
    expect((await stranger.get('overview')).body.today).toMatchObject({ placed: 0, paid_amount: '0.00' })
  })

  it('leaves an hour as it is once it is over, and counts what comes later in its own hour', async () => {
    gateway.advance(75 * 60_000)
    await countHourlyFigures(gateway.world)
    gateway.advance(60 * 60_000)
    await everybodySignsIn()
    await paidOrder({ amount_total: '7.00' })
    expect(await countHourlyFigures(gateway.world)).toBe(2)
    const { body } = await operator.get('overview')
    expect(body.hours.slice(-3).map(({ paid }: { paid: number }) => paid)).toEqual([1, 0, 1])
    expect(body.today).toMatchObject({ placed: 4, paid_amount: '17.00' })
    expect(body.at).toBe(gateway.world.now().toISOString())
  })

  it('says how many alarms are open to those who may read them, and nothing to a merchant’s user', async () => {
    expect((await operator.get('overview')).body.alarms).toEqual({
      open: expect.any(Number),
      failing_channels: expect.anything(),
    })
    expect((await stranger.get('overview')).body.alarms).toBeNull()
  })

  it('says what is stuck, and since when', async () => {
    const { pool } = gateway.database
    const number = await place(gateway.demo)
    await openAttempt(gateway.demo, number)
    gateway.upstreams.faults('wechat').set([{ kind: 'error_before' }])
    await close(gateway.demo, number)
    const { rows } = await pool.query('select changed_at from orders where transaction_no = $1', [number])
    gateway.advance(11 * 60_000)
    expect((await operator.get('overview')).body.stuck).toMatchObject({
      closing: 1,
      oldest_at: rows[0].changed_at.toISOString(),
    })
    gateway.upstreams.faults('wechat').set([])
    await gateway.runJobs()
    expect((await operator.get('overview')).body.stuck).toMatchObject({ closing: 0, oldest_at: null })
  })
})

describe('what is stuck', () => {
  const figures = async (client = operator, query = '') => (await client.get(`overview${query}`)).body.stuck

  it('of refunds is what the list of stuck refunds shows, from ten minutes on', async () => {
    const order = await paidOrder()
    gateway.upstreams.faults('wechat').set([{ kind: 'error_before' }])
    await refundOf(order, '1.00')
    gateway.advance(600_000)
    expect([await figures(), await all(operator, 'refunds?state=STUCK')]).toMatchObject([{ refunds: 0 }, []])
    gateway.advance(1)
    expect(await figures()).toMatchObject({ refunds: 1 })
    const last_answer = expect.stringMatching(/^refund: unknown \(HTTP 500/)
    expect(await all(operator, 'refunds?state=STUCK')).toMatchObject([
      { transaction_no: order, is_stuck: true, last_answer },
    ])
  })

  it('of work is what was tried in vain for long, wherever its next try lies, and what no process takes; each once', async () => {
    const { pool } = gateway.database
    const list = async (client = operator) => (await all(client, 'jobs')).map(({ kind, tries }) => [kind, tries])
    // The refund's own job: after its first try failed, no process leased it.
    gateway.advance(60_000)
    const waiting = await list()
    expect(waiting).toContainEqual(['send_refund', 1])
    expect(await figures()).toMatchObject({ jobs: waiting.length })
    for (let i = 0; i < 3; i += 1) {
      gateway.advance(60_000)
      await gateway.runJobs()
    }
    const [job, ...others] = await all(operator, 'jobs')
    expect(others).toEqual([])
    expect(job).toMatchObject({ kind: 'send_refund', tries: 4, mch_no: gateway.demo.mchNo })
    expect(Date.parse(String(job?.due_at))).toBeGreaterThan(gateway.world.now().getTime())
    const [refund] = await all(operator, 'refunds?state=STUCK')
    expect(job).toMatchObject({ subject: refund?.refund_no, transaction_no: refund?.transaction_no })
    // A watch may take long; a watch that no process leases is stuck.
    const sql = `insert into job (mch_no, kind, subject, due_at, tries, created_at) values ('MCH2', $1, $2, $3, 9, $4)`
    const [now, before] = [gateway.world.now(), new Date(gateway.world.now().getTime() - 601_000)]
    await pool.query(sql, ['watch_attempt', 'AT1', now, before])
    await pool.query(sql, ['watch_attempt', 'AT2', before, before])
    await pool.query(sql, ['make_bill', '2026-02-01', before, before])
    expect(await list(stranger)).toEqual([
      ...[
        ['make_bill', 9],
        ['watch_attempt', 9],
      ],
    ])
    expect([await figures(stranger), await figures(operator, '?mch_no=MCH2')]).toMatchObject([{ jobs: 2 }, { jobs: 2 }])
    expect([await figures(), (await list()).length]).toMatchObject([{ jobs: 3 }, 3])
    expect((await stranger.get(`jobs?mch_no=${gateway.demo.mchNo}`)).status).toBe(403)
    await pool.query(`delete from job where mch_no = 'MCH2'`)
    gateway.upstreams.faults('wechat').set([])
    gateway.advance(600_000)
    await gateway.runJobs()
    expect([await figures(), await list()]).toMatchObject([{ jobs: 0 }, []])
  })

  it('of orders is what closes for long, and what is past its time and was not swept', async () => {
    const closing = await place(gateway.demo)
    await openAttempt(gateway.demo, closing)
    gateway.upstreams.faults('wechat').set([{ kind: 'error_before' }])
    await close(gateway.demo, closing)
    gateway.advance(1)
    const forgotten = await place(gateway.demo)
    expect(await all(operator, 'orders?state=STUCK')).toEqual([])
    gateway.advance(2 * 3_600_000 + 600_001)
    await everybodySignsIn()
    const stuck = await all(operator, 'orders?state=STUCK')
    expect(stuck.map(({ transaction_no, state }) => [transaction_no, state])).toEqual([
      [forgotten, 'NOTPAY'],
      [closing, 'CLOSING'],
    ])
    expect(await figures()).toMatchObject({ closing: 1, expired: 1 })
    expect(await all(stranger, 'orders?state=STUCK')).toEqual([])
    expect((await operator.get('orders.csv?state=STUCK')).body.trimEnd().split('\r\n')).toHaveLength(3)
    gateway.upstreams.faults('wechat').set([])
    await gateway.runJobs()
    expect(await figures()).toMatchObject({ closing: 0, expired: 0, oldest_at: null })
  })
})

describe('refunds and reversals', () => {
  it('are listed page by page, the newest first, and found by their numbers', async () => {
    const order = await paidOrder()
    const made = [await refundOf(order, '1.00'), await refundOf(order, '2.00'), await refundOf(order, '3.00')].reverse()
    const rows = await all(operator, `refunds?number=${order}`)
    expect(rows.map(({ refund_no }) => refund_no)).toEqual(made)
    expect(rows[0]).toMatchObject({ transaction_no: order, amount: '3.00', state: 'SUCCESS', is_stuck: false })
    expect(await all(operator, `refunds?number=${made[1]}`)).toHaveLength(1)
    expect((await all(operator, 'reversals')).length).toBe(1)
    expect(await all(operator, 'reversals?state=STUCK')).toEqual([])
    for (const list of ['refunds', 'reversals', 'notifications', 'bills']) expect(await all(stranger, list)).toEqual([])
    expect((await stranger.get(`refunds?mch_no=${gateway.demo.mchNo}`)).status).toBe(403)
  })
})

describe('notifications', () => {
  const numbers: string[] = []
  let placedAt = ''
  const found = async (query: string, client = operator) =>
    (await all(client, `notifications?${query}`)).map(({ transaction_no }) => transaction_no)

  it('in the dead letters are listed and looked into', async () => {
    const dead = `${gateway.demo.baseUrl}/sandbox/shop/fail`
    for (let i = 0; i < 3; i += 1) await paidOrder({ notify_url: `${gateway.demo.baseUrl}/sandbox/shop/ok` })
    gateway.advance(1000)
    placedAt = encodeURIComponent(gateway.world.now().toISOString())
    for (let i = 0; i < 3; i += 1) {
      numbers.unshift(await paidOrder({ notify_url: dead }))
      gateway.advance(60_000)
    }
    for (let hour = 0; hour < 50; hour += 1) {
      await gateway.runJobs()
      gateway.advance(3_600_000)
    }
    await everybodySignsIn()
    expect(await found('state=DEAD')).toEqual(numbers)
    expect((await operator.get('overview')).body.notifications).toMatchObject({ dead: 3 })
    const [{ mch_no, transaction_no, seq } = {}] = await all(operator, 'notifications?state=DEAD')
    const { body: tries } = await operator.get(`notifications/${mch_no}/${transaction_no}/${seq}/tries`)
    expect(tries.rows[0]).toMatchObject({ http_status: 500 })
    expect((await stranger.get(`notifications/${mch_no}/${transaction_no}/${seq}/tries`)).status).toBe(403)
  })

  it('of every state and merchant are listed together, the newest first, each once', async () => {
    const { mchNo } = gateway.demo
    const ofMerchant = await all(operator, `notifications?mch_no=${mchNo}`)
    expect(await all(operator, 'notifications?')).toEqual(ofMerchant)
    expect(new Set(ofMerchant.map(({ state }) => state))).toEqual(new Set(['DELIVERED', 'DEAD']))
    const heard = ofMerchant.filter(({ state }) => state === 'DELIVERED')
    expect(heard.length).toBeGreaterThan(2)
    expect(await all(operator, 'notifications?state=DELIVERED')).toEqual(heard)
    expect(await all(stranger, 'notifications?')).toEqual([])
  })

  it('that are rare among the newest of all merchants are found a stretch at a time', async () => {
    const { pool } = gateway.database
    const nothing = { before: null, from: null, until: null, state: 'DELIVERED' } as const
    const first = await listAllNotifications(pool, nothing, 2, 3)
    expect(first.rows).toEqual([])
    const second = await listAllNotifications(pool, { ...nothing, before: first.next }, 2, 3)
    expect(second.rows.map(({ state }) => state)).toEqual(['DELIVERED', 'DELIVERED'])
  })

  it('are found by the number of an order alone, by a user who may see it', async () => {
    expect(await found(`transaction_no=${numbers[1]}`)).toEqual([numbers[1]])
    expect(await found(`transaction_no=${numbers[1]}&state=DELIVERED`)).toEqual([])
    expect(await found('transaction_no=AP0')).toEqual([])
    expect(await found(`transaction_no=${numbers[1]}`, stranger)).toEqual([])
  })

  it('are chosen by when they were written', async () => {
    const until = encodeURIComponent(new Date(Date.parse(decodeURIComponent(placedAt)) + 90_000).toISOString())
    for (const more of [
      '',
      '&state=DEAD',
      `&mch_no=${gateway.demo.mchNo}`,
      `&mch_no=${gateway.demo.mchNo}&state=DEAD`,
    ]) {
      expect(await found(`from=${placedAt}&until=${until}${more}`), more).toEqual(numbers.slice(1))
    }
  })

  it('in the dead letters are sent again as the filters choose them, after a question that says how many of whom', async () => {
    const { mchNo: mch_no } = gateway.demo
    const resend = (body: object, client = operator) =>
      client.send('POST', 'notifications/resend', { mch_no, dead: true, ...body })
    const ask = async (query: string) => (await operator.get(`notifications/dead?${query}`)).body
    expect((await resend({}, stranger)).status).toBe(403)
    expect(await resend({ transaction_no: numbers[2], seq: 2 })).toMatchObject({ status: 400, body: { field: 'seq' } })
    expect(await ask(`transaction_no=${numbers[2]}`)).toEqual({ mch_no, count: 1, has_more: false })
    expect((await resend({ transaction_no: numbers[2] })).body).toEqual({ resent: 1 })
    expect(await found('state=DEAD')).toEqual(numbers.slice(0, 2))
    const until = new Date(Date.parse(decodeURIComponent(placedAt)) + 90_000).toISOString()
    expect(await ask(`mch_no=${mch_no}&until=${encodeURIComponent(until)}`)).toMatchObject({ count: 1 })
    expect((await resend({ until })).body).toEqual({ resent: 1 })
    expect(await ask(`mch_no=${mch_no}`)).toMatchObject({ count: 1 })
    expect((await resend({})).body).toEqual({ resent: 1 })
    expect(await found('state=DEAD')).toEqual([])
    expect(await operator.get('notifications/dead')).toMatchObject({ status: 400, body: { field: 'mch_no' } })
    expect((await stranger.get(`notifications/dead?mch_no=${mch_no}`)).status).toBe(403)
  })
})
