/**
 * How soon a payer can use the cashier on a slow phone: Chromium with its processor slowed down four times, an empty cache
 * each time, until a way to pay can be pressed. `npm run bench:cashier`. Fails above the second that is promised.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { startGateway } from '../apps/server/src/start/gateway.ts'
import { ON_ANDROID, openBrowser, openPage } from '../test/support/browser.ts'
import { call, orderParams } from '../test/support/merchant.ts'

const TIMES = 15
const SLOWER = 4
const PROMISED_MS = 1000

const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'), { settings: { fsync: 'off' } })
const { host, port, user, database } = postgres.connection
const DATABASE_URL = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
const home = path.join(dir, 'home')
const gateway = await startGateway(readConfig({ PORT: '0', LOG_LEVEL: 'error', DATABASE_URL, ACOPAY_HOME: home }, home))
const demo = JSON.parse(readFileSync(gateway.sandbox?.demoFile ?? '', 'utf8')) as DemoSettings
const placed = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
const browser = await openBrowser()

/** From the navigation's start until the first way to pay is seen, by the page's own clock. */
async function usableAfterMs(slower: number): Promise<number> {
  const { page, close } = await openPage(browser, ON_ANDROID)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: slower })
  await page.goto(placed.data.cashier_url ?? '', { waitUntil: 'commit' })
  await page.locator('#ways button').first().waitFor()
  const ms = await page.evaluate(() => performance.now())
  await close()
  return ms
}

const say = (name: string, times: number[]): number => {
  times.sort((a, b) => a - b)
  const p95 = times[Math.floor(TIMES * 0.95)] as number
  console.log(`${name}   p50 ${(times[TIMES >> 1] as number).toFixed(0)}   p95 ${p95.toFixed(0)} ms`)
  return p95
}

await usableAfterMs(1)
const full: number[] = []
const slow: number[] = []
for (let i = 0; i < TIMES; i += 1) {
  full.push(await usableAfterMs(1))
  slow.push(await usableAfterMs(SLOWER))
}
say('full speed        ', full)
const p95 = say(`${SLOWER} times slower   `, slow)
await browser.close()
await gateway.stop()
await postgres.stop()
rmSync(dir, { recursive: true, force: true })
if (p95 > PROMISED_MS) {
  console.error(`promised: ${PROMISED_MS} ms`)
  process.exitCode = 1
}
