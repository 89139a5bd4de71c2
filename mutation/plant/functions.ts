/**
 * Mistakes in the functions that migrations store in the database: in each of their statements what sql.ts plants in a statement, and
 * a statement taken out. A function that a later migration replaces is left alone.
 */
import type { Edit } from '../mutant.ts'
import { conditions, region } from './sql.ts'
import { type Range, type Sql, type SqlEdit, shallow, textOf, withOffsets } from './sql-clauses.ts'
import { parses, parsesAsFunction, type Token, tokensOf } from './sql-tokens.ts'
import { short } from './syntax.ts'

/** `text`: the statement that stores it. `body` lies between its two `$$`. Offsets are those of the migration's text. */
export type StoredFunction = { name: string; start: number; text: string; body: Range }

const FUNCTION = /^create (?:or replace )?function (\w+)\([\s\S]*? as \$\$\n([\s\S]*?)\$\$;$/gm

export const functionsIn = (migration: string): StoredFunction[] =>
  [...migration.matchAll(FUNCTION)].map((match) => {
    const [text, name = '', body = ''] = match
    const from = match.index + text.length - '$$;'.length - body.length
    return { name, start: match.index, text, body: { from, to: from + body.length } }
  })

/** `later`: the texts of the migrations that come after this one. */
export function plantFunctions(migration: string, later: string[]): (Edit & { within: string })[] {
  const replaced = new Set(later.flatMap(functionsIn).map(({ name }) => name))
  return functionsIn(migration)
    .filter(({ name }) => !replaced.has(name))
    .flatMap((stored) => plantBody(migration, stored).map((one) => ({ ...one, within: stored.name })))
}

function plantBody(migration: string, { start, text, body }: StoredFunction): Edit[] {
  const sql = { text: migration.slice(body.from, body.to), tokens: tokensOf(migration.slice(body.from, body.to)) }
  if (sql.tokens === null) throw new Error(`a function cannot be read: ${short(text)}`)
  return statementsOf(sql.tokens)
    .flatMap((range) => plantStatement(sql as Sql, range))
    .map((one) => ({ ...one, start: one.start + body.from, end: one.end + body.from }))
    .filter((one) => parsesAsFunction(text.slice(0, one.start - start) + one.replacement + text.slice(one.end - start)))
}

const ENDS = new Set([';', 'loop', 'then', 'begin', 'declare', 'else'])

/** From each word that ends a statement to the next. */
function statementsOf(tokens: Token[]): Range[] {
  const ends = [...shallow(tokens, { from: 0, to: tokens.length })].filter((at) => ENDS.has(tokens[at]?.text ?? ''))
  return ends.map((to, index) => ({ from: (ends[index - 1] ?? -1) + 1, to })).filter(({ from, to }) => to > from)
}

function plantStatement(sql: Sql, whole: Range): Edit[] {
  const asked = askedOf(sql.tokens, whole)
  const [from, to] = [sql.tokens[asked.from]?.start ?? 0, sql.tokens[asked.to - 1]?.end ?? 0]
  return mistakes(sql, whole, asked)
    .map((one) => withOffsets(sql, one))
    .filter(({ start, end, replacement, kind }) => {
      if (kind === OUT) return true
      const isInside = from <= start && end <= to
      return isInside && parses(asQuery(sql.text.slice(from, start) + replacement + sql.text.slice(end, to)))
    })
}

const OUT = 'sql: statement out'

function mistakes(sql: Sql, whole: Range, asked: Range): SqlEdit[] {
  const out = { ...whole, kind: OUT, replacement: 'null', says: `without ${short(textOf(sql, whole))}` }
  switch (sql.tokens[whole.from]?.text) {
    case 'if':
    case 'elsif':
      return conditions(sql, asked)
    case 'exit':
    case 'continue':
      return [...conditions(sql, asked), out]
    case 'insert':
    case 'update':
    case 'delete':
      return [...region(sql, asked), out]
    case 'return':
      return [...(asked.from === whole.from ? [] : region(sql, asked)), out]
    case 'end':
    case 'get':
      return []
    default:
      return region(sql, asked)
  }
}

/** The query or the expression within a statement: what comes after `if`, `for … in`, `return query`, `:=`. */
function askedOf(tokens: Token[], { from, to }: Range): Range {
  const [first, second] = [tokens[from]?.text, tokens[from + 1]?.text]
  const after = (word: string): number =>
    [...shallow(tokens, { from, to })].find((at) => tokens[at]?.text === word) ?? to
  if (first === 'for') return { from: after('in') + 1, to }
  if (first === 'if' || first === 'elsif') return { from: from + 1, to }
  if (first === 'exit' || first === 'continue') return { from: Math.min(to, after('when') + 1), to }
  if (first === 'return') return second === 'query' ? { from: from + 2, to } : { from, to }
  return second === ':=' ? { from: from + 2, to } : { from, to }
}

/** The same as a statement that PostgreSQL's parser takes: the variables that it fills are left out. */
const asQuery = (text: string): string => {
  const query = text.replace(/^perform\b/, 'select').replace(/(?<!\binsert\s+)\binto [a-z_]+(?:, [a-z_]+)*(?=\s|$)/, '')
  return /^(?:select|insert|update|delete|with)\b/.test(query) ? query : `select ${query}`
}
