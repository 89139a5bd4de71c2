/** The plain mistakes inside an expression: operators turned, conditions decided, values emptied. */
import ts from 'typescript'
import type { Edit } from '../mutant.ts'
import { edit, type Planter } from './syntax.ts'

const TURNED: Record<string, string[]> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '+=': ['-='],
  '-=': ['+='],
}

const operators: Planter = (node, source) => {
  if (ts.isBinaryExpression(node)) {
    const { left, operatorToken, right } = node
    const word = operatorToken.getText(source)
    if (word === '??') return [edit(node, 'default out', `(${left.getText(source)})!`)]
    const says = (other: string) =>
      `${node.getText(source)} became ${left.getText(source)} ${other} ${right.getText(source)}`
    return (TURNED[word] ?? []).map((other) =>
      edit(operatorToken, 'operator turned', other, says(other).replace(/\s+/g, ' ')),
    )
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [edit(node, 'operator turned', node.operand.getText(source))]
  }
  return []
}

const conditions: Planter = (node) => {
  const decided = (condition: ts.Expression, values: string[]): Edit[] =>
    values.map((value) => edit(condition, 'condition decided', value))
  if (ts.isIfStatement(node)) return decided(node.expression, ['true', 'false'])
  if (ts.isConditionalExpression(node)) return decided(node.condition, ['true', 'false'])
  if (ts.isWhileStatement(node)) return decided(node.expression, ['false'])
  return []
}

const literals: Planter = (node) => {
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [edit(node, 'boolean turned', 'false')]
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [edit(node, 'boolean turned', 'true')]
  if (ts.isStringLiteral(node) && isWord(node)) return [edit(node, 'word emptied', `''`)]
  if (ts.isRegularExpressionLiteral(node)) return patternsOf(node)
  return []
}

/** A string that the program compares or hands on, and no text for people. */
const isWord = (node: ts.StringLiteral): boolean =>
  /^[\x21-\x7e]+$/.test(node.text) && !isName(node) && !/^node:|\.(?:ts|js|json)$/.test(node.text)

/** The name of a property, or the name of a statement that the database only shows to its operator. */
const isName = (node: ts.StringLiteral): boolean =>
  (ts.isPropertyAssignment(node.parent) && node.parent.name === node) || isStatementName(node)

const isStatementName = ({ parent, text }: ts.StringLiteral): boolean =>
  ts.isCallExpression(parent) &&
  /^(?:run|of)$/.test(parent.expression.getText()) &&
  parent.arguments.findIndex((argument) => ts.isStringLiteral(argument) && argument.text === text) <= 1

/** The anchors of a pattern taken away one at a time: then more fits than should. */
function patternsOf(node: ts.RegularExpressionLiteral): Edit[] {
  const [, body = '', flags = ''] = /^\/(.*)\/(\w*)$/s.exec(node.text) ?? []
  const without = [
    ...(body.startsWith('^') ? [body.slice(1)] : []),
    ...(body.endsWith('$') && !body.endsWith('\\$') ? [body.slice(0, -1)] : []),
  ]
  return without.filter((text) => text !== '').map((text) => edit(node, 'pattern loosened', `/${text}/${flags}`))
}

/** Methods without which a value of the same type stays. */
const REFINING =
  /^(?:filter|sort|toSorted|reverse|trim|toLowerCase|toUpperCase|slice|replace|replaceAll|catch|finally)$/
const SWAPPED = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['startsWith', 'includes'],
  ['endsWith', 'includes'],
])

const calls: Planter = (node, source) => {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return []
  const { name, expression } = node.expression
  const other = SWAPPED.get(name.text)
  if (other !== undefined) return [edit(name, 'call swapped', other, `.${name.text} became .${other}`)]
  if (!REFINING.test(name.text)) return []
  return [edit(node, 'call out', expression.getText(source), `.${name.text}(...) was taken out`)]
}

const chains: Planter = (node, source) =>
  ts.isPropertyAccessExpression(node) && node.questionDotToken !== undefined
    ? [edit(node.questionDotToken, 'chain stiff', '!.', `${node.getText(source)} without the question mark`)]
    : []

export const OPERATORS: Planter[] = [operators, conditions, literals, calls, chains]
