/** Limits and schedules, held at the last value that is allowed and at the first that is not (spec/protocol.md 3). */
import { describe, expect, it } from 'vitest'
import { EXPIRY_DEFAULT_MS, EXPIRY_MAX_MS, EXPIRY_MIN_MS, expiryOf } from './expiry.ts'
import { JOB_KINDS, retryPauseMs, watchPauseMs } from './jobs.ts'
import { fen } from './money.ts'
import { NOTIFICATION_STATES, NOTIFY_GIVE_UP_MS, NOTIFY_PAUSES_MS, notifyPauseMs } from './notification.ts'
import { CLOSE_REASONS } from './order.ts'
import { REFUND_STATES, REFUND_WINDOW_MS, REFUNDS_MAX, refundRefusal } from './refund.ts'

const NOW = Date.parse('2026-03-01T00:00:00+08:00')

describe('an expiry', () => {
  it('is 2 hours ahead when the merchant gives none', () => {
    expect(expiryOf(null, NOW)).toBe(Date.parse('2026-03-01T02:00:00+08:00'))
    expect(EXPIRY_DEFAULT_MS).toBe(7_200_000)
  })

  it('is 1 minute to 7 days ahead, both included', () => {
    const [first, last] = [Date.parse('2026-03-01T00:01:00+08:00'), Date.parse('2026-03-08T00:00:00+08:00')]
    expect([first - 1, first, last, last + 1].map((asked) => expiryOf(asked, NOW))).toEqual([null, first, last, null])
    expect([NOW, NOW - 60_000, 0].map((asked) => expiryOf(asked, NOW))).toEqual([null, null, null])
    expect([EXPIRY_MIN_MS, EXPIRY_MAX_MS]).toEqual([60_000, 604_800_000])
  })
})

describe('a refund', () => {
  const DAYS_180 = 15_552_000_000
  const PAID = { paidFen: 1000n, paidAtMs: NOW, refundedFen: 0n, refunds: 0 }
  const asked = (more: Partial<typeof PAID>, amount: bigint, nowMs = NOW) =>
    refundRefusal({ ...PAID, ...more }, fen(amount), nowMs)

  it('is possible within 180 days of the payment', () => {
    expect(asked({}, 1n, NOW + DAYS_180)).toBeNull()
    expect(asked({}, 1n, NOW + DAYS_180 + 1)).toBe('REFUND_TIME_EXCEED')
    expect(REFUND_WINDOW_MS).toBe(DAYS_180)
  })

  it('is possible 20 times', () => {
    expect([19, 20, 21].map((refunds) => asked({ refunds }, 1n))).toEqual([
      null,
      'REFUND_TIMES_EXCEED',
      'REFUND_TIMES_EXCEED',
    ])
    expect(REFUNDS_MAX).toBe(20)
  })

  it('is never more than what is left of the payment', () => {
    expect([asked({}, 1000n), asked({}, 1001n)]).toEqual([null, 'REFUND_AMOUNT_EXCEED'])
    expect([asked({ refundedFen: 400n }, 600n), asked({ refundedFen: 400n }, 601n)]).toEqual([
      null,
      'REFUND_AMOUNT_EXCEED',
    ])
    expect(asked({ refundedFen: 1000n }, 1n)).toBe('REFUND_AMOUNT_EXCEED')
  })

  it('is PROCESSING, SUCCESS or FAIL', () => expect(REFUND_STATES).toEqual(['PROCESSING', 'SUCCESS', 'FAIL']))
})

describe('a notification', () => {
  /** spec/protocol.md 3.7, counted from the first. */
  const PAUSES = '15 s, 15 s, 30 s, 3 min, 10 min, 20 min, 30 min, 30 min, 30 min, 60 min, 3 h, 3 h, 3 h, 6 h, 6 h'
  const UNITS: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000 }
  const pauses = PAUSES.split(', ').map((pause) => {
    const [count, unit = ''] = pause.split(' ')
    return Number(count) * (UNITS[unit] ?? Number.NaN)
  })

  it('is sent again after the pauses of the specification, and not after the last', () => {
    expect(Array.from({ length: 17 }, (_, index) => notifyPauseMs(index + 1))).toEqual([...pauses, null, null])
    expect(NOTIFY_PAUSES_MS).toEqual(pauses)
  })

  it('is tried for 24 h 4 min in all, and waits for a host that is down for 48 h', () => {
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBe(24 * 3_600_000 + 4 * 60_000)
    expect(NOTIFY_GIVE_UP_MS).toBe(172_800_000)
  })

  it('is PENDING, DELIVERED or DEAD', () => expect(NOTIFICATION_STATES).toEqual(['PENDING', 'DELIVERED', 'DEAD']))
})

describe('the pauses between tries of a job', () => {
  // The dice shows 0 to 1: three quarters of the pause, the pause, five quarters of it.
  it.each<[string, (tries: number, dice: number) => number, [tries: number, seconds: number][]]>([
    [
      'a job that failed: twice as long each time, from 2 s to 5 min and never longer',
      retryPauseMs,
      [
        [1, 2],
        [2, 4],
        [3, 8],
        [7, 128],
        [8, 256],
        [9, 300],
        [20, 300],
        [100, 300],
        [10_000, 300],
      ],
    ],
    [
      'a closed attempt that is watched: 5 s, 30 s, 1, 5, 15, 30 min, then hourly (decision 8)',
      watchPauseMs,
      [
        [1, 5],
        [2, 30],
        [3, 60],
        [4, 300],
        [5, 900],
        [6, 1800],
        [7, 3600],
        [8, 3600],
        [100, 3600],
      ],
    ],
  ])('%s', (_, pauseMs, expected) => {
    const listed = expected.map(([tries]) => [tries, ...[0, 0.5, 1].map((dice) => pauseMs(tries, dice))])
    expect(listed).toEqual(expected.map(([tries, s]) => [tries, s * 750, s * 1000, s * 1250]))
  })

  it('are whole milliseconds', () => {
    expect(retryPauseMs(1, 0.333_333)).toBe(1833)
    expect(watchPauseMs(1, 0.333_333)).toBe(4583)
  })
})

it('a job is of one of seven kinds, by which it stands in the database', () => {
  const kinds = 'make_bill reconcile_day resolve_attempt reverse_payment send_refund shut_attempts watch_attempt'
  expect([...JOB_KINDS].sort().join(' ')).toBe(kinds)
})

it('an order is closed by its merchant, by an operator or by its expiry', () => {
  expect([...CLOSE_REASONS].sort()).toEqual(['EXPIRED', 'MERCHANT', 'OPERATOR'])
})
