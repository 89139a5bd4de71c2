/** The payment world's own mistakes. */
import ts from 'typescript'
import { edit, type Planter, short } from './syntax.ts'

const PERMISSION = /^([a-z]+)\.(read|write|close|create|resend|settle|use)$/
const ROLES = ['platform_admin', 'operator', 'finance', 'merchant_admin', 'merchant_viewer']

const permissions: Planter = (node) => {
  if (!ts.isStringLiteral(node)) return []
  const swap = (word: string) => edit(node, 'permission swapped', `'${word}'`)
  const [, subject, verb] = PERMISSION.exec(node.text) ?? []
  if (subject !== undefined) {
    const others = verb === 'read' ? ['orders.read', 'bills.read'] : [`${subject}.read`, 'orders.read']
    return [...new Set(others)].filter((word) => word !== node.text).map(swap)
  }
  const place = ROLES.indexOf(node.text)
  return place === -1 ? [] : [swap(ROLES[(place + 1) % ROLES.length] as string)]
}

/** Words for an unknown outcome, and the final words for which each is easily taken. The compiler drops those that do not fit. */
const FINAL = new Map(
  Object.entries({
    unknown: ['refused', 'failed', 'absent', 'closed', 'paid', 'done', 'shut'],
    retry: ['done'],
    retry_soon: ['done'],
    in_progress: ['done'],
    processing: ['done', 'failed', 'refused'],
    pending: ['paid', 'closed', 'absent'],
    PROCESSING: ['SUCCESS', 'FAIL'],
    NOTPAY: ['CLOSED'],
    CLOSING: ['CLOSED'],
    OPENING: ['SHUT', 'OPEN'],
    PENDING: ['DELIVERED', 'DEAD'],
  }),
)

const finals: Planter = (node) =>
  ts.isStringLiteral(node)
    ? (FINAL.get(node.text) ?? []).map((word) => edit(node, 'unknown made final', `'${word}'`))
    : []

/** `transaction(pool, (db) => write(db, ...))` where one write goes through the pool: it stays when the rest is undone. */
const transactions: Planter = (node, source) => {
  if (!ts.isCallExpression(node) || node.expression.getText(source) !== 'transaction') return []
  const [pool, work] = node.arguments
  if (pool === undefined || work === undefined || !ts.isArrowFunction(work)) return []
  const client = work.parameters[0]?.name.getText(source)
  const uses: ts.Identifier[] = []
  const walk = (inner: ts.Node): void => {
    if (ts.isIdentifier(inner) && inner.text === client && ts.isCallExpression(inner.parent)) uses.push(inner)
    ts.forEachChild(inner, walk)
  }
  walk(work.body)
  const outside = pool.getText(source)
  return uses.map((use) =>
    edit(use, 'out of its transaction', outside, `outside the transaction: ${short(use.parent.getText(source))}`),
  )
}

const amounts: Planter = (node, source) => {
  if (!ts.isBinaryExpression(node) || !/(?:\bfen|Fen|[aA]mount\w*)\b/.test(node.getText(source))) return []
  const word = node.operatorToken.getText(source)
  if (word !== '!==' && word !== '===') return []
  const others = word === '!==' ? ['<', '>'] : ['<=', '>=']
  return others.map((other) =>
    edit(node.operatorToken, 'amount one way', other, `${short(node.getText(source))} compared by ${other}`),
  )
}

const bounds: Planter = (node, source) => {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return []
  if (!/^Math\.(?:min|max)$/.test(node.expression.getText(source))) return []
  return node.arguments.map((argument) => edit(node, 'bound out', `(${argument.getText(source)})`))
}

const CLOCKS: Record<string, string> = { '+08:00': '+00:00', 'Asia/Shanghai': 'UTC' }

const clocks: Planter = (node, source) => {
  if (ts.isStringLiteralLike(node)) {
    const [from, to] = Object.entries(CLOCKS).find(([word]) => node.text.includes(word)) ?? []
    if (from === undefined || to === undefined) return []
    return [edit(node, 'another clock', node.getText(source).replace(from, to))]
  }
  const isShift = ts.isIdentifier(node) && /^(?:CHINA|UTC_?8|BEIJING|SHANGHAI)\w*(?:MS|OFFSET|SHIFT)$/.test(node.text)
  return isShift && ts.isBinaryExpression(node.parent) ? [edit(node, 'another clock', '0')] : []
}

/** A number that sets a limit: a constant, a default, a property. Zero is what a forgotten setting often is. */
const limits: Planter = (node, source) => {
  if (!ts.isNumericLiteral(node) || Number(node.text.replaceAll('_', '')) < 2) return []
  const { parent } = node
  const isLimit =
    ts.isVariableDeclaration(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isParameter(parent) ||
    ts.isBindingElement(parent) ||
    (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) ||
    (ts.isBinaryExpression(parent) && ts.isVariableDeclaration(parent.parent))
  return isLimit ? [edit(node, 'limit zero', '0', `${short(parent.getText(source))} with 0`)] : []
}

export const PAYMENTS: Planter[] = [permissions, finals, transactions, amounts, bounds, clocks, limits]
