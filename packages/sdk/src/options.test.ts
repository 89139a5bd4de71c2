/** What a client refuses before it sends anything: its own options and the parameters of a call, at their limits. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vectors } from '../../../test/support/scripted-gateway.ts'
import { AcoPay, type AcoPayOptions, ParameterError } from './index.ts'

const { keys } = vectors
const sent: string[] = []
const OPTIONS: AcoPayOptions = {
  baseUrl: 'https://pay.example.com',
  mchNo: 'MCH1000000',
  appNo: 'APP1000000',
  mchPrivateKey: keys.merchantPrivateKey,
  platformPublicKey: keys.platformPublicKey,
  fetch: async (url) => {
    sent.push(String(url))
    throw new Error('offline')
  },
  tries: 1,
}
const client = new AcoPay(OPTIONS)
const pem = (kind: string, text: string): string => `-----BEGIN ${kind} KEY-----\n${text}\n-----END ${kind} KEY-----`
const small = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

type Wrong = [option: keyof AcoPayOptions, value: unknown, message: string]
const ADDRESS = 'baseUrl should be an http(s) address without ?, #, user and password'
const NUMBER = 'should be 1 to 32 letters and digits'
const WRONG: Wrong[] = [
  ['baseUrl', undefined, 'baseUrl is missing'],
  ['baseUrl', '', 'baseUrl is missing'],
  ['baseUrl', 7, 'baseUrl is missing'],
  ['baseUrl', 'pay.example.com', ADDRESS],
  ['baseUrl', 'ftp://pay.example.com', ADDRESS],
  ['baseUrl', 'xhttps://pay.example.com', ADDRESS],
  ['baseUrl', 'httpsx://pay.example.com', ADDRESS],
  ['baseUrl', 'https://a.example/?x', ADDRESS],
  ['baseUrl', 'https://a.example/#x', ADDRESS],
  ['baseUrl', 'https://user@a.example/', ADDRESS],
  ['baseUrl', 'https://:secret@a.example/', ADDRESS],
  ['mchNo', undefined, 'mchNo is missing'],
  ['mchNo', '', 'mchNo is missing'],
  ['mchNo', 'M'.repeat(33), `mchNo ${NUMBER}`],
  ['mchNo', 'MCH1\r\nx: y', `mchNo ${NUMBER}`],
  ['mchNo', 'MCH 1', `mchNo ${NUMBER}`],
  ['mchNo', 'MCH1\x7f', `mchNo ${NUMBER}`],
  ['mchNo', '商户', `mchNo ${NUMBER}`],
  ['appNo', undefined, 'appNo is missing'],
  ['appNo', 'A'.repeat(33), `appNo ${NUMBER}`],
  ['mchPrivateKey', '', 'mchPrivateKey is missing'],
  ['platformPublicKey', '', 'platformPublicKey is missing'],
  ['platformPublicKey', [], 'platformPublicKey is missing'],
  ['platformPublicKey', [keys.platformPublicKey, ''], 'platformPublicKey is missing'],
  ['timeoutMs', 0, 'timeoutMs should be a whole number from 1 to 600000'],
  ['timeoutMs', 600_001, 'timeoutMs should be a whole number from 1 to 600000'],
  ['timeoutMs', 1.5, 'timeoutMs should be a whole number from 1 to 600000'],
  ['timeoutMs', '1000', 'timeoutMs should be a whole number from 1 to 600000'],
  ['tries', 0, 'tries should be a whole number from 1 to 10'],
  ['tries', 11, 'tries should be a whole number from 1 to 10'],
  ['tries', Number.NaN, 'tries should be a whole number from 1 to 10'],
]

const RIGHT: [option: keyof AcoPayOptions, value: unknown][] = [
  ['baseUrl', 'http://127.0.0.1:8080'],
  ['baseUrl', 'https://pay.example.com/a/b'],
  ['mchNo', 'M'],
  ['mchNo', '~!'.repeat(16)],
  ['mchPrivateKey', pem('PRIVATE', keys.merchantPrivateKey)],
  ['platformPublicKey', pem('PUBLIC', keys.platformPublicKey)],
  ['platformPublicKey', [keys.platformPublicKey, keys.merchantPublicKey]],
  ['timeoutMs', 1],
  ['timeoutMs', 600_000],
  ['tries', 1],
  ['tries', 10],
]

describe('the options of a client', () => {
  it('are refused with a ParameterError that names the option and says what it should be', () => {
    for (const [option, value, message] of WRONG) {
      let thrown: unknown
      try {
        new AcoPay({ ...OPTIONS, [option]: value })
      } catch (error) {
        thrown = error
      }
      expect(thrown, `${option} ${String(value)}`).toBeInstanceOf(ParameterError)
      expect(thrown).toMatchObject({ name: 'ParameterError', field: option, message })
    }
  })

  it('are taken up to their limits', () => {
    for (const [option, value] of RIGHT) expect(() => new AcoPay({ ...OPTIONS, [option]: value })).not.toThrow()
  })

  it.each<[keyof AcoPayOptions, string, string]>([
    ['mchPrivateKey', 'bm90IGEga2V5', 'mchPrivateKey: '],
    ['mchPrivateKey', keys.merchantPublicKey, 'mchPrivateKey: '],
    ['mchPrivateKey', small.privateKey, 'mchPrivateKey: '],
    ['platformPublicKey', 'bm90IGEga2V5', 'platformPublicKey: '],
    ['platformPublicKey', small.publicKey, 'platformPublicKey: '],
    [
      'platformPublicKey',
      keys.platformPrivateKey,
      'platformPublicKey: this is a private key; the public one is needed. Anyone who has seen it can sign: replace the pair',
    ],
    ['platformPublicKey', pem('PRIVATE', keys.platformPrivateKey), 'platformPublicKey: this is a private key; '],
    ['platformPublicKey', pem('ENCRYPTED PRIVATE', 'AAAA'), 'platformPublicKey: this is a private key; '],
  ])('%s is no key of its kind: %.20s', (option, value, message) => {
    const create = () => new AcoPay({ ...OPTIONS, [option]: value })
    expect(create).toThrow(message)
    expect(create).toThrow(ParameterError)
    expect(create).not.toThrow(value.slice(40, 80) || '\u0000')
  })
})

describe('the parameters of a call', () => {
  const order = { mchTradeNo: 'a'.repeat(24), description: 'x', amountTotal: '0.01' }
  const refund = { transactionNo: 'AP1', mchRefundNo: 'a'.repeat(24), refundAmount: '0.01', refundReason: 'x' }
  const YUAN = 'should be yuan with two decimals as a text, "12.50"'
  const ROWS: [call: () => Promise<unknown>, field: string, message: string][] = [
    ...[
      '12.5',
      '0.00',
      '00.01',
      '01.00',
      '1',
      '1.000',
      '-1.00',
      '1000000.00',
      'x1.00',
      '1.00x',
      '',
      12.5,
      12.34,
      null,
    ].map((amountTotal): [() => Promise<unknown>, string, string] => [
      () => client.placeOrder({ ...order, amountTotal: amountTotal as string }),
      'amountTotal',
      `amountTotal ${YUAN}`,
    ]),
    [() => client.refund({ ...refund, refundAmount: '1' }), 'refundAmount', `refundAmount ${YUAN}`],
    ...[new Date(Number.NaN), '2026-12-31T00:00:00Z', null].map(
      (timeExpire): [() => Promise<unknown>, string, string] => [
        () => client.placeOrder({ ...order, timeExpire: timeExpire as Date }),
        'timeExpire',
        'timeExpire should be a Date',
      ],
    ),
    [
      () => client.placeOrder({ ...order, mchTradeNo: 'a'.repeat(23) }),
      'mchTradeNo',
      'mchTradeNo: mch_trade_no 应为24-50位字母、数字、_或-',
    ],
    [
      () => client.placeOrder({ ...order, description: 'x'.repeat(129) }),
      'description',
      'description: description 不能超过128个字符',
    ],
    [() => client.placeOrder({ ...order, description: '' }), 'description', 'description: description 必填'],
    [
      () => client.placeOrder({ ...order, notifyUrl: 'http://a.example/n' }),
      'notifyUrl',
      'notifyUrl: notify_url 必须是https地址',
    ],
    [
      () => client.refund({ ...refund, notifyUrl: 'https://a.example/n?x' }),
      'notifyUrl',
      'notifyUrl: notify_url 不能带查询参数',
    ],
    [
      () => client.refund({ ...refund, refundReason: 'x'.repeat(33) }),
      'refundReason',
      'refundReason: refund_reason 不能超过32个字符',
    ],
    [
      () => client.refund({ ...refund, mchRefundNo: 'short' }),
      'mchRefundNo',
      'mchRefundNo: mch_refund_no 应为24-50位字母、数字、_或-',
    ],
    ...[
      () => client.closeOrder({ transactionNo: '' }),
      () => client.queryOrder({} as never),
      () => client.closeEvidence({ mchTradeNo: '' }),
      () => client.refund({ ...refund, transactionNo: '' }),
      () => client.notificationTries({ transactionNo: '', seq: 1 }),
      () => client.resendNotifications({ transactionNo: '', seq: 1 }),
    ].map((call): [() => Promise<unknown>, string, string] => [
      call,
      'transactionNo',
      'transactionNo: transaction_no 与 mch_trade_no 至少填一个',
    ]),
    [() => client.queryRefund({} as never), 'refundNo', 'refundNo: refund_no 与 mch_refund_no 至少填一个'],
    [() => client.downloadBill('2026-2-1'), 'billDate', 'billDate: bill_date 应为日期,如2026-01-31'],
    [() => client.downloadBill(''), 'billDate', 'billDate: bill_date 必填'],
    [() => client.listNotifications({ state: 'LOST' as never }), 'state', 'state: state 应为PENDING、DELIVERED或DEAD'],
    [() => client.notificationTries({ transactionNo: 'AP1', seq: 0 }), 'seq', 'seq: seq 应为正整数'],
    [() => client.resendNotifications({ state: 'SENT' as never }), 'state', 'state: state 只能为DEAD'],
    [() => client.resendNotifications({} as never), 'transactionNo', 'transactionNo: 请填订单号, 或 state=DEAD'],
  ]

  it('are refused before anything is sent, with the name that the caller knows', async () => {
    sent.length = 0
    for (const [call, field, message] of ROWS) {
      const thrown = await call().catch((error: unknown) => error)
      expect(thrown, message).toBeInstanceOf(ParameterError)
      expect({ ...(thrown as object), message: (thrown as Error).message }).toMatchObject({ field, message })
    }
    expect(sent).toEqual([])
  })

  it('are sent at their limits', async () => {
    const calls: (() => Promise<unknown>)[] = [
      () => client.placeOrder({ ...order, amountTotal: '999999.99', description: 'x'.repeat(128) }),
      () => client.placeOrder({ ...order, amountTotal: '0.10', mchTradeNo: 'Z_-9'.repeat(12) }),
      () => client.placeOrder({ ...order, amountTotal: '10.00', notifyUrl: 'http://127.0.0.1:9/n', appNo: 'B' }),
      () => client.refund({ ...refund, refundReason: 'x'.repeat(32), notifyUrl: 'http://127.0.0.1:9/n' }),
      () => client.queryRefund({ refundNo: 'AR1' }),
      () => client.downloadBill('2024-02-29'),
    ]
    for (const call of calls) {
      sent.length = 0
      await expect(call()).rejects.toThrow('no connection')
      expect(sent).toHaveLength(1)
    }
  })
})
