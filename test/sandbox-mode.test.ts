/** A sandbox says that it is one in every answer, and nothing else does. What its pages show is in the tests of pages. */
import { timeText } from '@acopay/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildServer, NO_EXTRA_ROUTES } from '../apps/server/src/http/server.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { orderParams, place, query, signedRequest } from './support/merchant.ts'
import { wrongRows } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(async () => {
  // It would wait for them for a minute: their answers were not read.
  gateway.app.server.closeAllConnections()
  await gateway.stop()
})

/** Answers of every kind: signed and refused, of pages, files and streams, of no path, and of what is no request for one. */
async function asked(base: string): Promise<[name: string, response: Response][]> {
  const number = await place(gateway.demo)
  const demo = { ...gateway.demo, baseUrl: base }
  const { url: cashier } = await linkOf()
  const link = cashier.replace(gateway.demo.baseUrl, base)
  const { url, ...init } = await signedRequest(demo, {
    method: 'GET',
    path: 'trade',
    params: { transaction_no: number },
  })
  const leaving = new AbortController()
  const answers: [string, Response][] = [
    ['a signed answer', await fetch(url, init)],
    ['a stranger', await fetch(`${base}/pay/v1/transactions/close`, { method: 'POST', body: '{}' })],
    ['another method', await fetch(`${base}/pay/v1/transactions/close`)],
    ['no such path', await fetch(`${base}/nothing`)],
    ['a path that cannot be read', await fetch(`${base}/cashier/%zz`)],
    [
      'a body that is too large',
      await fetch(`${base}/pay/v1/transactions/close`, { method: 'POST', body: 'x'.repeat(70_000) }),
    ],
    ['health', await fetch(`${base}/healthz`)],
    ['the description', await fetch(`${base}/openapi.json`)],
    ['the reference', await fetch(`${base}/reference`)],
    ['the cashier', await fetch(link)],
    ['its state', await fetch(`${link}/state`)],
    ['its events', await fetch(`${link}/events`, { signal: leaving.signal })],
    ['the console', await fetch(`${base}/console/`)],
    ['a call of the console', await fetch(`${base}/console/api/orders`)],
    ['a webhook', await fetch(`${base}/notify/wechat/${demo.mchNo}`, { method: 'POST', body: '{}' })],
  ]
  leaving.abort()
  return answers
}

async function linkOf(): Promise<{ url: string }> {
  const request = { method: 'POST', path: 'trade', params: orderParams(gateway.demo) } as const
  const { url, ...init } = await signedRequest(gateway.demo, request)
  const { data } = (await (await fetch(url, init)).json()) as { data: { cashier_url: string } }
  return { url: data.cashier_url }
}

it('in the sandbox every answer says so in a header', async () => {
  const answers = await asked(gateway.demo.baseUrl)
  expect(
    wrongRows(answers, ([name, { headers }]) => [name, headers.get('x-acopay-mode') ?? 'no header', 'sandbox']),
  ).toEqual([])
  const time = timeText(gateway.world.now())
  expect(
    wrongRows(answers, ([name, { headers }]) => [name, headers.get('x-acopay-sandbox-time') ?? 'no header', time]),
  ).toEqual([])
  expect(answers.map(([, { status }]) => status)).toContain(404)
  expect((await query(gateway.demo, await place(gateway.demo))).isSigned).toBe(true)
})

it('in production no answer has that header', async () => {
  const config = readConfig({ ACOPAY_MODE: 'production' }, '/nowhere')
  const app = buildServer({ ...gateway.world, isSandbox: false }, config, NO_EXTRA_ROUTES)
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const answers = await asked(base)
  await app.close()
  expect(
    wrongRows(answers, ([name, { headers }]) => [
      name,
      headers.get('x-acopay-mode') ?? headers.get('x-acopay-sandbox-time') ?? 'no header',
      'no header',
    ]),
  ).toEqual([])
})
