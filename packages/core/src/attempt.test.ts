import { expect, it } from 'vitest'
import { ATTEMPT_STATES, isOutlived, provesClosed, type UpstreamState } from './attempt.ts'

it('only an attempt that no upstream ever confirmed is over by time alone, from that moment on', () => {
  const over = ATTEMPT_STATES.map((state) => [999, 1000, 1001].map((nowMs) => isOutlived(state, nowMs, 1000)))
  const never = [false, false, false]
  // OPENING, OPEN, PAID, SHUT
  expect(over).toEqual([[false, true, true], never, never, never])
})

it('closed proves that it is, absent once no create can land any more, and nothing else does', () => {
  const says: UpstreamState[] = ['open', 'paid', 'returned', 'closed', 'absent', 'unknown']
  expect(says.filter((said) => provesClosed(said, 999, 1000))).toEqual(['closed'])
  expect(says.filter((said) => provesClosed(said, 1000, 1000))).toEqual(['closed', 'absent'])
})
