import { expect, it } from 'vitest'
import { testDatabase } from '../../../../test/support/database.ts'
import { manualClock, testStart } from '../../../../test/support/manual-clock.ts'
import { movableClock, sureClock } from '../start/clock.ts'
import type { World } from '../world.ts'
import { sandboxClock } from './time.ts'

it.each(['+30s', 'tomorrow'])(
  '%s moves as far as when it was asked, however long the work on the way takes',
  async (to) => {
    const database = await testDatabase()
    const machine = manualClock(testStart())
    const clock = movableClock(sureClock(machine.now))
    const world = {
      ...clock,
      pool: database.pool,
      sleep: async () => {},
      phase: () => 'ready',
    } as Partial<World> as World
    const asked = sandboxClock({
      world,
      setAheadMs: async (ms) => clock.setAheadMs(ms),
      byHand: (work) => work(async () => 0),
      deliverDue: async () => machine.advance(700),
    })
    const startedMs = clock.now().getTime()
    const answer = await asked.move(to)
    const passedMs = machine.now().getTime() - startedMs
    expect(passedMs).toBeGreaterThan(0)
    expect(answer).toEqual(asked.read())
    expect(clock.now().getTime() - passedMs).toBe(to === '+30s' ? startedMs + 30_000 : nextMorningMs(startedMs))
    await database.drop()
  },
)

/** 10:30 of the next day in China. */
function nextMorningMs(ms: number): number {
  const HOUR_MS = 3_600_000
  const dayMs = 24 * HOUR_MS
  return (Math.floor((ms + 8 * HOUR_MS) / dayMs) + 1) * dayMs + 2.5 * HOUR_MS
}
