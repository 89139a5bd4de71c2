/**
 * Checks the simulators with clients that were not written for this project: Alipay's own SDK and a WeChat Pay SDK,
 * unmodified, over real HTTP.
 */
import { createHash, createPublicKey, createVerify } from 'node:crypto'
import { AlipaySdk } from 'alipay-sdk'
import iconv from 'iconv-lite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Aes, Formatter, Rsa, Wechatpay } from 'wechatpay-axios-plugin'
import { platformCertificate } from '../../../test/support/certificate.ts'
import { derKeys, pemKeys } from '../../../test/support/keys.ts'
import { alipayAuthority, privateDer } from '../../../test/support/oracle/alipay-certificates.ts'
import { listen, makeAlipayStandIn, makeWechatStandIn, memoryBooks, type StandIn, seededFaults } from './index.ts'

function pair(whose: string) {
  const { privateKey: privateDer, publicKey: publicDer } = derKeys(whose)
  return { privateDer, publicDer, ...pemKeys(whose) }
}

const publicDer = (pem: string): string =>
  createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('base64')

const ours = pair('ours')
const theirs = pair('theirs')
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
  let now = new Date()
  const faults = seededFaults(1)
  const told: string[] = []
  const deliver = async (_url: string, _headers: object, body: string) => {
    told.push(body)
    return { status: 200, body: 'success' }
  }
  beforeAll(async () => {
    const keys = { appPublicKey: ours.publicDer, alipayPrivateKey: theirs.privateDer }
    const account = { appId: '2021000000000001', sellerId: '2088000000000001', ...keys }
    await mount(makeAlipayStandIn(account, { ...world(), now: () => now, faults, deliver }))
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

  it('refuses a refund that comes less than three seconds after another one of the trade', async () => {
    await exec('alipay.trade.precreate', order('TRADE7'))
    await standIn.control.pay('TRADE7')
    const refund = async (no: string, amount = '1.00') => {
      const asked = { out_trade_no: 'TRADE7', refund_amount: amount, out_request_no: no }
      const { subCode, fundChange } = await exec('alipay.trade.refund', asked)
      return subCode ?? fundChange
    }
    now = new Date('2026-01-31T00:00:00Z')
    expect([await refund('A'), await refund('B'), await refund('A')]).toEqual(['Y', 'ACQ.SYSTEM_ERROR', 'N'])
    expect(await refund('C', '99.00')).toBe('ACQ.REASON_TRADE_REFUND_FEE_ERR')
    now = new Date('2026-01-31T00:00:02.999Z')
    expect(await refund('B')).toBe('ACQ.SYSTEM_ERROR')
    now = new Date('2026-01-31T00:00:03Z')
    expect(await refund('B')).toBe('Y')
    now = new Date()
  })

  it('has no bill of a day before nine o’clock on the next one', async () => {
    now = new Date('2026-01-31T00:00:00Z')
    await exec('alipay.trade.precreate', order('TRADE8'))
    await standIn.control.pay('TRADE8')
    const bill = async (at: string) => {
      now = new Date(at)
      const content = { bill_type: 'trade', bill_date: '2026-01-31' }
      return (await exec('alipay.data.dataservice.bill.downloadurl.query', content)).subCode ?? 'fine'
    }
    expect(await bill('2026-01-31T04:00:00Z')).toBe('isp.bill_not_exist')
    expect(await bill('2026-02-01T00:59:59Z')).toBe('isp.bill_not_exist')
    expect(await bill('2026-02-01T01:00:00Z')).toBe('fine')
    now = new Date()
  })

  it('answers about another number, rightly signed, and in GBK with a signature over these bytes', async () => {
    await exec('alipay.trade.precreate', order('TRADE9'))
    await standIn.control.pay('TRADE9')
    faults.set([{ kind: 'other_number', times: 1 }])
    expect(await exec('alipay.trade.query', order('TRADE9'))).toMatchObject({ outTradeNo: 'TRADEX' })
    expect(await exec('alipay.trade.query', order('TRADE9'))).toMatchObject({ outTradeNo: 'TRADE9' })
    faults.set([{ kind: 'gbk', verb: 'query', times: 1 }])
    const address = alipay.pageExecute('alipay.trade.query', 'GET', { bizContent: order('TRADE9') })
    const body = new URL(address).searchParams
    const answer = await fetch(`${server.url}/gateway.do`, { method: 'POST', body })
    expect(answer.headers.get('content-type')).toBe('text/html;charset=GBK')
    const bytes = Buffer.from(await answer.arrayBuffer())
    const { alipay_trade_query_response: said, sign } = JSON.parse(iconv.decode(bytes, 'GBK'))
    expect(said).toMatchObject({ out_trade_no: 'TRADE9', trade_status: 'TRADE_SUCCESS' })
    const member = bytes.subarray(bytes.indexOf('{', 1), bytes.lastIndexOf(',"sign"'))
    expect(createVerify('RSA-SHA256').update(member).verify(theirs.publicPem, sign, 'base64')).toBe(true)
    // And its notifications.
    faults.set([{ kind: 'gbk', verb: 'notify', times: 1 }])
    await exec('alipay.trade.precreate', { ...order('TRADE10'), subject: '测试𠮷' })
    await standIn.control.pay('TRADE10')
    const form = told.at(-1) ?? ''
    expect(form).toContain('charset=GBK')
    expect(form.toLowerCase()).toContain('subject=%b2%e2%ca%d4')
    faults.set([])
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

  it('is told of an unknown app before its signature is looked at, in an answer without a signature', async () => {
    const params = new URLSearchParams({ app_id: 'test', method: 'alipay.trade.query', biz_content: '{}' })
    const answer = await fetch(`${server.url}/gateway.do`, { method: 'POST', body: params })
    expect(answer.headers.get('content-type')).toBe('text/html;charset=utf-8')
    expect(await answer.json()).toEqual({
      alipay_trade_query_response: expect.objectContaining({ code: '40002', sub_code: 'isv.invalid-app-id' }),
    })
  })

  it('refuses what Alipay refuses, in Alipay’s words', async () => {
    const said = async (method: string, content: object) =>
      ((await exec(method, content)) as { subCode?: string }).subCode ?? 'fine'
    const place = (more: object) => said('alipay.trade.precreate', { ...order('TRADE4'), ...more })
    expect(await place({})).toBe('fine')
    expect(await place({ total_amount: '12.51' })).toBe('ACQ.APPLY_PC_MERCHANT_CODE_ERROR')
    await standIn.control.scan('TRADE4')
    expect(await place({ total_amount: '12.51' })).toBe('ACQ.CONTEXT_INCONSISTENT')
    expect(await place({ out_trade_no: 'T5', total_amount: '0.00' })).toBe('ACQ.INVALID_PARAMETER')
    expect(await place({ out_trade_no: 'T5', time_expire: '2020-01-01 00:00:00' })).toBe(
      'ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR',
    )
    await standIn.control.pay('TRADE4')
    const refund = (more: object) =>
      said('alipay.trade.refund', { out_trade_no: 'TRADE4', refund_amount: '2.50', out_request_no: 'R1', ...more })
    expect(await refund({ out_request_no: undefined })).toBe('ACQ.REFUND_AMT_NOT_EQUAL_TOTAL')
    expect(await refund({})).toBe('fine')
    expect(await refund({ refund_amount: '2.51' })).toBe('ACQ.DISCORDANT_REPEAT_REQUEST')
    expect(await refund({ refund_amount: '12.50', out_request_no: 'R2' })).toBe('ACQ.REASON_TRADE_REFUND_FEE_ERR')
  })
})

const WECHAT = {
  mchId: '1900000001',
  appId: 'wx1',
  apiV3Key: '0123456789abcdef0123456789abcdef',
  merchantPublicKey: ours.publicDer,
  merchantSerial: 'SERIAL1',
  appSecret: 'app-secret',
  platformPrivateKey: theirs.privateDer,
  platformSerial: 'PUB_KEY_ID_1',
}

const wechatClient = (baseURL: string, certs = { [WECHAT.platformSerial]: theirs.publicPem }) =>
  new Wechatpay({
    mchid: WECHAT.mchId,
    serial: WECHAT.merchantSerial,
    privateKey: ours.privatePem,
    certs,
    baseURL,
  } as ConstructorParameters<typeof Wechatpay>[0])

/** The status and the word of a refusal; null when there was none. */
const failing = (call: Promise<unknown>) =>
  call.then(
    () => null,
    ({ response }: { response?: { status: number; data: { code?: string } } }) => [
      response?.status,
      response?.data.code,
    ],
  )

/** The rows of today's bill: its address and hash are in a signed answer, the file itself is fetched with a signed request. */
async function billOf(wechat: Wechatpay, more: object): Promise<string[]> {
  const bill_date = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  const told = await wechat.chain('v3/bill/tradebill').get({ params: { bill_date, ...more } })
  const { hash_type, hash_value, download_url } = told.data as Record<string, string>
  const { pathname, search } = new URL(download_url ?? '')
  const file = await wechat.chain(pathname.slice(1)).get({
    params: Object.fromEntries(new URLSearchParams(search)),
    responseType: 'arraybuffer',
    // The file has no signature: the plugin's own way to leave the check out.
    transformResponse: [],
  } as object)
  const bytes = Buffer.from(file.data as unknown as ArrayBuffer)
  expect([hash_type, createHash('sha1').update(bytes).digest('hex')]).toEqual(['SHA1', hash_value])
  const rows = bytes.toString('utf8').split('\r\n').slice(1)
  return rows.slice(
    0,
    rows.findIndex((row) => row.startsWith('总交易单数')),
  )
}
describe('the official alipay-sdk, in an app, inside Alipay, and for a merchant who authorized it', () => {
  let sdk: AlipaySdk
  let now = new Date('2026-01-31T02:00:00Z')
  const told: string[] = []
  const TOKEN = '202001BBtoken'
  beforeAll(async () => {
    const keys = { appPublicKey: ours.publicDer, alipayPrivateKey: theirs.privateDer }
    const deliver = async (_url: string, _headers: object, body: string) => {
      told.push(body)
      return { status: 200, body: 'success' }
    }
    const account = { appId: '2021000000000007', sellerId: '2088000000000001', productCode: 'QR_CODE_OFFLINE' }
    const authorized = { token: TOKEN, appId: '2021000000000001' }
    await mount(makeAlipayStandIn({ ...account, ...keys, authorized }, { ...world(), now: () => now, deliver }))
    sdk = new AlipaySdk({
      appId: '2021000000000007',
      privateKey: ours.privatePem,
      keyType: 'PKCS8',
      alipayPublicKey: theirs.publicPem,
      gateway: `${server.url}/gateway.do`,
    })
  })
  afterAll(() => server.stop())
  const exec = (method: string, bizContent: object, more: object = { appAuthToken: TOKEN }) =>
    sdk.exec(method, { bizContent, ...more }, { validateSign: true })
  const order = (no: string, more: object = {}) => ({
    ...{ out_trade_no: no, total_amount: '12.50', subject: '测试', ...more },
  })

  it('an order for an app is unknown until the app opens it, and is then paid, refunded and told of', async () => {
    const bizContent = order('APP1', { product_code: 'QUICK_MSECURITY_PAY' })
    const notifyUrl = 'https://pay.test/n'
    const text = sdk.sdkExecute('alipay.trade.app.pay', { bizContent, notifyUrl, appAuthToken: TOKEN })
    expect(await standIn.control.pay('APP1')).toBeNull()
    await fetch(`${server.url}/gateway.do`, { method: 'POST', body: new URLSearchParams(text) })
    expect(await standIn.control.pay('APP1')).toMatchObject({ fen: 1250 })
    expect(await exec('alipay.trade.query', order('APP1'))).toMatchObject({ tradeStatus: 'TRADE_SUCCESS' })
    const refund = { out_trade_no: 'APP1', refund_amount: '12.50' }
    expect(await exec('alipay.trade.refund', refund)).toMatchObject({ fundChange: 'Y' })
    const params = Object.fromEntries(new URLSearchParams(told.at(-1)))
    expect(sdk.checkNotifySignV2(params)).toBe(true)
    expect(params).toMatchObject({ app_id: '2021000000000007', auth_app_id: '2021000000000001' })
  })

  it('a trade inside Alipay is there at once, for a payer whom the code names once', async () => {
    const address = `${server.url}/oauth2/publicAppAuthorize.htm?app_id=2021000000000007&scope=auth_base&state=s1`
    const back = await fetch(`${address}&redirect_uri=https%3A%2F%2Fpay.test%2Fback`, { redirect: 'manual' })
    const { searchParams } = new URL(back.headers.get('location') ?? '')
    expect(searchParams.get('state')).toBe('s1')
    const ask = { grantType: 'authorization_code', code: searchParams.get('auth_code'), appAuthToken: TOKEN }
    const { userId } = await sdk.exec('alipay.system.oauth.token', ask, { validateSign: true })
    expect(userId).toMatch(/^2088\d{12}$/)
    expect(await sdk.exec('alipay.system.oauth.token', ask)).toMatchObject({ subCode: 'isv.code-invalid' })
    const placed = await exec('alipay.trade.create', order('IN1', { buyer_id: userId }))
    expect(placed).toMatchObject({ code: '10000', outTradeNo: 'IN1', tradeNo: expect.stringMatching(/^20/) })
    expect(await exec('alipay.trade.query', order('IN1'))).toMatchObject({ tradeStatus: 'WAIT_BUYER_PAY' })
    expect(await exec('alipay.trade.close', { out_trade_no: 'IN1' })).toMatchObject({ code: '10000' })
    expect(await standIn.control.pay('IN1')).toBeNull()
    const said = async (more: object) => (await exec('alipay.trade.create', order('IN2', more))).subCode ?? 'fine'
    const wrong = 'ACQ.INVALID_PARAMETER'
    expect(await said({})).toBe(wrong)
    expect(await said({ buyer_id: '2088' })).toBe(wrong)
    expect(await said({ buyer_open_id: 'o1', product_code: 'JSAPI_PAY' })).toBe(wrong)
    expect(await said({ buyer_open_id: 'o1', product_code: 'JSAPI_PAY', op_app_id: '2021' })).toBe('fine')
  })

  /** The zip's files are stored as they are, so their lines can be read without unpacking it. */
  const billRows = async (address: string): Promise<string[]> =>
    iconv.decode(Buffer.from(await (await fetch(address)).arrayBuffer()), 'GBK').split('\r\n')

  it('each product is closed, refunded, and in the bill that the merchant’s token names', async () => {
    const opened = async (no: string) => {
      const bizContent = order(no, { product_code: 'QUICK_MSECURITY_PAY' })
      const text = sdk.sdkExecute('alipay.trade.app.pay', { bizContent, appAuthToken: TOKEN })
      await fetch(`${server.url}/gateway.do`, { method: 'POST', body: new URLSearchParams(text) })
    }
    await opened('APP3')
    await standIn.control.scan('APP3')
    expect(await exec('alipay.trade.query', order('APP3'))).toMatchObject({ tradeStatus: 'WAIT_BUYER_PAY' })
    expect(await exec('alipay.trade.close', { out_trade_no: 'APP3' })).toMatchObject({ code: '10000' })
    expect(await standIn.control.pay('APP3')).toBeNull()
    const inside = { buyer_open_id: 'o1', product_code: 'JSAPI_PAY', op_app_id: '2021' }
    expect(await exec('alipay.trade.create', order('IN3', inside))).toMatchObject({ code: '10000' })
    await standIn.control.pay('IN3')
    const refund = { out_trade_no: 'IN3', refund_amount: '2.50', out_request_no: 'R3' }
    expect(await exec('alipay.trade.refund', refund)).toMatchObject({ fundChange: 'Y' })
    expect(await exec('alipay.trade.fastpay.refund.query', refund)).toMatchObject({ refundStatus: 'REFUND_SUCCESS' })
    const day = { bill_type: 'trade', bill_date: '2026-01-31' }
    const address = 'alipay.data.dataservice.bill.downloadurl.query'
    expect(await exec(address, day)).toMatchObject({ subCode: 'isp.bill_not_exist' })
    now = new Date('2026-02-01T01:00:00Z')
    expect(await exec(address, day, {})).toMatchObject({ subCode: 'aop.invalid-app-auth-token' })
    const { billDownloadUrl } = await exec(address, day)
    const rows = await billRows(String(billDownloadUrl))
    const found = (no: string) => rows.filter((row) => row.split(',')[1]?.trim() === no).map((row) => row.split(',')[2])
    expect([found('APP1'), found('APP3'), found('IN3')]).toEqual([['交易', '退款'], [], ['交易', '退款']])
  })

  it('is refused without the merchant’s token, and without the product of the contract', async () => {
    const said = async (bizContent: object, more?: object) =>
      (await exec('alipay.trade.precreate', bizContent, more)).subCode ?? 'fine'
    const product = { product_code: 'QR_CODE_OFFLINE' }
    expect(await said(order('QR1', product), {})).toBe('aop.invalid-app-auth-token')
    expect(await said(order('QR1', product), { appAuthToken: 'x' })).toBe('aop.invalid-app-auth-token')
    expect(await said(order('QR1'))).toBe('ACQ.INVALID_PARAMETER')
    expect(await said(order('QR1', { product_code: 'FACE_TO_FACE_PAYMENT' }))).toBe('ACQ.INVALID_PARAMETER')
    expect(await said(order('QR1', product))).toBe('fine')
  })
})

describe('the official alipay-sdk with certificates', () => {
  const authority = alipayAuthority()
  const issuedAgain = authority.issueAlipay('51', { from: '2026-02-01T00:00:00Z' })
  let now = new Date('2026-01-31T00:00:00Z')
  let sdk: (more?: object) => AlipaySdk
  beforeAll(async () => {
    const { appFile: app, rootFile: root, alipayFile } = authority
    await mount(
      makeAlipayStandIn(
        {
          ...{ appId: '2021000000000001', sellerId: '2088000000000001' },
          appPublicKey: publicDer(authority.app.publicPem),
          alipayPrivateKey: privateDer(authority.alipay),
          certificates: { app, root, alipay: [{ file: alipayFile }, { file: issuedAgain }] },
        },
        { ...world(), now: () => now },
      ),
    )
    sdk = (more = {}) =>
      new AlipaySdk({
        ...{ appId: '2021000000000001', privateKey: authority.app.privatePem, keyType: 'PKCS8' },
        ...{ appCertContent: app, alipayPublicCertContent: alipayFile, alipayRootCertContent: root },
        gateway: `${server.url}/gateway.do`,
        ...more,
      })
  })
  afterAll(() => server.stop())
  type Said = { code: string; subCode?: string } & Record<string, unknown>
  const exec = (method: string, bizContent: object, by = sdk()): Promise<Said> =>
    by.exec(method, { bizContent }, { validateSign: true })

  it('places, queries, is paid, refunds, closes, and has its bill', async () => {
    const order = { out_trade_no: 'CERT1', total_amount: '12.50', subject: '测试' }
    expect(await exec('alipay.trade.precreate', order)).toMatchObject({ code: '10000', qrCode: expect.any(String) })
    await standIn.control.pay('CERT1')
    expect(await exec('alipay.trade.query', order)).toMatchObject({ tradeStatus: 'TRADE_SUCCESS' })
    const refund = { out_trade_no: 'CERT1', refund_amount: '2.50', out_request_no: 'R1' }
    expect(await exec('alipay.trade.refund', refund)).toMatchObject({ fundChange: 'Y' })
    await exec('alipay.trade.precreate', { ...order, out_trade_no: 'CERT2' })
    await standIn.control.scan('CERT2')
    expect(await exec('alipay.trade.close', { out_trade_no: 'CERT2' })).toMatchObject({ code: '10000' })
    now = new Date('2026-02-01T02:00:00Z')
    const bill = { bill_type: 'trade', bill_date: '2026-01-31' }
    const { billDownloadUrl } = await exec('alipay.data.dataservice.bill.downloadurl.query', bill)
    expect((await fetch(String(billDownloadUrl))).headers.get('content-type')).toBe('application/zip')
  })

  it('is answered in the name of the certificate that is in force, and can fetch it', async () => {
    const nameOf = async (at: string) => {
      now = new Date(at)
      const params = sdk().exec('alipay.trade.query', { bizContent: { out_trade_no: 'CERT9' } })
      expect(await params).toMatchObject({ subCode: 'ACQ.TRADE_NOT_EXIST' })
      return raw('alipay.trade.query', { out_trade_no: 'CERT9' })
    }
    const old = sdk().config.alipayCertSn
    const next = sdk({ alipayPublicCertContent: issuedAgain }).config.alipayCertSn
    expect(await nameOf('2026-01-31T23:59:59Z')).toMatchObject({ alipay_cert_sn: old })
    expect(await nameOf('2026-02-01T00:00:00Z')).toMatchObject({ alipay_cert_sn: next })
    const file = await raw('alipay.open.app.alipaycert.download', { alipay_cert_sn: next })
    expect(file).toEqual({
      alipay_open_app_alipaycert_download_response: expect.objectContaining({
        alipay_cert_content: Buffer.from(issuedAgain).toString('base64'),
      }),
    })
    const none = await raw('alipay.open.app.alipaycert.download', { alipay_cert_sn: 'f'.repeat(32) })
    expect(JSON.stringify(none)).toContain('isv.alipay-cert-not-exist')
  })

  /** The whole answer to a request of the SDK's. */
  async function raw(method: string, bizContent: object, more: object = {}): Promise<Record<string, unknown>> {
    const address = sdk().pageExecute(method, 'GET', { bizContent })
    const answer = await fetch(address.slice(0, address.indexOf('?')), {
      method: 'POST',
      body: new URLSearchParams({ ...Object.fromEntries(new URL(address).searchParams), ...more }),
    })
    return (await answer.json()) as Record<string, unknown>
  }

  it('is refused without its certificates, or with others, in Alipay’s words', async () => {
    const keyMode = new AlipaySdk({
      ...{ appId: '2021000000000001', privateKey: authority.app.privatePem, keyType: 'PKCS8' },
      ...{ alipayPublicKey: authority.alipay.publicPem, gateway: `${server.url}/gateway.do` },
    })
    const said = async (by: AlipaySdk) => (await exec('alipay.trade.query', { out_trade_no: 'CERT1' }, by)).subCode
    expect(await said(keyMode)).toBe('isv.missing-app-cert-sn')
    expect(await said(sdk({ appCertContent: authority.issueApp('52').file }))).toBe('isv.app-cert-not-exist')
    const [, root] = authority.rootFile.split(/(?<=-----END CERTIFICATE-----\r?\n)/)
    expect(await said(sdk({ alipayRootCertContent: root }))).toBe('isv.invalid-alipay-root-cert-sn')
    const rootless = { alipay_root_cert_sn: '' }
    expect(JSON.stringify(await raw('alipay.trade.query', {}, rootless))).toContain('isv.missing-alipay-root-cert-sn')
    now = new Date('2037-01-01T00:00:01Z')
    expect(await said(sdk())).toBe('isv.app-cert-expired')
    now = new Date('2026-02-01T02:00:00Z')
    const stranger = sdk({ privateKey: authority.alipay.privatePem })
    expect((await stranger.exec('alipay.trade.query', { bizContent: {} })) as Said).toMatchObject({
      subCode: 'isv.invalid-signature',
    })
  })
})

describe('wechatpay-axios-plugin', () => {
  let wechat: Wechatpay
  const common = { mchid: '1900000001', appid: 'wx1', description: '测试', notify_url: 'https://a.example/n' }
  beforeAll(async () => {
    await mount(makeWechatStandIn({ ...WECHAT, miniAppId: 'wxmini' }, world()))
    wechat = wechatClient(server.url)
  })
  afterAll(() => server.stop())

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
    // Accepted first; a query tells when it is done. A repeat is told how it stands.
    expect(refunded.data).toMatchObject({ status: 'PROCESSING', out_refund_no: 'R1' })
    const asked = await wechat.chain('v3/refund/domestic/refunds/R1').get()
    expect(asked.data).toMatchObject({ status: 'SUCCESS', amount: { refund: 250 } })
    expect((await wechat.chain('v3/refund/domestic/refunds').post(refund)).data).toMatchObject({ status: 'SUCCESS' })
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

  it('refuses what WeChat Pay refuses, in its words', async () => {
    const place = (method: string, more: object) =>
      failing(
        wechat
          .chain(`v3/pay/transactions/${method}`)
          .post({ ...common, out_trade_no: 'TRADE6', amount: { total: 1250, currency: 'CNY' }, ...more }),
      )
    const wrong = [400, 'PARAM_ERROR']
    expect(await place('native', {})).toBeNull()
    expect(await place('native', {})).toBeNull()
    expect(await place('native', { amount: { total: 1251, currency: 'CNY' } })).toEqual([400, 'INVALID_REQUEST'])
    expect(await place('jsapi', { payer: { openid: 'o' } })).toEqual([400, 'INVALID_REQUEST'])
    expect(await place('native', { out_trade_no: 'TRADE7', amount: { total: 0, currency: 'CNY' } })).toEqual(wrong)
    expect(await place('native', { out_trade_no: 'TRADE7', something: 1 })).toEqual(wrong)
    expect(await place('native', { out_trade_no: 'TRADE7', notify_url: 'https://a.example/n?a=1' })).toEqual(wrong)
    expect(await place('h5', { out_trade_no: 'TRADE7' })).toEqual(wrong)
    expect(await failing(trade('TRADE6').chain('close').post({}))).toEqual(wrong)
    await standIn.control.pay('TRADE6')
    const refund = (more: object) =>
      failing(
        wechat.chain('v3/refund/domestic/refunds').post({
          out_trade_no: 'TRADE6',
          out_refund_no: 'R6',
          amount: { refund: 1, total: 1250, currency: 'CNY' },
          ...more,
        }),
      )
    expect(await refund({ reason: '商'.repeat(27) })).toEqual(wrong)
    expect(await refund({ reason: '商'.repeat(26) })).toBeNull()
  })

  it('downloads the bill, whose hash is in a signed answer', async () => {
    const day = '2026-01-30'
    expect(await failing(wechat.chain('v3/bill/tradebill').get({ params: { bill_date: day } }))).toEqual([
      400,
      'NO_STATEMENT_EXIST',
    ])
    expect(await billOf(wechat, {})).toEqual([
      expect.stringMatching(/,`1900000001,`0,`.*,`TRADE1,`.*`SUCCESS,`/),
      expect.stringMatching(/,`1900000001,`0,`.*,`TRADE1,`.*`REFUND,`.*`R1,`.*`SUCCESS,`/),
      expect.stringMatching(/,`TRADE6,`/),
      expect.stringMatching(/,`TRADE6,`/),
    ])
  })

  it('places an order of the mini-program, as JSAPI alone, and says so of its payment', async () => {
    const order = {
      ...common,
      appid: 'wxmini',
      amount: { total: 1, currency: 'CNY' },
      payer: { openid: 'o-1' },
      attach: 'a',
    }
    const place = (method: string, more: object) =>
      failing(wechat.chain(`v3/pay/transactions/${method}`).post({ ...order, ...more }))
    expect(await place('jsapi', { out_trade_no: 'TRADE8' })).toBeNull()
    expect(await place('jsapi', { out_trade_no: 'TRADE8', appid: 'wx1' })).toEqual([400, 'INVALID_REQUEST'])
    expect(await place('native', { out_trade_no: 'TRADE10' })).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    expect(await place('jsapi', { out_trade_no: 'TRADE10', appid: 'wx3' })).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    const of = async () => (await trade('TRADE8').get({ params: { mchid: '1900000001' } })).data
    expect(await of()).toMatchObject({ appid: 'wxmini', trade_state: 'NOTPAY' })
    expect(await of()).not.toHaveProperty('attach')
    await standIn.control.pay('TRADE8')
    expect(await of()).toMatchObject({ appid: 'wxmini', trade_state: 'SUCCESS', attach: 'a' })
  })

  it('answers a stranger without a signature', async () => {
    const answer = await fetch(`${server.url}/v3/pay/transactions/out-trade-no/TRADE1?mchid=1900000001`)
    expect([answer.status, answer.headers.get('wechatpay-signature')]).toEqual([401, null])
    expect(await answer.json()).toMatchObject({ code: 'SIGN_ERROR' })
  })
})

describe('wechatpay-axios-plugin of a service provider', () => {
  const SUB_MCH = '1900000109'
  const SUB_APP = 'wxsub'
  const both = { sp_mchid: '1900000001', sub_mchid: SUB_MCH }
  const order = {
    ...both,
    sp_appid: 'wx1',
    description: '测试',
    notify_url: 'https://a.example/n',
    amount: { total: 1250, currency: 'CNY' },
  }
  let wechat: Wechatpay
  beforeAll(async () => {
    await mount(makeWechatStandIn({ ...WECHAT, subMchId: SUB_MCH, subAppId: SUB_APP }, world()))
    wechat = wechatClient(server.url)
  })
  afterAll(() => server.stop())
  const place = (method: string, more: object) =>
    wechat.chain(`v3/pay/partner/transactions/${method}`).post({ ...order, ...more })
  const trade = (no: string) => wechat.chain(`v3/pay/partner/transactions/out-trade-no/${no}`)

  it('places in each way, is paid, queries, closes, refunds and downloads the bill', async () => {
    expect((await place('native', { out_trade_no: 'TRADE1' })).data).toMatchObject({ code_url: expect.any(String) })
    const payer = { sub_appid: SUB_APP, payer: { sub_openid: 'o-1' } }
    expect((await place('jsapi', { out_trade_no: 'TRADE2', ...payer })).data).toMatchObject({
      prepay_id: expect.any(String),
    })
    const scene = { scene_info: { payer_client_ip: '1.2.3.4', h5_info: { type: 'Wap' } } }
    expect((await place('h5', { out_trade_no: 'TRADE3', ...scene })).data).toMatchObject({ h5_url: expect.any(String) })
    expect((await place('app', { out_trade_no: 'TRADE4' })).data).toMatchObject({ prepay_id: expect.any(String) })
    expect((await trade('TRADE4').chain('close').post(both)).status).toBe(204)
    expect((await trade('TRADE4').get({ params: both })).data).toMatchObject({ trade_state: 'CLOSED' })
    await standIn.control.pay('TRADE1')
    await standIn.control.pay('TRADE2', { payer: 'o-1' })
    const paid = (await trade('TRADE1').get({ params: both })).data
    expect(paid).toMatchObject({
      ...both,
      sp_appid: 'wx1',
      trade_state: 'SUCCESS',
      payer: { sp_openid: 'sandbox-payer' },
    })
    expect(paid).not.toHaveProperty('sub_appid')
    expect(paid).not.toHaveProperty('mchid')
    const { transaction_id: id } = paid as { transaction_id: string }
    expect((await trade('TRADE2').get({ params: both })).data).toMatchObject({
      sub_appid: SUB_APP,
      payer: { sub_openid: 'o-1' },
    })
    const byId = await wechat.chain(`v3/pay/partner/transactions/id/${id}`).get({ params: both })
    expect(byId.data).toMatchObject({ out_trade_no: 'TRADE1' })
    expect(await failing(trade('TRADE1').chain('close').post(both))).toEqual([400, 'ORDERPAID'])
    const refund = { sub_mchid: SUB_MCH, transaction_id: id, out_refund_no: 'R1' }
    const made = await wechat
      .chain('v3/refund/domestic/refunds')
      .post({ ...refund, amount: { refund: 250, total: 1250, currency: 'CNY' } })
    expect(made.data).toMatchObject({ status: 'PROCESSING', out_refund_no: 'R1' })
    const asked = await wechat.chain('v3/refund/domestic/refunds/R1').get({ params: { sub_mchid: SUB_MCH } })
    expect(asked.data).toMatchObject({ status: 'SUCCESS', amount: { refund: 250 } })
    expect(await billOf(wechat, { sub_mchid: SUB_MCH })).toEqual([
      expect.stringMatching(/,`1900000001,`1900000109,`.*,`TRADE1,`.*`SUCCESS,`/),
      expect.stringMatching(/,`1900000001,`1900000109,`.*,`TRADE1,`.*`REFUND,`.*`R1,`/),
      expect.stringMatching(/,`TRADE2,`/),
    ])
  })

  it('is refused what the mode does not allow, in WeChat Pay’s words', async () => {
    const said = (call: Promise<unknown>) => failing(call)
    const wrong = [400, 'PARAM_ERROR']
    const no = { out_trade_no: 'TRADE9' }
    const direct = { appid: 'wx1', mchid: '1900000001', description: 'x', notify_url: 'https://a.example/n', ...no }
    const amount = { amount: { total: 1, currency: 'CNY' } }
    expect(await said(wechat.chain('v3/pay/transactions/native').post({ ...direct, ...amount }))).toEqual([
      403,
      'NO_AUTH',
    ])
    expect(await said(place('native', { ...no, sub_mchid: '1900000110' }))).toEqual([403, 'NO_AUTH'])
    expect(await said(place('native', { ...no, sub_mchid: undefined }))).toEqual(wrong)
    expect(await said(place('native', { ...no, sp_appid: 'wx2' }))).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    expect(await said(place('native', { ...no, sub_appid: 'wx2' }))).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    expect(await said(place('native', { ...no, mchid: '1900000001' }))).toEqual(wrong)
    expect(await said(place('jsapi', { ...no, payer: { sub_openid: 'o' } }))).toEqual(wrong)
    expect(await said(place('jsapi', { ...no, payer: { openid: 'o' } }))).toEqual(wrong)
    expect(await said(trade('TRADE1').get({ params: { mchid: '1900000001' } }))).toEqual(wrong)
    const other = { ...both, sub_mchid: '1900000110' }
    expect(await said(trade('TRADE1').get({ params: other }))).toEqual([400, 'INVALID_REQUEST'])
    expect(await said(trade('TRADE1').chain('close').post({ mchid: '1900000001' }))).toEqual(wrong)
    expect(await said(wechat.chain('v3/refund/domestic/refunds/R1').get())).toEqual(wrong)
    const refund = { out_trade_no: 'TRADE1', out_refund_no: 'R2', amount: { refund: 1, total: 1250, currency: 'CNY' } }
    expect(await said(wechat.chain('v3/refund/domestic/refunds').post(refund))).toEqual(wrong)
  })
})

describe('wechatpay-axios-plugin, and what WeChat Pay does on some days', () => {
  let aheadMs = 0
  let made: ReturnType<typeof world>
  let told: { headers: Record<string, string>; body: string }[]
  let wechat: Wechatpay
  beforeAll(async () => {
    told = []
    made = {
      ...world(),
      now: () => new Date(Date.now() + aheadMs),
      // As a merchant answers what it cannot verify, and then what it can.
      deliver: async (_url: string, headers: Record<string, string>, body: string) => {
        told.push({ headers, body })
        return { status: 200, body: '' }
      },
    } as ReturnType<typeof world>
    await mount(makeWechatStandIn(WECHAT, made))
    wechat = wechatClient(server.url)
  })
  const place = (no: string) =>
    wechat.chain('v3/pay/transactions/native').post({
      ...{ mchid: '1900000001', appid: 'wx1', description: '测试', notify_url: 'https://a.example/n' },
      out_trade_no: no,
      amount: { total: 1250, currency: 'CNY' },
    })
  const refund = (no: string, fen = 100) =>
    failing(
      wechat.chain('v3/refund/domestic/refunds').post({
        out_trade_no: 'TRADE1',
        out_refund_no: no,
        amount: { refund: fen, total: 1250, currency: 'CNY' },
      }),
    )

  it('refuses another refund of one payment within a minute, not the same one again, and nothing afterwards', async () => {
    await place('TRADE1')
    await standIn.control.pay('TRADE1')
    made.faults.set([{ kind: 'refunds_spaced' }])
    expect(await refund('R1')).toBeNull()
    expect(await refund('R2')).toEqual([429, 'FREQUENCY_LIMITED'])
    expect(await refund('R1')).toBeNull()
    aheadMs = 59_000
    expect(await refund('R2')).toEqual([429, 'FREQUENCY_LIMITED'])
    aheadMs = 62_000
    expect(await refund('R2')).toBeNull()
    expect((await standIn.control.trade('TRADE1'))?.refunds).toHaveLength(2)
  })

  it('says a word with the status that the manual has beside it', async () => {
    const said = async (word: string) => {
      made.faults.set([{ kind: 'says', verb: 'query', word }])
      const asked = wechat.chain('v3/pay/transactions/out-trade-no/TRADE1').get({ params: { mchid: '1900000001' } })
      return failing(asked.then(({ status, data }) => Promise.reject({ response: { status, data } })))
    }
    expect(await said('USER_PAYING')).toEqual([202, 'USER_PAYING'])
    expect(await said('FREQUENCY_LIMITED')).toEqual([429, 'FREQUENCY_LIMITED'])
    expect(await said('RATELIMIT_EXCEEDED')).toEqual([429, 'RATELIMIT_EXCEEDED'])
    expect(await said('SYSTEM_ERROR')).toEqual([500, 'SYSTEM_ERROR'])
    expect(await said('A_WORD_OF_TOMORROW')).toEqual([400, 'A_WORD_OF_TOMORROW'])
    made.faults.set([])
  })

  it('probes whether a signature is verified, and tells it rightly signed 15 seconds later, whatever was answered', async () => {
    told.length = 0
    made.faults.set([{ kind: 'probe', verb: 'notify' }])
    await place('TRADE2')
    await standIn.control.pay('TRADE2')
    const isSigned = ({ headers, body }: (typeof told)[number]): boolean => {
      const text = Formatter.response(headers['wechatpay-timestamp'] ?? '', headers['wechatpay-nonce'] ?? '', body)
      return Rsa.verify(text, headers['wechatpay-signature'] ?? '', theirs.publicPem)
    }
    expect(told.map(({ headers }) => headers['wechatpay-signature']?.startsWith('WECHATPAY/SIGNTEST/'))).toEqual([true])
    expect(await standIn.control.deliverDue()).toBe(0)
    aheadMs += 15_000
    await standIn.control.deliverDue()
    expect(told.map(isSigned)).toEqual([false, true])
    aheadMs += 86_400_000
    expect(await standIn.control.deliverDue()).toBe(0)
  })
})

describe('wechatpay-axios-plugin with certificates', () => {
  it('decrypts the platform certificate that signs the answers', async () => {
    await server.stop()
    const { pem, serial, privateKey } = platformCertificate()
    const certified = { ...WECHAT, platformPrivateKey: privateKey, platformSerial: serial, platformCertificate: pem }
    await mount(makeWechatStandIn(certified, world()))
    const wechat = wechatClient(server.url, { [serial]: pem })
    const { data } = (await wechat.chain('v3/certificates').get()).data as {
      data: { serial_no: string; encrypt_certificate: Record<string, string> }[]
    }
    const [{ serial_no = '', encrypt_certificate: sealed = {} } = {}] = data
    expect([data.length, serial_no, sealed.algorithm]).toEqual([1, serial, 'AEAD_AES_256_GCM'])
    const { ciphertext = '', nonce = '', associated_data: aad = '' } = sealed
    expect(Aes.AesGcm.decrypt(ciphertext, WECHAT.apiV3Key, nonce, aad)).toBe(pem)
    expect(() => Aes.AesGcm.decrypt(ciphertext, 'f'.repeat(32), nonce, aad)).toThrow()
  })

  it('is told that an account with the public key alone has none', async () => {
    await server.stop()
    await mount(makeWechatStandIn(WECHAT, world()))
    expect(await failing(wechatClient(server.url).chain('v3/certificates').get())).toEqual([404, 'RESOURCE_NOT_EXISTS'])
  })
})
