/**
 * Checks the simulators with clients that were not written for this project: Alipay's own SDK and a WeChat Pay SDK,
 * unmodified, over real HTTP.
 */
import { generateKeyPairSync } from 'node:crypto'
import { AlipaySdk } from 'alipay-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Wechatpay } from 'wechatpay-axios-plugin'
import { listen, makeAlipayStandIn, makeWechatStandIn, memoryBooks, type StandIn, seededFaults } from './index.ts'

function pair() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    privateDer: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    publicDer: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  }
}

const ours = pair()
const theirs = pair()
const world = () => ({
  books: memoryBooks(),
  faults: seededFaults(1),
  now: () => new Date(),
  sleep: async () => {},
  deliver: async () => ({ status: 200, body: 'success' }),
})

let standIn: StandIn
let server: Awaited<ReturnType<typeof listen>>
const mount = async (made: StandIn): Promise<void> => {
  standIn = made
  server = await listen(standIn.handle)
}
afterAll(() => server.stop())

describe('the official alipay-sdk', () => {
  let alipay: AlipaySdk
  beforeAll(async () => {
    const keys = { appPublicKey: ours.publicDer, alipayPrivateKey: theirs.privateDer }
    await mount(makeAlipayStandIn({ appId: '2021000000000001', sellerId: '2088000000000001', ...keys }, world()))
    alipay = new AlipaySdk({
      appId: '2021000000000001',
      privateKey: ours.privatePem,
      keyType: 'PKCS8',
      alipayPublicKey: theirs.publicPem,
      gateway: `${server.url}/gateway.do`,
    })
  })
  afterAll(() => server.stop())
  const exec = (method: string, bizContent: object) => alipay.exec(method, { bizContent }, { validateSign: true })
  const order = (no: string) => ({ out_trade_no: no, total_amount: '12.50', subject: '测试' })

  it('places, is paid, queries and refunds', async () => {
    expect(await exec('alipay.trade.precreate', order('TRADE1'))).toMatchObject({
      code: '10000',
      qrCode: expect.any(String),
    })
    expect(await exec('alipay.trade.query', { out_trade_no: 'TRADE1' })).toMatchObject({
      subCode: 'ACQ.TRADE_NOT_EXIST',
    })
    await standIn.control.pay('TRADE1')
    expect(await exec('alipay.trade.query', { out_trade_no: 'TRADE1' })).toMatchObject({
      tradeStatus: 'TRADE_SUCCESS',
      totalAmount: '12.50',
      sendPayDate: expect.any(String),
    })
    const refund = { out_trade_no: 'TRADE1', refund_amount: '2.50', out_request_no: 'R1' }
    expect(await exec('alipay.trade.refund', refund)).toMatchObject({ code: '10000', fundChange: 'Y' })
    expect(await exec('alipay.trade.refund', refund)).toMatchObject({ code: '10000', fundChange: 'N' })
    expect(await exec('alipay.trade.fastpay.refund.query', refund)).toMatchObject({ refundStatus: 'REFUND_SUCCESS' })
  })

  it('closes, cancels, and is told the quirks', async () => {
    await exec('alipay.trade.precreate', order('TRADE2'))
    expect(await exec('alipay.trade.close', { out_trade_no: 'TRADE2' })).toMatchObject({
      subCode: 'ACQ.TRADE_NOT_EXIST',
    })
    expect(await exec('alipay.trade.cancel', { out_trade_no: 'TRADE0' })).toMatchObject({
      code: '10000',
      retryFlag: 'N',
    })
    await standIn.control.scan('TRADE2')
    expect(await exec('alipay.trade.cancel', { out_trade_no: 'TRADE2' })).toMatchObject({ action: 'close' })
    expect(await exec('alipay.trade.query', { out_trade_no: 'TRADE2' })).toMatchObject({ tradeStatus: 'TRADE_CLOSED' })
    await exec('alipay.trade.precreate', order('TRADE3'))
    await standIn.control.pay('TRADE3')
    expect(await exec('alipay.trade.cancel', { out_trade_no: 'TRADE3' })).toMatchObject({ action: 'refund' })
  })

  it('is refused with a key that is not the app’s', async () => {
    const stranger = new AlipaySdk({
      appId: '2021000000000001',
      privateKey: theirs.privatePem,
      keyType: 'PKCS8',
      alipayPublicKey: theirs.publicPem,
      gateway: `${server.url}/gateway.do`,
    })
    expect(await stranger.exec('alipay.trade.query', { bizContent: { out_trade_no: 'TRADE1' } })).toMatchObject({
      subCode: 'isv.invalid-signature',
    })
  })
})

describe('wechatpay-axios-plugin', () => {
  let wechat: Wechatpay
  const common = { mchid: '1900000001', appid: 'wx1', description: '测试', notify_url: 'https://a.example/n' }
  beforeAll(async () => {
    await mount(
      makeWechatStandIn(
        {
          mchId: '1900000001',
          appId: 'wx1',
          apiV3Key: '0123456789abcdef0123456789abcdef',
          merchantPublicKey: ours.publicDer,
          merchantSerial: 'SERIAL1',
          appSecret: 'app-secret',
          platformPrivateKey: theirs.privateDer,
          platformSerial: 'PUB_KEY_ID_1',
        },
        world(),
      ),
    )
    wechat = new Wechatpay({
      mchid: '1900000001',
      serial: 'SERIAL1',
      privateKey: ours.privatePem,
      certs: { PUB_KEY_ID_1: theirs.publicPem },
      baseURL: server.url,
    } as ConstructorParameters<typeof Wechatpay>[0])
  })

  const failing = (call: Promise<unknown>) =>
    call.then(
      () => null,
      ({ response }: { response?: { status: number; data: { code?: string } } }) => [
        response?.status,
        response?.data.code,
      ],
    )
  const trade = (no: string) => wechat.chain(`v3/pay/transactions/out-trade-no/${no}`)

  it('places, is paid, queries and refunds', async () => {
    const amount = { total: 1250, currency: 'CNY' }
    const placed = await wechat.chain('v3/pay/transactions/native').post({ ...common, out_trade_no: 'TRADE1', amount })
    expect((placed.data as { code_url?: string }).code_url).toMatch(/^weixin:/)
    await standIn.control.pay('TRADE1')
    const found = await trade('TRADE1').get({ params: { mchid: '1900000001' } })
    expect(found.data).toMatchObject({ trade_state: 'SUCCESS', amount: { total: 1250 } })
    expect(await failing(trade('TRADE1').chain('close').post({ mchid: '1900000001' }))).toEqual([400, 'ORDERPAID'])
    const refund = {
      out_trade_no: 'TRADE1',
      out_refund_no: 'R1',
      amount: { refund: 250, total: 1250, currency: 'CNY' },
    }
    const refunded = await wechat.chain('v3/refund/domestic/refunds').post(refund)
    expect(refunded.data).toMatchObject({ status: 'SUCCESS', out_refund_no: 'R1' })
  })

  it('closes, and hears 204 also for a number never seen', async () => {
    const amount = { total: 1250, currency: 'CNY' }
    await wechat.chain('v3/pay/transactions/native').post({ ...common, out_trade_no: 'TRADE2', amount })
    for (const no of ['TRADE2', 'TRADE2', 'TRADE0']) {
      expect((await trade(no).chain('close').post({ mchid: '1900000001' })).status).toBe(204)
    }
    const found = await trade('TRADE2').get({ params: { mchid: '1900000001' } })
    expect(found.data).toMatchObject({ trade_state: 'CLOSED' })
    expect(await failing(trade('TRADE0').get({ params: { mchid: '1900000001' } }))).toEqual([404, 'ORDER_NOT_EXIST'])
  })
})
