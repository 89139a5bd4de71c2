/**
 * Writes a mark before each statement and into each function, so that a run tells what it reached. Lines keep their numbers.
 * The marks of a file are numbered; `pointAt` answers the number for any place of the text.
 */
import ts from 'typescript'
import { parse } from '../plant/syntax.ts'

/** A numbered mark and the text that is reached with it. */
type Point = { start: number; end: number }
type Insertion = { at: number; text: string; order: number }

export type Marks = { points: Point[]; insertions: Insertion[] }

/** Mark 0 is the file itself: it is set when the file is loaded. */
export function marksOf(file: string, text: string): Marks {
  const source = parse(file, text)
  const marks: Marks = { points: [{ start: 0, end: text.length }], insertions: [] }
  const add = (start: number, end: number): string => {
    marks.points.push({ start, end })
    return `__mark(${marks.points.length - 1})`
  }
  const insert = (at: number, words: string): void => {
    marks.insertions.push({ at, text: words, order: marks.insertions.length })
  }
  const walk = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    markFunction(node, source, add, insert)
    markStatement(node, source, add, insert)
    ts.forEachChild(node, walk)
  }
  walk(source)
  return marks
}

type Add = (start: number, end: number) => string
type Insert = (at: number, words: string) => void

function markFunction(node: ts.Node, source: ts.SourceFile, add: Add, insert: Insert): void {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return
  const body = node.body as ts.ConciseBody
  if (ts.isBlock(body)) insert(body.getStart(source) + 1, `${add(node.getStart(source), node.getEnd())};`)
  else {
    insert(body.getStart(source), `(${add(node.getStart(source), node.getEnd())},`)
    insert(body.getEnd(), ')')
  }
}

const isPlain = (node: ts.Statement): boolean =>
  !ts.isFunctionDeclaration(node) &&
  !ts.isImportDeclaration(node) &&
  !ts.isExportDeclaration(node) &&
  !ts.isExportAssignment(node) &&
  !ts.isBlock(node) &&
  !(ts.isVariableStatement(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword)) &&
  !(ts.isExpressionStatement(node) && ts.isStringLiteral(node.expression))

function markStatement(node: ts.Node, source: ts.SourceFile, add: Add, insert: Insert): void {
  if (!ts.isStatement(node) || !isPlain(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
    return
  const { parent } = node
  const range = [node.getStart(source), node.getEnd()] as const
  if (ts.isBlock(parent) || ts.isSourceFile(parent) || ts.isCaseOrDefaultClause(parent)) {
    insert(range[0], `${add(...range)};`)
  } else if (ts.isIfStatement(parent) || ts.isIterationStatement(parent, false)) {
    insert(range[0], `{${add(...range)};`)
    insert(range[1], '}')
  }
}

/** The innermost mark around a place. */
export function pointAt({ points }: Marks, start: number, end: number): number {
  let best = 0
  points.forEach((point, index) => {
    const around = points[best] as Point
    const isAround = point.start <= start && end <= point.end
    if (isAround && point.end - point.start <= around.end - around.start) best = index
  })
  return best
}

/** The text that tells what it reaches to `globalThis.__reached`, where a run has put one. */
export function instrumented(file: string, text: string): string {
  const { points, insertions } = marksOf(file, text)
  const head = `var __marks;function __mark(n){(__marks??=globalThis.__reached?.(${JSON.stringify(file)},${points.length})??[])[n]=1}__mark(0);`
  const begin = /^#!.*\n/.exec(text)?.[0].length ?? 0
  const sorted = [...insertions].sort((one, other) => one.at - other.at || rank(one) - rank(other))
  let out = text.slice(0, begin) + head
  let from = begin
  for (const { at, text: words } of sorted) {
    out += text.slice(from, at) + words
    from = at
  }
  return out + text.slice(from)
}

/** At one place, what closes an inner piece comes before what closes an outer one, and both before what opens. */
const rank = ({ text, order }: Insertion): number => (/^[)}]/.test(text) ? -order : order + 1)
