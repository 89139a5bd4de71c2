/** Every statement of the store as its source has it, and whether it names its merchant. Read, not run: texts that are put together are joined. */
import fs from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

const STORE = path.join(import.meta.dirname, '..', 'packages', 'store')

export type StoreStatement = { file: string; name: string; text: string }

/** Those that are run under a name, by the order of the files. */
export function storeStatements(): StoreStatement[] {
  return fs
    .readdirSync(path.join(STORE, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .sort()
    .flatMap((file) =>
      statementsIn(`packages/store/src/${file}`, fs.readFileSync(path.join(STORE, 'src', file), 'utf8')),
    )
}

/** `run(db, name, text, values)`, `runOver(over, name, text, values)`, and `of(name, text)` where a function runs several of one order. */
export function statementsIn(file: string, source: string): StoreStatement[] {
  const root = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const known = constantsOf(root)
  const found: StoreStatement[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const [name, text] =
        { run: node.arguments.slice(1), runOver: node.arguments.slice(1), of: node.arguments }[node.expression.text] ??
        []
      if (name !== undefined && text !== undefined && !ts.isArrowFunction(text)) {
        const words = textOf(text, known)
        if (/\b(?:select|insert|update|delete)\b/.test(words))
          found.push({ file, name: nameOf(name, file), text: words })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(root)
  return found
}

type Known = Map<string, ts.Expression>

/** By its name, whatever is given a value, or is a function that answers one expression. */
function constantsOf(root: ts.SourceFile): Known {
  const known: Known = new Map()
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      const { initializer } = node
      const isShort = ts.isArrowFunction(initializer) && !ts.isBlock(initializer.body)
      known.set(node.name.text, isShort ? (initializer.body as ts.Expression) : initializer)
    }
    ts.forEachChild(node, visit)
  }
  visit(root)
  return known
}

/** The words of all texts in it, with what the file itself says of the names in it. */
function textOf(node: ts.Node, known: Known, depth = 0): string {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    const spans = node.templateSpans.map(({ expression, literal }) => {
      const inner = textOf(expression, known, depth)
      return `${inner === '' ? '$?' : inner}${literal.text}`
    })
    return node.head.text + spans.join('')
  }
  if (ts.isIdentifier(node)) {
    const value = known.get(node.text)
    return value === undefined || depth > 4 ? '' : textOf(value, known, depth + 1)
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) return textOf(node.expression, known, depth)
  const parts: string[] = []
  ts.forEachChild(node, (child) => {
    parts.push(textOf(child, known, depth))
  })
  return parts.filter((part) => part !== '').join(' ')
}

/** As it stands in the source; of one that is put together, its file. */
const nameOf = (node: ts.Node, file: string): string => (ts.isStringLiteralLike(node) ? node.text : file)

const MIGRATIONS = path.join(STORE, 'migrations')
const migrationTexts = (): string[] =>
  fs
    .readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => fs.readFileSync(path.join(MIGRATIONS, name), 'utf8'))

/** Tables whose primary key begins with the merchant. */
export const merchantTables = (): string[] =>
  migrationTexts().flatMap((sql) =>
    [...sql.matchAll(/^create table (\w+) \(([\s\S]*?)^\);$/gm)].flatMap(([, name = '', body = '']) =>
      /primary key \(mch_no\b|^\s+mch_no\s[^,]*primary key/m.test(body) ? [name] : [],
    ),
  )

/** Functions that are told by a merchant where they work. */
export const groupFunctions = (): string[] =>
  migrationTexts().flatMap((sql) =>
    [...sql.matchAll(/create (?:or replace )?function (\w+)\(\s*p_group\b/g)].map(([, name = '']) => name),
  )

/** Whether it always says by a value whose rows it is about. */
export function namesItsMerchant(text: string, functions: readonly string[]): boolean {
  if (/ is null or (?:\w+\.)?mch_no = /.test(text)) return false
  if (functions.some((name) => text.includes(`${name}($1`))) return true
  return /\bmch_no = (?:any ?\()?\$|\(mch_no,[^)]*\)\s*(?:values \(|select )\$1\b/.test(text)
}

export const touches = (text: string, tables: readonly string[]): boolean =>
  tables.some((table) => new RegExp(`\\b(?:from|join|into|update|merchant m,|,)\\s+${table}\\b`).test(text)) ||
  /\b(?:due_notifications|due_times)\(/.test(text)

/** The stored functions as the last migration that defines each has it. */
export function storedFunctions(): StoreStatement[] {
  const last = new Map<string, string>()
  for (const sql of migrationTexts()) {
    for (const [text, name = ''] of sql.matchAll(/^create (?:or replace )?function (\w+)\([\s\S]*?^\$\$;$/gm))
      last.set(name, text)
  }
  return Array.from(last, ([name, text]) => ({ file: 'packages/store/migrations', name, text }))
}

const BY_KEY_AND_STATE =
  /\b((?:\w+\.)?)(?:transaction_no|mch_trade_no|refund_no|attempt_no|seq|subject) = [^;]{1,100}?\s+and \1(?:state = (?:'(?:NOTPAY|CLOSING|PENDING|PROCESSING|DEAD)'|p_)|due_at <=)/

/**
 * Whether it names a row by its key and asks for a state beside it: an index of what has that state may then be read instead of the key's
 * (docs/decisions/0054-found-by-key.md).
 */
export const asksForStateBesideKey = (text: string): boolean => BY_KEY_AND_STATE.test(text)
