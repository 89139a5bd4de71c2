/** The console's pages in a real browser, against a gateway that runs by itself. */
import { readFileSync } from 'node:fs'
import { addMerchant } from '@acopay/store'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConsoleUsers } from '../apps/server/src/sandbox-users.ts'
import { accessibility, DESKTOP, openBrowser, openPage, overflow, PHONE } from './support/browser.ts'
import { addUser, PASSWORD } from './support/console.ts'
import { openAttempt, pay, place, query, type TestGateway, testGateway } from './support/gateway.ts'

let gateway: TestGateway
let browser: Browser
/** By name: those that the sandbox made, and one of another merchant. */
const passwords: Record<string, string> = { 'other-viewer': PASSWORD }
beforeAll(async () => {
  gateway = await testGateway()
  browser = await openBrowser()
  const { users } = JSON.parse(readFileSync(gateway.gateway.consoleFile ?? '', 'utf8')) as ConsoleUsers
  for (const { username, password } of users) passwords[username] = password
  await addMerchant(gateway.database.pool, { mchNo: 'MCH2', name: '别家商户' }, new Date())
  await addUser(gateway, 'other-viewer', 'merchant_viewer', { mchNo: 'MCH2' })
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

/** A page that somebody signed in on, at this path of the console. */
async function signedInAt(username: string, path: string, options: Parameters<typeof openPage>[1] = {}) {
  const opened = await openPage(browser, options)
  const { page } = opened
  await page.goto(`${gateway.demo.baseUrl}/console/${path}`)
  await page.getByLabel('用户名').fill(username)
  await page.getByLabel('密码').fill(passwords[username] ?? '')
  await page.getByRole('button', { name: /登\s?录/ }).click()
  await page.locator('main.page').waitFor()
  return opened
}

const heading = (page: Page, text: string): Promise<void> => page.locator('h1').filter({ hasText: text }).waitFor()

describe('an operator', () => {
  it('signs in, finds the order by its number, closes it after a question, and sees its timeline', async () => {
    const { demo } = gateway
    const number = await place(demo, { description: '一箱苹果' })
    await openAttempt(demo, number)
    const { page, problems, close } = await signedInAt('operator', 'orders')
    await page.getByLabel('任意单号').fill(number)
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByRole('link', { name: number }).click()
    await heading(page, '一箱苹果')
    await page.getByRole('button', { name: '关闭订单' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '关闭订单' }).click()
    await heading(page, '已关闭')
    for (const text of ['要求关闭', '支付码全部关闭', '运营关闭']) await page.getByText(text).first().waitFor()
    expect(await page.getByRole('img', { name: /状态图.*未支付.*关单中.*已关闭/ }).count()).toBe(1)
    // What the table does not allow any more is not offered.
    expect(await page.getByRole('button', { name: '关闭订单' }).count()).toBe(0)
    expect((await query(demo, number)).data.code).toBe('CLOSED')
    await page.getByRole('button', { name: '关单凭证' }).click()
    await page.getByText('此后不能再被支付').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it('refunds a paid order, and sees it done', async () => {
    const { demo } = gateway
    const number = await place(demo)
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const { page, problems, close } = await signedInAt('operator', `orders/${demo.mchNo}/${number}`)
    await page.getByRole('button', { name: /^退\s?款$/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('金额').fill('2.50')
    await dialog.getByLabel('原因').fill('少发一件')
    await dialog.getByRole('button', { name: /^退\s?款$/ }).click()
    await heading(page, '有退款')
    await page.getByText('¥10.00').waitFor()
    expect(problems()).toEqual([])
    await close()
  })
})

describe("a merchant's viewer", () => {
  it("is shown 403 on another merchant's order, and its own without buttons", async () => {
    const { demo } = gateway
    const number = await place(demo, { description: '自家的订单' })
    const other = await signedInAt('other-viewer', `orders/${demo.mchNo}/${number}`)
    await other.page.getByText('您无权查看其他商户的数据').waitFor()
    expect(await other.page.content()).not.toContain('自家的订单')
    await other.close()
    const own = await signedInAt('merchant-viewer', `orders/${demo.mchNo}/${number}`)
    await heading(own.page, '自家的订单')
    expect(await own.page.getByRole('button', { name: '关闭订单' }).count()).toBe(0)
    expect(own.problems()).toEqual([])
    await own.close()
  })
})

describe('the sandbox page', () => {
  it('plays a late payment with one click, and shows its money going back', async () => {
    const { page, problems, close } = await signedInAt('merchant-admin', 'sandbox')
    await page.getByRole('button', { name: '关单之后到账，自动退回' }).click()
    const story = page.getByRole('region', { name: '测试订单' })
    await story.getByRole('heading', { name: '已关闭' }).waitFor()
    // The job that sends it back runs by itself.
    await story.getByRole('region', { name: '自动退回' }).getByText('已完成').waitFor()
    await story.getByRole('region', { name: '支付码' }).getByText('¥1.00').nth(1).waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it('closes and pays at once, and whoever wins, the story is told', async () => {
    const { page, close } = await signedInAt('operator', 'sandbox')
    await page.getByRole('button', { name: /^下\s?单$/ }).click()
    const story = page.getByRole('region', { name: '测试订单' })
    await story.getByRole('button', { name: '打开支付码 微信支付' }).click()
    await story.getByRole('button', { name: '关单同时付款' }).click()
    await page.getByText('同时关单与付款').waitFor()
    await close()
  })
})

describe('the API explorer', () => {
  it('places an order and closes it, signed in the browser, and the answers verify', async () => {
    const { page, problems, close } = await signedInAt('merchant-admin', 'explorer')
    await page.getByRole('button', { name: '签名并发送' }).click()
    await page.getByText('应答的签名正确').waitFor()
    const answer = JSON.parse((await page.getByLabel('应答', { exact: true }).last().textContent()) ?? '')
    const number = answer.data.transaction_no
    expect((await query(gateway.demo, number)).data.code).toBe('NOTPAY')
    await page.getByLabel('接口').click()
    await page.getByText(/^关单 Close an order/).click()
    await page.getByLabel(/^transaction_no/).waitFor()
    expect(await page.getByLabel(/^transaction_no/).inputValue()).toBe(number)
    await page.getByRole('button', { name: '签名并发送' }).click()
    await page.getByText('"description": "关单成功"').waitFor()
    expect((await query(gateway.demo, number)).data.code).toBe('CLOSED')
    expect(problems()).toEqual([])
    await close()
  })
})

describe('every page', () => {
  it('asks who it is first, says what is wrong, and comes back to where one wanted to go', async () => {
    const { page, close } = await openPage(browser)
    await page.goto(`${gateway.demo.baseUrl}/console/audit`)
    await page.getByLabel('用户名').fill('finance')
    await page.getByLabel('密码').fill('not the password')
    await page.getByRole('button', { name: /登\s?录/ }).click()
    await page.getByText('用户名或密码不正确').waitFor()
    await page.getByLabel('密码').fill(passwords.finance ?? '')
    await page.getByRole('button', { name: /登\s?录/ }).click()
    await heading(page, '操作日志')
    await page.getByRole('button', { name: 'English' }).click()
    await heading(page, 'Audit log')
    await close()
  })

  it.each([
    ['light', DESKTOP],
    ['dark', DESKTOP],
    ['light', PHONE],
    ['dark', PHONE],
  ] as const)('can be read and used by everybody: %s, %o', async (colorScheme, size) => {
    const { demo } = gateway
    const number = await place(demo)
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const { page, problems, close } = await signedInAt('platform-admin', 'orders', { ...size, colorScheme })
    const sandbox = `sandbox?mch_no=${demo.mchNo}&transaction_no=${number}`
    const lists = [
      'overview',
      'refunds',
      'reversals',
      'notifications?state=DEAD',
      'bills',
      'reconciliations',
      'merchants',
      `merchants/${demo.mchNo}`,
    ]
    for (const path of [
      ...lists,
      'explorer',
      'orders',
      `orders/${demo.mchNo}/${number}`,
      'users',
      'audit',
      'account',
      sandbox,
    ]) {
      await page.goto(`${demo.baseUrl}/console/${path}`)
      await page.locator('main.page h1').waitFor()
      await page.waitForLoadState('networkidle')
      expect(await accessibility(page), path).toEqual([])
      expect(await overflow(page), path).toBeLessThanOrEqual(0)
    }
    expect(problems()).toEqual([])
    await close()
  })
})
