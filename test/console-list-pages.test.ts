/** The console's lists in a real browser: their pages, and what a user does from there. */
import './support/only-long.ts'
import { keepUnmatchedPayment, writeReconciliation } from '@acopay/store'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibility, openBrowser, openPage, overflow, PHONE } from './support/browser.ts'
import { addUser, PASSWORD } from './support/console.ts'
import { openAttempt, pay, place, type TestGateway, testGateway } from './support/gateway.ts'

let gateway: TestGateway
let browser: Browser
beforeAll(async () => {
  gateway = await testGateway()
  browser = await openBrowser()
  await addUser(gateway, 'an-operator', 'operator')
  await addUser(gateway, 'in-finance', 'finance')
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

/** A page with a signed-in user, at this path of the console. */
async function signedInAt(username: string, path: string, size = {}) {
  const opened = await openPage(browser, size)
  const { page } = opened
  await page.goto(`${gateway.demo.baseUrl}/console/${path}`)
  await page.getByLabel('用户名').fill(username)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: /登\s?录/ }).click()
  await page.locator('main.page').waitFor()
  return opened
}

const rows = (page: Page) => page.locator('table.rows tbody tr')

describe('a list of several pages', () => {
  it('is where it was after a look at an order, and at its beginning after a change of filters', async () => {
    const numbers: string[] = []
    for (let i = 0; i < 52; i += 1) numbers.unshift(await place(gateway.demo, { amount_total: '100.00' }))
    const [newest = '', oldest = ''] = [numbers[0], numbers.at(-1)]
    const { page, problems, close } = await signedInAt('an-operator', 'orders?state=NOTPAY')
    await page.getByRole('link', { name: newest }).waitFor()
    await page.getByRole('button', { name: '下一页' }).click()
    await page.getByRole('link', { name: oldest }).click()
    await page.getByRole('button', { name: '关闭订单' }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: oldest }).waitFor()
    expect(await rows(page).count()).toBe(2)
    await page.getByRole('button', { name: '上一页' }).click()
    await page.getByRole('link', { name: newest }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: oldest }).waitFor()
    // The menu's link has no filters: the list begins with the newest again.
    await page.getByRole('navigation').getByRole('link', { name: '订单' }).click()
    await page.getByRole('link', { name: newest }).waitFor()
    expect(await page.getByRole('button', { name: '上一页' }).isDisabled()).toBe(true)
    expect(problems()).toEqual([])
    await close()
  })

  it('takes amounts as people type them', async () => {
    const { page, close } = await signedInAt('an-operator', 'orders')
    await page.getByLabel('金额至少').fill('99.5')
    await page.getByLabel('金额至多').fill('100')
    await page.getByRole('button', { name: '查询' }).click()
    await page.waitForURL(/amount_min=99.5&amount_max=100/)
    await page.getByText('¥100.00').first().waitFor()
    await close()
  })
})

describe('finance', () => {
  const DAY = '2026-02-01'
  beforeAll(async () => {
    const { demo, database } = gateway
    const { mchNo } = demo
    const now = new Date()
    const missing = { kind: 'PAYMENT_MISSING', refundNo: '', oursFen: 100n, theirsFen: null, isSettled: false } as const
    await writeReconciliation(
      database.pool,
      { mchNo, channel: 'alipay', day: DAY },
      {
        paid: { lines: 1, fen: 900n },
        refunded: { lines: 0, fen: 0n },
        differences: ['1', '2'].map((no) => ({ ...missing, attemptNo: `AT${no}`, paymentNo: no })),
      },
      now,
    )
    await keepUnmatchedPayment(
      database.pool,
      {
        mchNo,
        channel: 'wechat',
        attemptNo: 'AT0',
        paymentNo: '4200',
        amountFen: 5n,
        currency: 'CNY',
        paidAt: now,
      },
      now,
    )
    await database.pool.query(`update channel_account set created_at = '2026-01-01T00:00:00Z'`)
    const sql = `insert into bill (mch_no, bill_day, lines, file_no, size_bytes, sha256, made_at)
      values ($1, $2, 1, 'forgotten', 9, $3, $4)`
    await database.pool.query(sql, [mchNo, DAY, 'ab'.repeat(32), now])
  })

  it('compares a bill with the upstreams, goes to the differences of that day and settles one', async () => {
    const { mchNo } = gateway.demo
    const { page, problems, close } = await signedInAt('in-finance', `bills?mch_no=${mchNo}`)
    await page.getByText('ab'.repeat(32)).waitFor()
    await page.getByText('已超过保存期').waitFor()
    expect(await page.getByRole('button', { name: `下载 ${DAY}` }).count()).toBe(0)
    await page.getByRole('link', { name: `对比上游 ${DAY} ${mchNo}` }).click()
    await page.getByText('¥9.00 (1)').waitFor()
    await page.getByText('尚未获取').first().waitFor()
    await page.getByRole('link', { name: `2 (未处理 2) ${DAY} ${mchNo} alipay` }).click()
    await page.getByText('上游无此支付').nth(1).waitFor()
    await page.getByRole('button', { name: '标记为已处理' }).first().click()
    await page.getByLabel('备注').fill('上游次日补单')
    await page.getByRole('dialog').getByRole('button', { name: '标记为已处理' }).click()
    await page.getByText('上游次日补单 · in-finance').waitFor()
    await page.getByRole('link', { name: '对账' }).last().click()
    await page.getByRole('link', { name: `2 (未处理 1) ${DAY} ${mchNo} alipay` }).waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it('settles a payment that matches no attempt, and it is gone from what is open', async () => {
    const { page, problems, close } = await signedInAt('in-finance', 'reconciliations/unmatched-payments?settled=false')
    await page.getByRole('button', { name: '标记为已处理' }).click()
    await page.getByLabel('备注').fill('已线下退款')
    await page.getByRole('dialog').getByRole('button', { name: '标记为已处理' }).click()
    await page.getByText('暂无数据').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it.each([PHONE, {}])('has pages that can be read and used by everybody: %o', async (size) => {
    const { page, problems, close } = await signedInAt('in-finance', 'bills', size)
    const paths = [
      `bills/${gateway.demo.mchNo}/${DAY}`,
      'reconciliations/differences',
      'reconciliations/unmatched-payments',
    ]
    for (const path of paths) {
      await page.goto(`${gateway.demo.baseUrl}/console/${path}`)
      await page.locator('main.page h1').waitFor()
      await page.waitForLoadState('networkidle')
      expect(await accessibility(page), path).toEqual([])
      expect(await overflow(page), path).toBeLessThanOrEqual(0)
    }
    expect(problems()).toEqual([])
    await close()
  })
})

describe('an operator who looks at dead letters', () => {
  it('finds those of an order by its number alone, and sends exactly these again', async () => {
    const { demo, database } = gateway
    const dead: string[] = []
    for (let i = 0; i < 2; i += 1) {
      const number = await place(demo, { notify_url: `${demo.baseUrl}/sandbox/shop/fail` })
      await pay(demo, number, (await openAttempt(demo, number)) ?? '')
      dead.push(number)
    }
    await database.pool.query(`update notification set state = 'DEAD' where transaction_no = any($1)`, [dead])
    const { page, problems, close } = await signedInAt('an-operator', 'notifications?state=DEAD')
    await page.getByRole('link', { name: dead[0] ?? '' }).waitFor()
    expect(await page.getByRole('button', { name: '重发所列死信' }).isDisabled()).toBe(true)
    await page.getByLabel('平台订单号').fill(dead[1] ?? '')
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByRole('link', { name: dead[0] ?? '' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: '重发所列死信' }).click()
    const question = page.getByRole('dialog')
    for (const text of [demo.mchNo, dead[1] ?? '']) await question.getByText(text, { exact: true }).waitFor()
    expect(await question.getByText(/^1\s*$/).count()).toBe(1)
    await question.getByRole('button', { name: '重发通知' }).click()
    await page.getByText('已安排重发： 1').waitFor()
    const { rows: left } = await database.pool.query(`select transaction_no from notification where state = 'DEAD'`)
    expect(left).toEqual([{ transaction_no: dead[0] }])
    expect(problems()).toEqual([])
    await close()
  })
})

describe('the overview', () => {
  it('leads from a figure to what it counts, of the merchant that was chosen', async () => {
    const { demo, database } = gateway
    const number = await place(demo)
    const longAgo = new Date(Date.now() - 3_600_000)
    const sql = `insert into job (mch_no, kind, subject, due_at, tries, created_at) values ($1, 'shut_attempts', $2, $3, 7, $4)`
    await database.pool.query(sql, [demo.mchNo, number, new Date(Date.now() + 3_600_000), longAgo])
    const { page, problems, close } = await signedInAt('an-operator', 'overview')
    await page.getByRole('link', { name: '逾期任务 1' }).waitFor()
    await page.getByLabel('商户').fill('NOBODY')
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByRole('link', { name: '逾期任务 0' }).waitFor()
    await page.getByLabel('商户').fill(demo.mchNo)
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByRole('link', { name: '逾期任务 1' }).click()
    await page.waitForURL(new RegExp(`/jobs\\?mch_no=${demo.mchNo}`))
    await page.getByText('关闭支付码').waitFor()
    expect(await accessibility(page)).toEqual([])
    await page.getByRole('link', { name: number }).click()
    await page.getByRole('button', { name: '关闭订单' }).waitFor()
    expect(problems()).toEqual([])
    await close()
  })
})
