import { describe, expect, it } from 'vitest'
import type { JsonObject } from './canonical.ts'
import { FIELD_ERRORS_MAX, isRefusal, type Refusal } from './errors.ts'
import {
  FIELDS,
  parseCloseOrder,
  parseListNotifications,
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
  notifications: parseListNotifications,
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
const longest = (field: string, max: number): string => {
  if (field === 'notify_url') return `https://a.example/${'x'.repeat(max - 18)}`
  if (field === 'bill_date') return '2026-01-31'
  if (field === 'state') return max === 4 ? 'DEAD' : 'DELIVERED'
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

  describe.each(rows)('$verb $field', ({ verb, field, isRequired, max }) => {
    it(`takes ${max} characters and not one more`, () => {
      const text = longest(field, max)
      expect(text).toHaveLength(max)
      expect(isRefusal(parse(verb, { [field]: text }))).toBe(false)
      expect(refusedFor(field, parse(verb, { [field]: `${text}x` }))).toContain(`${max}`)
      expect(refusedFor(field, parse(verb, { [field]: 'x'.repeat(1 << 20) }))).toContain(`${max}`)
    })

    it(isRequired ? 'is refused when it is missing, null or empty' : 'may be missing, null or empty', () => {
      for (const value of [undefined, null, '']) {
        const parsed = parse(verb, { [field]: value as string | null })
        if (isRequired) refusedFor(field, parsed)
        else expect(isRefusal(parsed)).toBe(false)
      }
    })

    it.each([
      [1, '数字'],
      [0, '数字'],
      [true, '布尔'],
      [false, '布尔'],
      [{}, '对象'],
      [[], '对象'],
      [['x'], '对象'],
    ])('refuses %j and says what it is instead of a text', (value, kind) => {
      expect(refusedFor(field, parse(verb, { [field]: value }))).toContain(kind)
    })

    it.each(['\0', 'a\0b', '\ud83d', 'a\ude00b', '\ude00\ud83d'])('refuses %j, which cannot be stored', (broken) => {
      if (broken.length <= max) refusedFor(field, parse(verb, { [field]: broken }))
    })
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

  it('lets fields it does not know pass', () => {
    expect(parseRef({ transaction_no: 'AP1', version: '1.0', whatever: { deep: [1] } })).toEqual({
      transactionNo: 'AP1',
    })
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
