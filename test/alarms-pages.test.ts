/** The console's page of alarms, in a browser: a channel is added, tried, changed and removed. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AlarmReceiver, alarmReceiver } from './support/alarm-receivers.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'

const SECRET = 'SEC0123456789abcdef'

let pages: ConsolePages
let robot: AlarmReceiver
beforeAll(async () => {
  pages = await openConsole()
  robot = await alarmReceiver('dingtalk', SECRET, () => Date.now())
})
afterAll(async () => {
  await robot.stop()
  await pages.close()
})

it('an admin adds a channel, whose wrong field is marked, tries it, sees the answer, and removes it', async () => {
  const { page, problems, close } = await pages.signedInAt('platform-admin', 'alarms')
  await page.getByText('还没有告警渠道').waitFor()
  await page.getByRole('button', { name: '添加告警渠道' }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('种类').click()
  await page.getByTitle('钉钉').click()
  await form.getByLabel('名称').fill('值班群')
  await form.getByLabel('地址').fill('http://example.com/')
  await form.getByRole('button', { name: /^保\s?存$/ }).click()
  await form.getByText('“地址”应为https网址').waitFor()
  await form.getByLabel('地址').fill(robot.url)
  await form.getByLabel('签名密钥').fill(SECRET)
  await form.getByRole('button', { name: /^保\s?存$/ }).click()
  const row = page.getByRole('row').filter({ hasText: '值班群' })
  await row.getByText('钉钉').waitFor()
  expect(await row.textContent()).not.toContain('k-of-the-robot')

  await row.getByRole('button', { name: '发送测试' }).click()
  await page
    .getByRole('dialog')
    .getByText(/已送达：HTTP 200 .*"errcode":0/)
    .waitFor()
  expect(robot.heard[0]?.text).toContain('测试消息：告警会发到“值班群”')
  await page.keyboard.press('Escape')

  await row.getByRole('button', { name: /^删\s?除$/ }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^删\s?除$/ })
    .click()
  await page.getByText('还没有告警渠道').waitFor()
  // The refused address was answered 400, which the browser logs.
  expect(problems().filter((problem) => !problem.includes('400'))).toEqual([])
  await close()
})

it('an operator sees the channels and the alarms, and has no button', async () => {
  const { page, problems, close } = await pages.signedInAt('operator', 'alarms')
  await page.getByText('还没有告警渠道').waitFor()
  await page.getByRole('heading', { name: '告警记录' }).waitFor()
  expect(await page.getByRole('button', { name: '添加告警渠道' }).count()).toBe(0)
  expect(problems()).toEqual([])
  await close()
})
