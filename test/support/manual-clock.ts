/** A clock that stands still until the test moves it; sleeps end when it passes their moment. */

export type ManualClock = ReturnType<typeof manualClock>

/** When a test's clock begins: the moment under which `npm run test:clocks` runs it, else a day like any other. */
export const testStart = (): Date => new Date(process.env.ACOPAY_TEST_CLOCK ?? '2026-03-01T04:00:00.000Z')

export function manualClock(start: Date) {
  let nowMs = start.getTime()
  const sleepers = new Set<{ ms: number; untilMs: number; wake: () => void }>()
  return {
    now: () => new Date(nowMs),
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
