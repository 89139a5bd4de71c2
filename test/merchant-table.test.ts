/**
 * Every call of the merchants' API, refused for every reason in the documented order (spec/protocol.md, section 4), and every
 * limit of it at the last value that is allowed and the first that is not. The expected answers are written by hand.
 */
import { type JsonObject, orderParamsText, privateKeyFrom, signText } from '@acopay/protocol'
import { addApp, addMerchant, addMerchantKey, findMerchant, useNonce } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { newTradeNo, orderParams, type Request, readAnswer, signedRequest } from './support/merchant.ts'
import { routesOf } from './support/routes.ts'
import { inBatches, wrongRows } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let demo: DemoSettings

/** No order and no refund has these numbers. */
const ABSENT = `AP${'0'.repeat(36)}`
const ABSENT_REFUND = `AR${'0'.repeat(36)}`

/** This many characters, each two UTF-16 units long, as the official SDK counts them. */
const wide = (count: number): string => '💰'.repeat(count)

type Call = {
  method: 'GET' | 'POST'
  path: Request['path']
  /** Parameters that are all in order, of something that does not exist: the verb's own refusal. */
  params: () => JsonObject
  own: string
  /** A parameter that is wrong beside these. */
  wrong: JsonObject
  field: string
}

const CALLS: Call[] = [
  {
    method: 'POST',
    path: 'close',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { mch_trade_no: 'x'.repeat(51) },
    field: 'mch_trade_no',
  },
  {
    method: 'GET',
    path: 'close/evidence',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { mch_trade_no: 'x'.repeat(51) },
    field: 'mch_trade_no',
  },
  {
    method: 'POST',
    path: 'trade',
    own: '1005 APP_NOT_EXIST',
    params: () => orderParams(demo, { app_no: 'APP404' }),
    wrong: { description: '' },
    field: 'description',
  },
  {
    method: 'GET',
    path: 'trade',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { mch_trade_no: 'x'.repeat(51) },
    field: 'mch_trade_no',
  },
  {
    method: 'POST',
    path: 'refund',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({
      transaction_no: ABSENT,
      mch_refund_no: newTradeNo(),
      refund_amount: '0.01',
      refund_reason: 'x',
    }),
    wrong: { refund_reason: '' },
    field: 'refund_reason',
  },
  {
    method: 'GET',
    path: 'refund',
    own: '1011 REFUND_NOT_EXIST',
    params: () => ({ refund_no: ABSENT_REFUND }),
    wrong: { mch_refund_no: 'x'.repeat(51) },
    field: 'mch_refund_no',
  },
  {
    // No bill of that day is an answer, not a refusal.
    method: 'GET',
    path: 'bill',
    own: '200 SUCCESS',
    params: () => ({ bill_date: '2026-02-27' }),
    wrong: { bill_date: '2026-02-30' },
    field: 'bill_date',
  },
  {
    method: 'GET',
    path: 'orders',
    own: '200 SUCCESS',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { state: 'PAID' },
    field: 'state',
  },
  {
    method: 'GET',
    path: 'refunds',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { until: 'today' },
    field: 'until',
  },
  {
    method: 'GET',
    path: 'notifications',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { state: 'GONE' },
    field: 'state',
  },
  {
    method: 'GET',
    path: 'notifications/tries',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT, seq: '1' }),
    wrong: { seq: '0' },
    field: 'seq',
  },
  {
    method: 'POST',
    path: 'notifications/resend',
    own: '1007 ORDER_NOT_EXIST',
    params: () => ({ transaction_no: ABSENT }),
    wrong: { seq: '0' },
    field: 'seq',
  },
  {
    // A merchant who has not called is told so.
    method: 'GET',
    path: 'calls',
    own: '200 SUCCESS',
    params: () => ({ call: 'POST refund' }),
    wrong: { status: 'x' },
    field: 'status',
  },
]

/** What can be wrong with a request, in the order in which the specification checks it. */
const FAULTS = [
  'rate of the address',
  'header missing',
  'merchant unknown',
  'body unreadable',
  'signature wrong',
  'merchant disabled',
  'address not allowed',
  'rate of the merchant',
  'parameter wrong',
  'nonce used',
  "the verb's own",
] as const
type Fault = (typeof FAULTS)[number]

/** The answer to each fault, if no earlier one is there. Only who has proved to be the merchant gets a signature. */
const ANSWERS: Record<Exclude<Fault, "the verb's own">, string> = {
  'rate of the address': '1017 FREQUENCY_LIMIT unsigned',
  'header missing': '1002 SIGN_ERROR unsigned names a header',
  'merchant unknown': '1003 MCH_NOT_EXIST unsigned',
  // Without the parameters there is no text whose signature could be checked.
  'body unreadable': '1001 PARAM_ERROR unsigned',
  'signature wrong': '1002 SIGN_ERROR unsigned',
  'merchant disabled': '1004 MCH_DISABLED signed',
  'address not allowed': '1018 IP_FORBIDDEN signed',
  'rate of the merchant': '1017 FREQUENCY_LIMIT signed',
  'parameter wrong': '1001 PARAM_ERROR signed',
  'nonce used': '1016 NONCE_REPEAT signed',
}

const HEADERS = ['x-acopay-mch-no', 'x-acopay-nonce', 'x-acopay-sign-type', 'x-acopay-sign']
const USED = 'a-nonce-that-was-used'
const NO_SIGNATURE = `${'A'.repeat(342)}==`
const SPENT_ADDRESS = '203.0.113.9'

/** There is a merchant for each way to be refused; all of them have the demo merchant's key. */
const merchantFor = (faults: readonly Fault[]): string =>
  `MCH-${(['merchant disabled', 'address not allowed', 'rate of the merchant'] as const)
    .map((fault) => Number(faults.includes(fault)))
    .join('')}`

let callers = 0
/** An address from which nothing has come yet: a proxy in front of the gateway passes it on. */
function freshAddress(): string {
  callers += 1
  return `198.18.${callers >> 8}.${callers & 255}`
}

beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_TRUSTED_PROXIES: '1', ACOPAY_RATE_PER_ADDRESS: '1' } })
  demo = gateway.demo
  const { pool } = gateway.database
  const now = gateway.world.now()
  const publicKey = (await findMerchant(pool, demo.mchNo, now))?.publicKeys[0] ?? ''
  const bits = [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => bit.toString(2).padStart(3, '0'))
  for (const mchNo of [...bits.map((of) => `MCH-${of}`), 'M'.repeat(32)]) {
    await addMerchant(pool, { mchNo, name: mchNo }, now)
    await addMerchantKey(pool, { mchNo, keyId: `key of ${mchNo}`, publicKey, validFrom: now, validUntil: null })
    await addApp(pool, { mchNo, appNo: demo.appNo, name: 'x' }, now)
    await useNonce(pool, { mchNo, nonce: USED, now })
  }
  await addApp(pool, { mchNo: demo.mchNo, appNo: 'A'.repeat(32), name: 'x' }, now)
  await addApp(pool, { mchNo: demo.mchNo, appNo: 'APP-DISABLED', name: 'x' }, now)
  await pool.query(`update app set enabled = false where app_no = 'APP-DISABLED'`)
  await pool.query(`update merchant set rate_per_second = 1 where mch_no like 'MCH-__1'`)
  // The clock stands still, so that what is spent here stays spent: two seconds' worth, which is two requests.
  const spent = bits.filter((of) => of.endsWith('1')).map((of) => ({ ...demo, mchNo: `MCH-${of}` }))
  const query: Request = { method: 'GET', path: 'trade', params: { transaction_no: ABSENT } }
  for (const by of [...spent, ...spent]) expect(await say(by, query)).toBe('1007 ORDER_NOT_EXIST signed')
  for (const by of spent) expect(await say(by, query)).toBe('1017 FREQUENCY_LIMIT signed')
  await pool.query(`update merchant set enabled = false where mch_no like 'MCH-1__'`)
  await pool.query(`update merchant set allowed_ips = '{192.0.2.1}' where mch_no like 'MCH-_1_'`)
  for (const of of bits) gateway.world.merchants.forget(`MCH-${of}`)
  const from = { 'x-forwarded-for': SPENT_ADDRESS }
  for (const _ of [1, 2]) expect(await say(demo, { ...query, headers: from })).toBe('1007 ORDER_NOT_EXIST signed')
})
afterAll(() => gateway.stop())

/** Sends a request from an address of its own, unless it names one. */
async function send(by: DemoSettings, request: Request) {
  const headers = { 'x-forwarded-for': freshAddress(), ...request.headers }
  const { url, ...init } = await signedRequest(by, { ...request, headers })
  return readAnswer(demo, await fetch(url, init))
}

type Told = Awaited<ReturnType<typeof send>>

const said = ({ httpStatus, status, message, fieldErrors, isSigned }: Told): string => {
  if (httpStatus !== 200) return `HTTP ${httpStatus}`
  const namesHeader = /^(缺少 )?x-acopay-|^缺少 /.test(fieldErrors ?? '') ? ' names a header' : ''
  return `${status} ${message} ${isSigned ? 'signed' : 'unsigned'}${namesHeader}`
}
const say = async (by: DemoSettings, request: Request): Promise<string> => said(await send(by, request))

/** A call with all of these faults at once. */
function faulty(call: Call, faults: readonly Fault[], turn: number): { by: DemoSettings; request: Request } {
  const has = (fault: Fault): boolean => faults.includes(fault)
  const headers: Record<string, string | null> = {
    ...(has('rate of the address') ? { 'x-forwarded-for': SPENT_ADDRESS } : {}),
    ...(has('merchant unknown') ? { 'x-acopay-mch-no': 'MCH404' } : {}),
    ...(has('signature wrong') ? { 'x-acopay-sign': NO_SIGNATURE } : {}),
    ...(has('header missing') ? { [HEADERS[turn % 4] as string]: turn % 3 === 0 ? '' : null } : {}),
  }
  const request: Request = {
    method: call.method,
    path: call.path,
    headers,
    params: { ...call.params(), ...(has('parameter wrong') ? call.wrong : {}) },
    ...(has('body unreadable') ? { body: '[]' } : {}),
    ...(has('nonce used') ? { nonce: USED } : {}),
  }
  return { by: { ...demo, mchNo: merchantFor(faults) }, request }
}

/** A query has no body, and takes a nonce that was used. */
const canHappen = ({ method }: Call, fault: Fault): boolean =>
  method === 'POST' || (fault !== 'body unreadable' && fault !== 'nonce used')

/**
 * Each fault alone and with each one that is checked later. The verb's own refusal is there in every call anyway: with it, a fault
 * is alone.
 */
const pairsOf = (faults: readonly Fault[]): [first: Fault, second: Fault][] =>
  faults.flatMap((first, index) => [
    [first, first],
    ...faults
      .slice(index + 1)
      .filter((second) => second !== "the verb's own")
      .map((second): [Fault, Fault] => [first, second]),
  ])

it('are refused for the first fault in the documented order, whatever else is wrong', async () => {
  const cells = CALLS.flatMap((call) =>
    pairsOf(FAULTS.filter((fault) => canHappen(call, fault))).map(([first, second]) => ({
      call,
      first,
      faults: [first, second, "the verb's own"] as Fault[],
    })),
  )
  const answers = await inBatches(
    cells.map((cell, turn) => ({ ...cell, turn })),
    ({ call, faults, turn }) => {
      const { by, request } = faulty(call, faults, turn)
      return send(by, request)
    },
  )
  const labels = cells.map(({ call, faults }) => `${call.method} ${call.path}: ${faults.slice(0, 2).join(' + ')}`)
  expect(
    wrongRows(cells, ({ call, first }, index) => [
      labels[index] as string,
      said(answers[index] as Told),
      first === "the verb's own" ? `${call.own} signed` : ANSWERS[first],
    ]),
  ).toEqual([])
  expect(cells).toHaveLength(557)
  const unnamed = cells.filter(
    ({ call, first }, index) => first === 'parameter wrong' && !answers[index]?.fieldErrors?.includes(call.field),
  )
  expect(unnamed.map(({ call }) => `${call.method} ${call.path}`)).toEqual([])
})

/** Order parameters that carry their signature, as a page posts them. */
async function bodySigned(params: JsonObject, by = demo, after: JsonObject = {}): Promise<JsonObject> {
  const claim = { ...params, mch_no: by.mchNo, nonce: USED, sign_type: 'SHA256withRSA' }
  return { ...claim, sign: await signText(orderParamsText(claim), privateKeyFrom(demo.mchPrivateKey)), ...after }
}

async function post(body: JsonObject | string, address = freshAddress()): Promise<Told> {
  const response = await fetch(`${demo.baseUrl}/pay/v1/transactions/trade`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'x-forwarded-for': address },
  })
  return readAnswer(demo, response)
}

it('are refused in the same order when the body carries the signature', async () => {
  // A payer's page repeats the nonce and calls from anywhere, so that neither counts.
  const faults = FAULTS.filter(
    (fault) => fault !== 'nonce used' && fault !== 'address not allowed' && fault !== 'body unreadable',
  )
  const cells = pairsOf(faults).flatMap(([first, second]) =>
    [false, true].map((isElsewhere) => ({ first, isElsewhere, faults: [first, second] as Fault[] })),
  )
  expect(cells).toHaveLength(58)
  const answers = await inBatches(cells, async ({ faults: both, isElsewhere }) => {
    const has = (fault: Fault): boolean => both.includes(fault)
    const mchNo = merchantFor(isElsewhere ? [...both, 'address not allowed'] : both)
    const params = orderParams(demo, {
      app_no: 'APP404',
      ...(has('parameter wrong') ? { description: '' } : {}),
    })
    const body = await bodySigned(
      params,
      { ...demo, mchNo },
      {
        ...(has('signature wrong') ? { sign: NO_SIGNATURE } : {}),
        ...(has('merchant unknown') ? { mch_no: 'MCH404' } : {}),
        ...(has('header missing') ? { nonce: null } : {}),
      },
    )
    return post(body, has('rate of the address') ? SPENT_ADDRESS : undefined)
  })
  const expected = { ...ANSWERS, "the verb's own": '1005 APP_NOT_EXIST signed' }
  expect(
    wrongRows(cells, ({ first, faults: both, isElsewhere }, index) => [
      `${both.join(' + ')}${isElsewhere ? ', from elsewhere' : ''}`,
      said(answers[index] as Told),
      expected[first],
    ]),
  ).toEqual([])
})

it('are served when nothing is wrong, and refused in the words of the verb', async () => {
  const [open, closed] = [await fresh(), await fresh()]
  await send(demo, { method: 'POST', path: 'close', params: { transaction_no: closed } })
  const number = newTradeNo()
  await send(demo, { method: 'POST', path: 'trade', params: orderParams(demo, { mch_trade_no: number }) })
  const paid = await paidOrder()
  const refund = (more: JsonObject): JsonObject => ({
    transaction_no: paid,
    mch_refund_no: newTradeNo(),
    refund_amount: '1.00',
    refund_reason: 'x',
    ...more,
  })
  const refundNo = newTradeNo()
  await send(demo, { method: 'POST', path: 'refund', params: refund({ mch_refund_no: refundNo }) })
  const rows: [Request['method'], Request['path'], JsonObject, string, string?][] = [
    ['POST', 'close', { transaction_no: closed }, '200 SUCCESS signed'],
    ['POST', 'close', { transaction_no: paid }, '200 SUCCESS signed'],
    ['GET', 'trade', { transaction_no: open }, '200 SUCCESS signed'],
    ['GET', 'close/evidence', { transaction_no: closed }, '200 SUCCESS signed'],
    ['GET', 'close/evidence', { transaction_no: open }, '1009 ORDER_STATE_ERROR signed'],
    ['POST', 'trade', orderParams(demo, { app_no: 'APP-DISABLED' }), '1006 APP_DISABLED signed'],
    ['POST', 'trade', orderParams(demo, { mch_trade_no: number }), '200 SUCCESS signed'],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, app_no: 'A'.repeat(32) }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'app_no',
    ],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, amount_total: '12.51' }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'amount_total',
    ],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, amount_total: '12.49' }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'amount_total',
    ],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, description: '别的' }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'description',
    ],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, extra: 'x' }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'extra',
    ],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, notify_url: 'https://a.example/' }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'notify_url',
    ],
    [
      'POST',
      'trade',
      orderParams(demo, { mch_trade_no: number, time_expire: '2026-03-01T14:00:00+08:00' }),
      '1010 MCH_TRADE_NO_REPEAT signed',
      'time_expire',
    ],
    ['POST', 'refund', refund({ transaction_no: open }), '1008 ORDER_NOT_PAID signed'],
    ['POST', 'refund', refund({ transaction_no: closed }), '1008 ORDER_NOT_PAID signed'],
    ['POST', 'refund', refund({ mch_refund_no: refundNo }), '200 SUCCESS signed'],
    [
      'POST',
      'refund',
      refund({ mch_refund_no: refundNo, transaction_no: open }),
      '1012 MCH_REFUND_NO_REPEAT signed',
      'transaction_no',
    ],
    [
      'POST',
      'refund',
      refund({ mch_refund_no: refundNo, refund_amount: '1.01' }),
      '1012 MCH_REFUND_NO_REPEAT signed',
      'refund_amount',
    ],
    [
      'POST',
      'refund',
      refund({ mch_refund_no: refundNo, refund_amount: '0.99' }),
      '1012 MCH_REFUND_NO_REPEAT signed',
      'refund_amount',
    ],
    [
      'POST',
      'refund',
      refund({ mch_refund_no: refundNo, refund_reason: 'y' }),
      '1012 MCH_REFUND_NO_REPEAT signed',
      'refund_reason',
    ],
    [
      'POST',
      'refund',
      refund({ mch_refund_no: refundNo, notify_url: 'https://a.example/' }),
      '1012 MCH_REFUND_NO_REPEAT signed',
      'notify_url',
    ],
    ['GET', 'refund', { mch_refund_no: refundNo }, '200 SUCCESS signed'],
    ['GET', 'notifications', {}, '200 SUCCESS signed'],
    ['GET', 'notifications/tries', { transaction_no: open, seq: '1' }, '200 SUCCESS signed'],
    ['POST', 'notifications/resend', { transaction_no: open }, '200 SUCCESS signed'],
    ['POST', 'notifications/resend', { state: 'DEAD' }, '200 SUCCESS signed'],
  ]
  const answers = await inBatches(rows, ([method, path, params]) => send(demo, { method, path, params }))
  expect(
    wrongRows(rows, ([method, path, params, expected], index) => [
      `${method} ${path} ${JSON.stringify(params)}`,
      said(answers[index] as Told),
      expected,
    ]),
  ).toEqual([])
  const unnamed = rows.filter(([, , , , field = ''], index) => !(answers[index]?.fieldErrors ?? '').includes(field))
  expect(unnamed).toEqual([])
  const outcomes = answers.slice(0, 2).map(({ data }) => `${data.code} ${data.description}`)
  expect(outcomes).toEqual(['SUCCESS 关单成功', 'FAIL 订单已支付'])
})

/** An order of the demo merchant, placed from an address of its own. */
async function fresh(more: JsonObject = {}): Promise<string> {
  const answer = await send(demo, { method: 'POST', path: 'trade', params: orderParams(demo, more) })
  if (answer.data.code !== 'SUCCESS') throw new Error(JSON.stringify(answer))
  return answer.data.transaction_no ?? ''
}

async function paidOrder(more: JsonObject = {}): Promise<string> {
  const order = await fresh(more)
  const attempts = `${demo.baseUrl}/sandbox/${demo.mchNo}/orders/${order}/attempts`
  // The payer comes from elsewhere each time, as calls of one address are counted at every path.
  const post = (url: string) => fetch(url, { method: 'POST', headers: { 'x-forwarded-for': freshAddress() } })
  const opened = (await (await post(`${attempts}?channel=wechat`)).json()) as { attempt_no: string }
  await (await post(`${attempts}/${opened.attempt_no}/pay`)).text()
  return order
}

/** One value of a field: `name` says which one, `ok` that it is taken, or the field that is named in the refusal. */
type Limit = {
  call: [Request['method'], Request['path']]
  params: JsonObject
  name: string
  ok: string | null
  field: string
}

/** Rows for one field: the values that are taken, then those that are refused with 1001 in the field's name. */
function limitsOf(
  call: Limit['call'],
  base: () => JsonObject,
  field: string,
  { taken, refused, ok = '200 SUCCESS signed' }: { taken: JsonObject['x'][]; refused: JsonObject['x'][]; ok?: string },
): Limit[] {
  const row = (value: JsonObject['x'], answer: string | null): Limit => ({
    call,
    field,
    params: { ...base(), [field]: value },
    ok: answer,
    name: `${call.join(' ')} ${field} ${JSON.stringify(value).slice(0, 60)} (${String(value).length})`,
  })
  return [...taken.map((value) => row(value, ok)), ...refused.map((value) => row(value, null))]
}

const url = (length: number): string => `https://merchant.example/${'n'.repeat(length - 25)}`
const NUMBERS = {
  taken: ['x'.repeat(50), 'x', "' or 1=1 --", '订单'],
  refused: ['x'.repeat(51), 'a\u0000b', 'a\ud800', 1, true, {}, []],
}
const MERCHANT_NUMBERS = {
  taken: ['a'.repeat(24), 'Z'.repeat(50), '0123456789_-abcdefghijklmnop'],
  refused: ['a'.repeat(23), 'a'.repeat(51), `${'a'.repeat(24)} `, `${'a'.repeat(24)}.`, '订'.repeat(24), '', null, 1],
}
const URLS = {
  taken: [
    url(256),
    url(26),
    'https://merchant.example',
    'https://MERCHANT.example:443/a%20b',
    'http://127.0.0.1:3000/',
    '',
    null,
  ],
  refused: [
    url(257),
    'http://merchant.example/',
    'https://merchant.example/?',
    'https://merchant.example/#',
    'https://a@merchant.example/',
    'https://merchant.example:8443/',
    'https://10.0.0.1/',
    'ftp://merchant.example/',
    'https:/merchant.example',
    ' https://merchant.example/',
    'https://merchant.example/\n',
    1,
  ],
}
/** The clock of this world stands at noon of 1 March 2026 in China. */
const INSTANTS = [
  '2026-02-28T12:00:00+08:00',
  '2026-12-31T23:59:59+08:00',
  '2026-12-31T23:59:59.999999999-23:59',
  '2028-02-29T00:00:00Z',
]
const NO_INSTANTS = [
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-12-32T00:00:00Z',
  '2026-03-02',
  '2026-03-02T00:00:00',
  '2026-03-02T24:00:00Z',
  '2026-03-02T00:60:00Z',
  '2026-03-02T00:00:00+24:00',
  '2026-03-02 00:00:00Z',
  '2026-03-02T00:00:60Z',
  '2026-3-2T00:00:00Z',
  'tomorrow',
  1772337600,
  true,
]

function limitRows(paid: string, big: string): Limit[] {
  const placing = (): JsonObject => orderParams(demo)
  const refunding = (): JsonObject => ({
    transaction_no: big,
    mch_refund_no: newTradeNo(),
    refund_amount: '0.01',
    refund_reason: 'x',
  })
  const trade: Limit['call'] = ['POST', 'trade']
  const refund: Limit['call'] = ['POST', 'refund']
  const resend: Limit['call'] = ['POST', 'notifications/resend']
  const named: [Limit['call'], string, string, JsonObject][] = [
    [['POST', 'close'], 'transaction_no', '1007 ORDER_NOT_EXIST signed', {}],
    [['POST', 'close'], 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', {}],
    [refund, 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', { ...refunding(), transaction_no: null }],
    [refund, 'transaction_no', '1007 ORDER_NOT_EXIST signed', refunding()],
    [resend, 'transaction_no', '1007 ORDER_NOT_EXIST signed', {}],
    [resend, 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', {}],
  ]
  const queried: [Request['path'], string, string, JsonObject][] = [
    ['trade', 'transaction_no', '1007 ORDER_NOT_EXIST signed', {}],
    ['trade', 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', {}],
    ['close/evidence', 'transaction_no', '1007 ORDER_NOT_EXIST signed', {}],
    ['close/evidence', 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', {}],
    ['refund', 'refund_no', '1011 REFUND_NOT_EXIST signed', {}],
    ['refund', 'mch_refund_no', '1011 REFUND_NOT_EXIST signed', {}],
    ['notifications', 'transaction_no', '1007 ORDER_NOT_EXIST signed', {}],
    ['notifications', 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', {}],
    ['notifications/tries', 'transaction_no', '1007 ORDER_NOT_EXIST signed', { seq: '1' }],
    ['notifications/tries', 'mch_trade_no', '1007 ORDER_NOT_EXIST signed', { seq: '1' }],
  ]
  const texts = {
    taken: NUMBERS.taken,
    refused: NUMBERS.refused.filter((value) => typeof value === 'string' && !value.includes('\ud800')),
  }
  return [
    ...named.flatMap(([call, field, ok, base]) => limitsOf(call, () => base, field, { ...NUMBERS, ok })),
    ...queried.flatMap(([path, field, ok, base]) => limitsOf(['GET', path], () => base, field, { ...texts, ok })),
    ...limitsOf(trade, placing, 'app_no', { taken: ['A'.repeat(32)], refused: ['A'.repeat(33), '', null, 1] }),
    ...limitsOf(trade, placing, 'mch_trade_no', MERCHANT_NUMBERS),
    ...limitsOf(trade, placing, 'description', {
      taken: ['x', '长'.repeat(128), wide(64), '=1+1', '"', '\u0001'],
      refused: ['', null, 'x'.repeat(129), `${wide(64)}x`, 'a\u0000', '\ud800', 1, []],
    }),
    ...limitsOf(trade, placing, 'amount_total', {
      taken: ['0.01', '0.10', '1.00', '999999.99'],
      refused: [
        '0.00',
        '1000000.00',
        '1',
        '1.0',
        '1.000',
        '01.00',
        '.01',
        '-1.00',
        '+1.00',
        '1e2',
        '1,00',
        ' 1.00',
        '1.00\n',
        '０.01',
        '',
        null,
        1,
        12.5,
      ],
    }),
    ...limitsOf(trade, placing, 'amount_currency', { taken: ['CNY'], refused: ['cny', 'USD', 'CNYX', 'CN', '', null] }),
    ...limitsOf(trade, placing, 'time_expire', {
      taken: [
        '2026-03-01T12:01:00+08:00',
        '2026-03-01T04:01:00Z',
        '2026-03-01T12:01:00.000+08:00',
        '2026-02-28T20:01:00-08:00',
        '2026-03-08T12:00:00+08:00',
        '2026-03-08T04:00:00Z',
        '2026-03-07T18:00:00-10:00',
        '',
        null,
      ],
      refused: [
        '2026-03-01T12:00:59+08:00',
        '2026-03-01T12:00:59.999+08:00',
        '2026-03-08T12:00:01+08:00',
        '2026-03-08T12:00:00.001+08:00',
        ...INSTANTS,
        ...NO_INSTANTS,
      ],
    }),
    ...limitsOf(trade, placing, 'extra', {
      taken: ['x'.repeat(256), wide(128), '', null],
      refused: ['x'.repeat(257), `${wide(128)}x`, 'a\u0000', '\udc00', 1],
    }),
    ...limitsOf(trade, placing, 'notify_url', URLS),
    ...limitsOf(refund, refunding, 'mch_refund_no', MERCHANT_NUMBERS),
    ...limitsOf(refund, refunding, 'refund_amount', {
      taken: ['0.01', '999999.00'],
      refused: ['0.00', '1000000.00', '1', '1.0', '1.000', '01.00', '-0.01', '', null, 1],
    }).map((row, index) => (index === 1 ? { ...row, ok: '1013 REFUND_AMOUNT_EXCEED signed' } : row)),
    ...limitsOf(refund, refunding, 'refund_reason', {
      taken: ['x', '长'.repeat(32), wide(16)],
      refused: ['', null, 'x'.repeat(33), `${wide(16)}x`, 'a\u0000', 1],
    }),
    ...limitsOf(refund, refunding, 'notify_url', URLS),
    ...limitsOf(['GET', 'bill'], () => ({}), 'bill_date', {
      taken: ['2026-02-28', '2026-02-01', '2026-01-31', '2025-12-31', '2025-12-01'],
      refused: [
        '2026-03-01',
        '2026-03-02',
        '2025-11-30',
        '2026-02-29',
        '2026-02-30',
        '2026-00-01',
        '2026-13-01',
        '2026-2-1',
        '20260228',
        '2026-02-28 ',
        '2026-02-28T00',
        '',
        '0000-00-00',
      ],
    }),
    ...limitsOf(['GET', 'notifications'], () => ({}), 'state', {
      taken: ['PENDING', 'DELIVERED', 'DEAD', ''],
      refused: ['dead', 'SENT', 'DELIVEREDX'],
    }),
    ...limitsOf(['GET', 'notifications'], () => ({}), 'before', {
      taken: [
        `1.AP${'0'.repeat(36)}.1`,
        `${'9'.repeat(13)}.AP${'9'.repeat(36)}.${'9'.repeat(9)}`,
        `0.AP${'0'.repeat(36)}.0`,
        '',
      ],
      refused: [
        'x',
        `.AP${'0'.repeat(36)}.1`,
        `1.AP${'0'.repeat(35)}.1`,
        `1.AR${'0'.repeat(36)}.1`,
        `1.AP${'0'.repeat(36)}.`,
        `1.AP${'0'.repeat(36)}.1234567890`,
        `${'9'.repeat(15)}.AP${'0'.repeat(36)}.1`,
      ],
    }),
    ...limitsOf(['GET', 'notifications'], () => ({}), 'before', {
      taken: [`${'9'.repeat(14)}.AP${'9'.repeat(36)}.1`],
      refused: [],
    }),
    ...limitsOf(['GET', 'notifications/tries'], () => ({ transaction_no: paid }), 'seq', {
      taken: ['1', '999999999'],
      refused: ['0', '01', '1000000000', '-1', '1.5', 'x', ''],
    }),
    ...limitsOf(resend, () => ({ transaction_no: paid }), 'seq', {
      taken: ['1', '999999999', '', null],
      refused: ['0', '01', '1000000000', '-1', '1.5', 1],
    }),
    ...limitsOf(resend, () => ({}), 'state', { taken: ['DEAD'], refused: ['PENDING', 'DEADX', 'dead', 1] }),
    ...limitsOf(resend, () => ({ state: 'DEAD' }), 'from', { taken: [...INSTANTS, '', null], refused: NO_INSTANTS }),
    ...limitsOf(resend, () => ({ state: 'DEAD' }), 'until', { taken: [...INSTANTS, '', null], refused: NO_INSTANTS }),
    ...limitsOf(resend, () => ({ transaction_no: paid }), 'state', { taken: [], refused: ['DEAD'] }),
    ...limitsOf(resend, () => ({ transaction_no: paid }), 'from', { taken: [], refused: INSTANTS }),
    ...limitsOf(resend, () => ({ transaction_no: paid }), 'until', { taken: [], refused: INSTANTS }),
  ]
}

it('take every field at its last allowed value, and refuse the first one beyond by the name of the field', async () => {
  const rows = limitRows(await paidOrder(), await paidOrder({ amount_total: '999998.99' }))
  // Refunds of one order wait for each other and are at most twenty: each of these has an order of its own.
  const needing = rows.filter(
    ({ call, params, ok }) =>
      call[1] === 'refund' && call[0] === 'POST' && ok?.startsWith('200') && params.transaction_no !== null,
  )
  await inBatches(needing, async (row) => {
    row.params.transaction_no = await paidOrder()
  })
  const answers = await inBatches(rows, ({ call: [method, path], params }) => send(demo, { method, path, params }))
  expect(
    wrongRows(rows, ({ name, ok, field }, index) => {
      const answer = answers[index] as Told
      const isNamed = answer.fieldErrors?.includes(field) ?? false
      return [
        name,
        `${said(answer)}${answer.status === 1001 && !isNamed ? ' names no field' : ''}`,
        ok ?? '1001 PARAM_ERROR signed',
      ]
    }),
  ).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(350)
  expect(answers.filter(({ fieldErrors }) => (fieldErrors?.length ?? 0) > 50)).toEqual([])
})

it('take nonces, merchant numbers, bodies and headers up to their lengths, and no valid signature with anything around it', async () => {
  const params = { transaction_no: ABSENT }
  const get = (more: Partial<Request> = {}, by = demo) => say(by, { method: 'GET', path: 'trade', params, ...more })
  const body = JSON.stringify(params)
  const padded = (bytes: number): Partial<Request> => ({ method: 'POST', path: 'close', body: body.padEnd(bytes, ' ') })
  const nestedPost = (levels: number): Promise<string> => {
    const asked = { ...params, deep: JSON.parse(`${'['.repeat(levels)}0${']'.repeat(levels)}`) as JsonObject['x'] }
    // Deeper than 31 there is no text that could be signed.
    const signed = levels > 31 ? params : asked
    return say(demo, { method: 'POST', path: 'close', params: signed, body: JSON.stringify(asked) })
  }
  const withSign = async (change: (sign: string) => string) => {
    const { url: to, ...init } = await signedRequest(demo, { method: 'GET', path: 'trade', params })
    const headers: Record<string, string> = { ...init.headers, 'x-forwarded-for': freshAddress() }
    headers['x-acopay-sign'] = change(headers['x-acopay-sign'] ?? '')
    return said(await readAnswer(demo, await fetch(to, { ...init, headers })))
  }
  const inBody = async (change: (sign: string) => string) => {
    const signed = await bodySigned(orderParams(demo))
    return said(await post({ ...signed, sign: change(String(signed.sign)) }))
  }
  const served = '1007 ORDER_NOT_EXIST signed'
  const unproven = '1002 SIGN_ERROR unsigned'
  const rows: [string, () => Promise<string>, string][] = [
    ['a nonce of 1', () => get({ nonce: 'n' }), served],
    ['a nonce of 32', () => get({ nonce: 'n'.repeat(32) }), served],
    ['a nonce of 33', () => get({ nonce: 'n'.repeat(33) }), `${unproven} names a header`],
    ['a merchant number of 32', () => get({}, { ...demo, mchNo: 'M'.repeat(32) }), served],
    ['a merchant number of 33', () => get({}, { ...demo, mchNo: 'M'.repeat(33) }), '1003 MCH_NOT_EXIST unsigned'],
    [
      'another sign type',
      () => get({ headers: { 'x-acopay-sign-type': 'SHA1withRSA' } }),
      `${unproven} names a header`,
    ],
    ['a body of 65 536 bytes', () => get(padded(65_536)), served],
    ['a body of 65 537 bytes', () => get(padded(65_537)), 'HTTP 413'],
    // The body itself is a level; no signature is looked at where there is no text to sign.
    // It is no member of the call; only a text that could be signed is refused with a signature.
    ['a value nested 31 deep', () => nestedPost(31), '1001 PARAM_ERROR signed'],
    ['a value nested 32 deep', () => nestedPost(32), '1001 PARAM_ERROR unsigned'],
    ['a header of 12 000 bytes', () => get({ headers: { 'x-pad': 'x'.repeat(12_000) } }), served],
    ['headers of 17 000 bytes', () => get({ headers: { 'x-pad': 'x'.repeat(17_000) } }), 'HTTP 431'],
    ['a query of 12 000 bytes', () => get({ params: { ...params, version: 'x'.repeat(12_000) } }), served],
    ['a query of 17 000 bytes', () => get({ params: { ...params, version: 'x'.repeat(17_000) } }), 'HTTP 431'],
    ['the signature', () => withSign((sign) => sign), served],
    ['the signature twice', () => withSign((sign) => `${sign}, ${sign}`), unproven],
    ['the signature without its padding', () => withSign((sign) => sign.replace(/=+$/, '')), unproven],
    [
      'the signature in the URL alphabet',
      () => withSign((sign) => sign.replace(/[+/A]/g, (one) => ({ '+': '-', '/': '_', A: '-' })[one] ?? '')),
      unproven,
    ],
    ...['AAAA', '====', '!!!!', '- - ', 'éééé', '____'].flatMap(
      (foreign): [string, () => Promise<string>, string][] => [
        [`${foreign} before the signature`, () => withSign((sign) => foreign + sign), unproven],
        [`${foreign} behind the signature`, () => withSign((sign) => sign + foreign), unproven],
        [
          `${foreign} within the signature`,
          () => withSign((sign) => sign.slice(0, 100) + foreign + sign.slice(100)),
          unproven,
        ],
      ],
    ),
    ['the signature in the body', () => inBody((sign) => sign), '200 SUCCESS signed'],
    ...['    ', '\n\n\n\n', '\t', '\u0000\u0000\u0000\u0000', '签名签名', 'AAAA', '====', '%%%%', '\ufeff'].flatMap(
      (foreign): [string, () => Promise<string>, string][] => [
        [
          `${JSON.stringify(foreign)} before the signature in the body`,
          () => inBody((sign) => foreign + sign),
          unproven,
        ],
        [
          `${JSON.stringify(foreign)} behind the signature in the body`,
          () => inBody((sign) => sign + foreign),
          unproven,
        ],
      ],
    ),
  ]
  const answers = await inBatches(rows, ([, run]) => run())
  expect(wrongRows(rows, ([name, , expected], index) => [name, answers[index], expected])).toEqual([])
})

it('use up the nonce of every change that was answered, also where the verb refused it', async () => {
  const [open, paid, number, refundNo] = [await fresh(), await paidOrder(), newTradeNo(), newTradeNo()]
  const refund = (more: JsonObject): JsonObject => ({
    transaction_no: paid,
    mch_refund_no: newTradeNo(),
    refund_amount: '1.00',
    refund_reason: 'x',
    ...more,
  })
  await send(demo, { method: 'POST', path: 'trade', params: orderParams(demo, { mch_trade_no: number }) })
  await send(demo, { method: 'POST', path: 'refund', params: refund({ mch_refund_no: refundNo }) })
  const rows: [Request['path'], JsonObject, string][] = [
    ['trade', orderParams(demo), '200 SUCCESS signed'],
    ['trade', orderParams(demo, { app_no: 'APP404' }), '1005 APP_NOT_EXIST signed'],
    ['trade', orderParams(demo, { app_no: 'APP-DISABLED' }), '1006 APP_DISABLED signed'],
    ['trade', orderParams(demo, { mch_trade_no: number, extra: 'x' }), '1010 MCH_TRADE_NO_REPEAT signed'],
    ['close', { transaction_no: ABSENT }, '1007 ORDER_NOT_EXIST signed'],
    ['close', { transaction_no: paid }, '200 SUCCESS signed'],
    ['refund', refund({ transaction_no: ABSENT }), '1007 ORDER_NOT_EXIST signed'],
    ['refund', refund({ transaction_no: open }), '1008 ORDER_NOT_PAID signed'],
    ['refund', refund({ mch_refund_no: refundNo, refund_reason: 'y' }), '1012 MCH_REFUND_NO_REPEAT signed'],
    ['refund', refund({ refund_amount: '12.50' }), '1013 REFUND_AMOUNT_EXCEED signed'],
    ['notifications/resend', { transaction_no: ABSENT }, '1007 ORDER_NOT_EXIST signed'],
    ['notifications/resend', { transaction_no: open }, '200 SUCCESS signed'],
  ]
  const both = await inBatches(rows, async ([path, params]) => {
    const request: Request = { method: 'POST', path, params, nonce: newTradeNo() }
    return [await say(demo, request), await say(demo, request)]
  })
  expect(
    wrongRows(rows, ([path, params, expected], index) => [
      `${path} ${JSON.stringify(params)}`,
      both[index]?.join(', then '),
      `${expected}, then 1016 NONCE_REPEAT signed`,
    ]),
  ).toEqual([])
  // A request that is wrong in itself was not looked at: it may be mended and sent with the same nonce.
  const nonce = 'of-a-wrong-parameter'
  expect(await say(demo, { method: 'POST', path: 'close', params: {}, nonce })).toBe('1001 PARAM_ERROR signed')
  const mended: Request = { method: 'POST', path: 'close', params: { transaction_no: ABSENT }, nonce }
  expect(await say(demo, mended)).toBe('1007 ORDER_NOT_EXIST signed')
})

it('take the nonce of a repeated order too, also when its time_expire has passed meanwhile', async () => {
  const params = orderParams(demo, { time_expire: '2026-03-01T12:05:00+08:00' })
  const placing = (nonce: string): Promise<string> => say(demo, { method: 'POST', path: 'trade', params, nonce })
  expect(await placing('the-first')).toBe('200 SUCCESS signed')
  expect(await placing('the-second')).toBe('200 SUCCESS signed')
  gateway.advance(10 * 60_000)
  expect(await placing('the-third')).toBe('200 SUCCESS signed')
  for (const nonce of ['the-first', 'the-second', 'the-third']) {
    expect(await placing(nonce), nonce).toBe('1016 NONCE_REPEAT signed')
  }
})

it('refund twenty times and to the last fen, for 180 days to the millisecond', async () => {
  const refund = (transaction_no: string, refund_amount: string): Promise<string> =>
    say(demo, {
      method: 'POST',
      path: 'refund',
      params: { transaction_no, mch_refund_no: newTradeNo(), refund_amount, refund_reason: 'x' },
    })
  const [often, whole, beyond, rest, old] = await inBatches([1, 2, 3, 4, 5], () => paidOrder())
  const rows: [name: string, order: string | undefined, amount: string, advanceMs: number, expected: string][] = [
    ...Array.from({ length: 20 }, (_, index): (typeof rows)[number] => {
      return [`refund ${index + 1} of one order`, often, '0.01', 0, '200 SUCCESS signed']
    }),
    ['refund 21 of one order', often, '0.01', 0, '1014 REFUND_TIMES_EXCEED signed'],
    ['the whole', whole, '12.50', 0, '200 SUCCESS signed'],
    ['a fen after the whole', whole, '0.01', 0, '1013 REFUND_AMOUNT_EXCEED signed'],
    ['a fen more than the whole', beyond, '12.51', 0, '1013 REFUND_AMOUNT_EXCEED signed'],
    ['all but a fen', rest, '12.49', 0, '200 SUCCESS signed'],
    ['a fen more than the rest', rest, '0.02', 0, '1013 REFUND_AMOUNT_EXCEED signed'],
    ['the rest', rest, '0.01', 0, '200 SUCCESS signed'],
    ['after 180 days', old, '0.01', 180 * 24 * 3_600_000, '200 SUCCESS signed'],
    ['after 180 days and a millisecond', old, '0.01', 1, '1015 REFUND_TIME_EXCEED signed'],
  ]
  const answers: string[] = []
  for (const [, order, amount, advanceMs] of rows) {
    gateway.advance(advanceMs)
    answers.push(await refund(order as string, amount))
  }
  expect(wrongRows(rows, ([name, , , , expected], index) => [name, answers[index], expected])).toEqual([])
})

it('have no other method: 405 with the methods there are, for every path, and 404 for every other path', async () => {
  const registered = routesOf(gateway.app)
    .filter((route) => route.includes(' /pay/v1/'))
    .map((route) => route.replace('/pay/v1/transactions/', ''))
  expect(registered.sort()).toEqual(CALLS.map(({ method, path }) => `${method} ${path}`).sort())
  const methodsOf = (path: string): string[] => CALLS.filter((call) => call.path === path).map(({ method }) => method)
  const paths = [...new Set(CALLS.map(({ path }) => path as string))]
  const cells = [...paths, 'nothing', 'trade/', 'TRADE', 'close%00', ''].flatMap((path) =>
    ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
      .filter((method) => !methodsOf(path).includes(method))
      .map((method) => ({ method, path })),
  )
  const answers = await inBatches(cells, async ({ method, path }) => {
    const headers = { 'x-forwarded-for': freshAddress() }
    const response = await fetch(`${demo.baseUrl}/pay/v1/transactions/${path}`, { method, headers })
    await response.text()
    return [response.status, ...(response.headers.get('allow')?.split(', ').sort() ?? [])].join(' ')
  })
  expect(
    wrongRows(cells, ({ method, path }, index) => {
      const methods = methodsOf(path).sort()
      return [`${method} ${path}`, answers[index], methods.length === 0 ? '404' : `405 ${methods.join(' ')}`]
    }),
  ).toEqual([])
})
