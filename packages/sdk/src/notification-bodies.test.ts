/**
 * Notifications byte by byte (spec/protocol.md 3.7): which bodies are events, which are not and why, and the bodies that the
 * SDK makes for a merchant's own tests. Bodies are signed here by node:crypto, not by the code under test.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { canonical, MCH_NO, platformSign, vectors } from '../../../test/support/scripted-gateway.ts'
import {
  type NotificationEvent,
  notificationHandler,
  ParameterError,
  SignatureError,
  signedTestNotification,
  UnknownNotificationError,
  type VerifyOptions,
  verifyNotification,
} from './index.ts'

type Flat = Record<string, string | null | undefined>

const NOW = new Date('2026-05-12T02:00:00Z')
const OPTIONS: VerifyOptions = {
  platformPublicKey: vectors.keys.platformPublicKey,
  mchNo: MCH_NO,
  now: () => NOW,
}

const COMMON = {
  mch_no: MCH_NO,
  nonce: 'n',
  sign_type: 'SHA256withRSA',
  notify_time: '2026-05-12T10:00:00+08:00',
  transaction_no: 'AP1',
  mch_trade_no: 'my-order',
}
const PAYMENT: Flat = {
  ...COMMON,
  app_no: 'APP1',
  extra: '附言',
  code: 'SUCCESS',
  description: '支付成功',
  amount_total: '12.50',
  amount_currency: 'CNY',
  success_time: '2026-05-12T09:59:59+08:00',
  acoid: 'payer',
}
const REFUND: Flat = {
  ...COMMON,
  refund_no: 'AR1',
  mch_refund_no: 'my-refund',
  code: 'SUCCESS',
  description: '退款成功',
  refund_amount: '2.50',
  success_time: '2026-05-12T09:59:59+08:00',
  refund_reason: '退货',
}

const signed = (body: Flat): string => JSON.stringify({ ...body, sign: platformSign(canonical(body)) })

const READ_PAYMENT = {
  kind: 'payment',
  state: 'SUCCESS',
  transactionNo: 'AP1',
  mchTradeNo: 'my-order',
  appNo: 'APP1',
  extra: '附言',
  description: '支付成功',
  amountTotal: '12.50',
  amountCurrency: 'CNY',
  successTime: new Date('2026-05-12T01:59:59Z'),
  acoid: 'payer',
  notifyTime: NOW,
}
const READ_REFUND = {
  kind: 'refund',
  state: 'SUCCESS',
  transactionNo: 'AP1',
  mchTradeNo: 'my-order',
  refundNo: 'AR1',
  mchRefundNo: 'my-refund',
  description: '退款成功',
  refundAmount: '2.50',
  successTime: new Date('2026-05-12T01:59:59Z'),
  refundReason: '退货',
  notifyTime: NOW,
}

const read = (body: Flat): NotificationEvent => verifyNotification(signed(body), OPTIONS)
const errorOf = (make: () => unknown): Error => {
  try {
    make()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('an event', () => {
  it.each<[string, Flat, object]>([
    ['a payment', PAYMENT, READ_PAYMENT],
    [
      'a payment with nothing optional',
      { ...PAYMENT, extra: null, acoid: null },
      { ...READ_PAYMENT, extra: null, acoid: null },
    ],
    [
      'a payment whose optional fields are left out',
      { ...PAYMENT, extra: undefined, acoid: undefined },
      { ...READ_PAYMENT, extra: null, acoid: null },
    ],
    [
      'a payment that was returned',
      { ...PAYMENT, code: 'REFUND', description: '转入退款' },
      { ...READ_PAYMENT, kind: 'payment_returned', state: 'REFUND', description: '转入退款' },
    ],
    ['a refund', REFUND, READ_REFUND],
    ['a refund without a reason', { ...REFUND, refund_reason: undefined }, { ...READ_REFUND, refundReason: null }],
    [
      'a refund that failed',
      { ...REFUND, code: 'FAIL', description: '退款失败', success_time: null },
      { ...READ_REFUND, state: 'FAIL', description: '退款失败', successTime: null },
    ],
  ])('%s is read field by field', (_what, body, event) => {
    expect(read(body)).toEqual(event)
  })

  it('of the official Java SDK verifies, and is a form of which too little is known', () => {
    const { body, sign } = vectors.responses.find(({ name }) => name === 'flat notification') ?? { body: {}, sign: '' }
    const verify = () =>
      verifyNotification(JSON.stringify({ ...body, sign }), { ...OPTIONS, toleranceMs: Number.POSITIVE_INFINITY })
    // It has no notify_time: spec 3.7 asks for one, so its age cannot be checked.
    expect(verify).toThrow('the notification has no notify_time')
  })

  it('is of an unknown form without any one of the fields that it needs', () => {
    const needed = (body: Flat, names: string[]): void => {
      for (const name of names) {
        for (const value of [null, undefined]) {
          const error = errorOf(() => read({ ...body, [name]: value }))
          expect(error, name).toBeInstanceOf(UnknownNotificationError)
          expect(error.message).toMatch(
            /^this version cannot read the notification: code (SUCCESS|FAIL), with mch_no, nonce/,
          )
        }
      }
    }
    needed(PAYMENT, [
      'transaction_no',
      'mch_trade_no',
      'app_no',
      'description',
      'amount_total',
      'amount_currency',
      'success_time',
    ])
    needed(REFUND, ['transaction_no', 'mch_trade_no', 'mch_refund_no', 'description', 'refund_amount', 'success_time'])
    needed({ ...REFUND, code: 'FAIL' }, ['transaction_no', 'refund_amount'])
  })

  it('is of an unknown state with a code that this version does not know, and says which code and fields', () => {
    for (const body of [PAYMENT, REFUND]) {
      for (const code of ['LATE', 'success', '', null]) {
        expect(() => read({ ...body, code })).toThrow(UnknownNotificationError)
      }
    }
    expect(() => read({ ...PAYMENT, code: 'FAIL' })).toThrow(UnknownNotificationError)
    expect(() => read({ ...REFUND, code: 'REFUND' })).toThrow(UnknownNotificationError)
    expect(errorOf(() => read({ ...COMMON, code: 'X' })).message).toBe(
      'this version cannot read the notification: code X, with mch_no, nonce, sign_type, notify_time, transaction_no, mch_trade_no, code, sign',
    )
  })
})

describe('a doubt', () => {
  const refused = (body: string | Uint8Array, options: Partial<VerifyOptions> = {}): string => {
    const error = errorOf(() => verifyNotification(body, { ...OPTIONS, ...options }))
    expect(error).toBeInstanceOf(SignatureError)
    return error.message
  }
  const CLOCK = "by this machine's clock: a replayed request, or is the clock wrong?"

  it('is said in full', () => {
    expect(refused(Buffer.from([0x22, 0xff, 0x22]))).toBe('the body is not UTF-8')
    expect(refused('{"a":')).toBe('the body is not JSON; it has 5 characters')
    for (const body of ['[]', 'null', '"x"', '1', 'true']) expect(refused(body)).toBe('the body is not a JSON object')
    expect(refused('{"a":"1","b":2}')).toBe('b is neither a text nor null')
    expect(refused('{"b":{"c":"1"}}')).toBe('b is neither a text nor null')
    for (const sign of [undefined, null, '']) {
      expect(refused(JSON.stringify({ ...PAYMENT, sign }))).toBe('the notification is not signed')
    }
    expect(refused(signed({ ...PAYMENT, sign_type: 'none' }))).toBe("the notification's sign_type is not SHA256withRSA")
    expect(refused(signed(PAYMENT).replace('12.50', '12.51'))).toBe(
      "the notification's signature does not verify with platformPublicKey",
    )
    expect(refused(signed(PAYMENT), { platformPublicKey: vectors.keys.merchantPublicKey })).toMatch(/does not verify/)
    expect(refused(signed({ ...PAYMENT, mch_no: 'MCH2' }))).toBe('the notification is signed for another merchant')
    expect(refused(signed({ ...PAYMENT, mch_no: null }))).toBe('the notification is signed for another merchant')
    for (const notify_time of [null, undefined, 'soon', '']) {
      expect(refused(signed({ ...PAYMENT, notify_time }))).toBe('the notification has no notify_time')
    }
  })

  it('is raised by a half character in a name or a value, which the signature does not cover', () => {
    for (const body of [
      { ...PAYMENT, extra: 'a\ud800' },
      { ...PAYMENT, '\udc00': 'x' },
    ]) {
      expect(refused(JSON.stringify({ ...body, sign: 'x' }))).toBe('a text is not Unicode')
    }
    expect(read({ ...PAYMENT, extra: '🧧' })).toMatchObject({ extra: '🧧' })
  })

  it('about the time begins a millisecond after the tolerance, to both sides', () => {
    const at = (ms: number, toleranceMs?: number): VerifyOptions => ({
      ...OPTIONS,
      now: () => new Date(NOW.getTime() + ms),
      ...(toleranceMs === undefined ? {} : { toleranceMs }),
    })
    for (const ms of [-300_000, 0, 300_000]) verifyNotification(signed(PAYMENT), at(ms))
    for (const ms of [-1000, 1000]) verifyNotification(signed(PAYMENT), at(ms, 1000))
    verifyNotification(signed(PAYMENT), at(0, 0))
    expect(refused(signed(PAYMENT), at(300_001))).toBe(`notify_time is 300 s in the past ${CLOCK}`)
    expect(refused(signed(PAYMENT), at(-300_001))).toBe(`notify_time is 300 s in the future ${CLOCK}`)
    expect(refused(signed(PAYMENT), at(1501, 1500))).toBe(`notify_time is 2 s in the past ${CLOCK}`)
  })

  it('is measured by this machine’s own clock where no other is given', () => {
    const { now: _, ...options } = OPTIONS
    const minute = new Date(Date.now() - 60_000 + 8 * 3_600_000).toISOString().slice(0, 19)
    expect(verifyNotification(signed({ ...PAYMENT, notify_time: `${minute}+08:00` }), options)).toMatchObject({
      kind: 'payment',
    })
    expect(() => verifyNotification(signed(PAYMENT), { ...options, now: () => new Date(Number.NaN) })).toThrow()
  })

  it('cannot be turned off by a wrong tolerance', () => {
    for (const toleranceMs of [-1, Number.NaN, '300000']) {
      const error = errorOf(() =>
        verifyNotification(signed(PAYMENT), { ...OPTIONS, toleranceMs: toleranceMs as number }),
      )
      expect(error).toMatchObject({ name: 'ParameterError', field: 'toleranceMs' })
      expect(error.message).toBe('toleranceMs should be a number of milliseconds, or Infinity')
    }
  })
})

describe('a notification for a merchant’s own tests', () => {
  const by = { mchNo: MCH_NO, privateKey: vectors.keys.platformPrivateKey }
  const made = async (event: Parameters<typeof signedTestNotification>[0]): Promise<Flat> => {
    const { nonce, sign, ...body } = JSON.parse(await signedTestNotification(event, by))
    expect(nonce).toMatch(/^[0-9a-f]{32}$/)
    expect(sign).toBe(platformSign(canonical({ ...body, nonce })))
    return body
  }
  const BASIC = { mch_no: MCH_NO, sign_type: 'SHA256withRSA', notify_time: '2026-05-12T10:00:00+08:00' }
  const AP = 'AP202601010800000000000000000000000001'

  it('is a payment of 12.50 yuan where nothing else is said', async () => {
    expect(await made({ kind: 'payment', notifyTime: NOW })).toEqual({
      ...BASIC,
      transaction_no: AP,
      mch_trade_no: 'test-order-00000000000000001',
      app_no: 'APP1000000',
      extra: null,
      code: 'SUCCESS',
      description: '支付成功',
      amount_total: '12.50',
      amount_currency: 'CNY',
      success_time: '2026-05-12T10:00:00+08:00',
      acoid: null,
    })
    expect(await made({ kind: 'payment_returned', notifyTime: NOW })).toMatchObject({
      code: 'REFUND',
      description: '转入退款',
    })
  })

  it('is a refund of 2.50 yuan, done or failed', async () => {
    const refund = {
      ...BASIC,
      transaction_no: AP,
      mch_trade_no: 'test-order-00000000000000001',
      refund_no: 'AR202601010800000000000000000000000001',
      mch_refund_no: 'test-refund-0000000000000001',
      refund_amount: '2.50',
      refund_reason: null,
    }
    expect(await made({ kind: 'refund', notifyTime: NOW })).toEqual({
      ...refund,
      code: 'SUCCESS',
      description: '退款成功',
      success_time: '2026-05-12T10:00:00+08:00',
    })
    expect(await made({ kind: 'refund', state: 'FAIL', notifyTime: NOW })).toEqual({
      ...refund,
      code: 'FAIL',
      description: '退款失败',
      success_time: null,
    })
  })

  it('takes every field that is given', async () => {
    const payment = {
      transactionNo: 'AP2',
      mchTradeNo: 'o2',
      appNo: 'APP2',
      extra: 'e',
      description: 'd',
      amountTotal: '1.00',
      amountCurrency: 'HKD',
      successTime: new Date('2026-05-12T01:00:00Z'),
      acoid: 'a',
      notifyTime: NOW,
    }
    expect(verifyNotification(await signedTestNotification({ kind: 'payment', ...payment }, by), OPTIONS)).toEqual({
      kind: 'payment',
      state: 'SUCCESS',
      ...payment,
    })
    const refund = {
      transactionNo: 'AP2',
      mchTradeNo: 'o2',
      refundNo: 'AR2',
      mchRefundNo: 'r2',
      description: 'd',
      refundAmount: '1.00',
      successTime: new Date('2026-05-12T01:00:00Z'),
      refundReason: 'r',
      notifyTime: NOW,
    }
    expect(verifyNotification(await signedTestNotification({ kind: 'refund', ...refund }, by), OPTIONS)).toEqual({
      kind: 'refund',
      state: 'SUCCESS',
      ...refund,
    })
  })

  it('is of now where no time is given, and refuses a wrong key or number by its name', async () => {
    const { notify_time } = await made({ kind: 'payment' })
    expect(Math.abs(Date.now() - Date.parse(String(notify_time)))).toBeLessThan(60_000)
    const event = { kind: 'payment' } as const
    await expect(signedTestNotification(event, { ...by, privateKey: 'x' })).rejects.toMatchObject({
      field: 'privateKey',
    })
    await expect(signedTestNotification(event, { ...by, mchNo: '' })).rejects.toMatchObject({ field: 'mchNo' })
  })
})

describe('the handler without a server', () => {
  afterEach(() => vi.restoreAllMocks())
  const callbacks = { onPayment: () => {}, onPaymentReturned: () => {}, onRefund: () => {} }
  const SUCCESS = {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: '{"status":"SUCCESS","message":"成功"}',
  }
  const failed = (status: number): object => ({ ...SUCCESS, status, body: '{"status":"FAIL","message":"失败"}' })

  it('takes a body of 64 KiB and refuses one more byte, as text and as bytes', async () => {
    const errors: Error[] = []
    const onError = (error: unknown): void => void errors.push(error as Error)
    const handle = notificationHandler({ ...OPTIONS, ...callbacks, onError })
    const full = signed(PAYMENT)
    const padded = full + ' '.repeat(64 * 1024 - Buffer.byteLength(full))
    expect(Buffer.byteLength(padded)).toBe(65_536)
    expect(await handle(Buffer.from(padded))).toEqual(SUCCESS)
    expect(await handle(Buffer.from(`${padded} `))).toEqual(failed(413))
    expect(errors.map(({ message }) => message)).toEqual(['the body has more than 65536 bytes'])
    expect(errors[0]).toMatchObject({ name: 'ParameterError', field: 'rawBody' })
  })

  it('tells a developer whose parser came first where to mount it', async () => {
    const errors: Error[] = []
    const onError = (error: unknown): void => void errors.push(error as Error)
    const handle = notificationHandler({ ...OPTIONS, ...callbacks, onError })
    for (const body of [PAYMENT, undefined, null]) expect(await handle(body as never)).toEqual(failed(500))
    for (const error of errors) {
      expect(error).toBeInstanceOf(ParameterError)
      expect(error.message).toBe(
        'the raw body is gone: something parsed it before. In Express mount the handler before express.json(); elsewhere hand over the bytes as they came',
      )
    }
    expect(errors).toHaveLength(3)
  })

  it('writes what went wrong to the console where onError is not given: a line, or the stack of your own error', async () => {
    const lines: unknown[] = []
    vi.spyOn(console, 'error').mockImplementation((...line) => void lines.push(...line))
    const secret = Object.assign(new Error('broken'), { detail: 'a payer’s name' })
    const onPayment = (): void => {
      throw secret
    }
    const onRefund = (): void => {
      throw 'a text'
    }
    const handle = notificationHandler({ ...OPTIONS, ...callbacks, onPayment, onRefund })
    expect(await handle('{')).toEqual(failed(400))
    expect(await handle(signed(PAYMENT))).toEqual(failed(500))
    expect(await handle(signed(REFUND))).toEqual(failed(500))
    expect(lines).toEqual([
      'ACO Pay notification: the body is not JSON; it has 1 characters',
      `ACO Pay notification: ${secret.stack}`,
      'ACO Pay notification: a text',
    ])
  })

  it('gives each kind of event to its own callback, without a transaction where there is no store', async () => {
    const calls: unknown[] = []
    const note = (name: string) => (event: NotificationEvent, tx: unknown) => void calls.push([name, event.kind, tx])
    const handle = notificationHandler({
      ...OPTIONS,
      onPayment: note('onPayment'),
      onPaymentReturned: note('onPaymentReturned'),
      onRefund: note('onRefund'),
    })
    for (const body of [PAYMENT, { ...PAYMENT, code: 'REFUND' }, REFUND])
      expect(await handle(signed(body))).toEqual(SUCCESS)
    expect(calls).toEqual([
      ['onPayment', 'payment', undefined],
      ['onPaymentReturned', 'payment_returned', undefined],
      ['onRefund', 'refund', undefined],
    ])
  })

  it('tells of money sent back where there is a callback for it, and asks for it again where there is none', async () => {
    const by = { mchNo: MCH_NO, privateKey: vectors.keys.platformPrivateKey }
    const body = await signedTestNotification({ kind: 'sent_back', why: 'SECOND', notifyTime: NOW }, by)
    const heard: NotificationEvent[] = []
    const wrong: string[] = []
    const callbacks = { onPayment() {}, onPaymentReturned() {}, onRefund() {} }
    const onError = (error: unknown) => void wrong.push((error as Error).name)
    const deaf = notificationHandler({ ...OPTIONS, ...callbacks, onError })
    expect(await deaf(body)).toMatchObject({ status: 500 })
    expect(wrong).toEqual(['UnknownNotificationError'])
    const hears = notificationHandler({ ...OPTIONS, ...callbacks, onSentBack: (event) => void heard.push(event) })
    expect(await hears(body)).toEqual(SUCCESS)
    expect(heard).toMatchObject([
      { kind: 'sent_back', why: 'SECOND', amount: '12.50', currency: 'CNY', paidTime: NOW, successTime: NOW },
    ])
  })
})
