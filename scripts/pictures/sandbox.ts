/** A sandbox of its own for pictures: a gateway, a browser, and an order for each end that a payer or an operator sees. */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import type { Browser, Page } from 'playwright-core'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import type { ConsoleUsers } from '../../apps/server/src/sandbox/users.ts'
import { readConfig } from '../../apps/server/src/start/config.ts'
import { startGateway } from '../../apps/server/src/start/gateway.ts'
import { openBrowser } from '../../test/support/browser.ts'
import { call, close, openAttempt, orderParams, pay } from '../../test/support/merchant.ts'

export type Scene = { browser: Browser; demo: DemoSettings; admin: ConsoleUsers['users'][number] | undefined }

export async function inSandbox(work: (scene: Scene) => Promise<void>): Promise<void> {
  const home = path.join(tmpdir(), `acopay-pictures-${process.pid}`)
  const postgres = await startEmbeddedPostgres(path.join(home, 'postgres'), { settings: { fsync: 'off' } })
  const { host, port, user, database } = postgres.connection
  const DATABASE_URL = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
  const gateway = await startGateway(
    readConfig({ PORT: '0', LOG_LEVEL: 'error', DATABASE_URL, ACOPAY_HOME: home }, home),
  )
  const browser = await openBrowser()
  try {
    const demo = JSON.parse(readFileSync(gateway.sandbox?.demoFile ?? '', 'utf8')) as DemoSettings
    const { users } = JSON.parse(readFileSync(gateway.sandbox?.consoleFile ?? '', 'utf8')) as ConsoleUsers
    await work({ browser, demo, admin: users.find(({ role }) => role === 'platform_admin') })
  } finally {
    await browser.close()
    await gateway.stop()
    await postgres.stop()
  }
}

export async function signIn(page: Page, { demo, admin }: Omit<Scene, 'browser'>, where: string): Promise<void> {
  await page.goto(`${demo.baseUrl}/console/${where}`)
  await page.getByLabel('用户名').fill(admin?.username ?? '')
  await page.getByLabel('密码').fill(admin?.password ?? '')
  await page.getByRole('button', { name: '登录' }).click()
  await page.locator('main.page').waitFor()
}

/** One order for each end that a payer or an operator sees: its cashier's address and its number, by name. */
export async function makeOrders(demo: DemoSettings) {
  const cashiers: Record<string, string> = {}
  const placed = async (name: string, more = {}): Promise<string> => {
    const { data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo, more) })
    cashiers[name] = data.cashier_url ?? ''
    return data.transaction_no ?? ''
  }
  const open = await placed('open', { description: '有机苹果礼盒 5kg，次日送达' })
  await openAttempt(demo, open)
  const paid = await placed('paid', { description: '会员年卡', amount_total: '365.00' })
  await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')
  const refund = {
    transaction_no: paid,
    refund_amount: '65.00',
    refund_reason: '少发一件',
    mch_refund_no: `r${'0'.repeat(30)}`,
  }
  await call(demo, { method: 'POST', path: 'refund', params: refund })
  const closed = await placed('closed')
  await openAttempt(demo, closed)
  await close(demo, closed)
  const late = await placed('late', { description: '关单之后到账' })
  const code = (await openAttempt(demo, late)) ?? ''
  await close(demo, late)
  await pay(demo, late, code, 'pay-anyway')
  return { cashiers, orders: { open, paid, closed, late } }
}
