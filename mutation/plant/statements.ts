/** Statements, properties and elements taken out, swapped or emptied. */
import ts from 'typescript'
import type { Edit } from '../mutant.ts'
import { edit, isLogCall, type Planter, short } from './syntax.ts'

const isDoing = (node: ts.Statement, source: ts.SourceFile): node is ts.ExpressionStatement => {
  if (!ts.isExpressionStatement(node) || ts.isStringLiteral(node.expression)) return false
  const { expression } = node
  return !isLogCall(ts.isAwaitExpression(expression) ? expression.expression : expression, source)
}

const removed: Planter = (node, source) => {
  if (ts.isThrowStatement(node)) return [edit(node, 'statement out', ';', `taken out: ${short(node.getText(source))}`)]
  if (ts.isReturnStatement(node)) return returned(node, source)
  if (ts.isCaseClause(node) && node.statements.length > 0) {
    return [edit(node, 'case out', '', `the case ${node.expression.getText(source)} was taken out`)]
  }
  if (!ts.isStatement(node) || !isDoing(node, source)) return []
  return [edit(node, 'statement out', ';', `taken out: ${short(node.getText(source))}`)]
}

function returned(node: ts.ReturnStatement, source: ts.SourceFile): Edit[] {
  const out = edit(node, 'statement out', ';', `taken out: ${short(node.getText(source))}`)
  const value = node.expression
  if (value === undefined || ts.isLiteralExpression(value) || value.kind === ts.SyntaxKind.NullKeyword) return [out]
  const inner = ts.isObjectLiteralExpression(value) ? [] : [edit(value, 'return emptied', 'null')]
  return [out, ...inner]
}

/** `await` taken out: the work is begun, and what follows does not wait for it. */
const awaits: Planter = (node, source) =>
  ts.isAwaitExpression(node) && !isLogCall(node.expression, source)
    ? [
        edit(
          node,
          'await out',
          node.expression.getText(source),
          `not awaited: ${short(node.expression.getText(source))}`,
        ),
      ]
    : []

/** `await` in the statement itself, and not in a function that it makes. */
function waits(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false
  return ts.isAwaitExpression(node) || ts.forEachChild(node, (inner) => waits(inner) || undefined) === true
}

/** Two fields that are set from two names, and two routes that are registered: nothing depends on their order. */
function isNoMatter(first: ts.Statement, second: ts.Statement, source: ts.SourceFile): boolean {
  const [one, other] = [first.getText(source), second.getText(source)]
  const isField = (text: string): boolean => /^this\.\w+ = \w+$/.test(text)
  const isRoute = (text: string): boolean => /^(?:app|scope)\.(?:get|post|put|delete|route|all)[(<]/.test(text)
  return (isField(one) && isField(other)) || (isRoute(one) && isRoute(other))
}

/** Two neighbouring statements that both do something, in the other order. */
const swapped: Planter = (node, source) => {
  if (!ts.isBlock(node) && !ts.isCaseOrDefaultClause(node)) return []
  const does = (one: ts.Statement): boolean => isDoing(one, source) || (ts.isVariableStatement(one) && waits(one))
  return node.statements.flatMap((first, index) => {
    const second = node.statements[index + 1]
    if (second === undefined || !does(first) || !does(second)) return []
    if (isNoMatter(first, second, source)) return []
    const [one, other] = [first.getText(source), second.getText(source)]
    const between = source.text.slice(first.getEnd(), second.getStart(source))
    return [
      {
        start: first.getStart(source),
        end: second.getEnd(),
        kind: 'statements swapped',
        replacement: `${other}${between}${one}`,
        says: `${short(other)} before ${short(one)}`,
      },
    ]
  })
}

/** One property of an object or one element of a list left out; the compiler refuses where it must be there. */
const parts: Planter = (node, source) => {
  if (ts.isObjectLiteralExpression(node))
    return node.properties.flatMap((one) => [without(one, node.properties, source)])
  if (!ts.isArrayLiteralExpression(node) || isValues(node)) return []
  return node.elements.map((one) => without(one, node.elements, source))
}

/** A statement's values belong to its numbered parameters: one less is refused by the driver at once. */
const isValues = (node: ts.ArrayLiteralExpression): boolean =>
  ts.isCallExpression(node.parent) && /^(?:run|of|db\.query)$/.test(node.parent.expression.getText())

function without(one: ts.Node, all: ts.NodeArray<ts.Node>, source: ts.SourceFile): Edit {
  const index = all.indexOf(one)
  const next = all[index + 1]
  const end = next === undefined ? one.getEnd() : next.getStart(source)
  const kind = ts.isExpression(one) ? 'element out' : 'property out'
  return { start: one.getStart(source), end, kind, replacement: '', says: `left out: ${short(one.getText(source))}` }
}

export const STATEMENTS: Planter[] = [removed, awaits, swapped, parts]
