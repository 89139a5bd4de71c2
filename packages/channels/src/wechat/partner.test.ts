/**
 * A service provider's account ("服务商模式"), against an upstream whose signatures are made by third-party code. Bodies, queries and
 * answers are those of wechatpay-java's `partnerpayments` and of the manual (docs/upstreams/wechat-pay.md).
 */
import { createHash } from 'node:crypto'
import { fen } from '@acopay/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Formatter, Rsa } from 'wechatpay-axios-plugin'
import { WECHAT_27, wechatBill, wechatRow } from '../../../../test/support/oracle/bills.ts'
import { type WechatOracle, wechatOracle } from '../../../../test/support/oracle/wechat-pay.ts'
import type { Channel } from '../contract.ts'
import { makeWechat, type WechatAccount } from './index.ts'

const SUB_MCH = '1900000109'
const SUB_APP = 'wxd678efh567hg6999'
const PROVIDER = { sp_mchid: '1900000001', sub_mchid: SUB_MCH }
const PATIENT = new AbortController().signal
const ATTEMPT = 'AT202601310800000000000000000001'
const PAYMENT = '4200001234202601310000000001'

let oracle: WechatOracle
/** Without and with an app of the sub-merchant's own; and the merchant that calls for itself. */
let plain: Channel
let withApp: Channel
let direct: Channel
beforeAll(async () => {
  oracle = await wechatOracle()
  const make = (more: Partial<WechatAccount>) => makeWechat({ ...oracle.account, ...more }, oracle.door)
  plain = make({ subMchId: SUB_MCH })
  withApp = make({ subMchId: SUB_MCH, subAppId: SUB_APP })
  direct = make({})
})
afterAll(() => oracle.stop())
afterEach(() => expect(oracle.complaints).toEqual([]))

const OPEN = {
  attemptNo: ATTEMPT,
  amountFen: fen(1250n),
  description: '测试',
  expireAt: new Date('2026-01-31T02:00:00Z'),
  notifyUrl: 'https://pay.test/notify/wechat/M1',
  returnUrl: null,
  payerIp: '1.2.3.4',
  openId: 'o-1',
}
const REFUND = {
  attemptNo: ATTEMPT,
  paymentNo: PAYMENT,
  refundNo: 'AR1',
  amountFen: 500n,
  totalFen: 1250n,
  reason: '商品已退货',
  notifyUrl: 'https://pay.test/notify/wechat/M1',
}
const TRADE = {
  sp_appid: 'wx8888888888888888',
  ...PROVIDER,
  out_trade_no: ATTEMPT,
  transaction_id: PAYMENT,
  trade_type: 'JSAPI',
  trade_state: 'SUCCESS',
  success_time: '2026-01-31T07:59:00+08:00',
  payer: { sp_openid: 'o-sp' },
  amount: { total: 1250, payer_total: 1250, currency: 'CNY', payer_currency: 'CNY' },
}
const WITH_APP = { ...TRADE, sub_appid: SUB_APP, payer: { sp_openid: 'o-sp', sub_openid: 'o-sub' } }
const DIRECT = { ...TRADE, sp_appid: undefined, sp_mchid: undefined, sub_mchid: undefined, appid: 'wx8888888888888888' }
const MADE = {
  out_refund_no: 'AR1',
  transaction_id: PAYMENT,
  status: 'SUCCESS',
  amount: { total: 1250, refund: 500, currency: 'CNY' },
}

/** The last call: its method, its address, and what its body says. */
function asked(): [string, unknown] {
  const { method, url, body } = oracle.asked.at(-1) as WechatOracle['asked'][number]
  return [`${method} ${url}`, body === '' ? null : JSON.parse(body)]
}

describe('a call of a service provider', () => {
  it('goes to the path of its mode, and names both merchants', async () => {
    oracle.says({ status: 404, body: { code: 'RESOURCE_NOT_EXISTS' } })
    const both = 'sp_mchid=1900000001&sub_mchid=1900000109'
    const partner = '/v3/pay/partner/transactions'
    await plain.query({ attemptNo: ATTEMPT }, PATIENT)
    expect(asked()).toEqual([`GET ${partner}/out-trade-no/${ATTEMPT}?${both}`, null])
    await plain.query({ attemptNo: ATTEMPT, paymentNo: PAYMENT }, PATIENT)
    expect(asked()).toEqual([`GET ${partner}/id/${PAYMENT}?${both}`, null])
    await plain.close({ attemptNo: ATTEMPT }, PATIENT)
    expect(asked()).toEqual([`POST ${partner}/out-trade-no/${ATTEMPT}/close`, PROVIDER])
    await plain.refund(REFUND, PATIENT)
    expect(asked()).toEqual([
      'POST /v3/refund/domestic/refunds',
      {
        sub_mchid: SUB_MCH,
        transaction_id: PAYMENT,
        out_refund_no: 'AR1',
        reason: '商品已退货',
        notify_url: 'https://pay.test/notify/wechat/M1',
        amount: { refund: 500, total: 1250, currency: 'CNY' },
      },
    ])
    await plain.queryRefund(REFUND, PATIENT)
    expect(asked()).toEqual([`GET /v3/refund/domestic/refunds/AR1?sub_mchid=${SUB_MCH}`, null])
    await plain.fetchUpstreamBill('2026-01-30', PATIENT)
    expect(asked()).toEqual([`GET /v3/bill/tradebill?bill_date=2026-01-30&bill_type=ALL&sub_mchid=${SUB_MCH}`, null])
  })

  it('places each kind of transaction below its own path, in the fields of its mode', async () => {
    const common = {
      sp_appid: 'wx8888888888888888',
      ...PROVIDER,
      description: '测试',
      out_trade_no: ATTEMPT,
      time_expire: '2026-01-31T10:00:00+08:00',
      notify_url: 'https://pay.test/notify/wechat/M1',
      amount: { total: 1250, currency: 'CNY' },
    }
    const more: Record<string, object> = {
      native: {},
      app: {},
      h5: { scene_info: { payer_client_ip: '1.2.3.4', h5_info: { type: 'Wap' } } },
      jsapi: { payer: { sp_openid: 'o-1' } },
    }
    oracle.says({ body: { code_url: 'weixin://a', h5_url: 'https://wx.test/?a=1', prepay_id: 'wx1' } })
    for (const [method, fields] of Object.entries(more)) {
      expect((await plain.open({ ...OPEN, method }, PATIENT)).kind).toBe('opened')
      expect(asked()).toEqual([`POST /v3/pay/partner/transactions/${method}`, { ...common, ...fields }])
    }
    await withApp.open({ ...OPEN, method: 'jsapi' }, PATIENT)
    expect(asked()[1]).toEqual({ ...common, sub_appid: SUB_APP, payer: { sub_openid: 'o-1' } })
    await withApp.open({ ...OPEN, method: 'native' }, PATIENT)
    expect(asked()[1]).toEqual({ ...common, sub_appid: SUB_APP })
  })

  it("starts a payment in the app that payers know, signed with the provider's key", async () => {
    oracle.says({ body: { prepay_id: 'wx1' } })
    const start = async (channel: Channel, method: string) => {
      const opened = await channel.open({ ...OPEN, method }, PATIENT)
      return JSON.parse(opened.kind === 'opened' ? opened.payUrl : '{}') as Record<string, string>
    }
    for (const [channel, appId] of [
      [plain, 'wx8888888888888888'],
      [withApp, SUB_APP],
    ] as const) {
      const sheet = await start(channel, 'jsapi')
      const { timeStamp = '', nonceStr = '', paySign = '', package: prepay = '' } = sheet
      expect(sheet).toMatchObject({ appId, signType: 'RSA', package: 'prepay_id=wx1' })
      const lines = Formatter.joinedByLineFeed(appId, timeStamp, nonceStr, prepay)
      expect(Rsa.verify(lines, paySign, oracle.merchantPublicKey)).toBe(true)
      const app = await start(channel, 'app')
      expect(app).toMatchObject({ appid: appId, partnerid: '1900000001', prepayid: 'wx1', package: 'Sign=WXPay' })
      const { timestamp = '', noncestr = '', sign = '' } = app
      const text = Formatter.joinedByLineFeed(appId, timestamp, noncestr, 'wx1')
      expect(Rsa.verify(text, sign, oracle.merchantPublicKey)).toBe(true)
    }
  })

  it('identifies payers to the app that they know', () => {
    const account = { ...oracle.account, appSecret: 's', subMchId: SUB_MCH }
    const appOf = (more: Partial<WechatAccount>) => {
      const { signIn } = makeWechat({ ...account, ...more }, oracle.door)
      return new URL(signIn?.address({ returnUrl: 'https://a.test/', state: 's' }) ?? '').searchParams.get('appid')
    }
    expect([appOf({}), appOf({ subAppId: SUB_APP })]).toEqual(['wx8888888888888888', SUB_APP])
  })
})

describe('what is told of a transaction', () => {
  const rows: [what: string, told: object, kinds: [plain: string, withApp: string, direct: string]][] = [
    ['of this sub-merchant', TRADE, ['paid', '-', '-']],
    ['of its own app', WITH_APP, ['-', 'paid', '-']],
    ['of another app of its', { ...WITH_APP, sub_appid: 'wx2' }, ['-', '-', '-']],
    ['of another app of the provider', { ...TRADE, sp_appid: 'wx2' }, ['-', '-', '-']],
    ['of no app', { ...TRADE, sp_appid: undefined }, ['-', '-', '-']],
    ['of another sub-merchant', { ...TRADE, sub_mchid: '1900000110' }, ['-', '-', '-']],
    ['of no sub-merchant', { ...TRADE, sub_mchid: undefined }, ['-', '-', '-']],
    ['of another provider', { ...TRADE, sp_mchid: '1900000002' }, ['-', '-', '-']],
    ['of a merchant that calls for itself', { ...DIRECT, mchid: '1900000001' }, ['-', '-', 'paid']],
    ['of both modes', { ...TRADE, appid: 'wx8888888888888888', mchid: '1900000001' }, ['paid', '-', '-']],
    ['of the sub-merchant as if it called', { ...DIRECT, mchid: SUB_MCH }, ['-', '-', '-']],
  ]

  it('is believed of its merchants, apps and mode alone: in an answer', async () => {
    const wrong: string[] = []
    for (const [what, body, kinds] of rows) {
      oracle.says({ body })
      for (const [index, channel] of [plain, withApp, direct].entries()) {
        const { kind } = await channel.query({ attemptNo: ATTEMPT }, PATIENT)
        const right = kinds[index] === '-' ? 'unknown' : kinds[index]
        if (kind !== right) wrong.push(`${what}, ${index}: ${kind}, not ${right}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('is believed of its merchants, apps and mode alone: in a notification', async () => {
    const wrong: string[] = []
    for (const [what, told, kinds] of rows) {
      for (const [index, channel] of [plain, withApp, direct].entries()) {
        const { kind } = await channel.readWebhook(oracle.told('TRANSACTION.SUCCESS', told))
        const right = kinds[index] === '-' ? 'forged' : kinds[index]
        if (kind !== right) wrong.push(`${what}, ${index}: ${kind}, not ${right}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('names the payer by the id in the app that payers know', async () => {
    const payer = async (channel: Channel, told: object) => {
      const heard = await channel.readWebhook(oracle.told('TRANSACTION.SUCCESS', told))
      return heard.kind === 'paid' ? heard.payment.payer : heard.kind
    }
    expect(await payer(plain, TRADE)).toBe('o-sp')
    expect(await payer(withApp, WITH_APP)).toBe('o-sub')
    expect(await payer(withApp, { ...WITH_APP, payer: { sp_openid: 'o-sp' } })).toBe('o-sp')
    expect(await payer(plain, { ...TRADE, payer: undefined })).toBeNull()
    expect(await payer(plain, { ...TRADE, payer: { openid: 'o' } })).toBeNull()
  })
})

describe("a sub-merchant's refund", () => {
  it('is done, and asked about, as any other', async () => {
    oracle.says({ body: MADE })
    expect((await plain.refund(REFUND, PATIENT)).kind).toBe('done')
    expect(await plain.queryRefund(REFUND, PATIENT)).toMatchObject({ kind: 'done', amountFen: 500n })
  })

  it('is told of by its two merchants alone, in either form of the manual', async () => {
    const told = async (channel: Channel, whose: object) =>
      (await channel.readWebhook(oracle.told('REFUND.SUCCESS', { ...whose, out_refund_no: 'AR1' }))).kind
    const kinds: [whose: object, plain: string, direct: string][] = [
      [PROVIDER, 'refund', 'forged'],
      [{ mchid: '1900000001', sub_mchid: SUB_MCH }, 'refund', 'forged'],
      [{ mchid: '1900000001' }, 'forged', 'refund'],
      [{ sp_mchid: '1900000001' }, 'forged', 'forged'],
      [{ ...PROVIDER, sub_mchid: '1900000110' }, 'forged', 'forged'],
      [{ ...PROVIDER, sp_mchid: '1900000002' }, 'forged', 'forged'],
      [{ mchid: SUB_MCH }, 'forged', 'forged'],
    ]
    const wrong: string[] = []
    for (const [whose, ofPlain, ofDirect] of kinds) {
      const said = [await told(plain, whose), await told(direct, whose)]
      if (said.join() !== `${ofPlain},${ofDirect}`) wrong.push(`${JSON.stringify(whose)}: ${said}`)
    }
    expect(wrong).toEqual([])
  })
})

it("a sub-merchant's bill has its lines, and calls another's unreadable", async () => {
  const ours = { 特约商户号: SUB_MCH }
  const file = wechatBill(WECHAT_27, [
    wechatRow(WECHAT_27, ours),
    wechatRow(WECHAT_27, { 特约商户号: '1900000110' }),
    wechatRow(WECHAT_27, { 特约商户号: '0' }),
  ])
  oracle.says(({ url }) =>
    url.includes('/billdownload/')
      ? { body: file, sign: false }
      : {
          body: {
            hash_type: 'SHA1',
            hash_value: createHash('sha1').update(file).digest('hex'),
            download_url: `${oracle.url}/v3/billdownload/file?token=x`,
          },
        },
  )
  const lines = async (channel: Channel) => {
    const bill = await channel.fetchUpstreamBill('2026-01-30', PATIENT)
    return bill.kind === 'bill' ? bill.lines.map((line) => (line.kind === 'unreadable' ? line.why : line.kind)) : bill
  }
  expect(await lines(plain)).toEqual(['payment', '特约商户号', '特约商户号'])
  expect(await lines(direct)).toEqual(['payment', 'payment', 'payment'])
})
