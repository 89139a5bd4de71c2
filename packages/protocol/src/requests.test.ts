import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from './canonical.ts'
import { FIELD_ERRORS_MAX, isRefusal, type Refusal } from './errors.ts'
import { FIELDS } from './request-fields.ts'
import {
  parseCloseOrder,
  parseListCalls,
  parseListNotifications,
  parseListOrders,
  parseListRefunds,
  parseNotificationTries,
  parsePlaceOrder,
  parseQueryBill,
  parseQueryOrder,
  parseQueryRefund,
  parseRefundOrder,
  parseResend,
} from './requests.ts'

const TRADE_NO = 'mp2021040216063413856401'
const GOOD: JsonObject = {
  app_no: 'APP1000000',
  mch_trade_no: TRADE_NO,
  description: '测试订单',
  amount_total: '12.50',
  amount_currency: 'CNY',
  time_expire: '2026-01-31T08:00:00+08:00',
  extra: '附加数据',
  notify_url: 'https://merchant.example/notify',
}
const place = (more: JsonObject = {}, loopbackHttp = false) => parsePlaceOrder({ ...GOOD, ...more }, { loopbackHttp })

/** Expects a refusal whose text names the field and fits the envelope. */
function refusedFor(name: string, parsed: object): string {
  expect(parsed).toMatchObject({ refused: 'PARAM_ERROR' })
  const { fieldErrors } = parsed as Refusal
  expect(fieldErrors).toContain(name)
  expect(fieldErrors.length).toBeLessThanOrEqual(FIELD_ERRORS_MAX)
  return fieldErrors
}

/** Required or not, and the longest text, of every field of every request; a second time, by hand. */
const EXPECTED = `
close transaction_no  optional 50
close mch_trade_no    optional 50
query transaction_no  optional 50
query mch_trade_no    optional 50
place app_no          required 32
place mch_trade_no    required 50
place description     required 128
place amount_total    required 9
place amount_currency required 3
place time_expire     optional 35
place extra           optional 256
place notify_url      optional 256
refund transaction_no optional 50
refund mch_trade_no   optional 50
refund mch_refund_no  required 50
refund refund_amount  required 9
refund refund_reason  required 32
refund notify_url     optional 256
queryRefund refund_no optional 50
queryRefund mch_refund_no optional 50
bill bill_date required 10
orders transaction_no optional 50
orders mch_trade_no optional 50
orders app_no optional 32
orders state optional 7
orders from optional 35
orders until optional 35
orders before optional 38
refunds transaction_no optional 50
refunds mch_trade_no optional 50
refunds refund_no optional 50
refunds mch_refund_no optional 50
refunds state optional 10
refunds from optional 35
refunds until optional 35
refunds before optional 38
notifications transaction_no optional 50
notifications mch_trade_no optional 50
notifications state optional 9
notifications before optional 63
notificationTries transaction_no optional 50
notificationTries mch_trade_no optional 50
notificationTries seq required 9
resend transaction_no optional 50
resend mch_trade_no optional 50
resend seq optional 9
resend state optional 4
resend from optional 35
resend until optional 35
calls call             optional 40
calls status           optional 4
calls number           optional 50
calls from             optional 35
calls before           optional 51
`
type Verb = keyof typeof FIELDS
const rows = EXPECTED.trim()
  .split('\n')
  .map((row) => row.split(/\s+/) as [Verb, string, string, string])
  .map(([verb, field, need, max]) => ({ verb, field, isRequired: need === 'required', max: Number(max) }))

const GOOD_REFUND: JsonObject = {
  transaction_no: 'AP1',
  mch_trade_no: 'm1',
  mch_refund_no: TRADE_NO,
  refund_amount: '0.10',
  refund_reason: '商品已退货',
  notify_url: 'https://merchant.example/refunds',
}
const PARSERS = {
  close: parseCloseOrder,
  query: parseQueryOrder,
  place: (params: JsonObject) => place(params),
  refund: (params: JsonObject) => parseRefundOrder({ ...GOOD_REFUND, ...params }, { loopbackHttp: false }),
  queryRefund: parseQueryRefund,
  bill: (params: JsonObject) => parseQueryBill(params),
  orders: parseListOrders,
  refunds: parseListRefunds,
  notifications: parseListNotifications,
  calls: parseListCalls,
  notificationTries: (params: JsonObject) => parseNotificationTries({ seq: '1', ...params }),
  // The fields of an order and those of dead letters exclude each other: take the ones that allow the tested field.
  resend: (params: JsonObject) => {
    const ofDead = params.state || ['from', 'until'].some((name) => name in params)
    return parseResend({ ...(ofDead ? { state: 'DEAD' } : { transaction_no: 'AP1', mch_trade_no: 'm1' }), ...params })
  },
}
const REFERENCE: Partial<Record<Verb, JsonObject>> = {
  close: { transaction_no: 'AP1', mch_trade_no: 'm1' },
  query: { transaction_no: 'AP1', mch_trade_no: 'm1' },
  queryRefund: { refund_no: 'AR1', mch_refund_no: 'm1' },
  notificationTries: { transaction_no: 'AP1', mch_trade_no: 'm1' },
}
const parse = (verb: Verb, more: JsonObject) => PARSERS[verb]({ ...REFERENCE[verb], ...more })

/** The longest text that a field accepts, in the form it must have. */
const longest = ({ verb, field, max }: { verb: string; field: string; max: number }): string => {
  if (field === 'notify_url') return `https://a.example/${'x'.repeat(max - 18)}`
  if (field === 'bill_date') return '2026-01-31'
  if (field === 'state') return { 4: 'DEAD', 7: 'CLOSING', 9: 'DELIVERED', 10: 'PROCESSING' }[max] ?? ''
  if (field === 'before' && ['orders', 'refunds'].includes(verb))
    return `${verb === 'orders' ? 'AP' : 'AR'}${'9'.repeat(36)}`
  if (field === 'before' && max === 51) return `${'9'.repeat(14)}.${'9'.repeat(36)}`
  if (field === 'call') return `POST ${'a'.repeat(max - 5)}`
  if (field === 'before') return `${'9'.repeat(14)}.AP${'9'.repeat(36)}.${'9'.repeat(9)}`
  if (['time_expire', 'from', 'until'].includes(field)) return '2026-01-31T08:00:00.123456789+08:00'
  if (field === 'amount_currency') return 'CNY'
  return '9'.repeat(max)
}

describe('the fields', () => {
  it('are those of the specification, with their limits', () => {
    const listed = Object.entries(FIELDS).flatMap(([verb, fields]) =>
      Object.entries(fields).map(([field, { required, max }]) => ({ verb, field, isRequired: required, max })),
    )
    expect(listed).toEqual(rows)
  })

  /** Every row that a check finds wrong, so that one look shows them all. */
  const wrongRows = (isWrong: (row: (typeof rows)[number]) => boolean) =>
    rows.filter(isWrong).map(({ verb, field }) => `${verb} ${field}`)
  const saysOf = (row: (typeof rows)[number], value: JsonValue | undefined): string =>
    (parse(row.verb, { [row.field]: value } as JsonObject) as Partial<Refusal>).fieldErrors ?? 'taken'

  it('take their longest text and not one character more', () => {
    for (const row of rows) expect(longest(row)).toHaveLength(row.max)
    expect(wrongRows((row) => saysOf(row, longest(row)) !== 'taken')).toEqual([])
    const refusal = (row: (typeof rows)[number]) => `${row.field} 不能超过${row.max}个字符`
    expect(wrongRows((row) => saysOf(row, `${longest(row)}x`) !== refusal(row))).toEqual([])
    expect(wrongRows((row) => saysOf(row, 'x'.repeat(1 << 20)) !== refusal(row))).toEqual([])
  })

  it('that are required are refused when they are missing, null or empty, others may be', () => {
    for (const value of [undefined, null, '']) {
      const said = (row: (typeof rows)[number]) => (row.isRequired ? `${row.field} 必填` : 'taken')
      expect(wrongRows((row) => saysOf(row, value) !== said(row))).toEqual([])
    }
  })

  it('are texts: anything else is refused, and told what it is', () => {
    const values: [JsonValue, string][] = [
      [1, '数字'],
      [0, '数字'],
      [true, '布尔值'],
      [false, '布尔值'],
      [{}, '对象'],
      [[], '对象'],
      [['x'], '对象'],
    ]
    for (const [value, kind] of values) {
      expect(wrongRows((row) => saysOf(row, value) !== `${row.field} 应为字符串而不是${kind}`)).toEqual([])
    }
  })

  it('hold no text that cannot be stored', () => {
    for (const broken of ['\0', 'a\0b', '\ud83d', 'a\ude00b', '\ude00\ud83d']) {
      const fitting = (row: (typeof rows)[number]) => broken.length <= row.max
      expect(wrongRows((row) => fitting(row) && saysOf(row, broken) !== `${row.field} 含有无效字符`)).toEqual([])
    }
  })
})

/** What the official Java SDKs send: the properties of their request models, in snake case; 1.0.0 without the last two. */
const OFFICIAL = `
close       transaction_no mch_trade_no aco_pay_sdk version
query       transaction_no mch_trade_no aco_pay_sdk version
refund      transaction_no mch_trade_no mch_refund_no refund_amount refund_reason notify_url aco_pay_sdk version
queryRefund refund_no mch_refund_no aco_pay_sdk version
bill        bill_date aco_pay_sdk version
place       app_no mch_trade_no description amount_total amount_currency time_expire extra notify_url aco_pay_sdk version
`

it('every member that the official Java SDKs 1.0.0 and 2.0.0 send belongs to its call', () => {
  for (const row of OFFICIAL.trim().split('\n')) {
    const [verb = '', ...names] = row.split(/\s+/) as [Verb, ...string[]]
    const params = names.map((name) => [name, GOOD[name] ?? GOOD_REFUND[name] ?? '2026-01-31'])
    expect(parse(verb as Verb, Object.fromEntries(params)), verb).not.toHaveProperty('refused')
  }
})

describe('a signed member of another call', () => {
  const EVERY_FIELD = [...new Set(rows.map(({ field }) => field))]
  const verbs = [...new Set(rows.map(({ verb }) => verb))]
  const isOwn = (verb: Verb, field: string): boolean => rows.some((row) => row.verb === verb && row.field === field)
  const saysOf = (verb: Verb, params: JsonObject): string =>
    (parse(verb, params) as Partial<Refusal>).fieldErrors ?? 'taken'

  it('is refused by name on every call but placing, whatever its value is', () => {
    const cells = verbs
      .filter((verb) => verb !== 'place')
      .flatMap((verb) => [...EVERY_FIELD, 'sign'].map((field) => ({ verb, field })))
      .filter(({ verb, field }) => !isOwn(verb, field))
    expect(cells).toHaveLength(11 * 23 - 46)
    const wrong = cells.filter(({ verb, field }) =>
      ['x', '', 0, false, [], {}].some(
        (value) => saysOf(verb, { [field]: value }) !== `${field} 不是此接口的参数 (not of this call)`,
      ),
    )
    expect(wrong).toEqual([])
  })

  it('does not disturb placing, whose own members fit nowhere else', () => {
    for (const field of EVERY_FIELD) if (!isOwn('place', field)) expect(saysOf('place', { [field]: 'x' })).toBe('taken')
    const place: JsonObject = { ...GOOD }
    for (const verb of verbs) if (verb !== 'place') expect(saysOf(verb, place), verb).toContain('(not of this call)')
  })

  it('has its name shown in short and without what cannot be seen', () => {
    const shown = (name: string): string => refusedFor('', parseCloseOrder({ transaction_no: 'AP1', [name]: 'x' }))
    expect(shown('a-name-of-20-letters')).toBe('a-name-of-20-letters 不是此接口的参数 (not of this call)')
    expect(shown('a-name-of-21-letters!')).toBe('a-name-of-21-letter… 不是此接口的参数 (not of this call)')
    expect(shown('订单\n\0\u202e\ud83d号')).toBe('订单????号 不是此接口的参数 (not of this call)')
    expect(shown('__proto__')).toBe('__proto__ 不是此接口的参数 (not of this call)')
    expect(shown('toString')).toBe('toString 不是此接口的参数 (not of this call)')
  })
})

describe.each([
  ['close', parseCloseOrder],
  ['query', parseQueryOrder],
] as const)('%s', (_, parseRef) => {
  it("takes either number, and the platform's when both are given", () => {
    expect(parseRef({ transaction_no: 'AP1' })).toEqual({ transactionNo: 'AP1' })
    expect(parseRef({ mch_trade_no: 'm1' })).toEqual({ mchTradeNo: 'm1' })
    expect(parseRef({ transaction_no: 'AP1', mch_trade_no: 'm1' })).toEqual({ transactionNo: 'AP1' })
    expect(parseRef({ transaction_no: '', mch_trade_no: 'm1' })).toEqual({ mchTradeNo: 'm1' })
  })

  it('needs one of them: two empty ones are none', () => {
    for (const params of [{}, { transaction_no: '', mch_trade_no: '' }, { transaction_no: null, mch_trade_no: null }]) {
      const said = refusedFor('transaction_no', parseRef(params))
      expect(said).toContain('mch_trade_no')
    }
  })

  it('lets members pass that are not signed, or stand in the headers', () => {
    const unsigned = { version: { deep: [1] }, aco_pay_sdk: 'x', whatever: null, '': 'x', ' ': 'x' }
    const inHeaders = { mch_no: 'MCH1', nonce: 'n', sign_type: 'SHA256withRSA' }
    expect(parseRef({ transaction_no: 'AP1', ...unsigned, ...inHeaders })).toEqual({ transactionNo: 'AP1' })
  })

  it('does not take a number from the prototype', () => {
    expect(isRefusal(parseRef(Object.create({ transaction_no: 'AP1' }) as JsonObject))).toBe(true)
  })
})

describe('place', () => {
  it('reads every field', () => {
    expect(place()).toEqual({
      appNo: 'APP1000000',
      mchTradeNo: TRADE_NO,
      description: '测试订单',
      amountTotal: '12.50',
      timeExpire: new Date('2026-01-31T00:00:00Z'),
      extra: '附加数据',
      notifyUrl: 'https://merchant.example/notify',
    })
    expect(place({ time_expire: '', extra: null, notify_url: '' })).toMatchObject({
      timeExpire: null,
      extra: null,
      notifyUrl: null,
    })
  })

  it('names the first field that is wrong, in the order of the contract', () => {
    refusedFor('app_no', parsePlaceOrder({}, { loopbackHttp: false }))
    refusedFor('mch_trade_no', place({ mch_trade_no: 'short', amount_currency: 'USD' }))
  })

  it('tells a page that sends the amount as a number to send a text', () => {
    expect(refusedFor('amount_total', place({ amount_total: 12.5 }))).toContain('字符串')
  })

  it.each(['a'.repeat(24), 'Z'.repeat(50), '0123456789_-0123456789_-'])(
    'takes the merchant number %s',
    (mch_trade_no) => {
      expect(place({ mch_trade_no })).toMatchObject({ mchTradeNo: mch_trade_no })
    },
  )

  it.each(['a'.repeat(23), `${TRADE_NO}.`, `${TRADE_NO} `, `${TRADE_NO}\n`, '订'.repeat(24), `${TRADE_NO}/../x`])(
    'refuses the merchant number %j',
    (mch_trade_no) => {
      refusedFor('mch_trade_no', place({ mch_trade_no }))
    },
  )

  it.each(['USD', 'cny', 'CN'])('refuses the currency %s', (amount_currency) => {
    refusedFor('amount_currency', place({ amount_currency }))
  })
})

describe('time_expire', () => {
  it.each([
    ['2026-01-31T08:00:00+08:00', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T00:00:00.5Z', '2026-01-31T00:00:00.500Z'],
    ['2026-01-30T19:30:00-04:30', '2026-01-31T00:00:00.000Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ])('reads %s', (time_expire, expected) => {
    expect((place({ time_expire }) as { timeExpire: Date }).timeExpire.toISOString()).toBe(expected)
  })

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-02-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T08:60:00Z',
    '2026-01-31T08:00:60Z',
    '2026-01-31T08:00:00',
    '2026-01-31 08:00:00Z',
    '2026-01-31T08:00:00+0800',
    '2026-01-31T08:00:00+24:00',
    '2026-01-31t08:00:00z',
    '2026-1-31T08:00:00Z',
    ' 2026-01-31T08:00:00Z',
    '2026-01-31T08:00:00Z\n',
    '1769817600',
    'tomorrow',
  ])('refuses %j', (time_expire) => {
    refusedFor('time_expire', place({ time_expire }))
  })
})

describe('notify_url', () => {
  it.each([
    'http://merchant.example/notify',
    'ftp://merchant.example/',
    'javascript:alert(1)',
    '//merchant.example/notify',
    '/notify',
    'merchant.example',
    'https://',
    'https://merchant.example/notify?a=1',
    'https://merchant.example/notify?',
    'https://merchant.example/#part',
    'https://user@merchant.example/',
    'https://user:pass@merchant.example/',
    ' https://merchant.example/',
    'https://merchant.example/no\ntify',
    'ht\ttps://merchant.example/',
    'https://merchant.example/with space',
    'https:\\\\merchant.example\\notify',
    'https:merchant.example',
    'https:///merchant.example',
  ])('refuses %j', (notify_url) => {
    refusedFor('notify_url', place({ notify_url }))
  })

  it.each(['http://127.0.0.1:9000/n', 'http://localhost/n', 'http://[::1]:9000/n'])(
    'takes %s in a sandbox, where merchants run on the same machine, and nowhere else',
    (notify_url) => {
      expect(place({ notify_url }, true)).toMatchObject({ notifyUrl: notify_url })
      refusedFor('notify_url', place({ notify_url }, false))
    },
  )

  it.each(['http://127.0.0.1.evil.example/', 'http://localhost.evil.example/', 'http://merchant.example/'])(
    'refuses %s also in a sandbox',
    (notify_url) => {
      refusedFor('notify_url', place({ notify_url }, true))
    },
  )
})

describe('refund', () => {
  const refund = (more: JsonObject = {}) => parseRefundOrder({ ...GOOD_REFUND, ...more }, { loopbackHttp: false })

  it("names the order by either number, the platform's first, and needs one", () => {
    expect(refund()).toMatchObject({ ref: { transactionNo: 'AP1' }, mchRefundNo: TRADE_NO, refundAmount: '0.10' })
    expect(refund({ transaction_no: null })).toMatchObject({ ref: { mchTradeNo: 'm1' } })
    expect(refusedFor('transaction_no', refund({ transaction_no: '', mch_trade_no: '' }))).toContain('mch_trade_no')
  })

  it("takes a merchant's number of 24 to 50 letters, digits, _ and -", () => {
    for (const bad of ['x'.repeat(23), `${TRADE_NO}!`]) refusedFor('mch_refund_no', refund({ mch_refund_no: bad }))
  })

  it('takes the same addresses for notifications as an order', () => {
    for (const bad of ['http://merchant.example/', 'https://merchant.example/?a=1', 'https://u:p@merchant.example/']) {
      refusedFor('notify_url', refund({ notify_url: bad }))
    }
  })

  it('is queried by either number, and by one of them at least', () => {
    expect(parseQueryRefund({ refund_no: 'AR1', mch_refund_no: 'm1' })).toEqual({ refundNo: 'AR1' })
    expect(parseQueryRefund({ mch_refund_no: 'm1' })).toEqual({ mchRefundNo: 'm1' })
    expect(refusedFor('refund_no', parseQueryRefund({}))).toContain('mch_refund_no')
  })
})

describe('a refusal', () => {
  const refund = (more: JsonObject) =>
    parseRefundOrder(
      { transaction_no: 'AP1', mch_refund_no: 'r'.repeat(24), refund_amount: '1.00', refund_reason: 'test', ...more },
      { loopbackHttp: false },
    )

  it('about one field carries the name of the field', () => {
    expect(refund({ mch_refund_no: 'short' })).toMatchObject({ field: 'mch_refund_no' })
    expect(refund({ refund_reason: null })).toMatchObject({ field: 'refund_reason' })
    expect(refund({ refund_amount: 1 })).toMatchObject({ field: 'refund_amount' })
    expect(refund({ notify_url: 'http://merchant.example/' })).toMatchObject({ field: 'notify_url' })
    expect(parseQueryBill({ bill_date: 'today' })).toMatchObject({ field: 'bill_date' })
  })

  it('about several fields at once names none', () => {
    expect(refund({ transaction_no: null })).toEqual({
      refused: 'PARAM_ERROR',
      fieldErrors: 'transaction_no 与 mch_trade_no 至少填一个',
    })
  })
})

describe('a list', () => {
  const from = '2026-01-31T08:00:00+08:00'
  const until = '2026-01-31T00:00:01Z'

  it('of orders takes a number, an app, a state, a period and a place, or nothing', () => {
    const before = `AP${'1'.repeat(36)}`
    const all = { ref: null, appNo: null, state: null, from: null, until: null, before: null }
    expect(parseListOrders({})).toEqual(all)
    expect(parseListOrders({ app_no: 'A', state: 'SUCCESS', from, until, before })).toEqual({
      ...{ ref: null, appNo: 'A', state: 'SUCCESS', before },
      ...{ from: new Date(from), until: new Date(until) },
    })
    expect(parseListOrders({ mch_trade_no: 'm1' })).toEqual({ ...all, ref: { mchTradeNo: 'm1' } })
    expect(parseListOrders({ mch_trade_no: 'm1', transaction_no: 'AP1' })).toEqual({
      ...all,
      ref: { transactionNo: 'AP1' },
    })
    for (const state of ['PAID', 'notpay', 'xCLOSED', 'CLOSEDx']) refusedFor('state', parseListOrders({ state }))
    for (const wrong of ['AP1', `AR${'1'.repeat(36)}`, `AP${'1'.repeat(35)}x`]) {
      refusedFor('before', parseListOrders({ before: wrong }))
    }
  })

  it('of refunds takes an order, a refund, a state, a period and a place, or nothing', () => {
    const before = `AR${'1'.repeat(36)}`
    const all = { ref: null, refundRef: null, state: null, from: null, until: null, before: null }
    expect(parseListRefunds({})).toEqual(all)
    expect(
      parseListRefunds({ mch_trade_no: 'm1', refund_no: 'AR1', mch_refund_no: 'r1', state: 'FAIL', before }),
    ).toEqual({
      ...{ ...all, before, state: 'FAIL' },
      ...{ ref: { mchTradeNo: 'm1' }, refundRef: { refundNo: 'AR1' } },
    })
    expect(parseListRefunds({ mch_refund_no: 'r1', from, until })).toEqual({
      ...{ ...all, from: new Date(from), until: new Date(until) },
      refundRef: { mchRefundNo: 'r1' },
    })
    for (const state of ['REFUND', 'xFAIL', 'FAILx']) refusedFor('state', parseListRefunds({ state }))
    for (const wrong of ['AR1', `AP${'1'.repeat(36)}`]) refusedFor('before', parseListRefunds({ before: wrong }))
  })

  it('has no period that ends when it begins, or before', () => {
    for (const parse of [parseListOrders, parseListRefunds]) {
      refusedFor('until', parse({ from, until: '2026-01-31T00:00:00Z' }))
      refusedFor('until', parse({ from, until: '2026-01-30T00:00:00Z' }))
      refusedFor('from', parse({ from: 'today', until }))
      refusedFor('until', parse({ from, until: 'today' }))
    }
  })
})

describe('which notifications', () => {
  it('are listed from a place on, or from the newest', () => {
    const before = `1769817600123.AP${'1'.repeat(36)}.7`
    expect(parseListNotifications({ before, state: 'DEAD' })).toEqual({
      ref: null,
      state: 'DEAD',
      before: { createdAt: new Date(1769817600123), transactionNo: `AP${'1'.repeat(36)}`, seq: 7 },
    })
    expect(parseListNotifications({})).toEqual({ ref: null, state: null, before: null })
    for (const wrong of ['1', 'a.b.c', `1.AP${'1'.repeat(36)}`, '.AP.']) {
      refusedFor('before', parseListNotifications({ before: wrong }))
    }
  })

  it('are sent again: of an order, one of them, or dead letters; never both', () => {
    expect(parseResend({ mch_trade_no: 'm1' })).toEqual({ ref: { mchTradeNo: 'm1' }, seq: null })
    expect(parseResend({ transaction_no: 'AP1', seq: '12' })).toEqual({ ref: { transactionNo: 'AP1' }, seq: 12 })
    const from = '2026-01-31T08:00:00+08:00'
    expect(parseResend({ state: 'DEAD', from })).toEqual({ dead: { from: new Date(from), until: null } })
    refusedFor('state', parseResend({ transaction_no: 'AP1', state: 'DEAD' }))
    refusedFor('from', parseResend({ transaction_no: 'AP1', from }))
    refusedFor('until', parseResend({ state: 'DEAD', until: 'yesterday' }))
    refusedFor('state', parseResend({ from }))
    refusedFor('transaction_no', parseResend({ seq: '1' }))
    for (const seq of ['0', '-1', '1.0', '１']) refusedFor('seq', parseResend({ transaction_no: 'AP1', seq }))
  })
})

it.each(['2026-02-29', '2026-13-01', '2026-00-10', '2026-1-31', '20260131', '2026-01-31T', 'today', '２026-01-31'])(
  'no bill is of %s',
  (bill_date) => {
    refusedFor('bill_date', parseQueryBill({ bill_date }))
    expect(parseQueryBill({ bill_date: '2028-02-29' })).toEqual({ day: '2028-02-29' })
  },
)

describe('a day of the calendar', () => {
  /** The last day of each month; a bill has it, an order may expire on it, and neither is so of the day after. */
  const LAST_DAYS = `
    2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 2026-06-30
    2026-07-31 2026-08-31 2026-09-30 2026-10-31 2026-11-30 2026-12-31 2028-02-29 2100-02-28`
  const last = LAST_DAYS.trim().split(/\s+/)
  const dayAfter = (day: string) => `${day.slice(0, 8)}${Number(day.slice(8)) + 1}`
  const first = (day: string) => `${day.slice(0, 8)}01`

  it('is one of a month of 28 to 31 days, in December too', () => {
    for (const day of [...last, ...last.map(first)]) {
      expect(parseQueryBill({ bill_date: day })).toEqual({ day })
      expect(place({ time_expire: `${day}T12:00:00Z` })).toMatchObject({ timeExpire: new Date(`${day}T12:00:00Z`) })
    }
  })

  it('is not the day after the last, the day 00, or one of the months 00 and 13', () => {
    for (const day of [...last.map(dayAfter), '2026-12-00', '2026-00-31', '2026-13-01']) {
      refusedFor('bill_date', parseQueryBill({ bill_date: day }))
      refusedFor('time_expire', place({ time_expire: `${day}T12:00:00Z` }))
    }
  })

  it('stands alone in the text', () => {
    for (const text of ['x2026-1-31', '12026-01-3', '2026-01-3x', '2026/01/31', '20260-1-31', '2026-011-1']) {
      refusedFor('bill_date', parseQueryBill({ bill_date: text }))
    }
  })
})

describe('a time', () => {
  it('is one of a day of 24 hours, with a fraction of up to nine digits and an offset of less than a day', () => {
    const times: [string, string][] = [
      ['2026-12-31T23:59:59Z', '2026-12-31T23:59:59.000Z'],
      ['2026-12-31T00:00:00Z', '2026-12-31T00:00:00.000Z'],
      ['2026-12-31T19:09:09.1Z', '2026-12-31T19:09:09.100Z'],
      ['2026-12-31T20:10:20.123456789Z', '2026-12-31T20:10:20.123Z'],
      ['2026-12-31T00:00:00+23:59', '2026-12-30T00:01:00.000Z'],
      ['2026-12-31T00:00:00-23:59', '2026-12-31T23:59:00.000Z'],
      ['2026-12-31T00:00:00+19:59', '2026-12-30T04:01:00.000Z'],
      ['2026-12-31T00:00:00-00:00', '2026-12-31T00:00:00.000Z'],
      ['2026-12-31T05:45:00+05:45', '2026-12-31T00:00:00.000Z'],
    ]
    const read = times.map(([time_expire]) => (place({ time_expire }) as { timeExpire: Date }).timeExpire.toISOString())
    expect(read).toEqual(times.map(([, utc]) => utc))
  })

  it('is not one with a digit too many or too few, another sign, or anything before or behind', () => {
    const wrong = `
      12026-12-31T00:00:00Z x2026-12-31T00:00:00Z 2026-12-31T00:00:00ZZ 2026-12-31T00:00:00Z1 026-12-31T00:00:00Z
      2026-12-1T00:00:00Z 2026-12-31T0:00:00Z 2026-12-31T00:0:00Z 2026-12-31T00:00:0Z 2026-12-31T30:00:00Z
      2026-12-31T00:00:00.Z 2026-12-31T00:00:00.1234567890Z 2026-12-31T00:00:00,1Z 2026-12-31T00:00:00.aZ
      2026-12-31T00:00:00+8:00 2026-12-31T00:00:00+08:60 2026-12-31T00:00:00+08:0 2026-12-31T00:00:00+08
      2026-12-31T00:00:00*08:00 2026-12-31T00:00:00+30:00 2026-12-31T00:00:00+ab:00 2026-12-31T00:00:00+08:ab
      2026-12-31T2a:00:00Z 2026-12-31Ta1:00:00Z 2026-12-31T00:a0:00Z 2026-12-31T00:0a:00Z 2026-12-31T00:00:a0Z
      2026-12-31T00:00:0aZ 202a-12-31T00:00:00Z 2026-1a-31T00:00:00Z 2026-12-3aT00:00:00Z`
    const taken = wrong
      .trim()
      .split(/\s+/)
      .filter((time_expire) => !isRefusal(place({ time_expire })))
    expect(taken).toEqual([])
  })
})

describe('an address for notifications', () => {
  it('is any that is https, to the letter', () => {
    const addresses = `https://merchant.example https://a HTTPS://Merchant.Example/N https://merchant.example:8443/a/b
      https://192.0.2.1/n https://[2001:db8::1]/n https://商户.example/通知 https://merchant.example/a%20b;c=d@e:f`
    const given = addresses.split(/\s+/)
    expect(given.map((notify_url) => (place({ notify_url }) as { notifyUrl: string }).notifyUrl)).toEqual(given)
  })

  const refused = (urls: string[], loopbackHttp: boolean, text: string) =>
    urls
      .map((notify_url) => [notify_url, (place({ notify_url }, loopbackHttp) as Refusal).fieldErrors])
      .filter(([, said]) => said !== `notify_url ${text}`)

  it('is refused where programs may read it differently', () => {
    const urls = [
      'https://\tmerchant.example/',
      'https://\nmerchant.example/',
      'https://\u0001merchant.example/',
      'https://\u007fmerchant.example/',
      'https://merchant.example/\u0001',
      'https://merchant.example/\u001f',
      'https://merchant.example/\u0020',
      'https://merchant.example/\u007f',
      'https://merchant.example/\\',
      'https://\\merchant.example/',
      'xhttps//merchant.example/',
      '1https://merchant.example/',
      'https://merchant.example:99999/',
      'https://[2001:db8/',
    ]
    expect(refused(urls, true, '不是有效的网址')).toEqual([])
  })

  it('is refused where it is not https, or not this machine in a sandbox', () => {
    const plain = ['http://127.0.0.1/n', 'http://localhost/n', 'http://[::1]/n', 'ftp://localhost/n']
    expect(refused(plain, false, '必须是https地址')).toEqual([])
    const elsewhere = `ftp://localhost/n ftp://127.0.0.1/n http://merchant.example/ http://xlocalhost/ http://localhost.x/
      http://127.0.0.1.x/ http://128.0.0.1/ http://[::2]/ http://[::1:1]/ http://[1::1]/ http://10.0.0.1/ http://x.127.0.0.x/`
    expect(refused(elsewhere.split(/\s+/), true, '必须是https地址')).toEqual([])
    const here = 'http://127.0.0.1/ http://127.255.255.254:9000/n http://localhost:1/ http://[::1]:9000/ https://[::1]/'
    expect(here.split(' ').filter((notify_url) => isRefusal(place({ notify_url }, true)))).toEqual([])
  })

  it('is refused with a query, a user, a password or a fragment', () => {
    expect(
      refused(['https://a.example/?', 'https://a.example/?b=c', 'https://a.example/#?'], false, '不能带查询参数'),
    ).toEqual([])
    const urls = ['https://a.example/#', 'https://a.example/#b', 'https://u@a.example/', 'https://:p@a.example/']
    expect(refused([...urls, 'https://u:p@a.example/'], false, '不能带用户名、密码或#')).toEqual([])
  })
})

describe('what a merchant reads of a refusal', () => {
  const resend = (params: JsonObject) => parseResend({ state: 'DEAD', ...params })
  it('is the field and the reason, in Chinese', () => {
    const refusals: [object, string][] = [
      [place({ app_no: null }), 'app_no 必填'],
      [place({ app_no: 7 }), 'app_no 应为字符串而不是数字'],
      [place({ app_no: true }), 'app_no 应为字符串而不是布尔值'],
      [place({ app_no: {} }), 'app_no 应为字符串而不是对象'],
      [place({ app_no: [] }), 'app_no 应为字符串而不是对象'],
      [place({ app_no: 'x'.repeat(33) }), 'app_no 不能超过32个字符'],
      [place({ app_no: '\0' }), 'app_no 含有无效字符'],
      [place({ mch_trade_no: 'short' }), 'mch_trade_no 应为24-50位字母、数字、_或-'],
      [place({ amount_currency: 'USD' }), 'amount_currency 只支持CNY'],
      [place({ time_expire: 'soon' }), 'time_expire 应为RFC 3339,如2026-01-31T08:00:00+08:00'],
      [parseCloseOrder({}), 'transaction_no 与 mch_trade_no 至少填一个'],
      [parseQueryRefund({}), 'refund_no 与 mch_refund_no 至少填一个'],
      [parseNotificationTries({ seq: '1' }), 'transaction_no 与 mch_trade_no 至少填一个'],
      [parseNotificationTries({ transaction_no: 'AP1', seq: '0' }), 'seq 应为正整数'],
      [parseListNotifications({ state: 'GONE' }), 'state 应为PENDING、DELIVERED或DEAD'],
      [parseListNotifications({ before: '7' }), 'before 应为上一页的next'],
      [parseQueryBill({ bill_date: 'today' }), 'bill_date 应为日期,如2026-01-31'],
      [parseResend({}), '请填订单号, 或 state=DEAD'],
      [parseResend({ seq: '1', state: 'DEAD' }), 'transaction_no 与 mch_trade_no 至少填一个'],
      [resend({ state: 'LOST' }), 'state 只能为DEAD'],
      [resend({ mch_trade_no: 'm1' }), 'state 不能与订单号同时使用'],
      [resend({ mch_trade_no: 'm1', state: null, until: '2026-01-31T08:00:00Z' }), 'until 不能与订单号同时使用'],
      [resend({ from: 'now' }), 'from 应为RFC 3339,如2026-01-31T08:00:00+08:00'],
      [resend({ until: 'now' }), 'until 应为RFC 3339,如2026-01-31T08:00:00+08:00'],
    ]
    expect(refusals.map(([parsed]) => (parsed as Refusal).fieldErrors)).toEqual(refusals.map(([, said]) => said))
    expect(refusals.filter(([parsed]) => (parsed as Refusal).refused !== 'PARAM_ERROR')).toEqual([])
  })
})

it('a text keeps every character that can be stored, those of two units too', () => {
  for (const description of ['\u{1F600}', 'a\u{1F600}b\u{10FFFF}', '\u{1F600}\u{1F600}', '\u0001\ud7ff\ue000\uffff']) {
    expect(place({ description })).toMatchObject({ description })
  }
  for (const description of [
    'a\ud83d',
    '\ude00a',
    '\ud83d\u{1F600}',
    '\u{1F600}\ude00',
    '\udbff',
    '\udc00',
    '\udfff',
  ]) {
    refusedFor('description', place({ description }))
  }
})

it('the number of a notification, and the place from which a list goes on, are nothing but digits and dots', () => {
  const order = { transaction_no: 'AP1' }
  const taken = ['1', '9', '10', '123456789'].map((seq) => parseNotificationTries({ ...order, seq }))
  expect(taken).toEqual([1, 9, 10, 123_456_789].map((seq) => ({ ref: { transactionNo: 'AP1' }, seq })))
  for (const seq of ['01', '1a', 'a1', '1.5', ' 1', '1 ', '1\n', '+1']) {
    refusedFor('seq', parseNotificationTries({ ...order, seq }))
  }
  const number = `AP${'1'.repeat(36)}`
  expect(parseListNotifications({ before: `0.${number}.1` })).toMatchObject({
    before: { createdAt: new Date(0), seq: 1 },
  })
  const wrong = [
    `x1.${number}.7`,
    `1.${number}.7x`,
    `.${number}.7`,
    `1.${number}.`,
    `1x${number}.7`,
    `1.${number}x7`,
    `1.x${number}.7`,
  ]
  for (const before of [
    ...wrong,
    `1.${number.slice(1)}.7`,
    `1.${number}1.7`,
    `a.${number}.7`,
    `1.AP${'a'.repeat(36)}.7`,
    `1.${number}.a`,
  ]) {
    refusedFor('before', parseListNotifications({ before }))
  }
  for (const state of ['PENDING', 'DELIVERED', 'DEAD'])
    expect(parseListNotifications({ state })).toMatchObject({ state })
  for (const state of ['xDEAD', 'DEADx']) refusedFor('state', parseListNotifications({ state }))
  expect(parseListNotifications({ mch_trade_no: 'm1' })).toMatchObject({ ref: { mchTradeNo: 'm1' } })
})

it('dead letters are sent again from a moment, until one, between two, or all', () => {
  const [from, until] = ['2026-12-31T08:00:00+08:00', '2026-12-31T09:00:00+08:00']
  const both = { from: new Date('2026-12-31T00:00:00Z'), until: new Date('2026-12-31T01:00:00Z') }
  const resend = (params: JsonObject) => parseResend({ state: 'DEAD', ...params })
  expect(resend({ from, until })).toEqual({ dead: both })
  expect(resend({ until })).toEqual({ dead: { from: null, until: both.until } })
  expect(resend({})).toEqual({ dead: { from: null, until: null } })
})

it('a refund is read as it was asked', () => {
  expect(parseRefundOrder(GOOD_REFUND, { loopbackHttp: false })).toEqual({
    ref: { transactionNo: 'AP1' },
    mchRefundNo: TRADE_NO,
    refundAmount: '0.10',
    refundReason: '商品已退货',
    notifyUrl: 'https://merchant.example/refunds',
  })
  const loopback = { ...GOOD_REFUND, notify_url: 'http://127.0.0.1:9000/n' }
  expect(parseRefundOrder(loopback, { loopbackHttp: true })).toMatchObject({ notifyUrl: 'http://127.0.0.1:9000/n' })
  expect(parseRefundOrder({ ...GOOD_REFUND, notify_url: '' }, { loopbackHttp: true })).toMatchObject({
    notifyUrl: null,
  })
})

it('the log of calls is asked for as it is kept, and goes on where a page ended', () => {
  const all = { call: null, status: null, number: null, from: null, before: null }
  expect(parseListCalls({})).toEqual(all)
  const from = '2026-12-31T08:00:00+08:00'
  const requestId = '0f8fad5b-d9cb-469f-a165-70867728950e'
  expect(
    parseListCalls({ call: 'POST close', status: '1007', number: 'AP1', from, before: `1700000000123.${requestId}` }),
  ).toEqual({
    call: 'POST close',
    status: 1007,
    number: 'AP1',
    from: new Date('2026-12-31T00:00:00Z'),
    before: { at: new Date(1_700_000_000_123), requestId },
  })
  refusedFor('from', parseListCalls({ from: '2026-12-31' }))
})

it('a period in which nothing can lie, or with a time that is none, is refused in every list', () => {
  const [early, late] = ['2026-12-31T08:00:00+08:00', '2026-12-31T09:00:00+08:00']
  for (const parse of [parseListOrders, parseListRefunds]) {
    for (const until of [early, '2026-12-31T07:59:59+08:00']) {
      const refusal = parse({ from: early, until })
      refusedFor('until', refusal)
      expect(JSON.stringify(refusal)).toContain('应晚于from')
    }
    expect(parse({ from: early, until: late })).toMatchObject({ from: new Date(early), until: new Date(late) })
    for (const field of ['from', 'until'])
      expect(parse({ [field]: 'x' })).toMatchObject({ refused: 'PARAM_ERROR', field })
  }
})
