/** The payer's page in a real browser, through the sandbox's upstreams. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import jsqrModule from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibility, DESKTOP, ON_ANDROID, openBrowser, openPage, overflow, PHONE } from './support/browser.ts'
import { call, close, openAttempt, orderParams, pay, type TestGateway, testGateway } from './support/gateway.ts'

// A CommonJS module under two names, by how it is loaded.
const readQr = (jsqrModule as unknown as { default?: typeof jsqrModule.default }).default ?? (jsqrModule as never)

let gateway: TestGateway
let browser: Browser
beforeAll(async () => {
  gateway = await testGateway()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

const placed = async (more = {}): Promise<{ order: string; url: string }> => {
  const { data } = await call(gateway.demo, { method: 'POST', path: 'trade', params: orderParams(gateway.demo, more) })
  return { order: data.transaction_no ?? '', url: data.cashier_url ?? '' }
}

const attemptsOf = async (order: string): Promise<{ attempt_no: string; pay_url: string; channel: string }[]> =>
  (
    await gateway.database.pool.query(
      'select attempt_no, pay_url, channel from attempt where transaction_no = $1 order by created_at',
      [order],
    )
  ).rows

const sees = (page: Page, text: string): Promise<void> => page.getByText(text, { exact: true }).first().waitFor()

/** What a wallet reads from the screen. */
async function scanned(page: Page): Promise<string> {
  const { data, width, height } = PNG.sync.read(await page.locator('.qr').screenshot())
  return readQr(new Uint8ClampedArray(data), width, height)?.data ?? ''
}

describe('on a desktop', () => {
  it('the payer scans the code that is shown, pays, and the page turns without being loaded again', async () => {
    const { order, url } = await placed({ description: '一杯咖啡 <b>&' })
    const { page, problems, close: done } = await openPage(browser)
    await page.goto(url)
    await sees(page, '¥12.50')
    await sees(page, '一杯咖啡 <b>&')
    await page.getByRole('button', { name: '微信支付' }).click()
    await page.locator('.qr').waitFor()
    const [attempt] = await attemptsOf(order)
    expect(await scanned(page)).toBe(attempt?.pay_url)
    await pay(gateway.demo, order, attempt?.attempt_no ?? '')
    await sees(page, '支付成功')
    expect(await page.locator('.qr').count()).toBe(0)
    expect(problems()).toEqual([])
    await done()
  })

  it('a close by the merchant turns it, and money that comes afterwards is told of until it is back', async () => {
    const { order, url } = await placed()
    const { page, problems, close: done } = await openPage(browser)
    await page.goto(url)
    await page.getByRole('button', { name: '支付宝' }).click()
    await page.locator('.qr').waitFor()
    const [attempt] = await attemptsOf(order)
    expect((await close(gateway.demo, order)).data.code).toBe('SUCCESS')
    await sees(page, '订单已关闭')
    // Refunds of Alipay end at once; this one is held up so that it can be seen on its way.
    const faults = `${gateway.demo.baseUrl}/sandbox/upstreams/alipay/faults`
    await fetch(faults, { method: 'PUT', body: JSON.stringify([{ kind: 'error_before', verb: 'refund' }]) })
    await pay(gateway.demo, order, attempt?.attempt_no ?? '', 'pay-anyway')
    await sees(page, '款项正在退回')
    await fetch(faults, { method: 'PUT', body: '[]' })
    await sees(page, '款项已退回')
    expect(problems()).toEqual([])
    await done()
  })

  it('two tabs, or the same way chosen twice, show one code and both turn', async () => {
    const { order, url } = await placed()
    const tabs = [await openPage(browser), await openPage(browser)]
    for (const { page } of tabs) {
      await page.goto(url)
      await page.getByRole('button', { name: '微信支付' }).click()
      await page.locator('.qr').waitFor()
    }
    const attempts = await attemptsOf(order)
    expect(attempts).toHaveLength(1)
    await pay(gateway.demo, order, attempts[0]?.attempt_no ?? '')
    for (const { page } of tabs) await sees(page, '支付成功')
    await Promise.all(tabs.map((tab) => tab.close()))
  })

  it('a second payment that comes after the first is told of, for ten minutes; then the page stops listening', async () => {
    const { order, url } = await placed()
    const { page, problems, close: done } = await openPage(browser)
    await page.clock.install()
    await page.goto(url)
    for (const name of ['微信支付', '支付宝']) {
      await page.getByRole('button', { name }).click()
      await page.getByRole('img', { name: `${name}付款二维码` }).waitFor()
    }
    const [first, second] = await attemptsOf(order)
    await pay(gateway.demo, order, first?.attempt_no ?? '')
    await sees(page, '支付成功')
    await pay(gateway.demo, order, second?.attempt_no ?? '', 'pay-anyway')
    await sees(page, '另有一笔款项不属于本订单，已按原路退回。')
    const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/events'))
    await page.clock.fastForward(10 * 60_000)
    await ended
    expect(problems()).toEqual([])
    await done()
  })

  it('where events do not come through, the page asks', async () => {
    const { order, url } = await placed()
    const { page, close: done } = await openPage(browser)
    await page.route('**/events', (route) => route.abort())
    await page.goto(url)
    await close(gateway.demo, order)
    await sees(page, '订单已关闭')
    await done()
  })

  it('a code whose answer is lost is said to be in doubt, and comes when it is known', async () => {
    const { url } = await placed()
    const { page, close: done } = await openPage(browser)
    const faults = `${gateway.demo.baseUrl}/sandbox/upstreams/wechat/faults`
    await fetch(faults, { method: 'PUT', body: JSON.stringify([{ kind: 'error_before', verb: 'create', times: 1 }]) })
    await page.goto(url)
    await page.getByRole('button', { name: '微信支付' }).click()
    await sees(page, '正在获取付款码…')
    await fetch(faults, { method: 'PUT', body: '[]' })
    // Another way can be chosen meanwhile.
    await page.getByRole('button', { name: '支付宝' }).click()
    await page.locator('.qr').waitFor()
    await done()
  })
})

describe('on a phone', () => {
  it('the payer is sent to the wallet, and finds the result when they come back', async () => {
    const { order, url } = await placed()
    const { page, problems, close: done } = await openPage(browser, ON_ANDROID)
    await page.goto(url)
    await page.getByRole('button', { name: '微信支付' }).click()
    const jump = page.getByRole('link', { name: '打开微信支付付款' })
    await jump.waitFor()
    const [attempt] = await attemptsOf(order)
    expect(await jump.getAttribute('href')).toBe(attempt?.pay_url)
    await pay(gateway.demo, order, attempt?.attempt_no ?? '')
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
    await sees(page, '支付成功')
    expect(problems()).toEqual([])
    await done()
  })
})

describe('any payer', () => {
  it('English is a button away and stays; every text changes', async () => {
    const { url } = await placed()
    const { page, close: done } = await openPage(browser)
    await page.goto(url)
    await page.getByRole('button', { name: 'English' }).click()
    await sees(page, 'Choose how to pay')
    await page.reload()
    await sees(page, 'Choose how to pay')
    const body = await page.locator('body').innerText()
    expect(body.replace('中文', '').replace('演示商户', '').replace('测试订单', '')).not.toMatch(/\p{Script=Han}/u)
    await done()
  })

  it('can use it with a keyboard alone', async () => {
    const { order, url } = await placed()
    const { page, close: done } = await openPage(browser)
    await page.goto(url)
    const focused = (): Promise<string> => page.evaluate('document.activeElement?.textContent ?? ""')
    for (let presses = 0; presses < 5 && (await focused()) !== '微信支付'; presses += 1)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.qr').waitFor()
    expect(await focused()).toBe('微信支付')
    expect(await attemptsOf(order)).toHaveLength(1)
    // Pressed again, what is shown already is gone to.
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement?.querySelector(".qr") !== null')).toBe(true)
    expect(await attemptsOf(order)).toHaveLength(1)
    await done()
  })

  it('keeps the focus while the code is fetched, and reads aloud what comes of it', async () => {
    const { url } = await placed()
    const { page, close: done } = await openPage(browser)
    const answers: (() => Promise<void>)[] = []
    await page.route('**/attempts', (route) => {
      const isFirst = answers.length === 0
      answers.push(() => (isFirst ? route.fulfill({ status: 502, json: {} }) : route.continue()))
    })
    await page.goto(url)
    const said = page.locator('#ways [role="status"]')
    // Listeners are bound to this element, so the page never replaces it.
    const element = await said.elementHandle()
    const wechat = page.getByRole('button', { name: '微信支付' })
    await wechat.focus()
    await page.keyboard.press('Enter')
    await said.filter({ hasText: '正在获取付款码…' }).waitFor()
    expect(await wechat.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true)
    await answers[0]?.()
    await said.filter({ hasText: '这种付款方式暂时不可用，请换一种或稍后再试。' }).waitFor()
    const retry = page.getByRole('button', { name: '重试' })
    await retry.focus()
    await page.keyboard.press('Enter')
    await said.filter({ hasText: '正在获取付款码…' }).waitFor()
    expect(await wechat.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true)
    await answers[1]?.()
    await said.filter({ hasText: '请用微信支付扫描二维码付款' }).waitFor()
    expect(await element?.evaluate((one) => one.isConnected)).toBe(true)
    expect(await accessibility(page)).toEqual([])
    await done()
  })

  it.each([
    ['a phone', 'light', PHONE],
    ['a phone', 'dark', PHONE],
    ['a desktop', 'light', DESKTOP],
    ['a desktop', 'dark', DESKTOP],
  ] as const)(
    'on %s in %s mode nothing is out of reach, and nothing overflows',
    async (_where, colorScheme, device) => {
      const long = '很长的商品名称'.repeat(18)
      const open = await placed({ description: long.slice(0, 128) })
      const closed = await placed()
      await close(gateway.demo, closed.order)
      const { page, problems, close: done } = await openPage(browser, { ...device, colorScheme })
      for (const url of [open.url, closed.url]) {
        await page.goto(url)
        if (url === open.url) {
          await page.getByRole('button', { name: '微信支付' }).click()
          await page.locator('.qr').waitFor()
        }
        expect(await accessibility(page)).toEqual([])
        expect(await overflow(page)).toBeLessThanOrEqual(0)
      }
      expect(problems()).toEqual([])
      await done()
    },
  )
})

describe('the link', () => {
  it('with a wrong ending leads nowhere, and neither does another order under it', async () => {
    const [one, two] = [await placed(), await placed()]
    const wrong = `${one.url.slice(0, -1)}${one.url.endsWith('A') ? 'B' : 'A'}`
    const swapped = one.url.replace(one.order, two.order)
    for (const url of [wrong, swapped, one.url.replace(/[^/]+$/, ''), `${wrong}/state`, `${wrong}/events`]) {
      const response = await fetch(url)
      expect(response.status).toBe(404)
      expect(await response.text()).toBe('没有这个地址 (no such path)\n')
    }
    expect((await fetch(`${wrong}/attempts`, { method: 'POST', body: '{}' })).status).toBe(404)
  })

  it('that is wrong or torn shows a payer a page in both languages, which says what the link looks like', async () => {
    const { url } = await placed()
    const wrong = `${url.slice(0, -1)}${url.endsWith('A') ? 'B' : 'A'}`
    const { page, close: done } = await openPage(browser, PHONE)
    const shown: Record<string, Set<string>> = { short: new Set(), wrong: new Set() }
    for (const [lost, why] of [
      [wrong, 'wrong'],
      [`${wrong}/payer/wechat`, 'wrong'],
      [url.slice(0, -5), 'short'],
      [url.replace(/\/[^/]+$/, ''), 'short'],
    ] as const) {
      expect((await page.goto(lost))?.status()).toBe(404)
      await page.getByRole('heading', { name: '链接无效' }).waitFor()
      await page.getByRole('heading', { name: 'This link does not work' }).waitFor()
      expect(await page.locator('.why:visible').count()).toBe(2)
      shown[why]?.add(await page.locator('main').innerText())
    }
    // The same words for every mistake of one form, and others for another form.
    expect([shown.short?.size, shown.wrong?.size]).toEqual([1, 1])
    expect(shown.short).not.toEqual(shown.wrong)
    expect(await accessibility(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    await done()
  })

  it('is answered with a policy that lets in nothing from elsewhere', async () => {
    const { headers } = await fetch((await placed()).url)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('strict-origin')
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a number', '{"channel":1,"method":"native"}'],
    ['a name that objects have', '{"channel":"constructor","method":"native"}'],
  ])('answers a way to pay that is %s with 400, and opens nothing', async (_what, body) => {
    const { order, url } = await placed()
    expect((await fetch(`${url}/attempts`, { method: 'POST', body })).status).toBe(400)
    expect(await attemptsOf(order)).toEqual([])
  })

  it('opens no way that a page cannot start, and none for a closed order', async () => {
    const { order, url } = await placed()
    const ask = async (method: string): Promise<number> =>
      (await fetch(`${url}/attempts`, { method: 'POST', body: JSON.stringify({ channel: 'wechat', method }) })).status
    expect([await ask('jsapi'), await ask('app'), await ask('x')]).toEqual([401, 404, 404])
    await close(gateway.demo, order)
    expect(await ask('native')).toBe(409)
    expect(await attemptsOf(order)).toEqual([])
  })

  it('of a paid order says so at once', async () => {
    const { order, url } = await placed()
    await pay(gateway.demo, order, (await openAttempt(gateway.demo, order)) ?? '')
    const state = (await (await fetch(`${url}/state`)).json()) as Record<string, string | null>
    expect(state).toMatchObject({ phase: 'paid', amount: '12.50', extra: null })
    expect(Object.keys(state).sort()).toEqual(
      ['amount', 'description', 'expires_at', 'extra', 'merchant', 'now', 'paid_at', 'phase', 'transaction_no'].sort(),
    )
  })

  it('holds no place for a payer who left before the first answer', async () => {
    const { url } = await placed()
    const { port, pathname } = new URL(url)
    const leaver = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(`GET ${pathname}/events HTTP/1.1\r\nhost: x\r\n\r\n`, () => socket.destroy())
        })
        socket.on('close', () => resolve())
      })
    for (let round = 0; round < 6; round += 1) await Promise.all(Array.from({ length: 10 }, leaver))
    // One round behind them all, so that what they left has been dealt with.
    await fetch(`${url}/state`)
    const leaving = new AbortController()
    const look = () => fetch(`${url}/events`, { signal: leaving.signal })
    await expect.poll(async () => (await look()).status).toBe(200)
    const streams = await Promise.all(Array.from({ length: 9 }, look))
    expect(streams.map(({ status }) => status)).toEqual(Array(9).fill(200))
    leaving.abort()
  })

  it('is looked at by ten at once; the eleventh asks by itself', async () => {
    const { url } = await placed()
    const leaving = new AbortController()
    const streams = await Promise.all(
      Array.from({ length: 11 }, () => fetch(`${url}/events`, { signal: leaving.signal })),
    )
    expect(streams.map(({ status }) => status).sort()).toEqual([...Array(10).fill(200), 429])
    leaving.abort()
  })
})

it('says on each of its pages that it is a sandbox, in a band above all else', async () => {
  const { url } = await placed()
  for (const address of [url, `${gateway.demo.baseUrl}/cashier/pay`, `${gateway.demo.baseUrl}/console/`]) {
    const { page, close: done } = await openPage(browser)
    await page.goto(address)
    const shown = await page.evaluate(
      `(() => { const { content, display } = getComputedStyle(document.body, '::before'); return content + display })()`,
    )
    expect(shown, address).toMatch(/沙箱模式：没有真实资金.*Sandbox: no real money moves here.*block$/)
    expect(await overflow(page), address).toBe(0)
    await done()
  }
})

const root = path.resolve(import.meta.dirname, '../apps/cashier/dist')

it('is kept by browsers for a year where its name holds a hash, and for five minutes where other pages include it by name', async () => {
  const kept = async (file: string) =>
    (await fetch(`${gateway.demo.baseUrl}/cashier/${file}`)).headers.get('cache-control')
  const hashed = readdirSync(path.join(root, 'assets'))
    // Compressed copies are sent in the place of the files, and have no address.
    .filter((name) => !/\.(?:br|gz)$/.test(name))
    .map((name) => `assets/${name}`)
  expect(hashed.length).toBeGreaterThan(0)
  for (const file of hashed) expect(await kept(file), file).toBe('public, max-age=31536000, immutable')
  expect(await kept('host.js')).toBe('public, max-age=300')
})

it('all pages and scripts of the cashier are less than 28 kB, so that 60 kB have room for the largest picture of a shop', () => {
  const sizes = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:br|gz)$/.test(entry.name))
    .map(({ parentPath, name }) => brotliCompressSync(readFileSync(path.join(parentPath, name))).length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(28_000)
})

describe('scripts of the cashier', () => {
  const textAt = async (address: string): Promise<string> => (await fetch(gateway.gateway.url + address)).text()
  const digestOf = (text: string): string => `sha384-${createHash('sha384').update(text).digest('base64')}`

  it('are listed with their purpose and the digest of what is sent, and every tag of a page names it', async () => {
    const listed = JSON.parse(await textAt('/cashier/scripts.json')) as {
      file: string
      purpose: string
      integrity: string
    }[]
    expect(listed).toHaveLength(6)
    for (const { file, purpose, integrity } of listed) {
      expect([file, digestOf(await textAt(file))]).toEqual([file, integrity])
      expect(purpose).toMatch(/^\w/)
    }
    const { url } = await placed()
    const html = await (await fetch(url)).text()
    const tags = html.match(/<(script|link)[^>]*(\.js|\.css)"[^>]*>/g) ?? []
    expect(tags).toHaveLength(4)
    for (const tag of tags) {
      const [, file = ''] = /(?:src|href)="([^"]+)"/.exec(tag) ?? []
      expect(tag).toContain(`integrity="${digestOf(await textAt(file))}"`)
    }
  })

  it.each([/assets\/index-.*\.js$/, /assets\/texts-.*\.js$/])(
    'that were changed on the way (%s) are not run',
    async (which) => {
      const { url } = await placed()
      const { page, problems, close: done } = await openPage(browser)
      await page.route(which, async (route) => {
        const response = await route.fetch()
        await route.fulfill({ response, body: `document.title = 'stolen';${await response.text()}` })
      })
      await page.goto(url)
      await expect.poll(() => problems().join()).toMatch(/integrity/i)
      expect(await page.title()).toBe('收银台 · Cashier')
      await done()
    },
  )

  it('of other sites can be held to their digest: the host script may be read by everyone', async () => {
    const response = await fetch(`${gateway.gateway.url}/cashier/host.js`)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })
})
