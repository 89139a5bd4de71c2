/** What the gateway answers to each webhook, what it logs of it, and what it makes of it. */
import type { RawWebhook, Webhook } from '@acopay/channels'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openAttempt, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
let says: Webhook | Error = { kind: 'other', what: 'nothing' }
let raw: RawWebhook | null = null
beforeAll(async () => {
  test = await testWorld({
    upstream: () => ({
      readWebhook: async (read) => {
        raw = read
        if (says instanceof Error) throw says
        return says
      },
      replyToWebhook: (isHeard) => ({
        status: isHeard ? 203 : 418,
        contentType: 'text/x-own',
        body: isHeard ? 'ok' : 'no',
      }),
    }),
  })
})
afterAll(() => test.stop())

async function tell(path: string, webhook: Webhook | Error): Promise<string> {
  says = webhook
  raw = null
  const response = await fetch(`${test.demo.baseUrl}/notify/${path}`, {
    method: 'POST',
    body: 'the body',
    headers: { 'content-type': 'text/plain', 'x-upstream': 'signed' },
  })
  const type = response.headers.get('content-type')?.split(';')[0]
  return `${response.status} ${type} ${(await response.text()).trim()}`
}
const logged = () =>
  test
    .logged()
    .filter(({ msg }) => msg === 'request')
    .at(-1)

const PAYMENT = {
  paymentNo: 'UP1',
  amountFen: 1250n,
  currency: 'CNY',
  paidAt: new Date('2026-03-01T03:00:00Z'),
  payer: 'p',
}

it('a webhook is answered in the words of its channel, and each outcome has a line of its own', async () => {
  const { demo, database } = test
  const { mchNo } = demo
  const order = await place(demo)
  const attemptNo = (await openAttempt(demo, order)) ?? ''
  const here = `wechat/${mchNo}`
  const heard = '203 text/x-own ok'
  expect(await tell(here, { kind: 'forged', why: 'another key' })).toBe('418 text/x-own no')
  expect(logged()).toMatchObject({ mchNo, outcome: 'FORGED: another key', status: 418 })
  expect(raw).toMatchObject({ headers: { 'x-upstream': 'signed' }, body: Buffer.from('the body') })
  expect(await tell(here, { kind: 'other', what: 'USERPAYING' })).toBe(heard)
  expect(logged()).toMatchObject({ mchNo, outcome: 'OTHER: USERPAYING' })

  // A refund's job comes due at once, whichever of the two it is; a reversal's later numbers belong to its first.
  const [now, later] = [test.world.now(), new Date(test.world.now().getTime() + 60_000)]
  const sql = `insert into job (mch_no, kind, subject, due_at, created_at) values ($1, $2, $3, $4, $4)`
  for (const kind of ['send_refund', 'reverse_payment', 'watch_attempt']) {
    for (const subject of ['AR1', 'AR2']) await database.pool.query(sql, [mchNo, kind, subject, later])
  }
  expect(await tell(here, { kind: 'refund', refundNo: 'AR1-2' })).toBe(heard)
  expect(logged()).toMatchObject({ mchNo, outcome: 'REFUND' })
  const { rows: due } = await database.pool.query('select kind, subject from job where due_at <= $1 order by kind', [
    now,
  ])
  expect(due).toEqual([
    { kind: 'reverse_payment', subject: 'AR1' },
    { kind: 'send_refund', subject: 'AR1' },
  ])

  // Of an attempt that is not known, or that was opened by another channel: kept, and one alarm.
  const strays = async () =>
    (
      await database.pool.query(
        'select mch_no, channel, attempt_no, payment_no, amount_fen, currency, paid_at, heard_at from stray_payment order by channel',
      )
    ).rows
  const alarms = () =>
    test.logged().filter(({ msg, alarm }) => msg === 'payment for an unknown attempt' && alarm === true).length
  for (const [path, named] of [
    [here, 'AT404'],
    [here, 'AT404'],
    [`alipay/${mchNo}`, attemptNo],
  ] as const) {
    expect(await tell(path, { kind: 'paid', attemptNo: named, payment: PAYMENT })).toBe(heard)
    expect(logged()).toMatchObject({ mchNo, outcome: 'UNMATCHED' })
    expect(logged()).not.toHaveProperty('transactionNo')
  }
  expect(alarms()).toBe(2)
  const stray = {
    mch_no: mchNo,
    payment_no: 'UP1',
    amount_fen: 1250n,
    currency: 'CNY',
    paid_at: PAYMENT.paidAt,
    heard_at: now,
  }
  expect(await strays()).toEqual([
    { ...stray, channel: 'alipay', attempt_no: attemptNo },
    { ...stray, channel: 'wechat', attempt_no: 'AT404' },
  ])

  expect(await tell(here, { kind: 'paid', attemptNo, payment: PAYMENT })).toBe(heard)
  expect(logged()).toMatchObject({ mchNo, transactionNo: order, outcome: 'PAID' })
  const { rows } = await database.pool.query(
    'select state, payer, success_time from orders where transaction_no = $1',
    [order],
  )
  expect(rows).toEqual([{ state: 'SUCCESS', payer: 'p', success_time: PAYMENT.paidAt }])
})

it('a webhook that cannot be received is asked for again with 500, and one to an unknown merchant finds no path', async () => {
  const { mchNo } = test.demo
  expect(await tell(`wechat/${mchNo}`, new Error('the database is away'))).toBe('500 text/plain failure')
  expect(logged()).toMatchObject({ mchNo, outcome: 'SYSTEM_ERROR', status: 500 })
  const none = '404 text/plain 没有这个地址 (no such path)'
  for (const path of [
    'wechat/MCH404',
    `unionpay/${mchNo}`,
    `toString/${mchNo}`,
    `wechat/${'x'.repeat(33)}`,
    'wechat/a%20b',
  ]) {
    expect(await tell(path, { kind: 'other', what: 'x' }), path).toBe(none)
    expect(raw, path).toBeNull()
  }
  expect(await tell(`wechat/${mchNo}`, { kind: 'other', what: 'still there' })).toBe('203 text/x-own ok')
})
