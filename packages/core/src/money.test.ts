import { describe, expect, it } from 'vitest'
import { fen, formatYuan, parseYuan } from './money.ts'

describe('parseYuan', () => {
  it.each([
    ['12.50', 1250n],
    ['0.01', 1n],
    ['0.10', 10n],
    ['999999.99', 99_999_999n],
    ['4.35', 435n],
  ])('reads %s exactly', (text, amount) => {
    expect(parseYuan(text)).toBe(amount)
    expect(formatYuan(fen(amount))).toBe(text)
  })

  it.each([
    '12.5',
    '1e2',
    '+1',
    '+1.00',
    '-1.00',
    '０.01',
    ' 1.00',
    '1.00 ',
    '1.00\n',
    '1000000.00',
    '0.00',
    '00.01',
    '01.00',
    '.50',
    '1.',
    '1',
    '',
    '1,000.00',
    '1.000',
    '٠.٠١',
    'NaN',
    '0x1.00',
    '1_0.00',
  ])('refuses %j', (text) => {
    expect(parseYuan(text)).toBeNull()
  })

  it('reads back every amount that it wrote', () => {
    for (const amount of [1n, 9n, 10n, 99n, 100n, 101n, 12_345n, 99_999_999n]) {
      expect(parseYuan(formatYuan(fen(amount)))).toBe(amount)
    }
  })
})

it('an amount that no order can have throws, because it is a bug', () => {
  for (const amount of [0n, -1n, 100_000_000n]) expect(() => fen(amount)).toThrow(RangeError)
})
