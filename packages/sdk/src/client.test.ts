/**
 * What a client makes of bad answers and lost ones (spec/protocol.md 1 and 4), over real HTTP: which it believes, which it
 * asks for again and after how long, and what it says.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { derKeys } from '../../../test/support/keys.ts'
import {
  type Answer,
  canonical,
  MCH_NO,
  platformSign,
  type ScriptedGateway,
  scriptedGateway,
  signedEnvelope,
  success,
  vectors,
} from '../../../test/support/scripted-gateway.ts'
import { AcoPay, type AcoPayOptions, ApiError, ConnectionError, SignatureError } from './index.ts'

let gateway: ScriptedGateway
beforeAll(async () => {
  gateway = await scriptedGateway()
})
afterAll(() => gateway.stop())
afterEach(() => vi.restoreAllMocks())

let pauses: number[] = []
const make = (more: Partial<AcoPayOptions> = {}): AcoPay => {
  pauses = []
  return new AcoPay({
    baseUrl: gateway.url,
    mchNo: MCH_NO,
    appNo: 'APP1000000',
    mchPrivateKey: vectors.keys.merchantPrivateKey,
    platformPublicKey: vectors.keys.platformPublicKey,
    sleep: async (ms) => void pauses.push(ms),
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

const caught = async (client: AcoPay, signal?: AbortSignal): Promise<Error> => {
  const options = signal === undefined ? {} : { signal }
  const outcome = await client.queryOrder({ transactionNo: AP }, options).catch((error: unknown) => error)
  if (outcome instanceof Error) return outcome
  throw new Error('the call succeeded')
}

const body =
  (text: string, status = 200): Answer =>
  (_seen, response) =>
    void response.writeHead(status).end(text)
const hangUp: Answer = (_seen, response) => void response.destroy()
const silence: Answer = () => undefined
const refusal = (status: number, message: string, fieldErrors: string | null): Answer =>
  body(JSON.stringify({ status, message, fieldErrors, data: null }))

/** Section 4 of the specification, and whether the same request may succeed later. `yes`: believed without a signature. */
const ERRORS = `
1001 PARAM_ERROR          stays   yes
1002 SIGN_ERROR           stays   yes
1003 MCH_NOT_EXIST        stays   yes
1004 MCH_DISABLED         stays   no
1005 APP_NOT_EXIST        stays   no
1006 APP_DISABLED         stays   no
1007 ORDER_NOT_EXIST      stays   no
1008 ORDER_NOT_PAID       stays   no
1009 ORDER_STATE_ERROR    stays   no
1010 MCH_TRADE_NO_REPEAT  stays   no
1011 REFUND_NOT_EXIST     stays   no
1012 MCH_REFUND_NO_REPEAT stays   no
1013 REFUND_AMOUNT_EXCEED stays   no
1014 REFUND_TIMES_EXCEED  stays   no
1015 REFUND_TIME_EXCEED   stays   no
1016 NONCE_REPEAT         again   no
1017 FREQUENCY_LIMIT      again   yes
1018 IP_FORBIDDEN         stays   no
1500 SYSTEM_ERROR         again   yes
1999 A_LATER_ERROR        stays   no
`
  .trim()
  .split('\n')
  .map((row) => row.split(/\s+/) as [string, string, string, string])

describe('an error of the gateway', () => {
  it('is asked for again only where the list says so, and believed without a signature only from those who may', async () => {
    const client = make({ tries: 2 })
    const rows: string[] = []
    for (const [status, code] of ERRORS) {
      const envelope = { status: Number(status), message: code, fieldErrors: '因为' }
      gateway.says(() => signedEnvelope(envelope, {}))
      const signed = await caught(client)
      expect(signed, code).toBeInstanceOf(ApiError)
      expect(signed).toMatchObject({
        name: 'ApiError',
        status: Number(status),
        code,
        fieldErrors: '因为',
        isSigned: true,
      })
      const tries = gateway.seen.length
      expect((signed as ApiError).isRetryable, code).toBe(tries === 2)
      gateway.says(refusal(Number(status), code, '因为'))
      const unsigned = await caught(client)
      if (unsigned instanceof ApiError) expect(unsigned.isSigned).toBe(false)
      else {
        expect(unsigned).toBeInstanceOf(SignatureError)
        expect(unsigned.message).toBe(`the answer ${status} ${code} is not signed`)
        expect(gateway.seen).toHaveLength(1)
      }
      rows.push([status, code, tries === 2 ? 'again' : 'stays', unsigned instanceof ApiError ? 'yes' : 'no'].join(' '))
    }
    expect(rows).toEqual(ERRORS.map((row) => row.join(' ')))
  })

  it('says its number, its name, the reason and in English what it means', async () => {
    gateway.says(refusal(1001, 'PARAM_ERROR', 'amount_total 必填'))
    expect((await caught(make())).message).toBe(
      '1001 PARAM_ERROR: amount_total 必填 (A parameter is missing or malformed; fieldErrors names it.)',
    )
    gateway.says(() => signedEnvelope({ status: 1999, message: 'toString', fieldErrors: null }, {}))
    const later = await caught(make())
    expect(later.message).toBe('1999 toString: ')
    expect(later).toMatchObject({ fieldErrors: null, isRetryable: false })
  })
})

describe('an answer that is signed', () => {
  const envelope = { status: 200, message: 'SUCCESS', fieldErrors: null }
  const doubtful: [string, Answer, string][] = [
    ['for another merchant', () => signedEnvelope(envelope, ORDER, { mchNo: 'MCH2' }), 'signed for another merchant'],
    [
      'with another algorithm',
      () => {
        const data = { ...ORDER, mch_no: MCH_NO, nonce: 'n', sign_type: 'none' }
        const sign = platformSign(canonical({ ...envelope, data }))
        return JSON.stringify({ ...envelope, data: { ...data, sign } })
      },
      'does not verify with platformPublicKey',
    ],
    [
      'and then changed',
      () => signedEnvelope(envelope, ORDER).replace('"1.00"', '"9.00"'),
      'does not verify with platformPublicKey',
    ],
    ['with an empty signature', () => JSON.stringify({ ...envelope, data: { ...ORDER, sign: '' } }), 'does not verify'],
    ['with no signature', () => JSON.stringify({ ...envelope, data: ORDER }), 'the answer 200 SUCCESS is not signed'],
    ['with null as its signature', () => JSON.stringify({ ...envelope, data: { ...ORDER, sign: null } }), 'not signed'],
    ['with nothing in it', () => JSON.stringify({ ...envelope, data: null }), 'not signed'],
  ]
  it.each(doubtful)('%s is not believed, and not asked for again', async (_how, answer, says) => {
    gateway.says(answer)
    const error = await caught(make())
    expect(error).toBeInstanceOf(SignatureError)
    expect(error.name).toBe('SignatureError')
    expect(error.message).toContain(says)
    expect(gateway.seen).toHaveLength(1)
  })

  it('is believed with any of several keys of the platform, whichever comes first, and with no other', async () => {
    const { publicKey: other } = derKeys('stranger')
    const { platformPublicKey: ours } = vectors.keys
    for (const platformPublicKey of [ours, [ours, other], [other, ours]]) {
      gateway.says(success(ORDER))
      expect(await make({ platformPublicKey }).queryOrder({ transactionNo: AP })).toMatchObject({ state: 'NOTPAY' })
    }
    gateway.says(success(ORDER))
    expect(await caught(make({ platformPublicKey: [other] }))).toBeInstanceOf(SignatureError)
  })

  it('by the official Java SDK is verified, and believed where it names the merchant and the order', async () => {
    const outcomes: Record<string, unknown> = {}
    for (const { name, body: vector, sign } of vectors.responses) {
      const { data, ...rest } = vector as { data?: Record<string, string | null> }
      if (data === undefined) continue
      gateway.says(body(JSON.stringify({ ...rest, data: { ...data, sign } })))
      const closing = make().closeOrder({ transactionNo: data.transaction_no ?? AP })
      outcomes[name] = await closing.then(
        (closed) => `${closed.outcome} ${closed.description}`,
        (error: Error) => error.message,
      )
    }
    expect(outcomes).toEqual({
      'close succeeded': 'closed 成功',
      'close refused because the order expired': 'expired 订单已过期',
      // Spec 1: every signed answer holds mch_no. These two hold no mch_no, or no number of an order.
      'order does not exist': 'the answer is signed for another merchant',
      'null fields of data are not signed': 'the answer is about another order',
    })
  })
})

describe('something that is no answer', () => {
  it('is a ConnectionError that names the status, and asked for again after 429 and from 500 on', async () => {
    const rows: string[] = []
    for (const status of [201, 204, 301, 400, 401, 404, 405, 413, 428, 429, 430, 499, 500, 502, 503, 599]) {
      gateway.says(body('', status))
      const error = (await caught(make({ tries: 2 }))) as ConnectionError
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.name).toBe('ConnectionError')
      expect(error).toMatchObject({ httpStatus: status, isRetryable: gateway.seen.length === 2 })
      rows.push(`${status} ${gateway.seen.length} ${error.message.replace(gateway.url, 'G')}`)
    }
    const stays = (status: number, hint = ''): string => `${status} 1 G answered HTTP ${status}${hint}`
    const again = (status: number): string => `${status} 2 G answered HTTP ${status}`
    expect(rows).toEqual([
      stays(201),
      stays(204),
      stays(301),
      stays(400),
      stays(401),
      stays(404, ', is baseUrl right?'),
      stays(405),
      stays(413),
      stays(428),
      again(429),
      stays(430),
      stays(499),
      again(500),
      again(502),
      again(503),
      again(599),
    ])
  })

  it.each([
    '',
    'null',
    '[]',
    '"text"',
    '1',
    '<html>',
    '{}',
    '{"status":"200","message":"SUCCESS"}',
    '{"status":200}',
    '{"status":200,"message":1}',
    '{"message":"SUCCESS"}',
    '{"status":1001,"message":"PARAM_ERROR","fieldErrors":1}',
    '{"status":1001,"message":"PARAM_ERROR","fieldErrors":{}}',
    '{"status":1001,"message":"PARAM_ERROR","data":[]}',
    '{"status":1001,"message":"PARAM_ERROR","data":"x"}',
    '{"status":1001,"message":"PARAM_ERROR","data":{"a":{}}}',
    '{"status":1001,"message":"PARAM_ERROR","data":{"a":"1","b":1}}',
  ])('is no envelope: %s', async (text) => {
    gateway.says(body(text))
    const error = await caught(make())
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ httpStatus: 200, isRetryable: false })
    expect(error.message).toBe(`${gateway.url} answered something else than an envelope; is baseUrl right?`)
    expect(gateway.seen).toHaveLength(1)
  })

  it('is an envelope without fieldErrors and data, or with null in its data', async () => {
    for (const text of [
      '{"status":1001,"message":"PARAM_ERROR"}',
      '{"status":1001,"message":"PARAM_ERROR","fieldErrors":null,"data":{"a":null}}',
    ]) {
      gateway.says(body(text))
      expect(await caught(make())).toMatchObject({ status: 1001, fieldErrors: null })
    }
  })

  it('is no redirect either: nothing is sent to another address', async () => {
    gateway.says((_seen, response) => void response.writeHead(307, { location: '/elsewhere' }).end(), success(ORDER))
    const error = await caught(make({ tries: 1 }))
    expect(error).toMatchObject({ name: 'ConnectionError', httpStatus: 307, isRetryable: false })
    expect(gateway.seen.map(({ path }) => path)).toEqual(['/pay/v1/transactions/trade'])
  })
})

describe('trying again', () => {
  it('pauses for 50 % to 100 % of 200 ms, doubled each time, at most 5 s', async () => {
    const pausesWith = async (random: number): Promise<number[]> => {
      vi.spyOn(Math, 'random').mockReturnValue(random)
      gateway.says(hangUp)
      await caught(make({ tries: 8 }))
      return pauses
    }
    expect(await pausesWith(0)).toEqual([100, 200, 400, 800, 1600, 2500, 2500])
    expect(await pausesWith(0.5)).toEqual([150, 300, 600, 1200, 2400, 3750, 3750])
    expect(await pausesWith(1)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000])
  })

  it('ends with the first answer, and each try has a nonce of its own', async () => {
    gateway.says(hangUp, hangUp, success(ORDER))
    expect(await make().queryOrder({ transactionNo: AP })).toMatchObject({ state: 'NOTPAY' })
    expect(gateway.seen).toHaveLength(3)
    expect(new Set(gateway.seen.map(({ headers }) => headers['x-acopay-nonce'])).size).toBe(3)
  })

  it('is done three times in all where the client was told nothing, and as often as it was told', async () => {
    for (const [tries, times] of [
      [undefined, 3],
      [1, 1],
      [10, 10],
    ] as const) {
      gateway.says(hangUp)
      const error = await caught(make(tries === undefined ? {} : { tries }))
      expect(gateway.seen).toHaveLength(times)
      expect(error).toMatchObject({ name: 'ConnectionError', httpStatus: null, isRetryable: true })
      expect(error.cause).toBeInstanceOf(Error)
      expect(error.message).toBe(
        `${gateway.url}: no connection; whether the request was carried out is unknown, query the order`,
      )
    }
  })

  it('really waits where nothing replaces the wait', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { sleep: _, ...options } = { sleep: null }
    gateway.says(hangUp, success(ORDER))
    const client = make({ ...options, sleep: undefined } as never)
    const began = performance.now()
    await client.queryOrder({ transactionNo: AP })
    expect(performance.now() - began).toBeGreaterThan(95)
  })

  it('gives up a silent gateway after timeoutMs', async () => {
    gateway.says(silence)
    const error = await caught(make({ tries: 1, timeoutMs: 20 }))
    expect(error).toMatchObject({ isRetryable: true, httpStatus: null })
    expect(error.message).toBe(
      `${gateway.url}: no answer within 20 ms; whether the request was carried out is unknown, query the order`,
    )
  })
})

describe('a signal', () => {
  it('ends a call that waits for the answer', async () => {
    const stop = new AbortController()
    gateway.says(() => {
      stop.abort()
      return undefined
    })
    const error = await caught(make(), stop.signal)
    expect(error).toMatchObject({ name: 'ConnectionError', isRetryable: false })
    expect(error.message).toBe('the call was aborted; whether it was carried out is unknown')
    expect(gateway.seen).toHaveLength(1)
  })

  it('ends a call that waits for the next try, and reaches the wait', async () => {
    const stop = new AbortController()
    const given: unknown[] = []
    gateway.says(hangUp)
    const sleep = async (_ms: number, signal?: AbortSignal): Promise<void> => {
      given.push(signal)
      stop.abort()
    }
    const error = await caught(make({ sleep }), stop.signal)
    expect(given).toEqual([stop.signal])
    expect(error).toMatchObject({ isRetryable: false })
    expect(gateway.seen).toHaveLength(1)
  })

  it('ends the real wait early, without an error of its own', async () => {
    const stop = new AbortController()
    // A pause of hours: the test ends only where the signal ends it, just after the pause has begun.
    vi.spyOn(Math, 'random').mockImplementation(() => {
      setTimeout(() => stop.abort())
      return 100_000
    })
    gateway.says(hangUp)
    const client = make({ sleep: undefined } as never)
    expect(await caught(client, stop.signal)).toBeInstanceOf(ConnectionError)
    expect(gateway.seen).toHaveLength(1)
  })

  it('that aborted while the gateway failed leaves the failure as it is', async () => {
    const stop = new AbortController()
    gateway.says((_seen, response) => {
      response.writeHead(502).end()
      response.once('close', () => stop.abort())
      return undefined
    })
    const sleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
    const error = await caught(make({ sleep }), stop.signal)
    expect(error).toBeInstanceOf(ConnectionError)
  })

  it('that does nothing changes nothing', async () => {
    gateway.says(hangUp, success(ORDER))
    const { signal } = new AbortController()
    expect(await make().queryOrder({ transactionNo: AP }, { signal })).toMatchObject({ state: 'NOTPAY' })
  })
})
