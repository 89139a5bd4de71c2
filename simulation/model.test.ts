import { describe, expect, it } from 'vitest'
import { isLong } from '../test/support/size.ts'
import { check } from './check.ts'
import type { Bounds, Mistake, RefundMistake } from './model-state.ts'

const NO_MORE = { outsideReturns: 0, secondPayments: 0 }

/** Bounds that take about two seconds, without refunds and with. */
const QUICK: [states: number, Bounds][] = [
  [5_000, { attempts: 1, closes: 2, crashes: 2, webhooks: 2, refunds: 0, ...NO_MORE }],
  [9_000, { attempts: 1, closes: 1, crashes: 1, webhooks: 1, refunds: 1, ...NO_MORE }],
]
/** The largest bounds of `npm run model-check`, without refunds and with. They take a minute or two; `npm run test:long` runs them. */
const FULL: [states: number, Bounds][] = [
  [300_000, { attempts: 2, closes: 2, crashes: 2, webhooks: 2, refunds: 0, ...NO_MORE }],
  [100_000, { attempts: 1, closes: 1, crashes: 1, webhooks: 1, refunds: 2, ...NO_MORE }],
  [100_000, { attempts: 2, closes: 0, crashes: 0, webhooks: 1, refunds: 1, ...NO_MORE }],
  [10_000, { attempts: 1, closes: 1, crashes: 1, webhooks: 1, refunds: 1, outsideReturns: 1, secondPayments: 1 }],
]
/** Large enough to find each mistake. */
const SMALL = { attempts: 2, closes: 2, crashes: 1, webhooks: 1, refunds: 0, ...NO_MORE }
const SMALL_WITH_SECOND = { ...SMALL, attempts: 1, secondPayments: 1 }
const SMALL_WITH_REFUNDS = { ...SMALL, attempts: 1, closes: 1, refunds: 2 }

it.each(isLong ? FULL : QUICK)(
  'no invariant is ever broken, in any order of events: more than %i states within %j',
  (least, bounds) => {
    const { states, violation } = check(bounds)
    expect(violation).toBeNull()
    expect(states).toBeGreaterThan(least)
  },
  1_200_000,
)

function expectFound(bounds: Bounds, mistake: Mistake, invariants: string): void {
  const { violation } = check(bounds, mistake)
  expect(violation?.invariant ?? 'not found').toMatch(new RegExp(`^(${invariants})`))
  expect(violation?.story[0]).toBe('an order is placed')
}

describe('a mistake that is put in is found, with a story that ends in it', () => {
  it.each<[Exclude<Mistake, RefundMistake | 'reverse the kept payment instead of the second'>, string]>([
    ['trust the answer to a close', 'P1'],
    ['take unknown for closed', 'P1'],
    ['take absent for closed at once', 'P1'],
    ['start payments of a closed order', 'P1'],
    ['keep every payment', 'I1|I2'],
    ['forget the job', 'I8'],
    ['forget to watch', 'I6'],
    ['close without asking', 'P1|I6'],
    ['close by cancel', 'I10'],
    ['close a paid order by sending its money back', 'I10'],
    ['leave open what the watch finds open', 'P1'],
    ['send back what the watch finds paid', 'I10'],
  ])('%s', (mistake, invariants) => expectFound(SMALL, mistake, invariants), 600_000)

  it('reverse the kept payment instead of the second', () =>
    expectFound(SMALL_WITH_SECOND, 'reverse the kept payment instead of the second', 'I10'))

  it.each<[RefundMistake, string]>([
    ['refund more than was paid', 'I4'],
    ['forget the job that sends a refund', 'I8'],
    ['send a refund after its moment', 'I9'],
    ['take no answer for a failed refund', 'I9'],
    ['believe a refusal although an earlier call may land', 'I9'],
    ['take a refund under way for done', 'I9'],
    ['take a refund for a return from outside', 'I9'],
  ])('%s', (mistake, invariants) => expectFound(SMALL_WITH_REFUNDS, mistake, invariants), 600_000)
})
