import { expect, it } from 'vitest'
import { manualClock } from '../../../../test/support/manual-clock.ts'
import { type Clock, keepComparing, movableClock, watchedClock } from './clock.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const START = new Date('2026-03-01T04:00:00.000Z')

async function watched() {
  const machine = manualClock(START)
  const clock = watchedClock(machine)
  await clock.compare()
  /** Seconds since the start by `now` and by `sureNow`. */
  const seconds = (): [number, number] => [passed(clock.now()), passed(clock.sureNow())]
  return { machine, clock, seconds }
}

const passed = (at: Date): number => (at.getTime() - START.getTime()) / SECOND
const against = (clock: Clock): string | null => clock.doubt()?.against ?? null

it('nothing ends for good before the database has told its time', () => {
  const clock = watchedClock(manualClock(START))
  expect([clock.doubt(), clock.sureNow()]).toEqual([{ against: 'database', byMs: 0 }, new Date(0)])
})

it.each([3 * HOUR, -3 * HOUR, 48 * HOUR, -48 * HOUR])(
  'a machine whose clock jumps by %i ms goes on by the time that passes, and nothing ends until it is back',
  async (ms) => {
    const { machine, clock, seconds } = await watched()
    machine.advance(10 * SECOND)
    expect(seconds()).toEqual([10, 10])
    machine.setAhead(ms)
    machine.advance(7 * SECOND)
    expect(seconds()).toEqual([17, 10])
    expect(clock.doubt()).toEqual({ against: 'steady clock', byMs: ms })
    // An embedded database reads the same clock.
    machine.setDatabaseAhead(ms)
    await clock.compare()
    machine.advance(SECOND)
    expect(seconds()).toEqual([18, 10])
    machine.setAhead(0)
    machine.setDatabaseAhead(0)
    await clock.compare()
    expect([...seconds(), clock.doubt()]).toEqual([18, 18, null])
  },
)

it('a clock that differs from the database by more than a minute ends nothing, and by a minute does', async () => {
  const { machine, clock } = await watched()
  const found: unknown[] = []
  for (const ms of [MINUTE, MINUTE + 1, -MINUTE, -MINUTE - 1]) {
    machine.setDatabaseAhead(ms)
    await clock.compare()
    found.push(clock.doubt())
  }
  const doubt = (byMs: number) => ({ against: 'database', byMs })
  expect(found).toEqual([null, doubt(-MINUTE - 1), null, doubt(MINUTE + 1)])
})

it('a jump of a minute is followed, and a longer one is not', async () => {
  const { machine, seconds } = await watched()
  machine.setAhead(MINUTE)
  expect(seconds()).toEqual([60, 60])
  machine.setAhead(MINUTE + SECOND)
  expect(seconds()).toEqual([0, 60])
})

it('small corrections do not add up to a jump', async () => {
  const { machine, clock, seconds } = await watched()
  for (const ahead of [50, 100, 150]) {
    machine.setAhead(ahead * SECOND)
    machine.setDatabaseAhead(ahead * SECOND)
    expect(seconds()).toEqual([ahead, ahead])
    await clock.compare()
  }
  expect(clock.doubt()).toBeNull()
})

it('after a sleep of the machine the clock is right again with the next comparison', async () => {
  const machine = manualClock(START)
  let asleepMs = 0
  const clock = watchedClock({ ...machine, steadyMs: () => machine.steadyMs() - asleepMs })
  await clock.compare()
  asleepMs = 8 * HOUR
  machine.advance(8 * HOUR)
  expect([passed(clock.now()), against(clock)]).toEqual([0, 'steady clock'])
  await clock.compare()
  expect([passed(clock.now()), against(clock)]).toEqual([8 * 3600, null])
})

it('while the database answers slowly, what it said lies within the time of the question', async () => {
  const { machine, ...first } = await watched()
  expect(first.clock.doubt()).toBeNull()
  const clock = watchedClock({
    ...machine,
    databaseMs: async () => {
      const theirs = machine.wallMs()
      machine.advance(5 * MINUTE)
      return theirs
    },
  })
  await clock.compare()
  expect(clock.doubt()).toBeNull()
})

it('while the database does not answer, its last answer counts', async () => {
  const machine = manualClock(START)
  let isLost = false
  const databaseMs = () => (isLost ? Promise.reject(new Error('lost')) : machine.databaseMs())
  const clock = watchedClock({ ...machine, databaseMs })
  await clock.compare()
  isLost = true
  await expect(clock.compare()).rejects.toThrow('lost')
  expect(clock.doubt()).toBeNull()
})

it('compares every five seconds, raises an alarm a minute, and says when the clock is right again', async () => {
  const { machine, clock } = await watched()
  const lines: unknown[] = []
  const log = { error: (what: object) => lines.push(what), info: (what: string) => lines.push(what) } as never
  const comparing = keepComparing(clock, { log, sleep: machine.sleep })
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 5 * SECOND) {
      await expect.poll(() => machine.sleeping(5 * SECOND), { interval: 1 }).toBe(1)
      machine.advance(5 * SECOND)
    }
    await expect.poll(() => machine.sleeping(5 * SECOND), { interval: 1 }).toBe(1)
  }
  await pass(5 * SECOND)
  expect(lines).toEqual([])
  machine.setDatabaseAhead(HOUR)
  await pass(5 * SECOND)
  const alarm = { against: 'database', byMs: -HOUR, alarm: true }
  expect(lines).toEqual([alarm])
  await pass(55 * SECOND)
  expect(lines).toEqual([alarm])
  await pass(5 * SECOND)
  expect(lines).toEqual([alarm, alarm])
  machine.setDatabaseAhead(0)
  await pass(5 * SECOND)
  expect(lines).toEqual([alarm, alarm, 'the clock is right again'])
  await comparing.stop()
})

it("a sandbox's clock goes ahead and never back; doubt, and what has really passed, are those of the machine", async () => {
  const { machine, clock: machines } = await watched()
  const clock = movableClock(machines)
  const steadyMs = clock.steadyMs()
  clock.setAheadMs(3 * HOUR)
  clock.setAheadMs(HOUR)
  expect([passed(clock.now()), passed(clock.sureNow())]).toEqual([3 * 3600, 3 * 3600])
  expect([clock.aheadMs(), clock.steadyMs() - steadyMs, clock.doubt()]).toEqual([3 * HOUR, 0, null])
  machine.setAhead(48 * HOUR)
  machine.advance(10 * SECOND)
  expect([passed(clock.now()), passed(clock.sureNow()), against(clock)]).toEqual([
    3 * 3600 + 10,
    3 * 3600,
    'steady clock',
  ])
})
