/**
 * The gateway's clock. An order that expired is closed for good, so no order may expire because a machine's clock is wrong: the
 * time is held against the database's clock and against the time that has really passed, and nothing expires while they differ.
 */

import type { ClockDoubt, World } from '../world.ts'

/** By how much clocks may differ. */
const TOLERANCE_MS = 60_000
const COMPARE_PAUSE_MS = 5_000
const ALARM_PAUSE_MS = 60_000

export type ClockSources = {
  /** The machine's clock, which its administrator or a time service may set. */
  wallMs: () => number
  /** Milliseconds since some moment. It cannot be set, and may stop while the machine sleeps. */
  steadyMs: () => number
  /** The same, and it goes on while the machine sleeps; may be as coarse as a second. */
  bootMs: () => number
  /** The database's clock. */
  databaseMs: () => Promise<number>
}

export type Clock = {
  /** The machine's time. While that has jumped: the time from before the jump, and what has passed since. */
  now: () => Date
  /** The time by which something ends for good: `now`, which stands still while the clock is in doubt. */
  sureNow: () => Date
  /** How far it was moved ahead of the machine's clock: the sandbox's can be. */
  aheadMs: () => number
  /** Whole milliseconds that have really passed since some moment, however the clock is moved. */
  steadyMs: () => number
  /** Why the clock is in doubt; null while it is not. */
  doubt: () => ClockDoubt | null
  /** Asks the database for its time. Rejects when it does not answer; then its last answer counts. */
  compare: () => Promise<void>
}

/** A clock that believes what it reads: for a world whose time is made by a test or a simulation. */
export const sureClock = (now: () => Date): Clock => ({
  now,
  sureNow: now,
  aheadMs: () => 0,
  steadyMs: () => now().getTime(),
  doubt: () => null,
  compare: async () => {},
})

/** `compare` must have been called once before orders expire. */
export function watchedClock({ wallMs, steadyMs, bootMs, databaseMs }: ClockSources): Clock {
  const readAll = () => ({ wallMs: wallMs(), steadyMs: steadyMs(), bootMs: bootMs() })
  let anchor = readAll()
  let lastSureMs = 0
  let database: ClockDoubt | null = { against: 'database', byMs: 0 }

  const jumpedMs = (): number => wallMs() - anchor.wallMs - (steadyMs() - anchor.steadyMs)
  const hasJumped = (): boolean => Math.abs(jumpedMs()) > TOLERANCE_MS
  const nowMs = (): number => (hasJumped() ? wallMs() - jumpedMs() : wallMs())
  const doubt = (): ClockDoubt | null =>
    hasJumped() ? { against: 'steady clock', byMs: Math.round(jumpedMs()) } : database

  return {
    now: () => new Date(nowMs()),
    aheadMs: () => 0,
    steadyMs: () => Math.round(steadyMs()),
    doubt,
    sureNow() {
      if (doubt() === null) lastSureMs = nowMs()
      return new Date(lastSureMs)
    },
    async compare() {
      const before = wallMs()
      const theirs = await databaseMs()
      const here = readAll()
      const slept = here.wallMs - anchor.wallMs - (here.bootMs - anchor.bootMs)
      // After a sleep the steady clock is behind, and the one that went on while the machine slept is not.
      if (!hasJumped() || Math.abs(slept) <= TOLERANCE_MS) anchor = here
      const byMs = Math.round((before + here.wallMs) / 2 - theirs)
      const isNear = before - TOLERANCE_MS <= theirs && theirs <= here.wallMs + TOLERANCE_MS
      database = isNear ? null : { against: 'database', byMs }
    },
  }
}

/** `setAheadMs` moves it: it never goes back. */
export type MovableClock = Clock & { setAheadMs: (ms: number) => void }

/** The sandbox's clock: as far ahead of this one as it was moved. Whether the machine's clock is right is none of its business. */
export function movableClock(clock: Clock): MovableClock {
  let aheadMs = 0
  const moved = (at: Date): Date => new Date(at.getTime() + aheadMs)
  return {
    ...clock,
    now: () => moved(clock.now()),
    sureNow: () => moved(clock.sureNow()),
    aheadMs: () => aheadMs,
    setAheadMs: (ms) => {
      aheadMs = Math.max(aheadMs, ms)
    },
  }
}

/** Compares every five seconds until stopped, and raises an alarm each minute while the clock is in doubt. */
export function keepComparing(
  clock: Clock,
  { log, sleep }: Pick<World, 'log' | 'sleep'>,
): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  let lastAlarmMs: number | null = null
  const tell = (doubt: ClockDoubt | null): void => {
    if (doubt === null) {
      if (lastAlarmMs !== null) log.info('the clock is right again')
      lastAlarmMs = null
      return
    }
    const nowMs = clock.now().getTime()
    if (lastAlarmMs !== null && nowMs - lastAlarmMs < ALARM_PAUSE_MS) return
    lastAlarmMs = nowMs
    log.error({ ...doubt, alarm: true }, 'the clock is in doubt: no order expires')
  }
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      // A database that is lost is logged by all who ask it for more.
      await clock.compare().catch(() => {})
      tell(clock.doubt())
      await sleep(COMPARE_PAUSE_MS, stopping.signal)
    }
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
