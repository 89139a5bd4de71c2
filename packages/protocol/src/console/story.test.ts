import { describe, expect, it } from 'vitest'
import type { AttemptRow, PaymentRow, RefundRow, ReversalRow, TimelineRow } from './orders.ts'
import { storyOf, type Told, whySentBack } from './story.ts'
import { gapBetween, timeIn } from './story-words.ts'

/** A moment of 1 March in China, by its clock. */
const t = (clock: string): string => new Date(`2026-03-01T${clock}+08:00`).toISOString()

const step = (clock: string, event: string, from: Told['state'] | null, to: Told['state']): TimelineRow => ({
  ...{ seq: 1, at: t(clock), event, from, to, detail: {}, hash: '' },
})
const PLACED = step('12:00:00', 'placed', null, 'NOTPAY')

const attempt = (more: Partial<AttemptRow> = {}): AttemptRow => ({
  ...{ attempt_no: 'AT1', channel: 'wechat', method: 'native', state: 'OPEN', upstream_expire: t('12:30:00') },
  ...{ created_at: t('12:01:00'), changed_at: t('12:01:00'), watched_until: null },
  ...{ last_answer: null, last_answer_at: null, ...more },
})
const payment = (more: Partial<PaymentRow> = {}): PaymentRow => ({
  ...{ attempt_no: 'AT1', payment_no: 'UP1', channel: 'wechat', amount: '12.50', currency: 'CNY' },
  ...{ paid_at: t('12:03:07'), booked_at: t('12:03:08'), fate: 'keep', ...more },
})
const reversal = (more: Partial<ReversalRow> = {}): ReversalRow => ({
  ...{ mch_no: 'M', transaction_no: 'AP1', refund_no: 'AR1', attempt_no: 'AT1', payment_no: 'UP1', channel: 'wechat' },
  ...{ amount: '12.50', state: 'SUCCESS', by_upstream: false, created_at: t('12:03:08'), changed_at: t('12:03:09') },
  ...{ is_stuck: false, last_answer: null, last_answer_at: null, ...more },
})
const refund = (more: Partial<RefundRow> = {}): RefundRow => ({
  ...{
    mch_no: 'M',
    transaction_no: 'AP1',
    refund_no: 'RF1',
    mch_refund_no: 'r1',
    attempt_no: 'AT1',
    channel: 'wechat',
  },
  ...{ amount: '5.00', reason: '少发一件', state: 'SUCCESS', failure: null, created_at: t('13:00:00') },
  ...{ success_time: t('13:00:02'), is_stuck: false, last_answer: null, last_answer_at: null, ...more },
})

const order = (more: Partial<Told> = {}): Told => ({
  ...{ state: 'NOTPAY', close_reason: null, amount_total: '12.50', created_at: t('12:00:00') },
  ...{ time_expire: t('12:30:00'), timeline: [PLACED], attempts: [], payments: [], refunds: [], reversals: [] },
  ...more,
})

const ASKED = step('12:02:20', 'close_asked', 'NOTPAY', 'CLOSING')
const CLOSED = order({
  ...{ state: 'CLOSED', close_reason: 'MERCHANT', attempts: [attempt({ state: 'SHUT' })] },
  timeline: [PLACED, ASKED, step('12:02:27', 'all_shut', 'CLOSING', 'CLOSED')],
})
const SUCCESS = order({ state: 'SUCCESS', attempts: [attempt({ state: 'PAID' })], payments: [payment()] })
const REVERSE = payment({ fate: 'reverse' })

const CLOSED_ZH = '商户 12:02:20 关单；12:02:27 起 1 个支付尝试都已不能付款'
const CLOSED_EN = 'the merchant closed the order at 12:02:20; from 12:02:27 on, 1 attempt could no longer be paid'
const PAID_ZH = '付款人 12:03:07 用微信支付付款，在下单后 3 分 7 秒'
const PAID_EN = 'the payer paid with WeChat Pay at 12:03:07, 3 minutes 7 seconds after the order was placed'

/** A situation of the table of states, and what the page says of it: Chinese and English by turns. */
const SITUATIONS: [name: string, of: Told, ...sentences: string[]][] = [
  [
    'nobody has opened a payment',
    order(),
    '还没有人打开支付；12:30:00 前未付款则关闭',
    'nobody has opened a payment yet; unpaid, it closes at 12:30:00',
  ],
  [
    'a payment is open',
    order({ attempts: [attempt(), attempt({ channel: 'alipay', created_at: t('12:02:00') })] }),
    '付款人 12:02:00 打开了支付宝，尚未付款；12:30:00 前未付款则关闭',
    'the payer opened Alipay at 12:02:00 and has not paid; unpaid, it closes at 12:30:00',
  ],
  [
    'closing, until the upstreams confirm',
    order({
      ...{ state: 'CLOSING', close_reason: 'OPERATOR', timeline: [PLACED, ASKED] },
      attempts: [attempt(), attempt({ state: 'SHUT' }), attempt({ state: 'OPENING' })],
    }),
    '运营 12:02:20 关单；正在向上游确认 2 个支付尝试已不能付款，确认之前若已付款，订单算已支付',
    'an operator closed the order at 12:02:20; the upstreams are being asked to confirm that 2 attempts can no longer be paid; if one was paid before that, the order is paid',
  ],
  [
    'expired, and never opened',
    order({
      ...{ state: 'CLOSED', close_reason: 'EXPIRED' },
      timeline: [PLACED, step('12:30:00', 'expired', 'NOTPAY', 'CLOSED')],
    }),
    '订单 12:30:00 过期；从未打开过支付',
    'the order expired at 12:30:00; no payment was ever opened',
  ],
  ['closed, and never paid', CLOSED, CLOSED_ZH, CLOSED_EN],
  [
    'paid after the close, and sent back',
    { ...CLOSED, payments: [REVERSE], reversals: [reversal()] },
    ...[CLOSED_ZH, CLOSED_EN],
    '付款人 12:03:07 付款，比关单晚 40 秒',
    'the payer paid at 12:03:07, 40 seconds after the close',
    '12:03:09 已退回，用了 1 秒',
    'it was sent back at 12:03:09, which took 1 second',
  ],
  [
    'paid in the second of the close, which the upstream tells without its fraction',
    {
      ...CLOSED,
      timeline: [PLACED, ASKED, step('12:03:07.900', 'all_shut', 'CLOSING', 'CLOSED')],
      payments: [REVERSE],
      reversals: [reversal()],
    },
    '商户 12:02:20 关单；12:03:07 起 1 个支付尝试都已不能付款',
    'the merchant closed the order at 12:02:20; from 12:03:07 on, 1 attempt could no longer be paid',
    '付款人 12:03:07 付款，比关单晚 不到 1 秒',
    'the payer paid at 12:03:07, less than a second after the close',
    '12:03:09 已退回，用了 1 秒',
    'it was sent back at 12:03:09, which took 1 second',
  ],
  [
    'paid after the close, and on its way back',
    { ...CLOSED, payments: [REVERSE], reversals: [reversal({ state: 'PROCESSING' })] },
    ...[CLOSED_ZH, CLOSED_EN],
    '付款人 12:03:07 付款，比关单晚 40 秒',
    'the payer paid at 12:03:07, 40 seconds after the close',
    '12:03:08 起正在退回',
    'it has been on its way back since 12:03:08',
  ],
  [
    'paid after the close, and stuck on its way back',
    { ...CLOSED, payments: [REVERSE], reversals: [reversal({ state: 'PROCESSING', is_stuck: true })] },
    ...[CLOSED_ZH, CLOSED_EN],
    '付款人 12:03:07 付款，比关单晚 40 秒',
    'the payer paid at 12:03:07, 40 seconds after the close',
    '12:03:08 起退回，至今未成，需要处理',
    'it has been on its way back since 12:03:08 and is stuck: see to it',
  ],
  [
    'an upstream tells of a payment before the close that it had denied',
    {
      ...CLOSED,
      payments: [{ ...REVERSE, paid_at: t('12:02:20'), booked_at: t('12:05:00') }],
      reversals: [reversal()],
    },
    ...[CLOSED_ZH, CLOSED_EN],
    '上游 12:05:00 才告知：付款人 12:02:20 付款，比关单早 7 秒；上游关单时说没有付款，所以关单有效',
    'only at 12:05:00 did the upstream tell that the payer had paid at 12:02:20, 7 seconds before the close; it had confirmed that nothing was paid, so the close stands',
    '12:03:09 已退回，用了 1 秒',
    'it was sent back at 12:03:09, which took 1 second',
  ],
  [
    'paid after the close, and returned by the upstream itself',
    { ...CLOSED, payments: [REVERSE], reversals: [reversal({ by_upstream: true, changed_at: t('12:03:08') })] },
    ...[CLOSED_ZH, CLOSED_EN],
    ...['12:03:07 收到付款 ¥12.50', '¥12.50 was paid at 12:03:07'],
    '12:03:08 得知款项已在网关之外退回付款人',
    'at 12:03:08 it was found to be back with the payer, returned outside this gateway',
  ],
  ['paid', SUCCESS, PAID_ZH, PAID_EN],
  [
    'paid while it was being closed',
    { ...SUCCESS, timeline: [PLACED, ASKED, step('12:02:30', 'money_arrived', 'CLOSING', 'SUCCESS')] },
    `${PAID_ZH}；12:02:20 要求关单时，上游已收款，所以订单是已支付而不是已关闭`,
    `${PAID_EN}; when the close was asked for at 12:02:20 an upstream had taken the money, so the order is paid and not closed`,
  ],
  [
    'paid twice',
    {
      ...SUCCESS,
      payments: [payment(), payment({ fate: 'reverse', payment_no: 'UP2', paid_at: t('12:04:00') })],
      reversals: [reversal({ payment_no: 'UP2', changed_at: t('12:04:08') })],
    },
    ...[PAID_ZH, PAID_EN],
    '12:04:00 同一订单收到第二笔付款 ¥12.50，订单只保留一笔',
    'a second payment of ¥12.50 for the same order was made at 12:04:00; an order keeps only one',
    '12:04:08 已退回，用了 1 分',
    'it was sent back at 12:04:08, which took 1 minute',
  ],
  [
    'paid with a wrong amount while it could still be paid',
    order({
      ...{ attempts: [attempt({ state: 'PAID' })], reversals: [reversal({ amount: '12.00' })] },
      payments: [payment({ fate: 'reverse', amount: '12.00' })],
    }),
    '付款人 12:01:00 打开了微信支付，尚未付款；12:30:00 前未付款则关闭',
    'the payer opened WeChat Pay at 12:01:00 and has not paid; unpaid, it closes at 12:30:00',
    '12:03:07 收到 12.00 CNY，与订单金额 ¥12.50 不符，不予保留',
    "12.00 CNY was paid at 12:03:07, which is not the order's ¥12.50, so it is not kept",
    '12:03:09 已退回，用了 1 秒',
    'it was sent back at 12:03:09, which took 1 second',
  ],
  [
    'paid, and returned outside of the gateway',
    {
      ...{ ...SUCCESS, state: 'REFUND' },
      reversals: [reversal({ by_upstream: true, created_at: t('14:00:00'), changed_at: t('14:00:00') })],
    },
    ...[PAID_ZH, PAID_EN],
    '14:00:00 得知款项已在网关之外退回付款人',
    'at 14:00:00 it was found to be back with the payer, returned outside this gateway',
  ],
  [
    'paid and refunded',
    {
      ...{ ...SUCCESS, state: 'REFUND' },
      refunds: [
        refund(),
        refund({ state: 'PROCESSING', success_time: null }),
        refund({ state: 'FAIL', failure: '余额不足', success_time: null }),
      ],
    },
    ...[PAID_ZH, PAID_EN],
    ...['13:00:02 退款 ¥5.00（少发一件）', '¥5.00 was refunded at 13:00:02 (少发一件)'],
    ...['13:00:00 起退款 ¥5.00，处理中', 'a refund of ¥5.00 has been under way since 13:00:00'],
    ...['13:00:00 的退款 ¥5.00 失败：余额不足', 'the refund of ¥5.00 of 13:00:00 failed: 余额不足'],
  ],
]

const ONCE = order({ state: 'CLOSED', close_reason: 'MERCHANT' })
const AT_ONCE = step('12:05:00', 'close_asked', 'NOTPAY', 'CLOSED')

describe('the story of an order', () => {
  it('begins the close where the order left NOTPAY, also where it was closed at once', () => {
    const zh = storyOf({ ...ONCE, timeline: [PLACED, AT_ONCE] })[0]?.zh
    expect(zh).toBe('商户 12:05:00 关单；从未打开过支付')
  })

  it('counts only the attempts that may still be paid', () => {
    const attempts = [attempt(), ...['SHUT', 'SHUT', 'PAID'].map((state) => attempt({ state } as Partial<AttemptRow>))]
    const told = storyOf(order({ state: 'CLOSING', close_reason: 'OPERATOR', timeline: [PLACED, ASKED], attempts }))
    expect(told[0]?.en).toContain('that 1 attempt can no longer be paid')
  })

  it('takes the expiry for the close of which the timeline says nothing', () => {
    expect(storyOf({ ...ONCE, timeline: [PLACED] })[0]?.zh).toBe('商户 12:30:00 关单；从未打开过支付')
    expect(storyOf({ ...ONCE, close_reason: null, timeline: [PLACED] })[0]?.en).toBe(
      'the order expired at 12:30:00; no payment was ever opened',
    )
    const opened = { ...ONCE, attempts: [attempt()], timeline: [PLACED] }
    expect(storyOf(opened)[0]?.zh).toBe('商户 12:30:00 关单；12:30:00 起 1 个支付尝试都已不能付款')
  })

  it('of several payments tells when the kept one was made, and says less where none is known', () => {
    const other = payment({ fate: 'reverse', paid_at: t('12:02:00'), payment_no: 'UP0' })
    expect(storyOf({ ...SUCCESS, payments: [other, payment()] })[0]?.zh).toBe(PAID_ZH)
    expect(storyOf({ ...SUCCESS, payments: [] })).toEqual([{ zh: '订单已支付', en: 'the order is paid' }])
  })

  it('tells of each payment of an attempt with its own way back', () => {
    const two = [REVERSE, payment({ fate: 'reverse', payment_no: 'UP2', paid_at: t('12:04:00') })]
    const back = [
      reversal({ payment_no: 'UP2', refund_no: 'AR2', changed_at: t('12:04:09') }),
      reversal({ attempt_no: 'AT9', refund_no: 'AR9', changed_at: t('12:59:00') }),
      reversal(),
    ]
    const told = storyOf({ ...CLOSED, payments: two, reversals: back }).map(({ zh }) => zh)
    expect(told).toHaveLength(5)
    expect([told[2], told[4]]).toEqual([
      expect.stringMatching(/^12:03:09 已退回/),
      expect.stringMatching(/^12:04:09 已退回/),
    ])
  })

  it('calls a payment returned outside where it came back with its own news, or was kept before', () => {
    const known = { by_upstream: true, created_at: t('14:00:00'), changed_at: t('14:00:00') }
    const came = (more: Partial<ReversalRow>) =>
      storyOf({ ...CLOSED, payments: [REVERSE], reversals: [reversal({ ...known, ...more })] })[1]?.en
    expect(came({})).toBe('¥12.50 was paid at 12:03:07')
    expect(came({ changed_at: t('14:00:01') })).toBe('the payer paid at 12:03:07, 40 seconds after the close')
    expect(came({ by_upstream: false })).toBe('the payer paid at 12:03:07, 40 seconds after the close')
    const kept = { ...SUCCESS, reversals: [reversal({ created_at: t('14:00:00'), changed_at: t('14:00:05') })] }
    expect(storyOf(kept)).toHaveLength(2)
  })

  it('says no reason of a refund that failed without one', () => {
    const failed = refund({ state: 'FAIL', failure: null, success_time: null })
    expect(storyOf({ ...SUCCESS, refunds: [failed] })[1]?.en).toBe('the refund of ¥5.00 of 13:00:00 failed: ')
  })

  it.each(SITUATIONS)('is told: %s', (_name, of, ...sentences) => {
    expect(storyOf(of).flatMap(({ zh, en }) => [zh, en])).toEqual(sentences)
  })

  it('names the day where it is not the day on which the order was placed', () => {
    expect(timeIn('2026-03-01T16:00:01Z', t('12:00:00'))).toBe('03-02 00:00:01')
    expect(timeIn('2026-12-31T16:00:01Z', t('12:00:00'))).toBe('2027-01-01 00:00:01')
    expect(timeIn('2026-02-28T16:00:00Z', t('12:00:00'))).toBe('00:00:00')
    expect(timeIn('2026-03-01T04:00:00.999Z', t('12:00:00'))).toBe('12:00:00')
  })

  it('says a span by its two largest units', () => {
    const spans = [0.9, 1, 60, 61, 3600, 3661, 3605, 86_400, 90_061].map((s) => {
      const gap = gapBetween(t('00:00:00'), new Date(Date.parse(t('00:00:00')) + s * 1000).toISOString())
      return `${gap.zh} = ${gap.en}`
    })
    expect(spans).toEqual([
      '不到 1 秒 = less than a second',
      '1 秒 = 1 second',
      '1 分 = 1 minute',
      '1 分 1 秒 = 1 minute 1 second',
      '1 小时 = 1 hour',
      '1 小时 1 分 = 1 hour 1 minute',
      '1 小时 = 1 hour',
      '1 天 = 1 day',
      '1 天 1 小时 = 1 day 1 hour',
    ])
  })
})

it('a payment went back because it was late, second, of another amount or currency, or returned outside', () => {
  const facts = { order_closed: true, order_amount: '1.00', amount: '1.00', currency: 'CNY' }
  const here = { ...facts, was_kept: false, came_returned: false }
  expect(whySentBack(here)).toBe('late')
  expect(whySentBack({ ...here, order_closed: false })).toBe('second')
  expect(whySentBack({ ...here, amount: '1.01' })).toBe('wrong_amount')
  expect(whySentBack({ ...here, currency: 'USD' })).toBe('wrong_amount')
  expect(whySentBack({ ...here, was_kept: true })).toBe('returned_outside')
  expect(whySentBack({ ...here, came_returned: true })).toBe('returned_outside')
})
