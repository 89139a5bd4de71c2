/**
 * Every word that Alipay's manual knows, at every verb, and what the channel makes of it: over HTTP, with answers that
 * `alipay-sdk` believes. Written by hand from docs/upstreams/alipay.md, never from the code: what is not listed there as
 * a refusal, as paid, closed, absent or done is unknown.
 */
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
const ATTEMPT = 'AT202601310800000000000000000001'
const PAYMENT = '2026013122001400001000000001'
const REFUND = 'AR202601310800000000000000000000000001'

const OPEN = {
  attemptNo: ATTEMPT,
  method: 'native',
  amountFen: fen(1250n),
  description: '测试',
  expireAt: new Date(NOW.getTime() + 3_600_000),
  notifyUrl: 'https://pay.test/notify/alipay/M1',
  returnUrl: null,
  payerIp: '1.2.3.4',
  openId: null,
}
const REFUND_ASK = {
  attemptNo: ATTEMPT,
  paymentNo: PAYMENT,
  refundNo: REFUND,
  amountFen: 500n,
  totalFen: 1250n,
  reason: '商品已退货',
  notifyUrl: 'https://pay.test/notify/alipay/M1',
}

const ASKS = {
  open: () => channel.open(OPEN, PATIENT),
  query: () => channel.query({ attemptNo: ATTEMPT }, PATIENT),
  close: () => channel.close({ attemptNo: ATTEMPT }, PATIENT),
  refund: () => channel.refund(REFUND_ASK, PATIENT),
  queryRefund: () => channel.queryRefund({ attemptNo: ATTEMPT, paymentNo: PAYMENT, refundNo: REFUND }, PATIENT),
  bill: () => channel.fetchUpstreamBill('2026-01-30', PATIENT),
} as const
type Verb = keyof typeof ASKS
const VERBS = Object.keys(ASKS) as Verb[]
type Row = [verb: Verb, what: string, says: AlipaySays | ((method: string) => AlipaySays), kind: string]

/** Asks with each answer, and lists the rows whose kind is another one than the table's. */
async function wrongRows(rows: Row[]): Promise<string[]> {
  const wrong: string[] = []
  for (const [verb, what, says, kind] of rows) {
    oracle.says(({ method }) => (typeof says === 'function' ? says(method) : says))
    const found = await ASKS[verb]()
    if (found.kind !== kind) wrong.push(`${verb} ${what}: ${found.kind}, not ${kind}`)
  }
  return wrong
}

const ok = (more: object): AlipaySays => ({ body: { code: '10000', msg: 'Success', ...more } })
const error = (code: string, sub_code: string): AlipaySays => ({
  body: { code, msg: 'Failed', sub_code, sub_msg: '说明' },
})

/**
 * Business words (`code` 40004), by verb: R refused, a absent, s see the query, n none or later, u unknown. A close that
 * is told of a wrong state asks again: here the query then answers with the same word, which decides nothing.
 */
const BUSINESS: Record<string, string> = {
  //                                        open query close refund queryRefund bill
  'ACQ.TRADE_NOT_EXIST': 'u a a R a u',
  TRADE_NOT_EXIST: 'u a a R a u',
  'ACQ.SYSTEM_ERROR': 'u u u u u u',
  'AQC.SYSTEM_ERROR': 'u u u u u u',
  'aop.ACQ.SYSTEM_ERROR': 'u u u u u u',
  SYSTEM_ERROR: 'u u u u u u',
  'ACQ.UNKNOW_ERROR': 'u u u u u u',
  'ACQ.INVALID_PARAMETER': 'R u u R u u',
  'ACQ.ACCESS_FORBIDDEN': 'R u u R u u',
  'ACQ.PARTNER_ERROR': 'R u u u u u',
  'ACQ.EXIST_FORBIDDEN_WORD': 'R u u u u u',
  'ACQ.TOTAL_FEE_EXCEED': 'R u u u u u',
  'ACQ.BUYER_SELLER_EQUAL': 'R u u u u u',
  'ACQ.BEYOND_PAY_RESTRICTION': 'R u u u u u',
  'ACQ.BEYOND_PER_RECEIPT_RESTRICTION': 'R u u u u u',
  'ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION': 'R u u u u u',
  'ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION': 'R u u u u u',
  'ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT': 'R u u u u u',
  'ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT': 'R u u u u u',
  'ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT': 'R u u u u u',
  'ACQ.MERCHANT_STATUS_NOT_NORMAL': 'R u u u u u',
  'ACQ.MERCHANT_AGREEMENT_NOT_EXIST': 'R u u u u u',
  'ACQ.MERCHANT_AGREEMENT_INVALID': 'R u u u u u',
  'ACQ.RISK_MERCHANT_IP_NOT_EXIST': 'R u u u u u',
  'ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR': 'R u u u u u',
  'ACQ.SUB_GOODS_SIZE_MAX_COUNT': 'R u u u u u',
  'ACQ.SECONDARY_MERCHANT_STATUS_ERROR': 'R u u u u u',
  // Said of a number that was used before: what became of the first call is not in the answer.
  'ACQ.TRADE_HAS_SUCCESS': 'u u u u u u',
  'ACQ.TRADE_HAS_CLOSE': 'u u u R u u',
  'ACQ.CONTEXT_INCONSISTENT': 'u u u u u u',
  'ACQ.APPLY_PC_MERCHANT_CODE_ERROR': 'u u u u u u',
  // A close: the trade is not open. A query decides, and says nothing here.
  'ACQ.TRADE_STATUS_ERROR': 'u u u R u u',
  'ACQ.REASON_TRADE_STATUS_INVALID': 'u u u u u u',
  'ACQ.REASON_ILLEGAL_STATUS': 'u u u u u u',
  'ACQ.TRADE_CANCEL_TIME_OUT': 'u u u u u u',
  'ACQ.CANCEL_NOT_ALLOWED': 'u u u u u u',
  'ACQ.SELLER_BALANCE_NOT_ENOUGH': 'u u u R u u',
  'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL': 'u u u R u u',
  'ACQ.REASON_TRADE_REFUND_FEE_ERR': 'u u u R u u',
  'ACQ.REASON_TRADE_BEEN_FREEZEN': 'u u u R u u',
  'ACQ.TRADE_HAS_FINISHED': 'u u u R u u',
  'ACQ.TRADE_NOT_ALLOW_REFUND': 'u u u R u u',
  'ACQ.NOT_ALLOW_PARTIAL_REFUND': 'u u u R u u',
  'ACQ.DISCORDANT_REPEAT_REQUEST': 'u u u R u u',
  'ACQ.REFUNDALLOC_UNAUTH_LIMIT': 'u u u R u u',
  // In the manual's table of refunds, and not among those that surely moved nothing.
  'ACQ.REFUND_CHARGE_ERROR': 'u u u u u u',
  'ACQ.REFUND_FEE_ERROR': 'u u u u u u',
  'ACQ.REFUND_ACCOUNT_NOT_EXIST': 'u u u u u u',
  'ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST': 'u u u u u u',
  'ACQ.ALLOC_AMOUNT_VALIDATE_ERROR': 'u u u u u u',
  'ACQ.BUYER_ENABLE_STATUS_FORBID': 'u u u u u u',
  'ACQ.BUYER_ERROR': 'u u u u u u',
  'ACQ.BUYER_NOT_EXIST': 'u u u u u u',
  'ACQ.CURRENCY_NOT_SUPPORT': 'u u u u u u',
  'ACQ.CUSTOMER_VALIDATE_ERROR': 'u u u u u u',
  'ACQ.ENTERPRISE_PAY_BIZ_ERROR': 'u u u u u u',
  'ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND': 'u u u u u u',
  'ACQ.OVERDRAFT_AGREEMENT_NOT_MATCH': 'u u u u u u',
  'ACQ.OVERDRAFT_ASSIGN_ACCOUNT_INVALID': 'u u u u u u',
  'ACQ.TRADE_SETTLE_ERROR': 'u u u u u u',
  'ACQ.USER_NOT_MATCH_ERR': 'u u u u u u',
  // Bills. The day of the test is younger than a late bill.
  'isp.bill_not_exist': 'u u u u u l',
  BILL_NOT_EXIST: 'u u u u u l',
  NO_BILL_DATA: 'u u u u u l',
  INVAILID_ARGUMENTS: 'u u u u u u',
  SYSTEM_RATE_LIMIT: 'u u u u u u',
  USER_RATE_LIMIT: 'u u u u u u',
  'ACQ.A_WORD_OF_TOMORROW': 'u u u u u u',
  '': 'u u u u u u',
}

/** Words of the gateway itself. They are unknown at every verb: none says that nothing was carried out before. */
const GATEWAY: [code: string, subCode: string][] = [
  ['20000', 'isp.unknow-error'],
  ['20000', 'aop.unknow-error'],
  ['20000', 'aop.ACQ.SYSTEM_ERROR'],
  ['20001', 'aop.invalid-auth-token'],
  ['20001', 'aop.invalid-app-auth-token'],
  ['40001', 'isv.missing-signature'],
  ['40001', 'isv.missing-app-id'],
  ['40002', 'isv.invalid-signature'],
  ['40002', 'isv.invalid-app-id'],
  ['40002', 'isv.invalid-parameter'],
  ['40002', 'isv.invalid-timestamp'],
  ['40002', 'isv.suspected-attack'],
  ['40002', 'not-online-app'],
  ['40003', 'isv.missing-signature-config'],
  ['40003', 'invalid-auth-relations'],
  ['40005', 'isv.app-call-limited'],
  ['40005', 'isv.method-call-limited'],
  ['40006', 'isv.insufficient-isv-permissions'],
  ['40006', 'isv.insufficient-user-permissions'],
  ['10003', ''],
  ['', ''],
  // A business word under another code is not a business answer.
  ['40002', 'ACQ.INVALID_PARAMETER'],
  ['20000', 'ACQ.SELLER_BALANCE_NOT_ENOUGH'],
  ['40005', 'ACQ.TRADE_NOT_EXIST'],
  ['20000', 'isp.bill_not_exist'],
]

describe('a word of an error', () => {
  const KINDS: Record<string, string> = { u: 'unknown', R: 'refused', a: 'absent', l: 'later' }

  it('means at each verb what the manual says there, and is unknown at every other', async () => {
    const rows = Object.entries(BUSINESS).flatMap(([word, letters]) =>
      letters
        .split(' ')
        .map((letter, index): Row => [VERBS[index] as Verb, word, error('40004', word), KINDS[letter] as string]),
    )
    expect(rows.length).toBe(Object.keys(BUSINESS).length * VERBS.length)
    expect(await wrongRows(rows)).toEqual([])
  })

  it('of the gateway itself decides nothing', async () => {
    const rows = GATEWAY.flatMap(([code, word]) =>
      VERBS.map((verb): Row => [verb, `${code} ${word}`, error(code, word), 'unknown']),
    )
    expect(await wrongRows(rows)).toEqual([])
  })

  it('is not believed without a signature, nor under the name of another answer', async () => {
    const rows = VERBS.flatMap((verb): Row[] =>
      ['ACQ.TRADE_NOT_EXIST', 'ACQ.INVALID_PARAMETER', 'isp.bill_not_exist'].flatMap((word): Row[] => [
        [verb, `${word} unsigned`, { ...error('40004', word), sign: false }, 'unknown'],
        [verb, `${word} of another method`, { ...error('40004', word), member: 'alipay_other_response' }, 'unknown'],
        [verb, `${word} as error_response`, { ...error('40004', word), member: 'error_response' }, 'unknown'],
      ]),
    )
    expect(await wrongRows(rows)).toEqual([])
  })
})

const TRADE = {
  trade_no: PAYMENT,
  out_trade_no: ATTEMPT,
  buyer_logon_id: '159****5620',
  buyer_open_id: '074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5',
  trade_status: 'TRADE_SUCCESS',
  total_amount: '12.50',
  send_pay_date: '2026-01-31 07:59:00',
}
const FUNDS = [{ fund_channel: 'ALIPAYACCOUNT', amount: '12.50' }]
const CLOSED_AT = { ...TRADE, trade_status: 'TRADE_CLOSED' }

describe('a query', () => {
  it('knows every state of the manual, and is unknown for every other', async () => {
    const states: [string, string][] = [
      ['WAIT_BUYER_PAY', 'open'],
      ['TRADE_SUCCESS', 'paid'],
      ['TRADE_FINISHED', 'paid'],
      ['TRADE_CLOSED', 'closed'],
      ['TRADE_PENDING', 'unknown'],
      ['STATE_OF_TOMORROW', 'unknown'],
      ['trade_success', 'unknown'],
      ['', 'unknown'],
    ]
    const rows = states.map(
      ([trade_status, kind]): Row => ['query', trade_status, ok({ ...TRADE, trade_status }), kind],
    )
    expect(await wrongRows(rows)).toEqual([])
  })

  it('of a paid trade needs no date: the state decides', async () => {
    const undated = { ...TRADE, send_pay_date: undefined }
    for (const trade_status of ['TRADE_SUCCESS', 'TRADE_FINISHED']) {
      oracle.says(ok({ ...undated, trade_status }))
      expect(await ASKS.query()).toMatchObject({ kind: 'paid', payment: { paidAt: NOW, amountFen: 1250n } })
    }
    oracle.says(ok({ ...undated, gmt_payment: '2026-01-31 07:58:00' }))
    expect(await ASKS.query()).toMatchObject({ kind: 'paid', payment: { paidAt: new Date('2026-01-30T23:58:00Z') } })
  })

  it('reads the amount in each form in which Alipay may write it', async () => {
    const forms: [unknown, bigint][] = [
      ['12.50', 1250n],
      ['12.5', 1250n],
      ['12', 1200n],
      [12.5, 1250n],
      [12, 1200n],
    ]
    for (const [total_amount, amountFen] of forms) {
      oracle.says(ok({ ...TRADE, total_amount }))
      expect(await ASKS.query()).toMatchObject({ kind: 'paid', payment: { amountFen } })
    }
  })

  it('believes a payment only of this attempt, of an amount, a number and a time that can be', async () => {
    const rows = Object.entries({
      'another attempt': { out_trade_no: `${ATTEMPT.slice(0, -1)}2` },
      'no attempt': { out_trade_no: undefined },
      'nothing paid': { total_amount: '0.00' },
      'less than nothing': { total_amount: '-12.50' },
      'a third of a fen': { total_amount: '12.503' },
      'an amount with an exponent': { total_amount: '1e2' },
      'no amount': { total_amount: undefined },
      'no number': { trade_no: undefined },
      'an empty number': { trade_no: '' },
      'a number with NUL': { trade_no: `${PAYMENT}\0` },
      'a number that is a path': { trade_no: '../../etc' },
      'a time before Alipay': { send_pay_date: '1970-01-01 08:00:00' },
      'a time in two days': { send_pay_date: '2026-02-02 08:00:01' },
      'the year 9999': { send_pay_date: '9999-12-31 08:00:00' },
      'a time that is none': { send_pay_date: 'yesterday' },
    }).map(([what, more]): Row => ['query', what, ok({ ...TRADE, ...more }), 'unknown'])
    expect(await wrongRows(rows)).toEqual([])
  })

  it('of a closed trade says that it was paid only on a second fact, never on its date', async () => {
    const refundOf = (refund: object) => (method: string) =>
      method === 'alipay.trade.query' ? ok(CLOSED_AT) : ok(refund)
    const rows: Row[] = [
      ['query', 'with a date alone', (method) => (method === 'alipay.trade.query' ? ok(CLOSED_AT) : ok({})), 'closed'],
      ['query', 'without a date', ok({ ...CLOSED_AT, send_pay_date: undefined }), 'closed'],
      [
        'query',
        'with nothing paid by the buyer',
        ok({ ...CLOSED_AT, buyer_pay_amount: '0.00', receipt_amount: '0.00' }),
        'closed',
      ],
      ['query', 'with an empty list of funds', ok({ ...CLOSED_AT, fund_bill_list: [] }), 'closed'],
      [
        'query',
        'with funds of nothing',
        ok({ ...CLOSED_AT, fund_bill_list: [{ fund_channel: 'X', amount: '0.00' }] }),
        'closed',
      ],
      ['query', 'with funds', ok({ ...CLOSED_AT, fund_bill_list: FUNDS }), 'returned'],
      [
        'query',
        'with funds and no date',
        ok({ ...CLOSED_AT, send_pay_date: undefined, fund_bill_list: FUNDS }),
        'returned',
      ],
      ['query', 'with an amount paid by the buyer', ok({ ...CLOSED_AT, buyer_pay_amount: '12.50' }), 'returned'],
      [
        'query',
        'with a refund of the whole under the attempt',
        refundOf({
          trade_no: PAYMENT,
          out_trade_no: ATTEMPT,
          out_request_no: ATTEMPT,
          refund_status: 'REFUND_SUCCESS',
          refund_amount: '12.50',
        }),
        'returned',
      ],
      [
        'query',
        'with a refund of another trade',
        refundOf({
          trade_no: '1',
          out_trade_no: 'A',
          out_request_no: ATTEMPT,
          refund_status: 'REFUND_SUCCESS',
          refund_amount: '12.50',
        }),
        'closed',
      ],
      [
        'query',
        'and the second fact cannot be had',
        (method) => (method === 'alipay.trade.query' ? ok(CLOSED_AT) : error('20000', 'isp.unknow-error')),
        'unknown',
      ],
    ]
    expect(await wrongRows(rows)).toEqual([])
  })
})

describe('a close', () => {
  it('is accepted by 10000 for this attempt', async () => {
    const rows: Row[] = [
      ['close', '10000', ok({ trade_no: PAYMENT, out_trade_no: ATTEMPT }), 'accepted'],
      ['close', '10000 without a number', ok({}), 'accepted'],
      ['close', '10000 for another attempt', ok({ trade_no: PAYMENT, out_trade_no: 'AT1' }), 'unknown'],
    ]
    expect(await wrongRows(rows)).toEqual([])
  })

  it('that is told of a wrong state, in whichever of its words, is what the query then says', async () => {
    const words = ['ACQ.TRADE_STATUS_ERROR', 'ACQ.REASON_TRADE_STATUS_INVALID', 'ACQ.REASON_ILLEGAL_STATUS']
    const states: [AlipaySays, string][] = [
      [ok(TRADE), 'paid'],
      [ok({ ...CLOSED_AT, send_pay_date: undefined }), 'accepted'],
      [ok({ ...TRADE, trade_status: 'WAIT_BUYER_PAY' }), 'unknown'],
      [error('40004', 'ACQ.TRADE_NOT_EXIST'), 'unknown'],
    ]
    const rows = words.flatMap((word) =>
      states.map(
        ([queried, kind]): Row => [
          'close',
          `${word}, then ${JSON.stringify(queried.body)}`,
          (method) => (method === 'alipay.trade.close' ? error('40004', word) : queried),
          kind,
        ],
      ),
    )
    expect(await wrongRows(rows)).toEqual([])
  })
})

const REFUNDED = { trade_no: PAYMENT, out_trade_no: ATTEMPT, fund_change: 'Y', refund_fee: '5.00' }

describe('a refund', () => {
  it('is done by fund_change Y for this payment; anything else has to be asked about', async () => {
    const rows = (
      [
        ['Y', {}, 'done'],
        ['Y, after another refund of it', { refund_fee: '7.50' }, 'done'],
        ['N', { fund_change: 'N' }, 'processing'],
        ['nothing', { fund_change: undefined }, 'processing'],
        ['y', { fund_change: 'y' }, 'processing'],
        ['Y of another payment', { trade_no: '2026013122001400001000000002' }, 'unknown'],
        ['Y of no payment', { trade_no: undefined }, 'unknown'],
        ['Y of another attempt', { out_trade_no: 'AT1' }, 'unknown'],
        ['Y of less', { refund_fee: '4.99' }, 'unknown'],
        ['Y of nothing', { refund_fee: '0.00' }, 'unknown'],
        ['Y of an unreadable sum', { refund_fee: 'x' }, 'unknown'],
        ['N of another payment', { fund_change: 'N', trade_no: '1' }, 'unknown'],
      ] as const
    ).map(([what, more, kind]): Row => ['refund', what, ok({ ...REFUNDED, ...more }), kind])
    expect(await wrongRows(rows)).toEqual([])
  })

  it('names the payment and its own number, so that a repeat refunds nothing', async () => {
    oracle.says(ok(REFUNDED))
    await ASKS.refund()
    const asked = new URLSearchParams(oracle.asked.at(-1)?.body)
    expect(JSON.parse(asked.get('biz_content') ?? '')).toEqual({
      trade_no: PAYMENT,
      out_request_no: REFUND,
      refund_amount: '5.00',
      refund_reason: '商品已退货',
    })
  })

  it('that is asked about is done by its word for this number and payment, and absent where there is none', async () => {
    const done = {
      trade_no: PAYMENT,
      out_trade_no: ATTEMPT,
      out_request_no: REFUND,
      refund_status: 'REFUND_SUCCESS',
      refund_amount: '5.00',
    }
    const rows = (
      [
        ['done', done, 'done'],
        ['nothing at all', {}, 'absent'],
        ['an empty word', { ...done, refund_status: '' }, 'absent'],
        ['no word', { ...done, refund_status: undefined }, 'absent'],
        ['a word of tomorrow', { ...done, refund_status: 'REFUND_WAITING' }, 'unknown'],
        ['REFUND_FAIL', { ...done, refund_status: 'REFUND_FAIL' }, 'unknown'],
        ['another number', { ...done, out_request_no: 'AR1' }, 'unknown'],
        ['no number', { ...done, out_request_no: undefined }, 'unknown'],
        ['another payment', { ...done, trade_no: '1' }, 'unknown'],
        ['no payment', { ...done, trade_no: undefined }, 'unknown'],
        ['nothing', { ...done, refund_amount: '0.00' }, 'unknown'],
        ['less than nothing', { ...done, refund_amount: '-5.00' }, 'unknown'],
        ['no amount', { ...done, refund_amount: undefined }, 'unknown'],
        ['no word, of another payment', { trade_no: '1' }, 'unknown'],
      ] as const
    ).map(([what, body, kind]): Row => ['queryRefund', what, ok(body), kind])
    expect(await wrongRows(rows)).toEqual([])
  })

  it('is shown by a query ten seconds after it, and not surely before', () => {
    expect(channel.refundVisibleAfterMs).toBe(10_000)
  })
})

describe('a create', () => {
  it('is opened by its code for this attempt', async () => {
    const rows: Row[] = [
      ['open', 'a code', ok({ out_trade_no: ATTEMPT, qr_code: 'https://qr.alipay.com/bavh4wjlxf12tper3a' }), 'opened'],
      ['open', 'no code', ok({ out_trade_no: ATTEMPT }), 'unknown'],
      ['open', 'an empty code', ok({ out_trade_no: ATTEMPT, qr_code: '' }), 'unknown'],
      ['open', 'a code of another attempt', ok({ out_trade_no: 'AT1', qr_code: 'https://qr.alipay.com/x' }), 'unknown'],
    ]
    expect(await wrongRows(rows)).toEqual([])
  })
})

describe('a notification', () => {
  const PAID = {
    notify_time: '2026-01-31 08:00:00',
    notify_type: 'trade_status_sync',
    notify_id: 'ac05099524730693a8b330c5ecf72da9786',
    app_id: '2021000000000001',
    seller_id: '2088000000000001',
    out_trade_no: ATTEMPT,
    trade_no: PAYMENT,
    trade_status: 'TRADE_SUCCESS',
    total_amount: '12.50',
    gmt_create: '2026-01-31 07:58:00',
    gmt_payment: '2026-01-31 07:59:00',
    buyer_id: '2088102122524333',
    subject: '测试 & 苹果',
    version: '1.0',
  }
  const { gmt_payment: _, ...UNDATED } = PAID

  it('is what its state says, and forged where it cannot be of this account', async () => {
    const rows: [what: string, params: Record<string, string>, kind: string][] = [
      ['paid', PAID, 'paid'],
      ['paid, without a date', UNDATED, 'paid'],
      ['finished', { ...PAID, trade_status: 'TRADE_FINISHED' }, 'paid'],
      ['closed', { ...PAID, trade_status: 'TRADE_CLOSED' }, 'other'],
      ['created', { ...PAID, trade_status: 'WAIT_BUYER_PAY' }, 'other'],
      ['a word of tomorrow', { ...PAID, trade_status: 'TRADE_WAITS' }, 'other'],
      ['of another app', { ...PAID, app_id: '2021000000000002' }, 'forged'],
      ['of another seller', { ...PAID, seller_id: '2088000000000002' }, 'forged'],
      ['of nothing', { ...PAID, total_amount: '0.00' }, 'forged'],
      ['of less than nothing', { ...PAID, total_amount: '-1.00' }, 'forged'],
      ['of an attempt with NUL', { ...PAID, out_trade_no: 'AT\0' }, 'forged'],
      ['of a payment with NUL', { ...PAID, trade_no: 'UP\0' }, 'forged'],
      ['of the year 9999', { ...PAID, gmt_payment: '9999-12-31 08:00:00' }, 'forged'],
      ['of no attempt', { ...PAID, out_trade_no: '' }, 'forged'],
    ]
    const wrong: string[] = []
    for (const [what, params, kind] of rows) {
      const heard = await channel.readWebhook(oracle.told(params))
      if (heard.kind !== kind) wrong.push(`${what}: ${heard.kind}, not ${kind}`)
    }
    expect(wrong).toEqual([])
  })
})
