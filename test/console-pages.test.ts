import { addMerchant } from '@acopay/store'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPage, PHONE } from './support/browser.ts'
import { addUser } from './support/console.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { openAttempt, pay, place, query } from './support/gateway.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
  await addMerchant(pages.gateway.database.pool, { mchNo: 'MCH2', name: '别家商户' }, new Date())
  await addUser(pages.gateway, 'other-viewer', 'merchant_viewer', { mchNo: 'MCH2' })
})
afterAll(() => pages.close())

/** The words of the picture of states that a line of it crosses. */
const WORDS_ON_LINES = `[...document.querySelectorAll('svg.picture text.small')].flatMap((word) => {
  const { x, y, width, height } = word.getBBox()
  const isCrossed = [...document.querySelectorAll('svg.picture g > path')].some((line) => {
    const length = line.getTotalLength()
    return Array.from({ length: 200 }, (_, step) => line.getPointAtLength((length * step) / 199))
      .some((at) => at.x > x && at.x < x + width && at.y > y && at.y < y + height)
  })
  return isCrossed ? [word.textContent] : []
})`

/** Where the texts of the heading stand, in whole pixels, each height once. */
const TITLE_BASELINES = `(() => {
  const walker = document.createTreeWalker(document.querySelector('main h1'), NodeFilter.SHOW_TEXT)
  const bottoms = new Set()
  while (walker.nextNode()) {
    if (walker.currentNode.data.trim() === '') continue
    const range = document.createRange()
    range.selectNodeContents(walker.currentNode)
    bottoms.add(Math.round(range.getBoundingClientRect().bottom))
  }
  return [...bottoms]
})()`

const heading = (page: Page, text: string): Promise<void> => page.locator('h1').filter({ hasText: text }).waitFor()

describe('an operator', () => {
  it('signs in, finds the order by its number, closes it after a question, and sees its timeline', async () => {
    const { demo } = pages.gateway
    const number = await place(demo, { description: '一箱苹果' })
    await openAttempt(demo, number)
    const { page, problems, close } = await pages.signedInAt('operator', 'orders')
    await page.getByLabel('任意单号').fill(number)
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByRole('link', { name: number }).click()
    await heading(page, '一箱苹果')
    await page.getByRole('button', { name: '关闭订单' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '关闭订单' }).click()
    await heading(page, '已关闭')
    for (const text of ['要求关闭', '支付码全部关闭', '运营关闭']) await page.getByText(text).first().waitFor()
    expect(await page.getByRole('img', { name: /状态图.*未支付.*关单中.*已关闭/ }).count()).toBe(1)
    // What the table does not allow any more is not offered.
    expect(await page.getByRole('button', { name: '关闭订单' }).count()).toBe(0)
    expect((await query(demo, number)).data.code).toBe('CLOSED')
    await page.getByRole('button', { name: '关单凭证' }).click()
    await page.getByText('此后不能再被支付').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it('refunds a paid order, and sees it done', async () => {
    const { demo } = pages.gateway
    const number = await place(demo)
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const { page, problems, close } = await pages.signedInAt('operator', `orders/${demo.mchNo}/${number}`)
    await page.getByRole('button', { name: /^退\s?款$/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('金额').fill('2.50')
    await dialog.getByLabel('原因').fill('少发一件')
    await dialog.getByRole('button', { name: /^退\s?款$/ }).click()
    await heading(page, '有退款')
    await page.getByText('¥10.00').waitFor()
    expect(problems()).toEqual([])
    await close()
  })
})

describe("a merchant's viewer", () => {
  it("is shown 403 on another merchant's order, and its own without buttons", async () => {
    const { demo } = pages.gateway
    const number = await place(demo, { description: '自家的订单' })
    const other = await pages.signedInAt('other-viewer', `orders/${demo.mchNo}/${number}`)
    await other.page.getByText('您无权查看其他商户的数据').waitFor()
    expect(await other.page.content()).not.toContain('自家的订单')
    await other.close()
    const own = await pages.signedInAt('merchant-viewer', `orders/${demo.mchNo}/${number}`)
    await heading(own.page, '自家的订单')
    expect(await own.page.getByRole('button', { name: '关闭订单' }).count()).toBe(0)
    expect(own.problems()).toEqual([])
    await own.close()
  })
})

describe('the sandbox page', () => {
  it('plays a late payment with one click, and shows its money going back', async () => {
    const { page, problems, close } = await pages.signedInAt('merchant-admin', 'sandbox')
    await page.getByRole('button', { name: '关单之后到账，自动退回' }).click()
    const story = page.getByRole('region', { name: '测试订单' })
    await story.getByRole('heading', { name: '已关闭' }).waitFor()
    // The job that sends it back runs by itself.
    await story.getByRole('region', { name: '自动退回' }).getByText('已完成').waitFor()
    await story.getByRole('region', { name: '支付码' }).getByText('¥1.00').nth(1).waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it('closes and pays at once, and whichever wins, the story is told', async () => {
    const { page, close } = await pages.signedInAt('operator', 'sandbox')
    await page.getByRole('button', { name: /^下\s?单$/ }).click()
    const story = page.getByRole('region', { name: '测试订单' })
    await story.getByRole('button', { name: '打开支付码 微信支付' }).click()
    await story.getByRole('button', { name: '关单同时付款' }).click()
    await page.getByText('同时关单与付款').waitFor()
    await close()
  })
})

describe('the API explorer', () => {
  it('places an order and closes it, signed in the browser, and the answers verify', async () => {
    const { page, problems, close } = await pages.signedInAt('merchant-admin', 'explorer')
    await page.getByRole('button', { name: '签名并发送' }).click()
    await page.getByText('应答的签名正确').waitFor()
    const answer = JSON.parse((await page.getByLabel('应答', { exact: true }).last().textContent()) ?? '')
    const number = answer.data.transaction_no
    expect((await query(pages.gateway.demo, number)).data.code).toBe('NOTPAY')
    await page.getByLabel('接口').click()
    await page.getByText(/^关单 · POST/).click()
    await page.getByLabel(/^transaction_no/).waitFor()
    expect(await page.getByLabel(/^transaction_no/).inputValue()).toBe(number)
    await page.getByRole('button', { name: '签名并发送' }).click()
    await page.getByText('"description": "关单成功"').waitFor()
    expect((await query(pages.gateway.demo, number)).data.code).toBe('CLOSED')
    expect(problems()).toEqual([])
    await close()
  })

  it('says on a page of plain http, where browsers offer no cryptography, that it needs https', async () => {
    const { page, problems, close } = await openPage(pages.browser)
    await page.addInitScript(`
      Object.defineProperty(window, 'isSecureContext', { value: false })
      for (const name of ['randomUUID', 'subtle']) Object.defineProperty(Crypto.prototype, name, { value: undefined })
    `)
    await pages.signIn(page, 'merchant-admin', 'explorer')
    await page.getByText('浏览器只在 https 或 localhost 的页面上提供签名所需的加密功能').waitFor()
    expect(await page.getByRole('button', { name: '签名并发送' }).count()).toBe(0)
    expect(problems()).toEqual([])
    await close()
  })

  it('and the sandbox suggest texts in the language that is chosen, and keep what was written', async () => {
    const { page, close } = await pages.signedInAt('merchant-admin', 'explorer')
    const description = page.locator('#description')
    expect(await description.inputValue()).toBe('测试订单')
    await page.getByRole('button', { name: 'English' }).click()
    await expect.poll(() => description.inputValue(), { timeout: 30_000 }).toBe('A test order')
    await description.fill('mine')
    await page.getByRole('button', { name: '中文' }).click()
    await heading(page, 'API 调试')
    expect(await description.inputValue()).toBe('mine')
    await page.goto(`${pages.gateway.demo.baseUrl}/console/sandbox`)
    expect(await description.inputValue()).toBe('测试订单')
    await page.getByRole('button', { name: 'English' }).click()
    await expect.poll(() => description.inputValue(), { timeout: 30_000 }).toBe('A test order')
    await close()
  })
})

describe('a platform admin', () => {
  const save = (page: Page): Promise<void> =>
    page
      .locator('form.panel')
      .first()
      .getByRole('button', { name: /^保\s?存$/ })
      .click()
  const merchantRow = async (mchNo: string) =>
    (
      await pages.gateway.database.pool.query('select name, enabled, allowed_ips from merchant where mch_no = $1', [
        mchNo,
      ])
    ).rows[0]

  it("changes a user's role, among those that fit what the user belongs to", async () => {
    await addUser(pages.gateway, 'promoted', 'operator')
    const { page, problems, close } = await pages.signedInAt('platform-admin', 'users')
    await page
      .getByRole('row', { name: /^promoted/ })
      .getByRole('button', { name: '修改角色' })
      .click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('角色').click()
    expect(await page.getByRole('option', { name: '商户管理员' }).count()).toBe(0)
    await page.getByTitle('财务', { exact: true }).click()
    await dialog.getByRole('button', { name: '修改角色' }).click()
    await page.getByRole('row', { name: /^promoted 财务/ }).waitFor()
    const { rows } = await pages.gateway.database.pool.query(
      "select role from console_user where username = 'promoted'",
    )
    expect(rows).toEqual([{ role: 'finance' }])
    expect(problems()).toEqual([])
    await close()
  })

  it('saves what was changed on a merchant and nothing else, however old the form is', async () => {
    await addMerchant(pages.gateway.database.pool, { mchNo: 'MCH3', name: '旧名' }, new Date())
    const { page, problems, close } = await pages.signedInAt('platform-admin', 'merchants/MCH3')
    const name = page.locator('form.panel').first().getByLabel('名称')
    await name.fill('新名')
    await pages.gateway.database.pool.query("update merchant set allowed_ips = '{203.0.113.7}' where mch_no = 'MCH3'")
    await save(page)
    await heading(page, '新名')
    expect(await merchantRow('MCH3')).toEqual({ name: '新名', enabled: true, allowed_ips: ['203.0.113.7'] })
    await save(page)
    await page.getByText('没有改动').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  it('is asked before a merchant is switched off', async () => {
    await addMerchant(pages.gateway.database.pool, { mchNo: 'MCH4', name: '四号' }, new Date())
    const { page, close } = await pages.signedInAt('platform-admin', 'merchants/MCH4')
    await page.getByRole('switch').click()
    await save(page)
    const dialog = page.getByRole('dialog')
    await dialog.getByText('停用后该商户的所有请求被拒绝，直到重新启用。').waitFor()
    expect(await merchantRow('MCH4')).toMatchObject({ enabled: true })
    await dialog.getByRole('button', { name: /^停\s?用$/ }).click()
    await page.locator('.facts').getByText('已停用').waitFor()
    expect(await merchantRow('MCH4')).toMatchObject({ enabled: false })
    await close()
  })

  it('sees a private key that was made until they say that they keep it; Escape does not take it away', async () => {
    await addMerchant(pages.gateway.database.pool, { mchNo: 'MCH5', name: '五号' }, new Date())
    const { page, close } = await pages.signedInAt('platform-admin', 'merchants/MCH5')
    await page.getByRole('button', { name: '生成密钥对' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '生成密钥对' }).click()
    const key = page.getByRole('textbox', { name: '私钥', exact: true })
    await key.waitFor()
    await page.keyboard.press('Escape')
    await page.mouse.click(5, 5)
    expect(await key.isVisible()).toBe(true)
    expect(await page.getByRole('button', { name: 'Close' }).count()).toBe(0)
    await page.getByRole('button', { name: '已保存，关闭' }).click()
    await key.waitFor({ state: 'hidden' })
    await close()
  })

  it('adds a platform key after a question, sees when it signs, and ends it', async () => {
    const { page, problems, close } = await pages.signedInAt('platform-admin', 'platform-keys')
    await page.getByText('签名中').waitFor()
    await page.getByRole('button', { name: '添加平台密钥' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '添加平台密钥' }).click()
    const row = page.getByRole('row').filter({ hasText: '待启用' })
    await row.waitFor()
    await row.getByRole('button', { name: /^立即停用/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: '立即停用' }).click()
    await row.waitFor({ state: 'hidden' })
    expect(problems()).toEqual([])
    await close()
  })

  it('is asked for the password again before a user is changed, when the sign-in was long ago', async () => {
    await addUser(pages.gateway, 'disabled-later', 'operator')
    const { page, close } = await pages.signedInAt('platform-admin', 'users')
    await pages.gateway.database.pool.query(`update console_session set proven_at = proven_at - interval '1 hour'`)
    const isEnabled = async () => {
      const text = `select enabled from console_user where username = 'disabled-later'`
      return (await pages.gateway.database.pool.query(text)).rows[0].enabled
    }
    const disable = async (): Promise<void> => {
      const row = page.getByRole('row', { name: /^disabled-later/ })
      await row.getByRole('button', { name: /^停\s?用$/ }).click()
      const asked = page.getByRole('dialog').filter({ hasText: '停用: disabled-later' })
      await asked.getByRole('button', { name: /^停\s?用$/ }).click()
    }
    const dialog = page.getByRole('dialog').filter({ hasText: '请再次验证身份' })
    await disable()
    await dialog.waitFor()
    await dialog.locator('.ant-modal-close').click()
    await dialog.waitFor({ state: 'hidden' })
    expect(await isEnabled()).toBe(true)
    await disable()
    await dialog.getByLabel('密码').fill('not the password')
    await dialog.getByRole('button', { name: /^继\s?续$/ }).click()
    await dialog.getByText('密码不正确').waitFor()
    await dialog.getByLabel('密码').fill(pages.passwords['platform-admin'] ?? '')
    await dialog.getByRole('button', { name: /^继\s?续$/ }).click()
    await expect.poll(isEnabled).toBe(false)
    await dialog.waitFor({ state: 'hidden' })
    await close()
  })

  it('finds in the audit log what was done to one merchant', async () => {
    await addMerchant(pages.gateway.database.pool, { mchNo: 'MCH6', name: '六号' }, new Date())
    const { page, close } = await pages.signedInAt('platform-admin', 'merchants/MCH6')
    await page.locator('form.panel').first().getByLabel('名称').fill('六号店')
    await save(page)
    await heading(page, '六号店')
    await page.goto(`${pages.gateway.demo.baseUrl}/console/audit`)
    await page.getByLabel('商户').fill('MCH6')
    await page.getByRole('button', { name: '查询' }).click()
    await page.waitForURL(/mch_no=MCH6/)
    await expect.poll(() => page.locator('tbody tr').count(), { timeout: 30_000 }).toBe(1)
    await page.getByRole('row', { name: /platform-admin 修改商户 MCH6/ }).waitFor()
    await close()
  })
})

describe('the page of an order', () => {
  it('draws the words of its picture beside the lines, and its state on the line of its amount', async () => {
    const { demo } = pages.gateway
    const number = await place(demo)
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const { page, close } = await pages.signedInAt('operator', `orders/${demo.mchNo}/${number}`)
    for (const language of ['中文', 'English']) {
      await page.locator('svg.picture').waitFor()
      expect(await page.evaluate(WORDS_ON_LINES), language).toEqual([])
      expect(await page.evaluate(TITLE_BASELINES), language).toHaveLength(1)
      if (language === '中文') await page.getByRole('button', { name: 'English' }).click()
    }
    expect(await page.getByText('Alipay QR code').or(page.getByText('WeChat Pay QR code')).count()).toBe(1)
    await close()
  })
})

describe('an address without a page', () => {
  it('says so in the language of the user, and leads back', async () => {
    const { page, problems, close } = await pages.signedInAt('operator', 'nonexistent')
    await heading(page, '没有这个页面')
    await page.getByRole('button', { name: 'English' }).click()
    await heading(page, 'There is no such page')
    await page.getByRole('link', { name: 'Back to the start' }).click()
    await heading(page, 'Overview')
    expect(problems()).toEqual([])
    await close()
  })
})

describe('every page', () => {
  it('can be reached behind the menu with two keys', async () => {
    const { page, close } = await pages.signedInAt('operator', 'orders')
    await heading(page, '订单')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.id')).toBe('filter-number')
    await close()
  })

  it('has one line of header on a phone, and the user in the menu', async () => {
    const phone = { ...PHONE, viewport: { width: 390, height: 844 } }
    const { page, close } = await pages.signedInAt('merchant-admin', 'orders', phone)
    await heading(page, '订单')
    const middles = `[...document.querySelectorAll('.bar > *')].map((one) => one.getBoundingClientRect())
      .filter(({ height, bottom }) => height > 0 && bottom > 0).map(({ top, height }) => Math.round(top + height / 2))`
    expect(new Set((await page.evaluate(middles)) as number[]).size).toBe(1)
    await page.getByRole('button', { name: '菜单' }).click()
    await page.getByRole('dialog').getByText('merchant-admin · 商户管理员').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'English' }).click()
    await heading(page, 'Orders')
    await close()
  })

  it('calls a wrong filter by its label, and says why a range is empty', async () => {
    const { page, close } = await pages.signedInAt('operator', 'orders')
    await page.getByLabel('金额至少').fill('1.234')
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByText('“金额至少”应为至多两位小数的元').waitFor()
    await page.getByRole('button', { name: '清除条件' }).click()
    await page.getByLabel('从（日）').fill('2026-03-02')
    await page.getByLabel('至（日）').fill('2026-02-27')
    // Leaving the field closes its calendar.
    await page.getByLabel('至（日）').press('Tab')
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByText('“至（日）”不能早于开始时间').waitFor()
    await close()
  })

  it('asks who it is first, says what is wrong, and comes back to where one wanted to go', async () => {
    const { page, close } = await openPage(pages.browser)
    await page.goto(`${pages.gateway.demo.baseUrl}/console/audit`)
    await page.getByLabel('用户名').fill('finance')
    await page.getByLabel('密码').fill('not the password')
    await page.getByRole('button', { name: /登\s?录/ }).click()
    await page.getByText('用户名或密码不正确').waitFor()
    await page.getByLabel('密码').fill(pages.passwords.finance ?? '')
    await page.getByRole('button', { name: /登\s?录/ }).click()
    await heading(page, '审计日志')
    await page.getByRole('button', { name: 'English' }).click()
    await heading(page, 'Audit log')
    await close()
  })
})
