/** The official, unmodified web SDK in a shop's frame, paid through the host script in the shell around it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Shop, startShop } from '../examples/shop/shop.ts'
import { accessibility, openBrowser, openPage } from './support/browser.ts'
import { close, type TestGateway, testGateway } from './support/gateway.ts'

let gateway: TestGateway
let browser: Browser
let shop: Shop
beforeAll(async () => {
  gateway = await testGateway()
  browser = await openBrowser()
  shop = await startShop(gateway.demo)
})
afterAll(async () => {
  await browser.close()
  await shop.stop()
  await gateway.stop()
})

const inShop = (page: Page) => page.frameLocator('iframe[title^="演示商店"]')
const inCashier = (page: Page) => page.frameLocator('iframe[title^="收银台"]')
const says = (page: Page, text: string | RegExp): Promise<void> => inShop(page).getByText(text).waitFor()

async function buying() {
  const opened = await openPage(browser)
  await opened.page.goto(shop.shellUrl)
  await inShop(opened.page).getByRole('button', { name: '购买' }).click()
  await inCashier(opened.page).getByText('¥12.50').waitFor()
  return opened
}

const latest = async (): Promise<{ order: string; state: string }> =>
  (
    await gateway.database.pool.query(
      'select transaction_no as order, state from orders order by created_at desc limit 1',
    )
  ).rows[0]

describe('a page that uses the official web SDK', () => {
  it('is paid: the shop signs, the payer pays in the cashier, the page hears of it and so does the shop', async () => {
    const { page, problems, close: done } = await buying()
    await inCashier(page).getByRole('button', { name: '微信支付' }).click()
    await inCashier(page).getByRole('button', { name: '沙箱付款（模拟付款人）' }).click()
    await says(page, '已付款，商店已收到通知')
    expect(await page.locator('dialog').count()).toBe(0)
    expect((await latest()).state).toBe('SUCCESS')
    expect(problems()).toEqual([])
    await done()
  })

  it('hears that the payer went away, and the order is as it was', async () => {
    const { page, close: done } = await buying()
    await page.getByRole('button', { name: '关闭收银台 Close the cashier' }).click()
    await says(page, /PAYER_LEFT/)
    expect((await latest()).state).toBe('NOTPAY')
    await done()
  })

  it('hears that the merchant closed the order while the cashier was open', async () => {
    const { page, close: done } = await buying()
    await close(gateway.demo, (await latest()).order)
    await says(page, /ORDER_CLOSED/)
    await done()
  })

  it('hears why an order was refused, in the words of the gateway', async () => {
    const { page, close: done } = await openPage(browser)
    await page.route('**/orders', (route) =>
      route.fulfill({
        json: { mch_no: gateway.demo.mchNo, amount_total: 12.5, sign: 'x', nonce: 'x', sign_type: 'x' },
      }),
    )
    await page.goto(shop.shellUrl)
    await inShop(page).getByRole('button', { name: '购买' }).click()
    await says(page, /SIGN_ERROR|PARAM_ERROR/)
    await done()
  })

  it('is answered one payment at a time', async () => {
    const { page, close: done } = await buying()
    const frame = page.frame({ url: `${shop.shopUrl}/` })
    const second = await frame?.evaluate('window.edger.payment.pay({}).then(() => "paid", ({ error }) => error.code)')
    expect(second).toBe('PAYMENT_UNDER_WAY')
    await done()
  })

  it('may ask again at once after a final answer: the new cashier takes the place of the old one', async () => {
    const { page, close: done } = await buying()
    const first = (await latest()).order
    await close(gateway.demo, first)
    await says(page, /ORDER_CLOSED/)
    const frame = page.frame({ url: `${shop.shopUrl}/` })
    // The old cashier still covers the shop's own button.
    await frame?.evaluate('document.querySelector("button").click()')
    await inCashier(page).getByRole('button', { name: '微信支付' }).click()
    await inCashier(page).getByRole('button', { name: '沙箱付款（模拟付款人）' }).click()
    await says(page, '已付款，商店已收到通知')
    expect((await latest()).order).not.toBe(first)
    expect(await page.locator('dialog').count()).toBe(0)
    await done()
  })

  it.each<[string, (route: Route) => Promise<void>]>([
    ['the gateway is down', (route) => route.abort('connectionrefused')],
    [
      'its shell is not in ACOPAY_SHELL_ORIGINS',
      async (route) => {
        const response = await route.fetch()
        const headers = { ...response.headers(), 'content-security-policy': "frame-ancestors 'self'" }
        await route.fulfill({ response, headers })
      },
    ],
  ])('hears within a quarter of a minute that %s, and so does the payer', async (_what, refuse) => {
    const { page, close: done } = await openPage(browser)
    await page.clock.install()
    await page.route('**/cashier/pay', refuse)
    await page.goto(shop.shellUrl)
    const before = await latest()
    await inShop(page).getByRole('button', { name: '购买' }).click()
    await page.locator('dialog iframe').waitFor()
    await page.clock.fastForward(15_000)
    await says(page, /CASHIER_UNREACHABLE/)
    await page.getByRole('alert').getByText('暂时无法打开收银台，没有扣款，请稍后再试。').waitFor()
    expect(await accessibility(page)).toEqual([])
    expect(await latest()).toEqual(before)
    await page.getByRole('button', { name: '关闭 Close', exact: true }).click()
    expect(await page.locator('dialog').count()).toBe(0)
    await page.unroute('**/cashier/pay')
    await inShop(page).getByRole('button', { name: '购买' }).click()
    await inCashier(page).getByText('¥12.50').waitFor()
    await done()
  })
})

describe('a page of another origin', () => {
  it('is told that it is not allowed, and nothing opens', async () => {
    const shell = `<iframe src="${shop.shopUrl}" title="演示商店"></iframe>
      <script src="${gateway.demo.baseUrl}/cashier/host.js" data-origins="https://another-site.example"></script>`
    const server = createServer((_request, response) =>
      response.setHeader('content-type', 'text/html; charset=utf-8').end(shell),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { page, close: done } = await openPage(browser)
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await inShop(page).getByRole('button', { name: '购买' }).click()
    await says(page, /ORIGIN_NOT_ALLOWED/)
    expect(await page.locator('dialog').count()).toBe(0)
    await done()
    server.close()
  })
})
