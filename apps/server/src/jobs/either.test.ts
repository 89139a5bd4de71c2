import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../../test/support/manual-clock.ts'
import { either } from './either.ts'

const never = new Promise<void>(() => {})

/** A wait of 500 ms for an event, and what is known of it. */
function waiting(event: Promise<void>, stopping = new AbortController()) {
  const clock = manualClock(new Date(0))
  const seen = { hasEnded: false }
  const wait = either(event, (signal) => clock.sleep(500, signal), stopping.signal).then(() => {
    seen.hasEnded = true
  })
  return { clock, seen, wait, stopping, listeners: () => getEventListeners(stopping.signal, 'abort').length }
}

/** Everything that is to follow from what happened before has followed. */
const settled = () => new Promise(setImmediate)

describe('a wait for an event or a sleep', () => {
  it('ends with the sleep where no event comes, and not before', async () => {
    const { clock, seen, wait, listeners } = waiting(never)
    clock.advance(499)
    await settled()
    expect(seen.hasEnded).toBe(false)
    clock.advance(1)
    await wait
    expect(listeners()).toBe(0)
  })

  it('ends with the event, and ends the sleep', async () => {
    let come = (): void => {}
    const event = new Promise<void>((resolve) => {
      come = resolve
    })
    const { clock, seen, wait, listeners } = waiting(event)
    await settled()
    expect([seen.hasEnded, clock.sleeping(500)]).toEqual([false, 1])
    come()
    await wait
    expect([clock.sleeping(500), listeners()]).toEqual([0, 0])
  })

  it('ends at once when it is stopped, and does not begin when it was stopped before', async () => {
    const { clock, wait, stopping, listeners } = waiting(never)
    stopping.abort()
    await wait
    expect([clock.sleeping(500), listeners()]).toEqual([0, 0])
    const late = waiting(never, stopping)
    await late.wait
    expect([late.clock.sleeping(500), late.listeners()]).toEqual([0, 0])
  })

  it('leaves no listener behind, however many rounds there are', async () => {
    const stopping = new AbortController()
    for (let round = 0; round < 100; round += 1) await waiting(Promise.resolve(), stopping).wait
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([])
  })
})
