/** People come to the console: by an invitation, and by the identity provider; in a browser, on a desk and on a phone. */
import './support/only-long.ts'
import { createServer } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibility, openPage, overflow } from './support/browser.ts'
import { addUser, PASSWORD } from './support/console.ts'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { CLIENT, type TestProvider, testProvider } from './support/identity-provider.ts'

const PHONE_390 = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
const OWN_PASSWORD = 'quiet harbour lantern seven'

/** A port that is free now: the gateway's address must be known to the provider before it starts. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

let pages: ConsolePages
let provider: TestProvider
beforeAll(async () => {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  provider = await testProvider(publicUrl)
  pages = await openConsole({
    PORT: String(port),
    ACOPAY_PUBLIC_URL: publicUrl,
    ACOPAY_OIDC_ISSUER: provider.issuer,
    ACOPAY_OIDC_CLIENT_ID: CLIENT.id,
    ACOPAY_OIDC_CLIENT_SECRET: CLIENT.secret,
    ACOPAY_OIDC_NAME: '公司账号',
  })
})
afterAll(async () => {
  await pages.close()
  await provider.stop()
})

const readable = async (page: Page): Promise<void> => {
  expect(await accessibility(page)).toEqual([])
  expect(await overflow(page)).toBeLessThanOrEqual(0)
}

/** A merchant's admin makes an invitation with the mouse; answers its link. */
async function invited(username: string): Promise<string> {
  const { page, problems, close } = await pages.signedInAt('merchant-admin', 'invitations')
  await page.getByRole('button', { name: '邀请用户' }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('用户名').fill(username)
  await form.getByLabel('角色').click()
  await page.locator('.ant-select-item-option').filter({ hasText: '商户查看' }).click()
  await form.getByRole('button', { name: '邀请用户' }).click()
  const link = page.getByText(/\/console\/invitation#/)
  await link.waitFor()
  const text = (await link.textContent()) ?? ''
  await page.getByRole('button', { name: '已保存，关闭' }).click()
  await page.getByRole('row').filter({ hasText: username }).getByText('待接受').waitFor()
  expect(problems()).toEqual([])
  await close()
  return text
}

describe.each([
  ['zh', PHONE_390, 'light'],
  ['en', {}, 'dark'],
] as const)('who is invited, in %s', (language, size, colorScheme) => {
  it('opens the link, chooses a password, and is in; the secret is not in the address any more', async () => {
    const link = await invited(`guest-${language}`)
    const { page, problems, close } = await openPage(pages.browser, { ...size, colorScheme })
    if (language === 'en') await page.addInitScript(`localStorage.setItem('acopay.language', 'en')`)
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url() + JSON.stringify(request.headers())))
    await page.goto(link)
    await page.getByRole('heading', { name: language === 'zh' ? '接受邀请' : 'Accept the invitation' }).waitFor()
    const field = page.getByLabel(language === 'zh' ? '新密码' : 'New password')
    await field.waitFor()
    expect(new URL(page.url()).hash).toBe('')
    await readable(page)
    await field.fill(OWN_PASSWORD)
    await page
      .getByRole('button', { name: language === 'zh' ? '设置密码并登录' : 'Set the password and sign in' })
      .click()
    await page.locator('main.page h1').waitFor()
    const token = link.split('#')[1] ?? ''
    expect(asked.filter((one) => one.includes(token))).toEqual([])
    expect(problems()).toEqual([])
    await page.goto(link)
    await page.locator('.ant-alert-error').waitFor()
    await readable(page)
    await close()
  })
})

describe('a user', () => {
  it('links the own account, signs in by the provider on a phone, and is told where to sign out of it too', async () => {
    await addUser(pages.gateway, 'wang', 'operator')
    const { page, close } = await openPage(pages.browser, PHONE_390)
    await pages.signIn(page, 'wang', 'account')
    await page.getByRole('button', { name: '关联我的账号' }).click()
    await atProvider(page, 'wang')
    await page.getByText('已关联。').waitFor()
    await readable(page)
    await page.getByRole('button', { name: '退出' }).click()
    await page.getByRole('button', { name: '统一身份登录：公司账号' }).waitFor()
    await readable(page)
    await page.getByRole('button', { name: '统一身份登录：公司账号' }).click()
    // Signed in there already, and agreed before.
    await page.waitForURL(/\/console\/overview/)
    await page.locator('main.page h1').waitFor()
    await page.getByRole('button', { name: '退出' }).click()
    const there = page.getByRole('link', { name: /也从那里退出/ })
    await there.waitFor()
    await readable(page)
    expect(await there.getAttribute('href')).toMatch(new RegExp(`^${provider.issuer}/session/end\\?`))
    await close()
  })

  it('who is linked with nobody reads what to do, and can sign in by the password there', async () => {
    await addUser(pages.gateway, 'zhao', 'operator')
    const { page, close } = await openPage(pages.browser, PHONE_390)
    await page.goto(`${pages.gateway.demo.baseUrl}/console/orders`)
    await page.getByRole('button', { name: '统一身份登录：公司账号' }).click()
    await atProvider(page, 'zhao')
    await page.getByText('没有关联到这里的可用用户').waitFor()
    await readable(page)
    await page.getByLabel('用户名').fill('zhao')
    await page.getByLabel('密码').fill(PASSWORD)
    await page.getByRole('button', { name: '登录', exact: true }).click()
    await page.locator('main.page h1').waitFor()
    await close()
  })
})

/** The provider's own pages. */
async function atProvider(page: Page, name: string): Promise<void> {
  await page.locator('input[name=login]').fill(name)
  await page.locator('input[name=password]').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}
