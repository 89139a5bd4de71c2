/** What a field of the console may hold, written by hand: the last value that is allowed and the first that is not. */
import { describe, expect, it } from 'vitest'
import { briefOf, fieldsOf } from './fields.ts'

type Read = ReturnType<typeof fieldsOf>
/** What was read, or `wrong: <field>`. */
function readBy<Value>(from: Record<string, unknown>, reader: (read: Read) => Value): Value | string {
  const read = fieldsOf(from)
  const value = reader(read)
  const wrong = read.failed()
  return wrong === null ? value : `wrong: ${wrong.failure.field}`
}
const WRONG = 'wrong: f'
const one = <Value>(value: unknown, reader: (read: Read) => Value) => readBy({ f: value }, reader)

describe('a field', () => {
  it('that is left out or empty is null, whatever it should hold', () => {
    for (const value of [undefined, null, '']) {
      const all = [
        one(value, (read) => read.text('f')),
        one(value, (read) => read.word('f', ['A'])),
        one(value, (read) => read.time('f')),
        one(value, (read) => read.day('f')),
        one(value, (read) => read.whole('f', 1, 2)),
        one(value, (read) => read.yuan('f')),
        one(value, (read) => read.yes('f')),
      ]
      expect(all).toEqual(all.map(() => null))
      expect(one(value, (read) => read.needed('f'))).toBe(WRONG)
    }
  })

  it.each<[unknown, string]>([
    ['字'.repeat(5), '字'.repeat(5)],
    ['字'.repeat(6), WRONG],
    ['\u001f', WRONG],
    ['\u007f', WRONG],
    ['a\nb', WRONG],
    [' ', ' '],
    [7, WRONG],
    [{}, WRONG],
  ])('of text: %j', (value, read) => {
    expect(one(value, (fields) => fields.text('f', 5))).toBe(read)
    expect(one(value, (fields) => fields.needed('f', 5))).toBe(read)
  })

  it.each<[unknown, string]>([
    ['A', 'A'],
    ['B', 'B'],
    ['a', WRONG],
    ['AB', WRONG],
    [1, WRONG],
  ])('of one of two words: %j', (value, read) => {
    expect(one(value, (fields) => fields.word('f', ['A', 'B']))).toBe(read)
  })

  it.each<[unknown, string]>([
    ['2026-03-01', '2026-03-01'],
    ['2024-02-29', '2024-02-29'],
    ['1970-01-01', '1970-01-01'],
    ['9999-12-31', '9999-12-31'],
    ['2026-02-29', WRONG],
    ['2026-13-01', WRONG],
    ['1969-12-31', WRONG],
    ['2026-03-01T00:00:00Z', WRONG],
    ['12026-03-01', WRONG],
    ['2026-3-1', WRONG],
    [20260301, WRONG],
  ])('of a day: %j', (value, read) => {
    expect(one(value, (fields) => fields.day('f'))).toBe(read)
  })

  it.each<[unknown, string]>([
    ['2026-03-01T08:00+08:00', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T00:00:00.123456789Z', '2026-03-01T00:00:00.123Z'],
    ['2026-03-01T00:00:00.1234567890Z', WRONG],
    ['2026-03-01T00:00:00', WRONG],
    ['2026-03-01', WRONG],
    ['x2026-03-01T00:00:00Z', WRONG],
    ['2026-03-01T00:00:00Zx', WRONG],
    ['2026-02-29T00:00:00Z', WRONG],
    ['1970-01-01T00:00:00+00:01', WRONG],
    ['9999-12-31T15:59:59Z', '9999-12-31T15:59:59.000Z'],
    ['9999-12-31T16:00:00Z', WRONG],
    [1, WRONG],
  ])('of a moment: %j', (value, read) => {
    const found = one(value, (fields) => fields.time('f'))
    expect(found instanceof Date ? found.toISOString() : found).toBe(read)
  })

  it.each<[unknown, number | string]>([
    [1, 1],
    ['1', 1],
    [100, 100],
    ['100', 100],
    [0, WRONG],
    [101, WRONG],
    [1.5, WRONG],
    ['1.5', WRONG],
    ['1e1', WRONG],
    [' 1', WRONG],
    ['0000000001', WRONG],
    [true, WRONG],
  ])('of a whole number from 1 to 100: %j', (value, read) => {
    expect(one(value, (fields) => fields.whole('f', 1, 100))).toBe(read)
  })

  it.each<[unknown, bigint | string]>([
    ['12.50', 1250n],
    ['0.01', 1n],
    ['12.5', WRONG],
    ['-1.00', WRONG],
    [12.5, WRONG],
  ])('of an amount in yuan: %j', (value, read) => {
    expect(one(value, (fields) => fields.yuan('f'))).toBe(read)
  })

  it.each<[unknown, boolean | string]>([
    [true, true],
    [false, false],
    ['true', WRONG],
    [0, WRONG],
  ])('of yes or no: %j', (value, read) => {
    expect(one(value, (fields) => fields.yes('f'))).toBe(read)
  })
})

describe('a range', () => {
  it.each<[unknown, unknown, unknown]>([
    ['100', '100.00', { amountMin: 10_000n, amountMax: 10_000n }],
    [0, 12.5, { amountMin: 0n, amountMax: 1250n }],
    ['', '0.1', { amountMin: null, amountMax: 10n }],
    ['999999999.99', '', { amountMin: 99_999_999_999n, amountMax: null }],
    ['100.01', '100', 'wrong: amount_max'],
    ['1000000000', '', 'wrong: amount_min'],
    ['1.', '', 'wrong: amount_min'],
    ['', '1.234', 'wrong: amount_max'],
    ['', '-1', 'wrong: amount_max'],
    [{}, '', 'wrong: amount_min'],
  ])('of amounts from %j to %j', (amount_min, amount_max, read) => {
    expect(readBy({ amount_min, amount_max }, (fields) => fields.amounts())).toEqual(read)
  })

  it('of times may end where it begins, and not before', () => {
    const [early, late] = ['2026-03-01T00:00:00Z', '2026-03-01T00:00:01Z']
    const read = (from: string, until: string) => readBy({ from, until }, (fields) => fields.times())
    expect(read(early, late)).toEqual({ from: new Date(early), until: new Date(late) })
    expect(read(early, early)).toEqual({ from: new Date(early), until: new Date(early) })
    expect(read(late, early)).toBe('wrong: until')
    expect(read('', early)).toEqual({ from: null, until: new Date(early) })
  })
})

describe('a call', () => {
  it('reads 50 rows where it does not say how many, and 100 at most; more of a caller inside', () => {
    const read = (limit: unknown, most?: number) => readBy({ limit }, (fields) => fields.limit(most))
    expect([read(''), read(1), read('100'), read(101), read(0), read(101, 500)]).toEqual([
      ...[50, 1, 100, 'wrong: limit', 'wrong: limit', 101],
    ])
  })

  it('hears of the first wrong field, in both languages', () => {
    const read = fieldsOf({ a: 'x', b: 'y' })
    read.day('a')
    read.yes('b')
    expect(read.failed()).toMatchObject({ failure: { field: 'a' } })
    expect(JSON.stringify(read.failed())).toMatch(/a 应为日期.*a should be a day/)
  })
})

it('the beginning of a field that was not checked is text, and of an object nothing', () => {
  const loud = { toString: () => 'loud' }
  expect(['abcdef', 12, true, loud, [1], null, undefined].map((value) => briefOf(value, 3))).toEqual([
    ...['abc', '12', 'tru', '', '', '', ''],
  ])
})
