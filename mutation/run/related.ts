/**
 * What runs at loading is felt by every test that loads the file. The likely ones run a function that uses the changed constant,
 * or that is named beside the change, as an endpoint names its handler.
 */
import ts from 'typescript'
import { parse } from '../plant/syntax.ts'
import { marksOf, pointAt } from './instrument.ts'

/** The marks of those functions. Empty where the change lies in a function itself, or nothing in the file uses it. */
export function relatedMarks(file: string, text: string, { start, end }: { start: number; end: number }): Set<number> {
  const source = parse(file, text)
  const statement = source.statements.find((one) => one.getStart(source) <= start && end <= one.getEnd())
  if (statement === undefined || !ts.isVariableStatement(statement)) return new Set()
  const declared = statement.declarationList.declarations.map(({ name }) => name.getText(source))
  const beside = identifiersIn(objectAround(statement, source, start, end) ?? statement).map(({ text: name }) => name)
  const functions = source.statements.filter(
    (one) => ts.isFunctionDeclaration(one) && one.name !== undefined && beside.includes(one.name.text),
  )
  const users = identifiersIn(source).filter(
    (one) =>
      declared.includes(one.text) && (one.getStart(source) < statement.getStart(source) || one.end > statement.end),
  )
  const marks = marksOf(file, text)
  const found = [...functions, ...users].map((node) => pointAt(marks, node.getStart(source), node.getEnd()))
  return new Set(found.filter((mark) => mark !== 0))
}

/** The names of the exported constants that a change lies in: what uses them elsewhere feels it. */
export function exportedAround(file: string, text: string, { start, end }: { start: number; end: number }): string[] {
  const source = parse(file, text)
  const statement = source.statements.find((one) => one.getStart(source) <= start && end <= one.getEnd())
  if (statement === undefined || !ts.isVariableStatement(statement)) return []
  const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
  return isExported ? statement.declarationList.declarations.map(({ name }) => name.getText(source)) : []
}

/** The marks of a file, other than that of its loading, that use one of these names. */
export function usingMarks(file: string, text: string, names: readonly string[]): Set<number> {
  if (!names.some((name) => text.includes(name))) return new Set()
  const source = parse(file, text)
  const marks = marksOf(file, text)
  const users = identifiersIn(source).filter((one) => names.includes(one.text))
  const found = users.map((node) => pointAt(marks, node.getStart(source), node.getEnd()))
  return new Set(found.filter((mark) => mark !== 0))
}

/** The innermost object literal around a change that has more than one property. */
function objectAround(statement: ts.Node, source: ts.SourceFile, start: number, end: number): ts.Node | null {
  let found: ts.Node | null = null
  const down = (node: ts.Node): void => {
    if (node.getStart(source) > start || node.getEnd() < end) return
    if (ts.isObjectLiteralExpression(node) && node.properties.length > 1) found = node
    ts.forEachChild(node, down)
  }
  down(statement)
  return found
}

function identifiersIn(node: ts.Node): ts.Identifier[] {
  const found: ts.Identifier[] = []
  const down = (inner: ts.Node): void => {
    if (ts.isIdentifier(inner)) found.push(inner)
    ts.forEachChild(inner, down)
  }
  down(node)
  return found
}
