/** A body is read whatever its content type claims: for merchants, for both upstreams, and where nothing is (spec 1.1 and 4). */
import type { RawWebhook } from '@acopay/channels'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openAttempt, pay, place, query, readAnswer, signedRequest } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

/** Seen from real clients and proxies, and some that no client should send. */
const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json charset=utf-8',
  'application/json;charset=utf-8;',
  'application/json; charset="utf-8',
  'application/json,application/json',
  'application/x-www-form-urlencoded,text/html',
  'application/x-www-form-urlencoded; text/html; charset=GBK',
  'json',
  'text',
  '/',
  '*/*',
  ';',
  '=',
  '',
  'undefined',
  'application/js\u00f6n',
  `text/${'x'.repeat(4000)}`,
]

let test: TestWorld
let seen: RawWebhook | null = null
let isHeard = true
beforeAll(async () => {
  test = await testWorld({
    upstream: (real) => ({
      readWebhook: async (raw) => {
        seen = raw
        return isHeard ? real.readWebhook(raw) : { kind: 'forged', why: 'not yet' }
      },
    }),
  })
})
afterAll(() => test.stop())

const told = async (response: Response): Promise<string> => `${response.status} ${await response.text()}`

it('a call is answered under each', async () => {
  const wrong: string[] = []
  for (const type of TYPES) {
    const transaction_no = await place(test.demo)
    const { url, ...init } = await signedRequest(test.demo, {
      method: 'POST',
      path: 'close',
      params: { transaction_no },
    })
    const response = await fetch(url, { ...init, headers: { ...init.headers, 'content-type': type } })
    const answer = await readAnswer(test.demo, response)
    if (answer.data.code !== 'SUCCESS') wrong.push(`${type}: ${answer.httpStatus} ${answer.status} ${answer.message}`)
  }
  expect(wrong).toEqual([])
})

it.each([
  ['wechat', '200 {"code":"SUCCESS","message":"成功"}'],
  ['alipay', '200 success'],
] as const)("%s's notification is heard under each", async (channel, heard) => {
  const wrong: string[] = []
  for (const type of TYPES) {
    const order = await place(test.demo)
    const attemptNo = (await openAttempt(test.demo, order, channel)) ?? ''
    isHeard = false
    await pay(test.demo, order, attemptNo)
    isHeard = true
    const { headers, body } = seen as RawWebhook
    const signed = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('wechatpay-')))
    const url = `${test.demo.baseUrl}/notify/${channel}/${test.demo.mchNo}`
    const post = { method: 'POST', body: new Uint8Array(body), headers: { ...signed, 'content-type': type } }
    const said = await told(await fetch(url, post as RequestInit))
    const { code } = (await query(test.demo, order)).data
    if (said !== heard || code !== 'SUCCESS') wrong.push(`${type}: ${said}, ${code}`)
  }
  expect(wrong).toEqual([])
})

it('a path that does not exist and a wrong method are answered so under each', async () => {
  const wrong: string[] = []
  for (const type of TYPES) {
    const send = (path: string, method: string) =>
      fetch(test.demo.baseUrl + path, { method, body: '{}', headers: { 'content-type': type } }).then(
        ({ status }) => status,
      )
    const statuses = [await send('/no/such/path', 'POST'), await send('/pay/v1/transactions/close', 'PUT')]
    if (statuses.join() !== '404,405') wrong.push(`${type}: ${statuses}`)
  }
  expect(wrong).toEqual([])
})
