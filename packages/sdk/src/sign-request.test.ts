/** Signing without sending, held against the vectors of the official Java SDK; and the names of the errors. */
import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonical, vectors } from '../../../test/support/scripted-gateway.ts'
import {
  AcoPay,
  AcoPayError,
  ApiError,
  ConnectionError,
  newKeyPair,
  newTradeNo,
  ParameterError,
  SignatureError,
  signPayParams,
  signRequest,
  UnknownNotificationError,
} from './index.ts'

const by = { mchPrivateKey: vectors.keys.merchantPrivateKey }

describe('signRequest', () => {
  it('signs the same text as the official Java SDK, with the same signature', async () => {
    for (const { name, params, canonical: text, sign } of vectors.requests) {
      const { mch_no, nonce, sign_type: _, ...business } = params
      const signed = await signRequest(business, { ...by, mchNo: String(mch_no), nonce: String(nonce) })
      expect(signed, name).toEqual({
        canonicalText: text,
        headers: {
          'x-acopay-mch-no': mch_no,
          'x-acopay-nonce': nonce,
          'x-acopay-sign-type': 'SHA256withRSA',
          'x-acopay-sign': sign,
        },
      })
    }
  })

  it('makes a nonce of its own, another one each time, and takes no wrong key', async () => {
    const one = await signRequest({}, { ...by, mchNo: 'M' })
    const two = await signRequest({}, { ...by, mchNo: 'M' })
    expect(one.headers['x-acopay-nonce']).toMatch(/^[0-9a-f]{32}$/)
    expect(one.headers['x-acopay-nonce']).not.toBe(two.headers['x-acopay-nonce'])
    await expect(signRequest({}, { mchNo: 'M', mchPrivateKey: 'bm90' })).rejects.toThrow(TypeError)
  })
})

describe('signPayParams', () => {
  it('gives a page what the vector of the web cashier holds', async () => {
    const vector = vectors.requests.find(({ name }) => name === 'order parameters for the web cashier')
    const { mch_no, nonce, sign_type, ...order } = vector?.params ?? {}
    expect(order.amount_currency).toBe('CNY')
    const { amount_currency: _, ...params } = order
    expect(await signPayParams(params as never, { ...by, mchNo: String(mch_no), nonce: String(nonce) })).toEqual({
      ...order,
      mch_no,
      nonce,
      sign_type,
      sign: vector?.sign,
    })
  })
})

describe('signOrderParams', () => {
  it('of a client signs the order for a page, with the nonce and the rest in the body', async () => {
    const client = new AcoPay({
      ...by,
      baseUrl: 'https://pay.example',
      mchNo: 'MCH1000000',
      appNo: 'APP1000000',
      platformPublicKey: vectors.keys.platformPublicKey,
    })
    const order = { mchTradeNo: 'a'.repeat(24), description: '茶', amountTotal: '0.01' }
    const { sign, ...signed } = await client.signOrderParams(order)
    expect(signed).toEqual({
      app_no: 'APP1000000',
      mch_trade_no: 'a'.repeat(24),
      description: '茶',
      amount_total: '0.01',
      amount_currency: 'CNY',
      mch_no: 'MCH1000000',
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
      sign_type: 'SHA256withRSA',
    })
    const key = createPublicKey({
      key: Buffer.from(vectors.keys.merchantPublicKey, 'base64'),
      format: 'der',
      type: 'spki',
    })
    const text = Buffer.from(canonical(signed))
    expect(verify('RSA-SHA256', text, key, Buffer.from(String(sign), 'base64'))).toBe(true)
    await expect(client.signOrderParams({ ...order, amountTotal: '1' })).rejects.toMatchObject({ field: 'amountTotal' })
  })
})

describe('numbers and keys', () => {
  it('newTradeNo is the time in UTC to the millisecond and twenty hex digits, 37 characters that the contract takes', () => {
    const [one, two] = [newTradeNo(), newTradeNo()]
    expect(one).toMatch(/^20\d{15}[0-9a-f]{20}$/)
    expect(one).not.toBe(two)
    const [, year, month, day, hour, minute, second, ms] =
      /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})/.exec(one)?.map(Number) ?? []
    const at = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second, ms)
    expect(Math.abs(Date.now() - at)).toBeLessThan(60_000)
  })

  it('newKeyPair is RSA-2048 as Base64 DER without armour', async () => {
    const { privateKey, publicKey } = await newKeyPair()
    expect(Buffer.from(publicKey, 'base64')).toHaveLength(294)
    expect(Buffer.from(privateKey, 'base64').length).toBeGreaterThan(1200)
    for (const text of [privateKey, publicKey]) expect(text).toMatch(/^MII[A-Za-z0-9+/]+=*$/)
  })
})

it('every error has its own name and is an AcoPayError', () => {
  const errors = [
    new ParameterError('a', 'x'),
    new ApiError({ status: 1007, code: 'ORDER_NOT_EXIST', fieldErrors: null, isSigned: true }),
    new SignatureError('x'),
    new UnknownNotificationError('x'),
    new ConnectionError('x'),
    new AcoPayError('x'),
  ]
  for (const error of errors) expect(error).toBeInstanceOf(AcoPayError)
  expect(errors.map(({ name }) => name)).toEqual([
    'ParameterError',
    'ApiError',
    'SignatureError',
    'UnknownNotificationError',
    'ConnectionError',
    'AcoPayError',
  ])
  expect(new ConnectionError('x')).toMatchObject({ httpStatus: null, isRetryable: true })
})
