/**
 * The runbooks about money (docs/runbooks), each followed once: the fault is made, the page's steps are done through the console and
 * the merchants' calls, and its end is seen. Those about the process, its database and its keys: runbooks-process.test.ts.
 */
import type { Channel, UpstreamBillAnswer } from '@acopay/channels'
import { afterEach, expect, it } from 'vitest'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, newTradeNo, openAttempt, pay, place, query } from './support/merchant.ts'
import { alipayAuthority } from './support/oracle/alipay-certificates.ts'
import { type Receiver, receiver, SAYS_HEARD } from './support/receiver.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const TOKEN = 'a-token-of-the-tests'

let test: TestWorld
let merchant: Receiver | null = null
afterEach(async () => {
  await test.stop()
  await merchant?.stop()
  merchant = null
})

async function open(upstream: (real: Channel, name: string) => Partial<Channel> = () => ({})): Promise<void> {
  test = await testWorld({ env: { ACOPAY_METRICS_TOKEN: TOKEN }, upstream })
  await addUser(test, 'an-admin', 'platform_admin')
  await addUser(test, 'an-operator', 'operator')
  await addUser(test, 'in-finance', 'finance')
}

/** Sessions end while the clock is moved: each look signs in anew. */
const admin = (): Promise<ConsoleClient> => signedIn(test, 'an-admin')
const operator = (): Promise<ConsoleClient> => signedIn(test, 'an-operator')
const finance = (): Promise<ConsoleClient> => signedIn(test, 'in-finance')

const overview = async () => (await (await operator()).get('overview')).body
const alarms = (): unknown[] =>
  test
    .logged()
    .filter(({ alarm }) => alarm === true)
    .map(({ msg }) => msg)

async function metric(name: string): Promise<number> {
  // What is read of the database is told for five seconds.
  test.advance(5000)
  const headers = { authorization: `Bearer ${TOKEN}` }
  const text = await (await fetch(`${test.demo.baseUrl}/metrics`, { headers })).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.split(' ').at(-1))
}

/** Jobs are done as time goes by. */
async function later(ms: number, step = 10 * MINUTE): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    test.advance(Math.min(step, left))
    await test.runJobs()
  }
}

const orderOfDays = async () => {
  const order = await place(test.demo, { time_expire: new Date(test.world.now().getTime() + 6 * DAY).toISOString() })
  return { order, attemptNo: (await openAttempt(test.demo, order)) ?? '' }
}

async function paidOrder(more = {}) {
  const order = await place(test.demo, more)
  const attemptNo = (await openAttempt(test.demo, order)) ?? ''
  await pay(test.demo, order, attemptNo)
  const { rows } = await test.database.pool.query('select payment_no from payment where attempt_no = $1', [attemptNo])
  return { order, attemptNo, paymentNo: rows[0]?.payment_no as string }
}

const channelOf = async (channel: string) =>
  (await (await admin()).get(`merchants/${test.demo.mchNo}`)).body.channels.find(
    (account: { channel: string }) => account.channel === channel,
  )
const saves = async (channel: string, settings: object) =>
  (await (await admin()).send('PUT', `merchants/${test.demo.mchNo}/channels/${channel}`, { settings })).status
/** What the button *test* says while the upstream answers, and while it does not: then its calls end by the clock. */
const asked = async (channel: string) =>
  (await (await admin()).send('POST', `merchants/${test.demo.mchNo}/channels/${channel}/test`)).body
const askedInVain = (channel: string) => test.whileTimePasses(asked(channel))

it('acopay-stuck, acopay-alarm: what is stuck is found from the overview, and ends once the upstream answers again', async () => {
  await open()
  const { order } = await orderOfDays()
  test.upstreams.faults('wechat').set([{ kind: 'error_before' }])
  expect((await test.whileTimePasses(close(test.demo, order))).data.description).toBe('关单处理中，请稍后查询')
  for (let minutes = 0; minutes < 70; minutes += 10) {
    test.advance(10 * MINUTE)
    await test.whileTimePasses(test.runJobs())
  }
  expect(await metric('acopay_stuck{what="closing"}')).toBe(1)
  expect(alarms()).toEqual(['job overdue'])
  expect((await overview()).stuck).toMatchObject({ closing: 1 })
  expect((await (await operator()).get('orders?state=STUCK')).body.rows).toMatchObject([{ transaction_no: order }])
  const path = `orders/${test.demo.mchNo}/${order}`
  const shown = (await (await operator()).get(path)).body
  expect(shown.attempts[0].last_answer).toBeTruthy()
  expect(shown.jobs[0].tries).toBeGreaterThan(3)
  test.upstreams.faults('wechat').set([])
  test.advance(MINUTE)
  expect(await asked('wechat')).toMatchObject({ is_fine: true })
  expect((await (await operator()).send('POST', `${path}/close`, {})).status).toBe(200)
  expect((await query(test.demo, order)).data.code).toBe('CLOSED')
  expect(await metric('acopay_stuck{what="closing"}')).toBe(0)
})

it('acopay-upstream-silent, acopay-upstream-resting, acopay-slow-closes: the verb and the account are found, and go on by themselves', async () => {
  await open()
  const orders = []
  for (let nth = 0; nth < 12; nth += 1) orders.push((await orderOfDays()).order)
  test.upstreams.faults('wechat').set([{ kind: 'error_before' }])
  for (const order of orders) await test.whileTimePasses(close(test.demo, order))
  const unknown = 'acopay_upstream_calls_total{channel="wechat",verb="query",outcome="unknown"}'
  expect(await metric(unknown)).toBeGreaterThan(0)
  expect(await metric('acopay_upstream_rests_total{channel="wechat"}')).toBeGreaterThan(0)
  expect(await metric('acopay_close_seconds_count{way="processing"}')).toBe(12)
  expect((await askedInVain('wechat')).is_fine).toBe(false)
  test.upstreams.faults('wechat').set([])
  test.advance(MINUTE)
  expect((await asked('wechat')).is_fine).toBe(true)
  await later(HOUR)
  expect((await overview()).stuck).toMatchObject({ closing: 0, jobs: 0 })
  for (const order of orders) expect((await query(test.demo, order)).data.code).toBe('CLOSED')
})

it('upstream-refuses-account: a wrong number of the account is told, shown, put right and gone', async () => {
  await open()
  const { settings } = await channelOf('wechat')
  const { value } = settings.find(({ name }: { name: string }) => name === 'serialNo')
  expect(await saves('wechat', { serialNo: '0'.repeat(40) })).toBe(200)
  const order = await place(test.demo)
  await openAttempt(test.demo, order).catch(() => null)
  await later(MINUTE)
  expect(alarms()).toContain('the upstream refuses requests of this account')
  expect((await channelOf('wechat')).complaint).toBeTruthy()
  expect((await askedInVain('wechat')).is_fine).toBe(false)
  expect(await saves('wechat', { serialNo: value })).toBe(200)
  expect((await asked('wechat')).is_fine).toBe(true)
  expect((await channelOf('wechat')).complaint).toBeNull()
})

it('certificate-ends: the setting that ends is named, and a new certificate ends the alarm', async () => {
  await open()
  const authority = alipayAuthority()
  const ends = (days: number): string =>
    new Date(Math.floor(test.world.now().getTime() / 1000) * 1000 + days * DAY).toISOString()
  const soon = authority.issueApp('51', { until: ends(20) }).file
  const files = { appCert: soon, alipayCert: authority.alipayFile, alipayRootCert: authority.rootFile }
  expect(await saves('alipay', { ...files, appPrivateKey: authority.app.privatePem })).toBe(200)
  await asked('alipay')
  expect(alarms()).toContain('a certificate of this account ends soon, or has ended')
  expect((await channelOf('alipay')).certificates).toMatchObject([{ setting: 'appCert', ends_soon: true }, {}])
  expect(await saves('alipay', { appCert: authority.issueApp('52', { until: ends(700) }).file })).toBe(200)
  expect((await channelOf('alipay')).certificates).toMatchObject([{ setting: 'appCert', ends_soon: false }, {}])
  const ofCertificates = () => alarms().filter((line) => String(line).startsWith('a certificate'))
  const before = ofCertificates()
  test.advance(2 * DAY)
  await asked('alipay')
  expect(ofCertificates()).toEqual(before)
})

it('acopay-late-notifications, acopay-dead-letters: the host is found, and what was given up is sent again', async () => {
  await open()
  merchant = await receiver(test.demo.platformPublicKey)
  merchant.answer((_told, response) => response.writeHead(503).end())
  const { order } = await paidOrder({ notify_url: merchant.url })
  await later(20 * MINUTE, MINUTE)
  expect(await metric('acopay_notifications{state="late"}')).toBe(1)
  const late = (await (await operator()).get(`notifications?mch_no=${test.demo.mchNo}&state=PENDING`)).body.rows
  expect(late).toMatchObject([{ transaction_no: order }])
  await later(26 * HOUR)
  expect(await metric('acopay_notifications{state="dead"}')).toBe(1)
  expect(alarms()).toContain('notification in the dead letters')
  const tries = await (await operator()).get(`notifications/${test.demo.mchNo}/${order}/${late[0].seq}/tries`)
  expect(JSON.stringify(tries.body)).toContain('503')
  merchant.answer(SAYS_HEARD)
  const again = { mch_no: test.demo.mchNo, dead: true }
  expect((await (await operator()).send('POST', 'notifications/resend', again)).status).toBe(200)
  await test.runJobs()
  expect(merchant.told().at(-1)).toMatchObject({ transaction_no: order, code: 'SUCCESS' })
  expect((await overview()).notifications).toEqual({ pending: 0, late: 0, dead: 0 })
})

const PAYMENT = {
  paymentNo: 'UP1',
  amountFen: 1250n,
  currency: 'CNY',
  paidAt: new Date('2026-03-01T04:00:00Z'),
  payer: 'p',
}

it('acopay-unmatched-payments: the payment is listed with its numbers, and settled with a note', async () => {
  await open(() => ({ readWebhook: async () => ({ kind: 'paid', attemptNo: 'AT0', payment: PAYMENT }) }))
  await fetch(`${test.demo.baseUrl}/notify/wechat/${test.demo.mchNo}`, { method: 'POST', body: '{}' })
  expect(alarms()).toEqual(['payment for an unknown attempt'])
  expect(await metric('acopay_payments_unmatched')).toBe(1)
  const { rows } = (await (await finance()).get('unmatched-payments')).body
  expect(rows).toMatchObject([{ attempt_no: 'AT0', payment_no: 'UP1', amount: '12.50' }])
  const { mch_no, channel, attempt_no, payment_no } = rows[0]
  const note = { mch_no, channel, attempt_no, payment_no, note: '已在商户平台原路退回' }
  expect((await (await finance()).send('POST', 'unmatched-payments/settle', note)).status).toBe(200)
  expect(await metric('acopay_payments_unmatched')).toBe(0)
})

it('paid-after-close: the order shows the close, the payment after it, and that the money is back', async () => {
  let attempt = ''
  await open(() => ({
    readWebhook: async () => ({ kind: 'paid', attemptNo: attempt, payment: PAYMENT }),
    refund: async () => ({ kind: 'done' }),
  }))
  const { order, attemptNo } = await orderOfDays()
  attempt = attemptNo
  expect((await close(test.demo, order)).data.code).toBe('SUCCESS')
  await fetch(`${test.demo.baseUrl}/notify/wechat/${test.demo.mchNo}`, { method: 'POST', body: '{}' })
  await test.runJobs()
  const found = (await (await operator()).get('orders?number=UP1')).body.rows
  expect(found).toMatchObject([{ transaction_no: order, state: 'CLOSED' }])
  const shown = (await (await operator()).get(`orders/${test.demo.mchNo}/${order}`)).body
  expect(shown.payments).toMatchObject([{ payment_no: 'UP1', fate: 'reverse' }])
  expect(shown.reversals).toMatchObject([{ amount: '12.50', state: 'SUCCESS' }])
  expect(shown.timeline_broken_at).toBeNull()
  const evidence = await call(test.demo, { method: 'GET', path: 'close/evidence', params: { transaction_no: order } })
  expect(evidence).toMatchObject({ isSigned: true, data: { code: 'CLOSED' } })
})

/** A gateway whose WeChat Pay makes this bill the next morning. */
async function openWithBill() {
  const books: { bill: UpstreamBillAnswer } = { bill: { kind: 'none' } }
  await open((_real, name) => ({ fetchUpstreamBill: async () => (name === 'wechat' ? books.bill : { kind: 'none' }) }))
  await test.database.pool.query(`update channel_account set created_at = '2026-02-27T20:00:00Z'`)
  return books
}
const at = new Date('2026-03-01T04:00:00Z')
const nextMorning = (): Promise<void> => later(DAY, DAY)

/** What the page of differences asks for: each is settled with a note. */
async function settleAll(kind: string): Promise<void> {
  const who = await finance()
  const { rows } = (await who.get('differences?settled=false')).body
  const ofKind = rows.filter((row: { kind: string }) => row.kind === kind)
  expect(ofKind.length).toBeGreaterThan(0)
  for (const { mch_no, channel, day, kind: what, attempt_no, payment_no, refund_no } of rows) {
    const key = { mch_no, channel, day, kind: what, attempt_no, payment_no, refund_no }
    expect((await who.send('POST', 'differences/settle', { ...key, note: '已与微信支付核对' })).status).toBe(200)
  }
}

it('acopay-differences: a payment that the bill lacks is listed, compared and settled', async () => {
  const books = await openWithBill()
  const { attemptNo } = await paidOrder()
  books.bill = { kind: 'bill', lines: [] }
  await nextMorning()
  expect(alarms()).toContain('the bill and the books differ')
  expect(await metric('acopay_differences_unsettled')).toBe(1)
  const { rows } = (await (await finance()).get('differences')).body
  expect(rows).toMatchObject([{ kind: 'PAYMENT_MISSING', attempt_no: attemptNo }])
  const compared = (await (await finance()).get(`bills/${test.demo.mchNo}/2026-03-01/comparison`)).body
  expect(JSON.stringify(compared.channels)).toContain('"unsettled":1')
  await settleAll('PAYMENT_MISSING')
  expect(await metric('acopay_differences_unsettled')).toBe(0)
})

it('a-kept-payment-was-sent-back: the order is refunded in the books, the merchant knows, and the difference is settled', async () => {
  const books = await openWithBill()
  merchant = await receiver(test.demo.platformPublicKey)
  const { order, attemptNo, paymentNo } = await paidOrder({ notify_url: merchant.url })
  await test.upstreams.of('wechat').control.giveBack(attemptNo)
  const refund = { kind: 'refund', attemptNo, paymentNo, refundNo: `own-${attemptNo}`, amountFen: 1250n, at } as const
  books.bill = { kind: 'bill', lines: [{ kind: 'payment', attemptNo, paymentNo, amountFen: 1250n, at }, refund] }
  await nextMorning()
  expect(alarms()).toContain('a kept payment was sent back upstream')
  expect((await query(test.demo, order)).data.code).toBe('REFUND')
  expect(merchant.told().map(({ code }) => code)).toEqual(['SUCCESS', 'REFUND'])
  await settleAll('PAYMENT_RETURNED')
  expect(await metric('acopay_differences_unsettled')).toBe(0)
})

it('a-failed-refund-is-done: the refund counts, the merchant hears it, and only the rest can be refunded', async () => {
  const books = await openWithBill()
  merchant = await receiver(test.demo.platformPublicKey)
  const { order, attemptNo, paymentNo } = await paidOrder()
  const faults = test.upstreams.faults('wechat')
  faults.set([{ kind: 'refused_then_done', verb: 'refund', word: 'NOT_ENOUGH', times: 1, ms: 30_000 }])
  const params = { transaction_no: order, mch_refund_no: newTradeNo(), refund_amount: '5.00', refund_reason: '退货' }
  const failed = await call(test.demo, {
    method: 'POST',
    path: 'refund',
    params: { ...params, notify_url: merchant.url },
  })
  expect(failed.data.code).toBe('FAIL')
  const refundNo = failed.data.refund_no ?? ''
  const refund = { kind: 'refund', attemptNo, paymentNo, refundNo, amountFen: 500n, at } as const
  books.bill = { kind: 'bill', lines: [{ kind: 'payment', attemptNo, paymentNo, amountFen: 1250n, at }, refund] }
  await nextMorning()
  expect(alarms()).toContain('a refund that was told failed is done')
  const shown = (await (await operator()).get(`orders/${test.demo.mchNo}/${order}`)).body
  expect(shown.refunds).toMatchObject([{ refund_no: refundNo, state: 'SUCCESS' }])
  expect(shown.refundable).toBe('7.50')
  expect(merchant.told().map(({ code }) => code)).toEqual(['FAIL', 'SUCCESS'])
})
