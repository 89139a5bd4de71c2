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
  it('without a signature that refuses the request is unknown, with its word for the operator', async () => {
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
    expect((await channel.open({ ...OPEN, method: 'face' }, PATIENT)).kind).toBe('refused')
  })
})

describe('an order for an app', () => {
  it('is a signed text that says what is sold, and asks Alipay nothing', async () => {
    const asked = oracle.asked.length
    const returnUrl = 'https://pay.test/cashier/1'
    const opened = await channel.open({ ...OPEN, method: 'app', returnUrl }, PATIENT)
    expect(oracle.asked.length).toBe(asked)
    const text = opened.kind === 'opened' ? opened.payUrl : ''
    // As alipay-sdk's sdkExecute writes it: every value encoded, a blank as %20.
    expect(text).toContain('timestamp=2026-01-31%2008%3A00%3A00')
    const params = Object.fromEntries(new URLSearchParams(text))
    expect(params).toMatchObject({ method: 'alipay.trade.app.pay', notify_url: OPEN.notifyUrl, sign_type: 'RSA2' })
    expect(params).not.toHaveProperty('return_url')
    expect(JSON.parse(params.biz_content ?? '')).toEqual({
      out_trade_no: REF.attemptNo,
      total_amount: '12.50',
      subject: '测试／a＝b＆c',
      time_expire: '2026-01-31 09:00:00',
      product_code: 'QUICK_MSECURITY_PAY',
    })
    // The app sends it as it is; the gateway checks its signature.
    const body = new URLSearchParams(text)
    await fetch(oracle.account.gateway, { method: 'POST', body })
  })
})

describe('a payment inside Alipay', () => {
  const TRADE_NO = '2026013122001400001000000009'
  const opened = { code: '10000', msg: 'Success', out_trade_no: REF.attemptNo, trade_no: TRADE_NO }
  const open = async (body: object, { openId = '2088000000000009', ...settings }: Record<string, string> = {}) => {
    oracle.says({ body })
    const answer = await makeAlipay({ ...oracle.account, ...settings }, oracle.door).open(
      { ...OPEN, method: 'jsapi', openId },
      PATIENT,
    )
    const params = Object.fromEntries(new URLSearchParams(oracle.asked.at(-1)?.body))
    return { answer, params, content: JSON.parse(params.biz_content ?? '') as Record<string, string> }
  }

  it('is a trade for one payer, whose number starts the sheet', async () => {
    const { answer, params, content } = await open(opened)
    expect(answer).toMatchObject({ kind: 'opened', payUrl: `{"tradeNO":"${TRADE_NO}"}` })
    expect(params).toMatchObject({ method: 'alipay.trade.create', notify_url: OPEN.notifyUrl })
    expect(content).toEqual({
      out_trade_no: REF.attemptNo,
      total_amount: '12.50',
      subject: '测试／a＝b＆c',
      time_expire: '2026-01-31 09:00:00',
      buyer_id: '2088000000000009',
    })
  })

  it('names the payer by the id that Alipay gave, and the product and the mini-program where the account has them', async () => {
    const openId = '099luGU2ef8yeC95sroZ9WGyuuGqL7qD-VLY8B1mtPqj4w9'
    expect((await open(opened, { openId })).content).toMatchObject({ buyer_open_id: openId })
    expect((await open(opened, { openId })).content).not.toHaveProperty('buyer_id')
    const inPage = (await open(opened, { jsapiProductCode: 'FACE_TO_FACE_PAYMENT' })).content
    expect(inPage).toMatchObject({ product_code: 'FACE_TO_FACE_PAYMENT' })
    expect(inPage).not.toHaveProperty('op_app_id')
    expect((await open(opened, { jsapiProductCode: 'JSAPI_PAY' })).content).toMatchObject({
      product_code: 'JSAPI_PAY',
      op_app_id: '2021000000000001',
    })
  })

  it('is opened only by an answer about this order with a number, and refused only by words that say so', async () => {
    const failed = (sub_code: string) => ({ code: '40004', msg: 'Business Failed', sub_code })
    const kinds: string[] = []
    for (const body of [
      { ...opened, out_trade_no: 'AT2' },
      { ...opened, trade_no: '' },
      { ...opened, trade_no: 1 },
      { ...opened, code: '20000' },
      failed('ACQ.SYSTEM_ERROR'),
      failed('ACQ.CONTEXT_INCONSISTENT'),
      failed('ACQ.TRADE_BUYER_NOT_MATCH'),
      failed('ACQ.INVALID_PARAMETER'),
      failed('ACQ.BUYER_SELLER_EQUAL'),
    ]) {
      kinds.push((await open(body)).answer.kind)
    }
    expect(kinds).toEqual([...Array.from({ length: 7 }, () => 'unknown'), 'refused', 'refused'])
  })
})

describe('who pays inside Alipay', () => {
  const signIn = (more: object = {}) =>
    makeAlipay({ ...oracle.account, jsapiProductCode: 'JSAPI_PAY', ...more }, oracle.door).signIn

  it('is asked of Alipay only where the account has a product for it', () => {
    expect(channel.signIn).toBeNull()
    expect(signIn({ jsapiProductCode: '' })).toBeNull()
    const address = new URL(signIn()?.address({ returnUrl: 'https://pay.test/back?a=1', state: 's1' }) ?? '')
    expect(address.origin + address.pathname).toBe('https://openauth.alipay.com/oauth2/publicAppAuthorize.htm')
    expect(Object.fromEntries(address.searchParams)).toEqual({
      app_id: '2021000000000001',
      scope: 'auth_base',
      redirect_uri: 'https://pay.test/back?a=1',
      state: 's1',
    })
    expect(signIn()?.codeName).toBe('auth_code')
  })

  it('is the payer of the code, by number or by id; a code that is used is refused, and all else unknown', async () => {
    const payer = async (says: AlipaySays) => {
      oracle.says(says)
      const answer = await signIn()?.payerOf('the-code', PATIENT)
      return answer?.kind === 'payer' ? answer.openId : answer?.kind
    }
    const tokens = { access_token: 'x', expires_in: '1296000' }
    expect(await payer({ body: { user_id: '2088000000000009', ...tokens } })).toBe('2088000000000009')
    const params = Object.fromEntries(new URLSearchParams(oracle.asked.at(-1)?.body))
    expect(params).toMatchObject({
      method: 'alipay.system.oauth.token',
      grant_type: 'authorization_code',
      code: 'the-code',
    })
    expect(params).not.toHaveProperty('biz_content')
    expect(await payer({ body: { open_id: 'o1', ...tokens } })).toBe('o1')
    expect(await payer({ body: tokens })).toBe('unknown')
    expect(await payer({ body: { user_id: '2088000000000009' }, sign: false })).toBe('unknown')
    const refused = (sub_code: string) => ({ ...error('40002', sub_code), member: 'error_response' })
    expect(await payer(refused('isv.code-invalid'))).toBe('refused')
    expect(await payer({ ...refused('isv.code-invalid'), sign: false })).toBe('unknown')
    expect(await payer(refused('isv.invalid-app-id'))).toBe('unknown')
    expect(await payer({ ...error('20000', 'isp.unknow-error'), member: 'error_response' })).toBe('unknown')
  })
})

describe('an app that acts for a merchant', () => {
  const OWN = '2021000000000001'
  const told = async (more: Record<string, string>, settings: object = {}) => {
    const of = makeAlipay({ ...oracle.account, ...settings }, oracle.door)
    const params = { seller_id: '2088000000000001', out_trade_no: REF.attemptNo, trade_no: PAYMENT, ...more }
    const paid = { trade_status: 'TRADE_SUCCESS', total_amount: '12.50', gmt_payment: '2026-01-31 07:59:00', ...params }
    return (await of.readWebhook(oracle.told(paid))).kind
  }

  it('says so in every request, also in pages and orders', async () => {
    const of = makeAlipay({ ...oracle.account, appAuthToken: '202001BBtoken' }, oracle.door)
    oracle.says(error('40004', 'ACQ.TRADE_NOT_EXIST'))
    const before = oracle.asked.length
    await of.open(OPEN, PATIENT)
    await of.query(REF, PATIENT)
    await of.close(REF, PATIENT)
    await of.refund(REFUND, PATIENT)
    await of.queryRefund(REFUND, PATIENT)
    await of.fetchUpstreamBill('2026-01-30', PATIENT)
    const sent = oracle.asked.slice(before).map(({ body }) => new URLSearchParams(body).get('app_auth_token'))
    expect(sent).toEqual(Array.from({ length: 6 }, () => '202001BBtoken'))
    for (const method of ['page', 'h5', 'app']) {
      const opened = await of.open({ ...OPEN, method }, PATIENT)
      expect(opened.kind === 'opened' ? opened.payUrl : '').toContain('app_auth_token=202001BBtoken')
    }
    await channel.query(REF, PATIENT)
    expect(oracle.asked.at(-1)?.body).not.toContain('app_auth_token')
  })

  it('hears of the merchant’s payments, whichever of the two apps is its own; not of other apps’ and other merchants’', async () => {
    const heard = {
      'own app': await told({ app_id: OWN }),
      'own app for a merchant': await told({ app_id: OWN, auth_app_id: '2021000000000005' }),
      'another app for own': await told({ app_id: '2021000000000007', auth_app_id: OWN }),
      'another app': await told({ app_id: '2021000000000007', auth_app_id: '2021000000000005' }),
      'no app': await told({ auth_app_id: '' }),
      'another seller': await told({ app_id: OWN, seller_id: '2088000000000002' }),
      'another seller for own': await told({ app_id: '2021', auth_app_id: OWN, seller_id: '2088000000000002' }),
      'the merchant that is set': await told({ app_id: OWN, auth_app_id: '5' }, { authAppId: '5' }),
      'another one than is set': await told({ app_id: OWN, auth_app_id: '6' }, { authAppId: '5' }),
    }
    expect(heard).toEqual({
      'own app': 'paid',
      'own app for a merchant': 'paid',
      'another app for own': 'paid',
      'another app': 'forged',
      'no app': 'forged',
      'another seller': 'forged',
      'another seller for own': 'forged',
      'the merchant that is set': 'paid',
      'another one than is set': 'forged',
    })
  })
})

it('a code lives two hours at Alipay, and less here; a page as long as its attempt', () => {
  expect(channel.payUrlTtlMs).toEqual({ native: 6_900_000 })
  expect([channel.createInFlightMs, channel.latePaymentWindowMs]).toEqual([60_000, 86_400_000])
})
