/** Every page of the console in a real browser: wide and narrow, light and dark, in both languages, it can be read and used by everybody. */
import './support/only-long.ts'
import { readFileSync } from 'node:fs'
import { keepUnmatchedPayment, writeReconciliation } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { accessibility, DESKTOP, overflow, PHONE } from './support/browser.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { openAttempt, pay, place } from './support/gateway.ts'
import { SIZE } from './support/size.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
  await writeDay(pages.gateway)
})
afterAll(() => pages.close())

const DAY = '2026-02-01'
const PATHS = `overview jobs refunds refund-requests reversals notifications bills bills/MCH_NO/${DAY} reconciliations
  reconciliations/differences reconciliations/unmatched-payments merchants merchants/MCH_NO explorer platform-keys alarms orders
  orders/MCH_NO/ORDER_NO users invitations invitation audit account sent-back statistics bulk find?q=1234567 no-such-page sandbox?mch_no=MCH_NO&transaction_no=ORDER_NO`.split(
  /\s+/,
)

it('every address of the console is looked at below', () => {
  const routes = readFileSync(new URL('../apps/console/src/routes.tsx', import.meta.url), 'utf8')
  const addresses = [...routes.matchAll(/page\('\/([^']+)'/g)].map(([, address = '']) =>
    address.replace('$mchNo', 'MCH_NO').replace('$transactionNo', 'ORDER_NO').replace('$billDay', DAY),
  )
  expect(PATHS.map((path) => path.split('?')[0])).toEqual(expect.arrayContaining(addresses))
  expect(addresses.length).toBeGreaterThan(20)
})

/** Rows for the lists of money, whose days a new sandbox has not lived. */
async function writeDay({ demo: { mchNo }, database: { pool } }: ConsolePages['gateway']): Promise<void> {
  const [now, nothing] = [new Date(), { lines: 0, fen: 0n }]
  const missing = { kind: 'PAYMENT_MISSING', refundNo: '', oursFen: 100n, theirsFen: null, isSettled: false } as const
  const differences = [{ ...missing, attemptNo: 'AT1', paymentNo: '1' }]
  const of = { mchNo, channel: 'alipay', day: DAY }
  await writeReconciliation(pool, of, { paid: nothing, refunded: nothing, differences }, now)
  const unmatched = { attemptNo: 'AT0', paymentNo: '4200', amountFen: 5n, currency: 'CNY', paidAt: now }
  await keepUnmatchedPayment(pool, { mchNo, channel: 'wechat', ...unmatched }, now)
  const bill = `insert into bill (mch_no, bill_day, lines, file_no, size_bytes, sha256, made_at)
    values ($1, $2, 1, 'forgotten', 9, $3, $4)`
  await pool.query(bill, [mchNo, DAY, 'ab'.repeat(32), now])
}

/** Each colour, size and language once in the first two; `npm run test:long` looks at all eight. */
const LOOKS = [
  ['light', 'zh', DESKTOP],
  ['dark', 'en', PHONE],
  ['dark', 'zh', DESKTOP],
  ['light', 'en', PHONE],
  ['light', 'en', DESKTOP],
  ['dark', 'zh', PHONE],
  ['dark', 'en', DESKTOP],
  ['light', 'zh', PHONE],
] as const

describe.each(LOOKS.slice(0, SIZE.looks))('everybody can read and use, %s, %s, %o,', (colorScheme, language, size) => {
  let opened: Awaited<ReturnType<ConsolePages['signedInAt']>>
  let number: string
  beforeAll(async () => {
    const { demo } = pages.gateway
    // Its notification cannot be delivered, and stays in the lists.
    number = await place(demo, { notify_url: 'http://127.0.0.1:9/' })
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const { pool } = pages.gateway.database
    await vi.waitFor(async () => expect((await pool.query('select 1 from notification')).rows).not.toEqual([]), 30_000)
    opened = await pages.signedInAt('platform-admin', 'orders', { ...size, colorScheme })
    await opened.page.evaluate(`localStorage.setItem('acopay.language', '${language}')`)
  })
  afterAll(() => opened.close())

  it.each(PATHS)('the page %s', async (path) => {
    const { demo } = pages.gateway
    const { page, problems } = opened
    await page.goto(`${demo.baseUrl}/console/${path.replace('MCH_NO', demo.mchNo).replace('ORDER_NO', number)}`)
    await page.locator('main h1').waitFor()
    await page.waitForLoadState('networkidle')
    expect(await accessibility(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    expect(problems()).toEqual([])
  })
})
