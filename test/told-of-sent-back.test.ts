/** Apps that asked for it are told of money that was sent back: once, with its reason, like any notification. All others are not. */
import { verifyNotification } from '@acopay/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { settleReversal } from '../apps/server/src/actions/refund/settle-reversal.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type Receiver, receiver } from './support/receiver.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000
const FIELDS =
  'mch_no nonce sign sign_type notify_time transaction_no mch_trade_no app_no extra reversal_no code description payment_no amount currency pay_channel paid_time success_time'

let test: TestWorld
let merchant: Receiver
let admin: ConsoleClient
const upstream = { refuses: false }
beforeEach(async () => {
  upstream.refuses = false
  test = await testWorld({
    upstream: (real) => ({
      refund: async (ask, signal) =>
        upstream.refuses ? { kind: 'refused', why: 'NOT_ENOUGH' } : real.refund(ask, signal),
    }),
  })
  merchant = await receiver(test.demo.platformPublicKey)
  await addUser(test, 'admin', 'platform_admin')
  admin = await signedIn(test, 'admin')
})
afterEach(async () => {
  await merchant.stop()
  await test.stop()
})

const turn = async (told_of_sent_back: boolean): Promise<void> => {
  const { mchNo, appNo } = test.demo
  expect((await admin.send('PUT', `merchants/${mchNo}/apps/${appNo}`, { told_of_sent_back })).status).toBe(200)
}

/** The `note` and number of the bill's row of a reversal. */
async function reversalInBill(): Promise<Record<string, string>> {
  test.advance(22 * HOUR)
  await test.runJobs()
  const { data } = await call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: '2026-03-01' } })
  const [names = '', ...lines] = (await (await fetch(data.url ?? '')).text()).trimEnd().split('\r\n')
  const cells = lines.find((line) => line.startsWith('REVERSAL,'))?.split(',') ?? []
  return Object.fromEntries(names.split(',').map((name, index) => [name, cells[index] ?? '']))
}

/** An order that is closed and then paid. */
async function paidLate(
  more: Record<string, string> = { notify_url: merchant.url, extra: 'shelf 7' },
): Promise<string> {
  const order = await place(test.demo, more)
  const attempt = (await openAttempt(test.demo, order)) ?? ''
  await close(test.demo, order)
  await pay(test.demo, order, attempt, 'pay-anyway')
  await test.runJobs()
  return order
}

/** An order that two of its payers pay at once. */
async function paidTwice(): Promise<string> {
  const order = await place(test.demo, { notify_url: merchant.url })
  const attempts = [await openAttempt(test.demo, order), await openAttempt(test.demo, order, 'alipay')]
  for (const attempt of attempts) await pay(test.demo, order, attempt ?? '', 'pay-anyway')
  await test.runJobs()
  return order
}

describe('an app that did not ask', () => {
  it('is told nothing of money that was sent back, and its bill is as it was', async () => {
    await paidLate()
    expect(merchant.told()).toEqual([])
    expect(await reversalInBill()).toMatchObject({ kind: 'REVERSAL', amount: '12.50', note: '' })
  })
})

describe('an app that asked', () => {
  it('is told of late money once it is back, with exactly the fields of the reference, and its bill says why', async () => {
    await turn(true)
    const order = await paidLate()
    const [told, ...others] = merchant.told()
    expect(others).toEqual([])
    expect(Object.keys(told ?? {}).sort()).toEqual(FIELDS.split(' ').sort())
    expect(told).toMatchObject({
      transaction_no: order,
      app_no: test.demo.appNo,
      extra: 'shelf 7',
      code: 'LATE',
      amount: '12.50',
      currency: 'CNY',
      pay_channel: 'wechat',
    })
    const { platformPublicKey, mchNo } = test.demo
    const options = { platformPublicKey, mchNo, now: test.world.now }
    expect(verifyNotification(JSON.stringify(told), options)).toMatchObject({ kind: 'sent_back', why: 'LATE' })
    // What brought the money back is found in the log from the notification.
    const { rows } = await test.database.pool.query('select request_id from notification')
    expect(rows).toEqual([{ request_id: expect.stringMatching(/^.{8,}$/) }])
    const { reversal_no: refund_no, payment_no } = told ?? {}
    expect(await reversalInBill()).toMatchObject({ refund_no, payment_no, note: 'LATE' })
  })

  it('is told of a second payment after the first, and the first is told of as before', async () => {
    await turn(true)
    const order = await paidTwice()
    expect(merchant.told().map(({ code, transaction_no }) => [code, transaction_no])).toEqual([
      ['SUCCESS', order],
      ['SECOND', order],
    ])
  })

  it('hears again what it did not acknowledge, also by a call, and can list it', async () => {
    await turn(true)
    merchant.answer(
      (_told, response) => void response.setHeader('content-type', 'application/json').end('{"status":"FAIL"}'),
    )
    const transaction_no = await paidLate()
    test.advance(15_000)
    await test.runJobs()
    expect(merchant.told()).toHaveLength(2)
    const list = await call(test.demo, { method: 'GET', path: 'notifications', params: { transaction_no } })
    expect(JSON.parse(list.data.notifications ?? '')).toMatchObject([{ kind: 'sent_back', state: 'PENDING', tries: 2 }])
    await call(test.demo, { method: 'POST', path: 'notifications/resend', params: { transaction_no } })
    await test.runJobs()
    expect(merchant.told()).toHaveLength(3)
  })

  it('is told when a person has sent the money back by hand, and not before', async () => {
    await turn(true)
    upstream.refuses = true
    await paidLate()
    expect(merchant.told()).toEqual([])
    const { rows } = await test.database.pool.query<{ refund_no: string }>('select refund_no from reversal')
    const key = { mchNo: test.demo.mchNo, refundNo: rows[0]?.refund_no ?? '', by: 'li', note: 'by bank' }
    expect([await settleReversal(test.world, key), await settleReversal(test.world, key)]).toEqual([true, false])
    await test.runJobs()
    expect(merchant.told()).toMatchObject([{ code: 'LATE', reversal_no: key.refundNo }])
  })

  it('is told nothing without an address, and nothing more once it is switched off', async () => {
    await turn(true)
    await paidLate({})
    await turn(false)
    await paidLate()
    expect(merchant.told()).toEqual([])
  })
})
