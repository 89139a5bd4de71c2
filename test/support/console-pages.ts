/** A gateway that runs by itself, and a browser in which the sandbox's users of the console can sign in. */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import type { ConsoleUsers } from '../../apps/server/src/sandbox/users.ts'
import { openBrowser, openPage } from './browser.ts'
import { PASSWORD } from './console.ts'
import { type TestGateway, testGateway } from './gateway.ts'

export type ConsolePages = {
  gateway: TestGateway
  browser: Browser
  /** Of the users that the sandbox made, by name; a user that a test adds has `PASSWORD`. */
  passwords: Record<string, string>
  signIn: (page: Page, username: string, path: string) => Promise<void>
  /** A page with a signed-in user, at this path of the console. */
  signedInAt: (username: string, path: string, options?: Parameters<typeof openPage>[1]) => ReturnType<typeof openPage>
  close: () => Promise<void>
}

export async function openConsole(env: Record<string, string> = {}): Promise<ConsolePages> {
  const gateway = await testGateway(env)
  const browser = await openBrowser()
  const { users } = JSON.parse(readFileSync(gateway.gateway.sandbox?.consoleFile ?? '', 'utf8')) as ConsoleUsers
  const passwords = Object.fromEntries(users.map(({ username, password }) => [username, password]))
  const signIn = async (page: Page, username: string, path: string): Promise<void> => {
    await page.goto(`${gateway.demo.baseUrl}/console/${path}`)
    await page.getByLabel('用户名').fill(username)
    await page.getByLabel('密码').fill(passwords[username] ?? PASSWORD)
    await page.getByRole('button', { name: /^登\s?录$/ }).click()
    await page.locator('main.page').waitFor()
  }
  return {
    gateway,
    browser,
    passwords,
    signIn,
    signedInAt: async (username, path, options = {}) => {
      const opened = await openPage(browser, options)
      await signIn(opened.page, username, path)
      return opened
    },
    close: async () => {
      await browser.close()
      await gateway.stop()
    },
  }
}
