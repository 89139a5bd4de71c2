/** What a payer's link answers, without a browser: how the order stands, its events, ways to pay, and who the payer is. */
import type { OpenAnswer, OpenAsk } from '@acopay/channels'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { no, START, t, writeConsoleRows } from './support/console-rows.ts'
import { close, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const STATE = 'S'.repeat(16)

let gateway: TestWorld
const opened: OpenAsk[] = []
const codes: string[] = []
let says: OpenAnswer = { kind: 'opened', payUrl: 'weixin://1' }
beforeAll(async () => {
  gateway = await testWorld({
    start: START,
    upstream: (_real, name) => ({
      methods: ['native', 'jsapi', 'app'],
      payUrlTtlMs: { native: 60_000 },
      open: async (ask) => {
        opened.push(ask)
        return says
      },
      signIn:
        name === 'wechat'
          ? {
              address: ({ returnUrl, state }) => `https://wallet.example/?to=${returnUrl}&state=${state}`,
              payerOf: async (code) => {
                codes.push(code)
                return code === 'good' ? { kind: 'payer', openId: 'payer-1' } : { kind: 'refused', why: 'used' }
              },
            }
          : null,
    }),
  })
  await writeConsoleRows(gateway, gateway.demo.platformPublicKey)
})
afterAll(() => gateway.stop())

const sql = (text: string, values: unknown[] = []) => gateway.database.pool.query(text, values)
const json = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
}

it('an order stands as its state, its time and the money that goes back have it', async () => {
  const set = (number: string, values: string) => sql(`update orders set ${values} where transaction_no = '${number}'`)
  const reversal = (state: string) => sql(`update reversal set state = '${state}' where mch_no = 'MCH-A'`)
  const stands = async (number: string) => (await json(`${gateway.world.cashierUrl('MCH-A', number)}/state`)).body
  const [one, two, three, four] = [1130, 1131, 1132, 1133].map((hhmm) => no('AP', 'A', hhmm)) as [
    string,
    string,
    string,
    string,
  ]
  expect(await stands(one)).toEqual({
    transaction_no: one,
    merchant: '商户A',
    description: 'A 1',
    amount: '12.50',
    phase: 'refunded',
    extra: null,
    expires_at: t('05:30:00'),
    paid_at: t('03:30:40'),
    now: START.toISOString(),
  })
  const said: string[] = []
  const look = async (number: string) => {
    const { phase, extra, paid_at } = await stands(number)
    said.push(`${phase} ${extra} ${paid_at === null ? 'not paid' : 'paid'}`)
  }
  await look(two)
  await look(three)
  // Its time was over ten minutes ago.
  await look(four)
  await set(four, 'attempts = 1')
  await look(four)
  await set(four, `time_expire = '${t('04:00:00')}', attempts = 0`)
  await look(four)
  await set(four, `time_expire = '${t('04:00:00.001')}'`)
  await look(four)
  await set(one, `state = 'SUCCESS'`)
  await look(one)
  await reversal('PROCESSING')
  await look(one)
  await reversal('SUCCESS')
  await look(two)
  await sql(`delete from reversal where mch_no = 'MCH-A'`)
  await look(two)
  await set(two, `close_reason = 'EXPIRED'`)
  await look(two)
  await look(one)
  expect(said).toEqual([
    'returning null not paid',
    'closing null not paid',
    'expired null not paid',
    'closing null not paid',
    'expired null not paid',
    'open null not paid',
    'paid returned paid',
    'paid returning paid',
    'returned null not paid',
    'closed null not paid',
    'expired null not paid',
    'paid null paid',
  ])
})

it('its events tell how it stands, then each change within a second, and nothing while nothing changes', async () => {
  const number = no('AP', 'B', 1131)
  const url = `${gateway.world.cashierUrl('MCH-B', number)}/events`
  const leaving = new AbortController()
  const response = await fetch(url, { signal: leaving.signal })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  const events = async (count: number) => {
    while (text.split('\n\n').length - 1 < count) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`the stream ended: ${text}`)
      text += new TextDecoder().decode(value)
    }
    return text.split('\n\n')
  }
  const [retry, first = ''] = await events(2)
  expect(retry).toBe('retry: 2000')
  expect(JSON.parse(first.replace('data: ', ''))).toMatchObject({
    transaction_no: number,
    merchant: '商户B',
    amount: '11.00',
    phase: 'returning',
    now: START.toISOString(),
  })
  const { transaction_no } = JSON.parse(first.replace('data: ', ''))
  expect(transaction_no).toBe(number)
  await expect.poll(() => gateway.sleeping(1000)).toBe(1)
  // A second in which nothing changes, and one in which it does.
  gateway.advance(1000)
  await expect.poll(() => gateway.sleeping(1000)).toBe(1)
  await sql(`update reversal set state = 'SUCCESS' where mch_no = 'MCH-B'`)
  gateway.advance(1000)
  const second = (await events(3))[2] ?? ''
  expect(JSON.parse(second.replace('data: ', ''))).toMatchObject({ phase: 'returned', now: t('04:00:02') })

  // Ten may look at once; the eleventh asks by itself, and may look once another has left.
  const others = await Promise.all(Array.from({ length: 9 }, () => fetch(url, { signal: leaving.signal })))
  expect(others.map(({ status }) => status)).toEqual(Array(9).fill(200))
  const eleventh = await fetch(url)
  expect(eleventh.status).toBe(429)
  expect(eleventh.headers.get('retry-after')).toBe('5')
  expect(await eleventh.json()).toEqual({ error: 'FREQUENCY_LIMIT' })
  leaving.abort()
  const again = new AbortController()
  await expect
    .poll(async () => {
      const response = await fetch(url, { signal: again.signal })
      if (response.status !== 200) await response.text()
      return response.status
    })
    .toBe(200)
  again.abort()
})

const waysOf = async (number: string) => {
  const url = `${gateway.world.cashierUrl(gateway.demo.mchNo, number)}/attempts`
  return async (body: unknown) =>
    json(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
}

it('a way to pay is opened once, shown again while its code works, and refused in one word', async () => {
  const { demo } = gateway
  const number = await place(demo)
  const ask = await waysOf(number)
  const native = { channel: 'wechat', method: 'native' }
  for (const wrong of ['', '{', 'null', '[]', { channel: 'x', method: 'native' }, { channel: 'wechat' }]) {
    expect(await ask(wrong), JSON.stringify(wrong)).toMatchObject({
      status: 400,
      body: { error: 'FIELD_INVALID', field: 'channel' },
    })
  }
  for (const method of ['app', 'page']) {
    expect(await ask({ ...native, method })).toMatchObject({ status: 404, body: { error: 'UNAVAILABLE' } })
  }
  expect(await ask({ channel: 'alipay', method: 'jsapi' })).toMatchObject({
    status: 404,
    body: { error: 'UNAVAILABLE' },
  })
  await sql(`update app set channels = '{alipay}' where mch_no = $1`, [demo.mchNo])
  expect(await ask(native)).toMatchObject({ status: 404, body: { error: 'UNAVAILABLE' } })
  await sql('update app set channels = null where mch_no = $1', [demo.mchNo])
  expect(opened).toEqual([])

  const first = await ask(native)
  const at = gateway.world.now().getTime()
  expect(first.headers.get('cache-control')).toBe('no-store')
  const [{ attemptNo } = { attemptNo: '' }] = opened
  expect(first.body).toEqual({
    ...native,
    pay_url: 'weixin://1',
    good_until: new Date(at + 60_000).toISOString(),
    sandbox: `/sandbox/${demo.mchNo}/orders/${number}/attempts/${attemptNo}`,
  })
  expect(opened[0]).toMatchObject({
    method: 'native',
    amountFen: 1250n,
    description: '测试订单',
    payerIp: '127.0.0.1',
    openId: null,
    returnUrl: gateway.world.cashierUrl(demo.mchNo, number),
  })
  gateway.advance(59_999)
  expect((await ask(native)).body).toEqual(first.body)
  expect(opened).toHaveLength(1)
  gateway.advance(1)
  says = { kind: 'refused', why: 'NO_AUTH' }
  expect(await ask(native)).toMatchObject({ status: 502, body: { error: 'UPSTREAM_REFUSED' } })
  expect(opened).toHaveLength(2)
  for (let count = 2; count < 20; count += 1) expect((await ask(native)).status).toBe(502)
  expect(await ask(native)).toMatchObject({ status: 429, body: { error: 'TOO_MANY_ATTEMPTS' } })
  expect(opened).toHaveLength(20)
  await close(demo, number)
  const closed = await place(demo)
  await close(demo, closed)
  expect(await (await waysOf(closed))(native)).toMatchObject({ status: 409, body: { error: 'ORDER_CLOSED' } })
})

it('a payer whom the wallet names pays as that payer, with a token for this order alone', async () => {
  const { demo, world } = gateway
  says = { kind: 'opened', payUrl: 'prepay-1' }
  const [number, other] = [await place(demo), await place(demo)]
  const link = world.cashierUrl(demo.mchNo, number)
  const visit = async (path: string) => {
    const response = await fetch(`${link}/${path}`, { redirect: 'manual' })
    const text = await response.text()
    return { status: response.status, to: response.headers.get('location'), headers: response.headers, text }
  }
  for (const state of ['', 'S'.repeat(15), 'S'.repeat(65), `${'S'.repeat(15)}_`]) {
    for (const path of [`payer/wechat?state=${state}`, `payer/wechat/back?code=good&state=${state}`]) {
      const { status, text } = await visit(path)
      expect([status, JSON.parse(text)], path).toEqual([400, { error: 'FIELD_INVALID', field: 'state' }])
    }
  }
  for (const path of [
    `payer/alipay?state=${STATE}`,
    `payer/alipay/back?code=good&state=${STATE}`,
    `payer/x?state=${STATE}`,
  ]) {
    expect((await visit(path)).status, path).toBe(404)
  }
  const begun = await visit(`payer/wechat?state=${STATE}`)
  expect([begun.status, begun.headers.get('cache-control')]).toEqual([302, 'no-store'])
  expect(begun.to).toBe(`https://wallet.example/?to=${link}/payer/wechat/back&state=${STATE}`)
  expect((await visit(`payer/wechat?state=${'S'.repeat(64)}`)).status).toBe(302)

  const fragment = async (code: string) => {
    const { status, to, headers } = await visit(`payer/wechat/back?code=${code}&state=${STATE}`)
    expect([status, headers.get('cache-control')]).toEqual([302, 'no-store'])
    const [page, rest = ''] = (to ?? '').split('#')
    expect(page).toBe(link)
    return Object.fromEntries(new URLSearchParams(rest))
  }
  expect(await fragment('bad')).toEqual({ payer_of: 'wechat', state: STATE })
  expect(codes).toEqual(['bad'])
  for (const code of ['', 'a.b', 'x'.repeat(513)])
    expect(await fragment(code)).toEqual({ payer_of: 'wechat', state: STATE })
  expect(codes).toEqual(['bad'])
  await fragment('x'.repeat(512))
  expect(codes).toHaveLength(2)
  const { payer = '', ...rest } = await fragment('good')
  expect(rest).toEqual({ payer_of: 'wechat', state: STATE })
  expect(payer).toMatch(/^[\w-]{20,}$/)

  const [ask, askOther] = [await waysOf(number), await waysOf(other)]
  const jsapi = { channel: 'wechat', method: 'jsapi' }
  for (const token of [undefined, 1, '', 'x', `${payer}x`.padEnd(1025, 'x'), payer.slice(0, -2)]) {
    expect(await ask({ ...jsapi, payer: token }), String(token)).toMatchObject({
      status: 401,
      body: { error: 'PAYER_UNKNOWN' },
    })
  }
  expect(await askOther({ ...jsapi, payer })).toMatchObject({ status: 401 })
  opened.length = 0
  expect(await ask({ ...jsapi, payer })).toMatchObject({ status: 200, body: { ...jsapi, pay_url: 'prepay-1' } })
  expect(opened).toMatchObject([{ method: 'jsapi', openId: 'payer-1' }])
})

it('a page that is open when the gateway stops holds it up no longer than its last answer', async () => {
  const number = await place(gateway.demo)
  const response = await fetch(`${gateway.world.cashierUrl(gateway.demo.mchNo, number)}/events`)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  const startMs = performance.now()
  const closed = gateway.app.close()
  for (let isOver = false; !isOver; ) isOver = (await reader.read()).done
  await closed
  // A connection that is kept for another request would be waited for, 72 seconds long.
  expect(performance.now() - startMs).toBeLessThan(30_000)
})
