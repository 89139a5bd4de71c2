/**
 * A signature names neither the method nor the path of the call that it was made for (spec/protocol.md, section 4). Here the
 * signed headers of one call are used at every other one, through two gateways on one database.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type JsonObject, OPERATIONS, orderParamsText, privateKeyFrom, signText } from '@acopay/protocol'
import { setMerchantEnabled } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { KEPT_MS } from '../apps/server/src/http/merchant/known-merchants.ts'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { type Gateway, startGateway } from '../apps/server/src/start/gateway.ts'
import { startedOnce } from './support/database.ts'
import {
  close,
  newTradeNo,
  openAttempt,
  orderParams,
  pay,
  place,
  query,
  type Request,
  readAnswer,
  signedRequest,
  type TestGateway,
  testGateway,
} from './support/gateway.ts'
import { PATIENT } from './support/process.ts'
import { wrongRows } from './support/tables.ts'

let gateway: TestGateway
let demo: DemoSettings
let second: Gateway
let secondHome: string
/** The same merchant at a second gateway on the same database. */
let elsewhere: DemoSettings

beforeAll(async () => {
  gateway = await testGateway()
  demo = gateway.demo
  secondHome = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
  startedOnce(secondHome)
  const env = { PORT: '0', LOG_LEVEL: 'error', DATABASE_URL: gateway.database.connectionString, ...PATIENT }
  second = await startGateway(readConfig({ ...env, ACOPAY_HOME: secondHome }, ''))
  elsewhere = { ...demo, baseUrl: second.url }
})
afterAll(async () => {
  await second.stop()
  await gateway.stop()
  rmSync(secondHome, { recursive: true })
})

type Place = Pick<Request, 'method' | 'path'>

/** Every call of the transactions API but placing. */
const OTHERS: Place[] = [
  { method: 'POST', path: 'close' },
  { method: 'GET', path: 'close/evidence' },
  { method: 'GET', path: 'trade' },
  { method: 'POST', path: 'refund' },
  { method: 'GET', path: 'refund' },
  { method: 'GET', path: 'bill' },
  { method: 'GET', path: 'orders' },
  { method: 'GET', path: 'refunds' },
  { method: 'GET', path: 'notifications' },
  { method: 'GET', path: 'notifications/tries' },
  { method: 'POST', path: 'notifications/resend' },
  { method: 'GET', path: 'calls' },
]
const named = ({ method, path }: Place): string => `${method} ${path}`

/** Sends these signed headers and parameters to a call, whatever call they were signed for. */
async function use(headers: Record<string, string>, { method, path }: Place, params: JsonObject, by = demo) {
  const url = new URL(`/pay/v1/transactions/${path}`, by.baseUrl)
  const body = method === 'POST' ? { body: JSON.stringify(params) } : {}
  if (method === 'GET') for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value))
  return readAnswer(demo, await fetch(url, { method, headers, ...body }))
}

const said = ({ status, message, isSigned, fieldErrors }: Awaited<ReturnType<typeof use>>): string =>
  [status, message, isSigned ? 'signed' : 'unsigned', ...(status === 200 ? [] : [fieldErrors])].join(' ')

/** All that evidence of these orders is made of, and what merchants are told of them. */
async function booksOf(transactionNos: string[]): Promise<unknown[]> {
  const rows = async (columns: string, table: string, order: string): Promise<unknown[]> =>
    (
      await gateway.database.pool.query(
        `select ${columns} from ${table} where transaction_no = any ($1) order by transaction_no, ${order}`,
        [transactionNos],
      )
    ).rows
  return [
    await rows('*', 'orders', 'head_seq'),
    await rows('*', 'timeline', 'seq'),
    await rows('*', 'refund', 'refund_no'),
    await rows('transaction_no, seq', 'notification', 'seq'),
  ]
}

/** The order parameters that the merchant's server signs for its payer's page (spec 3.2). */
async function forThePage(more: JsonObject = {}): Promise<JsonObject> {
  const page = { mch_no: demo.mchNo, nonce: newTradeNo().slice(0, 32), sign_type: 'SHA256withRSA' }
  const signed = { ...orderParams(demo, more), ...page }
  const sign = await signText(orderParamsText(signed), privateKeyFrom(demo.mchPrivateKey))
  return { ...signed, aco_pay_sdk: '2.0.0', version: '1.0', sign }
}

async function placedByPage(params: JsonObject): Promise<string> {
  const response = await fetch(`${demo.baseUrl}/pay/v1/transactions/trade`, {
    method: 'POST',
    body: JSON.stringify(params),
  })
  const answer = await readAnswer(demo, response)
  expect(answer).toMatchObject({ status: 200, data: { code: 'SUCCESS' } })
  return answer.data.transaction_no ?? ''
}

/** Those parameters, with the four members of the signature moved into headers. */
function moved(page: JsonObject): { headers: Record<string, string>; params: JsonObject } {
  const { sign, mch_no, nonce, sign_type, ...params } = page
  const headers = {
    'x-acopay-mch-no': String(mch_no),
    'x-acopay-nonce': String(nonce),
    'x-acopay-sign-type': String(sign_type),
    'x-acopay-sign': String(sign),
  }
  return { headers, params }
}

it('the list of calls is complete', () => {
  const operations = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  expect([...OTHERS.map(named), 'POST trade'].sort()).toEqual(operations.sort())
})

/** Orders that a page has placed: untouched, with more members, with an open code, paid, closed. */
async function pagesAndOrders(): Promise<{ pages: JsonObject[]; orders: string[] }> {
  const more = { extra: 'x', notify_url: 'https://shop.example/told' }
  const pages = [await forThePage(), await forThePage(more), await forThePage(), await forThePage(), await forThePage()]
  const orders = await Promise.all(pages.map(placedByPage))
  const [, , opened = '', paid = '', closed = ''] = orders
  expect(await openAttempt(demo, opened)).not.toBeNull()
  expect(await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')).toBe(true)
  await expect.poll(async () => (await query(demo, paid)).data.code, PATIENTLY).toBe('SUCCESS')
  expect((await close(demo, closed)).data.code).toBe('SUCCESS')
  return { pages, orders }
}

const PATIENTLY = { timeout: 20_000, interval: 50 }

it("the payer's page parameters, moved into headers, are refused at every other call and change no order's evidence", async () => {
  const { pages, orders } = await pagesAndOrders()
  const before = await booksOf(orders)
  const rows = pages.flatMap((page) => {
    const { headers, params } = moved(page)
    const { mch_no = null, nonce = null, sign_type = null } = page
    const withClaim: JsonObject = { ...params, mch_no, nonce, sign_type }
    return OTHERS.flatMap((at) => [params, withClaim].map((sent) => ({ at, headers, sent })))
  })
  expect(rows).toHaveLength(5 * 12 * 2)
  const answers: string[] = []
  for (const { at, headers, sent } of rows) answers.push(said(await use(headers, at, sent)))
  // Their first member that the call does not have.
  const first = ({ path }: Place): string => (path === 'orders' ? 'description' : 'app_no')
  const refused = (at: Place): string => `1001 PARAM_ERROR signed ${first(at)} 不是此接口的参数 (not of this call)`
  expect(wrongRows(rows, ({ at }, index) => [named(at), answers[index], refused(at)])).toEqual([])
  expect(await booksOf(orders)).toEqual(before)
  // At the call that they were signed for they go on being good, as often as the payer presses the button.
  expect(await Promise.all(pages.map(placedByPage))).toEqual(orders)
})

const at = (name: string): Place => OTHERS.find((one) => named(one) === name) as Place

/** Queries, and the calls that change something and take the same members. */
const FITTING: [query: Place, change: Place, params: (order: string) => JsonObject][] = [
  [at('GET trade'), at('POST close'), (order) => ({ transaction_no: order })],
  [at('GET close/evidence'), at('POST close'), (order) => ({ transaction_no: order })],
  [at('GET orders'), at('POST close'), (order) => ({ transaction_no: order })],
  [at('GET refunds'), at('POST close'), (order) => ({ transaction_no: order })],
  [at('GET notifications'), at('POST close'), (order) => ({ transaction_no: order })],
  [at('GET trade'), at('POST notifications/resend'), (order) => ({ transaction_no: order })],
  [at('GET notifications/tries'), at('POST notifications/resend'), (order) => ({ transaction_no: order, seq: '1' })],
  [at('GET notifications'), at('POST notifications/resend'), () => ({ state: 'DEAD' })],
]

const REPEAT = '1016 NONCE_REPEAT signed 随机串已使用，请更换后重试'

it('the headers of a query close no order and send nothing again, also at another gateway', async () => {
  const order = await place(demo)
  const before = await booksOf([order])
  const rows = FITTING.flatMap((row) => [demo, elsewhere].map((by) => [...row, by] as const))
  const answers: string[] = []
  for (const [asks, change, params, by] of rows) {
    const { headers } = await signedRequest(demo, { ...asks, params: params(order) })
    const first = await use(headers, asks, params(order))
    // An order that is open has no evidence of its close.
    expect(first.status, named(asks)).toBe(asks.path === 'close/evidence' ? 1009 : 200)
    answers.push(said(await use(headers, change, params(order), by)))
    // A query changes nothing, so its own repeat is answered as before.
    expect((await use(headers, asks, params(order), by)).status).toBe(first.status)
  }
  expect(
    wrongRows(rows, ([asks, change, , by], index) => [
      `${named(asks)} → ${named(change)} ${by === demo ? 'here' : 'elsewhere'}`,
      answers[index],
      REPEAT,
    ]),
  ).toEqual([])
  expect(await booksOf([order])).toEqual(before)
  expect((await close(demo, order)).data.code).toBe('SUCCESS')
})

it('the headers of a query that was refused close no order either', async () => {
  const { pool } = gateway.database
  const set = (column: string, value: unknown) => pool.query(`update merchant set ${column} = $1`, [value])
  const params = { transaction_no: await place(demo) }
  const wrong = { ...params, mch_trade_no: 'x'.repeat(51) }
  const rows: [
    name: string,
    status: number,
    params: JsonObject,
    begin: () => Promise<unknown>,
    end: () => Promise<unknown>,
  ][] = [
    ['disabled', 1004, params, () => setEnabled(false), () => setEnabled(true)],
    ['address', 1018, params, () => set('allowed_ips', ['192.0.2.1']), () => set('allowed_ips', [])],
    ['rate', 1017, params, () => set('rate_per_second', 1), () => set('rate_per_second', null)],
    ['parameter', 1001, wrong, async () => {}, async () => {}],
  ]
  const setEnabled = (isEnabled: boolean) => setMerchantEnabled(pool, demo.mchNo, isEnabled)
  for (const [name, status, asked, begin, end] of rows) {
    await begin()
    gateway.skip(KEPT_MS)
    const sent = await sendUntil(status, asked)
    await end()
    gateway.skip(KEPT_MS)
    if (name !== 'parameter') expect(said(await use(sent, at('POST close'), asked)), name).toBe(REPEAT)
    const { rowCount } = await pool.query('select from nonce where nonce = $1', [sent['x-acopay-nonce']])
    expect(rowCount, name).toBe(1)
  }
})

/** The headers of the first query that is answered so. A rate has to be used up before. */
async function sendUntil(status: number, params: JsonObject): Promise<Record<string, string>> {
  for (let sent = 0; sent < 50; sent += 1) {
    const { headers } = await signedRequest(demo, { ...at('GET trade'), params })
    if ((await use(headers, at('GET trade'), params)).status === status) return headers
  }
  throw new Error(`no query was answered ${status}`)
}

it('a query whose signature is not right uses up no nonce of the merchant', async () => {
  const request: Request = { ...at('POST close'), params: { transaction_no: await place(demo) } }
  const { headers } = await signedRequest(demo, request)
  const forged = { ...headers, 'x-acopay-sign': `${'A'.repeat(342)}==` }
  expect((await use(forged, at('GET trade'), request.params)).status).toBe(1002)
  expect((await use(headers, request, request.params)).data.code).toBe('SUCCESS')
})

it('a query is not answered where its nonce cannot be stored', async () => {
  const { pool } = gateway.database
  const params = { transaction_no: await place(demo) }
  const { headers } = await signedRequest(demo, { ...at('GET trade'), params })
  await pool.query('alter table nonce add constraint no_more check (false) not valid')
  const refused = await use(headers, at('GET trade'), params)
  await pool.query('alter table nonce drop constraint no_more')
  expect(said(refused)).toBe('1500 SYSTEM_ERROR signed 系统繁忙，请用原单号重试')
})

it('of queries of one merchant at once each nonce is stored, also one that several have', async () => {
  const params = { transaction_no: await place(demo) }
  const all = await Promise.all(Array.from({ length: 60 }, () => signedRequest(demo, { ...at('GET trade'), params })))
  const twice = [...all, ...all.slice(0, 20)]
  const answers = await Promise.all(
    twice.map(({ headers }, index) => use(headers, at('GET trade'), params, index % 2 === 0 ? demo : elsewhere)),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const nonces = all.map(({ headers }) => headers['x-acopay-nonce'])
  const stored = await gateway.database.pool.query('select from nonce where nonce = any ($1)', [nonces])
  expect(stored.rowCount).toBe(60)
})
