import { describe, expect, it } from 'vitest'
import { chosenAt, momentOf, PRESETS, presetOf, rangeOf, shownAt, typedAt } from './times.ts'

const at = (iso: string): number => Date.parse(iso)

describe('a preset', () => {
  it('is the days of UTC+8, over the ends of months and years and in leap years', () => {
    const rows: [now: string, ...ranges: string[]][] = [
      // From 16:00 UTC on it is the next day.
      [
        '2026-03-01T15:59:59Z',
        ...[
          '2026-03-01 2026-03-01',
          '2026-02-28 2026-02-28',
          '2026-02-23 2026-03-01',
          '2026-03-01 2026-03-01',
          '2026-02-01 2026-02-28',
        ],
      ],
      [
        '2025-12-31T16:00:00Z',
        ...[
          '2026-01-01 2026-01-01',
          '2025-12-31 2025-12-31',
          '2025-12-26 2026-01-01',
          '2026-01-01 2026-01-01',
          '2025-12-01 2025-12-31',
        ],
      ],
      [
        '2028-03-15T00:00:00Z',
        ...[
          '2028-03-15 2028-03-15',
          '2028-03-14 2028-03-14',
          '2028-03-09 2028-03-15',
          '2028-03-01 2028-03-15',
          '2028-02-01 2028-02-29',
        ],
      ],
    ]
    for (const [now, ...ranges] of rows) {
      expect(
        PRESETS.map((preset) => Object.values(rangeOf(preset, at(now))).join(' ')),
        now,
      ).toEqual(ranges)
    }
  })

  it('is recognised in the address, and a range of one’s own is none', () => {
    const now = at('2026-03-15T00:00:00Z')
    for (const preset of PRESETS) expect(presetOf(rangeOf(preset, now), now)).toBe(preset)
    expect(presetOf({ from: '2026-03-15' }, now)).toBe('')
    expect(presetOf({}, now)).toBe('')
  })
})

describe('a range of time', () => {
  it('takes in whole days of UTC+8, and whole seconds at its end', () => {
    expect([momentOf('2026-03-01', 'from'), momentOf('2026-03-01', 'until')]).toEqual([
      '2026-02-28T16:00:00.000Z',
      '2026-03-01T16:00:00.000Z',
    ])
    expect([momentOf('2026-03-01 12:30:00', 'from'), momentOf('2026-03-01 12:30:00', 'until')]).toEqual([
      '2026-03-01T04:30:00.000Z',
      '2026-03-01T04:30:01.000Z',
    ])
  })

  it('is what was typed, with or without seconds and time', () => {
    expect(['2026-03-01', ' 2026-03-01 12:30 ', '2026-03-01 00:00', ''].map((text) => typedAt(text, 'until'))).toEqual([
      ...['2026-03-01', '2026-03-01 12:30:00', '2026-03-01', ''],
    ])
    expect(typedAt('2026-3', 'from')).toBe('2026-3')
  })

  it('leaves what is no time as it is, for the server to refuse', () => {
    expect(momentOf('yesterday', 'from')).toBe('yesterday')
    expect(momentOf('2026-13-01', 'until')).toBe('2026-13-01')
  })

  it('is shown with its time, and kept as a day where it is whole days', () => {
    expect([shownAt('2026-03-01', 'from'), shownAt('2026-03-01', 'until'), shownAt('', 'from')]).toEqual([
      ...['2026-03-01 00:00:00', '2026-03-01 23:59:59', ''],
    ])
    expect([chosenAt('2026-03-01 00:00:00', 'from'), chosenAt('2026-03-01 23:59:59', 'from')]).toEqual([
      ...['2026-03-01', '2026-03-01 23:59:59'],
    ])
    expect([chosenAt('2026-03-01 00:00:00', 'until'), chosenAt('2026-03-01 23:59:59', 'until')]).toEqual([
      ...['2026-03-01', '2026-03-01'],
    ])
    expect(chosenAt('2026-03-01 12:30:00', 'until')).toBe('2026-03-01 12:30:00')
  })
})
