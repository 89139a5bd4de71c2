import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import type { Mistake } from './model.ts'

/** The largest bounds of `npm run model-check`: about a minute. */
const FULL = { attempts: 2, closes: 2, crashes: 2, notifications: 2 }
/** Enough for a mistake to show. */
const SMALL = { attempts: 2, closes: 2, crashes: 1, notifications: 1 }

it('no invariant is ever broken, in any order of events within the bounds', () => {
  const { states, violation } = check(FULL)
  expect(violation).toBeNull()
  expect(states).toBeGreaterThan(300_000)
}, 300_000)

describe('a mistake that is put in is found, with a story that ends in it', () => {
  it.each<[Mistake, string]>([
    ['trust the answer to a close', 'P1'],
    ['take unknown for shut', 'P1'],
    ['take absent for shut at once', 'P1'],
    ['start payments of a closed order', 'P1'],
    ['keep every payment', 'I1|I2'],
    ['forget the job', 'I8'],
    ['forget to watch', 'I6'],
    ['close without asking', 'P1|I6'],
    ['forget to ask again', 'I6'],
    ['take returned for paid', 'I6'],
  ])(
    '%s',
    (mistake, invariants) => {
      const { violation } = check(SMALL, mistake)
      expect(violation?.invariant ?? 'not found').toMatch(new RegExp(`^(${invariants})`))
      expect(violation?.story[0]).toBe('an order is placed')
    },
    120_000,
  )
})
