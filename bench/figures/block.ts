/** One piece of work, measured between two looks at what a signature takes. */
import { ceilingOf } from '../machine.ts'
import type { Prepared } from '../work/works.ts'
import { type Block, type Line, lineOf } from './line.ts'
import { measured, type Watched } from './measure.ts'
import { lineText, type Say } from './said.ts'

export type Look = {
  say: Say
  /** Seconds for one look at what a signature takes. */
  signatureSeconds: number
  /** What all cores sign together is worked out of what one signs. */
  isQuick: boolean
}

/** `subject` is said before the line. */
export async function measuredLine(
  block: Block,
  { watched, prepared, subject = '' }: { watched: Watched; prepared: Prepared; subject?: string },
  { say, signatureSeconds, isQuick }: Look,
): Promise<Line> {
  const { work, merchants, processes } = block
  const before = ceilingOf(signatureSeconds, isQuick)
  say.step(`${subject}${work}, ${merchants} merchant(s), ${processes} process(es) …`)
  const counted = await measured(watched, prepared)
  const after = ceilingOf(signatureSeconds, isQuick)
  const perSecond = (before.perSecond + after.perSecond) / 2
  const line = lineOf(block, counted, { beforeUs: before.us, afterUs: after.us, perSecond })
  say.line(`${subject}${lineText(line)}`)
  return line
}
