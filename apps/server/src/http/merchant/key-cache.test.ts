import { expect, it } from 'vitest'
import { parsedOnce } from './key-cache.ts'

it('ten thousand parsed keys are kept; one more drops the key that was not used for the longest time, and no other', () => {
  const parsed: string[] = []
  const key = parsedOnce((text) => {
    parsed.push(text)
    return { text }
  })
  const first = key('0')
  for (let count = 1; count < 10_000; count += 1) key(`${count}`)
  expect(key('0')).toBe(first)
  key('10000')
  expect(key('0')).toBe(first)
  key('2')
  expect(parsed).toHaveLength(10_001)
  expect(key('1')).toEqual({ text: '1' })
  expect(parsed).toHaveLength(10_002)
})
