/** The cashier's decisions, without a browser: amounts and times, methods by device, what the page says and answers. */
import { describe, expect, it } from 'vitest'
import { readAttempt } from './attempt-answer.ts'
import { countdown, money, time } from './format.ts'
import { endOf, leftAt, originsIn, PENDING, replyTo, UNREACHABLE } from './host/outcomes.ts'
import { languageOf } from './language.ts'
import { deviceOf, insteadOf, methodFor } from './methods.ts'
import { isFinal, type Order } from './order.ts'
import { keyOf, linesOf } from './status-lines.ts'
import { en } from './texts.en.ts'
import { zh } from './texts.zh.ts'
import { alipaySheetEndOf, cameBackOf, sheetEndOf } from './wallet-answers.ts'

const PHASES = ['open', 'closing', 'closed', 'expired', 'paid', 'refunded', 'returning', 'returned'] as const

describe('an amount and a time', () => {
  it.each([
    ['0.01', '¥0.01'],
    ['999.99', '¥999.99'],
    ['1234.50', '¥1,234.50'],
    ['999999.99', '¥999,999.99'],
    ['1000000.00', '¥1,000,000.00'],
  ])('%s yuan is shown as %s', (yuan, shown) => {
    expect(money(yuan)).toBe(shown)
  })

  it('is China’s, on any device and over the ends of a year', () => {
    expect(time('2025-12-31T16:00:00Z')).toBe('2026-01-01 00:00:00')
    expect(time('2026-03-01T15:59:59.999Z')).toBe('2026-03-01 23:59:59')
  })

  it.each([
    [-1, '00:00'],
    [0, '00:00'],
    [1, '00:01'],
    [1000, '00:01'],
    [1001, '00:02'],
    [59_000, '00:59'],
    [59_001, '01:00'],
    [3_599_000, '59:59'],
    [3_600_000, '1:00:00'],
    [3_909_000, '1:05:09'],
    [86_400_000, '24:00:00'],
  ])('%i ms are left as %s', (ms, shown) => {
    expect(countdown(ms)).toBe(shown)
  })
})

const AGENTS = {
  wechat: 'Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36 MicroMessenger/8.0',
  'wechat on a computer': 'Mozilla/5.0 (Windows NT 10.0) WindowsWechat micromessenger/7.0',
  alipay: 'Mozilla/5.0 (iPhone) AppleWebKit Mobile AlipayClient/10.5',
  'alipay on a computer': 'Mozilla/5.0 (Windows NT 10.0) alipayclient/10.5',
  android: 'Mozilla/5.0 (Linux; Android 14; Pixel) Chrome/120 Safari/537.36',
  iphone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)',
  ipod: 'Mozilla/5.0 (iPod touch)',
  harmony: 'Mozilla/5.0 (HarmonyOS; Phone)',
  mobile: 'Opera Mobile',
  computer: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/120 Safari/537.36',
}

/** By hand: device, then the method for WeChat and for Alipay where each has all of its own, and what follows a refusal. */
const METHODS = `
wechat               jsapi  -
wechat on a computer jsapi  -
alipay               -      h5
alipay on a computer -      h5
android              h5     h5
iphone               h5     h5
ipod                 h5     h5
harmony              h5     h5
mobile               h5     h5
computer             native native
`

describe('the way to pay', () => {
  it('fits the device; a wallet’s browser opens no other wallet', () => {
    const rows = Object.entries(AGENTS).map(([name, agent]) => {
      const device = deviceOf(agent)
      const wechat = methodFor(device, 'wechat', ['native', 'h5', 'jsapi', 'app']) ?? '-'
      const alipay = methodFor(device, 'alipay', ['native', 'page', 'h5', 'app']) ?? '-'
      return `${name.padEnd(20)} ${wechat.padEnd(6)} ${alipay}`
    })
    expect(rows.join('\n')).toBe(METHODS.trim())
  })

  it('is the next best that the merchant has', () => {
    const [phone, computer, wechat] = [AGENTS.android, AGENTS.computer, AGENTS.wechat].map(deviceOf) as [
      ReturnType<typeof deviceOf>,
      ReturnType<typeof deviceOf>,
      ReturnType<typeof deviceOf>,
    ]
    expect(methodFor(phone, 'alipay', ['page', 'native'])).toBe('page')
    expect(methodFor(phone, 'alipay', ['native'])).toBe('native')
    expect(methodFor(computer, 'alipay', ['h5', 'page'])).toBe('page')
    expect(methodFor(computer, 'wechat', ['h5'])).toBe('h5')
    expect(methodFor(computer, 'wechat', ['jsapi', 'app'])).toBeNull()
    expect(methodFor(wechat, 'wechat', ['h5', 'native'])).toBeNull()
    expect(methodFor(wechat, 'alipay', ['jsapi'])).toBeNull()
    expect(methodFor(deviceOf(AGENTS.alipay), 'alipay', ['native', 'h5', 'page', 'jsapi', 'app'])).toBe('jsapi')
    expect(methodFor(deviceOf(AGENTS.alipay), 'alipay', ['native', 'page'])).toBe('page')
    expect(methodFor(phone, 'wechat', [])).toBeNull()
  })

  it('gives way to a code where the upstream refuses the phone’s own, but not inside WeChat', () => {
    const phone = deviceOf(AGENTS.android)
    expect(insteadOf(phone, 'h5', ['h5', 'native'])).toBe('native')
    expect(insteadOf(phone, 'h5', ['h5'])).toBeNull()
    expect(insteadOf(phone, 'native', ['native'])).toBeNull()
    expect(insteadOf(deviceOf(AGENTS.alipay), 'h5', ['h5', 'native'])).toBe('native')
    expect(insteadOf(deviceOf(AGENTS.alipay), 'jsapi', ['native', 'h5', 'jsapi'])).toBe('h5')
    expect(insteadOf(deviceOf(AGENTS.alipay), 'jsapi', ['native', 'jsapi'])).toBeNull()
    expect(insteadOf(deviceOf(AGENTS.wechat), 'jsapi', ['jsapi', 'native'])).toBeNull()
  })
})

describe('the answer to the chosen way', () => {
  it('is a code or link with its end, and the sandbox’s own payer where there is one', () => {
    const body = { pay_url: 'weixin://x', good_until: '2026-03-01T04:00:00Z', sandbox: '/sandbox/x' }
    const ready = { is: 'ready', payUrl: 'weixin://x', goodUntilMs: 1_772_337_600_000, sandbox: '/sandbox/x' }
    expect(readAttempt({ status: 200, body })).toEqual(ready)
    expect(readAttempt({ status: 200, body: { ...body, sandbox: null } })).toEqual({ ...ready, sandbox: null })
    expect(readAttempt({ status: 200, body: { ...body, sandbox: undefined } })).toEqual({ ...ready, sandbox: null })
  })

  it('is asked for again while the upstream is in doubt, and while too many ask', () => {
    expect(readAttempt({ status: 200, body: {} })).toBeNull()
    expect(readAttempt({ status: 200, body: { pay_url: null } })).toBeNull()
    expect(readAttempt({ status: 429, body: {} })).toBeNull()
    expect(readAttempt({ status: 429, body: { error: 'FREQUENCY_LIMIT' } })).toBeNull()
  })

  it('is a trouble otherwise: too many codes, or refused', () => {
    expect(readAttempt({ status: 429, body: { error: 'TOO_MANY_ATTEMPTS' } })).toBe('tooMany')
    for (const status of [400, 401, 404, 409, 500, 502]) {
      expect(readAttempt({ status, body: { pay_url: 'x', error: 'TOO_MANY_ATTEMPTS' } })).toBe('refused')
    }
  })
})

describe('the return from WeChat', () => {
  it('is believed only with the state that this tab began with', () => {
    const hash = '#payer_of=wechat&payer=token%2B1&state=abc'
    expect(cameBackOf(hash, 'abc')).toEqual({ channel: 'wechat', payer: 'token+1' })
    expect(cameBackOf(hash, 'other')).toEqual({ channel: 'wechat', payer: null })
    expect(cameBackOf(hash, null)).toEqual({ channel: 'wechat', payer: null })
    expect(cameBackOf('#payer_of=wechat&payer=x', null)).toEqual({ channel: 'wechat', payer: null })
    expect(cameBackOf('#payer_of=wechat&state=abc', 'abc')).toEqual({ channel: 'wechat', payer: null })
    for (const other of ['', '#', '#payer=x&state=abc', '#top']) expect(cameBackOf(other, 'abc')).toBeNull()
  })

  it('from its payment sheet is done, left or failed by WeChat’s own words', () => {
    expect(sheetEndOf('get_brand_wcpay_request:ok')).toBe('done')
    expect(sheetEndOf('get_brand_wcpay_request:cancel')).toBe('left')
    for (const said of ['get_brand_wcpay_request:fail', '', 'ok', ':okay', 'get_brand_wcpay_request:ok no']) {
      expect(sheetEndOf(said)).toBe('failed')
    }
    expect(['9000', '8000', '6004'].map(alipaySheetEndOf)).toEqual(['done', 'done', 'done'])
    expect(alipaySheetEndOf('6001')).toBe('left')
    expect(['4000', '5000', '6002', '', '9', 'x'].map(alipaySheetEndOf)).toEqual(
      Array.from({ length: 6 }, () => 'failed'),
    )
  })
})

describe('an order has ended for the page', () => {
  it('when it is paid, refunded or returned and nothing is on its way back; a closed one may still get a late payment', () => {
    const order = (phase: string, extra: string | null): Order => ({ phase, extra }) as Order
    expect(PHASES.filter((phase) => isFinal(order(phase, null)))).toEqual(['paid', 'refunded', 'returned'])
    expect(PHASES.filter((phase) => isFinal(order(phase, 'returned')))).toEqual(['paid', 'refunded', 'returned'])
    expect(PHASES.filter((phase) => isFinal(order(phase, 'returning')))).toEqual([])
  })
})

describe('what the payer reads', () => {
  const read = (...[phase, extra, isConnected, says]: [Order['phase'], Order['extra'], boolean, typeof zh]) =>
    linesOf({ phase, extra }, isConnected, says).map(({ name, className, text, isHidden }) =>
      [name, className, text, isHidden ? 'hidden' : 'read'].join('|'),
    )

  it('is nothing while the order is open: the countdown is a timer of its own, which no screen reader repeats', () => {
    expect(read('open', null, true, zh)).toEqual([])
  })

  it('is a mark, what happened and what that means, for each end', () => {
    const marks = Object.fromEntries(PHASES.slice(1).map((phase) => [phase, read(phase, null, true, zh)[0]]))
    expect(marks).toEqual({
      closing: 'div|mark-big|…|hidden',
      closed: 'div|mark-big|×|hidden',
      expired: 'div|mark-big|×|hidden',
      paid: 'div|mark-big|✓|hidden',
      refunded: 'div|mark-big|↩|hidden',
      returning: 'div|mark-big|↩|hidden',
      returned: 'div|mark-big|↩|hidden',
    })
    expect(read('closed', null, true, zh).slice(1)).toEqual([
      'h2|sign|订单已关闭|read',
      'p|more|商户已关闭该订单，没有扣款。如需购买请重新下单。|read',
    ])
    expect(read('paid', null, true, zh).slice(1)).toEqual(['h2|sign|支付成功|read', 'p|more|可以返回商户页面。|read'])
  })

  it('names another payment that is sent back, and a lost connection', () => {
    expect(read('paid', 'returning', false, zh).slice(3)).toEqual([
      'p|note|另有一笔款项不属于本订单，正按原路退回。|read',
      'p|note|网络不稳定，正在重新连接…|read',
    ])
    expect(read('open', 'returned', true, zh)).toEqual(['p|note|另有一笔款项不属于本订单，已按原路退回。|read'])
  })

  it('is written again only when something of it changed, the language too', () => {
    const keys = [
      keyOf({ phase: 'paid', extra: null }, true, zh),
      keyOf({ phase: 'open', extra: null }, true, zh),
      keyOf({ phase: 'paid', extra: 'returned' }, true, zh),
      keyOf({ phase: 'paid', extra: null }, false, zh),
      keyOf({ phase: 'paid', extra: null }, true, en),
    ]
    expect(new Set(keys).size).toBe(5)
    expect(keyOf({ phase: 'paid', extra: null }, true, zh)).toBe(keys[0])
  })

  it('is in the language that the device kept, else in the browser’s, else in Chinese', () => {
    expect(languageOf('zh', 'en')).toBe('zh')
    expect(languageOf('en', 'zh-CN')).toBe('en')
    expect(
      ['zh', 'zh-CN', 'ZH-Hant', 'en', 'en-US', 'fr', 'zhx', 'x-zh', '', undefined].map((one) => languageOf(null, one)),
    ).toEqual(['zh', 'zh', 'zh', 'en', 'en', 'en', 'en', 'en', 'zh', 'zh'])
    expect(languageOf('fr', 'en')).toBe('en')
  })
})

describe('what the host script answers the page', () => {
  it('is success only for a paid order, and no answer while it is open or being closed', () => {
    const codes = PHASES.map((phase) => {
      const end = endOf(phase)
      if (end === undefined) return `${phase}: wait`
      return `${phase}: ${'success' in end ? end.success : end.code}`
    })
    expect(codes).toEqual([
      'open: wait',
      'closing: wait',
      'closed: ORDER_CLOSED',
      'expired: ORDER_EXPIRED',
      'paid: true',
      'refunded: ORDER_REFUNDED',
      'returning: ORDER_CLOSED',
      'returned: ORDER_CLOSED',
    ])
    expect(endOf('constructor')).toBeUndefined()
    expect(endOf('')).toBeUndefined()
  })

  it('says what it knows, in Chinese and English', () => {
    const said = ['closed', 'expired', 'returning', 'returned', 'refunded'].map(endOf)
    expect(said.map((one) => one !== undefined && 'message' in one && one.message)).toEqual([
      '订单已关闭 (the order is closed)',
      '订单已过期 (the order has expired)',
      '订单已关闭，款项正在退回 (closed, the money is on its way back)',
      '订单已关闭，款项已退回 (closed, the money was sent back)',
      '订单已退款 (refunded)',
    ])
    expect(PENDING).toEqual({
      code: 'PENDING',
      message: '尚未付款，结果以商户通知为准 (not paid yet, the notification will tell)',
    })
    expect(UNREACHABLE).toEqual({
      code: 'CASHIER_UNREACHABLE',
      message: '收银台没有响应，没有下单 (the cashier did not answer, no order was placed)',
    })
  })

  it('after the payer closed the window is PENDING while the order is being closed, else PAYER_LEFT', () => {
    const left = '付款窗口已关闭，订单未改变 (the payer closed the window, the order is unchanged)'
    expect(leftAt('closing')).toEqual({ code: 'PENDING', message: left })
    for (const phase of ['', 'open', 'closed']) expect(leftAt(phase)).toEqual({ code: 'PAYER_LEFT', message: left })
  })

  it('is the official web SDK’s own message', () => {
    expect(replyTo('u1', { success: true })).toEqual({ cmd: 'payRequest', uid: 'u1', payload: { success: true } })
    expect(replyTo('u1', { code: 'C', message: 'm' })).toEqual({
      cmd: 'payRequest',
      uid: 'u1',
      error: { code: 'C', message: 'm' },
    })
  })

  it('goes to the listed origins only', () => {
    expect([...originsIn(' https://a.example \n\thttps://b.example  ')]).toEqual([
      'https://a.example',
      'https://b.example',
    ])
    expect([...originsIn('')]).toEqual([])
    expect([...originsIn(undefined)]).toEqual([])
  })
})
