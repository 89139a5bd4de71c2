/** What the timeline says of each event: every field by hand, because what is left out of an entry is lost for good. */
import { fen } from '@acopay/core'
import { expect, it } from 'vitest'
import type { Event } from './events.ts'
import { detailOf, entryText } from './timeline-entry.ts'

const AT = new Date('2026-03-01T04:00:00.000Z')
const payment = { paymentNo: '4200001', amountFen: fen(1250n), currency: 'CNY', paidAt: AT, payer: 'o7' }
const said = [
  { at: 'then', attemptNo: 'A1', channel: 'wechat', verb: 'close', says: 'closed', requestId: 'r1' },
] as const

it.each<[Event, Record<string, unknown>]>([
  [
    {
      event: 'pay_started',
      attempt: { attemptNo: 'A1', channel: 'wechat', method: 'native', openId: 'o7', createInFlightUntil: AT },
    },
    { attemptNo: 'A1', channel: 'wechat', method: 'native' },
  ],
  [{ event: 'close_asked', by: 'MERCHANT' }, { by: 'MERCHANT' }],
  [{ event: 'expired' }, {}],
  [
    { event: 'all_shut', attemptNos: ['A1', 'A2'], said: [...said] },
    { attemptNos: ['A1', 'A2'], said: [...said] },
  ],
  [
    {
      event: 'refund_asked',
      aloneUpToFen: null,
      refund: {
        refundNo: 'R1',
        mchRefundNo: 'M1',
        amountFen: fen(250n),
        reason: 'why',
        notifyUrl: null,
        inFlightUntil: AT,
      },
    },
    { refundNo: 'R1', mchRefundNo: 'M1', amountFen: '250' },
  ],
  [{ event: 'refund_done', refundNo: 'R1' }, { refundNo: 'R1' }],
  [
    { event: 'refund_done', refundNo: 'R1', isCorrection: true },
    { refundNo: 'R1', isCorrection: true },
  ],
  [
    { event: 'refund_failed', refundNo: 'R1', failure: 'NOT_ENOUGH', inFlightUntil: AT },
    { refundNo: 'R1', failure: 'NOT_ENOUGH' },
  ],
  [
    { event: 'money_arrived', attemptNo: 'A1', payment, isReturned: false },
    { attemptNo: 'A1', paymentNo: '4200001', amountFen: '1250', currency: 'CNY', paidAt: '2026-03-01T04:00:00.000Z' },
  ],
  [
    { event: 'money_arrived', attemptNo: 'A1', payment, isReturned: true },
    {
      attemptNo: 'A1',
      paymentNo: '4200001',
      amountFen: '1250',
      currency: 'CNY',
      paidAt: '2026-03-01T04:00:00.000Z',
      isReturned: true,
    },
  ],
])('event %#', (event, fields) => {
  expect(detailOf(event)).toEqual(fields)
})

it('an entry is one line of JSON: when, what, from where to where, why closed, what became of the money, and the fields', () => {
  const step = { event: 'close_asked', from: 'NOTPAY', to: 'CLOSED', closeReason: 'MERCHANT', money: null } as const
  expect(entryText(step as never, { by: 'MERCHANT' }, AT)).toBe(
    '{"at":"2026-03-01T04:00:00.000Z","event":"close_asked","from":"NOTPAY","to":"CLOSED","closeReason":"MERCHANT","money":null,"by":"MERCHANT"}',
  )
})
