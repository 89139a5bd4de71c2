import { describe, expect, it } from 'vitest'
import {
  decide,
  ORDER_EVENTS,
  ORDER_STATES,
  ORDER_TABLE,
  type OrderInput,
  type OrderSnapshot,
  stateAt,
} from './order.ts'

const NOW = 1_000_000
const order = (state: OrderSnapshot['state'], attempts: number, expiresAtMs = NOW + 1): OrderSnapshot => ({
  state,
  closeReason: state === 'CLOSING' || state === 'CLOSED' ? 'OPERATOR' : null,
  attempts,
  expiresAtMs,
})
const happening = (event: (typeof ORDER_EVENTS)[number]): OrderInput =>
  event === 'close_asked' ? { event, by: 'MERCHANT' } : event === 'money_arrived' ? { event, isExact: true } : { event }

/** A second, hand-written copy of the whole table, so that a reviewer sees every cell that changes. `=`: no step. */
const EXPECTED = `
                    pay_started     close_asked       expired          all_shut         money_arrived            money_returned  refund_asked     refund_done      refund_failed
NOTPAY   untouched  NOTPAY          CLOSED:MERCHANT   CLOSED:EXPIRED   =                SUCCESS+keep             =               !ORDER_NOT_PAID  !ORDER_NOT_PAID  !ORDER_NOT_PAID
NOTPAY   tried      NOTPAY          CLOSING:MERCHANT  CLOSING:EXPIRED  =                SUCCESS+keep             =               !ORDER_NOT_PAID  !ORDER_NOT_PAID  !ORDER_NOT_PAID
CLOSING  tried      !ORDER_CLOSING  =                 =                CLOSED:OPERATOR  SUCCESS+keep             =               !ORDER_NOT_PAID  !ORDER_NOT_PAID  !ORDER_NOT_PAID
CLOSED   untouched  !ORDER_CLOSED   =                 =                =                CLOSED:OPERATOR+reverse  =               !ORDER_NOT_PAID  !ORDER_NOT_PAID  !ORDER_NOT_PAID
CLOSED   tried      !ORDER_CLOSED   =                 =                =                CLOSED:OPERATOR+reverse  =               !ORDER_NOT_PAID  !ORDER_NOT_PAID  !ORDER_NOT_PAID
SUCCESS  tried      !ORDER_PAID     !ORDER_PAID       =                =                SUCCESS+reverse          REFUND          SUCCESS          REFUND           SUCCESS
REFUND   tried      !ORDER_PAID     !ORDER_PAID       =                =                REFUND+reverse           =               REFUND           REFUND           REFUND
`

function outcomeOf(current: OrderSnapshot, event: (typeof ORDER_EVENTS)[number]): string {
  // `expired` comes at the order's expiry; all other events come just before it.
  const { refused, steps } = decide(current, happening(event), event === 'expired' ? current.expiresAtMs : NOW)
  if (refused !== null) return `!${refused}`
  const step = steps.at(-1)
  if (step === undefined) return '='
  const reason = step.closeReason === null ? '' : `:${step.closeReason}`
  const money = step.money === null ? '' : `+${step.money}`
  return `${step.to}${reason}${money}`
}

describe('the table', () => {
  const [header = '', ...rows] = EXPECTED.trim().split('\n')
  const events = header.trim().split(/\s+/) as (typeof ORDER_EVENTS)[number][]
  const cells = rows.flatMap((row) => {
    const [state = '', tried, ...outcomes] = row.trim().split(/\s+/)
    return events.map((event, index) => ({ state, tried, event, outcome: outcomes[index] }))
  })

  it('has every event in the hand-written copy, and every state', () => {
    expect(events).toEqual([...ORDER_EVENTS])
    expect(new Set(cells.map(({ state }) => state))).toEqual(new Set(ORDER_STATES))
  })

  it.each(cells)('$state ($tried): $event gives $outcome', ({ state, tried, event, outcome }) => {
    expect(outcomeOf(order(state as OrderSnapshot['state'], tried === 'tried' ? 1 : 0), event)).toBe(outcome)
  })
})

describe('over all cells', () => {
  it('a payment is never refused, and kept only by an order that was not closed or paid before', () => {
    for (const state of ORDER_STATES) {
      const { steps, refused } = decide(order(state, 1), { event: 'money_arrived', isExact: true }, NOW)
      expect(refused).toBeNull()
      expect(steps.at(-1)?.money).toBe(state === 'NOTPAY' || state === 'CLOSING' ? 'keep' : 'reverse')
    }
  })

  it('a payment of a wrong amount is never kept and changes no state', () => {
    for (const state of ORDER_STATES) {
      const { steps } = decide(order(state, 1), { event: 'money_arrived', isExact: false }, NOW)
      expect(steps).toMatchObject([{ from: state, to: state, money: 'reverse' }])
    }
  })

  it('nothing leads out of CLOSED', () => {
    for (const event of ORDER_EVENTS) {
      const cell = ORDER_TABLE.CLOSED[event]
      expect('no' in cell || cell.to === 'CLOSED').toBe(true)
    }
  })
})

describe('the words of the table', () => {
  it('are the states of the specification, and what can happen to an order', () => {
    expect(ORDER_STATES).toEqual(['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'])
    expect([...ORDER_EVENTS].sort().join(' ')).toBe(
      'all_shut close_asked expired money_arrived money_returned pay_started refund_asked refund_done refund_failed',
    )
  })
})

describe('a step', () => {
  it('names its event and where it came from, and keeps the reason of an order that is being closed', () => {
    const { steps } = decide(order('CLOSING', 1), { event: 'all_shut' }, NOW)
    expect(steps).toEqual([{ event: 'all_shut', from: 'CLOSING', to: 'CLOSED', closeReason: 'OPERATOR', money: null }])
    const late = decide(order('CLOSED', 1), { event: 'money_arrived', isExact: false }, NOW)
    expect(late.steps).toEqual([
      { event: 'money_arrived', from: 'CLOSED', to: 'CLOSED', closeReason: 'OPERATOR', money: 'reverse' },
    ])
  })

  it('says who closed the order', () => {
    for (const by of ['MERCHANT', 'OPERATOR'] as const) {
      expect(decide(order('NOTPAY', 0), { event: 'close_asked', by }, NOW).steps).toEqual([
        { event: 'close_asked', from: 'NOTPAY', to: 'CLOSED', closeReason: by, money: null },
      ])
    }
  })

  it('has no reason once the order is paid', () => {
    const { steps } = decide(order('CLOSING', 1), { event: 'money_arrived', isExact: true }, NOW)
    expect(steps).toEqual([
      { event: 'money_arrived', from: 'CLOSING', to: 'SUCCESS', closeReason: null, money: 'keep' },
    ])
  })
})

describe('expiry', () => {
  it('is a step of its own, with its own reason', () => {
    const step = { event: 'expired', from: 'NOTPAY', closeReason: 'EXPIRED', money: null }
    const untouched = decide(order('NOTPAY', 0, NOW), { event: 'expired' }, NOW)
    expect(untouched).toEqual({ refused: null, steps: [{ ...step, to: 'CLOSED' }] })
    const tried = decide(order('NOTPAY', 1, NOW), { event: 'close_asked', by: 'MERCHANT' }, NOW)
    expect(tried).toEqual({ refused: null, steps: [{ ...step, to: 'CLOSING' }] })
  })

  it('changes only an order that waits for its payment', () => {
    for (const state of ['CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'] as const) {
      expect(decide(order(state, 1, NOW), { event: 'expired' }, NOW + 1)).toEqual({ refused: null, steps: [] })
      expect(stateAt(order(state, 1, NOW), NOW + 1)).toMatchObject({ state })
    }
  })

  it('counts from its moment on, also before a job has written it', () => {
    expect(stateAt(order('NOTPAY', 0, NOW), NOW)).toMatchObject({ state: 'CLOSED', closeReason: 'EXPIRED' })
    expect(stateAt(order('NOTPAY', 1, NOW), NOW)).toMatchObject({ state: 'CLOSING', closeReason: 'EXPIRED' })
    expect(stateAt(order('NOTPAY', 0, NOW), NOW - 1)).toMatchObject({ state: 'NOTPAY', closeReason: null })
    expect(stateAt(order('SUCCESS', 1, NOW), NOW)).toMatchObject({ state: 'SUCCESS' })
  })

  it('comes before any other event: a close then finds the order expired, a payer finds it closed', () => {
    const close = decide(order('NOTPAY', 0, NOW), { event: 'close_asked', by: 'MERCHANT' }, NOW)
    expect(close).toMatchObject({ refused: null, steps: [{ to: 'CLOSED', closeReason: 'EXPIRED' }] })
    const pay = decide(order('NOTPAY', 0, NOW), { event: 'pay_started' }, NOW)
    expect(pay).toMatchObject({ refused: 'ORDER_CLOSED', steps: [{ to: 'CLOSED' }] })
  })

  it('an order that is still being closed keeps a payment that arrives after the expiry: its close was never confirmed', () => {
    const { steps } = decide(order('NOTPAY', 1, NOW), { event: 'money_arrived', isExact: true }, NOW)
    expect(steps.map(({ to }) => to)).toEqual(['CLOSING', 'SUCCESS'])
  })

  it('does nothing when it comes early', () => {
    expect(decide(order('NOTPAY', 0, NOW), { event: 'expired' }, NOW - 1)).toEqual({ refused: null, steps: [] })
  })
})
