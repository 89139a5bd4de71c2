/** Compares what Stryker found with the judgements in `judged.json`, which are written by hand. */

/** What is read of a mutant of Stryker. Lines and columns begin at 1. */
export type Mutant = {
  fileName: string
  status: string
  replacement?: string | undefined
  location: { start: { line: number; column: number }; end: { line: number; column: number } }
}

/**
 * A survivor that is accepted. It is named by the text of its line, not by the number, so that it moves with the code:
 * `from` on the line `line` became `to`. `why` is one sentence: equivalent, or only a text, or why it does not matter; `zh` is
 * the same in Chinese.
 */
export type Judgement = {
  file: string
  line: string
  from: string
  to: string
  why: string
  zh: string
  times?: number
}

export type Survivor = Omit<Judgement, 'why' | 'zh' | 'times'> & { at: number; isNeverRun: boolean }

export type Verdict = {
  /** Mutants that were run or should have been; those that do not compile or are ignored do not count. */
  mutants: number
  found: number
  neverRun: number
  accepted: (Survivor & { why: string; zh: string })[]
  unjudged: Survivor[]
  /** Judgements of this area's files that fit no survivor any more. */
  stale: Judgement[]
}

/** Whether a mutant of this status was noticed. */
export const isFound = (status: string): boolean => ['Killed', 'Timeout', 'RuntimeError'].includes(status)

const NOT_FOUND = ['Survived', 'NoCoverage']
const TEXT_MAX = 120

export function verdictOf(mutants: Mutant[], read: (file: string) => string, judgements: Judgement[]): Verdict {
  const survivors = mutants.filter(({ status }) => NOT_FOUND.includes(status)).map((one) => survivorOf(one, read))
  const left = judgements.map((one) => ({ ...one, times: one.times ?? 1 }))
  const verdict: Verdict = { mutants: 0, found: 0, neverRun: 0, accepted: [], unjudged: [], stale: [] }
  verdict.found = mutants.filter(({ status }) => isFound(status)).length
  verdict.mutants = verdict.found + survivors.length
  verdict.neverRun = survivors.filter(({ isNeverRun }) => isNeverRun).length
  for (const survivor of survivors) {
    const judgement = left.find((one) => one.times > 0 && isAbout(one, survivor))
    // Code that no test runs is not judged: it gets a test, or it goes.
    if (judgement === undefined || survivor.isNeverRun) verdict.unjudged.push(survivor)
    else {
      judgement.times -= 1
      verdict.accepted.push({ ...survivor, why: judgement.why, zh: judgement.zh })
    }
  }
  const files = new Set(mutants.map(({ fileName }) => fileName))
  verdict.stale = left.filter(({ file, times }) => times > 0 && files.has(file))
  return verdict
}

const isAbout = (judgement: Judgement, survivor: Survivor): boolean =>
  (['file', 'line', 'from', 'to'] as const).every((name) => judgement[name] === survivor[name])

function survivorOf(
  { fileName, status, replacement, location: { start, end } }: Mutant,
  read: (file: string) => string,
) {
  const lines = read(fileName).split('\n')
  const mutated = lines.slice(start.line - 1, end.line)
  mutated[mutated.length - 1] = (mutated.at(-1) ?? '').slice(0, end.column - 1)
  mutated[0] = (mutated[0] ?? '').slice(start.column - 1)
  return {
    file: fileName,
    line: oneLine(lines[start.line - 1] ?? ''),
    from: oneLine(mutated.join('\n')),
    to: oneLine(replacement ?? ''),
    at: start.line,
    isNeverRun: status === 'NoCoverage',
  }
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line
}

/** The share of mutants that a test found, in per cent with one decimal, never rounded up. */
export const scoreOf = ({ mutants, found }: Pick<Verdict, 'mutants' | 'found'>): string =>
  mutants === 0 ? '100.0' : (Math.floor((found * 1000) / mutants) / 10).toFixed(1)
