/** A clock that stands still until the test moves it; sleeps end when it passes their moment. */

export type ManualClock = ReturnType<typeof manualClock>

/** When a test's clock begins: the moment under which `npm run test:clocks` runs it, else a day like any other. */
export const testStart = (): Date => new Date(process.env.ACOPAY_TEST_CLOCK ?? '2026-03-01T04:00:00.000Z')

export function manualClock(start: Date) {
  let nowMs = start.getTime()
  let aheadMs = 0
  let databaseAheadMs = 0
  const sleepers = new Set<{ ms: number; untilMs: number; wake: () => void }>()
  return {
    now: () => new Date(nowMs),
    /** What startGateway reads. Time passes alike for all of them. */
    wallMs: () => nowMs + aheadMs,
    steadyMs: () => nowMs,
    bootMs: () => nowMs,
    databaseMs: async () => nowMs + databaseAheadMs,
    /** Sets the machine's clock, or the database's, so far ahead; no time passes. */
    setAhead: (ms: number) => {
      aheadMs = ms
    },
    setDatabaseAhead: (ms: number) => {
      databaseAheadMs = ms
    },
    /** Ends at once when the signal aborts, or has aborted already. */
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const wake = (): void => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { ms, untilMs: nowMs + ms, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake)
        if (signal?.aborted) wake()
      }),
    /** How many sleep for exactly so long. */
    sleeping: (ms: number) => [...sleepers].filter((one) => one.ms === ms).length,
    /** Moves the clock, also back. */
    advance: (ms: number) => {
      nowMs += ms
      for (const sleeper of [...sleepers]) if (sleeper.untilMs <= nowMs) sleeper.wake()
    },
  }
}
