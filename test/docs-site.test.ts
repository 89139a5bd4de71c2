/** The docs site, built and looked at: both languages, search, no foreign host. Building takes half a minute and more: long tests only. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage, overflow, PHONE } from './support/browser.ts'
import { isLong } from './support/size.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const DIST = path.join(ROOT, 'apps/docs/dist')
const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' }

describe.runIf(isLong)('the docs site', () => {
  let built: { code: number | null; printed: string }
  let server: Server
  let url: string
  let browser: Browser

  beforeAll(async () => {
    built = await build()
    server = createServer((request, response) => {
      const name = decodeURIComponent(request.url ?? '/')
        .replace(/[?#].*$/, '')
        .replace(/\/$/, '/index.html')
      response.setHeader(
        'content-type',
        `${TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream'}; charset=utf-8`,
      )
      try {
        response.end(readFileSync(path.join(DIST, path.posix.normalize(name))))
      } catch {
        response.writeHead(404).end()
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await openBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    server?.closeAllConnections()
    server?.close()
  })

  it('is built, and every link in it leads to a page and a heading', () => {
    expect(built).toMatchObject({ code: 0, printed: expect.stringMatching(/\d+ pages in apps\/docs\/dist/) })
  })

  it('loads nothing by name from a foreign host', () => {
    const files = readdirSync(DIST, { encoding: 'utf8', recursive: true }).filter((name) => /\.(html|css)$/.test(name))
    const loaded = files.flatMap((name) => {
      const text = readFileSync(path.join(DIST, name), 'utf8')
      const found = text.matchAll(
        /<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="((?:https?:)?\/\/[^"]*)"|url\(["']?((?:https?:)?\/\/[^)"']*)|@import/g,
      )
      return [...found].map(([all]) => `${name}: ${all}`)
    })
    expect(loaded).toEqual([])
  })

  it.each([
    ['在中文里找到句子中间的词', '/', '死信', /通知|运维|词汇/],
    ['finds words in English', '/en/', 'dead letter', /notification|operating|glossary/i],
  ])('%s', async (_what, from, words, title) => {
    const { page, problems, close } = await openPage(browser)
    await page.goto(url + from)
    await page.locator('.VPNavBarSearchButton, .DocSearch-Button').first().click()
    await page.locator('.search-input').fill(words)
    await page.locator('.result').first().waitFor()
    expect((await page.locator('.result').allInnerTexts()).join('\n')).toMatch(title)
    await page.locator('.result').first().click()
    await page.locator('h1').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  const titleOf = (page: Page): Promise<string> => page.locator('h1').innerText()

  it('shows a page in Chinese first, and the same page in English', async () => {
    const { page, problems, close } = await openPage(browser)
    await page.goto(`${url}/wire/calls.html`)
    const chinese = await titleOf(page)
    await page.goto(`${url}/en/wire/calls.html`)
    expect([chinese, await titleOf(page)]).toEqual([expect.stringMatching(/接口/), expect.stringMatching(/calls/i)])
    expect(problems()).toEqual([])
    await close()
  })

  it('fits a phone', async () => {
    const { page, close } = await openPage(browser, PHONE)
    await page.goto(`${url}/wire/calls.html`)
    await page.locator('h1').waitFor()
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    await close()
  })
})

async function build(): Promise<{ code: number | null; printed: string }> {
  const args = ['--import', 'tsx', '--conditions=@acopay/source', 'scripts/docs/site.ts']
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text))
  const [code] = await once(child, 'close')
  return { code, printed }
}
