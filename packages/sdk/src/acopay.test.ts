import { getEventListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openAttempt, pay, type TestGateway, testGateway } from '../../../test/support/gateway.ts'
import {
  AcoPay,
  type AcoPayOptions,
  ApiError,
  ConnectionError,
  newKeyPair,
  newTradeNo,
  type OrderParams,
  ParameterError,
  SignatureError,
} from './index.ts'

let test: TestGateway
let client: AcoPay
beforeAll(async () => {
  test = await testGateway()
  client = new AcoPay(test.demo)
})
afterAll(() => test.stop())

const order = (more: Partial<OrderParams> = {}): OrderParams => ({
  mchTradeNo: newTradeNo(),
  description: '测试订单',
  amountTotal: '12.50',
  ...more,
})

describe('against a gateway', () => {
  it('places, queries and closes an order', async () => {
    const params = order({
      extra: '附加',
      timeExpire: new Date(Date.now() + 3_600_000),
      notifyUrl: 'https://a.example/n',
    })
    const placed = await client.placeOrder(params)
    expect(placed).toMatchObject({ mchTradeNo: params.mchTradeNo, appNo: test.demo.appNo })
    expect((await client.placeOrder(params)).transactionNo).toBe(placed.transactionNo)
    const { transactionNo } = placed
    expect(await client.queryOrder({ transactionNo })).toMatchObject({
      transactionNo,
      state: 'NOTPAY',
      amountTotal: '12.50',
      extra: '附加',
      successTime: null,
      payChannel: null,
    })
    expect(await client.closeOrder({ mchTradeNo: params.mchTradeNo })).toEqual({
      transactionNo,
      mchTradeNo: params.mchTradeNo,
      outcome: 'closed',
      description: '关单成功',
    })
    expect(await client.queryOrder({ mchTradeNo: params.mchTradeNo })).toMatchObject({ state: 'CLOSED' })
  })

  it('refunds a part of a paid order, once per number, and tells the refund by either number', async () => {
    const { transactionNo, mchTradeNo } = await client.placeOrder(order())
    const mchRefundNo = newTradeNo()
    const params = { transactionNo, mchRefundNo, refundAmount: '2.50', refundReason: '商品已退货' }
    await expect(client.refund(params)).rejects.toMatchObject({ status: 1008 })
    await pay(test.demo, transactionNo, (await openAttempt(test.demo, transactionNo)) ?? '')
    const refund = await client.refund(params)
    expect(refund).toEqual({
      transactionNo,
      mchTradeNo,
      mchRefundNo,
      refundNo: expect.stringMatching(/^AR\d{36}$/),
      refundAmount: '2.50',
      state: 'SUCCESS',
      description: '退款成功',
      refundChannel: 'wechat',
    })
    expect(await client.refund(params)).toEqual(refund)
    for (const ref of [{ mchRefundNo }, { refundNo: refund.refundNo }]) {
      expect(await client.queryRefund(ref)).toEqual({ ...refund, successTime: expect.any(Date) })
    }
    await expect(client.refund({ ...params, refundAmount: '2.51' })).rejects.toMatchObject({
      status: 1012,
      fieldErrors: 'refund_amount 与首次退款时不同',
    })
    await expect(client.queryRefund({ mchRefundNo: newTradeNo() })).rejects.toMatchObject({ status: 1011 })
  })

  it('sends no refund that the gateway would refuse for its form', async () => {
    const good = { transactionNo: 'AP1', mchRefundNo: newTradeNo(), refundAmount: '1.00', refundReason: 'x' }
    for (const [more, field] of [
      [{ refundAmount: '1' }, 'refundAmount'],
      [{ mchRefundNo: 'short' }, 'mchRefundNo'],
      [{ refundReason: 'x'.repeat(33) }, 'refundReason'],
    ] as const) {
      await expect(client.refund({ ...good, ...more })).rejects.toMatchObject({ name: 'ParameterError', field })
    }
  })

  it('tells a paid order from a closed one', async () => {
    const { transactionNo } = await client.placeOrder(order())
    await pay(test.demo, transactionNo, (await openAttempt(test.demo, transactionNo)) ?? '')
    expect(await client.closeOrder({ transactionNo })).toMatchObject({ outcome: 'paid', description: '订单已支付' })
    const paid = await client.queryOrder({ transactionNo })
    expect(paid).toMatchObject({ state: 'SUCCESS', payChannel: 'wechat', payMethod: 'native', acoid: 'sandbox-payer' })
    expect(Math.abs(Date.now() - (paid.successTime?.getTime() ?? 0))).toBeLessThan(60_000)
  })

  it('shows what proves a close, and refuses to where there is none', async () => {
    const { transactionNo } = await client.placeOrder(order())
    await openAttempt(test.demo, transactionNo)
    await expect(client.closeEvidence({ transactionNo })).rejects.toMatchObject({ status: 1009 })
    await client.closeOrder({ transactionNo })
    const evidence = await client.closeEvidence({ transactionNo })
    expect(evidence).toMatchObject({ transactionNo, reason: '商户关单', timelineLength: 4 })
    expect(evidence.upstreamAnswers.map(({ verb, says }) => `${verb} ${says}`)).toEqual([
      'query open',
      'close accepted',
      'query closed',
    ])
    expect(evidence.closeTime.getTime()).toBeGreaterThanOrEqual(evidence.fenceTime.getTime())
    expect(evidence.timelineHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('says which version it is, in a field that holds it', async () => {
    const urls: URL[] = []
    const recording: typeof fetch = (url, init) => {
      urls.push(new URL(String(url)))
      return fetch(url, init)
    }
    await new AcoPay({ ...test.demo, fetch: recording }).queryOrder({ transactionNo: 'AP0' }).catch(() => null)
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const sent = urls[0]?.searchParams.get('aco_pay_sdk')
    expect(sent).toBe(`ts-${version}`)
    expect(sent?.length).toBeLessThanOrEqual(12)
  })

  it('throws what the gateway refuses, with its number, its name and its words', async () => {
    const error = await client.closeOrder({ transactionNo: 'AP0' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({
      status: 1007,
      code: 'ORDER_NOT_EXIST',
      fieldErrors: '此订单不存在!',
      isSigned: true,
      isRetryable: false,
    })
  })

  it('says so when the merchant signs with a key that the platform does not know', async () => {
    const { privateKey } = await newKeyPair()
    const stranger = new AcoPay({ ...test.demo, mchPrivateKey: privateKey })
    await expect(stranger.queryOrder({ transactionNo: 'AP0' })).rejects.toMatchObject({ status: 1002, isSigned: false })
  })

  it('does not believe answers signed with a key it was not given, and believes any of several', async () => {
    const { publicKey } = await newKeyPair()
    const params = order()
    await expect(new AcoPay({ ...test.demo, platformPublicKey: publicKey }).placeOrder(params)).rejects.toThrow(
      SignatureError,
    )
    const rotating = new AcoPay({ ...test.demo, platformPublicKey: [publicKey, test.demo.platformPublicKey] })
    expect(await rotating.placeOrder(params)).toMatchObject({ mchTradeNo: params.mchTradeNo })
  })

  it('signs parameters that a page can hand over as they are', async () => {
    const params = order()
    const signed = await client.signOrderParams(params)
    const response = await fetch(`${test.demo.baseUrl}/pay/v1/transactions/trade`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signed),
    })
    expect(await response.json()).toMatchObject({ status: 200, data: { mch_trade_no: params.mchTradeNo } })
  })
})

describe('what is never sent', () => {
  it.each<[string, Partial<OrderParams>]>([
    ['amountTotal', { amountTotal: '12.5' }],
    ['amountTotal', { amountTotal: '0.00' }],
    ['amountTotal', { amountTotal: 12.5 as unknown as string }],
    ['mchTradeNo', { mchTradeNo: 'short' }],
    ['description', { description: '' }],
    ['description', { description: '长'.repeat(129) }],
    ['notifyUrl', { notifyUrl: 'https://a.example/n?x=1' }],
    ['timeExpire', { timeExpire: new Date(Number.NaN) }],
    ['timeExpire', { timeExpire: '2026-12-31T00:00:00Z' as unknown as Date }],
  ])('a wrong %s: ParameterError names the field', async (field, more) => {
    const error = await client.placeOrder(order(more)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ParameterError)
    expect(error).toMatchObject({ field })
  })

  it('a close that names no order', async () => {
    await expect(client.closeOrder({ transactionNo: '' })).rejects.toThrow('至少填一个')
  })

  it.each<[keyof AcoPayOptions, unknown]>([
    ['baseUrl', 'pay.example.com'],
    ['baseUrl', 'https://a.example/?x'],
    ['baseUrl', 'https://user:secret@a.example/'],
    ['mchNo', ''],
    ['mchNo', 'MCH1\r\nx: y'],
    ['appNo', 'A'.repeat(33)],
    ['appNo', undefined],
    ['mchPrivateKey', 'bm90IGEga2V5'],
    ['platformPublicKey', []],
    ['timeoutMs', 0],
    ['tries', 1.5],
  ])('a wrong %s: the client is not made', (name, value) => {
    expect(() => new AcoPay({ ...test.demo, [name]: value })).toThrow(name)
  })

  it('a private key where the public one belongs', () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${test.demo.mchPrivateKey}\n-----END PRIVATE KEY-----`
    for (const platformPublicKey of [pem, test.demo.mchPrivateKey]) {
      expect(() => new AcoPay({ ...test.demo, platformPublicKey })).toThrow('platformPublicKey: this is a private key')
    }
  })

  it('a key is not repeated in the error that refuses it', () => {
    const mchPrivateKey = `${test.demo.mchPrivateKey.slice(0, 400)}AAAA`
    const make = () => new AcoPay({ ...test.demo, mchPrivateKey })
    expect(make).toThrow(ParameterError)
    expect(make).not.toThrow(mchPrivateKey.slice(100, 140))
  })
})

describe('against a gateway that misbehaves', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  type Bad = { status?: number; body?: string; hangUp?: boolean } | 'real' | 'silence'

  /** Gives one of these answers to each request; 'real' passes the request on to the gateway. */
  async function misbehaving(answers: Bad[], options: Partial<AcoPayOptions> = {}) {
    const nonces: unknown[] = []
    const pauses: number[] = []
    server = createServer(async (request, response) => {
      nonces.push(request.headers['x-acopay-nonce'])
      const answer = answers[Math.min(nonces.length, answers.length) - 1] as Bad
      if (answer === 'silence') return
      if (answer !== 'real') {
        if (answer.hangUp) return request.socket.destroy()
        return response.writeHead(answer.status ?? 200).end(answer.body)
      }
      const passed = await passOn(request)
      return response.writeHead(200, { 'content-type': 'application/json' }).end(passed)
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server?.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const sleep = async (ms: number) => void pauses.push(ms)
    return {
      nonces,
      pauses,
      client: new AcoPay({ ...test.demo, baseUrl: `http://127.0.0.1:${port}`, sleep, ...options }),
    }
  }

  async function passOn(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = 'GET', url = '/', headers } = request
    const body = method === 'POST' ? { body: Buffer.concat(chunks) } : {}
    const sent = Object.entries(headers).filter(([name]) => name.startsWith('x-acopay'))
    return (await fetch(test.demo.baseUrl + url, { method, headers: sent as [string, string][], ...body })).text()
  }

  const error = (status: number, message: string): Bad => ({
    body: JSON.stringify({ status, message, fieldErrors: '请稍后', data: null }),
  })

  it('tries again after 1500, 1017, a lost connection and a 502, with the same numbers and new nonces', async () => {
    const flaky = [
      error(1500, 'SYSTEM_ERROR'),
      error(1017, 'FREQUENCY_LIMIT'),
      { hangUp: true },
      { status: 502 },
      'real',
    ]
    const { client, nonces, pauses } = await misbehaving(flaky as Bad[], { tries: 5 })
    const params = order()
    expect(await client.placeOrder(params)).toMatchObject({ mchTradeNo: params.mchTradeNo })
    expect(new Set(nonces).size).toBe(5)
    const [first = 0, , , fourth = 0] = pauses
    expect(first).toBeLessThanOrEqual(200)
    expect(fourth).toBeGreaterThan(first)
  })

  it('waits at most 5 s between two tries, and never at the same moment as all the others', async () => {
    const { client, pauses } = await misbehaving([{ hangUp: true }], { tries: 10 })
    await expect(client.closeOrder({ transactionNo: 'AP0' })).rejects.toThrow(ConnectionError)
    expect(pauses).toHaveLength(9)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5000)
    expect(new Set(pauses).size).toBe(9)
  })

  it('leaves nothing behind on a signal that lives on', async () => {
    const stop = new AbortController()
    const { client, nonces } = await misbehaving([{ hangUp: true }], { tries: 2, sleep: undefined } as never)
    const options = { signal: stop.signal }
    await expect(client.closeOrder({ transactionNo: 'AP0' }, options)).rejects.toThrow(ConnectionError)
    expect(nonces).toHaveLength(2)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  })

  it('does not try again after an error that stays', async () => {
    const { client, nonces } = await misbehaving([error(1002, 'SIGN_ERROR')])
    await expect(client.placeOrder(order())).rejects.toThrow(ApiError)
    expect(nonces).toHaveLength(1)
  })

  it('gives up after its tries and says that the outcome is unknown', async () => {
    const { client, nonces } = await misbehaving([{ hangUp: true }])
    await expect(client.placeOrder(order())).rejects.toThrow(/unknown/)
    expect(nonces).toHaveLength(3)
  })

  it('waits no longer than timeoutMs', async () => {
    const { client } = await misbehaving(['silence'], { timeoutMs: 50, tries: 1 })
    await expect(client.closeOrder({ transactionNo: 'AP0' })).rejects.toThrow('no answer within 50 ms')
  })

  it('stops when its signal says so, without another try', async () => {
    const { client, nonces } = await misbehaving(['silence'])
    const stop = new AbortController()
    const closing = client.closeOrder({ transactionNo: 'AP0' }, { signal: stop.signal })
    await expect.poll(() => nonces.length).toBe(1)
    stop.abort()
    await expect(closing).rejects.toThrow(ConnectionError)
    expect(nonces).toHaveLength(1)
  })

  it.each<[string, Bad, string]>([
    [
      'an unsigned success',
      { body: '{"status":200,"message":"SUCCESS","fieldErrors":null,"data":{"code":"SUCCESS"}}' },
      'not signed',
    ],
    ['an unsigned "no such order"', error(1007, 'ORDER_NOT_EXIST'), 'not signed'],
  ])('does not believe %s', async (_what, answer, says) => {
    const { client } = await misbehaving([answer])
    const thrown = await client.closeOrder({ transactionNo: 'AP0' }).catch((failure: unknown) => failure)
    expect(thrown).toBeInstanceOf(SignatureError)
    expect((thrown as Error).message).toContain(says)
  })

  it('does not believe a signed answer about another order', async () => {
    const { transactionNo } = await client.placeOrder(order())
    const answers: string[] = []
    const recording: typeof fetch = async (url, init) => {
      const response = await fetch(url, init)
      answers.push(await response.clone().text())
      return response
    }
    await new AcoPay({ ...test.demo, fetch: recording }).closeOrder({ transactionNo })
    const { client: fooled } = await misbehaving([{ body: answers[0] as string }])
    await expect(fooled.closeOrder({ transactionNo: 'AP0' })).rejects.toThrow('about another order')
  })

  it.each<[string, Bad, string]>([
    ['a page', { body: '<html>' }, 'baseUrl'],
    ['other JSON', { body: '{"ok":true}' }, 'baseUrl'],
    ['a list', { body: '[]' }, 'baseUrl'],
    ['data that is not flat', { body: '{"status":200,"message":"SUCCESS","data":{"a":{}}}' }, 'baseUrl'],
    ['404', { status: 404 }, 'baseUrl'],
  ])('answers %s: ConnectionError, and no second try', async (_what, answer, says) => {
    const { client, nonces } = await misbehaving([answer])
    const thrown = await client.queryOrder({ transactionNo: 'AP0' }).catch((failure: unknown) => failure)
    expect(thrown).toBeInstanceOf(ConnectionError)
    expect((thrown as Error).message).toContain(says)
    expect(nonces).toHaveLength(1)
  })
})
