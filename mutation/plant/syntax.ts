/** Walks over TypeScript's syntax tree, past everything that no run of the program feels: types, imports, logs, texts. */
import ts from 'typescript'
import type { Edit } from '../mutant.ts'

/** Looks at one node and answers the mistakes that can be planted there. */
export type Planter = (node: ts.Node, source: ts.SourceFile) => Edit[]

export const parse = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(
    file,
    text,
    ts.ScriptTarget.ES2023,
    true,
    file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  )

export function visit(source: ts.SourceFile, look: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    if (isUnfelt(node, source)) return
    look(node)
    ts.forEachChild(node, walk)
  }
  walk(source)
}

const isUnfelt = (node: ts.Node, source: ts.SourceFile): boolean =>
  ts.isTypeNode(node) ||
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  isLogCall(node, source) ||
  isErrorText(node)

/** `world.log.info(...)`, `console.error(...)`: what is written there no one acts upon. */
export const isLogCall = (node: ts.Node, source: ts.SourceFile): boolean =>
  ts.isCallExpression(node) && /(?:^|\.)(?:log|console)\??\.\w+$/.test(node.expression.getText(source))

/** The message of `new Error('...')`, not the throwing of it. */
const isErrorText = (node: ts.Node): boolean =>
  ts.isNewExpression(node.parent ?? node) &&
  (node.parent as ts.NewExpression).arguments?.includes(node as ts.Expression) === true &&
  /Error$/.test((node.parent as ts.NewExpression).expression.getText())

export const edit = (node: ts.Node, kind: string, replacement: string, says?: string): Edit => ({
  start: node.getStart(),
  end: node.getEnd(),
  kind,
  replacement,
  says: says ?? `${short(node.getText())} became ${short(replacement)}`,
})

/** One line, of which the end may be cut off. */
export const short = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 90 ? `${line.slice(0, 87)}...` : line
}

/** The names of the functions around a node, the outermost first. */
export function namesAround(node: ts.Node): string {
  const names: string[] = []
  for (let at: ts.Node = node; !ts.isSourceFile(at); at = at.parent) {
    const name = nameOf(at)
    if (name !== null) names.unshift(name)
  }
  return names.join('.') || 'module'
}

function nameOf(node: ts.Node): string | null {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isClassDeclaration(node)) {
    return node.name?.getText() ?? null
  }
  if ((ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)) && node.initializer !== undefined) {
    const { initializer } = node
    const isNamed = ts.isFunctionLike(initializer) || (ts.isVariableDeclaration(node) && isTopLevel(node))
    return isNamed ? node.name.getText() : null
  }
  return null
}

const isTopLevel = (node: ts.VariableDeclaration): boolean => ts.isSourceFile(node.parent.parent.parent)
