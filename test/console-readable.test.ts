/** Every page of the console in a real browser: wide and narrow, light and dark, it can be read and used by everybody. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibility, DESKTOP, overflow, PHONE } from './support/browser.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { openAttempt, pay, place } from './support/gateway.ts'
import { SIZE } from './support/size.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
})
afterAll(() => pages.close())

/** Each colour and each size once; `npm run test:long` looks at all four. */
const LOOKS = [
  ['light', DESKTOP],
  ['dark', PHONE],
  ['dark', DESKTOP],
  ['light', PHONE],
] as const

describe.each(LOOKS.slice(0, SIZE.looks))('everybody can read and use, %s, %o,', (colorScheme, size) => {
  let opened: Awaited<ReturnType<ConsolePages['signedInAt']>>
  let number: string
  beforeAll(async () => {
    const { demo } = pages.gateway
    number = await place(demo)
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    opened = await pages.signedInAt('platform-admin', 'orders', { ...size, colorScheme })
  })
  afterAll(() => opened.close())

  it.each([
    ...['overview', 'refunds', 'reversals', 'notifications?state=DEAD', 'bills', 'reconciliations', 'merchants'],
    ...[
      'merchants/MCH_NO',
      'explorer',
      'refund-requests',
      'platform-keys',
      'orders',
      'orders/MCH_NO/ORDER_NO',
      'users',
      'audit',
      'account',
    ],
    'sandbox?mch_no=MCH_NO&transaction_no=ORDER_NO',
  ])('the page %s', async (path) => {
    const { demo } = pages.gateway
    const { page, problems } = opened
    await page.goto(`${demo.baseUrl}/console/${path.replace('MCH_NO', demo.mchNo).replace('ORDER_NO', number)}`)
    await page.locator('main.page h1').waitFor()
    await page.waitForLoadState('networkidle')
    expect(await accessibility(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    expect(problems()).toEqual([])
  })
})
