import { expect, it } from 'vitest'
import { parseObject } from './settings.ts'

it('a JSON object is read behind a byte order mark, and nothing else is one', () => {
  expect(parseObject('\ufeff{"a":"1"}', 'x')).toEqual({ a: '1' })
  for (const text of ['', '[]', 'null', '"a"', '{']) expect(() => parseObject(text, 'x')).toThrow('x')
})
