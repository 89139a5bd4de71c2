/** A merchant whom WeChat Pay gave no contract for telephones: what the payer sees instead. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ON_ANDROID, openBrowser, openPage } from './support/browser.ts'
import { call, close, orderParams, pay } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let browser: Browser
let test: TestWorld
beforeAll(async () => {
  test = await testWorld({
    upstream: (real, name) => ({
      open: async (ask, signal) =>
        name === 'wechat' && ask.method === 'h5' ? { kind: 'refused', why: 'NO_AUTH' } : real.open(ask, signal),
    }),
  })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await test.stop()
})

const placed = async (): Promise<{ order: string; url: string }> => {
  const { data } = await call(test.demo, { method: 'POST', path: 'trade', params: orderParams(test.demo) })
  return { order: data.transaction_no ?? '', url: data.cashier_url ?? '' }
}

const attemptsOf = async (order: string): Promise<{ attempt_no: string; method: string; state: string }[]> =>
  (
    await test.database.pool.query(
      'select attempt_no, method, state from attempt where transaction_no = $1 order by method',
      [order],
    )
  ).rows

it('on a telephone the payer is shown a code for another one, in words, and can pay it', async () => {
  const { order, url } = await placed()
  const { page, close: done } = await openPage(browser, ON_ANDROID)
  await page.goto(url)
  await page.getByRole('button', { name: '微信支付' }).click()
  await page.getByRole('img', { name: '微信支付付款二维码' }).waitFor()
  await page.getByText('在这部手机上暂时打不开微信支付。请用另一部手机').waitFor()
  const attempts = await attemptsOf(order)
  expect(attempts.map(({ method, state }) => [method, state])).toEqual([
    ['h5', 'SHUT'],
    ['native', 'OPEN'],
  ])
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByText('WeChat Pay cannot be opened on this telephone right now.').waitFor()
  await pay(test.demo, order, attempts[1]?.attempt_no ?? '')
  await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
  await page.getByText('Paid', { exact: true }).waitFor()
  await done()
})

it('an answer that comes after the order was closed brings no way to pay back', async () => {
  const { order, url } = await placed()
  const { page, close: done } = await openPage(browser, ON_ANDROID)
  const held = new Promise<() => Promise<void>>((resolve) => {
    void page.route('**/attempts', (route) => resolve(() => route.continue()))
  })
  await page.goto(url)
  await page.getByRole('button', { name: '微信支付' }).click()
  const goOn = await held
  await close(test.demo, order)
  const told = page.waitForResponse('**/state')
  const answered = page.waitForResponse('**/attempts')
  await goOn()
  expect((await answered).status()).toBe(409)
  await told
  await page.getByText('订单已关闭', { exact: true }).waitFor()
  expect(await page.getByRole('button', { name: /微信支付|重试/ }).count()).toBe(0)
  expect(await attemptsOf(order)).toEqual([])
  await done()
})
