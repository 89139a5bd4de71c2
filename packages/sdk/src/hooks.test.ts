/** What logs and traces are told of a call, how long a client waits when it is told to, and the fetch of the caller's. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type Answer,
  MCH_NO,
  type ScriptedGateway,
  scriptedGateway,
  signedEnvelope,
  success,
  vectors,
} from '../../../test/support/scripted-gateway.ts'
import { AcoPay, type AcoPayOptions, ApiError, type Attempt, type AttemptEnd, ConnectionError } from './index.ts'
import { anyOf } from './signals.ts'

let gateway: ScriptedGateway
beforeAll(async () => {
  gateway = await scriptedGateway()
})
afterAll(() => gateway.stop())
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

const { merchantPrivateKey: mchPrivateKey, platformPublicKey } = vectors.keys
let pauses: number[] = []
const make = (more: Partial<AcoPayOptions> = {}): AcoPay => {
  pauses = []
  const sleep = async (ms: number): Promise<void> => void pauses.push(ms)
  return new AcoPay({
    baseUrl: gateway.url,
    mchNo: MCH_NO,
    appNo: 'A',
    mchPrivateKey,
    platformPublicKey,
    sleep,
    ...more,
  })
}

const AP = 'AP202605121000000000000000000000000001'
const ORDER = {
  app_no: 'A',
  mch_trade_no: 'x',
  transaction_no: AP,
  code: 'NOTPAY',
  description: '未支付',
  amount_total: '1.00',
}
const hangUp: Answer = (_seen, response) => void response.destroy()
const refused =
  (status: number, message: string, retryAfter?: string): Answer =>
  (_seen, response) => {
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
    return signedEnvelope({ status, message, fieldErrors: 'x' }, {})
  }
const http =
  (status: number, retryAfter: string): Answer =>
  (_seen, response) =>
    void response.writeHead(status, { 'retry-after': retryAfter }).end()

describe('hooks', () => {
  it('are told of each try of a call: what is asked, how it ended, and when it is tried again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const told: (Attempt | AttemptEnd)[] = []
    const client = make({ onRequest: (attempt) => told.push(attempt), onAnswer: (end) => told.push(end) })
    gateway.says(hangUp, success({ ...ORDER, mch_trade_no: 'y' }))
    await client.queryOrder({ transactionNo: AP, mchTradeNo: 'y' })
    const attempt = (tried: number) => ({
      ...{ method: 'GET', path: 'trade', tried, transactionNo: AP, mchTradeNo: 'y' },
      nonce: gateway.seen[tried - 1]?.headers['x-acopay-nonce'],
    })
    const ms = expect.any(Number)
    expect(told).toEqual([
      attempt(1),
      { attempt: attempt(1), ms, error: expect.any(ConnectionError), retryInMs: 200 },
      attempt(2),
      { attempt: attempt(2), ms, error: null, retryInMs: null },
    ])
    // The same object, so that a span can be kept for it in a WeakMap.
    expect((told[1] as AttemptEnd).attempt).toBe(told[0])
  })

  it('are told of a refusal, of the last try, and of the numbers of a refund', async () => {
    const ends: AttemptEnd[] = []
    const client = make({ onAnswer: (end) => ends.push(end), tries: 2 })
    gateway.says(refused(1500, 'SYSTEM_ERROR'))
    await expect(client.queryRefund({ refundNo: 'AR1', mchRefundNo: 'r' })).rejects.toThrow(ApiError)
    expect(ends.map(({ error, retryInMs }) => [(error as ApiError).status, retryInMs === null])).toEqual([
      [1500, false],
      [1500, true],
    ])
    expect(ends[0]?.attempt).toMatchObject({ path: 'refund', refundNo: 'AR1', mchRefundNo: 'r' })
  })

  it('are told no key, no signature and no text of an order', async () => {
    const told: unknown[] = []
    const client = make({ onRequest: (attempt) => told.push(attempt), onAnswer: (end) => told.push(end), tries: 1 })
    gateway.says(refused(1001, 'PARAM_ERROR'))
    const order = { mchTradeNo: 'my-order-00000000000000001', description: 'a-secret-1', extra: 'a-secret-2' }
    await client.placeOrder({ ...order, amountTotal: '1.00' }).catch(() => undefined)
    const sign = String(gateway.seen[0]?.headers['x-acopay-sign'])
    const text = JSON.stringify(told) + told.map((one) => (one as AttemptEnd).error?.stack ?? '').join()
    expect(text).toContain('my-order-00000000000000001')
    for (const secret of ['a-secret', sign, mchPrivateKey.slice(0, 40)]) expect(text).not.toContain(secret)
  })

  it('that fail disturb no call, and are heard of', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const fail = (): never => {
      throw new Error('the log is full')
    }
    gateway.says(success(ORDER))
    expect(await make({ onRequest: fail, onAnswer: fail }).queryOrder({ transactionNo: AP })).toMatchObject({
      mchTradeNo: 'x',
    })
    expect(printed.mock.calls.map(([line]) => String(line).split('\n')[0])).toEqual([
      'ACO Pay hook: Error: the log is full',
      'ACO Pay hook: Error: the log is full',
    ])
  })
})

describe('Retry-After', () => {
  it.each([
    ['of a refusal, in seconds', refused(1017, 'FREQUENCY_LIMIT', '1'), 1100],
    ['of HTTP 429', http(429, '2'), 2100],
    ['of HTTP 503', http(503, '0'), 100],
    ['that leaves no room for a pause of our own', http(503, '5'), 5000],
    ['that is not readable', http(503, 'soon'), 100],
    ['that has passed', http(503, 'Mon, 01 Jan 2001 00:00:00 GMT'), 100],
  ])('%s is waited for, with a part that is random', async (_which, answer, ms) => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    gateway.says(answer, success(ORDER))
    await make().queryOrder({ transactionNo: AP })
    expect(pauses).toEqual([ms])
  })

  it('may be a time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    vi.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-05-12T00:00:00Z'))
    gateway.says(http(503, 'Tue, 12 May 2026 00:00:03 GMT'), success(ORDER))
    await make().queryOrder({ transactionNo: AP })
    expect(pauses).toEqual([3100])
  })

  it('of more than 5 s ends the call at once, and the error says how long to wait', async () => {
    gateway.says(refused(1017, 'FREQUENCY_LIMIT', '6'))
    await expect(make().queryOrder({ transactionNo: AP })).rejects.toMatchObject({ status: 1017, retryAfterMs: 6000 })
    gateway.says(http(503, '60'))
    await expect(make().queryOrder({ transactionNo: AP })).rejects.toMatchObject({
      httpStatus: 503,
      retryAfterMs: 60_000,
    })
    expect(gateway.seen).toHaveLength(1)
    expect(pauses).toEqual([])
    gateway.says(hangUp)
    await expect(make().queryOrder({ transactionNo: AP })).rejects.toMatchObject({ retryAfterMs: null })
  })

  it('does not make a refusal that is final one to try again', async () => {
    gateway.says(refused(1007, 'ORDER_NOT_EXIST', '1'))
    await expect(make().queryOrder({ transactionNo: AP })).rejects.toMatchObject({ status: 1007, retryAfterMs: 1000 })
    expect(gateway.seen).toHaveLength(1)
  })
})

it('a fetch of the caller’s is called as a function of nobody, as some runtimes demand of theirs', async () => {
  gateway.says(success(ORDER))
  const asked: string[] = []
  const own = async function (this: unknown, input: unknown, init?: RequestInit): Promise<Response> {
    expect(this).toBeUndefined()
    asked.push(String(input))
    return fetch(String(input), init)
  }
  await make({ fetch: own as typeof fetch }).queryOrder({ transactionNo: AP })
  expect(asked).toHaveLength(1)
})

describe('the first of several signals', () => {
  it.each([true, false])('ends what waits for it, where AbortSignal.any is there: %s', (isThere) => {
    if (!isThere) {
      // As Node 18 has it.
      const { any: _, ...others } = Object.getOwnPropertyDescriptors(AbortSignal)
      vi.stubGlobal(
        'AbortSignal',
        Object.defineProperties(() => undefined, { ...others, prototype: {} }),
      )
    }
    const [one, two, ended] = [new AbortController(), new AbortController(), new AbortController()]
    ended.abort('before')
    const both = anyOf([one.signal, two.signal])
    expect(both.aborted).toBe(false)
    two.abort('why')
    one.abort('later')
    expect([both.aborted, both.reason]).toEqual([true, 'why'])
    expect(anyOf([new AbortController().signal, ended.signal]).reason).toBe('before')
  })
})
