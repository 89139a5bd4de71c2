/**
 * Every word that WeChat Pay's manual knows, at every verb, and what the channel makes of it: over HTTP, with answers
 * that `wechatpay-axios-plugin` signed. Written by hand from docs/upstreams/wechat-pay.md, never from the code: what is
 * not listed there as a refusal, as paid, closed, absent or done is unknown.
 */
import '../../../../test/support/slow.ts'
import { fen } from '@acopay/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { NOW, type WechatOracle, type WechatSays, wechatOracle } from '../../../../test/support/oracle/wechat-pay.ts'
import type { Channel } from '../contract.ts'
import { makeWechat } from './index.ts'

let oracle: WechatOracle
let channel: Channel
beforeAll(async () => {
  oracle = await wechatOracle()
  channel = makeWechat(oracle.account, oracle.door)
})
afterAll(() => oracle.stop())
afterEach(() => expect(oracle.complaints).toEqual([]))

const PATIENT = new AbortController().signal
const ATTEMPT = 'AT202601310800000000000000000001'
const PAYMENT = '4200001234202601310000000001'
const REFUND = 'AR202601310800000000000000000000000001'

const OPEN = {
  attemptNo: ATTEMPT,
  amountFen: fen(1250n),
  description: '测试',
  expireAt: new Date(NOW.getTime() + 3_600_000),
  notifyUrl: 'https://pay.test/notify/wechat/M1',
  returnUrl: null,
  payerIp: '1.2.3.4',
  openId: 'o-1',
}
const REFUND_ASK = {
  attemptNo: ATTEMPT,
  paymentNo: PAYMENT,
  refundNo: REFUND,
  amountFen: 500n,
  totalFen: 1250n,
  reason: '商品已退货',
  notifyUrl: 'https://pay.test/notify/wechat/M1',
}

const ASKS = {
  native: () => channel.open({ ...OPEN, method: 'native' }, PATIENT),
  h5: () => channel.open({ ...OPEN, method: 'h5' }, PATIENT),
  jsapi: () => channel.open({ ...OPEN, method: 'jsapi' }, PATIENT),
  app: () => channel.open({ ...OPEN, method: 'app' }, PATIENT),
  query: () => channel.query({ attemptNo: ATTEMPT }, PATIENT),
  close: () => channel.close({ attemptNo: ATTEMPT }, PATIENT),
  refund: () => channel.refund(REFUND_ASK, PATIENT),
  queryRefund: () => channel.queryRefund({ attemptNo: ATTEMPT, paymentNo: PAYMENT, refundNo: REFUND }, PATIENT),
  bill: () => channel.fetchUpstreamBill('2026-01-30', PATIENT),
} as const
type Verb = keyof typeof ASKS
const CREATES = ['native', 'h5', 'jsapi', 'app'] as const

/** Asks with each answer, and lists the rows whose kind is another one than the table's. */
async function wrongRows(rows: [verb: Verb, what: string, says: WechatSays, kind: string][]): Promise<string[]> {
  const wrong: string[] = []
  for (const [verb, what, says, kind] of rows) {
    oracle.says(says)
    const found = await ASKS[verb]()
    if (found.kind !== kind) wrong.push(`${verb} ${what}: ${found.kind}, not ${kind}`)
  }
  return wrong
}

const error = (status: number, code: string): WechatSays => ({ status, body: { code, message: code, detail: null } })

/** By verb: the word's HTTP status in the manual, the word, and what it means there. Other verbs: unknown. */
const WORDS: Record<
  string,
  { status: number; creates: string; query: string; close: string; refund: string; queryRefund: string; bill: string }
> = (() => {
  const row = (status: number, words: string) => {
    const [creates = '', query = '', close = '', refund = '', queryRefund = '', bill = ''] = words
      .split(' ')
      .map(
        (letter) =>
          ({ u: 'unknown', R: 'refused', a: 'absent', p: 'paid', c: 'accepted', n: 'none', l: 'later' })[letter] ??
          letter,
      )
    return { status, creates, query, close, refund, queryRefund, bill }
  }
  return {
    //                            status   creates query close refund queryRefund bill
    PARAM_ERROR: row(400, 'R u u R u u'),
    INVALID_REQUEST: row(400, 'R u u R u u'),
    APPID_MCHID_NOT_MATCH: row(400, 'R u u u u u'),
    MCH_NOT_EXISTS: row(400, 'R u u R u u'),
    OPENID_MISMATCH: row(400, 'R u u u u u'),
    ACCOUNT_ERROR: row(403, 'R u u u u u'),
    NO_AUTH: row(403, 'R u u R u u'),
    RULE_LIMIT: row(403, 'R u u u u u'),
    SIGN_ERROR: row(401, 'u u u u u u'),
    ORDER_NOT_EXIST: row(404, 'u a a u u u'),
    ORDERNOTEXIST: row(404, 'u a a u u u'),
    RESOURCE_NOT_EXISTS: row(404, 'u a a R a u'),
    ORDERPAID: row(400, 'u u p u u u'),
    ORDER_PAID: row(400, 'u u p u u u'),
    ORDERCLOSED: row(400, 'u u c u u u'),
    ORDER_CLOSED: row(400, 'u u c u u u'),
    OUT_TRADE_NO_USED: row(403, 'u u u u u u'),
    INVALID_TRANSACTIONID: row(400, 'u u u u u u'),
    TRADE_ERROR: row(403, 'u u u u u u'),
    TRADE_STATE_ERROR: row(403, 'u u u u u u'),
    BANK_ERROR: row(500, 'u u u u u u'),
    BANKERROR: row(500, 'u u u u u u'),
    SYSTEM_ERROR: row(500, 'u u u u u u'),
    SYSTEMERROR: row(500, 'u u u u u u'),
    FREQUENCY_LIMITED: row(429, 'u u u u u u'),
    FREQUENCY_LIMIT_EXCEED: row(403, 'u u u u u u'),
    RATELIMIT_EXCEEDED: row(429, 'u u u u u u'),
    BIZERR_NEED_RETRY: row(500, 'u u u u u u'),
    USERPAYING: row(202, 'u u u u u u'),
    USER_PAYING: row(202, 'u u u u u u'),
    NOT_ENOUGH: row(403, 'u u u R u u'),
    USER_ACCOUNT_ABNORMAL: row(403, 'u u u R u u'),
    REQUEST_BLOCKED: row(403, 'u u u R u u'),
    NOT_FOUND: row(404, 'u u u u u u'),
    NO_STATEMENT_EXIST: row(400, 'u u u u u n'),
    STATEMENT_CREATING: row(400, 'u u u u u l'),
    A_WORD_OF_TOMORROW: row(400, 'u u u u u u'),
    '': row(400, 'u u u u u u'),
  }
})()

describe('a word of an error', () => {
  it('means at each verb what the manual says there, and is unknown at every other', async () => {
    const rows = Object.entries(WORDS).flatMap(([word, { status, creates, ...others }]) => [
      ...CREATES.map((verb): [Verb, string, WechatSays, string] => [verb, word, error(status, word), creates]),
      ...(Object.entries(others) as [Verb | 'status', string][])
        .filter(([verb]) => verb !== 'status')
        .map(([verb, kind]): [Verb, string, WechatSays, string] => [verb as Verb, word, error(status, word), kind]),
    ])
    expect(rows.length).toBe(Object.keys(WORDS).length * 9)
    expect(await wrongRows(rows)).toEqual([])
  })

  it('is not believed from a success, nor without a signature', async () => {
    const words = [
      'PARAM_ERROR',
      'ORDER_NOT_EXIST',
      'ORDERPAID',
      'NOT_ENOUGH',
      'NO_STATEMENT_EXIST',
      'RESOURCE_NOT_EXISTS',
    ]
    const rows = words.flatMap((word) =>
      (Object.keys(ASKS) as Verb[]).map((verb): [Verb, string, WechatSays, string] => [
        verb,
        `${word} unsigned`,
        { ...error(400, word), sign: false },
        'unknown',
      ]),
    )
    expect(await wrongRows(rows)).toEqual([])
  })
})

const TRADE = {
  mchid: '1900000001',
  appid: 'wx8888888888888888',
  out_trade_no: ATTEMPT,
  trade_state: 'SUCCESS',
  trade_state_desc: '支付成功',
  trade_type: 'NATIVE',
  bank_type: 'OTHERS',
  transaction_id: PAYMENT,
  success_time: '2026-01-31T07:59:00+08:00',
  payer: { openid: 'o-1' },
  amount: { total: 1250, payer_total: 1250, currency: 'CNY', payer_currency: 'CNY' },
}
const OTHER_TIME = { ...TRADE, success_time: undefined }

describe('a query', () => {
  it('knows every state of the manual, and is unknown for every other', async () => {
    const states: [string, string][] = [
      ['SUCCESS', 'paid'],
      ['REFUND', 'paid'],
      ['NOTPAY', 'open'],
      ['USERPAYING', 'open'],
      ['PAYERROR', 'open'],
      ['ACCEPT', 'open'],
      ['CLOSED', 'closed'],
      ['REVOKED', 'closed'],
      ['STATE_OF_TOMORROW', 'unknown'],
      ['success', 'unknown'],
      ['', 'unknown'],
    ]
    const rows = states.map(([trade_state, kind]): [Verb, string, WechatSays, string] => [
      'query',
      trade_state,
      { body: { ...TRADE, trade_state } },
      kind,
    ])
    expect(await wrongRows(rows)).toEqual([])
  })

  it('believes a payment only of this account and attempt, of an amount, a number and a time that can be', async () => {
    const rows: [Verb, string, WechatSays, string][] = [
      ['query', 'as it is', { body: TRADE }, 'paid'],
      ['query', 'without a time', { body: OTHER_TIME }, 'paid'],
      ...Object.entries({
        'another attempt': { out_trade_no: `${ATTEMPT.slice(0, -1)}2` },
        'no attempt': { out_trade_no: undefined },
        'another merchant': { mchid: '1900000002' },
        'no merchant': { mchid: undefined },
        'another app': { appid: 'wx1' },
        'no app': { appid: undefined },
        'nothing paid': { amount: { total: 0, currency: 'CNY' } },
        'less than nothing': { amount: { total: -1, currency: 'CNY' } },
        'half a fen': { amount: { total: 0.5, currency: 'CNY' } },
        'an amount as text': { amount: { total: '1250', currency: 'CNY' } },
        'more than all money': { amount: { total: 1e300, currency: 'CNY' } },
        'no amount': { amount: undefined },
        'no currency but a number': { amount: { total: 1250, currency: 7 } },
        'no number': { transaction_id: undefined },
        'an empty number': { transaction_id: '' },
        'a number with NUL': { transaction_id: `${PAYMENT}\0` },
        'a number that is a path': { transaction_id: '../../etc' },
        'a number of 65 characters': { transaction_id: '4'.repeat(65) },
        'the year 275760': { success_time: '+275760-09-12T08:00:00+08:00' },
        'a time before WeChat Pay': { success_time: '1970-01-01T08:00:00+08:00' },
        'a time in two days': { success_time: '2026-02-02T08:00:01+08:00' },
        'a time that is none': { success_time: 'yesterday' },
      }).map(([what, more]): [Verb, string, WechatSays, string] => [
        'query',
        what,
        { body: { ...TRADE, ...more } },
        'unknown',
      ]),
    ]
    expect(await wrongRows(rows)).toEqual([])
  })

  it('of a payment without a time says when it was asked', async () => {
    oracle.says({ body: OTHER_TIME })
    expect(await ASKS.query()).toMatchObject({ kind: 'paid', payment: { paidAt: NOW, amountFen: 1250n } })
  })
})

describe('a close', () => {
  it('is accepted by 204 alone', async () => {
    const rows: [Verb, string, WechatSays, string][] = [
      ['close', '204', { status: 204 }, 'accepted'],
      ['close', '200', { status: 200, body: {} }, 'unknown'],
      ['close', '202', { status: 202, body: {} }, 'unknown'],
      ['close', '204 unsigned', { status: 204, sign: false }, 'unknown'],
    ]
    expect(await wrongRows(rows)).toEqual([])
  })
})

const MADE = {
  refund_id: '50000000382019052709732678859',
  out_refund_no: REFUND,
  transaction_id: PAYMENT,
  out_trade_no: ATTEMPT,
  channel: 'ORIGINAL',
  user_received_account: '招商银行信用卡0403',
  create_time: '2026-01-31T08:00:00+08:00',
  status: 'PROCESSING',
  amount: { total: 1250, refund: 500, payer_total: 1250, payer_refund: 500, currency: 'CNY' },
}

describe('a refund', () => {
  it('knows every state of the manual, and is unknown for every other', async () => {
    const states: [state: string | undefined, refund: string, queryRefund: string][] = [
      ['SUCCESS', 'done', 'done'],
      ['PROCESSING', 'processing', 'processing'],
      ['ABNORMAL', 'processing', 'processing'],
      ['CLOSED', 'refused', 'failed'],
      ['STATE_OF_TOMORROW', 'unknown', 'unknown'],
      ['FAIL', 'unknown', 'unknown'],
      ['CHANGE', 'unknown', 'unknown'],
      ['success', 'unknown', 'unknown'],
      [undefined, 'unknown', 'unknown'],
    ]
    const rows = states.flatMap(([status, refund, queryRefund]): [Verb, string, WechatSays, string][] => [
      ['refund', String(status), { body: { ...MADE, status } }, refund],
      ['queryRefund', String(status), { body: { ...MADE, status } }, queryRefund],
    ])
    expect(await wrongRows(rows)).toEqual([])
  })

  it('that WeChat Pay answers for another number, payment or amount is unknown', async () => {
    const done = { ...MADE, status: 'SUCCESS' }
    const others = {
      'another refund': { out_refund_no: `${REFUND.slice(0, -1)}2` },
      'no refund': { out_refund_no: undefined },
      'another payment': { transaction_id: `${PAYMENT.slice(0, -1)}2` },
      'no payment': { transaction_id: undefined },
      'no amount': { amount: undefined },
      'an amount as text': { amount: { ...MADE.amount, refund: '500' } },
      nothing: { amount: { ...MADE.amount, refund: 0 } },
      'less than nothing': { amount: { ...MADE.amount, refund: -500 } },
    }
    const rows = Object.entries(others).flatMap(([what, more]): [Verb, string, WechatSays, string][] => [
      ['refund', `done, ${what}`, { body: { ...done, ...more } }, 'unknown'],
      ['queryRefund', `done, ${what}`, { body: { ...done, ...more } }, 'unknown'],
      ['refund', `closed, ${what}`, { body: { ...MADE, status: 'CLOSED', ...more } }, 'unknown'],
      ['queryRefund', `closed, ${what}`, { body: { ...MADE, status: 'CLOSED', ...more } }, 'unknown'],
    ])
    const more: [Verb, string, WechatSays, string][] = [
      ['refund', 'done, another amount', { body: { ...done, amount: { ...MADE.amount, refund: 499 } } }, 'unknown'],
    ]
    expect(await wrongRows([...rows, ...more])).toEqual([])
    oracle.says({ body: { ...done, amount: { ...MADE.amount, refund: 499 } } })
    expect(await ASKS.queryRefund()).toMatchObject({ kind: 'done', amountFen: 499n })
  })

  it('names the payment, and says what it is stuck with', async () => {
    oracle.says({ body: { ...MADE, status: 'ABNORMAL' } })
    expect(await ASKS.refund()).toMatchObject({ kind: 'processing', why: 'ABNORMAL' })
    const asked = JSON.parse(oracle.asked.at(-1)?.body ?? '') as Record<string, unknown>
    expect(asked).toMatchObject({
      transaction_id: PAYMENT,
      out_refund_no: REFUND,
      amount: { refund: 500, total: 1250, currency: 'CNY' },
    })
    expect(asked).not.toHaveProperty('out_trade_no')
  })
})

describe('a create', () => {
  it('is opened by the field that the manual promises for its way to pay, and by no other', async () => {
    const fields = { native: 'code_url', h5: 'h5_url', jsapi: 'prepay_id', app: 'prepay_id' } as const
    const rows = CREATES.flatMap((verb) =>
      ['code_url', 'h5_url', 'prepay_id'].map((field): [Verb, string, WechatSays, string] => [
        verb,
        field,
        { body: { [field]: 'https://wx.test/?a=1' } },
        fields[verb] === field ? 'opened' : 'unknown',
      ]),
    )
    expect(await wrongRows(rows)).toEqual([])
    expect(
      await wrongRows(CREATES.map((verb) => [verb, 'an empty one', { body: { [fields[verb]]: '' } }, 'unknown'])),
    ).toEqual([])
  })
})

describe('a notification', () => {
  it('is what its event and its content say, and forged where they cannot be of this account', async () => {
    const paid = (more: object) => oracle.told('TRANSACTION.SUCCESS', { ...TRADE, ...more })
    const refund = (event: string, more: object = {}) =>
      oracle.told(event, {
        mchid: '1900000001',
        out_trade_no: ATTEMPT,
        transaction_id: PAYMENT,
        out_refund_no: REFUND,
        ...more,
      })
    const rows: [what: string, raw: ReturnType<typeof paid>, kind: string][] = [
      ['paid', paid({}), 'paid'],
      ['paid, without a time', paid({ success_time: undefined }), 'paid'],
      ['not paid', paid({ trade_state: 'NOTPAY' }), 'other'],
      ['nothing', paid({ amount: { total: 0, currency: 'CNY' } }), 'forged'],
      ['less than nothing', paid({ amount: { total: -100, currency: 'CNY' } }), 'forged'],
      ['an attempt with NUL', paid({ out_trade_no: 'AT\0' }), 'forged'],
      ['a payment with NUL', paid({ transaction_id: 'UP\0' }), 'forged'],
      ['the year 275760', paid({ success_time: '+275760-09-12T08:00:00+08:00' }), 'forged'],
      ['another app', paid({ appid: 'wx2' }), 'forged'],
      ['no app', paid({ appid: undefined }), 'forged'],
      ['another merchant', paid({ mchid: '1' }), 'forged'],
      ['another event', oracle.told('COUPON.USE', TRADE), 'other'],
      ['a refund that is done', refund('REFUND.SUCCESS'), 'refund'],
      ['a refund that is stuck', refund('REFUND.ABNORMAL'), 'refund'],
      ['a refund that is closed', refund('REFUND.CLOSED'), 'refund'],
      ['a refund of another merchant', refund('REFUND.SUCCESS', { mchid: '1' }), 'forged'],
      ['a refund without a number', refund('REFUND.SUCCESS', { out_refund_no: undefined }), 'forged'],
      ['a refund with a number with NUL', refund('REFUND.SUCCESS', { out_refund_no: 'AR\0' }), 'forged'],
      ['of five minutes ago', oracle.told('TRANSACTION.SUCCESS', TRADE, new Date(NOW.getTime() - 300_000)), 'paid'],
      [
        'of five minutes and a second ago',
        oracle.told('TRANSACTION.SUCCESS', TRADE, new Date(NOW.getTime() - 301_000)),
        'forged',
      ],
    ]
    const wrong: string[] = []
    for (const [what, { headers, body }, kind] of rows) {
      const heard = await channel.readWebhook({ headers, body })
      if (heard.kind !== kind) wrong.push(`${what}: ${heard.kind}, not ${kind}`)
    }
    expect(wrong).toEqual([])
  })
})
