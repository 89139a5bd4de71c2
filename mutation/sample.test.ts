import '../test/support/slow.ts'
import { expect, it } from 'vitest'
import { changedLines, shuffled } from './sample.ts'

it('one seed always gives the same order, and another seed another', () => {
  const all = Array.from({ length: 50 }, (_, number) => number)
  expect(shuffled(all, 7)).toEqual(shuffled(all, 7))
  expect(shuffled(all, 7)).not.toEqual(shuffled(all, 8))
  expect(shuffled(all, 7).sort((one, other) => one - other)).toEqual(all)
})

it('a diff tells which lines of the new file differ; where lines only went, there are none', () => {
  const diff = ['+++ b/a.ts', '@@ -1,0 +2,3 @@', '@@ -9 +12 @@', '+++ b/c.ts', '@@ -5,2 +4,0 @@'].join('\n')
  expect([...changedLines(diff)]).toEqual([
    [
      'a.ts',
      [
        [2, 4],
        [12, 12],
      ],
    ],
  ])
})
