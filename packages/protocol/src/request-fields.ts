/** The fields of merchants' requests (spec/protocol.md, section 3): how long each may be, and its form. */

/** The rule of one text field. Lengths are in UTF-16 units, as the official Java SDK counts them. */
export type FieldRule = { required: boolean; max: number } & (Form | { pattern?: never; says?: never })

/** The form of a text, and what is said of one that does not have it. */
type Form = { pattern: RegExp; says: string }

const MERCHANT_NUMBER: Form & { max: number } = {
  max: 50,
  pattern: /^[0-9A-Za-z_-]{24,50}$/,
  says: '应为24-50位字母、数字、_或-',
}

/** The number of a notification within its order: that of the order's change that it reports. */
const SEQ: Form & { max: number } = { max: 9, pattern: /^[1-9]\d*$/, says: '应为正整数' }

const PERIOD = { from: { required: false, max: 35 }, until: { required: false, max: 35 } } as const

/** Every field of every request, in one table for the parser, the documentation and the tests. */
export const FIELDS = {
  close: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
  },
  query: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
  },
  place: {
    app_no: { required: true, max: 32 },
    mch_trade_no: { required: true, ...MERCHANT_NUMBER },
    description: { required: true, max: 128 },
    amount_total: { required: true, max: 9 },
    amount_currency: { required: true, max: 3, pattern: /^CNY$/, says: '只支持CNY' },
    time_expire: { required: false, max: 35 },
    extra: { required: false, max: 256 },
    notify_url: { required: false, max: 256 },
  },
  refund: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
    mch_refund_no: { required: true, ...MERCHANT_NUMBER },
    refund_amount: { required: true, max: 9 },
    refund_reason: { required: true, max: 32 },
    notify_url: { required: false, max: 256 },
  },
  queryRefund: {
    refund_no: { required: false, max: 50 },
    mch_refund_no: { required: false, max: 50 },
  },
  bill: {
    bill_date: { required: true, max: 10 },
  },
  orders: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
    app_no: { required: false, max: 32 },
    state: {
      required: false,
      max: 7,
      pattern: /^(NOTPAY|CLOSING|CLOSED|SUCCESS|REFUND)$/,
      says: '应为NOTPAY、CLOSING、CLOSED、SUCCESS或REFUND',
    },
    ...PERIOD,
    before: { required: false, max: 38, pattern: /^AP\d{36}$/, says: '应为上一页的next' },
  },
  refunds: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
    refund_no: { required: false, max: 50 },
    mch_refund_no: { required: false, max: 50 },
    state: {
      required: false,
      max: 10,
      pattern: /^(PROCESSING|SUCCESS|FAIL)$/,
      says: '应为PROCESSING、SUCCESS或FAIL',
    },
    ...PERIOD,
    before: { required: false, max: 38, pattern: /^AR\d{36}$/, says: '应为上一页的next' },
  },
  notifications: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
    state: {
      required: false,
      max: 9,
      pattern: /^(PENDING|DELIVERED|DEAD)$/,
      says: '应为PENDING、DELIVERED或DEAD',
    },
    before: { required: false, max: 63, pattern: /^\d{1,14}\.AP\d{36}\.\d{1,9}$/, says: '应为上一页的next' },
  },
  notificationTries: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
    seq: { required: true, ...SEQ },
  },
  resend: {
    transaction_no: { required: false, max: 50 },
    mch_trade_no: { required: false, max: 50 },
    seq: { required: false, ...SEQ },
    state: { required: false, max: 4, pattern: /^DEAD$/, says: '只能为DEAD' },
    ...PERIOD,
  },
  calls: {
    call: { required: false, max: 40, pattern: /^(GET|POST) [a-z/]+$/, says: '应如POST close' },
    status: { required: false, max: 4, pattern: /^\d{3,4}$/, says: '应为状态码,如1002' },
    number: { required: false, max: 50 },
    from: { required: false, max: 35 },
    before: { required: false, max: 51, pattern: /^\d{1,14}\.[0-9a-f-]{36}$/, says: '应为上一页的next' },
  },
} as const satisfies Record<string, Record<string, FieldRule>>
