/** Certificate mode, against a gateway that `alipay-sdk` checks and an authority that `node-forge` made. */
import { fen } from '@acopay/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AlipayOracle, type AlipaySays, alipayOracle, NOW } from '../../../../test/support/oracle/alipay.ts'
import { type AlipayAuthority, alipayAuthority, keyPem } from '../../../../test/support/oracle/alipay-certificates.ts'
import { BadSetting } from '../bad-setting.ts'
import type { Channel } from '../contract.ts'
import { alipayCertificates } from './certificates.ts'
import { makeAlipay } from './index.ts'

let authority: AlipayAuthority
let oracle: AlipayOracle
let channel: Channel
let now: Date
beforeAll(async () => {
  authority = alipayAuthority()
  oracle = await alipayOracle(authority)
})
afterAll(() => oracle.stop())
beforeEach(() => {
  now = NOW
  channel = makeAlipay(oracle.account, { ...oracle.door, now: () => now })
})
afterEach(() => expect(oracle.complaints).toEqual([]))

const PATIENT = new AbortController().signal
const REF = { attemptNo: 'AT202601310800000000000000000001' }
const DOWNLOAD = 'alipay.open.app.alipaycert.download'
const OPEN = {
  ...REF,
  method: 'native',
  amountFen: fen(1250n),
  description: '测试',
  expireAt: new Date(NOW.getTime() + 3_600_000),
  notifyUrl: 'https://pay.test/notify/alipay/M1',
  returnUrl: null,
  payerIp: null,
  openId: null,
}
const REFUND = { ...REF, paymentNo: '2026', refundNo: 'AR1', amountFen: 5n, totalFen: 5n, reason: 'x', notifyUrl: 'x' }
const ABSENT = { code: '40004', msg: 'Business Failed', sub_code: 'ACQ.TRADE_NOT_EXIST', sub_msg: '交易不存在' }
const query = async (of = channel) => (await of.query(REF, PATIENT)).kind

/** What `alipay-sdk` calls the certificate that a file begins with. */
async function serialOf(file: string): Promise<string> {
  const other = await alipayOracle({ ...authority, alipayFile: file })
  await other.stop()
  return other.sdk.config.alipayCertSn
}

/** Answers are signed with this key and name this certificate; every request for a certificate is answered with this file. */
function rotatedTo(file: string | null, certificate: { serial: string; privatePem: string }): void {
  const download =
    file === null
      ? { code: '40002', msg: 'Invalid Arguments', sub_code: 'isv.alipay-cert-not-exist' }
      : { code: '10000', msg: 'Success', alipay_cert_content: Buffer.from(file).toString('base64') }
  oracle.says(({ method }) => (method === DOWNLOAD ? { body: download, sign: false } : { body: ABSENT, certificate }))
}
const downloads = () => oracle.asked.filter(({ body }) => body.includes(DOWNLOAD))

it('every request names the app’s certificate and Alipay’s roots as alipay-sdk names them', async () => {
  oracle.says({ body: ABSENT })
  const asked = oracle.asked.length
  await channel.open(OPEN, PATIENT)
  await channel.query(REF, PATIENT)
  await channel.close(REF, PATIENT)
  await channel.refund(REFUND, PATIENT)
  await channel.queryRefund(REFUND, PATIENT)
  await channel.fetchUpstreamBill('2026-01-30', PATIENT)
  const page = await channel.open({ ...OPEN, method: 'page' }, PATIENT)
  await fetch(page.kind === 'opened' ? page.payUrl : '')
  expect(oracle.asked.length - asked).toBe(7)
  expect(oracle.sdk.config.alipayRootCertSn).toMatch(/^[0-9a-f]{32}_[0-9a-f]{32}$/)
})

describe('an answer', () => {
  it('is believed by the certificate that it names, or by the account’s when it names none', async () => {
    const own = oracle.sdk.config.alipayCertSn
    const { privatePem } = authority.alipay
    const other = keyPem('new').privatePem
    const kinds: Record<string, string> = {}
    const answers: Record<string, AlipaySays['certificate']> = {
      'named, its key': { serial: own, privatePem },
      'named, another key': { serial: own, privatePem: other },
      'none named, its key': { serial: null, privatePem },
      'none named, another key': { serial: null, privatePem: other },
      'the app’s key': { serial: own, privatePem: authority.app.privatePem },
    }
    for (const [what, certificate] of Object.entries(answers)) {
      oracle.says({ body: ABSENT, ...(certificate === undefined ? {} : { certificate }) })
      kinds[what] = await query()
    }
    expect(kinds).toEqual({
      'named, its key': 'absent',
      'named, another key': 'unknown',
      'none named, its key': 'absent',
      'none named, another key': 'unknown',
      'the app’s key': 'unknown',
    })
  })

  it('that names a new certificate is believed once Alipay has given it: the key is the same, or another one', async () => {
    for (const key of [authority.alipay, keyPem('new')]) {
      channel = makeAlipay(oracle.account, oracle.door)
      const file = authority.issueAlipay('7a01', { from: '2026-01-01T00:00:00Z', key })
      const certificate = { serial: await serialOf(file), privatePem: key.privatePem }
      const before = downloads().length
      rotatedTo(file, certificate)
      expect([await query(), await query()]).toEqual(['absent', 'absent'])
      expect(
        downloads()
          .slice(before)
          .map(({ body }) => new URLSearchParams(body).get('biz_content')),
      ).toEqual([JSON.stringify({ alipay_cert_sn: certificate.serial })])
      // What the account has is still believed: machines of Alipay's may differ for a while.
      oracle.says({ body: ABSENT })
      expect(await query()).toBe('absent')
    }
  })

  it('that names a certificate which is not Alipay’s, or not valid now, is not believed', async () => {
    const key = keyPem('new')
    const stranger = authority.authority('Ant Financial Certification Authority Class 2 R1', '62c4abe5b280325f', null)
    const ended = authority.authority('Class 3', '77', authority.root, '2026-01-30T00:00:00Z')
    const app = authority.issueApp('88', { key })
    const files: Record<string, string | null> = {
      'Alipay has none': null,
      'no certificate': 'nothing',
      'ended an hour ago': authority.issueAlipay('7b02', { key, until: '2026-01-30T23:00:00Z' }),
      'begins tomorrow': authority.issueAlipay('7b03', { key, from: '2026-02-01T00:00:00Z' }),
      'from another authority of the same name': authority.issueAlipay('7b04', { key, by: stranger }),
      'from an authority that has ended': authority.issueAlipay('7b05', { key, by: ended }),
      'without the certificate in between': authority.issueAlipay('7b06', { key, chain: '' }),
      'in the name of another merchant': authority.issueAlipay('7b07', { key, CN: '支付宝-2088000000000002' }),
      'an app’s': app.file + authority.class2.file,
      'issued by an app': authority.issueAlipay('7b09', { key, by: app, chain: app.file + authority.class2.file }),
    }
    const kinds: Record<string, string> = {}
    for (const [what, file] of Object.entries(files)) {
      channel = makeAlipay(oracle.account, oracle.door)
      const isFile = file?.includes('BEGIN') === true
      rotatedTo(file, { serial: isFile ? await serialOf(file) : 'f'.repeat(32), privatePem: key.privatePem })
      kinds[what] = await query()
    }
    expect(kinds).toEqual(Object.fromEntries(Object.keys(files).map((what) => [what, 'unknown'])))
    // One that is, but not the one that was asked for.
    channel = makeAlipay(oracle.account, oracle.door)
    rotatedTo(authority.issueAlipay('7c01', { key }), { serial: 'f'.repeat(32), privatePem: key.privatePem })
    expect(await query()).toBe('unknown')
    // The same authority and name, all in order.
    const good = authority.issueAlipay('7c02', { key })
    channel = makeAlipay(oracle.account, oracle.door)
    rotatedTo(good, { serial: await serialOf(good), privatePem: key.privatePem })
    expect(await query()).toBe('absent')
  })

  it('makes Alipay be asked for a certificate once a minute, and soon again when it does not answer', async () => {
    const key = keyPem('new')
    const [first, second] = [authority.issueAlipay('7d01', { key }), authority.issueAlipay('7d02', { key })]
    const [one, other] = [await serialOf(first), await serialOf(second)]
    const before = downloads().length
    const seen = () => downloads().length - before
    rotatedTo(first, { serial: one, privatePem: key.privatePem })
    expect((await Promise.all([query(), query(), query()])).join()).toBe('absent,absent,absent')
    expect(seen()).toBe(1)
    rotatedTo(second, { serial: other, privatePem: key.privatePem })
    now = new Date(NOW.getTime() + 59_999)
    expect([await query(), seen()]).toEqual(['unknown', 1])
    now = new Date(NOW.getTime() + 60_000)
    expect([await query(), seen()]).toEqual(['absent', 2])
    oracle.says(({ method }) =>
      method === DOWNLOAD
        ? { body: '<html>' }
        : { body: ABSENT, certificate: { serial: 'e'.repeat(32), privatePem: key.privatePem } },
    )
    now = new Date(NOW.getTime() + 120_000)
    expect([await query(), seen()]).toEqual(['unknown', 3])
    now = new Date(NOW.getTime() + 121_999)
    expect([await query(), seen()]).toEqual(['unknown', 3])
    now = new Date(NOW.getTime() + 122_000)
    expect([await query(), seen()]).toEqual(['unknown', 4])
  })

  it('is not believed any more by a certificate that has ended', async () => {
    oracle.says({ body: ABSENT })
    now = new Date('2036-12-31T23:59:59Z')
    expect(await query()).toBe('absent')
    now = new Date('2037-01-01T00:00:01Z')
    expect(await query()).toBe('unknown')
  })
})

describe('a notification', () => {
  const PAID = {
    ...{ app_id: '2021000000000001', seller_id: '2088000000000001', out_trade_no: REF.attemptNo, trade_no: '2026' },
    ...{ trade_status: 'TRADE_SUCCESS', total_amount: '12.50', gmt_payment: '2026-01-31 07:59:00', subject: '测试' },
  }
  const heard = async (params: Record<string, string>, how: Parameters<AlipayOracle['told']>[1] = {}) =>
    (await channel.readWebhook(oracle.told(params, how))).kind

  it('is believed by the account’s certificate, and by the one that it names, whether its signature covers the name or not', async () => {
    const own = { alipay_cert_sn: oracle.sdk.config.alipayCertSn }
    expect(await heard(PAID)).toBe('paid')
    expect(await heard({ ...PAID, ...own })).toBe('paid')
    expect(await heard({ ...PAID, ...own }, { leaves: ['alipay_cert_sn'] })).toBe('paid')
    expect(await heard(PAID, { privatePem: authority.app.privatePem })).toBe('forged')
  })

  it('that names a new certificate is believed once Alipay has given it; names that are none ask for nothing', async () => {
    const key = keyPem('new')
    const file = authority.issueAlipay('7e01', { key })
    const serial = await serialOf(file)
    const before = downloads().length
    rotatedTo(file, { serial, privatePem: key.privatePem })
    expect(await heard({ ...PAID, alipay_cert_sn: '../x' }, { privatePem: key.privatePem })).toBe('forged')
    expect(downloads().length - before).toBe(0)
    expect(await heard({ ...PAID, alipay_cert_sn: serial }, { privatePem: key.privatePem })).toBe('paid')
    expect(downloads().length - before).toBe(1)
  })

  it('of a stranger does not keep an answer’s certificate from being asked for', async () => {
    const key = keyPem('new')
    const file = authority.issueAlipay('7f01', { key })
    rotatedTo(file, { serial: await serialOf(file), privatePem: key.privatePem })
    expect(await heard({ ...PAID, alipay_cert_sn: 'a'.repeat(32) }, { privatePem: key.privatePem })).toBe('forged')
    expect(await query()).toBe('absent')
  })
})

describe('the settings', () => {
  const wrong = (more: object): string => {
    try {
      makeAlipay({ ...oracle.account, ...more }, oracle.door)
      return 'fine'
    } catch (error) {
      return error instanceof BadSetting ? error.setting : 'another error'
    }
  }

  it('that do not belong together make no channel, and the error names the setting', () => {
    const other = alipayAuthority('other')
    expect(wrong({})).toBe('fine')
    expect(wrong({ appCert: '' })).toBe('appCert')
    expect(wrong({ alipayCert: undefined })).toBe('alipayCert')
    expect(wrong({ alipayRootCert: '' })).toBe('alipayRootCert')
    expect(wrong({ appCert: 'AAAA' })).toBe('appCert')
    expect(wrong({ appCert: '-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----' })).toBe('appCert')
    expect(wrong({ appCert: authority.issueApp('99', { key: keyPem('new') }).file })).toBe('appCert')
    expect(wrong({ alipayCert: authority.issueAlipay('99', { chain: '' }) })).toBe('alipayCert')
    expect(wrong({ alipayRootCert: other.rootFile })).toBe('alipayCert')
    expect(wrong({ alipayRootCert: authority.rootFile.split('-----END CERTIFICATE-----')[0] ?? '' })).toBe(
      'alipayRootCert',
    )
    expect(
      wrong({ alipayRootCert: `${authority.rootFile.split('-----END CERTIFICATE-----')[0]}-----END CERTIFICATE-----` }),
    ).toBe('alipayRootCert')
    const error = (() => {
      try {
        makeAlipay({ ...oracle.account, appCert: 'a secret' }, oracle.door)
      } catch (thrown) {
        return thrown as BadSetting
      }
    })()
    expect(JSON.stringify([error?.message, error?.says])).not.toContain('a secret')
  })

  it('may have been pasted into one line', async () => {
    const joined = (text: string) => text.replaceAll(/\s+/g, '')
    const { appCert = '', alipayCert = '', alipayRootCert = '' } = oracle.account
    const inOneLine = { appCert, alipayCert, alipayRootCert }
    const squeezed = Object.fromEntries(
      Object.entries(inOneLine).map(([name, text]) => [
        name,
        joined(text)
          .replaceAll('BEGINCERTIFICATE', 'BEGIN CERTIFICATE')
          .replaceAll('ENDCERTIFICATE', 'END CERTIFICATE'),
      ]),
    )
    oracle.says({ body: ABSENT })
    expect(await query(makeAlipay({ ...oracle.account, ...squeezed }, oracle.door))).toBe('absent')
  })

  it('say when their certificates end; of Alipay’s chain what ends first counts', () => {
    const ended = authority.authority('Class 3', '77', authority.root, '2030-05-06T00:00:00Z')
    const account = {
      ...oracle.account,
      appCert: authority.issueApp('98', { until: '2031-01-02T03:04:05Z' }).file,
      alipayCert: authority.issueAlipay('97', { until: '2032-01-01T00:00:00Z', by: ended }),
    }
    expect(alipayCertificates(account)).toEqual([
      { setting: 'appCert', until: new Date('2031-01-02T03:04:05Z') },
      { setting: 'alipayCert', until: new Date('2030-05-06T00:00:00Z') },
    ])
    const { appCert, alipayCert, alipayRootCert, ...keyMode } = oracle.account
    expect(alipayCertificates({ ...keyMode, alipayPublicKey: authority.alipay.publicPem })).toEqual([])
  })
})
