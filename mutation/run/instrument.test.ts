import '../../test/support/slow.ts'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { instrumented, marksOf, pointAt } from './instrument.ts'
import { exportedAround, relatedMarks, usingMarks } from './related.ts'

const TEXT = `export const f = (a: number): number => {
  if (a > 1) return g(a)
  return 0
}
const g = (b: number) => b * 2
`

/** Runs the marked text, calls `f(argument)` and answers the pieces of the text that were marked as reached. */
function reached(argument: number): string[] {
  const marks: number[] = []
  const code = ts.transpile(instrumented('x.ts', TEXT), {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
  })
  const exported: { f?: (a: number) => number } = {}
  new Function('exports', 'globalThis', code)(exported, { __reached: () => marks })
  exported.f?.(argument)
  const { points } = marksOf('x.ts', TEXT)
  return points.filter((_, mark) => marks[mark] === 1).map(({ start, end }) => TEXT.slice(start, end))
}

it('a run marks what it reaches and nothing else', () => {
  expect(reached(2)).toContain('return g(a)')
  expect(reached(2)).not.toContain('return 0')
  expect(reached(1)).toContain('return 0')
  expect(reached(1)).not.toContain('(b: number) => b * 2')
})

it('marking leaves every line its number', () => {
  expect(instrumented('x.ts', TEXT).split('\n')).toHaveLength(TEXT.split('\n').length)
})

it('a place belongs to the innermost statement around it', () => {
  const marks = marksOf('x.ts', TEXT)
  const at = TEXT.indexOf('g(a)')
  const { start, end } = marks.points[pointAt(marks, at, at + 4)] ?? { start: 0, end: 0 }
  expect(TEXT.slice(start, end)).toBe('return g(a)')
})

it('a constant belongs to the functions that use it, and an endpoint to its handler', () => {
  const text = `const LIMIT = 5
function small(a: number) { return a < LIMIT }
function other(a: number) { return a }
export const endpoints = [{ path: 'a', handle: small }, { path: 'b', handle: other }]
`
  const related = (part: string): string[] => {
    const start = text.indexOf(part)
    const { points } = marksOf('x.ts', text)
    return [...relatedMarks('x.ts', text, { start, end: start + part.length })].map((mark) => {
      const { start: from, end } = points[mark] ?? { start: 0, end: 0 }
      return text.slice(from, end)
    })
  }
  expect(related('5')).toEqual(['return a < LIMIT'])
  expect(related(`'b'`)).toEqual(['function other(a: number) { return a }'])
  expect(related('return a }')).toEqual([])
})

it('an exported constant belongs to what uses it in other files', () => {
  const text = `export const LIMIT = 5\nconst own = 6\n`
  const at = (part: string) => ({ start: text.indexOf(part), end: text.indexOf(part) + part.length })
  expect([exportedAround('x.ts', text, at('5')), exportedAround('x.ts', text, at('6'))]).toEqual([['LIMIT'], []])
  const other = `import { LIMIT } from './x.ts'\nconst most = LIMIT\nexport function small(a: number) { return a < LIMIT }\n`
  const { points } = marksOf('y.ts', other)
  const used = [...usingMarks('y.ts', other, ['LIMIT'])].map((mark) => points[mark])
  expect(used.map((one) => other.slice(one?.start, one?.end))).toEqual(['const most = LIMIT', 'return a < LIMIT'])
})
