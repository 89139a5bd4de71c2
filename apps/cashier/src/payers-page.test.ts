/** The way back, the last minutes, and codes that a telephone opens itself. */
import { describe, expect, it } from 'vitest'
import { deviceOf, opensItself } from './methods.ts'
import { hostOf, returnAddress } from './return-address.ts'
import { announcer, urgencyOf } from './urgency.ts'

const ORDER = { transaction_no: `AP${'1'.repeat(36)}`, phase: 'paid' } as const
const ADDED = `transaction_no=${ORDER.transaction_no}&state=paid`

describe('the way back', () => {
  it.each([
    ['https://shop.example/', `https://shop.example/?${ADDED}`],
    ['https://shop.example/?a=b%20c', `https://shop.example/?a=b%20c&${ADDED}`],
    ['https://shop.example/?', `https://shop.example/?${ADDED}`],
    ['https://shop.example/?a=1&', `https://shop.example/?a=1&${ADDED}`],
    ['https://shop.example/#/orders?x=1', `https://shop.example/?${ADDED}#/orders?x=1`],
    ['https://shop.example/p?a=1#/orders', `https://shop.example/p?a=1&${ADDED}#/orders`],
  ])('%s stays as it is, with the order and its state in the query', (stored, address) => {
    expect(returnAddress(stored, ORDER)).toBe(address)
  })

  it('shows its host, a number of a port too, and a look-alike by its real name', () => {
    expect(hostOf('https://shop.example:8443/a')).toBe('shop.example:8443')
    expect(hostOf('https://аррӏе.example/')).toBe('xn--80ak6aa92e.example')
  })
})

describe('the last minutes', () => {
  it.each([
    [300_001, 'calm'],
    [300_000, 'soon'],
    [60_001, 'soon'],
    [60_000, 'last'],
    [0, 'last'],
  ])('with %i ms left it is %s', (remainingMs, urgency) => {
    expect(urgencyOf(remainingMs)).toBe(urgency)
  })

  it('are read aloud at five minutes and at one, once each, and not after the end', () => {
    const announces = announcer()
    const said = [400_000, 300_000, 299_000, 60_001, 60_000, 59_000, 1000, 0, -1000].map(announces)
    expect(said).toEqual([null, 'soon', null, null, 'last', null, null, null, null])
  })

  it('are read aloud at once to a payer who comes late, and not to one who comes too late', () => {
    expect(announcer()(45_000)).toBe('last')
    expect(announcer()(0)).toBeNull()
  })
})

describe('a code for scanning', () => {
  const code = 'https://qr.alipay.com/bax'
  const [phone, computer, inWechat, inAlipay] = [
    'Mozilla/5.0 (Linux; Android 14)',
    'Mozilla/5.0 (X11; Linux x86_64)',
    'Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0',
    'Mozilla/5.0 (Windows NT 10.0) AlipayClient/10.5',
  ].map(deviceOf) as [
    ReturnType<typeof deviceOf>,
    ReturnType<typeof deviceOf>,
    ReturnType<typeof deviceOf>,
    ReturnType<typeof deviceOf>,
  ]

  it('is opened by the telephone itself where it is an address of Alipay', () => {
    expect([phone, inAlipay, computer, inWechat].map((device) => opensItself(device, 'alipay', code))).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(opensItself(phone, 'alipay', 'https://qr.alipay.com.evil.example/')).toBe(false)
    expect(opensItself(phone, 'wechat', 'weixin://wxpay/bizpayurl?pr=1')).toBe(false)
    expect(opensItself(phone, 'wechat', code)).toBe(false)
  })
})
