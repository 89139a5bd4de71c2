/** The explorer: the calls that it offers, the form of each, and what the browser signs, held against the vectors. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import vectors from '../../../../../packages/protocol/vectors/signature.json' with { type: 'json' }
import { type Call, callsOf, given, initialOf, labelOf, numbersIn, type OpenApi, textIn } from './explorer-calls.ts'
import { sendSigned } from './explorer-sign.ts'

const field = (name: string, required: boolean, description?: string) => ({
  name,
  in: 'query',
  required,
  schema: { maxLength: 50 },
  ...(description === undefined ? {} : { description }),
})
const HEADER = { $ref: '#/components/parameters/Sign' }
const SIGNED = [{ signature: [] }]
const body = (schema: string) => ({
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
})
const DOCUMENT: OpenApi = {
  servers: [{ url: 'https://pay.example' }],
  paths: {
    '/pay/trade': {
      post: {
        operationId: 'placeOrder',
        summary: '下单 · Place an order',
        security: SIGNED,
        parameters: [HEADER],
        requestBody: body('PlaceOrderRequest'),
      },
      get: {
        operationId: 'queryOrder',
        summary: '查询 · Query',
        security: SIGNED,
        parameters: [{ ...field('x', true), in: 'header' }, field('transaction_no', false, '订单号\n\nThe number')],
      },
    },
    '/pay/close': {
      post: { operationId: 'closeOrder', summary: '关单', security: SIGNED, requestBody: body('Empty') },
    },
    '/cashier/state': { get: { operationId: 'state', summary: '收银台', security: [] } },
  },
  components: {
    schemas: {
      PlaceOrderRequest: {
        required: ['mch_trade_no', 'amount_total'],
        properties: { mch_trade_no: { maxLength: 50 }, amount_total: {}, extra: { description: '附加\n\nExtra' } },
      },
      Empty: {},
    },
  },
}

describe('the calls', () => {
  it('are those that are signed, by their ids', () => {
    const calls = callsOf(DOCUMENT)
    expect(calls.map(({ key }) => key)).toEqual(['queryOrder', 'placeOrder', 'closeOrder'])
    expect(calls[1]).toMatchObject({ method: 'post', path: '/pay/trade', title: '下单 · Place an order' })
  })

  it('are named in the language of the page', () => {
    const calls = callsOf(DOCUMENT)
    expect(calls.map((one) => labelOf(one, 'zh'))).toEqual([
      '查询 · GET /pay/trade',
      '下单 · POST /pay/trade',
      '关单 · POST /pay/close',
    ])
    expect(calls.map((one) => labelOf(one, 'en'))).toEqual([
      'Query · GET /pay/trade',
      'Place an order · POST /pay/trade',
      '关单 · POST /pay/close',
    ])
  })

  it('have the fields of their body, or of their query, each explained in the language of the page', () => {
    const [query, place, close] = callsOf(DOCUMENT)
    expect(place?.fields).toEqual([
      { name: 'mch_trade_no', required: true, maxLength: 50 },
      { name: 'amount_total', required: true },
      { name: 'extra', required: false, says: '附加\n\nExtra' },
    ])
    const says = '订单号\n\nThe number'
    expect(query?.fields).toEqual([{ name: 'transaction_no', required: false, maxLength: 50, says }])
    expect(close?.fields).toEqual([])
    expect([textIn(says, 'zh'), textIn(says, 'en'), textIn('一种', 'en')]).toEqual(['订单号', 'The number', '一种'])
  })
})

describe('the form of a call', () => {
  const call = (key: string, ...fields: [string, boolean][]): Pick<Call, 'key' | 'fields'> => ({
    key,
    fields: fields.map(([name, required]) => ({ name, required })),
  })
  const NUMBER = /^try[0-9a-f]{32}$/

  it('starts with an example where the call needs one, and with nothing where it does not', () => {
    const all: [string, boolean][] = [
      ['mch_trade_no', true],
      ['mch_refund_no', true],
      ['amount_total', true],
      ['amount_currency', true],
      ['refund_amount', true],
      ['description', true],
      ['extra', false],
    ]
    expect(initialOf(call('other', ...all), {})).toEqual({
      mch_trade_no: expect.stringMatching(NUMBER),
      mch_refund_no: expect.stringMatching(NUMBER),
      amount_total: '12.50',
      amount_currency: 'CNY',
      refund_amount: '12.50',
      description: undefined,
      extra: undefined,
    })
    expect(initialOf(call('other', ['amount_total', false]), {})).toEqual({ amount_total: undefined })
  })

  it('starts with the numbers of the call before, but for numbers that must be new', () => {
    const known = { mch_trade_no: 'known', mch_refund_no: 'known', transaction_no: 'AP1', extra: '' }
    const all: [string, boolean][] = [
      ['mch_trade_no', true],
      ['transaction_no', false],
      ['extra', false],
      ['mch_refund_no', true],
    ]
    expect(initialOf(call('closeOrder', ...all), known)).toEqual({ ...known, extra: undefined })
    const placed = initialOf(call('placeOrder', ...all), known)
    expect(placed.mch_trade_no).toMatch(NUMBER)
    expect(placed.mch_refund_no).toBe('known')
    const refunded = initialOf(call('refundOrder', ...all), known)
    expect(refunded.mch_refund_no).toMatch(NUMBER)
    expect(refunded.mch_trade_no).toMatch(NUMBER)
    // A refund names its order by either number: the merchant's own is optional there.
    expect(initialOf(call('refundOrder', ['mch_trade_no', false]), known)).toEqual({ mch_trade_no: 'known' })
  })

  it('sends what was filled in, and keeps the four numbers of the answer', () => {
    expect(given({ a: 'x', b: '', c: undefined, d: '0' })).toStrictEqual({ a: 'x', d: '0' })
    const answer = { transaction_no: 'AP1', mch_trade_no: 'o', refund_no: 'AR1', mch_refund_no: 'r', code: 'SUCCESS' }
    const { code: _, ...numbers } = answer
    expect(numbersIn(answer)).toEqual(numbers)
    expect(numbersIn({ transaction_no: null, refund_no: 7 })).toEqual({})
    expect(numbersIn(null)).toEqual({})
  })
})

describe('a call signed in the browser', () => {
  const { keys, requests, responses } = vectors
  const NONCE = '00112233-4455-6677-8899-aabbccddeeff'
  const sent: { url: string; init: RequestInit }[] = []

  function answering(text: string, status = 200): void {
    sent.length = 0
    vi.stubGlobal('location', { origin: 'https://console.example' })
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      sent.push({ url, init })
      return new Response(text, { status })
    })
    vi.spyOn(crypto, 'randomUUID').mockReturnValue(NONCE)
  }
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  const merchant = { mch_no: 'MCH1000000', private_key: keys.merchantPrivateKey }
  const armour = (kind: string, text: string): string =>
    `-----BEGIN ${kind} KEY-----\n${text.replace(/.{64}/g, '$&\n')}\n-----END ${kind} KEY-----\n`

  it('is a POST with a JSON body, and a curl line that sends the same', async () => {
    answering('{"status":1001,"message":"PARAM_ERROR","fieldErrors":null,"data":null}')
    const result = await sendSigned('/pay/close', 'post', { transaction_no: 'AP1', extra: "it's" }, merchant)
    expect(result.signedText).toBe(
      '{"extra":"it\'s","mch_no":"MCH1000000","nonce":"00112233445566778899aabbccddeeff","sign_type":"SHA256withRSA","transaction_no":"AP1"}',
    )
    const [{ url, init }] = sent as [{ url: string; init: RequestInit }]
    const headers = init.headers as Record<string, string>
    expect(url).toBe('/pay/close')
    expect(init).toMatchObject({ method: 'POST', body: '{"transaction_no":"AP1","extra":"it\'s"}' })
    expect(headers).toEqual({
      'x-acopay-mch-no': 'MCH1000000',
      'x-acopay-nonce': '00112233445566778899aabbccddeeff',
      'x-acopay-sign-type': 'SHA256withRSA',
      'x-acopay-sign': expect.stringMatching(/^[A-Za-z0-9+/]{342}==$/),
      'content-type': 'application/json',
    })
    expect(result.curl).toBe(
      [
        "curl -X POST 'https://console.example/pay/close' \\",
        "  -H 'x-acopay-mch-no: MCH1000000' \\",
        "  -H 'x-acopay-nonce: 00112233445566778899aabbccddeeff' \\",
        "  -H 'x-acopay-sign-type: SHA256withRSA' \\",
        `  -H 'x-acopay-sign: ${headers['x-acopay-sign']}' \\`,
        "  -H 'content-type: application/json' \\",
        '  -d \'{"transaction_no":"AP1","extra":"it\'\\\'\'s"}\'',
      ].join('\n'),
    )
  })

  it('is a GET with its parameters in the query, without a body', async () => {
    answering('{"status":1001,"message":"PARAM_ERROR","fieldErrors":null,"data":null}')
    const result = await sendSigned('https://pay.example/trade', 'get', { number: 'a b' }, merchant)
    const [{ url, init }] = sent as [{ url: string; init: RequestInit }]
    expect(url).toBe('https://pay.example/trade?number=a+b')
    expect(init.method).toBe('GET')
    expect('body' in init).toBe(false)
    expect(Object.keys(init.headers as object)).not.toContain('content-type')
    expect(result.curl.split('\n')[0]).toBe("curl -X GET 'https://pay.example/trade?number=a+b' \\")
    expect(result.curl).not.toContain('-d')
  })

  it('has the signature of the official Java SDK', async () => {
    const vector = requests.find(({ name }) => name === 'refund with Chinese text') ?? requests[0]
    const { mch_no, nonce, sign_type: _, ...params } = (vector?.params ?? {}) as Record<string, string>
    answering('{"status":1,"message":"x","fieldErrors":null,"data":null}')
    vi.spyOn(crypto, 'randomUUID').mockReturnValue(nonce as never)
    for (const private_key of [keys.merchantPrivateKey, armour('PRIVATE', keys.merchantPrivateKey)]) {
      const result = await sendSigned('/x', 'post', params, { mch_no: mch_no ?? '', private_key })
      expect(result.signedText).toBe(vector?.canonical)
      expect(sent.at(-1)?.init.headers).toMatchObject({ 'x-acopay-sign': vector?.sign })
    }
  })

  it('keeps its keys where no script can read them', async () => {
    const { body, sign } = responses[0] as (typeof responses)[number]
    answering(JSON.stringify({ ...body, data: { ...body.data, sign } }))
    const spied = vi.spyOn(crypto.subtle, 'importKey')
    await sendSigned('/x', 'post', {}, { ...merchant, platform_public_key: keys.platformPublicKey })
    const uses = spied.mock.calls.map(([format, , , isExtractable, may]) => [format, isExtractable, may])
    expect(uses).toEqual([
      ['pkcs8', false, ['sign']],
      ['spki', false, ['verify']],
    ])
  })

  it('says whether the answer is the platform’s', async () => {
    const { body, sign } = responses[0] as (typeof responses)[number]
    const signedAnswer = { ...body, data: { ...body.data, sign } }
    const about = async (answer: object, platform_public_key?: string) => {
      answering(JSON.stringify(answer))
      const more = platform_public_key === undefined ? {} : { platform_public_key }
      return sendSigned('/x', 'post', {}, { ...merchant, ...more })
    }
    const good = await about(signedAnswer, keys.platformPublicKey)
    expect(good.signature).toBe('good')
    expect(good.data).toEqual(signedAnswer.data)
    expect(good.answer).toBe(JSON.stringify(signedAnswer, null, 2))
    expect((await about(signedAnswer, armour('PUBLIC', keys.platformPublicKey))).signature).toBe('good')
    expect((await about({ ...signedAnswer, message: 'OTHER' }, keys.platformPublicKey)).signature).toBe('bad')
    expect((await about(signedAnswer, keys.merchantPublicKey)).signature).toBe('bad')
    expect((await about(signedAnswer)).signature).toBe('unknown')
    expect((await about(signedAnswer, '')).signature).toBe('unknown')
    expect((await about(signedAnswer, 'no key')).signature).toBe('unknown')
    expect((await about({ ...body, data: null }, keys.platformPublicKey)).signature).toBe('none')
    expect((await about({ ...body, data: { sign: 7 } }, keys.platformPublicKey)).signature).toBe('none')
  })

  it('shows an answer that is no envelope as it came', async () => {
    answering('<h1>Not Found</h1>', 404)
    expect(await sendSigned('/x', 'get', {}, merchant)).toMatchObject({
      answer: '<h1>Not Found</h1>',
      data: null,
      signature: 'none',
    })
  })

  it('is not sent with a key that cannot be read', async () => {
    answering('')
    for (const private_key of ['', 'no key', keys.merchantPublicKey]) {
      await expect(sendSigned('/x', 'get', {}, { ...merchant, private_key })).rejects.toThrow('KEY')
    }
    expect(sent).toEqual([])
  })
})
