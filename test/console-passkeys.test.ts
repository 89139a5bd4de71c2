/** Passkeys in a real browser, whose authenticator is Chromium's virtual one. */
import './support/only-long.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessibility, openBrowser, openPage } from './support/browser.ts'
import { addUser, PASSWORD } from './support/console.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'

let gateway: TestGateway
let browser: Awaited<ReturnType<typeof openBrowser>>
/** Browsers allow passkeys at localhost, and not at an address. */
let url = ''
beforeAll(async () => {
  gateway = await testGateway({ ACOPAY_TOTP_ROLES: 'finance' })
  browser = await openBrowser()
  url = gateway.demo.baseUrl.replace('127.0.0.1', 'localhost')
  await addUser(gateway, 'keeper', 'finance')
  await addUser(gateway, 'other', 'finance')
})
afterAll(async () => {
  await browser?.close()
  await gateway.stop()
})

/** An authenticator that is plugged in, and a user who touches it whenever it asks. */
async function plugIn(page: Page) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'usb',
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    unplug: () => cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    hasSigned: async () =>
      (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.map(({ signCount }) => signCount),
  }
}

async function typePassword(page: Page, username = 'keeper'): Promise<void> {
  await page.getByLabel('用户名').fill(username)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: /^登\s?录$/ }).click()
}

it('a user whose role needs it registers a passkey, and signs in and proves who they are with it', async () => {
  const { page, problems, close } = await openPage(browser)
  const { hasSigned, unplug } = await plugIn(page)
  await page.goto(`${url}/console/account`)
  await typePassword(page)
  await page.getByRole('heading', { name: '二次验证' }).waitFor()
  expect(await accessibility(page)).toEqual([])
  await page.getByLabel('通行密钥名称').fill('安全密钥')
  await page.getByRole('button', { name: '登记通行密钥' }).click()
  await page.getByText('以下恢复码').waitFor()
  expect(await page.locator('.codes li').count()).toBe(10)
  const recoveryCode = (await page.locator('.codes li').first().textContent()) ?? ''
  await page.getByRole('button', { name: '已保存，继续' }).click()
  await page.getByRole('row', { name: /^安全密钥/ }).waitFor()
  expect(await accessibility(page)).toEqual([])

  await page.getByRole('button', { name: /^退\s?出$/ }).click()
  await typePassword(page)
  await page.getByRole('button', { name: '使用通行密钥' }).click()
  await page.getByRole('heading', { name: '我的账号' }).waitFor()
  const [afterSignIn = 0] = await hasSigned()

  // The session is older now than a proof lasts.
  await gateway.database.pool.query(`update console_session set proven_at = proven_at - interval '1 hour'`)
  await page.getByRole('button', { name: /^移\s?除$/ }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^移\s?除$/ })
    .click()
  const proof = page.getByRole('dialog').filter({ hasText: '请再次验证身份' })
  await proof.getByLabel('密码').fill(PASSWORD)
  await proof.getByRole('button', { name: '使用通行密钥' }).click()
  await page.getByRole('heading', { name: '二次验证' }).waitFor()
  expect((await hasSigned())[0]).toBeGreaterThan(afterSignIn)
  const rows = await gateway.database.pool.query(`select from console_passkey where username = 'keeper'`)
  expect(rows.rowCount).toBe(0)
  expect(problems().filter((text) => !/status of 40[13]/.test(text))).toEqual([])

  // A browser that gives no passkey says so, and the page goes on.
  await unplug()
  await page.getByLabel('通行密钥名称').fill('没有插上')
  await page.evaluate('navigator.credentials.create = () => Promise.reject(new DOMException("x", "NotAllowedError"))')
  await page.getByRole('button', { name: '登记通行密钥' }).click()
  await page.getByText('没有得到通行密钥的应答').waitFor()
  expect(recoveryCode).toMatch(/^[A-Z2-9]{6}-[A-Z2-9]{6}$/)
  await close()
})

it('at an address without a name the page says where passkeys work', async () => {
  const { page, close } = await openPage(browser)
  await page.goto(`${gateway.demo.baseUrl}/console/account`)
  await typePassword(page, 'other')
  await page.getByText('通行密钥只能在 https:// 的域名或 http://localhost 下使用').waitFor()
  expect(await page.getByRole('button', { name: '登记通行密钥' }).count()).toBe(0)
  await close()
})
