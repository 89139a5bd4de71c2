import { describe, expect, it } from 'vitest'
import { ApiError } from '../../api-error.ts'
import { reloadAfterMs } from './order-polling.ts'
import { refundAsked, refundNoFor } from './refund-numbers.ts'
import { courseOf, PLACES, SIZE, storyOf, wayOf } from './state-layout.ts'

describe('the page of an order', () => {
  const calm = {
    state: 'SUCCESS',
    refunds: [{ state: 'SUCCESS' }, { state: 'FAIL' }],
    reversals: [{ state: 'SUCCESS' }],
    notifications: [{ state: 'DELIVERED' }, { state: 'DEAD' }],
    attempts: [{ state: 'PAID' }, { state: 'SHUT' }],
  } as const

  it('is loaded again every 30 s, and every 2 s while something is under way', () => {
    expect(reloadAfterMs(undefined)).toBe(30_000)
    expect(reloadAfterMs(calm)).toBe(30_000)
    for (const state of ['NOTPAY', 'CLOSED', 'REFUND'] as const) expect(reloadAfterMs({ ...calm, state })).toBe(30_000)
    const busy = [
      { state: 'CLOSING' },
      { refunds: [...calm.refunds, { state: 'PROCESSING' }] },
      { reversals: [{ state: 'PROCESSING' }] },
      { notifications: [...calm.notifications, { state: 'PENDING' }] },
      { attempts: [...calm.attempts, { state: 'OPENING' }] },
      { attempts: [{ state: 'OPEN' }] },
    ] as const
    for (const more of busy) expect(reloadAfterMs({ ...calm, ...more }), JSON.stringify(more)).toBe(2000)
  })
})

describe('the number of a refund', () => {
  it('stays the same until the gateway has answered, so that a lost answer makes no second refund', () => {
    const first = refundNoFor('orders/M/AP1')
    expect(first).toMatch(/^console[0-9a-f]{24}$/)
    expect(refundNoFor('orders/M/AP1')).toBe(first)
    for (const error of [new ApiError(0, null), new ApiError(502, null), new Error('x')])
      refundAsked('orders/M/AP1', error)
    expect(refundNoFor('orders/M/AP1')).toBe(first)
    refundAsked('orders/M/AP2', null)
    expect(refundNoFor('orders/M/AP1')).toBe(first)
    refundAsked('orders/M/AP1', null)
    const second = refundNoFor('orders/M/AP1')
    expect(second).not.toBe(first)
    refundAsked('orders/M/AP1', new ApiError(409, null))
    expect(refundNoFor('orders/M/AP1')).not.toBe(second)
  })

  it('is each order’s own, as the contract wants it: 24 to 50 letters and digits', () => {
    expect(refundNoFor('orders/M/AP3')).not.toBe(refundNoFor('orders/M/AP4'))
    expect(refundNoFor('orders/M/AP3')).toMatch(/^[0-9A-Za-z_-]{24,50}$/)
  })
})

describe('the picture of the states', () => {
  it('has lines from edge to edge, and a curve around the box between', () => {
    expect(wayOf('NOTPAY', 'CLOSING')).toEqual({ path: 'M 133 125 L 271 60', x: 212, y: 112.5, anchor: 'start' })
    expect(wayOf('NOTPAY', 'SUCCESS')).toEqual({ path: 'M 133 125 L 271 200', x: 212, y: 152.5, anchor: 'start' })
    expect(wayOf('CLOSING', 'CLOSED')).toEqual({ path: 'M 393 60 L 561 60', x: 477, y: 52 })
    expect(wayOf('SUCCESS', 'REFUND')).toEqual({ path: 'M 393 200 L 561 200', x: 477, y: 192 })
    expect(wayOf('CLOSING', 'SUCCESS')).toEqual({ path: 'M 335 82 L 335 172', x: 397, y: 131 })
    expect(wayOf('NOTPAY', 'CLOSED')).toEqual({ path: 'M 75 103 C 75 5, 420 0, 595 38', x: 235, y: 46 })
  })

  it('fits into its frame, and no box covers another', () => {
    const boxes = Object.values(PLACES)
    for (const { x, y } of boxes) {
      expect(x - 58).toBeGreaterThanOrEqual(0)
      expect(x + 58).toBeLessThanOrEqual(SIZE.width)
      expect(y - 22).toBeGreaterThanOrEqual(0)
      expect(y + 22).toBeLessThanOrEqual(SIZE.height)
    }
    const apart = boxes.every((a) =>
      boxes.every((b) => a === b || Math.abs(a.x - b.x) >= 116 || Math.abs(a.y - b.y) >= 44),
    )
    expect(apart).toBe(true)
    expect(SIZE).toEqual({ width: 720, height: 250 })
  })

  const timeline = [
    { from: null, to: 'NOTPAY', event: 'placed' },
    { from: 'NOTPAY', to: 'NOTPAY', event: 'pay_started' },
    { from: 'NOTPAY', to: 'CLOSING', event: 'close_asked' },
    { from: 'CLOSING', to: 'CLOSED', event: 'all_shut' },
    { from: 'CLOSED', to: 'CLOSED', event: 'money_arrived' },
  ]

  it('shows the steps that the order took, where it is and where it was', () => {
    const course = courseOf({ state: 'CLOSED', timeline })
    expect(course.steps.map(({ event }) => event)).toEqual(['close_asked', 'all_shut'])
    expect(course.stepOf('CLOSING', 'CLOSED')?.event).toBe('all_shut')
    expect(course.stepOf('NOTPAY', 'CLOSED')).toBeUndefined()
    expect(course.stepOf('NOTPAY', 'NOTPAY')).toBeUndefined()
    expect(['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS'].map(course.lookOf)).toEqual(['been', 'been', 'here', ''])
  })

  it('is said in words for those who do not see it', () => {
    const word = (code: string): string => `<${code}>`
    expect(storyOf(courseOf({ state: 'CLOSED', timeline }), 'CLOSED', word)).toBe(
      '<NOTPAY> (<close_asked>) → <CLOSING> (<all_shut>) → <CLOSED>',
    )
    expect(storyOf(courseOf({ state: 'NOTPAY', timeline: timeline.slice(0, 2) }), 'NOTPAY', word)).toBe('<NOTPAY>')
  })
})
