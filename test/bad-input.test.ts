import type { JsonObject } from '@acopay/protocol'
import { setMerchantEnabled } from '@acopay/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { KEPT_MS } from '../apps/server/src/http/merchant/known-merchants.ts'
import {
  type Answer,
  call,
  newTradeNo,
  orderParams,
  place,
  query,
  type Request,
  readAnswer,
  type TestGateway,
  testGateway,
} from './support/gateway.ts'

let test: TestGateway
let transactionNo: string
beforeAll(async () => {
  test = await testGateway()
})
afterAll(() => test.stop())
beforeEach(async () => {
  transactionNo = await place(test.demo)
})

const ENDPOINTS = [
  { name: 'close', method: 'POST', path: 'close' },
  { name: 'query', method: 'GET', path: 'trade' },
  { name: 'place', method: 'POST', path: 'trade' },
  { name: 'refund', method: 'POST', path: 'refund' },
  { name: 'bill', method: 'GET', path: 'bill' },
  { name: 'orders', method: 'GET', path: 'orders' },
  { name: 'refunds', method: 'GET', path: 'refunds' },
  { name: 'notifications', method: 'GET', path: 'notifications' },
  { name: 'tries', method: 'GET', path: 'notifications/tries' },
  { name: 'resend', method: 'POST', path: 'notifications/resend' },
  { name: 'calls', method: 'GET', path: 'calls' },
] as const

const REFUND = { mch_refund_no: newTradeNo(), refund_amount: '0.10', refund_reason: '商品已退货' }

const yesterday = (): string => new Date(Date.now() - 16 * 3_600_000).toISOString().slice(0, 10)

/** Parameters with which each endpoint would do its work. */
const goodParams = (name: (typeof ENDPOINTS)[number]['name']): JsonObject => {
  if (name === 'place') return orderParams(test.demo)
  if (name === 'calls') return { number: transactionNo }
  const more = { refund: REFUND, tries: { seq: '1' }, bill: { bill_date: yesterday() } } as Record<string, JsonObject>
  return { transaction_no: transactionNo, ...more[name] }
}

/** What a request that is in order is told: the order is not paid, so that a refund of it is refused at the very end. */
const reached = (name: (typeof ENDPOINTS)[number]['name']): number => (name === 'refund' ? 1008 : 200)

/** The order that exists is untouched and no other came into being. */
async function changedNothing(): Promise<void> {
  expect((await query(test.demo, transactionNo)).data.code).toBe('NOTPAY')
  const { rows } = await test.database.pool.query<{ n: bigint }>('select count(*) as n from orders')
  expect(rows[0]?.n).toBe(await orderCount)
}
let orderCount: Promise<bigint>
beforeEach(() => {
  orderCount = test.database.pool
    .query<{ n: bigint }>('select count(*) as n from orders')
    .then(({ rows }) => rows[0]?.n ?? 0n)
})

describe.each(ENDPOINTS)('$name', ({ name, method, path }) => {
  const ask = (more: Partial<Request> = {}): Promise<Answer> =>
    call(test.demo, { method, path, params: goodParams(name), ...more })

  it.each(['mch-no', 'nonce', 'sign-type', 'sign'])(
    'without the header x-acopay-%s: 1002, unsigned',
    async (header) => {
      const answer = await ask({ headers: { [`x-acopay-${header}`]: null } })
      expect(answer).toMatchObject({ status: 1002, message: 'SIGN_ERROR', isSigned: false, data: {} })
      expect(answer.fieldErrors).toContain(`x-acopay-${header}`)
      await changedNothing()
    },
  )

  it('of an unknown merchant: 1003, unsigned', async () => {
    for (const mchNo of ['MCH9999999', 'no such\u00e9', 'x'.repeat(33)]) {
      const answer = await ask({ headers: { 'x-acopay-mch-no': mchNo } })
      expect(answer).toMatchObject({ status: 1003, message: 'MCH_NOT_EXIST', isSigned: false })
    }
    await changedNothing()
  })

  it('of a disabled merchant: 1004, signed, because it proved who it is', async () => {
    await setMerchantEnabled(test.database.pool, test.demo.mchNo, false)
    test.skip(KEPT_MS)
    const answer = await ask()
    await setMerchantEnabled(test.database.pool, test.demo.mchNo, true)
    expect(answer).toMatchObject({ status: 1004, message: 'MCH_DISABLED', isSigned: true })
    await changedNothing()
  })

  it('from an address that is not on the list: 1018, signed', async () => {
    const setList = async (list: string[]) => {
      await test.database.pool.query('update merchant set allowed_ips = $1', [list])
      test.skip(KEPT_MS)
    }
    await setList(['10.0.0.0/8', '2001:db8::/32'])
    const refused = await ask()
    await setList(['10.0.0.0/8', '127.0.0.0/8'])
    const allowed = await call(test.demo, { method: 'GET', path: 'trade', params: { transaction_no: transactionNo } })
    await setList([])
    expect(refused).toMatchObject({ status: 1018, message: 'IP_FORBIDDEN', isSigned: true })
    expect(allowed.status).toBe(200)
    await changedNothing()
  })

  it.each([
    ['of zeros', `${'A'.repeat(342)}==`],
    ['that is not Base64', '!'.repeat(344)],
    ['that is empty', ''],
    ['that is very long', 'A'.repeat(5000)],
  ])('with a signature %s: 1002, unsigned', async (_name, sign) => {
    expect(await ask({ headers: { 'x-acopay-sign': sign } })).toMatchObject({ status: 1002, isSigned: false })
    await changedNothing()
  })

  it('with a signature over other text: 1002, unsigned', async () => {
    const other = method === 'GET' ? { 'x-acopay-nonce': 'another' } : {}
    const body = JSON.stringify({ ...goodParams(name), mch_trade_no: 'mp-another-number-entirely-00' })
    expect(await ask({ headers: other, body })).toMatchObject({ status: 1002, isSigned: false })
    await changedNothing()
  })

  it('with another way of signing: 1002, unsigned', async () => {
    const answer = await ask({ headers: { 'x-acopay-sign-type': 'none' } })
    expect(answer).toMatchObject({ status: 1002, isSigned: false })
    expect(answer.fieldErrors).toContain('SHA256withRSA')
  })

  it('with a nonce of 33 characters: 1002', async () => {
    expect(await ask({ nonce: 'n'.repeat(33) })).toMatchObject({ status: 1002, isSigned: false })
  })

  it('under a wrong method or path: plain 405 or 404', async () => {
    const url = (last: string) => `${test.demo.baseUrl}/pay/v1/transactions/${last}`
    const deleted = await fetch(url(path), { method: 'DELETE' })
    expect([deleted.status, deleted.headers.get('content-type')]).toEqual([405, 'text/plain; charset=utf-8'])
    expect(deleted.headers.get('allow')).toContain(method)
    expect(await deleted.text()).toBe('此地址不支持该方法 (method not allowed)\n')
    for (const wrong of ['closes', 'close/', '%zz', '..%2fclose', 'close%00', ':x(', '*']) {
      expect((await fetch(url(wrong), { method })).status).toBe(404)
    }
    await changedNothing()
  })
})

describe.each(ENDPOINTS.filter(({ method }) => method === 'POST'))('$name, whose body', ({ name, method, path }) => {
  const ask = (more: Partial<Request> = {}): Promise<Answer> =>
    call(test.demo, { method, path, params: goodParams(name), ...more })

  it.each([
    ['is not JSON', '{"transaction_no":'],
    ['is empty', ''],
    ['is an array', '[]'],
    ['is a text', '"close"'],
    ['is null', 'null'],
    ['is a number', '7'],
    ['is not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['nests 10 000 levels of arrays', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['nests 10 000 levels of objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ])('%s: 1001, unsigned, because no signature can be checked', async (_name, body) => {
    const answer = await ask({ body })
    expect(answer).toMatchObject({ status: 1001, message: 'PARAM_ERROR', isSigned: false })
    await changedNothing()
  })

  it('is 1 MB of JSON: plain 413', async () => {
    expect(await ask({ body: JSON.stringify({ a: 'x'.repeat(1_000_000) }) })).toMatchObject({
      httpStatus: 413,
      message: '请求体不能超过 65536 字节 (body too large)\n',
    })
    await changedNothing()
  })

  it('names __proto__ or constructor: signed like any other name, and refused like it where the call has no such member', async () => {
    const params: JsonObject = Object.assign(Object.create(null), goodParams(name))
    Object.defineProperty(params, '__proto__', { value: { transaction_no: 'x' }, enumerable: true })
    Object.defineProperty(params, 'constructor', { value: 'y', enumerable: true })
    const answer = await ask({ params, body: JSON.stringify(params) })
    const refused = { status: 1001, isSigned: true, fieldErrors: '__proto__ 不是此接口的参数 (not of this call)' }
    expect(answer).toMatchObject(name === 'place' ? { status: 200, isSigned: true } : refused)
    expect(({} as JsonObject).transaction_no).toBeUndefined()
  })

  it.each([7, 1.5, true, ['x'], { a: 'b' }])(
    'has %j where a text belongs: 1001, signed, naming the field',
    async (value) => {
      const field = name === 'place' ? 'amount_total' : 'transaction_no'
      const answer = await ask({ params: { ...goodParams(name), [field]: value } })
      expect(answer).toMatchObject({ status: 1001, isSigned: true })
      expect(answer.fieldErrors).toContain(`${field} 应为字符串`)
      await changedNothing()
    },
  )

  it('has a number where a text belongs, as no JavaScript writes it: 1001, signed where that was signed', async () => {
    const field = name === 'place' ? 'amount_total' : 'transaction_no'
    const says = `${field} 应为字符串而不是数字`
    for (const number of ['100.0', '12.50', '1e2']) {
      const params = { ...goodParams(name), [field]: number }
      const body = JSON.stringify(params).replace(`"${number}"`, number)
      expect(await ask({ params, body })).toMatchObject({ status: 1001, fieldErrors: says, isSigned: false })
    }
    // As JavaScript writes 100.0, which is how a signer in JavaScript reads it.
    const params = { ...goodParams(name), [field]: 100 }
    const body = JSON.stringify(params).replace(`"${field}":100`, `"${field}":100.0`)
    expect(await ask({ params, body })).toMatchObject({ status: 1001, fieldErrors: says, isSigned: true })
    await changedNothing()
  })

  it('has a name twice: the last counts, for the signature and for the work', async () => {
    const params = goodParams(name)
    const [first = ''] = Object.keys(params)
    const twice = `{"${first}":"something else",${JSON.stringify(params).slice(1)}`
    expect(await ask({ params, body: twice })).toMatchObject({ status: reached(name), isSigned: true })
  })

  it('comes a second time with its nonce: 1016, signed, and nothing happens again', async () => {
    const params = goodParams(name)
    const nonce = `n${Date.now()}${Math.random()}`.slice(0, 32)
    expect(await ask({ params, nonce })).toMatchObject({ status: reached(name) })
    expect(await ask({ params, nonce })).toMatchObject({ status: 1016, message: 'NONCE_REPEAT', isSigned: true })
    const other = { ...goodParams(name) }
    expect(await ask({ params: other, nonce })).toMatchObject({ status: 1016 })
  })

  it('comes twenty times at once with one nonce: one is served', async () => {
    const params = goodParams(name)
    const nonce = `m${Math.random()}`.slice(0, 32)
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ params, nonce })))
    expect(answers.filter(({ status }) => status === reached(name))).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 1016)).toHaveLength(19)
  })
})

describe('an order named', () => {
  const NAMED: [string, JsonObject, number][] = [
    ['by nothing', {}, 1001],
    ['by two empty numbers', { transaction_no: '', mch_trade_no: '' }, 1001],
    ['by nulls', { transaction_no: null, mch_trade_no: null }, 1001],
    ['by a number that is too long', { transaction_no: 'A'.repeat(51) }, 1001],
    ['with NUL', { transaction_no: 'AP\u0000' }, 1001],
    ['with a lone surrogate', { mch_trade_no: 'mp\ud800' }, 1001],
    ['by a number that does not exist', { transaction_no: 'AP000000000000000000000000000000000000' }, 1007],
    ['by SQL', { mch_trade_no: "' or 1=1 --" }, 1007],
  ]
  it.each(NAMED)('%s cannot be closed', async (_name, params, status) => {
    expect(await call(test.demo, { method: 'POST', path: 'close', params })).toMatchObject({ status, isSigned: true })
    await changedNothing()
  })
})

describe('an order placed with', () => {
  const PLACED: [string, JsonObject, number, string][] = [
    ['no app', { app_no: '' }, 1001, 'app_no'],
    ['an app that does not exist', { app_no: 'APP404' }, 1005, '应用'],
    ['a short number', { mch_trade_no: 'mp1' }, 1001, 'mch_trade_no'],
    ['a number with a space', { mch_trade_no: 'mp 202104021606341385640107521832' }, 1001, 'mch_trade_no'],
    ['no description', { description: '' }, 1001, 'description'],
    ['a description of 129 characters', { description: '长'.repeat(129) }, 1001, 'description'],
    ['one decimal', { amount_total: '12.5' }, 1001, 'amount_total'],
    ['too much money', { amount_total: '1000000.00' }, 1001, 'amount_total'],
    ['no money', { amount_total: '0.00' }, 1001, 'amount_total'],
    ['full-width digits', { amount_total: '０.01' }, 1001, 'amount_total'],
    ['dollars', { amount_currency: 'USD' }, 1001, 'amount_currency'],
    ['31 February', { time_expire: '2027-02-31T00:00:00+08:00' }, 1001, 'time_expire'],
    ['a time without an offset', { time_expire: '2026-12-31T00:00:00' }, 1001, 'time_expire'],
    ['extra of 257 characters', { extra: 'x'.repeat(257) }, 1001, 'extra'],
    ['a notify_url over plain HTTP', { notify_url: 'http://merchant.example/notify' }, 1001, 'notify_url'],
    ['a notify_url with a query', { notify_url: 'https://merchant.example/notify?a=1' }, 1001, 'notify_url'],
    ['a notify_url with a password', { notify_url: 'https://a:b@merchant.example/' }, 1001, 'notify_url'],
    ['a notify_url that is none', { notify_url: 'merchant' }, 1001, 'notify_url'],
  ]
  it.each(PLACED)('%s is refused, and the field is named', async (_name, wrong, status, says) => {
    const params = orderParams(test.demo, wrong)
    const answer = await call(test.demo, { method: 'POST', path: 'trade', params })
    expect(answer).toMatchObject({ status, isSigned: true })
    expect(answer.fieldErrors).toContain(says)
    expect(answer.fieldErrors?.length).toBeLessThanOrEqual(50)
    await changedNothing()
  })
})

describe('parameters signed in the body, as a page hands them over', () => {
  const post = async (body: JsonObject): Promise<Answer> =>
    readAnswer(
      test.demo,
      await fetch(`${test.demo.baseUrl}/pay/v1/transactions/trade`, { method: 'POST', body: JSON.stringify(body) }),
    )

  async function signedParams(): Promise<JsonObject> {
    const { orderParamsText, privateKeyFrom, signText } = await import('@acopay/protocol')
    const params = { ...orderParams(test.demo), mch_no: test.demo.mchNo, nonce: 'page', sign_type: 'SHA256withRSA' }
    return { ...params, sign: await signText(orderParamsText(params), privateKeyFrom(test.demo.mchPrivateKey)) }
  }

  it('may be posted twice: the payer pressed the button again', async () => {
    const params = await signedParams()
    const [first, second] = [await post(params), await post({ ...params, aco_pay_sdk: '2.0.0', version: '1.0' })]
    expect(first).toMatchObject({ status: 200, isSigned: true, data: { code: 'SUCCESS' } })
    expect(second.data.transaction_no).toBe(first.data.transaction_no)
  })

  it("come from payers everywhere: the merchant's list of addresses is about its servers", async () => {
    const setList = async (list: string[]) => {
      await test.database.pool.query('update merchant set allowed_ips = $1', [list])
      test.skip(KEPT_MS)
    }
    await setList(['10.0.0.0/8'])
    const [fromPage, fromServer] = [await post(await signedParams()), await query(test.demo, transactionNo)]
    await setList([])
    expect(fromPage).toMatchObject({ status: 200, data: { code: 'SUCCESS' } })
    expect(fromServer.status).toBe(1018)
  })

  it('are refused when one of them was changed on the way', async () => {
    expect(await post({ ...(await signedParams()), amount_total: '0.01' })).toMatchObject({
      status: 1002,
      isSigned: false,
    })
  })

  it.each(['mch_no', 'nonce', 'sign_type', 'sign'])('are refused without %s', async (field) => {
    const answer = await post({ ...(await signedParams()), [field]: null })
    expect(answer).toMatchObject({ status: 1002, isSigned: false, fieldErrors: `缺少 ${field}` })
  })

  it('have a number where a text belongs: 1001 that says so, however the number is written, and whatever of it was signed', async () => {
    const { orderParamsText, privateKeyFrom, signText } = await import('@acopay/protocol')
    const key = privateKeyFrom(test.demo.mchPrivateKey)
    /** The parameters with `member` as it stands in the body, and the signature over the text with `signed` in its place. */
    async function ask(name: string, member: string, signed: string): Promise<string> {
      const { [name]: _, ...others } = {
        ...(await signedParams()),
        sign: null,
        mch_trade_no: newTradeNo(),
      } as JsonObject
      const hole = { ...others, [name]: 'HOLE' }
      const sign = await signText(orderParamsText(hole).replace('"HOLE"', signed), key)
      const body = JSON.stringify({ ...hole, sign: name === 'sign' ? 'HOLE' : sign }).replace('"HOLE"', member)
      const url = `${test.demo.baseUrl}/pay/v1/transactions/trade`
      const answer = await readAnswer(test.demo, await fetch(url, { method: 'POST', body }))
      return `${answer.status} ${answer.fieldErrors} ${answer.isSigned ? 'signed' : 'unsigned'}`
    }
    const wrong: string[] = []
    const expecting = async (row: [name: string, member: string, signed: string], expected: string) => {
      const said = await ask(...row)
      if (said !== expected) wrong.push(`${row.join(' ')}: ${said}, not ${expected}`)
    }
    const NUMBERS = [
      '100',
      '12.5',
      '100.0',
      '12.50',
      '1e2',
      '1E+2',
      '-0',
      '-1.50e-7',
      '0.1e1',
      '1e999',
      '12345678901234567890',
    ]
    for (const number of NUMBERS) {
      const says = '1001 amount_total 应为字符串而不是数字'
      await expecting(['amount_total', number, number], `${says} signed`)
      // A page in between reads and writes the number anew; a server may sign the text that it should have sent.
      await expecting(['amount_total', number, '100.00'], `${says} unsigned`)
      await expecting(['amount_total', number, '"100.00"'], `${says} unsigned`)
    }
    await expecting(['amount_total', '100.0', '100'], '1001 amount_total 应为字符串而不是数字 signed')
    const FIELDS = ['app_no', 'mch_trade_no', 'description', 'amount_currency', 'time_expire', 'extra', 'notify_url']
    for (const name of FIELDS) {
      await expecting([name, '1.0', '1.0'], `1001 ${name} 应为字符串而不是数字 signed`)
      await expecting([name, '1.0', '"1.0"'], `1001 ${name} 应为字符串而不是数字 unsigned`)
      await expecting([name, '{"a":[1.50]}', '{"a":[1.50]}'], `1001 ${name} 应为字符串而不是对象 signed`)
      await expecting([name, '[1.50]', '[1.5]'], `1001 ${name} 应为字符串而不是对象 signed`)
      await expecting([name, '[1.50]', '["1.50"]'], `1001 ${name} 应为字符串而不是对象 unsigned`)
    }
    for (const name of ['mch_no', 'nonce', 'sign_type', 'sign']) {
      await expecting([name, '1.0', '1.0'], `1001 ${name} 应为字符串而不是数字 unsigned`)
    }
    // Digits in a text are no number, and an unsigned member may be one.
    await expecting(['extra', '"a\\"1.50\\\\"', '"a\\"1.50\\\\"'], '200 null signed')
    await expecting(['version', '1.0', '1.0'], '200 null signed')
    // A number under a name that the contract does not have: it is signed as it was sent.
    await expecting(['weight', '1.50', '1.50'], '200 null signed')
    await expecting(['weight', '1.50', '1.5'], '200 null signed')
    await expecting(['weight', '1.50', '"1.50"'], '1002 验签失败或缺少签名请求头 unsigned')
    expect(wrong).toEqual([])
  })

  it('do not open the other calls: a close must be signed in its headers', async () => {
    const params = { ...(await signedParams()), transaction_no: transactionNo }
    const response = await fetch(`${test.demo.baseUrl}/pay/v1/transactions/close`, {
      method: 'POST',
      body: JSON.stringify(params),
    })
    expect(await readAnswer(test.demo, response)).toMatchObject({ status: 1002, isSigned: false })
    await changedNothing()
  })
})

describe('too many requests', () => {
  it('of one merchant: 1017, signed; another second brings more', async () => {
    await test.database.pool.query('update merchant set rate_per_second = 5')
    test.skip(KEPT_MS)
    const asks = Array.from({ length: 40 }, () => query(test.demo, transactionNo))
    const statuses = (await Promise.all(asks)).map(({ status, isSigned }) => [status, isSigned])
    await test.database.pool.query('update merchant set rate_per_second = null')
    test.skip(KEPT_MS)
    expect(statuses).toContainEqual([200, true])
    expect(statuses).toContainEqual([1017, true])
  })
})
