/** The way back to the shop, its picture and colour, the receipt, and links that were bent on their way: without a browser. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addUser, type ConsoleClient, PASSWORD, signedIn } from './support/console.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

/** The smallest PNG there is: one pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const HTML = { accept: 'text/html' }

let gateway: TestWorld
let admin: ConsoleClient
let own: ConsoleClient
let app: string
beforeAll(async () => {
  gateway = await testWorld()
  await addUser(gateway, 'boss', 'platform_admin')
  await addUser(gateway, 'shopkeeper', 'merchant_admin')
  admin = await signedIn(gateway, 'boss')
  own = await signedIn(gateway, 'shopkeeper')
  app = `merchants/${gateway.demo.mchNo}/apps/${gateway.demo.appNo}`
})
afterAll(() => gateway.stop())

const linkOf = (number: string): string => gateway.world.cashierUrl(gateway.demo.mchNo, number)
const get = (url: string, headers: Record<string, string> = {}) => fetch(url, { headers, redirect: 'manual' })

/** What a page holds as JSON in the element of this name. */
async function inPage(url: string, name: 'order' | 'receipt') {
  const html = await (await get(url)).text()
  return JSON.parse(new RegExp(`id="${name}">(.*?)</script>`).exec(html)?.[1] ?? 'null')[name]
}

const appNow = async () => (await own.get(`merchants/${gateway.demo.mchNo}`)).body.apps[0]

describe('the shop of an app', () => {
  it('is set by people who may change the app, and its orders’ pages show it', async () => {
    const number = await place(gateway.demo)
    expect((await inPage(linkOf(number), 'order')).shop).toEqual({
      return_url: null,
      logo: null,
      color: null,
      text_color: null,
    })
    const asked = { return_url: 'https://SHOP.example.com/orders?from=pay', brand_color: '#E1251B', logo: PNG }
    expect((await own.send('PUT', app, asked)).status).toBe(200)
    const { return_url, brand_color, logo } = await appNow()
    expect([return_url, brand_color]).toEqual(['https://shop.example.com/orders?from=pay', '#e1251b'])
    expect(logo).toMatch(new RegExp(`^/cashier/${gateway.demo.mchNo}/logo/${gateway.demo.appNo}/[0-9a-f]{32}$`))
    expect((await inPage(linkOf(number), 'order')).shop).toEqual({
      return_url,
      logo,
      color: brand_color,
      text_color: '#ffffff',
    })
    // What is not named stays, and null or nothing takes a value away.
    expect((await admin.send('PUT', app, { name: '演示' })).status).toBe(200)
    expect(await appNow()).toMatchObject({ return_url, brand_color, logo })
    expect((await admin.send('PUT', app, { brand_color: '', logo: null })).status).toBe(200)
    expect(await appNow()).toMatchObject({ return_url, brand_color: null, logo: null })
    // The answer that any program may ask for is as it was.
    expect(Object.keys((await (await get(`${linkOf(number)}/state`)).json()) as object)).not.toContain('shop')
  })

  it.each<[string, unknown]>([
    ['return_url', 'http://shop.example.com/'],
    ['return_url', 'javascript:alert(1)'],
    ['return_url', 'https://shop.example.com/?state=1'],
    ['return_url', `https://shop.example.com/${'a'.repeat(600)}`],
    ['return_url', 7],
    ['brand_color', 'red'],
    ['brand_color', '#12345'],
    ['brand_color', { toString: 1 }],
    ['logo', 'PHN2Zz4='],
    ['logo', 'A'.repeat(45_000)],
    ['logo', ['x']],
    ['channels', ['nope']],
  ])('with a wrong %s is refused by the field’s name, and nothing is stored', async (field, value) => {
    const before = await appNow()
    const { status, body } = await own.send('PUT', app, { name: '又名', [field]: value })
    expect([status, body.error, body.field]).toEqual([400, 'FIELD_INVALID', field])
    expect([body.message.zh, body.message.en]).toEqual([
      expect.stringContaining(`${field} `),
      expect.stringContaining(`${field} `),
    ])
    expect(await appNow()).toEqual(before)
  })

  it('is written to the audit log with what it was before, and the picture by its digest only', async () => {
    gateway.advance(1)
    await own.send('PUT', app, { return_url: 'http://127.0.0.1:3000/back', logo: PNG })
    const [last] = (await admin.get('audit?action=apps.change')).body.rows
    expect(last).toMatchObject({ username: 'shopkeeper', detail: { fields: ['return_url', 'logo'] } })
    const [changed] = Object.values(last.changes) as { before: object; after: object }[]
    expect(changed?.before).toMatchObject({ returnUrl: 'https://shop.example.com/orders?from=pay', logoDigest: null })
    expect(changed?.after).toMatchObject({
      returnUrl: 'http://127.0.0.1:3000/back',
      logoDigest: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    expect(JSON.stringify(last)).not.toContain(PNG.slice(0, 40))
  })

  it('is changed by nobody who may only look, and not through another merchant', async () => {
    await addUser(gateway, 'watcher', 'merchant_viewer')
    const watcher = await signedIn(gateway, 'watcher')
    expect((await watcher.send('PUT', app, { return_url: 'https://evil.example/' })).status).toBe(403)
    const other = `merchants/MCH404/apps/${gateway.demo.appNo}`
    expect((await own.send('PUT', other, { return_url: 'https://evil.example/' })).status).toBe(403)
  })
})

describe('the way back', () => {
  it('is changed only by a user who proved who they are in the last ten minutes; the colour needs no proof', async () => {
    gateway.advance(10 * 60_000 + 1)
    const before = await appNow()
    const { status, body } = await own.send('PUT', app, { return_url: 'https://evil.example/' })
    expect([status, body.error]).toEqual([403, 'PROOF_NEEDED'])
    expect(await appNow()).toEqual(before)
    expect((await own.send('PUT', app, { brand_color: '#0b5fd3' })).status).toBe(200)
    expect((await own.send('POST', 'session/proof', { password: PASSWORD })).status).toBe(200)
    expect((await own.send('PUT', app, { return_url: null })).status).toBe(200)
  })

  it('leads nowhere that a request names: neither its query, its headers nor its order change it', async () => {
    await own.send('PUT', app, { return_url: 'https://shop.example.com/' })
    const number = await place(gateway.demo, { extra: 'https://evil.example/' })
    const ask = `${linkOf(number)}?return_url=https://evil.example/&redirect=//evil.example&state=paid`
    const response = await get(ask, {
      referer: 'https://evil.example/',
      host: 'evil.example',
      origin: 'https://evil.example',
    })
    const html = await response.text()
    expect(response.status).toBe(200)
    expect(html).toContain('"return_url":"https://shop.example.com/"')
    expect(html).not.toContain('evil.example')
  })

  it('gives the shop our origin as its referrer, and never the order’s link', async () => {
    const { headers } = await get(linkOf(await place(gateway.demo)))
    expect(headers.get('referrer-policy')).toBe('strict-origin')
  })
})

describe('the picture', () => {
  const picture = async (): Promise<string> => {
    await own.send('PUT', app, { logo: PNG })
    return `${gateway.demo.baseUrl}${(await appNow()).logo}`
  }

  it('comes from our own origin as what its bytes are, and can be nothing else there', async () => {
    const response = await get(await picture())
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'public, max-age=31536000, immutable',
    })
    expect(Buffer.from(await response.arrayBuffer()).toString('base64')).toBe(PNG)
    const policy = (await get(linkOf(await place(gateway.demo)))).headers.get('content-security-policy')
    expect(policy).toContain("img-src 'self';")
  })

  it('is gone with another digest, another app or another merchant, in one and the same way', async () => {
    const url = await picture()
    const digest = url.split('/').at(-1) ?? ''
    const answers = await Promise.all(
      [
        url.replace(digest, digest.replace(/./g, '0')),
        url.replace(digest, digest.toUpperCase()),
        url.replace(digest, digest.slice(1)),
        url.replace(`/${gateway.demo.appNo}/`, '/APP404/'),
        url.replace(`/${gateway.demo.mchNo}/`, '/MCH404/'),
        url.replace(digest, "'%20or%201=1"),
        url.replace(digest, '%00'),
      ].map(async (wrong) => {
        const response = await get(wrong)
        return `${response.status} ${await response.text()}`
      }),
    )
    expect(new Set(answers)).toEqual(new Set(['404 没有这个地址 (no such path)\n']))
    await own.send('PUT', app, { logo: null })
    expect((await get(url)).status).toBe(404)
  })
})

describe('the receipt', () => {
  it('of a paid order has what was paid, to whom, when and through which channel, and what went back', async () => {
    const number = await place(gateway.demo, { description: '会员年卡 </script>' })
    await pay(gateway.demo, number, (await openAttempt(gateway.demo, number)) ?? '')
    await expect.poll(async () => (await inPage(`${linkOf(number)}/receipt`, 'receipt')).paid_at).not.toBeNull()
    const receipt = await inPage(`${linkOf(number)}/receipt`, 'receipt')
    expect(receipt).toMatchObject({
      transaction_no: number,
      merchant: '演示商户 Demo',
      description: '会员年卡 </script>',
      amount: '12.50',
      channel: 'wechat',
      refunded: null,
      shop: { return_url: 'https://shop.example.com/' },
    })
    const refund = {
      transaction_no: number,
      refund_amount: '2.50',
      refund_reason: 'x',
      mch_refund_no: `r${'1'.repeat(30)}`,
    }
    await call(gateway.demo, { method: 'POST', path: 'refund', params: refund })
    await expect.poll(async () => (await inPage(`${linkOf(number)}/receipt`, 'receipt')).refunded).toBe('2.50')
  })

  it('of an order that is not paid has nothing of a payment, and a wrong link has no receipt', async () => {
    const number = await place(gateway.demo)
    const receipt = await inPage(`${linkOf(number)}/receipt`, 'receipt')
    expect(receipt).toMatchObject({ channel: null, paid_at: null, refunded: null })
    await close(gateway.demo, number)
    expect(await inPage(`${linkOf(number)}/receipt`, 'receipt')).toMatchObject({ paid_at: null })
    const { headers } = await get(`${linkOf(number)}/receipt`)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect((await get(`${linkOf(number).slice(0, -2)}/receipt`)).status).toBe(404)
  })
})

describe('a link that was bent on its way', () => {
  it.each([
    ['a full stop behind it', (link: string) => `${link}.`],
    ['words behind it', (link: string) => `${link}${encodeURIComponent('，请付款')}`],
    ['an escaped ampersand', (link: string) => `${link}&amp;utm_source=x`],
    ['a blank within', (link: string) => link.replace('/AP', '/%20AP')],
    ['a percent sign that ends in nothing', (link: string) => `${link}%`],
  ])('by %s still leads to its order, and to our own path only', async (_what, bend) => {
    const link = linkOf(await place(gateway.demo))
    const bent = bend(link)
    const response = await get(bent, HTML)
    expect([response.status, response.headers.get('location')]).toEqual([302, new URL(link).pathname])
    // Programs are told as before.
    expect((await get(bent)).status).toBe(404)
  })

  it.each([
    ['cut off', 'short', (link: string) => link.slice(0, -1)],
    ['without its proof', 'short', (link: string) => link.replace(/[^/]+$/, '')],
    ['with a wrong proof', 'wrong', (link: string) => `${link.slice(0, -2)}${link.endsWith('AA') ? 'BB' : 'AA'}`],
    ['with a wrong proof and a full stop', 'extra', (link: string) => `${link.slice(0, -2)}__.`],
    ['with full-width characters in a wrong proof', 'wide', (link: string) => `${link.slice(0, -2)}%EF%BC%A1%EF%BC%A1`],
  ])('%s is told of as %s, without a word of itself', async (_what, why, bend) => {
    const bent = bend(linkOf(await place(gateway.demo)))
    const mark = bent.replace(/%.*|__\.$/, '').slice(-20)
    const response = await get(`${bent}?q=<b>${mark}`, HTML)
    const html = await response.text()
    expect(response.status).toBe(404)
    expect(html).toContain(`data-lost="${why}"`)
    expect(html).not.toContain(mark.slice(0, 8))
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('says the same of an order that is there and of one that is not', async () => {
    const there = linkOf(await place(gateway.demo))
    const wrong = there.replace(/[^/]+$/, 'x'.repeat(43))
    const absent = wrong.replace(/AP\d+/, `AP${'9'.repeat(36)}`)
    const [one, other] = await Promise.all([wrong, absent].map(async (link) => (await get(link, HTML)).text()))
    expect(one).toBe(other)
  })
})

describe('what a payer loads', () => {
  it('is sent compressed to browsers that take it, and plain to others, both kept for a year', async () => {
    const html = await (await get(linkOf(await place(gateway.demo)))).text()
    const [script = ''] = /\/cashier\/assets\/index-[^"]+\.js/.exec(html) ?? []
    const sent = async (encoding: string) => {
      const { headers } = await get(gateway.demo.baseUrl + script, { 'accept-encoding': encoding })
      return [
        headers.get('content-encoding'),
        headers.get('vary'),
        headers.get('cache-control'),
        headers.get('content-type'),
      ]
    }
    const kept = ['accept-encoding', 'public, max-age=31536000, immutable', expect.stringContaining('javascript')]
    expect(await sent('gzip, deflate, br')).toEqual(['br', ...kept])
    expect(await sent('gzip')).toEqual(['gzip', ...kept])
    expect(await sent('identity')).toEqual([null, ...kept])
    const host = await get(`${gateway.demo.baseUrl}/cashier/host.js`, { 'accept-encoding': 'br' })
    expect([host.headers.get('content-encoding'), host.headers.get('cache-control')]).toEqual([
      'br',
      'public, max-age=300',
    ])
    expect((await get(`${gateway.demo.baseUrl}${script}.br`)).status).toBe(404)
  })
})
