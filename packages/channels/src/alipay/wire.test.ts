/** What goes over the wire to Alipay and comes back, against a gateway that `alipay-sdk` checks and `iconv-lite` encodes. */
import { fen } from '@acopay/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AlipayOracle, type AlipaySays, alipayOracle, NOW } from '../../../../test/support/oracle/alipay.ts'
import type { Channel } from '../contract.ts'
import { makeAlipay } from './index.ts'

let oracle: AlipayOracle
let channel: Channel
beforeAll(async () => {
  oracle = await alipayOracle()
  channel = makeAlipay(oracle.account, oracle.door)
})
afterAll(() => oracle.stop())
afterEach(() => expect(oracle.complaints).toEqual([]))

const PATIENT = new AbortController().signal
const REF = { attemptNo: 'AT202601310800000000000000000001' }
const PAYMENT = '2026013122001400001000000001'
const OPEN = {
  ...REF,
  method: 'native',
  amountFen: fen(1250n),
  description: '测试/a=b&c',
  expireAt: new Date(NOW.getTime() + 3_600_000),
  notifyUrl: 'https://pay.test/notify/alipay/M1',
  returnUrl: null,
  payerIp: null,
  openId: null,
}
const REFUND = {
  ...REF,
  paymentNo: PAYMENT,
  refundNo: 'AR1',
  amountFen: 500n,
  totalFen: 1250n,
  reason: 'x',
  notifyUrl: 'https://pay.test/',
}
const query = (of = channel) => of.query(REF, PATIENT)
const error = (code: string, sub_code: string, sub_msg = '说明'): AlipaySays => ({
  body: { code, msg: 'x', sub_code, sub_msg },
})

describe('an answer in GBK', () => {
  // In GBK the second byte of these characters is a backslash, a brace or a bracket: 誠 D57C, 乗 817B, 乵 815C, 亇 817D.
  const TRAPS = '誠乗乵亇{"}\\测试'

  it('that Alipay signed over its bytes is believed, whatever its characters', async () => {
    const kinds: string[] = []
    for (const charset of ['GBK', 'utf-8'] as const) {
      oracle.says({ ...error('40004', 'ACQ.TRADE_NOT_EXIST', TRAPS), charset })
      kinds.push((await query()).kind)
      oracle.says({ ...error('40004', 'ACQ.SELLER_BALANCE_NOT_ENOUGH', TRAPS), charset })
      kinds.push((await channel.refund(REFUND, PATIENT)).kind)
    }
    expect(kinds).toEqual(['absent', 'refused', 'absent', 'refused'])
  })

  it('is read in its charset: a payment in it is the payment', async () => {
    const body = {
      code: '10000',
      msg: 'Success',
      trade_no: PAYMENT,
      out_trade_no: REF.attemptNo,
      trade_status: 'TRADE_SUCCESS',
      total_amount: '12.50',
      subject: TRAPS,
      buyer_user_id: '2088',
    }
    oracle.says({ body, charset: 'GBK' })
    expect(await query()).toMatchObject({
      kind: 'paid',
      payment: { paymentNo: PAYMENT, amountFen: 1250n, payer: '2088' },
    })
  })

  it('whose header names another charset, or none that there is, decides nothing', async () => {
    oracle.says({ ...error('40004', 'ACQ.TRADE_NOT_EXIST'), headers: { 'content-type': 'text/html;charset=klingon' } })
    expect((await query()).kind).toBe('unknown')
  })
})

describe('an answer', () => {
  it('that nobody signed and that refuses the request is unknown, with its word for the operator', async () => {
    const complaint = async (says: AlipaySays) => {
      oracle.says(says)
      const found = await query()
      return found.kind === 'unknown' ? (found.complaint ?? found.why) : found.kind
    }
    const unsigned = (code: string, word: string) => complaint({ ...error(code, word), sign: false })
    expect(await unsigned('40002', 'isv.invalid-app-id')).toBe('isv.invalid-app-id')
    expect(await unsigned('40002', 'isv.invalid-signature')).toBe('isv.invalid-signature')
    expect(await unsigned('40001', 'isv.missing-app-id')).toBe('isv.missing-app-id')
    expect(await unsigned('40003', 'isv.missing-signature-config')).toBe('isv.missing-signature-config')
    expect(await unsigned('40006', 'isv.insufficient-isv-permissions')).toBe('isv.insufficient-isv-permissions')
    expect(await unsigned('20001', 'aop.invalid-auth-token')).toBe('aop.invalid-auth-token')
    const none = 'alipay_trade_query_response without a signature'
    expect(await unsigned('40004', 'ACQ.TRADE_NOT_EXIST')).toBe(none)
    expect(await unsigned('20000', 'isp.unknow-error')).toBe(none)
    expect(await unsigned('10000', '')).toBe(none)
    expect(await unsigned('40002', 'a b')).toBe(none)
    // The same, signed: it says nothing of a trade either.
    expect(await complaint(error('40002', 'isv.invalid-signature'))).toBe('isv.invalid-signature')
    expect(await complaint(error('40004', 'ACQ.SYSTEM_ERROR'))).toBe('40004 ACQ.SYSTEM_ERROR')
    const content = JSON.stringify(error('40002', 'isv.invalid-app-id').body)
    expect(await complaint({ body: `{"alipay_trade_query_response":${content},"sign":"AAAA"}` })).toBe(
      'alipay_trade_query_response with a wrong signature',
    )
  })

  it('that cannot be read, or is not about the call, is unknown', async () => {
    const kinds: string[] = []
    for (const body of [
      '',
      '<html>',
      '[]',
      '{}',
      '{"alipay_trade_query_response":1}',
      '{"alipay_trade_query_response":{"code":"10000"',
    ]) {
      oracle.says({ body })
      kinds.push((await query()).kind)
    }
    oracle.says({ ...error('40004', 'ACQ.TRADE_NOT_EXIST'), status: 502 })
    kinds.push((await query()).kind)
    expect(new Set(kinds)).toEqual(new Set(['unknown']))
  })

  it('that asks for fewer requests says for how long', async () => {
    const rest = async (says: AlipaySays) => {
      oracle.says(says)
      const found = await query()
      return found.kind === 'unknown' ? found.restMs : found.kind
    }
    expect(await rest(error('40005', 'isv.app-call-limited'))).toBe(1000)
    expect(await rest({ ...error('40005', 'isv.method-call-limited'), headers: { 'retry-after': '4' } })).toBe(4000)
    expect(await rest(error('40004', 'USER_RATE_LIMIT'))).toBe(1000)
    expect(await rest(error('40004', 'SYSTEM_RATE_LIMIT'))).toBe(1000)
    expect(await rest({ body: '', status: 429 })).toBe(1000)
    expect(await rest({ body: '', status: 503, headers: { 'retry-after': '30' } })).toBe(30_000)
    expect(await rest(error('40004', 'ACQ.SYSTEM_ERROR'))).toBeUndefined()
  })
})

describe('a notification', () => {
  const PAID = {
    notify_time: '2026-01-31 08:00:00',
    notify_type: 'trade_status_sync',
    app_id: '2021000000000001',
    seller_id: '2088000000000001',
    out_trade_no: REF.attemptNo,
    trade_no: PAYMENT,
    trade_status: 'TRADE_SUCCESS',
    total_amount: '12.50',
    gmt_payment: '2026-01-31 07:59:00',
    subject: '誠乗 测试 & + % =',
    body: '',
  }

  it('in either charset is heard, with each text that the manual lets its signature cover', async () => {
    const heard: string[] = []
    for (const charset of ['utf-8', 'GBK'] as const) {
      for (const keeps of ['filled', 'all', 'type'] as const) {
        const told = oracle.told(PAID, { charset, keeps })
        const webhook = await channel.readWebhook(told)
        heard.push(webhook.kind)
        // One letter of the Chinese text changed.
        const body = Buffer.from(told.body.toString('latin1').replace(/subject=%../, 'subject=%41'), 'latin1')
        heard.push((await channel.readWebhook({ ...told, body })).kind)
      }
    }
    expect(heard).toEqual(Array.from({ length: 6 }, () => ['paid', 'forged']).flat())
  })

  it('of another kind of signature, or of none, is forged', async () => {
    const { body, headers } = oracle.told(PAID)
    const text = body.toString('latin1')
    const forms = [
      text.replace('sign_type=%52%53%41%32', 'sign_type=RSA'),
      text.replace(/sign=[^&]*/, 'sign='),
      text.replace(/&sign=.*/, ''),
      '',
      '&',
      '%zz=%',
      'a=b=c&sign=x&sign_type=RSA2',
    ]
    const kinds = await Promise.all(
      forms.map((form) => channel.readWebhook({ headers, body: Buffer.from(form, 'latin1') })),
    )
    expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(['forged']))
  })
})

describe('a create', () => {
  const sent = async (productCode?: string) => {
    oracle.says({
      body: { code: '10000', msg: 'Success', out_trade_no: REF.attemptNo, qr_code: 'https://qr.alipay.com/x' },
    })
    const of = makeAlipay({ ...oracle.account, ...(productCode === undefined ? {} : { productCode }) }, oracle.door)
    expect((await of.open(OPEN, PATIENT)).kind).toBe('opened')
    const params = new URLSearchParams(oracle.asked.at(-1)?.body)
    return { params, content: JSON.parse(params.get('biz_content') ?? '') as Record<string, string> }
  }

  it('carries the product of the contract where the account names one', async () => {
    expect((await sent()).content).not.toHaveProperty('product_code')
    expect((await sent('')).content).not.toHaveProperty('product_code')
    expect((await sent('QR_CODE_OFFLINE')).content.product_code).toBe('QR_CODE_OFFLINE')
  })

  it('says what is sold, for how much, until when, and where to tell', async () => {
    const { params, content } = await sent()
    expect(Object.fromEntries(params)).toMatchObject({
      ...{
        app_id: '2021000000000001',
        method: 'alipay.trade.precreate',
        charset: 'utf-8',
        sign_type: 'RSA2',
        version: '1.0',
      },
      ...{ format: 'JSON', timestamp: '2026-01-31 08:00:00', notify_url: 'https://pay.test/notify/alipay/M1' },
    })
    expect(content).toEqual({
      out_trade_no: REF.attemptNo,
      total_amount: '12.50',
      subject: '测试／a＝b＆c',
      time_expire: '2026-01-31 09:00:00',
      qr_code_timeout_express: '60m',
    })
  })

  it('of a page is the signed address of the page, for the payer’s browser', async () => {
    const pages: Record<string, [method: string, product: string]> = {
      h5: ['alipay.trade.wap.pay', 'QUICK_WAP_WAY'],
      page: ['alipay.trade.page.pay', 'FAST_INSTANT_TRADE_PAY'],
    }
    for (const [method, [name, product_code]] of Object.entries(pages)) {
      const opened = await channel.open({ ...OPEN, method, returnUrl: 'https://pay.test/cashier/1' }, PATIENT)
      const url = new URL(opened.kind === 'opened' ? opened.payUrl : '')
      const params = Object.fromEntries(url.searchParams)
      expect(params).toMatchObject({
        method: name,
        return_url: 'https://pay.test/cashier/1',
        notify_url: OPEN.notifyUrl,
      })
      expect(JSON.parse(params.biz_content ?? '')).toMatchObject({ product_code, total_amount: '12.50' })
      await fetch(url)
    }
    expect((await channel.open({ ...OPEN, method: 'app' }, PATIENT)).kind).toBe('refused')
  })
})

it('a code lives two hours at Alipay, and less here; a page as long as its attempt', () => {
  expect(channel.payUrlTtlMs).toEqual({ native: 6_900_000 })
  expect([channel.createInFlightMs, channel.latePaymentWindowMs]).toEqual([60_000, 86_400_000])
})
