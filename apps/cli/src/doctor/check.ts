/** What one check of `acopay doctor` has found. */
import type { ExitCode } from '../command.ts'

export type Texts = { zh: string; en: string }

/** `doubtful` may be right; only `wrong` counts in the exit code, which is that of the first. `skipped`: an earlier one stands in the way. */
export type Check = {
  name: string
  state: 'ok' | 'doubtful' | 'wrong' | 'skipped'
  says: Texts
  /** What to do; null when there is nothing. */
  todo: Texts | null
  exit: ExitCode
}

export const ok = (name: string, says: Texts): Check => ({ name, state: 'ok', says, todo: null, exit: 0 })

export const skipped = (name: string, says: Texts): Check => ({ name, state: 'skipped', says, todo: null, exit: 0 })

export const doubtful = (name: string, says: Texts, todo: Texts): Check => ({
  name,
  state: 'doubtful',
  says,
  todo,
  exit: 0,
})

/** The exit code, what is wrong, what to do. */
export const wrong = (name: string, exit: ExitCode, ...[says, todo]: [Texts, Texts]): Check => ({
  name,
  state: 'wrong',
  says,
  todo,
  exit,
})
