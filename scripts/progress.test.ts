import { createRequire } from 'node:module'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

type Progress = (title: string, out: unknown) => { end: (why?: string) => void }
const { progress } = createRequire(import.meta.url)('./progress.cjs') as { progress: Progress }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] }))
afterEach(() => void vi.useRealTimers())

function written(isTTY: boolean, why?: string): string {
  let text = ''
  const out = { isTTY, write: (more: string) => (text += more) }
  const step = progress('compiling', out)
  vi.advanceTimersByTime(2500)
  step.end(why)
  vi.advanceTimersByTime(5000)
  return text
}

/** What a terminal shows: the last text of each line. */
const shown = (text: string): string[] => text.split('\n').map((line) => line.split('\u001b[1G').at(-1) as string)

it('on a terminal a step is one line, which counts the seconds and then says how long the step took', () => {
  const text = written(true)
  expect(text).toContain('compiling … 2.0 s')
  expect(text.split('\u001b[2K')).toHaveLength(4)
  expect(shown(text)).toEqual(['compiling: 2.5 s', ''])
})

it('in a file a step is two lines, however long it takes', () => {
  expect(written(false)).toBe('compiling …\ncompiling: 2.5 s\n')
})

it('a step that fails ends its line with that', () => {
  expect(shown(written(true, '失败 failed'))).toEqual(['compiling: 失败 failed', ''])
  expect(written(false, '失败 failed')).toBe('compiling …\ncompiling: 失败 failed\n')
})
