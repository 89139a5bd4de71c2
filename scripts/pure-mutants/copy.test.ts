import '../../test/support/slow.ts'
import { expect, it } from 'vitest'
import { withoutAssertions } from './copy.ts'

it('the copy has blanks for assertions, so that Stryker mutates what they cover, and everything else in its place', () => {
  const text = [
    "export const WORDS = ['a', 'b'] as const",
    'export const TABLE = { a: { to: 1 } } as const satisfies Record<',
    '  string,',
    '  { to: number }',
    '>',
    'const as = (value as unknown as string[])[0]',
  ].join('\n')
  expect(withoutAssertions('a.ts', text).split('\n')).toEqual([
    "export const WORDS = ['a', 'b']         ",
    'export const TABLE = { a: { to: 1 } }                           ',
    '         ',
    '                ',
    ' ',
    'const as = (value                       )[0]',
  ])
})
