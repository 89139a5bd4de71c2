/** The command line within a test: what it reads, and what it has printed. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Io } from '../../apps/cli/src/command.ts'

export type TestIo = Io & { printed: { out: string[]; err: string[] } }

export function testIo(more: Partial<Io> = {}): TestIo {
  const printed: TestIo['printed'] = { out: [], err: [] }
  return {
    env: {},
    cwd: '/',
    readInput: () => '',
    out: (text) => printed.out.push(text),
    err: (text) => printed.err.push(text),
    untilStopped: async () => {},
    isColoured: false,
    server: () => null,
    nowMs: () => Date.now(),
    pause: (ms, signal) => wait(Math.min(ms, 20), undefined, signal ? { signal } : {}).catch(() => {}),
    ...more,
    printed,
  }
}
