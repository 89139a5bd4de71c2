/** nginx and Caddy with the files of deploy/proxies, for real: in front of a gateway, and of a server that only writes down what reaches it. */
import './support/only-long.ts'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FROM_SOURCE } from './support/from-source.ts'
import { openAttempt, orderParams, place, type Request, readAnswer, signedRequest } from './support/merchant.ts'
import { spawnNode } from './support/process.ts'
import {
  type Ask,
  ask,
  begin,
  type ProxyName,
  type ProxyUnderTest,
  proxyProgram,
  startProxy,
} from './support/proxies.ts'
import { SIZE } from './support/size.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const TOKEN = 'a-token-of-the-tests'
const KIB_64 = 64 * 1024
/** The gateway lets this many requests of one address through at once; its clock stands still. */
const AT_ONCE = 2 * 20

const CLI = path.resolve(import.meta.dirname, '../apps/cli/src/main.ts')

for (const name of ['nginx', 'caddy'] as const) {
  describe.runIf(proxyProgram(name) !== null)(name, () => {
    describe('in front of a gateway', () => inFrontOfAGateway(name))
    describe('passes on', () => inFrontOfAScribe(name))
  })
}

function inFrontOfAGateway(name: ProxyName): void {
  let gateway: TestWorld
  let proxy: ProxyUnderTest
  beforeAll(async () => {
    const env = { ACOPAY_TRUSTED_PROXIES: '1', ACOPAY_RATE_PER_ADDRESS: '20', ACOPAY_METRICS_TOKEN: TOKEN }
    gateway = await testWorld({ env, publicUrl: 'https://localhost' })
    proxy = await startProxy(name, [new URL(gateway.demo.baseUrl).host])
  })
  afterAll(async () => {
    await proxy?.stop()
    await gateway?.stop()
  })

  /** A call of the merchant's, through the proxy. */
  const call = async (request: Request, more: Partial<Ask> = {}) => {
    const { url, ...init } = await signedRequest(gateway.demo, request)
    const told = await ask(proxy, { path: url.pathname + url.search, ...init, ...more } as Ask)
    return readAnswer(gateway.demo, new Response(told.text, { status: told.status }))
  }

  it("the README's session passes, over TLS", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'acopay-session-'))
    const settings = path.join(folder, 'demo.json')
    writeFileSync(settings, JSON.stringify({ ...gateway.demo, baseUrl: proxy.url }))
    const acopay = async (...args: string[]): Promise<string> => {
      const env = { ACOPAY_CONFIG: settings, NODE_EXTRA_CA_CERTS: proxy.caFile }
      const child = spawnNode([...FROM_SOURCE, CLI, ...args], env)
      await once(child, 'close')
      return child.output()
    }
    const placed = await acopay('order', 'place', '--amount', '12.50', '--description', '测试订单')
    expect(placed).toContain('下单成功 order placed')
    expect(placed).toContain('https://localhost/cashier/')
    const order = ['--transaction-no', /AP\d{36}/.exec(placed)?.[0] ?? '']
    expect(await acopay('order', 'close', ...order)).toContain('关单成功 closed; it is never paid')
    expect(await acopay('order', 'query', ...order)).toContain('已关闭 CLOSED')
    rmSync(folder, { recursive: true })
    gateway.advance(60_000)
  })

  it('an order that a payer has open is closed, and the answer verifies', async () => {
    const order = await place(gateway.demo)
    await openAttempt(gateway.demo, order)
    const answer = await call({ method: 'POST', path: 'close', params: { transaction_no: order } })
    expect([answer.status, answer.data.code, answer.isSigned]).toEqual([200, 'SUCCESS', true])
  })

  it("the rate limit counts the caller's own address, whatever the caller says it is", async () => {
    gateway.advance(60_000)
    let claimed = 0
    const asked = async (from: string): Promise<number> => {
      claimed += 1
      const address = `203.0.113.${claimed}`
      const headers = {
        'x-forwarded-for': claimed % 2 === 0 ? address : `${address}, 198.51.100.${claimed}`,
        forwarded: `for=${address}`,
        'x-real-ip': address,
      }
      return (await ask(proxy, { path: '/healthz', from, headers })).status
    }
    const statuses = []
    for (let n = 0; n < AT_ONCE + 3; n += 1) statuses.push(await asked('127.0.0.2'))
    expect(statuses).toEqual([...Array(AT_ONCE).fill(200), 429, 429, 429])
    expect(await asked('127.0.0.3')).toBe(200)
  })

  it('a merchant that may call from one address only may call from there, and says in vain that it is there', async () => {
    const { pool } = gateway.database
    await pool.query("update merchant set allowed_ips = '{127.0.0.9}' where mch_no = $1", [gateway.demo.mchNo])
    gateway.advance(60_000)
    const query = { method: 'GET', path: 'bill', params: { bill_date: 'x' } } as const
    const claim = { 'x-forwarded-for': '127.0.0.9' }
    const refused = await call({ ...query, headers: claim }, { from: '127.0.0.8' })
    const served = await call(query, { from: '127.0.0.9' })
    expect([refused.status, served.status]).toEqual([expect.any(Number), 1001])
    expect(refused.status).not.toBe(1001)
    await pool.query("update merchant set allowed_ips = '{}' where mch_no = $1", [gateway.demo.mchNo])
    gateway.advance(60_000)
  })

  it('a body of 64 KiB reaches the gateway, and one byte more is refused', async () => {
    const posted = (length: number) =>
      ask(proxy, { path: '/pay/v1/transactions/close', method: 'POST', body: Buffer.alloc(length, '{') })
    const taken = await posted(KIB_64)
    expect([taken.status, JSON.parse(taken.text).status]).toEqual([200, expect.any(Number)])
    expect((await posted(KIB_64 + 1)).status).toBe(413)
  })

  it('what is for the inside is not there outside: metrics and readiness', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    expect((await fetch(`${gateway.demo.baseUrl}/metrics`, { headers })).status).toBe(200)
    for (const place of ['/metrics', '/metrics?x', '/%6Detrics', '//metrics', '/readyz']) {
      expect((await ask(proxy, { path: place, headers })).status, place).toBe(404)
    }
    expect((await ask(proxy, { path: '/healthz' })).status).toBe(200)
  })

  it('the console is there for the addresses that are named, and for no other', async () => {
    expect((await ask(proxy, { path: '/console/api/session' })).status).toBe(200)
    for (const place of ['/console/', '/console/api/session', '/%63onsole/api/session', '/x/../console/api/session']) {
      expect((await ask(proxy, { path: place, from: '127.0.0.2' })).status, place).toBe(404)
    }
  })

  it('an open cashier page hears of the order while it is open', async () => {
    const { demo } = gateway
    const placed = await call({ method: 'POST', path: 'trade', params: orderParams(demo) })
    const { pathname } = new URL(placed.data.cashier_url ?? '')
    const stream = await begin(proxy, { path: `${pathname}/events` })
    expect([stream.statusCode, stream.headers['cache-control']]).toEqual([200, 'no-store'])
    const [first] = await once(stream.setEncoding('utf8'), 'data')
    expect(first).toContain('retry: 2000')
    stream.destroy()
  })

  it('the links of orders, which are permissions, are not in its log', async () => {
    const { demo } = gateway
    const placed = await call({ method: 'POST', path: 'trade', params: orderParams(demo) })
    const { pathname } = new URL(placed.data.cashier_url ?? '')
    await ask(proxy, { path: pathname })
    await expect.poll(() => proxy.logged()).toContain('/cashier/…"')
    expect(proxy.logged()).not.toContain(pathname.split('/').at(-1))
  })

  it('HTTP/2 is spoken, and who comes without TLS is sent to it with the same method', async () => {
    const session = connectHttp2(`https://127.0.0.1:${proxy.port}`, {
      ca: readFileSync(proxy.caFile),
      servername: 'localhost',
    })
    const stream = session.request({ ':path': '/healthz', ':authority': 'localhost' })
    const [headers] = await once(stream, 'response')
    expect(headers[':status']).toBe(200)
    session.destroy()
    const plain = `http://localhost:${proxy.plainPort}/pay/v1/transactions/close`
    const sent = await fetch(plain, { method: 'POST', redirect: 'manual' })
    expect([sent.status, sent.headers.get('location')]).toEqual([308, expect.stringContaining('https://localhost')])
  })
}

type Written = { method: string; url: string; headers: IncomingHttpHeaders; body: () => Buffer }

function inFrontOfAScribe(name: ProxyName): void {
  const written: Written[] = []
  const sockets = new Set<Socket>()
  let proxy: ProxyUnderTest
  /** Two gateways, so that there is another one to send a call to. */
  const servers = ['127.0.0.1', '127.0.0.2'].map((host) => ({ host, server: createServer(answerTo) }))
  async function answerTo(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    // The proxy's own question.
    if (url === '/healthz') return void answer.end()
    sockets.add(request.socket)
    const chunks: Buffer[] = []
    const call = { method, url, headers, body: () => Buffer.concat(chunks) }
    written.push(call)
    if (url === '/cut') return void answer.destroy()
    for await (const chunk of request) chunks.push(chunk)
    if (url === '/slow') await pause(SIZE.slowAnswerSeconds * 1000)
    answer.setHeader('cache-control', 'no-store').end(`answer ${written.length}`)
  }
  beforeAll(async () => {
    let port = 0
    for (const { host, server } of servers) {
      server.listen(port, host)
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
    }
    proxy = await startProxy(
      name,
      servers.map(({ host }) => `${host}:${port}`),
    )
  })
  afterAll(async () => {
    await proxy?.stop()
    for (const { server } of servers) {
      server.closeAllConnections()
      server.close()
    }
  })

  it("an upstream's notification and a signed query byte for byte", async () => {
    const body = Buffer.from([0x7b, 0x00, 0xff, 0x0d, 0x0a, 0xe5, 0x85, 0xb3, 0x20])
    const headers = { 'wechatpay-signature': 'a+b/c==', 'content-type': 'application/json; charset=utf-8' }
    await ask(proxy, { path: '/notify/wechat/MCH1?a=%2F&b=+&c=%e5', method: 'POST', headers, body })
    await ask(proxy, { path: '/pay/v1/transactions/trade?mch_trade_no=%E5%8D%95%2B1&x=' })
    const [told, asked] = written.slice(-2)
    expect(told?.body()).toEqual(body)
    expect(told).toMatchObject({ method: 'POST', url: '/notify/wechat/MCH1?a=%2F&b=+&c=%e5', headers })
    expect(asked?.url).toBe('/pay/v1/transactions/trade?mch_trade_no=%E5%8D%95%2B1&x=')
  })

  it('its own word on where a caller is, and nothing of what the caller wrote there', async () => {
    const headers = {
      'x-forwarded-for': '203.0.113.1',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-host': 'elsewhere.example.com',
      forwarded: 'for=203.0.113.1',
    }
    await ask(proxy, { path: '/', from: '127.0.0.7', headers })
    const heard = written.at(-1)?.headers
    expect(heard).toMatchObject({ host: 'localhost', 'x-forwarded-for': '127.0.0.7', 'x-forwarded-proto': 'https' })
    expect(heard?.['x-forwarded-host']).toBe('localhost')
    expect(heard?.forwarded).toBeUndefined()
  })

  it('every question, and keeps no answer', async () => {
    const texts = [await ask(proxy, { path: '/same' }), await ask(proxy, { path: '/same' })].map(({ text }) => text)
    expect(new Set(texts).size).toBe(2)
  })

  it('a call once: one whose connection was cut is not sent again', async () => {
    const before = written.length
    expect((await ask(proxy, { path: '/cut', method: 'POST', body: '{}' })).status).toBe(502)
    expect(written.length - before).toBe(1)
  })

  it('an answer that takes longer than any of the gateway', async () => {
    expect((await ask(proxy, { path: '/slow', method: 'POST', body: '{}' })).status).toBe(200)
  })

  it('one after the other over the connections that it has', async () => {
    sockets.clear()
    for (let n = 0; n < 8; n += 1) await ask(proxy, { path: '/' })
    expect(sockets.size).toBeLessThanOrEqual(2)
  })
}
