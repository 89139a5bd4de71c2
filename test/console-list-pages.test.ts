/** The console's lists in a real browser: where one stands in them, and what can be done from there. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from './support/browser.ts'
import { addUser, PASSWORD } from './support/console.ts'
import { place, type TestGateway, testGateway } from './support/gateway.ts'

let gateway: TestGateway
let browser: Browser
beforeAll(async () => {
  gateway = await testGateway()
  browser = await openBrowser()
  await addUser(gateway, 'an-operator', 'operator')
  await addUser(gateway, 'in-finance', 'finance')
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

/** A page that somebody signed in on, at this path of the console. */
async function signedInAt(username: string, path: string) {
  const opened = await openPage(browser)
  const { page } = opened
  await page.goto(`${gateway.demo.baseUrl}/console/${path}`)
  await page.getByLabel('用户名').fill(username)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: /登\s?录/ }).click()
  await page.locator('main.page').waitFor()
  return opened
}

const rows = (page: Page) => page.locator('table.rows tbody tr')

describe('a list of several pages', () => {
  it('is where it was after a look at an order, and at its beginning after a change of filters', async () => {
    const numbers: string[] = []
    for (let i = 0; i < 52; i += 1) numbers.unshift(await place(gateway.demo, { amount_total: '100.00' }))
    const [newest = '', oldest = ''] = [numbers[0], numbers.at(-1)]
    const { page, problems, close } = await signedInAt('an-operator', 'orders?state=NOTPAY')
    await page.getByRole('link', { name: newest }).waitFor()
    await page.getByRole('button', { name: '下一页' }).click()
    await page.getByRole('link', { name: oldest }).click()
    await page.getByRole('button', { name: '关闭订单' }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: oldest }).waitFor()
    expect(await rows(page).count()).toBe(2)
    await page.getByRole('button', { name: '上一页' }).click()
    await page.getByRole('link', { name: newest }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: oldest }).waitFor()
    // The menu's link has no filters: the list begins with the newest again.
    await page.getByRole('navigation').getByRole('link', { name: '订单' }).click()
    await page.getByRole('link', { name: newest }).waitFor()
    expect(await page.getByRole('button', { name: '上一页' }).isDisabled()).toBe(true)
    expect(problems()).toEqual([])
    await close()
  })

  it('takes amounts as people type them', async () => {
    const { page, close } = await signedInAt('an-operator', 'orders')
    await page.getByLabel('金额至少').fill('99.5')
    await page.getByLabel('金额至多').fill('100')
    await page.getByRole('button', { name: '查询' }).click()
    await page.waitForURL(/amount_min=99.5&amount_max=100/)
    await page.getByText('¥100.00').first().waitFor()
    await close()
  })
})
