import { privateKeyFrom, signedNotification, signWith, timeText } from '@acopay/protocol'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { anyLetter } from '../../../test/support/any-text.ts'
import { derKeys } from '../../../test/support/keys.ts'
import { SIZE } from '../../../test/support/size.ts'
import {
  AcoPay,
  eventIdOf,
  memoryStore,
  ParameterError,
  SignatureError,
  signedTestNotification,
  type TestNotification,
  UnknownNotificationError,
  verifyNotification,
} from './index.ts'

const NOW = new Date('2026-03-01T04:00:00Z')
const mchNo = 'MCH1000000'
const now = () => NOW

let keys: { privateKey: string; publicKey: string }
let stranger: { privateKey: string; publicKey: string }
beforeAll(async () => {
  keys = derKeys('ours')
  stranger = derKeys('stranger')
})

const ours = () => ({ platformPublicKey: keys.publicKey, mchNo, now })
const told = (event: TestNotification, by = { mchNo, privateKey: keys.privateKey }): Promise<string> =>
  signedTestNotification({ notifyTime: NOW, ...event }, by)
/** Signs any content with the platform's key. */
const news = (fields: Record<string, string | null>, notifyTime = timeText(NOW)): Promise<string> =>
  signedNotification(fields, { mchNo, nonce: 'n', notifyTime, sign: signWith(privateKeyFrom(keys.privateKey)) })

describe('a notification that is proven', () => {
  it('tells a payment, with times as dates', async () => {
    const body = await told({ kind: 'payment', mchTradeNo: 'order-1', amountTotal: '0.01', extra: '附言 "1"\n🧧' })
    expect(verifyNotification(body, ours())).toEqual({
      kind: 'payment',
      state: 'SUCCESS',
      description: '支付成功',
      mchTradeNo: 'order-1',
      amountTotal: '0.01',
      transactionNo: expect.stringMatching(/^AP\d{36}$/),
      appNo: 'APP1000000',
      amountCurrency: 'CNY',
      extra: '附言 "1"\n🧧',
      acoid: null,
      successTime: NOW,
      notifyTime: NOW,
    })
  })

  it('tells that a payment went back as an event of its own, so that the merchant does not deliver for it', async () => {
    const body = await told({ kind: 'payment_returned' })
    expect(verifyNotification(body, ours())).toMatchObject({ kind: 'payment_returned', state: 'REFUND' })
  })

  it('tells how a refund ended, without a time of success where it failed', async () => {
    const done = verifyNotification(await told({ kind: 'refund', refundReason: '退货' }), ours())
    expect(done).toEqual({
      kind: 'refund',
      state: 'SUCCESS',
      description: '退款成功',
      refundAmount: '2.50',
      refundReason: '退货',
      transactionNo: expect.stringMatching(/^AP/),
      refundNo: expect.stringMatching(/^AR/),
      successTime: NOW,
      mchTradeNo: expect.any(String),
      mchRefundNo: expect.any(String),
      notifyTime: NOW,
    })
    const failed = verifyNotification(await told({ kind: 'refund', state: 'FAIL' }), ours())
    expect(failed).toMatchObject({ state: 'FAIL', description: '退款失败', successTime: null })
  })

  it('is read from bytes and from text, by the function and by the client, with any of several keys', async () => {
    const body = await told({ kind: 'payment' })
    const platformPublicKey = [stranger.publicKey, keys.publicKey]
    const event = verifyNotification(body, { ...ours(), platformPublicKey })
    expect(verifyNotification(Buffer.from(body), ours())).toEqual(event)
    const { privateKey: mchPrivateKey } = stranger
    const client = new AcoPay({ baseUrl: 'https://a.example', appNo: 'A', mchNo, mchPrivateKey, platformPublicKey })
    expect(client.verifyNotification(body, { now })).toEqual(event)
    expect(() => client.verifyNotification(body)).toThrow(/clock/)
  })

  it('is read although it has a field of a later version, which the signature covers', async () => {
    const { sign: _, ...payment } = JSON.parse(await told({ kind: 'payment' })) as Record<string, string>
    expect(verifyNotification(await news({ ...payment, coupon: '1.00' }), ours())).toMatchObject({ kind: 'payment' })
    const after = JSON.stringify({ ...JSON.parse(await told({ kind: 'payment' })), coupon: '1.00' })
    expect(() => verifyNotification(after, ours())).toThrow(SignatureError)
  })

  it.each<[string, Record<string, string | null>]>([
    ['kind', { contract_no: 'AC1', code: 'SUCCESS', description: 'x' }],
    ['state', { code: 'HALF_PAID' }],
    ['form, a payment without its amount,', { amount_total: null }],
    ['form, a time that is none,', { success_time: 'soon' }],
    ['kind of money sent back', { reversal_no: 'AR1', code: 'TOO_SOON' }],
  ])('of a %s that this version does not know is told from a forged one', async (what, change) => {
    const { sign: _, ...payment } = JSON.parse(await told({ kind: 'payment' })) as Record<string, string>
    const body = await news(what === 'kind' ? change : { ...payment, ...change })
    expect(() => verifyNotification(body, ours())).toThrow(UnknownNotificationError)
  })

  it('has an id that stays when it is told again, and differs from all that is something else', async () => {
    const idOf = async (event: TestNotification) => eventIdOf(verifyNotification(await told(event), ours()))
    const later = new Date(NOW.getTime() + 60_000)
    const [transactionNo, refundNo] = ['AP1', 'AR1']
    expect(await idOf({ kind: 'payment', transactionNo })).toBe('payment/AP1/SUCCESS')
    expect(await idOf({ kind: 'payment', transactionNo, notifyTime: later })).toBe('payment/AP1/SUCCESS')
    expect(await idOf({ kind: 'payment_returned', transactionNo })).toBe('payment/AP1/REFUND')
    expect(await idOf({ kind: 'refund', transactionNo, refundNo })).toBe('refund/AR1/SUCCESS')
    expect(await idOf({ kind: 'refund', transactionNo, refundNo, state: 'FAIL' })).toBe('refund/AR1/FAIL')
    expect(await idOf({ kind: 'sent_back', transactionNo, reversalNo: 'AR2' })).toBe('sent_back/AR2')
  })
})

describe('a notification that is not proven', () => {
  const refused = async (body: string | Uint8Array, message: string | RegExp) => {
    const error = await Promise.resolve()
      .then(() => verifyNotification(body, ours()))
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SignatureError)
    expect((error as Error).message).toMatch(message)
  }

  it('says why: not UTF-8, not JSON, not flat, not signed, not with this algorithm', async () => {
    const body = await told({ kind: 'payment', description: '支付成功' })
    const latin = Buffer.from(body)
    latin[latin.indexOf('支付')] = 0xff
    await refused(latin, 'not UTF-8')
    await refused(body.slice(0, -1), 'not JSON')
    await refused('', '0 characters')
    for (const value of ['null', '[]', '"x"', '1']) await refused(value, 'not a JSON object')
    await refused('{"amount_total":12.5}', 'amount_total')
    await refused('{"a":{}}', 'a is neither')
    await refused(JSON.stringify({ ...JSON.parse(body), sign: null }), 'not signed')
    await refused(JSON.stringify({ ...JSON.parse(body), sign_type: 'none' }), 'SHA256withRSA')
  })

  it("says why: a stranger's key, another merchant", async () => {
    await refused(await told({ kind: 'payment' }, { mchNo, ...stranger }), 'platformPublicKey')
    await refused(await told({ kind: 'payment' }, { mchNo: 'MCH2', privateKey: keys.privateKey }), 'another merchant')
  })

  it('is any in which one character of one value was changed', async () => {
    const bodies = await Promise.all(
      (['payment', 'payment_returned', 'refund', 'sent_back'] as const).map((kind) =>
        told({ kind, description: '成功? yes' }),
      ),
    )
    const letter = fc.oneof(anyLetter, fc.constant('\ud800'))
    const change = fc
      .constantFrom(...bodies)
      .chain((body) => fc.record({ body: fc.constant(body), name: fc.constantFrom(...Object.keys(JSON.parse(body))) }))
      .chain(({ body, name }) => {
        const length = Math.max((JSON.parse(body)[name] ?? '').length, 1)
        const at = fc.nat(length - 1)
        return fc.record({ body: fc.constant(body), name: fc.constant(name), at, letter })
      })
    fc.assert(
      fc.property(change, ({ body, name, at, letter }) => {
        const members = JSON.parse(body) as Record<string, string | null>
        const before = members[name] ?? ''
        const after = before.slice(0, at) + letter + before.slice(at + 1)
        fc.pre(after !== before)
        expect(() => verifyNotification(JSON.stringify({ ...members, [name]: after }), ours())).toThrow(SignatureError)
      }),
      { numRuns: SIZE.randomChanges },
    )
  })
})

describe('the time of a notification', () => {
  const at = (seconds: number) => told({ kind: 'payment', notifyTime: new Date(NOW.getTime() + seconds * 1000) })

  it('is at most five minutes away from the clock, in both directions', async () => {
    for (const seconds of [-300, 300]) verifyNotification(await at(seconds), ours())
    const [old, early] = [await at(-301), await at(301)]
    expect(() => verifyNotification(old, ours())).toThrow(/301 s in the past/)
    expect(() => verifyNotification(early, ours())).toThrow(/301 s in the future/)
  })

  it('does not matter where toleranceMs is Infinity, and has to be there all the same', async () => {
    const toleranceMs = Number.POSITIVE_INFINITY
    expect(verifyNotification(await at(-1e9), { ...ours(), toleranceMs })).toMatchObject({ kind: 'payment' })
    const timeless = await news({ code: 'SUCCESS' }, 'never')
    expect(() => verifyNotification(timeless, { ...ours(), toleranceMs })).toThrow(SignatureError)
  })
})

it.each([
  ['toleranceMs', { toleranceMs: Number.NaN }],
  ['toleranceMs', { toleranceMs: -1 }],
  ['mchNo', { mchNo: '' }],
  ['platformPublicKey', { platformPublicKey: [] }],
])('a wrong %s is a ParameterError, not a forged notification', (field, wrong) => {
  const verify = () => verifyNotification('', { ...ours(), ...wrong })
  expect(verify).toThrow(ParameterError)
  expect(verify).toThrow(field)
})

describe('the store in memory', () => {
  it('lets one of ten at once do the work, and the others wait for it', async () => {
    const store = memoryStore()
    let [finish, works, waiting] = [() => {}, 0, 10]
    const work = () => {
      works += 1
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    }
    const all = Array.from({ length: 10 }, async () => {
      const isFirst = await store.once('a', work)
      waiting -= 1
      return isFirst
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([works, waiting]).toEqual([1, 10])
    finish()
    expect((await Promise.all(all)).filter(Boolean)).toHaveLength(1)
    expect(works).toBe(1)
  })

  it('does not remember work that failed: the next who waited does it', async () => {
    const store = memoryStore()
    let works = 0
    const work = async () => {
      works += 1
      if (works < 3) throw new Error(`failed ${works}`)
    }
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => store.once('a', work)))
    expect(all.map((one) => (one.status === 'rejected' ? one.reason.message : one.value))).toEqual([
      'failed 1',
      'failed 2',
      true,
      ...Array.from({ length: 7 }, () => false),
    ])
    expect(works).toBe(3)
  })

  it('remembers as many events as it was told to', async () => {
    const store = memoryStore({ max: 2 })
    const once = (id: string) => store.once(id, async () => {})
    for (const id of ['a', 'b', 'c']) await once(id)
    expect([await once('c'), await once('b'), await once('a')]).toEqual([false, false, true])
  })
})
