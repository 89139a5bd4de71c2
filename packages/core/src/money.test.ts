import { describe, expect, it } from 'vitest'
import { AMOUNT_FEN_MAX, AMOUNT_FEN_MIN, fen, formatYuan, parseYuan } from './money.ts'

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

it('an amount that no order can have throws, because it is a bug, and says which', () => {
  for (const amount of [0n, -1n, 100_000_000n]) expect(() => fen(amount)).toThrow(new RegExp(`^${amount} fen`))
  for (const amount of [1n, 99_999_999n]) expect(fen(amount)).toBe(amount)
  expect(() => fen(0n)).toThrow(RangeError)
})

it('a sum is written also where no order can have it: nothing, less than nothing, and more than any order', () => {
  const sums: [bigint, string][] = [
    [0n, '0.00'],
    [-1n, '-0.01'],
    [-100n, '-1.00'],
    [-1250n, '-12.50'],
    [123_456_789_012n, '1234567890.12'],
  ]
  expect(sums.map(([amount]) => formatYuan(amount))).toEqual(sums.map(([, text]) => text))
})

it('an order is for 0.01 to 999999.99 yuan', () => {
  expect([AMOUNT_FEN_MIN, AMOUNT_FEN_MAX]).toEqual([1n, 99_999_999n])
})
