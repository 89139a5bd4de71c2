/** A real browser. Its pages may talk to this machine only; it keeps their errors. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const require = createRequire(import.meta.url)
const { findChromium, HOW } = require('../../scripts/chromium.cjs') as {
  findChromium: () => string | null
  HOW: string
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

export const PHONE = { viewport: { width: 375, height: 720 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
export const DESKTOP = { viewport: { width: 1280, height: 800 } }
const ANDROID =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Mobile Safari/537.36'
export const ON_ANDROID = { ...PHONE, userAgent: ANDROID }

/** Generous, so that no test fails because the machine is slow. */
const PATIENCE_MS = 60_000

export function openBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error(`no browser found. ${HOW}`)
  return chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE_MS })
}

export type TestPage = { page: Page; problems: () => string[]; close: () => Promise<void> }

/** A page of its own context. `problems`: console errors, exceptions, and requests that would have left this machine. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<TestPage> {
  const context = await browser.newContext({ locale: 'zh-CN', ...DESKTOP, ...options })
  const problems: string[] = []
  await context.route(
    ({ hostname, protocol }) => /^https?:$/.test(protocol) && hostname !== '127.0.0.1' && hostname !== 'localhost',
    (route) => {
      problems.push(`asked for ${route.request().url()}`)
      return route.abort()
    },
  )
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  return { page, problems: () => problems, close: () => context.close() }
}

/**
 * What axe-core finds against WCAG 2.2 AA and its best practices, one line each; empty when there is nothing. The rule on names that
 * differ from what is shown is off in axe-core by default. `but`: rules that others' markup breaks.
 */
export async function accessibility(page: Page, but: string[] = []): Promise<string[]> {
  // The test evaluates the script and the page does not load it, so the page's content security policy stays strict.
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'))
  const found = await page.evaluate(async () => {
    type Axe = { run: (how: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      rules: { 'label-content-name-mismatch': { enabled: true } },
    })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
  })
  return found.filter((line) => !but.includes(line.split(':')[0] ?? ''))
}

/** How far a page is wider than its window, in CSS pixels. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
