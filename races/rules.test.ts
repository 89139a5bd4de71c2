/** For each rule a record that is legal and one that is not: the violation carries the rule's name. */
import { describe, expect, it } from 'vitest'
import { planOf } from './plan.ts'
import type { Column, Fact, OrderRecord, Rest } from './record.ts'
import { restViolations, storyViolations } from './rules.ts'
import { REST_RULES, type RestRule, STORIES } from './stories.ts'

/** The answers of a close, by spec/protocol.md 3.1. */
const CLOSED = '关单成功'
const EXPIRED = '订单已过期'
const PAID = '订单已支付'
const CLOSING = '关单处理中'

/** `column word`, one after the other; `@` and the same number: at the same time. */
type Said = readonly [column: Column, word: string, more?: Partial<Fact>]

const FEN = 1250
const RF = { refund: 'rf-1', fen: 500 }

function record(said: readonly Said[]): OrderRecord {
  const facts = said.map(([column, word, more], index) => ({
    column,
    word,
    sentMs: index * 10,
    knownMs: word === '' ? null : index * 10 + 5,
    ...more,
  }))
  const attempts = ['AT1', 'AT2'].map((no) => ({ no, channel: 'alipay', method: 'native' }))
  return { plan: { ...planOf(1, 1), amountFen: FEN }, transactionNo: 'AP1', mchTradeNo: 'mch-1', attempts, facts }
}

const rulesBroken = (said: readonly Said[]): string[] => storyViolations(record(said)).map(({ rule }) => rule)

const STORY_CASES: Record<string, { legal: Said[][]; illegal: Said[][] }> = {
  closed: {
    legal: [
      [
        ['query', 'NOTPAY'],
        ['close', CLOSED],
        ['close', CLOSED],
        ['query', 'CLOSED'],
        ['refund', '1008', RF],
      ],
      [
        ['close', CLOSED],
        ['bill', 'PAYMENT RETURNED'],
        ['bill', 'REVERSAL'],
      ],
      // Two at once: the other one may have been answered before.
      [
        ['close', CLOSED, { sentMs: 0, knownMs: 90 }],
        ['close', CLOSING, { sentMs: 1, knownMs: 50 }],
      ],
    ],
    illegal: [
      [
        ['close', CLOSED],
        ['query', 'SUCCESS'],
      ],
      [
        ['close', CLOSED],
        ['query', 'CLOSING'],
      ],
      [
        ['told_payment', 'SUCCESS'],
        ['close', CLOSED],
      ],
      [
        ['close', CLOSED],
        ['told_payment', 'SUCCESS'],
      ],
      [
        ['close', CLOSED],
        ['close', EXPIRED],
      ],
      [
        ['close', CLOSED],
        ['refund', 'PROCESSING', RF],
      ],
      [
        ['close', CLOSED],
        ['open', 'opened'],
      ],
      [
        ['close', CLOSED],
        ['bill', 'PAYMENT SUCCESS'],
      ],
    ],
  },
  expired: {
    legal: [
      [
        ['close', CLOSING],
        ['close', EXPIRED],
        ['query', 'CLOSED'],
        ['close', EXPIRED],
      ],
    ],
    illegal: [
      [
        ['close', EXPIRED],
        ['close', CLOSED],
      ],
      [
        ['close', EXPIRED],
        ['query', 'SUCCESS'],
      ],
      [
        ['close', EXPIRED],
        ['told_payment', 'SUCCESS'],
      ],
    ],
  },
  'close-refused-paid': {
    legal: [
      [
        ['close', PAID],
        ['query', 'SUCCESS'],
        ['told_payment', 'SUCCESS'],
      ],
      [
        ['close', PAID],
        ['refund', 'SUCCESS', RF],
        ['query', 'REFUND'],
      ],
    ],
    illegal: [
      [
        ['close', PAID],
        ['query', 'CLOSED'],
      ],
      [
        ['close', PAID],
        ['query', 'CLOSING'],
      ],
      [
        ['close', PAID],
        ['close', CLOSING],
      ],
      [
        ['close', PAID],
        ['open', 'opened'],
      ],
    ],
  },
  'close-under-way': {
    legal: [
      [
        ['close', CLOSING],
        ['query', 'CLOSING'],
        ['query', 'SUCCESS'],
      ],
      [
        ['query', 'CLOSING'],
        ['open', 'refused'],
        ['query', 'CLOSED'],
      ],
    ],
    illegal: [
      [
        ['close', CLOSING],
        ['query', 'NOTPAY'],
      ],
      [
        ['query', 'CLOSING'],
        ['query', 'NOTPAY'],
      ],
      [
        ['query', 'CLOSING'],
        ['open', 'opened'],
      ],
    ],
  },
  'query-closed': {
    legal: [
      [
        ['query', 'CLOSED'],
        ['close', EXPIRED],
      ],
    ],
    illegal: [
      [
        ['query', 'CLOSED'],
        ['query', 'SUCCESS'],
      ],
      [
        ['query', 'SUCCESS'],
        ['query', 'CLOSED'],
      ],
      [
        ['query', 'CLOSED'],
        ['close', CLOSING],
      ],
      [
        ['told_payment', 'SUCCESS'],
        ['query', 'CLOSED'],
      ],
    ],
  },
  'query-paid': {
    legal: [
      [
        ['query', 'NOTPAY'],
        ['query', 'SUCCESS'],
        ['close', PAID],
      ],
    ],
    illegal: [
      [
        ['query', 'SUCCESS'],
        ['query', 'NOTPAY'],
      ],
      [
        ['query', 'SUCCESS'],
        ['close', CLOSED],
      ],
    ],
  },
  'told-paid': {
    legal: [
      [
        ['close', CLOSING],
        ['told_payment', 'SUCCESS'],
        ['close', PAID],
      ],
    ],
    illegal: [
      [
        ['told_payment', 'SUCCESS'],
        ['query', 'NOTPAY'],
      ],
      [
        ['told_payment', 'SUCCESS'],
        ['query', 'CLOSED'],
      ],
      [
        ['told_payment', 'SUCCESS'],
        ['close', CLOSING],
      ],
    ],
  },
  'told-returned': {
    legal: [
      [
        ['told_payment', 'SUCCESS'],
        ['outside', 'returned'],
        ['told_payment', 'REFUND'],
        ['query', 'REFUND'],
      ],
    ],
    // F19: the close itself sent back what the merchant had been told is kept.
    illegal: [
      [
        ['close', PAID],
        ['told_payment', 'SUCCESS'],
        ['told_payment', 'REFUND'],
      ],
    ],
  },
  'query-refunded': {
    legal: [
      [
        ['refund', 'SUCCESS', RF],
        ['query', 'REFUND'],
        ['close', PAID],
      ],
      // A call that was not answered may have been carried out.
      [
        ['refund', '', RF],
        ['query', 'REFUND'],
      ],
    ],
    illegal: [
      [
        ['close', PAID],
        ['query', 'SUCCESS'],
        ['query', 'REFUND'],
      ],
      [
        ['refund', '1008', RF],
        ['query', 'REFUND'],
      ],
      [
        ['refund', 'SUCCESS', RF],
        ['query', 'REFUND'],
        ['query', 'SUCCESS'],
      ],
    ],
  },
  'refund-accepted': {
    legal: [
      [
        ['refund', 'PROCESSING', RF],
        ['refund', 'PROCESSING', RF],
        ['refund', '1012', { ...RF, fen: 499 }],
      ],
      [
        ['refund', 'PROCESSING', RF],
        ['query_refund', 'SUCCESS', RF],
        ['told_refund', 'SUCCESS', RF],
      ],
    ],
    illegal: [
      [
        ['refund', 'PROCESSING', RF],
        ['refund', '1008', RF],
      ],
      [
        ['refund', 'PROCESSING', RF],
        ['refund', 'PROCESSING', { ...RF, fen: 499 }],
      ],
      [
        ['refund', 'PROCESSING', RF],
        ['query', 'NOTPAY'],
      ],
      [
        ['refund', 'PROCESSING', RF],
        ['told_refund', 'SUCCESS', { ...RF, fen: 499 }],
      ],
    ],
  },
  'refund-done': {
    legal: [
      [
        ['refund', 'PROCESSING', RF],
        ['told_refund', 'SUCCESS', RF],
        ['query_refund', 'SUCCESS', RF],
      ],
    ],
    illegal: [
      [
        ['refund', 'PROCESSING', RF],
        ['told_refund', 'SUCCESS', RF],
        ['query_refund', 'PROCESSING', RF],
      ],
      [
        ['refund', 'SUCCESS', RF],
        ['query', 'SUCCESS'],
      ],
      [
        ['refund', 'PROCESSING', RF],
        ['told_refund', 'SUCCESS', RF],
        ['told_refund', 'FAIL', RF],
      ],
      [
        ['refund', '1008', RF],
        ['told_refund', 'SUCCESS', RF],
      ],
    ],
  },
  'refund-failed': {
    legal: [
      [
        ['refund', 'PROCESSING', RF],
        ['told_refund', 'FAIL', RF],
        ['query_refund', 'FAIL', RF],
        ['query', 'SUCCESS'],
      ],
    ],
    illegal: [
      [
        ['refund', 'PROCESSING', RF],
        ['told_refund', 'FAIL', RF],
        ['query_refund', 'SUCCESS', RF],
      ],
      [
        ['refund', '1013', RF],
        ['told_refund', 'FAIL', RF],
      ],
    ],
  },
  answered: {
    legal: [[['query', 'NOTPAY']]],
    illegal: [
      [
        ['trouble', 'POST close: HTTP 500'],
        ['query', 'NOTPAY'],
      ],
    ],
  },
}

describe.each(STORIES)('$rule', ({ rule, en }) => {
  const { legal, illegal } = STORY_CASES[rule] ?? { legal: [], illegal: [] }
  it(`is shown by legal records and by others: ${en}`, () => {
    expect(Math.min(legal.length, illegal.length)).toBeGreaterThan(0)
    for (const said of legal) expect(storyViolations(record(said)), JSON.stringify(said)).toEqual([])
    for (const said of illegal) expect(rulesBroken(said), JSON.stringify(said)).toContain(rule)
  })
})

it('every rule of the table has its records here, and every record a rule', () => {
  expect(Object.keys(STORY_CASES).sort()).toEqual(STORIES.map(({ rule }) => rule).sort())
  expect(Object.keys(REST_CASES).sort()).toEqual(Object.keys(REST_RULES).sort())
})

const money = (...rows: [takenFen: number, returnedFen: number][]): Rest => ({
  money: rows.map(([takenFen, returnedFen], index) => ({ attempt: `AT${index + 1}`, takenFen, returnedFen })),
  isBilled: false,
  differences: [],
})
const billed = (rest: Rest): Rest => ({ ...rest, isBilled: true })
const PAID_STORY: Said[] = [
  ['told_payment', 'SUCCESS'],
  ['query', 'SUCCESS'],
]
const REFUNDED: Said[] = [
  ['refund', 'SUCCESS', RF],
  ['told_payment', 'SUCCESS'],
  ['told_refund', 'SUCCESS', RF],
  ['query', 'REFUND'],
]
const BILLED_PAYMENT: Said = ['bill', 'PAYMENT SUCCESS', { fen: FEN }]

type RestCase = [said: Said[], rest: Rest]

const REST_CASES: Record<RestRule, { legal: RestCase[]; illegal: RestCase[] }> = {
  final: {
    legal: [[[['query', 'CLOSED']], money()]],
    illegal: [
      [[['query', 'CLOSING']], money()],
      [[['query', 'NOTPAY']], money()],
      [[...PAID_STORY, ['refund', 'PROCESSING', RF]], money([FEN, 0])],
    ],
  },
  'nothing-kept': {
    legal: [[[['query', 'CLOSED']], money([FEN, FEN], [FEN, FEN])]],
    illegal: [[[['query', 'CLOSED']], money([FEN, 0])]],
  },
  'kept-once': {
    legal: [
      [PAID_STORY, money([FEN, 0])],
      [PAID_STORY, money([FEN, FEN], [FEN, 0])],
    ],
    illegal: [
      [PAID_STORY, money([FEN, 0], [FEN, 0])],
      [PAID_STORY, money()],
      [PAID_STORY, money([FEN, FEN + 1])],
    ],
  },
  'returned-as-told': {
    legal: [
      [REFUNDED, money([FEN, 500])],
      [[...PAID_STORY, ['outside', 'returned'], ['told_payment', 'REFUND'], ['query', 'REFUND']], money([FEN, FEN])],
    ],
    illegal: [
      [PAID_STORY, money([FEN, FEN])],
      [REFUNDED, money([FEN, 499])],
      [REFUNDED, money([FEN, FEN])],
      [[...PAID_STORY, ['refund', 'FAIL', RF], ['told_refund', 'FAIL', RF]], money([FEN, 500])],
    ],
  },
  told: {
    legal: [[PAID_STORY, money([FEN, 0])]],
    illegal: [
      [[['query', 'SUCCESS']], money([FEN, 0])],
      [
        [
          ['refund', 'SUCCESS', RF],
          ['told_payment', 'SUCCESS'],
          ['query', 'REFUND'],
        ],
        money([FEN, 500]),
      ],
    ],
  },
  'told-alike': {
    legal: [
      [
        [
          ['told_payment', 'SUCCESS', { note: 'a' }],
          ['told_payment', 'SUCCESS', { note: 'a' }],
          ...PAID_STORY.slice(1),
        ],
        money([FEN, 0]),
      ],
    ],
    illegal: [
      [
        [
          ['told_payment', 'SUCCESS', { note: 'a' }],
          ['told_payment', 'SUCCESS', { note: 'b' }],
          ...PAID_STORY.slice(1),
        ],
        money([FEN, 0]),
      ],
    ],
  },
  billed: {
    legal: [
      [[...PAID_STORY, BILLED_PAYMENT], billed(money([FEN, 0]))],
      [[...REFUNDED, BILLED_PAYMENT, ['bill', 'REFUND', RF]], billed(money([FEN, 500]))],
      [
        [
          ['query', 'CLOSED'],
          ['bill', 'PAYMENT RETURNED', { fen: FEN }],
          ['bill', 'REVERSAL', { fen: FEN }],
        ],
        billed(money([FEN, FEN])),
      ],
      // The gateway knew of it only after the bill was made: it is in a later bill.
      [[['query', 'CLOSED']], billed(money([FEN, FEN]))],
    ],
    illegal: [
      [PAID_STORY, billed(money([FEN, 0]))],
      [[...PAID_STORY, BILLED_PAYMENT, BILLED_PAYMENT], billed(money([FEN, 0]))],
      [[...PAID_STORY, ['bill', 'PAYMENT SUCCESS', { fen: 1 }]], billed(money([FEN, 0]))],
      [[...REFUNDED, BILLED_PAYMENT], billed(money([FEN, 500]))],
      [[...PAID_STORY, BILLED_PAYMENT, ['bill', 'REVERSAL', { fen: FEN }]], billed(money([FEN, 0]))],
      [[['query', 'CLOSED'], BILLED_PAYMENT], billed(money([FEN, FEN]))],
    ],
  },
  reconciled: {
    legal: [
      [
        [...PAID_STORY, ['outside', 'returned'], ['told_payment', 'REFUND'], ['query', 'REFUND']],
        { ...money([FEN, FEN]), differences: [{ attempt: 'AT1', kind: 'REFUND_UNKNOWN' }] },
      ],
    ],
    illegal: [[PAID_STORY, { ...money([FEN, 0]), differences: [{ attempt: 'AT1', kind: 'REFUND_UNKNOWN' }] }]],
  },
}

describe.each(Object.entries(REST_CASES))('at rest: %s', (rule, { legal, illegal }) => {
  const broken = ([said, rest]: RestCase): string[] =>
    restViolations(record(said), rest, 10_000).map((found) => found.rule)
  it(`is shown by legal records and by others: ${REST_RULES[rule as RestRule].en}`, () => {
    for (const one of legal) expect(broken(one), JSON.stringify(one)).toEqual([])
    for (const one of illegal) expect(broken(one), JSON.stringify(one)).toContain(rule)
  })
})
