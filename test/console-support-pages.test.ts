/** The pages of support and of figures in a real browser. */
import './support/only-long.ts'
import { writeFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibility, overflow, PHONE } from './support/browser.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { close, openAttempt, pay, place } from './support/merchant.ts'

let console_: ConsolePages
let late = ''
let open = ''
const M = 'MCH1000000'

beforeAll(async () => {
  console_ = await openConsole()
  const { demo } = console_.gateway
  late = await place(demo)
  const code = (await openAttempt(demo, late)) ?? ''
  await close(demo, late)
  await pay(demo, late, code, 'pay-anyway')
  const paid = await place(demo)
  await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')
  open = await place(demo)
})
afterAll(() => console_.close())

const SHOTS = process.env.SHOTS
async function look(page: Page, name: string): Promise<void> {
  if (SHOTS) writeFileSync(`${SHOTS}/${name}.png`, await page.screenshot({ fullPage: true }))
}

describe('support', () => {
  it('reads in words what happened to a late payment, notes it, and has its evidence to download', async () => {
    const { page, problems, close } = await console_.signedInAt('operator', `orders/${M}/${late}`)
    const story = page.getByRole('region', { name: '经过' })
    await story.getByText('比关单晚').waitFor()
    await expect.poll(() => story.innerText(), { timeout: 20_000 }).toContain('已退回')
    await page.locator('h1').getByText('有款项退回').waitFor()
    await page.getByLabel('新备注').fill('付款人来电，已解释')
    await page.getByRole('button', { name: '添加备注' }).click()
    await page.getByRole('list', { name: '备注与标签' }).getByText('付款人来电，已解释').waitFor()
    await page.getByRole('combobox', { name: '标签' }).fill('投诉')
    await page.keyboard.press('Enter')
    await page.locator('.ant-select').getByText('投诉').waitFor()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '下载凭证' }).click(),
    ])
    expect(file.suggestedFilename()).toBe(`${late}.html`)
    expect(await accessibility(page)).toEqual([])
    await look(page, 'order')
    expect(problems()).toEqual([])
    await close()
  })

  it('finds the money that was sent back in a list of its own, also on a phone', async () => {
    const { page, problems, close } = await console_.signedInAt('operator', 'sent-back', PHONE)
    await page.getByRole('link', { name: late }).waitFor()
    await page.getByText('关单之后的付款').waitFor()
    expect(await overflow(page)).toBe(0)
    expect(await accessibility(page)).toEqual([])
    await look(page, 'sent-back-phone')
    expect(problems()).toEqual([])
    await close()
  })

  it('closes many orders after a preview that says what each would get', async () => {
    const { page, problems, close } = await console_.signedInAt('operator', 'bulk')
    await page.getByLabel(/^单号/).fill(`${open}\n${late}，AP404`)
    await page.getByRole('button', { name: '预览' }).click()
    await page.getByRole('cell', { name: '没有此单号' }).waitFor()
    expect(await page.getByRole('region', { name: '预览' }).getByRole('row').count()).toBe(4)
    await look(page, 'bulk')
    await page.getByRole('button', { name: '关闭订单 · 1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '关闭订单' }).click()
    await page.getByRole('region', { name: '结果' }).getByRole('row').nth(1).waitFor()
    expect(await page.getByRole('region', { name: '结果' }).innerText()).toContain(open)
    expect(await accessibility(page)).toEqual([])
    expect(problems()).toEqual([])
    await close()
  })
})

describe('the page of figures', () => {
  it('shows the totals, a picture and the same as a table and a file', async () => {
    const { page, problems, close } = await console_.signedInAt('finance', 'statistics')
    await page.getByRole('button', { name: '今日' }).click()
    const tile = page.locator('.tile', { hasText: '支付成功' }).first()
    await tile.waitFor()
    await page.getByRole('img', { name: '图表: 按时间' }).locator('svg').waitFor()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '导出 CSV' }).first().click(),
    ])
    expect(file.suggestedFilename()).toMatch(/^figures-by-time-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv$/)
    expect(await accessibility(page)).toEqual([])
    await look(page, 'statistics')
    expect(problems()).toEqual([])
    await close()
  })
})
