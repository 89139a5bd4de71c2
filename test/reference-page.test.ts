/** The reference of the API, as a browser shows it: every call, from this server alone. */
import './support/only-long.ts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessibility, openBrowser, openPage, overflow, PHONE } from './support/browser.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let browser: Awaited<ReturnType<typeof openBrowser>>
beforeAll(async () => {
  ;[gateway, browser] = await Promise.all([testWorld(), openBrowser()])
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

it('shows every call and notification, under the strict policy of its headers, and asks no other host', async () => {
  const { page, problems, close } = await openPage(browser)
  const hosts = new Set<string>()
  page.on('request', (request) => hosts.add(new URL(request.url()).host))
  const response = await page.goto(`${gateway.demo.baseUrl}/reference`)
  const policy = response?.headers()['content-security-policy'] ?? ''
  expect(policy).toContain("script-src 'self';")
  expect(policy).not.toContain('unsafe')
  for (const heading of ['下单 · Place an order', '关单 · Close an order', '支付通知 · Payment notification']) {
    await page.getByRole('heading', { name: heading }).first().waitFor()
  }
  await page.getByRole('heading', { name: '签名 · Signing' }).waitFor()
  await page.getByRole('heading', { name: '应答示例 Response' }).first().waitFor()
  expect([...hosts]).toEqual([new URL(gateway.demo.baseUrl).host])
  expect(problems()).toEqual([])
  await close()
})

it('is readable for everyone, and fits a phone', async () => {
  const { page, problems, close } = await openPage(browser, PHONE)
  await page.goto(`${gateway.demo.baseUrl}/reference`)
  await page.getByRole('heading', { name: '下单 · Place an order' }).first().waitFor()
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  // Redoc's headings skip a level.
  expect(await accessibility(page, ['heading-order'])).toEqual([])
  expect(problems()).toEqual([])
  await close()
})
