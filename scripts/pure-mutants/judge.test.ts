import { describe, expect, it } from 'vitest'
import { type Judgement, type Mutant, scoreOf, verdictOf } from './judge.ts'
import { pageWith } from './page.ts'

const SOURCE = `const LIMIT = 20\nexport const isOver = (tries: number): boolean => tries > LIMIT\n`
const read = () => SOURCE
/** `tries > LIMIT` in line 2 became something else. */
const mutant = (status: string, replacement = 'tries >= LIMIT'): Mutant => ({
  fileName: 'packages/core/src/a.ts',
  status,
  replacement,
  location: { start: { line: 2, column: 51 }, end: { line: 2, column: 64 } },
})
const judgement = (more: Partial<Judgement> = {}): Judgement => ({
  file: 'packages/core/src/a.ts',
  line: 'export const isOver = (tries: number): boolean => tries > LIMIT',
  from: 'tries > LIMIT',
  to: 'tries >= LIMIT',
  why: 'Equivalent.',
  zh: '等价。',
  ...more,
})

describe('what was found', () => {
  it('counts what failed or ended never, and not what is not code any more', () => {
    const all = ['Killed', 'Timeout', 'RuntimeError', 'Survived', 'NoCoverage', 'CompileError', 'Ignored']
    const verdict = verdictOf(
      all.map((status) => mutant(status)),
      read,
      [],
    )
    expect(verdict).toMatchObject({ mutants: 5, found: 3, neverRun: 1 })
    expect(verdict.unjudged).toHaveLength(2)
    expect(scoreOf(verdict)).toBe('60.0')
  })

  it('is never rounded up to the bound', () => {
    expect(scoreOf({ mutants: 10_000, found: 9499 })).toBe('94.9')
    expect(scoreOf({ mutants: 0, found: 0 })).toBe('100.0')
  })
})

describe('a judgement', () => {
  it('accepts the survivor that it names, by the text of its line', () => {
    const verdict = verdictOf([mutant('Survived')], read, [judgement()])
    expect(verdict.accepted).toMatchObject([{ from: 'tries > LIMIT', to: 'tries >= LIMIT', at: 2, why: 'Equivalent.' }])
    expect([verdict.unjudged, verdict.stale]).toEqual([[], []])
  })

  it('accepts one survivor and not two of the same line, unless it says so', () => {
    const two = [mutant('Survived'), mutant('Survived')]
    expect(verdictOf(two, read, [judgement()]).unjudged).toHaveLength(1)
    expect(verdictOf(two, read, [judgement({ times: 2 })]).unjudged).toHaveLength(0)
  })

  it('does not accept code that no test runs', () => {
    expect(verdictOf([mutant('NoCoverage')], read, [judgement()]).unjudged).toHaveLength(1)
  })

  it.each([{ file: 'packages/core/src/b.ts' }, { line: 'other' }, { from: 'other' }, { to: 'other' }])(
    'about another place or mistake (%j) accepts nothing',
    (more) => {
      expect(verdictOf([mutant('Survived')], read, [judgement(more)]).unjudged).toHaveLength(1)
    },
  )

  it('that fits no survivor any more is named, unless its file was not run', () => {
    expect(verdictOf([mutant('Killed')], read, [judgement()]).stale).toHaveLength(1)
    expect(verdictOf([mutant('Killed')], read, [judgement({ file: 'packages/sdk/src/a.ts' })]).stale).toEqual([])
  })
})

describe('the page', () => {
  const verdict = (status: string) => verdictOf([mutant(status), mutant('Killed')], read, [judgement()])

  const page = (before: string | null, name: string, status: string) =>
    pageWith(before, 'en', { name, verdict: verdict(status) })

  it('keeps what another area and another tool wrote', () => {
    const first = page(null, 'packages/sdk', 'Survived')
    const both = page(`${first}\n<!-- planter -->\nkept\n`, 'packages/core', 'Survived')
    expect(both).toContain('| `packages/core` | 2 | 1 | 0 | 1 | 0 | 50.0 % |\n| `packages/sdk` | 2 | 1 |')
    expect(both.match(/^### `.*/gm)).toEqual(['### `packages/core`', '### `packages/sdk`'])
    expect(both).toContain('| a.ts | `tries > LIMIT` → `tries >= LIMIT` | Equivalent. |')
    expect(both.endsWith('<!-- /stryker -->\n\n<!-- planter -->\nkept\n')).toBe(true)
    expect(page(both, 'packages/core', 'Survived')).toBe(both)
  })

  it('takes out an area whose last survivor a test has found', () => {
    const left = page(page(null, 'packages/core', 'Survived'), 'packages/core', 'Killed')
    expect(left).toContain('| `packages/core` | 2 | 2 | 0 | 0 | 0 | 100.0 % |')
    expect(left).not.toContain('###')
  })

  it('has the same rows and reasons in Chinese', () => {
    const chinese = pageWith(null, 'zh', { name: 'packages/core', verdict: verdict('Survived') })
    expect(chinese).toContain('| `packages/core` | 2 | 1 | 0 | 1 | 0 | 50.0 % |')
    expect(chinese).toContain('| a.ts | `tries > LIMIT` → `tries >= LIMIT` | 等价。 |')
  })
})
