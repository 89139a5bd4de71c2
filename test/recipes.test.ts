/** examples/recipes and `npm create acopay`, each copied out of the repository, installed, and run against a gateway. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from './support/browser.ts'
import { call, openAttempt, pay, query, type TestGateway, testGateway } from './support/gateway.ts'
import { pack } from './support/packed.ts'
import {
  createdShop,
  installed,
  installedRecipe,
  type RunningShop,
  recipes,
  runningShop,
  type Toolbox,
} from './support/recipes.ts'
import { SIZE } from './support/size.ts'

const { here, toolbox, missing } = recipes(SIZE.recipes)
for (const why of missing) it.skip(why, () => {})

/** Installing waits for the registry; building Next takes a processor for half a minute. */
const PATIENCE_MS = 900_000

describe.skipIf(toolbox === null)('a shop', () => {
  const tools = toolbox as Toolbox
  let gateway: TestGateway
  let browser: Browser
  let dir: string
  let sdk: string

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'acopay-recipes-'))
    sdk = (await pack('packages/sdk', dir)).file
    gateway = await testGateway()
    browser = await openBrowser()
  }, PATIENCE_MS)

  afterAll(async () => {
    await browser?.close()
    await gateway?.stop()
    if (dir !== undefined) await rm(dir, { recursive: true })
  }, PATIENCE_MS)

  const stateOf = async (number: string): Promise<string | null | undefined> => {
    const asked = { method: 'GET', path: 'trade', params: { mch_trade_no: number } } as const
    return (await call(gateway.demo, asked)).data.code
  }

  /** Places an order in the shop; answers its number and the platform's. */
  async function placed(shop: RunningShop): Promise<{ number: string; transactionNo: string }> {
    const { httpStatus, answer } = await shop.ask('POST', '/orders')
    expect([httpStatus, answer], shop.output()).toEqual([
      201,
      { number: expect.any(String), cashierUrl: expect.any(String) },
    ])
    const { number, cashierUrl } = answer as { number: string; cashierUrl: string }
    return { number, transactionNo: /AP\d+/.exec(cashierUrl)?.[0] ?? '' }
  }

  const paid = async (transactionNo: string): Promise<boolean> =>
    pay(gateway.demo, transactionNo, (await openAttempt(gateway.demo, transactionNo)) ?? '')

  it.concurrent.for(here)(
    'made with %s delivers once, refuses what is not proven, says FAIL when it failed, and closes',
    {
      timeout: PATIENCE_MS,
    },
    async (name, { expect }) => {
      const folder = await installedRecipe(tools, name, sdk)
      const copies = await twentyCopies()
      const shop = await runningShop(tools, folder, { demo: gateway.demo, notifyBase: copies.url })
      copies.goTo(`${shop.url}/acopay/notify`)
      try {
        expect(await shop.ask('GET', '/orders/nosuchorder')).toMatchObject({ httpStatus: 404 })
        const { number, transactionNo } = await placed(shop)
        const order = async (): Promise<unknown> => (await shop.ask('GET', `/orders/${number}`)).answer
        expect(await order()).toEqual({ order: { number, amount: '12.50', state: 'open', parcels: 0 } })

        expect(await paid(transactionNo)).toBe(true)
        await expect.poll(() => copies.heard.length, { message: shop.output() }).toBe(20)
        const body = copies.bodies[0] ?? ''
        expect(new Set(copies.heard)).toEqual(new Set(['200 SUCCESS']))
        expect(await order()).toEqual({ order: { number, amount: '12.50', state: 'paid', parcels: 1 } })
        expect((await shop.ask('POST', `/orders/${number}/close`)).answer).toEqual({ outcome: 'paid' })

        expect(await copies.say(body.replace('"amount_total":"12.50"', '"amount_total":"0.01"'))).toBe('401 FAIL')
        expect(await copies.say('{}')).toMatch(/^40[01] FAIL$/)
        expect(await copies.say(`"${'x'.repeat(64 * 1024)}"`)).toBe('413 FAIL')

        await shop.sql(`delete from acopay_event; update orders set amount = '1.00' where number = '${number}'`)
        expect(await copies.say(body)).toBe('500 FAIL')
        expect(await shop.sql('select * from acopay_event')).toEqual([])
        await shop.sql("update orders set amount = '12.50'")
        expect(await copies.say(body)).toBe('200 SUCCESS')

        const other = await placed(shop)
        expect((await shop.ask('POST', `/orders/${other.number}/close`)).answer).toEqual({ outcome: 'closed' })
        expect(await stateOf(other.number)).toBe('CLOSED')
        expect((await shop.ask('POST', `/orders/${other.number}/close`)).answer).toEqual({ outcome: 'closed' })

        const late = await placed(shop)
        await shop.sql(`update orders set closes_at = '2020-01-01T00:00:00.000Z' where number = '${late.number}'`)
        await expect.poll(() => stateOf(late.number)).toBe('CLOSED')
      } finally {
        await shop.stop()
        await copies.stop()
        await rm(folder, { recursive: true })
      }
    },
  )

  it('made by npm create acopay shows the payment, closes the order when the payer leaves, and answers 502 when it is refused', {
    timeout: PATIENCE_MS,
  }, async () => {
    const folder = path.join(dir, 'tea')
    await createdShop(tools, dir, [folder, '--yes', '--thing', "一壶 'Tea'", '--price', '8.00', '--sdk', sdk])
    await installed(tools, folder, null)
    const shop = await runningShop(tools, folder, { demo: gateway.demo })
    const { page, problems, close } = await openPage(browser)
    try {
      const buy = async (): Promise<string> => {
        await page.goto(shop.url)
        await page.getByRole('heading', { name: "一壶 'Tea'" }).waitFor()
        await page.getByText('¥8.00').waitFor()
        await page.getByRole('button', { name: '购买 Buy' }).click()
        const href = await page.getByRole('link', { name: '去付款 Pay' }).getAttribute('href')
        return /AP\d+/.exec(href ?? '')?.[0] ?? ''
      }
      const first = await buy()
      expect(await paid(first)).toBe(true)
      await page.getByText('已付款，谢谢 paid, thank you').waitFor()

      const second = await buy()
      expect((await query(gateway.demo, second)).data.code).toBe('NOTPAY')
      await page.goto('about:blank')
      await expect.poll(async () => (await query(gateway.demo, second)).data.code).toBe('CLOSED')
      const states = 'select state from orders order by number'
      await expect.poll(() => shop.sql(states)).toEqual([{ state: 'paid' }, { state: 'closed' }])
      expect(await paid(second)).toBe(false)
      expect(problems()).toEqual([])
    } finally {
      await close()
      await shop.stop()
    }
    const stranger = await runningShop(tools, folder, { demo: { ...gateway.demo, appNo: 'APP9' } })
    const refused = await stranger.ask('POST', '/orders').finally(stranger.stop)
    expect(refused).toEqual({ httpStatus: 502, answer: { error: '请稍后再试 try again later' } })
  })
})

/** The address that the gateway notifies: the first notification goes on to the shop twenty times at once. */
async function twentyCopies() {
  const bodies: string[] = []
  const heard: string[] = []
  let target = ''
  const say = async (body: string): Promise<string> => {
    const response = await fetch(target, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const text = await response.text()
    return `${response.status} ${/"status":\s*"(\w+)"/.exec(text)?.[1] ?? text}`
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    bodies.push(body)
    if (bodies.length === 1) heard.push(...(await Promise.all(Array.from({ length: 20 }, () => say(body)))))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"SUCCESS","message":"成功"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    heard,
    say,
    goTo: (url: string): void => {
      target = url
    },
    stop: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
