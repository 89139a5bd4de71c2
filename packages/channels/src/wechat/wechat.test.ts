/** Tests of what only WeChat Pay does, such as notifications that become too old and certificates that change. */
import { createCipheriv, createPrivateKey, sign, verify } from 'node:crypto'
import { fen } from '@acopay/core'
import { describe, expect, it } from 'vitest'
import { platformCertificate } from '../../../../test/support/certificate.ts'
import { rsaKeys } from '../../../../test/support/keys.ts'
import { makeWechat, type WechatAccount } from './index.ts'

const NOW = new Date('2026-01-31T00:00:00Z')
const API_KEY = '0123456789abcdef0123456789abcdef'

const { privateKey, publicKey } = rsaKeys('ours')
const platform = rsaKeys('theirs')

const account = (more: Partial<WechatAccount> = {}): WechatAccount => ({
  baseUrl: 'http://wechat.test',
  appId: 'wx1',
  mchId: '1900000001',
  serialNo: 'S1',
  apiV3Key: API_KEY,
  mchPrivateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  platformKeys: [
    { id: 'PUB_KEY_ID_1', publicKey: platform.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
  ],
  ...more,
})

const noFetch: typeof fetch = async () => {
  throw new Error('no upstream is called')
}
const doorAt = (now: Date, fetchIt = noFetch) => ({ fetch: fetchIt, now: () => now, newNonce: () => 'n' })

function seal(plain: string, key = API_KEY) {
  const cipher = createCipheriv('aes-256-gcm', key, 'noncenonceno').setAAD(Buffer.from('x'))
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64')
  return { algorithm: 'AEAD_AES_256_GCM', ciphertext, associated_data: 'x', nonce: 'noncenonceno' }
}

const TRADE = {
  mchid: '1900000001',
  appid: 'wx1',
  out_trade_no: 'AT1',
  trade_state: 'SUCCESS',
  transaction_id: 'UP1',
  success_time: '2026-01-31T08:00:00+08:00',
  amount: { total: 1250, currency: 'CNY' },
}

const REFUND = { mchid: '1900000001', out_trade_no: 'AT1', out_refund_no: 'AR1', refund_status: 'SUCCESS' }

/** A notification that WeChat Pay has signed just now. */
function told(trade: object, more: { event?: string; key?: string; at?: Date } = {}) {
  const body = JSON.stringify({
    event_type: more.event ?? 'TRANSACTION.SUCCESS',
    resource: seal(JSON.stringify(trade), more.key),
  })
  return { body: Buffer.from(body), headers: signed(body, 'PUB_KEY_ID_1', platform.privateKey, more.at ?? NOW) }
}

function signed(body: string, serial: string, key: typeof platform.privateKey, at: Date): Record<string, string> {
  const time = String(Math.floor(at.getTime() / 1000))
  const signature = sign('RSA-SHA256', Buffer.from(`${time}\nn\n${body}\n`), key).toString('base64')
  const names = { serial, timestamp: time, nonce: 'n', signature }
  return Object.fromEntries(Object.entries(names).map(([name, value]) => [`wechatpay-${name}`, value]))
}

it.each([
  ['is heard', told(TRADE), 'paid'],
  ['of another kind of event is heard and not acted on', told(TRADE, { event: 'COUPON.USE' }), 'other'],
  ['of a refund names it', told(REFUND, { event: 'REFUND.SUCCESS' }), 'refund'],
  ['of a refund that went wrong names it', told(REFUND, { event: 'REFUND.ABNORMAL' }), 'refund'],
  ["of another merchant's refund is forged", told({ ...REFUND, mchid: '1' }, { event: 'REFUND.CLOSED' }), 'forged'],
  ['of a refund without a number is forged', told({ mchid: '1900000001' }, { event: 'REFUND.SUCCESS' }), 'forged'],
  ['of another merchant is forged', told({ ...TRADE, mchid: '1900000002' }), 'forged'],
  ['of another app is forged', told({ ...TRADE, appid: 'wx2' }), 'forged'],
  ['encrypted with another key is forged', told(TRADE, { key: API_KEY.replaceAll('0', '1') }), 'forged'],
  ['six minutes old is forged: it may be a repeat', told(TRADE, { at: new Date(NOW.getTime() - 360_000) }), 'forged'],
  ['from six minutes ahead is forged', told(TRADE, { at: new Date(NOW.getTime() + 360_000) }), 'forged'],
  ['without an amount is forged', told({ ...TRADE, amount: {} }), 'forged'],
])('a notification %s', async (_what, raw, kind) => {
  expect((await makeWechat(account(), doorAt(NOW)).readWebhook(raw)).kind).toBe(kind)
})

it('a certificate it has never seen is asked for, once, and believed when the APIv3 key opens it', async () => {
  const { pem, serial, privateKey: theirKey } = platformCertificate()
  const theirs = createPrivateKey({ key: Buffer.from(theirKey, 'base64'), format: 'der', type: 'pkcs8' })
  let asked = 0
  const wechat: typeof fetch = async (input) => {
    const isCertificates = String(input).endsWith('/v3/certificates')
    if (isCertificates) asked += 1
    const list = { data: [{ serial_no: serial, encrypt_certificate: seal(pem) }] }
    const body = JSON.stringify(isCertificates ? list : { ...TRADE, trade_state: 'CLOSED' })
    return new Response(body, { status: 200, headers: signed(body, serial, theirs, NOW) })
  }
  const channel = makeWechat(account({ platformKeys: [] }), doorAt(NOW, wechat))
  const query = () => channel.query({ attemptNo: 'AT1' }, new AbortController().signal)
  expect((await Promise.all([query(), query(), query()])).map(({ kind }) => kind)).toEqual([
    'closed',
    'closed',
    'closed',
  ])
  expect((await query()).kind).toBe('closed')
  expect(asked).toBe(1)

  // The first caller gives up; later callers need not wait for a minute.
  let isSlow = true
  const slow: typeof fetch = async (input, init) => {
    if (isSlow && String(input).endsWith('/v3/certificates')) throw new TypeError('fetch failed')
    return wechat(input, init)
  }
  let now = NOW
  const late = makeWechat(account({ platformKeys: [] }), { ...doorAt(NOW, slow), now: () => now })
  const ask = async () => (await late.query({ attemptNo: 'AT1' }, new AbortController().signal)).kind
  expect(await ask()).toBe('unknown')
  isSlow = false
  expect(await ask()).toBe('unknown')
  now = new Date(NOW.getTime() + 2000)
  expect(await ask()).toBe('closed')

  const stranger = makeWechat(
    account({ platformKeys: [], apiV3Key: API_KEY.replaceAll('0', '1') }),
    doorAt(NOW, wechat),
  )
  expect((await stranger.query({ attemptNo: 'AT1' }, new AbortController().signal)).kind).toBe('unknown')
})

/** Answers every call with this, signed. */
const saying = (answer: object): typeof fetch => {
  const body = JSON.stringify(answer)
  return async () => new Response(body, { headers: signed(body, 'PUB_KEY_ID_1', platform.privateKey, NOW) })
}

const PATIENT = new AbortController().signal
const ASK = {
  attemptNo: 'AT1',
  amountFen: fen(1250n),
  description: '测试',
  expireAt: NOW,
  notifyUrl: 'https://pay.test/notify',
  returnUrl: 'https://pay.test/cashier/1?a=b',
  payerIp: '1.2.3.4',
  openId: 'o-1',
}

it("what WeChat's payment sheet is shown with is signed by the merchant, over the four lines of the manual", async () => {
  const channel = makeWechat(account(), doorAt(NOW, saying({ prepay_id: 'wx201' })))
  const opened = await channel.open({ ...ASK, method: 'jsapi' }, PATIENT)
  const sheet = JSON.parse(opened.kind === 'opened' ? opened.payUrl : '') as Record<string, string>
  expect(sheet).toMatchObject({ appId: 'wx1', nonceStr: 'n', package: 'prepay_id=wx201', signType: 'RSA' })
  const text = `wx1\n${NOW.getTime() / 1000}\nn\nprepay_id=wx201\n`
  expect(verify('RSA-SHA256', Buffer.from(text), publicKey, Buffer.from(sheet.paySign ?? '', 'base64'))).toBe(true)
})

it('the page for telephones is told where the payer comes back to', async () => {
  const page = 'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2'
  const channel = makeWechat(account(), doorAt(NOW, saying({ h5_url: page })))
  const opened = await channel.open({ ...ASK, method: 'h5' }, PATIENT)
  const payUrl = `${page}&redirect_url=https%3A%2F%2Fpay.test%2Fcashier%2F1%3Fa%3Db`
  expect(opened).toMatchObject({ kind: 'opened', payUrl })
})

describe('who a payer is', () => {
  const signInWith = (answer: unknown, status = 200) => {
    const asked: string[] = []
    const fetchIt: typeof fetch = async (url) => {
      asked.push(String(url))
      if (answer instanceof Error) throw answer
      return new Response(typeof answer === 'string' ? answer : JSON.stringify(answer), { status })
    }
    return { asked, signIn: makeWechat(account({ appSecret: 'app secret' }), doorAt(NOW, fetchIt)).signIn }
  }

  it('is not known to an account without a secret', () => {
    expect(makeWechat(account(), doorAt(NOW)).signIn).toBeNull()
    expect(makeWechat(account({ appSecret: '' }), doorAt(NOW)).signIn).toBeNull()
  })

  it('begins at WeChat, with the parameters in the order that it asks for', () => {
    const address = signInWith({}).signIn?.address({ returnUrl: 'https://pay.test/c/1/back', state: 's1' })
    expect(address).toBe(
      'https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1&redirect_uri=https%3A%2F%2Fpay.test%2Fc%2F1%2Fback' +
        '&response_type=code&scope=snsapi_base&state=s1#wechat_redirect',
    )
  })

  it.each([
    ['is told', { openid: 'o-1', scope: 'snsapi_base' }, 200, { kind: 'payer', openId: 'o-1' }],
    ['is refused for a spent code', { errcode: 40163, errmsg: 'code been used' }, 200, { kind: 'refused' }],
    ['is refused for a wrong secret', { errcode: 40125, errmsg: 'invalid appsecret' }, 200, { kind: 'refused' }],
    ['is unknown while WeChat is busy', { errcode: -1, errmsg: 'system error' }, 200, { kind: 'unknown' }],
    ['is unknown without an answer', new TypeError('fetch failed'), 200, { kind: 'unknown' }],
    ['is unknown after a failure', {}, 502, { kind: 'unknown' }],
    ['is unknown when nothing is said', {}, 200, { kind: 'unknown' }],
    ['is unknown when it cannot be read', '<html>', 200, { kind: 'unknown' }],
  ])('%s', async (_what, answer, status, expected) => {
    const { asked, signIn } = signInWith(answer, status)
    const said = await signIn?.payerOf('code1', PATIENT)
    expect(said).toMatchObject(expected)
    expect(JSON.stringify(said)).not.toContain('secret=')
    expect(new URL(asked[0] ?? '').searchParams.get('code')).toBe('code1')
  })
})
