import { expect, it } from 'vitest'
import { originOf } from './origin.ts'

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:DB8:1:2::6', '2001:db8:1:2::'],
  ['2001:db8::6', '2001:db8:0:0::'],
  ['fe80::', 'fe80:0:0:0::'],
  ['::1', '0:0:0:0::'],
])('%s comes from %s', (address, origin) => {
  expect(originOf(address)).toBe(origin)
})
