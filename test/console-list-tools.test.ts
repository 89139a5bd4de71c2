/** What stands above a list, in a real browser: ranges of time, columns, views, files, and the search box of the header. */
import './support/only-long.ts'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessibility, overflow } from './support/browser.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { place } from './support/gateway.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
})
afterAll(() => pages.close())

it('finance picks this month, hides a column, keeps the view, and saves the list as a file', async () => {
  const number = await place(pages.gateway.demo, { description: '一箱苹果' })
  const { page, problems, close } = await pages.signedInAt('finance', 'orders')
  await page.getByText('共 1', { exact: true }).waitFor()
  await page.getByLabel('时间范围').click()
  await page.getByText('本月', { exact: true }).click()
  await page.getByRole('button', { name: '查询' }).click()
  await page.waitForURL(/from=\d{4}-\d\d-01&until=/)
  await page.getByRole('link', { name: number }).waitFor()
  await page.locator('summary', { hasText: '列' }).click()
  await page.getByRole('checkbox', { name: '商品描述' }).uncheck()
  expect(await page.getByRole('columnheader', { name: '商品描述' }).count()).toBe(0)
  await page.locator('summary', { hasText: '视图' }).click()
  await page.getByLabel('视图名称').fill('本月的')
  await page.getByRole('button', { name: '保存当前视图' }).click()
  expect(await accessibility(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '清除条件' }).click()
  await page.waitForURL(/orders$/)
  await page.locator('summary', { hasText: '视图' }).click()
  await page.getByRole('button', { name: '本月的', exact: true }).click()
  await page.waitForURL(/from=\d{4}-\d\d-01&until=/)
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '导出 CSV' }).click(),
  ])
  expect(file.suggestedFilename()).toMatch(/^orders-.*\.csv$/)
  const [head, line, ...others] = readFileSync(await file.path(), 'utf8')
    .trimEnd()
    .split('\r\n')
  expect(head).toContain('平台订单号')
  expect([line, others]).toEqual([expect.stringContaining(number), []])
  expect(problems()).toEqual([])
  await close()
})

it('an operator finds an order by what its number begins with, on a phone too', async () => {
  const number = await place(pages.gateway.demo)
  const { page, problems, close } = await pages.signedInAt('operator', 'overview', {
    viewport: { width: 390, height: 800 },
    isMobile: true,
    hasTouch: true,
  })
  await page.getByRole('button', { name: '菜单' }).click()
  const box = page.getByRole('dialog').getByLabel('全局查找')
  await box.fill(number.slice(2, 22))
  await box.press('Enter')
  await page.waitForURL(/find\?text=/)
  await page.getByRole('link', { name: number }).waitFor()
  expect(await accessibility(page)).toEqual([])
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  await page.getByRole('link', { name: number }).click()
  await page.getByRole('button', { name: '关闭订单' }).waitFor()
  expect(problems()).toEqual([])
  await close()
})
