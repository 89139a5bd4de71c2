import { describe, expect, it } from 'vitest'
import {
  ATTEMPT_EVENTS,
  ATTEMPT_STATES,
  ATTEMPT_TABLE,
  isOutlived,
  provesClosed,
  type UpstreamState,
} from './attempt.ts'

/** From spec/order-lifecycle.md, States: OPENING → OPEN → PAID | SHUT; OPENING → SHUT; money is never dropped. */
const EXPECTED = `
         opened   shut   paid
OPENING  OPEN     SHUT   PAID
OPEN     OPEN     SHUT   PAID
PAID     PAID     PAID   PAID
SHUT     SHUT     SHUT   PAID
`

it('an attempt goes where the hand-written table says', () => {
  const rows = ATTEMPT_STATES.map((state) => [state, ...ATTEMPT_EVENTS.map((event) => ATTEMPT_TABLE[state][event])])
  const listed = [ATTEMPT_EVENTS, ...rows].map((cells) => cells.join(' '))
  expect(listed).toEqual(
    EXPECTED.trim()
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' ')),
  )
})

describe('a closed attempt', () => {
  const LANDS = 1_000_000
  // Closing 2: closed, or absent and past the moment at which our own create could still land.
  it.each<[UpstreamState, boolean, boolean, boolean]>([
    ['closed', true, true, true],
    ['absent', false, true, true],
    ['open', false, false, false],
    ['paid', false, false, false],
    ['returned', false, false, false],
    ['unknown', false, false, false],
  ])('is proven by %j a millisecond before our create can no longer land: %s, from then on: %s', (says, ...proves) => {
    const moments = [LANDS - 1, LANDS, LANDS + 1]
    expect(moments.map((nowMs) => provesClosed(says, nowMs, LANDS))).toEqual(proves)
  })
})

it('only an attempt that no upstream ever confirmed is over by time alone, from that moment on', () => {
  const over = ATTEMPT_STATES.map((state) => [999, 1000, 1001].map((nowMs) => isOutlived(state, nowMs, 1000)))
  const never = [false, false, false]
  // OPENING, OPEN, PAID, SHUT
  expect(over).toEqual([[false, true, true], never, never, never])
})
