/**
 * THE TABLE of what one order may show to its merchant: answers to close, codes of queries, notifications, lines of the
 * bill. It is written from the text of the specification, not from the gateway's code. rules.ts compares a record with
 * it, and `npm run docs` writes docs/order-states.md and its Chinese twin from it.
 */
import type { Column } from './record.ts'

export const CLOSED = '关单成功'
export const EXPIRED = '订单已过期'
export const PAID = '订单已支付'
export const CLOSING = '关单处理中'

/** The words allowed in a column; an empty list allows none, and a column that is not listed allows all. */
export type Cells = Partial<Record<Column, readonly string[]>>

/** Without this cause the word is a violation. */
export const CAUSES = {
  own_refund: {
    zh: '此前商户已申请退款，或付款在网关之外退回',
    en: 'the merchant has asked for a refund, or the payment was returned outside the gateway',
  },
  outside: { zh: '付款在网关之外退回', en: 'the payment was returned outside the gateway' },
  this_refund: { zh: '商户申请过此退款', en: 'the merchant has asked for this refund' },
} as const
export type Cause = keyof typeof CAUSES

export type Story = {
  rule: string
  /** The rule applies once the merchant has received any of these. */
  begins: readonly (readonly [Column, string])[]
  /** `refund`: the rule compares facts of the same refund only. */
  of: 'order' | 'refund'
  /** Holds for calls that the merchant began after it knew. */
  after: Cells
  /** Holds for the whole life of the order, before and after. */
  ever: Cells
  needs?: Cause
  spec: string
  zh: string
  en: string
  /** Which test or seed shows it, beside the unit test with the rule's name. */
  shownBy?: { zh: string; en: string }
}

const ALL_STATES = ['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'] as const
const REFUSED_REFUND = ['1001', '1008', '1012', '1013', '1014', '1015', '1017'] as const
const NEVER_PAID: Cells = {
  query: ['NOTPAY', 'CLOSING', 'CLOSED'],
  told_payment: [],
  refund: REFUSED_REFUND,
  told_refund: [],
  bill: ['PAYMENT RETURNED', 'REVERSAL'],
}
const KEPT: Cells = {
  close: [PAID, CLOSING],
  query: ['NOTPAY', 'CLOSING', 'SUCCESS', 'REFUND'],
  told_payment: ['SUCCESS', 'REFUND'],
}
const SHOWN_BY_F19 = {
  zh: '在改为“不用撤销的关单”之前的提交上运行 `npm run races -- --seed 1 --f19`',
  en: '`npm run races -- --seed 1 --f19` on the commit before close without cancel',
}
const AFTER_PAID: Cells = { close: [PAID], query: ['SUCCESS', 'REFUND'], open: ['refused'] }

export const STORIES: readonly Story[] = [
  {
    rule: 'closed',
    begins: [['close', CLOSED]],
    of: 'order',
    after: { close: [CLOSED], query: ['CLOSED'], open: ['refused'] },
    ever: { ...NEVER_PAID, close: [CLOSED, CLOSING] },
    spec: 'order-lifecycle.md, Promises 1; I3',
    zh: '关单成功后：再次关单仍为关单成功，查单只有CLOSED，永无支付通知，不接受退款；对账单里最多是付款及其退回',
    en: 'After 关单成功 another close answers 关单成功 again and a query answers CLOSED. The gateway never sends a payment notification and accepts no refund. The bill contains at most a payment and its reversal.',
  },
  {
    rule: 'expired',
    begins: [['close', EXPIRED]],
    of: 'order',
    after: { close: [EXPIRED], query: ['CLOSED'], open: ['refused'] },
    ever: { ...NEVER_PAID, close: [EXPIRED, CLOSING] },
    spec: 'protocol.md 3.1; order-lifecycle.md, States',
    zh: '订单已过期与关单成功同样不可更改',
    en: '订单已过期 is as final as 关单成功.',
  },
  {
    rule: 'close-refused-paid',
    begins: [['close', PAID]],
    of: 'order',
    after: AFTER_PAID,
    ever: KEPT,
    spec: 'protocol.md 3.1; I10',
    zh: '订单已支付之后：再次关单仍为订单已支付，查单只有SUCCESS，或因商户自己的退款（或网关之外的退回）变为REFUND',
    en: 'After 订单已支付 another close answers 订单已支付 again. A query answers SUCCESS, or REFUND after a refund by the merchant or a return outside the gateway.',
  },
  {
    rule: 'close-under-way',
    begins: [
      ['close', CLOSING],
      ['query', 'CLOSING'],
    ],
    of: 'order',
    after: { query: ['CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'], open: ['refused'] },
    ever: {},
    spec: 'order-lifecycle.md, Closing 1',
    zh: '关单处理中（或查单为CLOSING）之后：不再有NOTPAY，不能发起新的支付',
    en: 'After 关单处理中, or a query that answers CLOSING, no query answers NOTPAY and no payment can be started.',
  },
  {
    rule: 'query-closed',
    begins: [['query', 'CLOSED']],
    of: 'order',
    after: { close: [CLOSED, EXPIRED], query: ['CLOSED'], open: ['refused'] },
    ever: { ...NEVER_PAID, close: [CLOSED, EXPIRED, CLOSING] },
    spec: 'order-lifecycle.md, States',
    zh: '查单为CLOSED之后与关单成功之后相同',
    en: 'A query that answers CLOSED is as final as 关单成功 or 订单已过期.',
  },
  {
    rule: 'query-paid',
    begins: [['query', 'SUCCESS']],
    of: 'order',
    after: AFTER_PAID,
    ever: KEPT,
    spec: 'order-lifecycle.md, States',
    zh: '查单为SUCCESS之后与订单已支付之后相同',
    en: 'A query that answers SUCCESS is as final as 订单已支付.',
  },
  {
    rule: 'told-paid',
    begins: [['told_payment', 'SUCCESS']],
    of: 'order',
    after: AFTER_PAID,
    ever: KEPT,
    spec: 'protocol.md 3.7; order-lifecycle.md, Promises 1',
    zh: '收到支付通知SUCCESS之后：永不CLOSED，永无关单成功',
    en: 'After a payment notification SUCCESS no query answers CLOSED, and no close answers 关单成功.',
  },
  {
    rule: 'told-returned',
    begins: [['told_payment', 'REFUND']],
    of: 'order',
    after: { close: [PAID], query: ['REFUND'], open: ['refused'] },
    ever: KEPT,
    needs: 'outside',
    spec: 'I10',
    zh: '支付通知REFUND只在付款于网关之外退回时才有，网关自己从不退回保留的付款',
    en: 'The gateway sends a payment notification REFUND only when the payment was returned outside. It never reverses a kept payment itself.',
    shownBy: SHOWN_BY_F19,
  },
  {
    rule: 'query-refunded',
    begins: [['query', 'REFUND']],
    of: 'order',
    after: { close: [PAID], query: ['REFUND'], open: ['refused'] },
    ever: KEPT,
    needs: 'own_refund',
    spec: 'protocol.md 3.3; I10',
    zh: '查单为REFUND须有商户自己的退款，或网关之外的退回；此后一直为REFUND',
    en: 'A query answers REFUND only after a refund by the merchant or a return outside the gateway, and then always.',
    shownBy: SHOWN_BY_F19,
  },
  {
    rule: 'refund-accepted',
    begins: [
      ['refund', 'PROCESSING'],
      ['refund', 'SUCCESS'],
      ['refund', 'FAIL'],
    ],
    of: 'refund',
    after: {
      refund: ['PROCESSING', 'SUCCESS', 'FAIL', '1012'],
      query_refund: ['PROCESSING', 'SUCCESS', 'FAIL'],
      query: ['SUCCESS', 'REFUND'],
    },
    ever: { query: ['NOTPAY', 'CLOSING', 'SUCCESS', 'REFUND'], close: [PAID, CLOSING] },
    spec: 'protocol.md 3.4',
    zh: '退款一经受理：订单已付款；同号同内容再问答案相同，同号不同内容为1012',
    en: 'An accepted refund means that the order is paid. A repeated request with the same number and contents returns the same refund; with other contents it is refused with 1012.',
  },
  {
    rule: 'refund-done',
    begins: [
      ['refund', 'SUCCESS'],
      ['query_refund', 'SUCCESS'],
      ['told_refund', 'SUCCESS'],
    ],
    of: 'refund',
    after: { refund: ['SUCCESS', '1012'], query_refund: ['SUCCESS'], query: ['REFUND'] },
    ever: { told_refund: ['SUCCESS'] },
    needs: 'this_refund',
    spec: 'protocol.md 3.4, 3.5; I9',
    zh: '退款SUCCESS之后不再改变，订单为REFUND，永无该退款的FAIL通知',
    en: 'A refund that is SUCCESS stays SUCCESS, its order is REFUND, and the gateway never sends a FAIL notification for it.',
  },
  {
    rule: 'refund-failed',
    begins: [
      ['refund', 'FAIL'],
      ['query_refund', 'FAIL'],
      ['told_refund', 'FAIL'],
    ],
    of: 'refund',
    after: { refund: ['FAIL', '1012'], query_refund: ['FAIL'] },
    ever: { told_refund: ['FAIL'] },
    needs: 'this_refund',
    spec: 'protocol.md 3.4, 3.5; I9',
    zh: '退款FAIL之后不再改变，永无该退款的SUCCESS通知',
    en: 'A refund that is FAIL stays FAIL, and the gateway never sends a SUCCESS notification for it.',
  },
  {
    rule: 'answered',
    begins: ALL_STATES.map((state) => ['query', state] as const),
    of: 'order',
    after: {},
    ever: { trouble: [] },
    spec: 'protocol.md 1, rules 1, 5 and 8',
    zh: '每次调用都在10秒内得到签名正确的应答（进程被杀时除外）',
    en: 'Every call gets an answer with a valid signature within 10 s, unless a process was killed.',
  },
]

/** What holds at rest: when no job, refund or notification is under way. */
export const REST_RULES = {
  final: {
    spec: 'I8',
    zh: '订单为CLOSED、SUCCESS或REFUND，没有退款为PROCESSING',
    en: 'The order is CLOSED, SUCCESS or REFUND, and no refund is PROCESSING.',
  },
  'nothing-kept': {
    spec: 'I2',
    zh: 'CLOSED：上游收到的付款全部退回',
    en: 'CLOSED: the upstreams have returned every payment.',
  },
  'kept-once': {
    spec: 'I1',
    zh: 'SUCCESS、REFUND：恰好保留一笔，金额等于订单金额，其余全部退回',
    en: 'SUCCESS, REFUND: exactly one payment of the order’s amount is kept, and the upstreams have returned all others.',
  },
  'returned-as-told': {
    spec: 'I9, I10',
    zh: '保留的付款里退回的，恰好是商户的、以SUCCESS结束的退款之和',
    en: 'What went back of the kept payment is the sum of the merchant’s refunds that ended in SUCCESS.',
  },
  told: {
    spec: 'I5',
    zh: '须通知商户的变化都已通知',
    en: 'The merchant received a notification of each change that requires one.',
  },
  'told-alike': {
    spec: 'protocol.md 3.7',
    zh: '同一通知再次送达时内容相同',
    en: 'A repeated notification has the same contents.',
  },
  billed: {
    spec: 'protocol.md 3.6; docs/bills.md',
    zh: '当日对账单与应答、通知一致',
    en: 'The day’s bill agrees with the answers and notifications.',
  },
  reconciled: {
    spec: 'I6',
    zh: '上游账单与账目只因网关之外的退回而不同',
    en: 'The upstream’s bill and the books differ only by payments returned outside.',
  },
} as const
export type RestRule = keyof typeof REST_RULES
