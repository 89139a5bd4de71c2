/** Five things that support does every day, with the keyboard alone: no pointer is moved, and what has the focus can be seen. */
import './support/only-long.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPage } from './support/browser.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { openAttempt, pay, place } from './support/gateway.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
})
afterAll(() => pages.close())

/** More presses than any page has places to stop at. */
const STOPS_MAX = 120

type Focused = { name: string; role: string; isSeen: boolean }

/** What has the focus: its name for people, and whether something about it says that it has it. */
const focused = (page: Page): Promise<Focused> => page.evaluate<Focused>(FOCUSED)

/** Runs in the page. */
const FOCUSED = `(() => {
  const at = document.activeElement
  if (at === null || at === document.body) return { name: '', role: '', isSeen: true }
  const name = at.getAttribute('aria-label') ?? at.labels?.[0]?.innerText ?? at.innerText ?? ''
  const box = at.closest('.ant-input-affix-wrapper, .ant-select, .ant-picker') ?? at
  const isSeen = [box, at].some((one) => {
    const { outlineStyle, boxShadow } = getComputedStyle(one)
    return outlineStyle !== 'none' || boxShadow !== 'none'
  })
  return { name: name.replaceAll(/\\s+/g, ''), role: at.getAttribute('role') ?? at.tagName.toLowerCase(), isSeen }
})()`

/** Goes on with Tab until something of this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = []
  for (let stops = 0; stops < STOPS_MAX; stops += 1) {
    await page.keyboard.press('Tab')
    const at = await focused(page)
    if (!at.isSeen) throw new Error(`nothing shows that "${at.name}" (${at.role}) has the focus`)
    if (name.test(at.name)) return
    passed.push(at.name)
  }
  throw new Error(`Tab does not come to ${name}; it passes ${passed.join(' | ')}`)
}

const press = async (page: Page, name: RegExp): Promise<void> => {
  await tabTo(page, name)
  await page.keyboard.press('Enter')
}

/** By the search in the header, to the page of the order. */
async function find(page: Page, order: string): Promise<void> {
  await tabTo(page, /^全局查找$/)
  await page.keyboard.press('Control+A')
  await page.keyboard.type(order)
  await page.keyboard.press('Enter')
  await page.locator('main').getByRole('link', { name: order }).first().waitFor()
  await press(page, new RegExp(`^${order}$`))
  await page.waitForURL(new RegExp(`/orders/[^/]+/${order}$`))
  await page.locator('main.page h1').waitFor()
}

it('signing in, finding an order, closing it, refunding another, sending its notifications again, exporting a list', async () => {
  const { demo } = pages.gateway
  const open = await place(demo)
  const paid = await place(demo, { notify_url: `${demo.baseUrl}/sandbox/shop/ok` })
  await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')
  const { page, problems, close } = await openPage(pages.browser, { acceptDownloads: true })
  await page.goto(`${demo.baseUrl}/console/`)
  await page.getByLabel('用户名').waitFor()

  await tabTo(page, /^用户名$/)
  await page.keyboard.type('operator')
  await tabTo(page, /^密码$/)
  await page.keyboard.type(pages.passwords.operator ?? '')
  await page.keyboard.press('Enter')
  await page.locator('main.page').waitFor()

  // The first stop leads past the menu to the page.
  await page.reload()
  await page.locator('main.page h1').waitFor()
  await page.keyboard.press('Tab')
  expect((await focused(page)).name).toBe('跳到正文')
  await page.keyboard.press('Enter')
  expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN')
  await page.reload()
  await page.locator('main.page h1').waitFor()

  await find(page, open)
  await press(page, /^关闭订单$/)
  await page.getByRole('dialog').waitFor()
  await press(page, /^关闭订单$/)
  await page.getByText('已关闭').first().waitFor()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })

  await page.reload()
  await page.locator('main.page h1').waitFor()
  await find(page, paid)
  await press(page, /^退款$/)
  await page.getByRole('dialog').waitFor()
  await tabTo(page, /^原因$/)
  await page.keyboard.type('少发一件')
  await press(page, /^退款$/)
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.getByText('有退款').first().waitFor()

  await press(page, /^重发通知$/)
  await page.getByRole('dialog').waitFor()
  await press(page, /^重发通知$/)
  await page
    .getByText(/^已安排重发：/)
    .first()
    .waitFor()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })

  await page.reload()
  await page.locator('main.page h1').waitFor()
  await press(page, /^订单$/)
  await page.getByRole('heading', { name: '订单', exact: true }).waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, /^导出CSV$/)])
  expect(file.suggestedFilename()).toMatch(/^orders.*\.csv$/)

  expect(problems()).toEqual([])
  await close()
}, 300_000)
