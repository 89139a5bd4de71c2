/** Timers that fire when the test says so. */
import { vi } from 'vitest'

/** Keeps what the program asks for after exactly `ms`, instead of doing it, until `giveBack`. */
export function takenTimers(name: 'setInterval' | 'setTimeout', ms: number) {
  const calls: (() => unknown)[] = []
  const real = globalThis[name]
  const spy = vi.spyOn(globalThis, name)
  spy.mockImplementation(((call: () => unknown, after?: number) => {
    if (after !== ms) return real(call, after)
    calls.push(call)
    return real(() => {}, 2 ** 30).unref()
  }) as typeof real)
  return { calls, giveBack: () => spy.mockRestore() }
}
