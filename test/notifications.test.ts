/** What merchants are told (spec/protocol.md 3.7): exactly what is listed, at least once, in order, however they answer. */
import { type JsonObject, NOTIFICATION_FIELDS } from '@acopay/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, newTradeNo, openAttempt, pay, place } from './support/merchant.ts'
import { type Receiver, receiver, SAYS_HEARD } from './support/receiver.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
let merchant: Receiver
beforeEach(async () => {
  test = await testWorld()
  merchant = await receiver(test.demo.platformPublicKey)
})
afterEach(async () => {
  await merchant.stop()
  await test.stop()
})

const paidOrder = async (notify_url: string | null = merchant.url): Promise<string> => {
  const order = await place(test.demo, notify_url === null ? {} : { notify_url, extra: '订单附言 "1"\n🧧' })
  await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
  return order
}

const refund = async (transaction_no: string, refund_amount = '0.10') =>
  call(test.demo, {
    method: 'POST',
    path: 'refund',
    params: {
      transaction_no,
      refund_amount,
      refund_reason: '商品已退货',
      mch_refund_no: newTradeNo(),
      notify_url: merchant.url,
    },
  })

const rows = async (sql: string) => (await test.database.pool.query(sql)).rows
const states = async () => (await rows('select state from notification order by seq')).map(({ state }) => state)

/** The fields of spec/protocol.md 3.7, a second time, by hand: SDK 1.0.0 breaks on one more. */
const COMMON = ['mch_no', 'nonce', 'sign', 'sign_type', 'notify_time']
const PAYMENT = `transaction_no mch_trade_no app_no extra code description amount_total amount_currency success_time acoid`
const REFUND = `transaction_no mch_trade_no refund_no mch_refund_no code description refund_amount success_time refund_reason`

it('a shop that answers is sent to again and again: calls that ended leave room for the next', async () => {
  await paidOrder()
  await test.runJobs()
  // As many as may be under way to one host at once, and one more.
  for (let sent = 1; sent <= 33; sent += 1) {
    await test.database.pool.query(`update notification set state = 'PENDING', due_at = $1`, [test.world.now()])
    await test.runJobs()
  }
  expect(merchant.told()).toHaveLength(34)
})

describe('the field lists', () => {
  it('are those of the contract, and one more breaks old SDKs', () => {
    expect([...NOTIFICATION_FIELDS.payment].sort()).toEqual(PAYMENT.split(' ').sort())
    expect([...NOTIFICATION_FIELDS.refund].sort()).toEqual(REFUND.split(' ').sort())
  })

  it('are exactly what arrives: of a payment, then of its refund', async () => {
    const order = await paidOrder()
    await test.runJobs()
    const refunded = await refund(order, '2.50')
    await test.runJobs()
    const [payment, back] = merchant.told()
    expect(Object.keys(payment ?? {}).sort()).toEqual([...COMMON, ...PAYMENT.split(' ')].sort())
    expect(Object.keys(back ?? {}).sort()).toEqual([...COMMON, ...REFUND.split(' ')].sort())
    expect(payment).toMatchObject({
      mch_no: test.demo.mchNo,
      app_no: test.demo.appNo,
      transaction_no: order,
      sign_type: 'SHA256withRSA',
      code: 'SUCCESS',
      description: '支付成功',
      amount_total: '12.50',
      amount_currency: 'CNY',
      extra: '订单附言 "1"\n🧧',
      notify_time: '2026-03-01T12:00:00+08:00',
      success_time: '2026-03-01T12:00:00+08:00',
    })
    expect(back).toMatchObject({
      transaction_no: order,
      refund_no: refunded.data.refund_no,
      mch_refund_no: refunded.data.mch_refund_no,
      code: 'SUCCESS',
      description: '退款成功',
      refund_amount: '2.50',
      refund_reason: '商品已退货',
    })
    expect(await states()).toEqual(['DELIVERED', 'DELIVERED'])
  })
})

it('an order without notify_url has no notification', async () => {
  await paidOrder(null)
  await test.runJobs()
  expect(await rows('select from notification')).toEqual([])
})

it('a payment that upstream tells of ten times is told of once', async () => {
  const order = await place(test.demo, { notify_url: merchant.url })
  const attempt = (await openAttempt(test.demo, order)) ?? ''
  await Promise.all(Array.from({ length: 10 }, () => pay(test.demo, order, attempt)))
  await test.runJobs()
  expect(merchant.told()).toHaveLength(1)
})

describe('what a merchant answers', () => {
  const HTML = `<html>${'a'.repeat(100)}</html>`
  it.each([
    ['FAIL', 200, '{"status":"FAIL","message":"失败"}', 'the reply does not say SUCCESS'],
    ['another case', 200, '{"status":"success"}', 'the reply does not say SUCCESS'],
    ['a page', 200, HTML, 'the reply does not say SUCCESS'],
    ['nothing', 200, '', 'the reply does not say SUCCESS'],
    ['null', 200, 'null', 'the reply does not say SUCCESS'],
    ['NUL', 200, 'a\0b', 'the reply does not say SUCCESS'],
    ['SUCCESS with another status', 201, '{"status":"SUCCESS"}', 'HTTP 201'],
    ['an error', 500, '{"status":"SUCCESS"}', 'HTTP 500'],
    ['too much', 200, `{"status":"SUCCESS","x":"${'x'.repeat(20_000)}"}`, 'the reply is too long'],
    ['nothing at all', null, '', 'UND_ERR_SOCKET'],
  ])('%s: it is sent again, and the try is kept', async (_name, status, body, failure) => {
    merchant.answer((_told, response, request) => {
      if (status === null) request.socket.destroy()
      else response.writeHead(status).end(body)
    })
    await paidOrder()
    await test.runJobs()
    const [first] = await rows('select http_status, reply, failure, ms from notification_try')
    expect(first).toMatchObject({ http_status: status, failure, ms: 0 })
    if (status !== null && body.length < 5000) expect(first.reply).toBe(body.replace('\0', '\ufffd'))
    merchant.answer(SAYS_HEARD)
    test.advance(15_000)
    await test.runJobs()
    expect(await states()).toEqual(['DELIVERED'])
    expect(merchant.told()).toHaveLength(2)
    const [one, two] = merchant.told()
    expect(one?.nonce).not.toBe(two?.nonce)
    expect({ ...one, nonce: '', sign: '', notify_time: '' }).toEqual({ ...two, nonce: '', sign: '', notify_time: '' })
  })

  it('SUCCESS with more members, in any order, is heard', async () => {
    merchant.answer((_told, response) => response.end('{"message":"ok","status":"SUCCESS","more":[1]}'))
    await paidOrder()
    await test.runJobs()
    expect(await states()).toEqual(['DELIVERED'])
  })

  it('of a reply of many bytes the first 4096 are kept', async () => {
    merchant.answer((_told, response) => response.end('界'.repeat(3000)))
    await paidOrder()
    await test.runJobs()
    const [{ bytes }] = await rows('select octet_length(reply) as bytes from notification_try')
    // 1365 characters of three bytes, and one that stands for the byte that is left.
    expect(bytes).toBe(4098)
    merchant.answer((_told, response) => response.end('x'.repeat(4097)))
    test.advance(15_000)
    await test.runJobs()
    const [second] = await rows('select reply from notification_try where taken = 2')
    expect(second).toEqual({ reply: 'x'.repeat(4096) })
  })

  it('a redirect is not followed', async () => {
    const elsewhere = await receiver(test.demo.platformPublicKey)
    merchant.answer((_told, response) => response.writeHead(307, { location: elsewhere.url }).end())
    await paidOrder()
    await test.runJobs()
    expect(await rows('select failure from notification_try')).toEqual([{ failure: 'HTTP 307' }])
    expect(elsewhere.told()).toEqual([])
    await elsewhere.stop()
  })

  it('nothing within 5 s: it is given up, and sent again', async () => {
    merchant.answer(() => {})
    await paidOrder()
    const running = test.runJobs()
    while (merchant.told().length === 0) await new Promise(setImmediate)
    test.advance(4_999)
    test.advance(1)
    await running
    expect(await rows('select failure, ms from notification_try')).toEqual([{ failure: 'no answer in time', ms: 5000 }])
  })
})

/** The pauses of spec/protocol.md 3.7, by hand. */
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const PAUSES_MS = [
  15 * SECOND,
  15 * SECOND,
  30 * SECOND,
  3 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  60 * MINUTE,
  3 * HOUR,
  3 * HOUR,
  3 * HOUR,
  6 * HOUR,
  6 * HOUR,
]

describe('the schedule', () => {
  it('is the one of the contract, to the second, and ends in the dead letters with an alarm', async () => {
    expect(PAUSES_MS.reduce((sum, ms) => sum + ms, 0)).toBe(24 * HOUR + 4 * MINUTE)
    merchant.answer((_told, response) => response.writeHead(503).end())
    await paidOrder()
    await test.runJobs()
    for (const pauseMs of PAUSES_MS) {
      const before = merchant.told().length
      test.advance(pauseMs - 1)
      await test.runJobs()
      expect(merchant.told()).toHaveLength(before)
      test.advance(1)
      await test.runJobs()
      expect(merchant.told()).toHaveLength(before + 1)
    }
    expect(await states()).toEqual(['DEAD'])
    expect(test.logged().filter(({ msg }) => msg === 'notification in the dead letters')).toMatchObject([
      { alarm: true },
    ])
    test.advance(30 * 24 * 3_600_000)
    await test.runJobs()
    expect(merchant.told()).toHaveLength(16)
  })

  it('of one order keeps the order: the refund is told of after the payment has been heard', async () => {
    merchant.answer((_told, response) => response.writeHead(503).end())
    const order = await paidOrder()
    await test.runJobs()
    await refund(order)
    await refund(order)
    await test.runJobs()
    expect(merchant.told()).toHaveLength(1)
    // What waits behind it is due with it, not in the past, where every taking would read it again.
    const { rows } = await test.database.pool.query(
      `select distinct due_at from notification where transaction_no = $1 and state = 'PENDING'`,
      [order],
    )
    expect(rows).toHaveLength(1)
    merchant.answer(SAYS_HEARD)
    test.advance(15_000)
    await test.runJobs()
    const kinds = merchant.told().map((told) => ('refund_no' in told ? 'refund' : 'payment'))
    expect(kinds).toEqual(['payment', 'payment', 'refund', 'refund'])
  })
})

describe('a merchant that asks', () => {
  const ask = (path: 'notifications' | 'notifications/tries' | 'notifications/resend', params: JsonObject) =>
    call(test.demo, { method: path === 'notifications/resend' ? 'POST' : 'GET', path, params })
  const listOf = async (params: JsonObject = {}) => {
    const { data } = await ask('notifications', params)
    return { list: JSON.parse(data.notifications ?? '[]') as Record<string, unknown>[], next: data.next ?? null }
  }

  it('sees what it was told, each try with what it answered, and has it sent again', async () => {
    merchant.answer((_told, response) => response.writeHead(500).end('打翻了'))
    const order = await paidOrder()
    await test.runJobs()
    const { list } = await listOf({ transaction_no: order })
    expect(list).toMatchObject([
      {
        transaction_no: order,
        seq: 3,
        kind: 'payment',
        state: 'PENDING',
        description: '待送达',
        tries: 1,
        url: merchant.url,
        http_status: 500,
        failure: 'HTTP 500',
        next_time: '2026-03-01T12:00:15+08:00',
      },
    ])
    const tries = await ask('notifications/tries', { transaction_no: order, seq: '3' })
    expect(JSON.parse(tries.data.tries ?? '')).toMatchObject([
      { http_status: 500, reply: '打翻了', failure: 'HTTP 500' },
    ])

    merchant.answer(SAYS_HEARD)
    expect((await ask('notifications/resend', { transaction_no: order })).data).toMatchObject({
      code: 'SUCCESS',
      resent: '1',
    })
    await test.runJobs()
    expect(await states()).toEqual(['DELIVERED'])
    await ask('notifications/resend', { transaction_no: order, seq: '3' })
    await test.runJobs()
    expect(merchant.told()).toHaveLength(3)
    expect((await ask('notifications/resend', { transaction_no: order, seq: '4' })).data.resent).toBe('0')
  })

  it('has its dead letters of a stretch of time sent again, from the start of the schedule', async () => {
    merchant.answer((_told, response) => response.writeHead(500).end())
    await paidOrder()
    test.advance(60_000)
    await paidOrder()
    await test.runJobs()
    for (const pauseMs of PAUSES_MS) {
      test.advance(pauseMs)
      await test.runJobs()
      // After 20 failures the host is asked by one at a time.
      test.advance(5_000)
      await test.runJobs()
    }
    expect(await states()).toEqual(['DEAD', 'DEAD'])
    const since = { state: 'DEAD', from: '2026-03-01T12:01:00+08:00' }
    expect((await ask('notifications/resend', { ...since, until: since.from })).data.resent).toBe('0')
    expect((await ask('notifications/resend', since)).data.resent).toBe('1')
    await test.runJobs()
    expect((await listOf({ state: 'PENDING' })).list).toMatchObject([{ tries: 17 }])
    merchant.answer(SAYS_HEARD)
    expect((await ask('notifications/resend', { state: 'DEAD' })).data.resent).toBe('1')
    test.advance(15_000)
    await test.runJobs()
    expect(new Set(await states())).toEqual(new Set(['DELIVERED']))
  })

  it('pages through all of them, each once, the newest first', async () => {
    const order = await paidOrder()
    await test.database.pool.query(
      `with more as (insert into timeline select mch_no, transaction_no, 100 + n, at + n / 2 * interval '1 s', entry, hash
          from timeline, generate_series(1, 249) n where transaction_no = $1 and seq = 1 returning *)
       insert into notification select t.mch_no, t.transaction_no, t.seq, kind, url, host, news, 'DELIVERED', due_at, 1, 0,
              round_at, t.at from more t, notification`,
      [order],
    )
    const seen: unknown[] = []
    for (let before: string | null = null, pages = 1; ; pages += 1) {
      const page = await listOf(before === null ? {} : { before })
      seen.push(...page.list.map(({ seq }) => seq))
      before = page.next
      if (before === null) {
        expect(pages).toBe(3)
        break
      }
    }
    expect(seen).toHaveLength(250)
    expect(new Set(seen).size).toBe(250)
    expect(seen[0]).toBe(349)
  })

  it("hears nothing of another merchant's, and of no order", async () => {
    const none = { transaction_no: 'AP0' }
    expect(await ask('notifications', none)).toMatchObject({ status: 1007 })
    for (const path of ['notifications/tries', 'notifications/resend'] as const) {
      expect(await ask(path, { ...none, seq: '1' })).toMatchObject({ status: 1007 })
    }
    expect((await listOf()).list).toEqual([])
  })

  it('once a nonce was used for sending again, it is used', async () => {
    const request = { method: 'POST', path: 'notifications/resend', params: { state: 'DEAD' }, nonce: 'n1' } as const
    expect(await call(test.demo, request)).toMatchObject({ status: 200 })
    expect(await call(test.demo, request)).toMatchObject({ status: 1016 })
  })
})

describe('a dead host', () => {
  const DEAD = 'http://127.0.0.1:9/told'

  it('is tried less and less, holds up no other, and is told everything when it comes back', async () => {
    for (let count = 0; count < 60; count += 1) await paidOrder(DEAD)
    for (let count = 0; count < 5; count += 1) await paidOrder()
    await test.runJobs()
    expect(merchant.told()).toHaveLength(5)
    const tried = async () =>
      Number((await rows('select count(*) as tries from notification_try where failure is not null'))[0].tries)
    expect(await tried()).toBe(32)
    test.advance(5_000)
    await test.runJobs()
    expect(await tried()).toBe(33)
    await test.database.pool.query(`update notification set url = $1 where url = $2`, [merchant.url, DEAD])
    test.advance(60_000)
    await test.runJobs()
    test.advance(60_000)
    await test.runJobs()
    expect(new Set(await states())).toEqual(new Set(['DELIVERED']))
    expect(merchant.told()).toHaveLength(65)
  })

  it('that stays dead has all it waits for in the dead letters after two days, and an alarm says so', async () => {
    for (let count = 0; count < 40; count += 1) await paidOrder(DEAD)
    await test.runJobs()
    test.advance(48 * 3_600_000 + 60_000)
    await test.runJobs()
    expect(new Set(await states())).toEqual(new Set(['DEAD']))
    expect(test.logged().filter(({ msg }) => msg === 'notifications in the dead letters')).toMatchObject([
      { alarm: true },
    ])
  })
})
