/** What a payer sees and hears: the way back, the receipt, the last minutes, and every state in every look. */
import './support/only-long.ts'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibility, DESKTOP, openBrowser, openPage, overflow } from './support/browser.ts'
import { PHASES, showAs } from './support/cashier-states.ts'
import { addUser, signedIn } from './support/console.ts'
import { call, close, openAttempt, orderParams, pay } from './support/merchant.ts'
import { isLong, SIZE } from './support/size.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const NARROW = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true }
const SHOP = 'https://shop.example.com/orders?from=pay'

let gateway: TestWorld
let browser: Browser
beforeAll(async () => {
  gateway = await testWorld()
  await addUser(gateway, 'boss', 'platform_admin')
  const admin = await signedIn(gateway, 'boss')
  const { mchNo, appNo } = gateway.demo
  const logo = PNG.sync.write(new PNG({ width: 40, height: 40 })).toString('base64')
  const shop = { return_url: SHOP, brand_color: '#ffcc00', logo }
  expect((await admin.send('PUT', `merchants/${mchNo}/apps/${appNo}`, shop)).status).toBe(200)
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

const placed = async (): Promise<{ order: string; url: string }> => {
  const { data } = await call(gateway.demo, { method: 'POST', path: 'trade', params: orderParams(gateway.demo) })
  return { order: data.transaction_no ?? '', url: data.cashier_url ?? '' }
}
const english = (page: Page): Promise<void> => page.getByRole('button', { name: 'English' }).click()
const focused = (page: Page): Promise<string> => page.evaluate('document.activeElement?.textContent ?? ""')

describe('a payer', () => {
  it('goes back to the shop from an order that has ended, with its number and state, and from no other', async () => {
    const { order, url } = await placed()
    const { page, close: done } = await openPage(browser)
    const ways: [string, string | null][] = []
    for (const phase of PHASES) {
      await showAs(page, url, { phase })
      const back = page.getByRole('link', { name: '返回商户 shop.example.com' })
      ways.push([phase, (await back.count()) === 0 ? null : await back.getAttribute('href')])
    }
    const address = (phase: string): string => `${SHOP}&transaction_no=${order}&state=${phase}`
    expect(ways).toEqual(PHASES.map((phase) => [phase, ['open', 'closing'].includes(phase) ? null : address(phase)]))
    await done()
  })

  it('sees the shop’s picture and colour, from our origin, and the text on the colour can be read', async () => {
    const { url } = await placed()
    const { page, problems, close: done } = await openPage(browser)
    await showAs(page, url, { phase: 'closed' })
    const picture = page.locator('#logo')
    await picture.waitFor()
    expect(await picture.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth)).toBe(40)
    const colors = await page.getByRole('link', { name: /返回商户/ }).evaluate((one) => {
      const style = (
        globalThis as unknown as { getComputedStyle: (of: unknown) => Record<string, string> }
      ).getComputedStyle(one)
      return [style.backgroundColor, style.color]
    })
    expect(colors).toEqual(['rgb(255, 204, 0)', 'rgb(0, 0, 0)'])
    // The page's own aborted calls apart, nothing was asked of another server.
    expect(problems().filter((problem) => problem.startsWith('asked for'))).toEqual([])
    await done()
  })

  it('with the keyboard finds the result under the focus when the way to pay is gone, then the way back', async () => {
    const { order, url } = await placed()
    const { page, close: done } = await openPage(browser)
    await page.goto(url)
    const wechat = page.getByRole('button', { name: '微信支付' })
    await wechat.focus()
    await page.keyboard.press('Enter')
    await page.locator('.qr').waitFor()
    await close(gateway.demo, order)
    gateway.advance(1000)
    await page.getByRole('heading', { name: '订单已关闭' }).waitFor()
    await expect.poll(() => focused(page)).toBe('订单已关闭')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('返回商户 shop.example.com')
    await done()
  })

  it('who has the focus elsewhere keeps it', async () => {
    const { order, url } = await placed()
    const { page, close: done } = await openPage(browser)
    await page.goto(url)
    await page.getByRole('button', { name: 'English' }).focus()
    await close(gateway.demo, order)
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
    await page.getByRole('heading', { name: '订单已关闭' }).waitFor()
    expect(await focused(page)).toBe('English')
    await done()
  })

  it('hears of the last five minutes and of the last one, once each; the clock itself is silent', async () => {
    const { url } = await placed()
    const { page, close: done } = await openPage(browser)
    await page.clock.install()
    const now = Date.now()
    const at = (ms: number): string => new Date(now + ms).toISOString()
    await showAs(page, url, { phase: 'open', now: at(0), expires_at: at(301_000) })
    const [clock, spoken] = [page.getByRole('timer'), page.locator('#spoken')]
    expect(await spoken.textContent()).toBe('')
    expect(await clock.getAttribute('aria-live')).toBeNull()
    await page.clock.runFor(3000)
    expect(await spoken.textContent()).toBe('还剩不到 5 分钟，请尽快付款。')
    expect(await clock.textContent()).toMatch(/^还剩 04:5\d，请尽快付款$/)
    await page.clock.runFor(240_000)
    expect(await spoken.textContent()).toBe('还剩不到 1 分钟，请尽快付款。')
    await done()
  })

  it('copies the order’s number, and is told so', async () => {
    const { order, url } = await placed()
    const { page, close: done } = await openPage(browser, {
      ...DESKTOP,
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await page.goto(url)
    await page.getByRole('button', { name: '复制 订单号' }).click()
    await page.locator('#spoken').filter({ hasText: '已复制' }).waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(order)
    await done()
  })

  it('keeps a receipt of what was paid, and can print it without the buttons', async () => {
    const { order, url } = await placed()
    await pay(gateway.demo, order, (await openAttempt(gateway.demo, order)) ?? '')
    const { page, problems, close: done } = await openPage(browser, NARROW)
    await page.goto(url)
    await page.getByRole('link', { name: '查看付款凭据' }).click()
    await page.getByRole('heading', { name: '付款凭据' }).waitFor()
    const text = await page.locator('#facts').innerText()
    for (const part of ['演示商户 Demo', '测试订单', '¥12.50', '微信支付', order]) expect(text).toContain(part)
    expect(await accessibility(page)).toEqual([])
    await page.emulateMedia({ media: 'print' })
    expect(await page.getByRole('button').count()).toBe(0)
    await page.emulateMedia({ media: 'screen' })
    await english(page)
    await page.getByRole('heading', { name: 'Receipt' }).waitFor()
    await page.getByRole('link', { name: 'Back to the order' }).click()
    await page.getByRole('heading', { name: 'Paid' }).waitFor()
    expect(problems()).toEqual([])
    await done()
  })
})

const LOOKS = [
  ['light', NARROW],
  ['dark', DESKTOP],
  ['dark', NARROW],
  ['light', DESKTOP],
] as const

/** Each theme and each size once, one in each language; `npm run test:long` looks at all four in both. */
describe.each(
  LOOKS.slice(0, SIZE.looks).map(([theme, size], index) => {
    const one = index === 0 ? ['中文'] : ['English']
    return { theme, size, languages: isLong ? ['中文', 'English'] : one }
  }),
)(
  'everybody can read and use every state, $theme, $size.viewport.width px, $languages',
  ({ theme, size, languages }) => {
    it('and what is about it: the last minutes, lost links, no receipt', async () => {
      const { url } = await placed()
      const { page, close: done } = await openPage(browser, { ...size, colorScheme: theme })
      const wrong: string[] = []
      const look = async (what: string): Promise<void> => {
        for (const problem of await accessibility(page)) wrong.push(`${what}: ${problem}`)
        if ((await overflow(page)) > 0) wrong.push(`${what}: overflows`)
      }
      const soon = (ms: number) => ({
        now: new Date().toISOString(),
        expires_at: new Date(Date.now() + ms).toISOString(),
      })
      const states = [
        ...PHASES.map((phase) => ({ phase })),
        { phase: 'open', ...soon(200_000) },
        { phase: 'open', ...soon(30_000) },
      ]
      for (const language of languages) {
        for (const state of states) {
          await showAs(page, url, state)
          // The button of the other language; the choice stays.
          const button = page.getByRole('button', { name: language, exact: true })
          if ((await button.count()) > 0) await button.click()
          await look(`${state.phase}, ${language}`)
        }
        await page.unrouteAll()
        await page.goto(`${url}/receipt`)
        await look(`no receipt, ${language}`)
      }
      for (const lost of [`${url}x`, url.slice(0, -5), `${url.slice(0, -2)}%EF%BC%A1`, url.replace(/.$/, '_')]) {
        await page.goto(lost)
        await look('a lost link')
      }
      expect(wrong).toEqual([])
      await done()
    })
  },
)
