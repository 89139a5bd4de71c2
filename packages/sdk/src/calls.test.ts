/**
 * Each call over real HTTP, against answers written by hand from spec/protocol.md: what is sent and signed, how the answer is
 * read, and which answers are not believed.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  isSignedByMerchant,
  MCH_NO,
  type ScriptedGateway,
  type Seen,
  scriptedGateway,
  success,
  vectors,
} from '../../../test/support/scripted-gateway.ts'
import { AcoPay, type AcoPayOptions, SignatureError } from './index.ts'

let gateway: ScriptedGateway
let client: AcoPay
beforeAll(async () => {
  gateway = await scriptedGateway()
  client = new AcoPay(optionsOf(gateway.url))
})
afterAll(() => gateway.stop())

const optionsOf = (baseUrl: string): AcoPayOptions => ({
  baseUrl,
  mchNo: MCH_NO,
  appNo: 'APP1000000',
  mchPrivateKey: vectors.keys.merchantPrivateKey,
  platformPublicKey: vectors.keys.platformPublicKey,
})

const TRADE_NO = 'my-order-00000000000000001'
const REFUND_NO = 'my-refund-0000000000000001'
const AP = 'AP202605121000000000000000000000000001'
const AR = 'AR202605121000000000000000000000000002'

type Row = {
  call: (client: AcoPay) => Promise<unknown>
  /** What the gateway must receive: the parameters that are signed. */
  sent: { method: 'GET' | 'POST'; path: string; params: Record<string, string> }
  data: Record<string, string | null>
  result: unknown
  /** Fields of the answer without which the call has no result. */
  needed: string[]
}

const PLACED = {
  app_no: 'APP1000000',
  mch_trade_no: TRADE_NO,
  transaction_no: AP,
  code: 'SUCCESS',
  description: '下单成功',
}
const ORDER = {
  app_no: 'APP1000000',
  mch_trade_no: TRADE_NO,
  transaction_no: AP,
  code: 'NOTPAY',
  description: '未支付',
}
const REFUND = {
  mch_trade_no: TRADE_NO,
  transaction_no: AP,
  mch_refund_no: REFUND_NO,
  refund_no: AR,
  refund_amount: '2.50',
  code: 'PROCESSING',
  description: '退款处理中',
}
const READ_REFUND = {
  refundNo: AR,
  mchRefundNo: REFUND_NO,
  transactionNo: AP,
  mchTradeNo: TRADE_NO,
  refundAmount: '2.50',
  state: 'PROCESSING',
  description: '退款处理中',
}
const LISTED = {
  transaction_no: AP,
  seq: 3,
  kind: 'payment',
  state: 'PENDING',
  description: '待送达',
  url: 'https://a.example/n',
  tries: 1,
  created_time: '2026-05-12T10:00:00+08:00',
  next_time: '2026-05-12T10:00:15+08:00',
  last_time: null,
  http_status: 500,
  failure: 'HTTP 500',
}

/** Its signature is right for the text with a line end behind it. */
const UNPROVEN_CALL = {
  time: '2026-05-12T02:00:00.250Z',
  request_id: 'r1',
  call: 'POST close',
  address: '192.0.2.1',
  transaction_no: AP,
  mch_trade_no: null,
  refund_no: null,
  mch_refund_no: null,
  status: 1002,
  message: 'SIGN_ERROR',
  field_errors: null,
  code: null,
  ms: 4,
  signature: 'OTHER_TEXT',
  key_id: '0123456789abcdef',
  signed_text: '{"a":"1","b":"2"}',
  sent: '{"b":"2","a":"1"}',
  signed_digest: createHash('sha256').update('{"a":"1","b":"2"}\n').digest('hex'),
  left_out: 2,
}

const CALLS: Record<string, Row> = {
  'placing an order with everything that can be given': {
    call: (client) =>
      client.placeOrder({
        mchTradeNo: TRADE_NO,
        description: '测试订单 a/b',
        amountTotal: '12.50',
        timeExpire: new Date('2026-05-12T02:00:00.999Z'),
        extra: '附加',
        notifyUrl: 'https://a.example/n',
        appNo: 'APP2',
      }),
    sent: {
      method: 'POST',
      path: 'trade',
      params: {
        app_no: 'APP2',
        mch_trade_no: TRADE_NO,
        description: '测试订单 a/b',
        amount_total: '12.50',
        amount_currency: 'CNY',
        time_expire: '2026-05-12T10:00:00+08:00',
        extra: '附加',
        notify_url: 'https://a.example/n',
      },
    },
    data: { ...PLACED, cashier_url: 'https://pay.example/cashier/x' },
    result: {
      transactionNo: AP,
      mchTradeNo: TRADE_NO,
      appNo: 'APP1000000',
      cashierUrl: 'https://pay.example/cashier/x',
    },
    needed: ['app_no', 'mch_trade_no', 'transaction_no', 'cashier_url'],
  },
  "placing an order with the least, under the client's app": {
    call: (client) => client.placeOrder({ mchTradeNo: TRADE_NO, description: 'x', amountTotal: '0.01' }),
    sent: {
      method: 'POST',
      path: 'trade',
      params: {
        app_no: 'APP1000000',
        mch_trade_no: TRADE_NO,
        description: 'x',
        amount_total: '0.01',
        amount_currency: 'CNY',
      },
    },
    data: { ...PLACED, cashier_url: 'https://pay.example/cashier/x' },
    result: expect.objectContaining({ transactionNo: AP }),
    needed: [],
  },
  'querying an unpaid order': {
    call: (client) => client.queryOrder({ transactionNo: AP }),
    sent: { method: 'GET', path: 'trade', params: { transaction_no: AP } },
    data: { ...ORDER, amount_total: '12.50', extra: null },
    result: {
      transactionNo: AP,
      mchTradeNo: TRADE_NO,
      appNo: 'APP1000000',
      state: 'NOTPAY',
      description: '未支付',
      amountTotal: '12.50',
      extra: null,
      successTime: null,
      acoid: null,
      payChannel: null,
      payMethod: null,
    },
    needed: ['app_no', 'mch_trade_no', 'transaction_no', 'code', 'description', 'amount_total'],
  },
  'querying a paid order by both numbers, with blanks and signs in one': {
    call: (client) => client.queryOrder({ transactionNo: AP, mchTradeNo: 'a b+c&d=e/中' }),
    sent: { method: 'GET', path: 'trade', params: { transaction_no: AP, mch_trade_no: 'a b+c&d=e/中' } },
    data: {
      ...ORDER,
      code: 'SUCCESS',
      description: '支付成功',
      amount_total: '12.50',
      extra: '附加',
      success_time: '2026-05-12T10:00:01+08:00',
      acoid: 'payer',
      pay_channel: 'alipay',
      pay_method: 'page',
    },
    result: {
      transactionNo: AP,
      mchTradeNo: TRADE_NO,
      appNo: 'APP1000000',
      state: 'SUCCESS',
      description: '支付成功',
      amountTotal: '12.50',
      extra: '附加',
      successTime: new Date('2026-05-12T02:00:01Z'),
      acoid: 'payer',
      payChannel: 'alipay',
      payMethod: 'page',
    },
    needed: [],
  },
  'closing an order': {
    call: (client) => client.closeOrder({ mchTradeNo: TRADE_NO }),
    sent: { method: 'POST', path: 'close', params: { mch_trade_no: TRADE_NO } },
    data: { mch_trade_no: TRADE_NO, transaction_no: AP, code: 'SUCCESS', description: '关单成功' },
    result: { transactionNo: AP, mchTradeNo: TRADE_NO, outcome: 'closed', description: '关单成功' },
    needed: ['mch_trade_no', 'transaction_no', 'code', 'description'],
  },
  'asking for the evidence of a close': {
    call: (client) => client.closeEvidence({ transactionNo: AP }),
    sent: { method: 'GET', path: 'close/evidence', params: { transaction_no: AP } },
    data: {
      mch_trade_no: TRADE_NO,
      transaction_no: AP,
      code: 'CLOSED',
      description: '已关闭',
      close_reason: '商户关单',
      fence_time: '2026-05-12T10:00:00+08:00',
      close_time: '2026-05-12T10:00:01+08:00',
      upstream_answers:
        '[{"at":"2026-05-12T10:00:00+08:00","attemptNo":"AT1","channel":"wechat","verb":"close","says":"accepted","requestId":null}]',
      timeline_length: '4',
      timeline_hash: 'ab'.repeat(32),
    },
    result: {
      transactionNo: AP,
      mchTradeNo: TRADE_NO,
      reason: '商户关单',
      fenceTime: new Date('2026-05-12T02:00:00Z'),
      closeTime: new Date('2026-05-12T02:00:01Z'),
      upstreamAnswers: [
        {
          at: '2026-05-12T10:00:00+08:00',
          attemptNo: 'AT1',
          channel: 'wechat',
          verb: 'close',
          says: 'accepted',
          requestId: null,
        },
      ],
      timelineLength: 4,
      timelineHash: 'ab'.repeat(32),
    },
    needed: [
      'mch_trade_no',
      'transaction_no',
      'close_reason',
      'fence_time',
      'close_time',
      'upstream_answers',
      'timeline_length',
      'timeline_hash',
    ],
  },
  'asking for a refund': {
    call: (client) =>
      client.refund({
        transactionNo: AP,
        mchTradeNo: TRADE_NO,
        mchRefundNo: REFUND_NO,
        refundAmount: '2.50',
        refundReason: '商品已退货',
        notifyUrl: 'https://a.example/r',
      }),
    sent: {
      method: 'POST',
      path: 'refund',
      params: {
        transaction_no: AP,
        mch_trade_no: TRADE_NO,
        mch_refund_no: REFUND_NO,
        refund_amount: '2.50',
        refund_reason: '商品已退货',
        notify_url: 'https://a.example/r',
      },
    },
    data: { app_no: 'APP1000000', ...REFUND },
    result: { ...READ_REFUND, refundChannel: null },
    needed: ['mch_trade_no', 'transaction_no', 'mch_refund_no', 'refund_no', 'refund_amount', 'code', 'description'],
  },
  'querying a refund that is done, by both numbers': {
    call: (client) => client.queryRefund({ refundNo: AR, mchRefundNo: REFUND_NO }),
    sent: { method: 'GET', path: 'refund', params: { refund_no: AR, mch_refund_no: REFUND_NO } },
    data: {
      ...REFUND,
      code: 'SUCCESS',
      description: '退款成功',
      refund_reason: 'x',
      success_time: '2026-05-12T10:00:01+08:00',
      refund_channel: 'wechat',
    },
    result: {
      ...READ_REFUND,
      state: 'SUCCESS',
      description: '退款成功',
      refundChannel: 'wechat',
      successTime: new Date('2026-05-12T02:00:01Z'),
    },
    needed: [],
  },
  'querying a refund that failed': {
    call: (client) => client.queryRefund({ mchRefundNo: REFUND_NO }),
    sent: { method: 'GET', path: 'refund', params: { mch_refund_no: REFUND_NO } },
    data: { ...REFUND, code: 'FAIL', description: '退款失败', success_time: null },
    result: { ...READ_REFUND, state: 'FAIL', description: '退款失败', refundChannel: null, successTime: null },
    needed: ['refund_no', 'mch_refund_no', 'transaction_no', 'mch_trade_no', 'refund_amount', 'code', 'description'],
  },
  'asking for the bill of a day without trade': {
    call: (client) => client.downloadBill('2026-05-11'),
    sent: { method: 'GET', path: 'bill', params: { bill_date: '2026-05-11' } },
    data: { code: 'NO_BILL', description: '账单不存在', url: null, hash_code: null, hash_type: null },
    result: { state: 'NO_BILL', description: '账单不存在' },
    needed: ['code', 'description'],
  },
  'asking for a bill that is not made yet': {
    call: (client) => client.downloadBill('2026-05-11'),
    sent: { method: 'GET', path: 'bill', params: { bill_date: '2026-05-11' } },
    data: { code: 'BILL_NOT_EXIST', description: '对账单未生成' },
    result: { state: 'BILL_NOT_EXIST', description: '对账单未生成' },
    needed: [],
  },
  'asking for a bill that is there': {
    call: (client) => client.downloadBill('2026-05-11'),
    sent: { method: 'GET', path: 'bill', params: { bill_date: '2026-05-11' } },
    data: {
      code: 'SUCCESS',
      description: '成功',
      url: 'https://pay.example/bill/x',
      hash_code: 'cd'.repeat(32),
      hash_type: 'SHA256',
    },
    result: { state: 'SUCCESS', description: '成功', hashCode: 'cd'.repeat(32), content: expect.anything() },
    needed: ['url', 'hash_code', 'hash_type'],
  },
  'listing notifications': {
    call: (client) => client.listNotifications(),
    sent: { method: 'GET', path: 'notifications', params: {} },
    data: {
      code: 'SUCCESS',
      description: '成功',
      next: '1.AP.1',
      notifications: JSON.stringify([
        LISTED,
        { ...LISTED, next_time: null, last_time: '2026-05-12T10:00:01+08:00', http_status: null, failure: null },
      ]),
    },
    result: {
      notifications: [
        {
          transactionNo: AP,
          seq: 3,
          kind: 'payment',
          state: 'PENDING',
          description: '待送达',
          url: 'https://a.example/n',
          tries: 1,
          createdTime: new Date('2026-05-12T02:00:00Z'),
          nextTime: new Date('2026-05-12T02:00:15Z'),
          lastTime: null,
          httpStatus: 500,
          failure: 'HTTP 500',
        },
        expect.objectContaining({
          nextTime: null,
          lastTime: new Date('2026-05-12T02:00:01Z'),
          httpStatus: null,
          failure: null,
        }),
      ],
      next: '1.AP.1',
    },
    needed: ['notifications'],
  },
  'listing the notifications of one order, by everything that can be given': {
    call: (client) =>
      client.listNotifications({
        transactionNo: AP,
        mchTradeNo: TRADE_NO,
        state: 'DEAD',
        before: `1778551200000.${AP}.3`,
      }),
    sent: {
      method: 'GET',
      path: 'notifications',
      params: { transaction_no: AP, mch_trade_no: TRADE_NO, state: 'DEAD', before: `1778551200000.${AP}.3` },
    },
    data: { code: 'SUCCESS', description: '成功', notifications: '[]' },
    result: { notifications: [], next: null },
    needed: [],
  },
  'the tries of a notification': {
    call: (client) => client.notificationTries({ transactionNo: AP, seq: 3 }),
    sent: { method: 'GET', path: 'notifications/tries', params: { transaction_no: AP, seq: '3' } },
    data: {
      transaction_no: AP,
      tries: '[{"time":"2026-05-12T10:00:00+08:00","ms":12,"http_status":500,"reply":"no","failure":"HTTP 500"}]',
    },
    result: [{ time: new Date('2026-05-12T02:00:00Z'), ms: 12, httpStatus: 500, reply: 'no', failure: 'HTTP 500' }],
    needed: ['tries'],
  },
  'sending the notifications of an order again': {
    call: (client) => client.resendNotifications({ transactionNo: AP }),
    sent: { method: 'POST', path: 'notifications/resend', params: { transaction_no: AP } },
    data: { code: 'SUCCESS', description: '成功', resent: '2' },
    result: 2,
    needed: ['resent'],
  },
  'sending one notification again': {
    call: (client) => client.resendNotifications({ mchTradeNo: TRADE_NO, seq: 3 }),
    sent: { method: 'POST', path: 'notifications/resend', params: { mch_trade_no: TRADE_NO, seq: '3' } },
    data: { code: 'SUCCESS', description: '成功', resent: '1' },
    result: 1,
    needed: [],
  },
  'sending all dead letters again': {
    call: (client) => client.resendNotifications({ state: 'DEAD' }),
    sent: { method: 'POST', path: 'notifications/resend', params: { state: 'DEAD' } },
    data: { code: 'SUCCESS', description: '成功', resent: '0' },
    result: 0,
    needed: [],
  },
  'sending the dead letters of a time again': {
    call: (client) =>
      client.resendNotifications({
        state: 'DEAD',
        from: new Date('2026-05-11T16:00:00Z'),
        until: new Date('2026-05-12T16:00:00Z'),
      }),
    sent: {
      method: 'POST',
      path: 'notifications/resend',
      params: { state: 'DEAD', from: '2026-05-11T16:00:00.000Z', until: '2026-05-12T16:00:00.000Z' },
    },
    data: { code: 'SUCCESS', description: '成功', resent: '10000' },
    result: 10_000,
    needed: [],
  },
  'the log of calls, by everything that can be given': {
    call: (client) =>
      client.listCalls({
        call: 'POST close',
        status: 1002,
        number: AP,
        from: new Date('2026-05-12T02:00:00.500Z'),
        before: '1778551200000.2f1c0000-0000-4000-8000-000000000000',
      }),
    sent: {
      method: 'GET',
      path: 'calls',
      params: {
        call: 'POST close',
        status: '1002',
        number: AP,
        from: '2026-05-12T02:00:00.500Z',
        before: '1778551200000.2f1c0000-0000-4000-8000-000000000000',
      },
    },
    data: { code: 'SUCCESS', description: '成功', calls: JSON.stringify([UNPROVEN_CALL]), next: null },
    result: {
      calls: [
        {
          time: new Date('2026-05-12T02:00:00.250Z'),
          requestId: 'r1',
          call: 'POST close',
          address: '192.0.2.1',
          transactionNo: AP,
          mchTradeNo: null,
          refundNo: null,
          mchRefundNo: null,
          status: 1002,
          message: 'SIGN_ERROR',
          fieldErrors: null,
          code: null,
          ms: 4,
          signature: 'OTHER_TEXT',
          keyId: '0123456789abcdef',
          signedText: '{"a":"1","b":"2"}',
          finding: expect.objectContaining({ en: 'a line end was signed along' }),
          leftOut: 2,
        },
      ],
      next: null,
    },
    needed: ['calls'],
  },
}

describe.each(Object.entries(CALLS))('%s', (_name, { call, sent, data, result, needed }) => {
  it('sends exactly these parameters, signed, and reads the answer', async () => {
    gateway.says(success(data))
    expect(await call(client)).toEqual(result)
    const [seen] = gateway.seen as [Seen]
    expect(gateway.seen).toHaveLength(1)
    expect(seen.method).toBe(sent.method)
    expect(seen.path).toBe(`/pay/v1/transactions/${sent.path}`)
    const [where, empty] = sent.method === 'GET' ? [seen.query, seen.body] : [seen.body, seen.query]
    expect(where).toEqual({ ...sent.params, aco_pay_sdk: 'ts-0.2.0', version: '1.0' })
    expect(empty ?? {}).toEqual({})
    expect(isSignedByMerchant(seen, sent.params)).toBe(true)
    expect(seen.headers).toMatchObject({
      'x-acopay-mch-no': MCH_NO,
      'x-acopay-nonce': expect.stringMatching(/^[0-9a-f]{32}$/),
      'x-acopay-sign-type': 'SHA256withRSA',
      'x-acopay-sign': expect.stringMatching(/^[A-Za-z0-9+/]{342}==$/),
    })
    expect(seen.headers['content-type']).toBe(sent.method === 'POST' ? 'application/json; charset=utf-8' : undefined)
  })

  it('does not believe an answer that lacks a field, and names the field', async () => {
    for (const name of needed) {
      for (const value of [null, undefined]) {
        const { [name]: _, ...rest } = data
        gateway.says(success(value === null ? { ...rest, [name]: null } : rest))
        const error = await call(client).catch((thrown: unknown) => thrown)
        expect(error, name).toBeInstanceOf(SignatureError)
        expect((error as Error).message).toMatch(
          new RegExp(`^the answer has no ${name}$|^the answer is about another|^the bill's ${name} is not SHA256$`),
        )
      }
    }
  })
})

describe('an answer about another order or refund', () => {
  const order = { ...ORDER, amount_total: '12.50', cashier_url: 'x' }
  it.each<[string, (client: AcoPay) => Promise<unknown>, Record<string, string>, string]>([
    ['by our number', (c) => c.queryOrder({ mchTradeNo: TRADE_NO }), { ...order, mch_trade_no: 'x' }, 'order'],
    ['by theirs', (c) => c.queryOrder({ transactionNo: AP }), { ...order, transaction_no: 'AP2' }, 'order'],
    [
      'by theirs, although ours fits',
      (c) => c.closeOrder({ transactionNo: AP, mchTradeNo: TRADE_NO }),
      { ...order, transaction_no: 'AP2' },
      'order',
    ],
    ['of evidence', (c) => c.closeEvidence({ transactionNo: AP }), { ...order, transaction_no: 'AP2' }, 'order'],
    [
      'that was placed',
      (c) => c.placeOrder({ mchTradeNo: TRADE_NO, description: 'x', amountTotal: '0.01' }),
      { ...order, mch_trade_no: 'x' },
      'order',
    ],
    ['refund by theirs', (c) => c.queryRefund({ refundNo: AR }), { ...REFUND, refund_no: 'AR2' }, 'refund'],
    ['refund by ours', (c) => c.queryRefund({ mchRefundNo: REFUND_NO }), { ...REFUND, mch_refund_no: 'x' }, 'refund'],
    [
      'refund that was asked for',
      (c) => c.refund({ transactionNo: AP, mchRefundNo: REFUND_NO, refundAmount: '1.00', refundReason: 'x' }),
      { ...REFUND, mch_refund_no: 'x' },
      'refund',
    ],
  ])('%s is not believed', async (_which, call, data, what) => {
    gateway.says(success(data))
    const error = await call(client).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SignatureError)
    expect((error as Error).message).toBe(`the answer is about another ${what}`)
  })

  it('is the one asked for where the other number differs: the platform’s wins', async () => {
    gateway.says(success({ ...order, mch_trade_no: 'another-number-of-the-merchant' }))
    expect(await client.queryOrder({ transactionNo: AP, mchTradeNo: TRADE_NO })).toMatchObject({
      mchTradeNo: 'another-number-of-the-merchant',
    })
  })
})

describe('words of the gateway', () => {
  it.each([
    ['SUCCESS', '关单成功', 'closed'],
    ['SUCCESS', 'a later text', 'closed'],
    ['FAIL', '订单已过期', 'expired'],
    ['FAIL', '订单已支付', 'paid'],
    ['FAIL', '关单处理中，请稍后查询', 'closing'],
    ['FAIL', 'a later text', 'closing'],
    // Only a code SUCCESS is the promise.
    ['FAIL', '关单成功', 'closing'],
    ['LATER', '订单已支付', 'closing'],
  ])('a close that answers %s %s has the outcome %s', async (code, description, outcome) => {
    gateway.says(success({ mch_trade_no: TRADE_NO, transaction_no: AP, code, description }))
    expect(await client.closeOrder({ transactionNo: AP })).toMatchObject({ outcome, description })
  })

  it.each<[string, (client: AcoPay) => Promise<unknown>]>([
    ['code', (client) => client.queryOrder({ transactionNo: AP })],
    ['code', (client) => client.queryRefund({ refundNo: AR })],
    ['code', (client) => client.downloadBill('2026-05-11')],
  ])('an unknown %s is not read as a known one', async (name, call) => {
    for (const word of ['HALF', 'toString', 'success']) {
      gateway.says(success({ ...ORDER, ...REFUND, amount_total: '1.00', [name]: word }))
      const error = await call(client).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(SignatureError)
      expect((error as Error).message).toBe(`the answer's ${name} is a word this version does not know: ${word}`)
    }
  })

  it('every state of an order and of a refund is known', async () => {
    for (const code of ['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND']) {
      gateway.says(success({ ...ORDER, amount_total: '1.00', code }))
      expect(await client.queryOrder({ transactionNo: AP })).toMatchObject({ state: code })
    }
    for (const code of ['PROCESSING', 'SUCCESS', 'FAIL']) {
      gateway.says(success({ ...REFUND, code }))
      expect(await client.queryRefund({ refundNo: AR })).toMatchObject({ state: code })
    }
  })
})

describe('the gateway’s address', () => {
  it.each(['/pay-test', '/a/b/'])('may have a path: %s', async (path) => {
    gateway.says(success({ ...ORDER, amount_total: '1.00' }))
    const below = new AcoPay(optionsOf(gateway.url + path))
    await below.queryOrder({ transactionNo: AP })
    await client.queryOrder({ transactionNo: AP })
    expect(gateway.seen.map((one) => one.path)).toEqual([
      `${path.replace(/\/$/, '')}/pay/v1/transactions/trade`,
      '/pay/v1/transactions/trade',
    ])
  })
})
