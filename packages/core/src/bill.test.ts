import { expect, it } from 'vitest'
import { billRange, isBillComplete, nextBillMs, plannedBillDays, upstreamBillDays } from './bill.ts'
import { dayBounds, dayOf } from './time.ts'

const at = (text: string): number => Date.parse(`${text}+08:00`)

it('a day is the day in China', () => {
  expect(dayOf(at('2026-03-01T00:00:00.000'))).toBe('2026-03-01')
  expect(dayOf(at('2026-02-28T23:59:59.999'))).toBe('2026-02-28')
})

it('a day begins and ends at midnight in China, on 29 February and at the year too', () => {
  expect(dayBounds('2026-03-01')).toEqual({
    fromMs: Date.parse('2026-02-28T16:00:00Z'),
    untilMs: Date.parse('2026-03-01T16:00:00Z'),
  })
  expect(dayBounds('2028-02-29').untilMs).toBe(Date.parse('2028-02-29T16:00:00Z'))
  expect(dayBounds('2026-12-31').untilMs).toBe(Date.parse('2026-12-31T16:00:00Z'))
  expect(dayOf(Date.parse('2026-12-31T15:59:59.999Z'))).toBe('2026-12-31')
  expect(dayOf(Date.parse('2026-12-31T16:00:00Z'))).toBe('2027-01-01')
})

it("an upstream's bill is fetched from 10:00 of the next day on, for a week", () => {
  expect(upstreamBillDays(at('2026-01-01T09:59:59.999'))[0]).toBe('2025-12-30')
  expect(upstreamBillDays(at('2026-01-01T10:00:00'))).toEqual([
    '2025-12-31',
    '2025-12-30',
    '2025-12-29',
    '2025-12-28',
    '2025-12-27',
    '2025-12-26',
    '2025-12-25',
  ])
})

it('a bill is complete a minute after 09:00 of the next day, and planned from then on, for a week', () => {
  expect(isBillComplete('2026-02-28', at('2026-03-01T09:00:59.999'))).toBe(false)
  expect(isBillComplete('2026-02-28', at('2026-03-01T09:01:00.000'))).toBe(true)
  expect(plannedBillDays(at('2026-03-01T09:00:59.999'))[0]).toBe('2026-02-27')
  const planned = plannedBillDays(at('2026-03-01T09:01:00.000'))
  expect([planned[0], planned.at(-1), planned.length]).toEqual(['2026-02-28', '2026-02-22', 7])
})

it.each([
  ['2026-03-01T00:00:00', '2025-12-01', '2026-02-28'],
  ['2026-05-31T12:00:00', '2026-02-28', '2026-05-30'],
  ['2028-05-31T12:00:00', '2028-02-29', '2028-05-30'],
  ['2026-01-01T00:00:00', '2025-10-01', '2025-12-31'],
  ['2026-12-31T23:59:59', '2026-09-30', '2026-12-30'],
])('at %s a merchant may request the bills of %s to %s', (now, first, last) => {
  expect(billRange(at(now))).toEqual({ first, last })
})

it('the next moment for bills is 09:01 or 10:00 of this day, else 09:01 of the next one', () => {
  const next = (time: string): string => new Date(nextBillMs(at(time)) + 8 * 3_600_000).toISOString().slice(0, 19)
  expect(next('2026-03-01T00:00:00')).toBe('2026-03-01T09:01:00')
  expect(next('2026-03-01T09:00:59.999')).toBe('2026-03-01T09:01:00')
  expect(next('2026-03-01T09:01:00')).toBe('2026-03-01T10:00:00')
  expect(next('2026-03-01T10:00:00')).toBe('2026-03-02T09:01:00')
  expect(next('2026-12-31T23:59:59.999')).toBe('2027-01-01T09:01:00')
})
