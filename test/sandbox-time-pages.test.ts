/** The finance day of docs/sandbox.md, in a browser: the clock is moved with the mouse, and its pages show what has happened. */
import './support/only-long.ts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPage } from './support/browser.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { call, openAttempt, orderParams, pay } from './support/gateway.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
})
afterAll(() => pages.close())

async function placed(more = {}): Promise<{ number: string; cashier: string }> {
  const { demo } = pages.gateway
  const { data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo, more) })
  return { number: data.transaction_no ?? '', cashier: data.cashier_url ?? '' }
}

const bandOf = `getComputedStyle(document.body, '::before').content`

it('bill, a planted difference, expiry and a day of notifications, with two clicks', async () => {
  const { demo } = pages.gateway
  const open = await placed()
  const untold = await placed({ notify_url: `${demo.baseUrl}/sandbox/shop/fail` })
  await pay(demo, untold.number, (await openAttempt(demo, untold.number)) ?? '')
  const payer = await openPage(pages.browser)
  await payer.page.goto(open.cashier)
  const { page, problems, close } = await pages.signedInAt('platform-admin', 'sandbox')

  // The payment that the upstream refunds by itself.
  await page.getByRole('button', { name: /^下\s?单$/ }).click()
  const story = page.getByRole('region', { name: '测试订单' })
  await story.getByRole('button', { name: '打开支付码 微信支付' }).click()
  await story.getByRole('button', { name: /^付\s?款$/ }).click()
  await story.getByRole('heading', { name: '支付成功' }).waitFor()
  await story.getByRole('button', { name: '上游自行退款' }).click()
  await page.getByText('网关从次日的对账得知').waitFor()

  const clock = page.getByRole('region', { name: '沙箱的时钟' })
  await clock.getByRole('button', { name: '次日 10:30（账单已出）' }).click()
  await page.getByText('沙箱时间现在是').waitFor({ timeout: 120_000 })
  await expect.poll(() => page.evaluate(bandOf), { timeout: 60_000 }).toMatch(/时钟已快进.*clock moved ahead by/)
  await payer.page.getByText('订单已过期').waitFor()
  await expect.poll(() => payer.page.evaluate(bandOf), { timeout: 60_000 }).toContain('时钟已快进')

  await page.goto(`${demo.baseUrl}/console/bills`)
  await page.getByRole('row', { name: demo.mchNo }).first().waitFor()
  await page.goto(`${demo.baseUrl}/console/reconciliations/differences`)
  await page.getByRole('row', { name: /已入账的支付在上游被退回/ }).waitFor()
  await page.getByRole('button', { name: '标记为已处理' }).click()
  await page.getByRole('dialog').getByLabel('备注').fill('已与上游核实')
  await page.getByRole('dialog').getByRole('button', { name: '标记为已处理' }).click()
  await page.getByRole('row', { name: /已与上游核实/ }).waitFor()

  await page.goto(`${demo.baseUrl}/console/sandbox`)
  await clock.getByRole('button', { name: /^1 天$/ }).click()
  await page.getByText('沙箱时间现在是').waitFor({ timeout: 120_000 })
  await page.goto(`${demo.baseUrl}/console/notifications?transaction_no=${untold.number}`)
  await page.getByRole('row', { name: /死信/ }).waitFor()

  // Never back, and the refusal says why.
  await page.goto(`${demo.baseUrl}/console/sandbox`)
  await clock.getByLabel('快进到').fill('2020-01-01T00:00')
  await clock.getByRole('button', { name: /^快\s?进$/ }).click()
  await page.getByText('沙箱的时钟只能向前').waitFor()
  expect(problems().filter((problem) => !problem.includes('400'))).toEqual([])
  expect(payer.problems()).toEqual([])
  await Promise.all([close(), payer.close()])
}, 300_000)
