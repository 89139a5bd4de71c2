/** What the tutorials have their readers write and run. The developer's takes the package's sources in place of the packed SDK. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { channelAccount } from '../apps/server/src/commands/channel-account.ts'
import { FROM_SOURCE } from './support/from-source.ts'
import { call, close, orderParams, type TestGateway, testGateway } from './support/gateway.ts'
import { rsaKeys } from './support/keys.ts'
import { testStart } from './support/manual-clock.ts'
import { spawnNode } from './support/process.ts'
import { type Production, productionGateway } from './support/production.ts'
import { isLong } from './support/size.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const read = (name: string): string => readFileSync(path.join(ROOT, 'docs/tutorials', name), 'utf8')
const NAMES = ['hear.mjs', 'place.mjs', 'close.mjs']

describe.runIf(isLong)("the developer's tutorial", () => {
  const page = read('developer.md')
  let gateway: TestGateway
  let shop: string
  let server: ChildProcess & { output: () => string }

  beforeAll(async () => {
    gateway = await testGateway()
    shop = mkdtempSync(path.join(tmpdir(), 'acopay-shop-'))
    mkdirSync(path.join(shop, 'node_modules/@acopay'), { recursive: true })
    symlinkSync(path.join(ROOT, 'packages/sdk'), path.join(shop, 'node_modules/@acopay/sdk'))
    writeFileSync(path.join(shop, 'settings.json'), JSON.stringify(gateway.demo))
    const port = await freePort()
    const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code)
    for (const [index, name] of NAMES.entries()) {
      writeFileSync(path.join(shop, name), (blocks[index] ?? '').replaceAll('9000', String(port)))
    }
    server = run('hear.mjs')
    await Promise.race([once(server.stdout ?? server, 'data'), once(server, 'close')])
    expect(server.output()).toContain('listening on port')
  })

  afterAll(async () => {
    server?.kill()
    await gateway?.stop()
    if (shop !== undefined) rmSync(shop, { recursive: true })
  })

  const run = (name: string, ...args: string[]) => spawnNode([...FROM_SOURCE, path.join(shop, name), ...args], {}, shop)

  async function printed(name: string, ...args: string[]): Promise<string> {
    const child = run(name, ...args)
    await once(child, 'close')
    return child.output()
  }

  async function placed(): Promise<{ transactionNo: string; order: string }> {
    const output = await printed('place.mjs')
    expect(output).toMatch(/^placed AP\d{36}\npay at http\S+\n$/)
    const transactionNo = /AP\d{36}/.exec(output)?.[0] ?? ''
    const { baseUrl, mchNo } = gateway.demo
    return { transactionNo, order: `${baseUrl}/sandbox/${mchNo}/orders/${transactionNo}` }
  }

  const post = async (url: string) => (await (await fetch(url, { method: 'POST' })).json()) as Record<string, string>

  it('has three files', () => {
    const named = [...page.matchAll(/`(\w+\.mjs)`/g)].map(([, name]) => name)
    expect([...new Set(named)]).toEqual(NAMES)
  })

  it('places an order, is told that it is paid, and learns so from a close', async () => {
    const { transactionNo, order } = await placed()
    const { attempt_no } = await post(`${order}/attempts?channel=alipay`)
    expect(await post(`${order}/attempts/${attempt_no}/pay`)).toMatchObject({ order: 'SUCCESS', amount_total: '12.50' })
    await expect.poll(() => server.output()).toMatch(/^paid [0-9a-f]{37} 12.50$/m)
    expect(await printed('close.mjs', transactionNo)).toBe('paid\n')
  })

  it('closes an order whose code can then not be paid', async () => {
    const { transactionNo, order } = await placed()
    const { attempt_no } = await post(`${order}/attempts?channel=wechat`)
    expect(await printed('close.mjs', transactionNo)).toBe('closed\n')
    expect(await post(`${order}/attempts/${attempt_no}/pay`)).toEqual({ error: 'UPSTREAM_CLOSED' })
    await post(`${order}/attempts/${attempt_no}/pay-anyway`)
    const taken = async () => (await fetch(`${gateway.demo.baseUrl}/sandbox/upstreams/wechat/taken`)).json()
    await expect.poll(taken).toContainEqual({ attempt_no, taken_fen: 1250, returned_fen: 1250 })
    expect(await printed('close.mjs', transactionNo)).toBe('closed\n')
  })
})

describe.runIf(isLong)("the operator's tutorial", () => {
  const page = read('operator.md')
  let production: Production
  beforeAll(async () => {
    production = await productionGateway(testStart())
  })
  afterAll(async () => production?.stop())

  it('has an account that leads nowhere, by which an order gets stuck, and statements that find it', async () => {
    const { config, database, demo, gateway } = production
    const key = rsaKeys('a merchant of WeChat Pay').privateKey.export({ format: 'der', type: 'pkcs8' })
    const account = /<<JSON\n([\s\S]*?)\nJSON\n/.exec(page)?.[1]?.replace('$(cat wechat.key)', key.toString('base64'))
    const file = path.join(config.home, 'wechat.json')
    writeFileSync(file, account ?? '')
    const masterKey = config.masterKeys[0]?.toString('base64')
    const env = { DATABASE_URL: database.connectionString, ACOPAY_HOME: config.home, ACOPAY_MASTER_KEY: masterKey }
    await channelAccount.run([demo.mchNo, 'wechat', file], { env, defaultHome: config.home, say: () => {} })

    const { data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
    const { pathname } = new URL(data.cashier_url ?? '')
    const way = { method: 'POST', body: JSON.stringify({ channel: 'wechat', method: 'native' }) }
    const opened = await fetch(`${gateway.url}${pathname}/attempts`, way)
    expect(await opened.json()).toMatchObject({ pay_url: null })
    const closed = await close(demo, data.transaction_no ?? '')
    expect(page).toContain(`\n${closed.data.description} `)

    const statements = [...page.matchAll(/^\$ psql "\$DATABASE_URL" -c "(.*)"$/gm)].map(([, sql = '']) => sql)
    const [stuck, attempts] = await Promise.all(statements.map(async (sql) => (await database.pool.query(sql)).rows))
    expect(stuck).toMatchObject([{ transaction_no: data.transaction_no, close_reason: 'MERCHANT' }])
    expect(attempts).toMatchObject([{ state: 'OPENING', last_answer: 'query: unknown: fetch failed' }])
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
