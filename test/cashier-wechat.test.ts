/** Paying inside WeChat: its browser is Chromium under WeChat's name, and its payment sheet is the test. */
import './support/only-long.ts'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chooseMethod } from '../apps/server/src/actions/payment/choose-method.ts'
import { ON_ANDROID, openBrowser, openPage } from './support/browser.ts'
import { call, orderParams, pay } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const IN_WECHAT = { ...ON_ANDROID, userAgent: `${ON_ANDROID.userAgent} MicroMessenger/8.0.50` }
const HOUR = 3_600_000

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

let test: TestWorld
beforeEach(async () => {
  test = await testWorld()
})
afterEach(() => test.stop())

const placed = async (more = {}): Promise<{ order: string; url: string }> => {
  const { data } = await call(test.demo, { method: 'POST', path: 'trade', params: orderParams(test.demo, more) })
  return { order: data.transaction_no ?? '', url: data.cashier_url ?? '' }
}

type AttemptRow = { attempt_no: string; method: string; open_id: string | null; pay_url: string }
const attemptsOf = async (order: string): Promise<AttemptRow[]> =>
  (
    await test.database.pool.query<AttemptRow>(
      'select attempt_no, method, open_id, pay_url from attempt where transaction_no = $1 order by created_at, attempt_no',
      [order],
    )
  ).rows

const sees = (page: Page, text: string): Promise<void> => page.getByText(text, { exact: true }).first().waitFor()

type Sheet = (verb: string, what: Record<string, string>) => Promise<'ok' | 'cancel' | 'fail'>

/** A page in WeChat; what its payment sheet is shown with goes to `sheet`, which says how it ends. */
async function openInWechat(sheet: Sheet) {
  const opened = await openPage(browser, IN_WECHAT)
  await opened.page.exposeFunction('sheet', sheet)
  await opened.page.addInitScript(`window.WeixinJSBridge = {
    invoke: (verb, what, answer) =>
      window.sheet(verb, what).then((end) => answer({ err_msg: 'get_brand_wcpay_request:' + end })),
  }`)
  return opened
}

/** The page hears nothing by itself while the test holds the clock; this is the payer coming back to it. */
const look = (page: Page): Promise<void> => page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')

describe('inside WeChat', () => {
  it('the payer presses once, is known without being asked, pays in the sheet, and the page turns', async () => {
    const { order, url } = await placed()
    const shown: Record<string, string>[] = []
    const { page, problems, close } = await openInWechat(async (verb, what) => {
      expect(verb).toBe('getBrandWCPayRequest')
      shown.push(what)
      const [attempt] = await attemptsOf(order)
      await pay(test.demo, order, attempt?.attempt_no ?? '')
      return 'ok'
    })
    await page.goto(url)
    expect(await page.getByRole('button', { name: '支付宝' }).count()).toBe(0)
    await page.getByRole('button', { name: '微信支付' }).click()
    await sees(page, '支付成功')
    expect(await attemptsOf(order)).toMatchObject([{ method: 'jsapi', open_id: 'o-sandbox-payer-in-wechat' }])
    expect(shown).toMatchObject(
      [{ appId: 'wx0000000000000001', signType: 'RSA', package: /^prepay_id=wx/ }].map(asText),
    )
    expect(new URL(page.url()).hash).toBe('')
    expect(problems()).toEqual([])
    await close()
  })

  it('a payer who leaves the sheet can open it again, and it is the same attempt', async () => {
    const { order, url } = await placed()
    const ends: ('cancel' | 'ok')[] = ['cancel', 'ok']
    const { page, close } = await openInWechat(async () => {
      const end = ends.shift() ?? 'cancel'
      if (end === 'ok') await pay(test.demo, order, (await attemptsOf(order))[0]?.attempt_no ?? '')
      return end
    })
    await page.goto(url)
    await page.getByRole('button', { name: '微信支付' }).click()
    await page.getByRole('button', { name: '打开微信支付付款' }).click()
    await sees(page, '支付成功')
    expect(await attemptsOf(order)).toHaveLength(1)
    await close()
  })

  it('a sheet that WeChat refuses is said to be unavailable, and can be tried again', async () => {
    const { url } = await placed()
    const { page, close } = await openInWechat(async () => 'fail')
    await page.goto(url)
    await page.getByRole('button', { name: '微信支付' }).click()
    await sees(page, '这种付款方式暂时不可用，请换一种或稍后再试。')
    await page.getByRole('button', { name: '重试' }).waitFor()
    await close()
  })

  it('a payer WeChat does not name is told so, and nothing is opened for them', async () => {
    const { order, url } = await placed()
    const { page, close } = await openInWechat(async () => 'ok')
    // The way back without having gone: a code that is none, and a state that this tab never made.
    await page.goto(`${url}/payer/wechat/back?code=x&state=0123456789abcdef`)
    await sees(page, '这种付款方式暂时不可用，请换一种或稍后再试。')
    expect(await attemptsOf(order)).toEqual([])
    await page.getByRole('button', { name: '重试' }).click()
    await page.getByRole('button', { name: '打开微信支付付款' }).waitFor()
    expect(await attemptsOf(order)).toHaveLength(1)
    await close()
  })

  it('another payer cannot be slipped in: a sign-in that this tab did not begin counts for nothing', async () => {
    const { order, url } = await placed()
    const { page, close } = await openInWechat(async () => 'ok')
    const payer = test.world.secrets
      .seal(`cashier payer/${test.demo.mchNo}/${order}/wechat`, 'o-another-payer')
      .toString('base64url')
    await page.goto(`${url}#${new URLSearchParams({ payer_of: 'wechat', state: '0123456789abcdef', payer })}`)
    await sees(page, '这种付款方式暂时不可用，请换一种或稍后再试。')
    expect(await attemptsOf(order)).toEqual([])
    await close()
  })

  it('where the account has no secret the page says how to go on', async () => {
    const { channelOf } = test.world
    test.world.channelOf = async (mchNo, name) => {
      const channel = await channelOf(mchNo, name)
      return channel && { ...channel, signIn: null }
    }
    const { url } = await placed()
    const { page, close } = await openPage(browser, IN_WECHAT)
    await page.goto(url)
    await sees(page, '请点击右上角“···”，选择“在浏览器打开”后付款。')
    expect((await fetch(`${url}/payer/wechat?state=0123456789abcdef`)).status).toBe(404)
    await close()
  })
})

const asText = ({ package: lent, ...rest }: { package: RegExp; appId: string; signType: string }) => ({
  ...rest,
  package: expect.stringMatching(lent),
})

describe('the sign-in', () => {
  const STATE = 'state0123456789abcdef'
  const back = async (url: string): Promise<URLSearchParams> => {
    const toWechat = await fetch(`${url}/payer/wechat?state=${STATE}`, { redirect: 'manual' })
    expect(toWechat.status).toBe(302)
    const toUs = await fetch(toWechat.headers.get('location') ?? '', { redirect: 'manual' })
    const toPage = await fetch(toUs.headers.get('location') ?? '', { redirect: 'manual' })
    const page = toPage.headers.get('location') ?? ''
    expect(page.split('#')[0]).toBe(url)
    // The code can be used once: the second time it names no payer.
    const again = await fetch(toUs.headers.get('location') ?? '', { redirect: 'manual' })
    expect(again.headers.get('location')).not.toContain('payer=')
    return new URLSearchParams(page.split('#')[1])
  }
  const ask = async (url: string, payer: string | null): Promise<number> => {
    const body = JSON.stringify({ channel: 'wechat', method: 'jsapi', payer })
    return (await fetch(`${url}/attempts`, { method: 'POST', body })).status
  }

  it('names the payer for this order alone, sealed: neither another order nor a changed letter opens a way', async () => {
    const [one, two] = [await placed(), await placed()]
    const said = await back(one.url)
    expect(said.get('state')).toBe(STATE)
    const payer = said.get('payer') ?? ''
    expect(payer).not.toContain('sandbox')
    const changed = `${payer.slice(0, 8)}${payer[8] === 'x' ? 'y' : 'x'}${payer.slice(9)}`
    expect(
      await Promise.all([ask(two.url, payer), ask(one.url, changed), ask(one.url, null), ask(one.url, '')]),
    ).toEqual([401, 401, 401, 401])
    expect(await attemptsOf(one.order)).toEqual([])
    expect(await ask(one.url, payer)).toBe(200)
  })

  it.each(['', 'short', 'x'.repeat(65), '<script>0123456789abcdef'])('with the state %j is refused', async (state) => {
    const { url } = await placed()
    for (const path of ['payer/wechat', 'payer/wechat/back']) {
      const response = await fetch(`${url}/${path}?${new URLSearchParams({ state })}`, { redirect: 'manual' })
      expect(response.status).toBe(400)
    }
  })

  it('is there for no channel that has none, and for no browser without the link', async () => {
    const { url } = await placed()
    const wrong = `${url.slice(0, -1)}${url.endsWith('A') ? 'B' : 'A'}`
    const paths = [
      `${url}/payer/alipay`,
      `${url}/payer/constructor`,
      `${wrong}/payer/wechat`,
      `${wrong}/payer/wechat/back`,
    ]
    for (const path of paths) expect((await fetch(`${path}?state=${STATE}`)).status).toBe(404)
  })

  it('leaves neither code nor secret nor payer in the log, also when it fails', async () => {
    const { url } = await placed()
    const payer = (await back(url)).get('payer') ?? ''
    const lines = JSON.stringify(test.logged())
    expect(lines).toContain('a payer could not be known')
    for (const secret of [payer, 'o-sandbox-payer', 'secret=', 'code=']) expect(lines).not.toContain(secret)
  })
})

describe('a way to pay', () => {
  const wayOf = (order: string, openId: string) =>
    chooseMethod(
      test.world,
      { mchNo: test.demo.mchNo, transactionNo: order },
      { channel: 'wechat', method: 'jsapi', payer: { returnUrl: null, payerIp: null, openId } },
    )

  it('that was opened for one payer is shown again to that payer and to no other', async () => {
    const { order } = await placed()
    const [mine, again, theirs] = [await wayOf(order, 'o-1'), await wayOf(order, 'o-1'), await wayOf(order, 'o-2')]
    const no = (way: typeof mine): string => (way.kind === 'started' ? way.attempt.attemptNo : way.kind)
    expect(no(again)).toBe(no(mine))
    expect(no(theirs)).not.toBe(no(mine))
    expect((await attemptsOf(order)).map(({ open_id }) => open_id).sort()).toEqual(['o-1', 'o-2'])
  })

  it('of WeChat Pay ends after two hours although the order lives longer: the page says so and gets another', async () => {
    const { order, url } = await placed({ time_expire: '2026-03-01T20:00:00+08:00' })
    const { page, problems, close } = await openPage(browser)
    await page.goto(url)
    await page.getByRole('button', { name: '微信支付' }).click()
    await page.locator('.qr').waitFor()
    test.advance(2 * HOUR - 60_000)
    await look(page)
    expect(await page.locator('.qr').count()).toBe(1)
    test.advance(60_000)
    await look(page)
    await sees(page, '付款码已失效，请重新获取。')
    expect(await page.locator('.qr').count()).toBe(0)
    await page.getByRole('button', { name: '重试' }).click()
    await page.locator('.qr').waitFor()
    const attempts = await attemptsOf(order)
    expect(attempts).toHaveLength(2)
    // A payer who began in time can pay both; only one payment is kept.
    for (const { attempt_no } of attempts) await pay(test.demo, order, attempt_no)
    await test.runJobs()
    const { rows } = await test.database.pool.query('select fate from payment order by fate')
    expect(rows).toEqual([{ fate: 'keep' }, { fate: 'reverse' }])
    expect(problems()).toEqual([])
    await close()
  })

  it("on a telephone leads to WeChat Pay's page with where we are from, and where to come back to", async () => {
    const { order, url } = await placed()
    const { page, close } = await openPage(browser, ON_ANDROID)
    await page.goto(url)
    await page.getByRole('button', { name: '微信支付' }).click()
    const jump = page.getByRole('link', { name: '打开微信支付付款' })
    const target = new URL((await jump.getAttribute('href')) ?? '')
    expect(target.searchParams.get('redirect_url')).toBe(url)
    expect((await attemptsOf(order))[0]?.pay_url).toBe(target.href)
    const asked = page.waitForRequest((request) => request.url().startsWith('https://wx.tenpay.com/'))
    await jump.click().catch(() => {})
    expect((await (await asked).allHeaders()).referer).toBe(`${new URL(url).origin}/`)
    await close()
  })
})
