/**
 * A mini-program beside the account's own app, against an upstream whose signatures are made by third-party code: its orders carry its
 * appid, and what is told of a payment is believed through the app of the order alone.
 */
import { fen } from '@acopay/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Formatter, Rsa } from 'wechatpay-axios-plugin'
import { type WechatOracle, wechatOracle } from '../../../../test/support/oracle/wechat-pay.ts'
import type { Channel } from '../contract.ts'
import { makeWechat, type WechatAccount } from './index.ts'

const MINI = 'wx0000000000000mini'
const OWN = 'wx8888888888888888'
const SUB_MCH = '1900000109'
const PATIENT = new AbortController().signal
const ATTEMPT = 'AT202601310800000000000000000001'

let oracle: WechatOracle
let channel: Channel
let provider: Channel
let without: Channel
const make = (more: Partial<WechatAccount>) => makeWechat({ ...oracle.account, ...more }, oracle.door)
beforeAll(async () => {
  oracle = await wechatOracle()
  channel = make({ miniAppId: MINI })
  provider = make({ miniAppId: MINI, subMchId: SUB_MCH })
  without = make({})
})
afterAll(() => oracle.stop())
afterEach(() => expect(oracle.complaints).toEqual([]))

const OPEN = {
  attemptNo: ATTEMPT,
  method: 'mini',
  amountFen: fen(1250n),
  description: '测试',
  expireAt: new Date('2026-01-31T02:00:00Z'),
  notifyUrl: 'https://pay.test/notify/wechat/M1',
  returnUrl: null,
  payerIp: '1.2.3.4',
  openId: 'o-mini',
}
const TRADE = {
  mchid: '1900000001',
  appid: MINI,
  attach: 'mini',
  out_trade_no: ATTEMPT,
  transaction_id: '4200001234202601310000000001',
  trade_type: 'JSAPI',
  trade_state: 'SUCCESS',
  success_time: '2026-01-31T07:59:00+08:00',
  payer: { openid: 'o-mini' },
  amount: { total: 1250, payer_total: 1250, currency: 'CNY', payer_currency: 'CNY' },
}

describe('an order from a mini-program', () => {
  it('is placed as JSAPI with its appid, and its sheet is signed for it', async () => {
    oracle.says({ body: { prepay_id: 'wx1' } })
    const opened = await channel.open(OPEN, PATIENT)
    const { url = '', body = '' } = oracle.asked.at(-1) ?? {}
    expect(url).toBe('/v3/pay/transactions/jsapi')
    expect(JSON.parse(body)).toMatchObject({
      mchid: '1900000001',
      appid: MINI,
      attach: 'mini',
      payer: { openid: 'o-mini' },
    })
    const sheet = JSON.parse(opened.kind === 'opened' ? opened.payUrl : '{}') as Record<string, string>
    const { timeStamp = '', nonceStr = '', paySign = '' } = sheet
    expect(sheet).toMatchObject({ appId: MINI, package: 'prepay_id=wx1', signType: 'RSA' })
    const lines = Formatter.joinedByLineFeed(MINI, timeStamp, nonceStr, 'prepay_id=wx1')
    expect(Rsa.verify(lines, paySign, oracle.merchantPublicKey)).toBe(true)
  })

  it("of a service provider carries the mini-program as the sub-merchant's app", async () => {
    oracle.says({ body: { prepay_id: 'wx1' } })
    const opened = await provider.open(OPEN, PATIENT)
    const { url = '', body = '' } = oracle.asked.at(-1) ?? {}
    expect(url).toBe('/v3/pay/partner/transactions/jsapi')
    expect(JSON.parse(body)).toMatchObject({ sp_appid: OWN, sub_appid: MINI, payer: { sub_openid: 'o-mini' } })
    expect(JSON.parse(opened.kind === 'opened' ? opened.payUrl : '{}')).toMatchObject({ appId: MINI })
  })

  it('leaves the orders of the other ways to pay with the account’s own app', async () => {
    oracle.says({ body: { prepay_id: 'wx1', code_url: 'weixin://a' } })
    for (const method of ['jsapi', 'native']) {
      await channel.open({ ...OPEN, method }, PATIENT)
      const sent = JSON.parse(oracle.asked.at(-1)?.body ?? '') as object
      expect(sent).toMatchObject({ appid: OWN })
      expect(sent).not.toHaveProperty('attach')
    }
  })

  it('is a way to pay only of an account that has a mini-program', async () => {
    expect([channel.methods.includes('mini'), without.methods.includes('mini')]).toEqual([true, false])
    const before = oracle.asked.length
    expect((await without.open(OPEN, PATIENT)).kind).toBe('refused')
    expect(oracle.asked.length).toBe(before)
  })
})

it('what is told of a payment is believed through the app that the order was placed with, and no other', async () => {
  const own = { ...TRADE, appid: OWN, attach: undefined }
  const sub = {
    ...TRADE,
    appid: undefined,
    mchid: undefined,
    sp_appid: OWN,
    sp_mchid: '1900000001',
    sub_mchid: SUB_MCH,
  }
  const open = { trade_state: 'NOTPAY', transaction_id: undefined, attach: undefined }
  const rows: [what: string, of: Channel, told: object, query: string, webhook: string][] = [
    ['the mini-program’s', channel, TRADE, 'paid', 'paid'],
    ['the app’s', channel, own, 'paid', 'paid'],
    ['the mini-program’s order through the app', channel, { ...TRADE, appid: OWN }, 'unknown', 'forged'],
    ['the app’s order through the mini-program', channel, { ...own, appid: MINI }, 'unknown', 'forged'],
    ['with other data', channel, { ...TRADE, attach: 'mini2' }, 'unknown', 'forged'],
    ['a third app’s', channel, { ...TRADE, appid: 'wx3' }, 'unknown', 'forged'],
    ['of an account without', without, TRADE, 'unknown', 'forged'],
    // WeChat Pay gives the data back with payments only.
    ['not paid yet', channel, { ...TRADE, ...open }, 'open', 'other'],
    ['closed', channel, { ...TRADE, ...open, trade_state: 'CLOSED' }, 'closed', 'other'],
    ['a sub-merchant’s', provider, { ...sub, sub_appid: MINI }, 'paid', 'paid'],
    ['a sub-merchant’s through the provider’s app', provider, sub, 'unknown', 'forged'],
    ['a provider’s own', provider, { ...sub, attach: undefined }, 'paid', 'paid'],
  ]
  const wrong: string[] = []
  for (const [what, of, told, query, webhook] of rows) {
    oracle.says({ body: told })
    const said = [
      (await of.query({ attemptNo: ATTEMPT }, PATIENT)).kind,
      (await of.readWebhook(oracle.told('TRANSACTION.SUCCESS', told))).kind,
    ]
    if (said.join() !== `${query},${webhook}`) wrong.push(`${what}: ${said}, not ${query},${webhook}`)
  }
  expect(wrong).toEqual([])
})

describe('a payer in a mini-program', () => {
  /** What WeChat answers for a code, and where it was asked. */
  async function asking(answer: unknown, more: Partial<WechatAccount> = {}) {
    const asked: string[] = []
    const answering: typeof fetch = async (input) => {
      asked.push(String(input))
      if (answer === null) throw new TypeError('https://api.weixin.qq.com/?secret=s failed')
      return Response.json(answer)
    }
    const account = { ...oracle.account, miniAppId: MINI, miniAppSecret: 's e', ...more }
    const { miniSignIn } = makeWechat(account, { ...oracle.door, fetch: answering })
    return { asked, found: await miniSignIn?.payerOf('code-1', PATIENT) }
  }

  it('is the one whom WeChat names for the code, which is asked about with the mini-program’s secret', async () => {
    const { asked, found } = await asking({ openid: 'o-mini', session_key: 'k' })
    expect(found).toEqual({ kind: 'payer', openId: 'o-mini' })
    expect(asked).toEqual([
      `https://api.weixin.qq.com/sns/jscode2session?appid=${MINI}&secret=s+e&js_code=code-1&grant_type=authorization_code`,
    ])
  })

  it('is refused for a code that is used or wrong, and unknown where WeChat does not say; nothing tells the secret', async () => {
    expect((await asking({ errcode: 40029, errmsg: 'invalid code' })).found).toEqual({
      kind: 'refused',
      why: 'errcode 40029',
    })
    expect((await asking({ errcode: -1 })).found?.kind).toBe('unknown')
    expect((await asking(null)).found).toEqual({ kind: 'unknown', why: 'no answer' })
  })

  it('cannot be known without a secret, or without a mini-program', async () => {
    expect((await asking({}, { miniAppSecret: '' })).found).toBeUndefined()
    expect((await asking({}, { miniAppId: '' })).found).toBeUndefined()
  })
})
