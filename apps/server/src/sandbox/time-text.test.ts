import { describe, expect, it } from 'vitest'
import { readMoment } from './time-text.ts'

const NOW = new Date('2026-03-01T04:00:00.000Z')
const DAY = 86_400_000

const clock = (aheadMs = 0) => ({ now: () => NOW, aheadMs: () => aheadMs })
/** How far after now, or the refusal. */
const later = (text: unknown, aheadMs = 0): number | string => {
  const read = readMoment(text, clock(aheadMs))
  return typeof read === 'number' ? read - NOW.getTime() : read.en
}

describe('a moment for the clock of the sandbox', () => {
  it('is a step: days, hours, minutes and seconds, in this order, each at most once', () => {
    expect(later('+1d')).toBe(DAY)
    expect(later('+2h30m')).toBe(9_000_000)
    expect(later('+1d2h3m4s')).toBe(DAY + 7_384_000)
    expect(later(' +15s ')).toBe(15_000)
    for (const wrong of [
      '+',
      '1d',
      '+1',
      '+1w',
      '+1h1d',
      '+1d1d',
      '+1.5h',
      '+-1h',
      '+999999d',
      'now',
      '',
      7,
      null,
      ['+1d'],
    ])
      expect([wrong, later(wrong)]).toEqual([wrong, expect.stringContaining('to should be')])
  })

  it('is a time, in UTC+8 unless it says otherwise', () => {
    expect(later('2026-03-01T12:01')).toBe(60_000)
    expect(later('2026-03-01 12:00:01')).toBe(1000)
    expect(later('2026-03-01T04:01Z')).toBe(60_000)
    expect(later('2026-03-01T05:01+01:00')).toBe(60_000)
    for (const wrong of [
      '2026-03-01',
      '2026-02-30T12:00',
      '2026-03-02T25:00',
      '2026-3-2T12:00',
      '2026-03-02T12:00 CST',
    ])
      expect([wrong, later(wrong)]).toEqual([wrong, expect.stringContaining('to should be')])
  })

  it('is tomorrow, when the bills of today are there', () => {
    expect(later('tomorrow')).toBe(Date.parse('2026-03-02T10:30:00+08:00') - NOW.getTime())
  })

  it('is never back nor now: the refusal says what time it is and how to come back', () => {
    for (const past of ['2026-03-01T12:00', '2026-02-28T12:00', '+0d']) {
      expect([past, later(past)]).toEqual([past, expect.stringMatching(/2026-03-01T12:00:00\+08:00.*fresh sandbox/)])
    }
  })

  it('moves at most 366 days at a time, and 3660 days in all', () => {
    expect(later('+366d')).toBe(366 * DAY)
    expect(later('+366d1s')).toContain('366 days')
    expect(later('+1d', 3659 * DAY)).toBe(DAY)
    expect(later('+1d1s', 3659 * DAY)).toContain('3660 days')
  })
})
