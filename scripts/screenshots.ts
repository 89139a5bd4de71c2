/**
 * `npm run screenshots`: a picture of every page, phone and desktop, light and dark, below screenshots/; and those that the documents show,
 * below docs/pictures/. `npm run screenshots -- docs` takes only these.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import type { ConsoleUsers } from '../apps/server/src/sandbox/users.ts'
import { DESKTOP, openPage, PHONE } from '../test/support/browser.ts'
import { openAttempt, pay, place } from '../test/support/merchant.ts'
import { inSandbox, makeOrders, signIn } from './pictures/sandbox.ts'

const IN_DOCS = path.join(import.meta.dirname, '..', 'docs', 'pictures')
const OUT = path.join(import.meta.dirname, '..', 'screenshots')

async function main(): Promise<void> {
  mkdirSync(OUT, { recursive: true })
  await inSandbox(async ({ browser, demo, admin }) => {
    if (process.argv[2] !== 'docs') await shootAll(browser, demo, admin)
    // Last, because it moves the clock.
    await shootForDocs(browser, demo, admin)
    console.log(IN_DOCS)
  })
}

async function shootAll(browser: Browser, demo: DemoSettings, admin: Visit['admin']): Promise<void> {
  const made = await makeOrders(demo)
  for (const [size, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, problems, close: done } = await openPage(browser, { ...options, colorScheme })
      const shoot = async (name: string): Promise<void> => {
        await page.waitForTimeout(400)
        await page.screenshot({ path: path.join(OUT, `${name}-${size}-${colorScheme}.png`), fullPage: true })
      }
      for (const [name, url] of Object.entries(made.cashiers)) {
        await page.goto(url)
        await shoot(`cashier-${name}`)
      }
      await shootConsole({ page, shoot, demo, admin, orders: made.orders })
      for (const problem of problems()) console.error(`${size} ${colorScheme}: ${problem}`)
      await done()
      console.log(`${size} ${colorScheme}`)
    }
  }
  console.log(OUT)
}

type Visit = {
  page: Page
  shoot: (name: string) => Promise<void>
  demo: DemoSettings
  admin: ConsoleUsers['users'][number] | undefined
  /** Order numbers, by the name that their pictures have. */
  orders: Record<string, string>
}

/** The pictures of docs/sandbox.md: the clock after the night, and what the comparison found in the morning. */
async function shootForDocs(browser: Browser, demo: DemoSettings, admin: Visit['admin']): Promise<void> {
  mkdirSync(IN_DOCS, { recursive: true })
  const returned = await place(demo)
  const code = (await openAttempt(demo, returned)) ?? ''
  await pay(demo, returned, code)
  await pay(demo, returned, code, 'give-back')
  const { page, close: done } = await openPage(browser, { viewport: { width: 1200, height: 620 } })
  await signIn(page, { demo, admin }, 'sandbox')
  const clock = page.getByRole('region', { name: '沙箱的时钟' })
  await clock.getByRole('button', { name: /次日/ }).click()
  await page.getByText('沙箱时间现在是').waitFor()
  await page.getByText('沙箱时间现在是').waitFor({ state: 'hidden' })
  await page.evaluate('scrollTo(0, 0)')
  await page.screenshot({ path: path.join(IN_DOCS, 'sandbox-clock.png') })
  await page.goto(`${demo.baseUrl}/console/reconciliations/differences`)
  await page.getByRole('row').nth(1).waitFor()
  await page.screenshot({ path: path.join(IN_DOCS, 'sandbox-difference.png') })
  await done()
}

/** Signs in, and takes a picture of every page of the console. */
async function shootConsole({ page, shoot, demo, admin, orders }: Visit): Promise<void> {
  await page.goto(`${demo.baseUrl}/console/orders`)
  await page.getByLabel('用户名').fill(admin?.username ?? '')
  await shoot('console-sign-in')
  await signIn(page, { demo, admin }, 'orders')
  const listed = await page.locator('nav.nav a').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''))
  const pages = listed.map((href) => href.replace('/console/', '')).filter((name) => name !== 'sandbox')
  for (const where of [
    ...pages,
    // Reached from other pages.
    'reconciliations/differences',
    'reconciliations/unmatched-payments',
    'jobs',
    `merchants/${demo.mchNo}`,
    `sandbox?mch_no=${demo.mchNo}&transaction_no=${orders.late}`,
    ...Object.values(orders).map((order) => `orders/${demo.mchNo}/${order}`),
  ]) {
    await page.goto(`${demo.baseUrl}/console/${where}`)
    await page.locator('main.page h1').waitFor()
    await shoot(`console-${pictureName(where, orders)}`)
  }
}

/** `order-late` for an order's page, `merchant` for a merchant's, the page's own name for all others. */
function pictureName(where: string, orders: Record<string, string>): string {
  const [name = '', list] = where.split(/[/?]/)
  const found = name === 'orders' ? Object.entries(orders).find(([, order]) => where.endsWith(order)) : undefined
  if (found !== undefined) return `order-${found[0]}`
  if (name === 'merchants' && list !== undefined) return 'merchant'
  return name === 'reconciliations' && list !== undefined ? list : name
}

await main()
