/** One planted mistake: a piece of one source file and what stands there instead. */

export type Mutant = {
  /** Stays the same while other parts of the file change: see `withIds`. */
  id: string
  file: string
  /** Where it lies, as offsets into the file's text, and as a line for people. */
  start: number
  end: number
  line: number
  /** The function it lies in, with those around it: `startWorker.round`; `module` at the top of a file. */
  within: string
  kind: string
  /** What was changed, as a sentence for people. */
  says: string
  replacement: string
}

/** What a planter finds; the rest of a mutant follows from the file. */
export type Edit = { start: number; end: number; replacement: string; kind: string; says: string }

export const mutated = (text: string, { start, end, replacement }: Pick<Mutant, 'start' | 'end' | 'replacement'>) =>
  text.slice(0, start) + replacement + text.slice(end)
