/**
 * Mistakes in SQL: each condition, lock, conflict clause, order, limit, column and default taken out or turned, one at a time.
 * A part is taken out so that its parameters keep their types: otherwise PostgreSQL refuses the statement, and any test sees it.
 */
import ts from 'typescript'
import type { Edit } from '../mutant.ts'
import {
  type Clause,
  clausesOf,
  conditionsOf,
  inside,
  isCompared,
  items,
  type Range,
  type Sql,
  type SqlEdit,
  shallow,
  textOf,
  withOffsets,
} from './sql-clauses.ts'
import { columnsOut, writtenOut } from './sql-columns.ts'
import { parses, type Token, tokensOf } from './sql-tokens.ts'
import { type Planter, short } from './syntax.ts'

const STATEMENT = /^\s*(?:with|select|insert|update|delete)\b[\s\S]*(?:\b(?:from|into|set|select)\b|\()/i
const FRAGMENT =
  /\$\d|\$\{\w+\} |^\s*(?:and |or )?[a-z_.]+ (?:=|<>|<=|>=|<|>|is|in) |\bas "\w+"|^\s*(?:where|order by|for update)\b/
const WHERE_SQL_LIES = /(?:^|\/)packages\/store\//

export const plantSql: Planter = (node, source) => {
  if (!ts.isStringLiteral(node) && !ts.isNoSubstitutionTemplateLiteral(node) && !ts.isTemplateExpression(node))
    return []
  const start = node.getStart(source) + 1
  const text = source.text.slice(start, node.getEnd() - 1)
  const isFragment = WHERE_SQL_LIES.test(source.fileName) && FRAGMENT.test(text) && /[a-z]/.test(text)
  if (text.includes('\\') || (!STATEMENT.test(text) && !isFragment)) return []
  const quote = source.text.charAt(start - 1)
  return planted(text)
    .filter(({ replacement }) => !replacement.includes(quote))
    .map((one) => ({ ...one, start: one.start + start, end: one.end + start }))
}

/** The mistakes of one statement, or of a piece of one. */
function planted(text: string): Edit[] {
  const tokens = tokensOf(text)
  if (tokens === null) return []
  const sql = { text, tokens }
  const isStatement = parses(text)
  return region(sql, { from: 0, to: tokens.length })
    .map((one) => withOffsets(sql, one))
    .filter(
      ({ start, end, replacement }) => !isStatement || parses(text.slice(0, start) + replacement + text.slice(end)),
    )
}

export function region(sql: Sql, range: Range): SqlEdit[] {
  const { tokens } = sql
  const clauses = clausesOf(tokens, range)
  const found = clauses.flatMap((clause) => ofClause(sql, clause, clauses))
  const deeper = inside(tokens, range).flatMap((inner) => region(sql, inner))
  const isBare = clauses.length === 0 && range.from === 0
  return [...found, ...(isBare ? fragment(sql, range) : []), ...words(sql, range), ...deeper]
}

function fragment(sql: Sql, range: Range): SqlEdit[] {
  const parts = items(sql.tokens, range)
  if (parts.length === 1) return isCompared(sql.tokens, range) ? conditions(sql, range) : columnsOut(sql, range)
  return /^\s*[\w.]+ = /.test(sql.text) ? writtenOut(sql, range, null) : columnsOut(sql, range)
}

function ofClause(sql: Sql, clause: Clause, all: Clause[]): SqlEdit[] {
  switch (clause.name) {
    case 'where':
    case 'having':
    case 'on':
    case 'when':
      return conditions(sql, clause)
    case 'select':
    case 'returning':
      return [...columnsOut(sql, clause, all), ...picked(sql, clause)]
    case 'set':
      return writtenOut(sql, clause, all)
    case 'order by':
      return ordered(sql, clause)
    default:
      return wholes(sql, clause)
  }
}

/** Clauses that are taken out as a whole. */
function wholes(sql: Sql, clause: Clause): SqlEdit[] {
  const whole = { from: clause.at, to: clause.to }
  const said = short(textOf(sql, whole))
  switch (clause.name) {
    case 'for':
      return locks(sql, whole)
    case 'limit':
      return [
        { ...clause, kind: 'sql: limit', replacement: `${textOf(sql, clause)} + 1000000`, says: `without ${said}` },
      ]
    case 'offset':
      return [{ ...clause, kind: 'sql: limit', replacement: `0 * ${textOf(sql, clause)}`, says: `without ${said}` }]
    case 'on conflict':
      return [{ ...whole, kind: 'sql: conflict', replacement: '', says: `without ${said}` }]
    case 'left join':
      return [{ from: clause.at, to: clause.at + 1, kind: 'sql: join', replacement: '', says: `a plain join: ${said}` }]
    case 'values':
      return writtenOut(sql, clause, null)
    default:
      return []
  }
}

function locks(sql: Sql, whole: Range): SqlEdit[] {
  const at = [...shallow(sql.tokens, whole)].find((index) => sql.tokens[index]?.text === 'skip')
  const out = { ...whole, kind: 'sql: lock', replacement: '', says: `without ${textOf(sql, whole)}` }
  if (at === undefined) return [out]
  return [out, { from: at, to: at + 2, kind: 'sql: lock', replacement: '', says: 'without skip locked' }]
}

function ordered(sql: Sql, clause: Clause): SqlEdit[] {
  const whole = { from: clause.at, to: clause.to }
  const out = { ...whole, kind: 'sql: order', replacement: '', says: `without ${short(textOf(sql, whole))}` }
  const turned = items(sql.tokens, clause).map((item): SqlEdit => {
    const text = textOf(sql, item)
    const replacement = / desc$/i.test(text) ? text.slice(0, -5) : `${text} desc`
    return { ...item, kind: 'sql: order', replacement, says: `order by ${replacement}` }
  })
  return [out, ...turned]
}

/** Conditions in a list of columns: `exists (…) as "isPaid"`. */
const picked = (sql: Sql, clause: Clause): SqlEdit[] =>
  items(sql.tokens, clause)
    .map(({ from, to }) => {
      const alias = [...shallow(sql.tokens, { from, to })].find((at) => sql.tokens[at]?.text === 'as')
      return { from, to: alias ?? to }
    })
    .filter((item) => isCompared(sql.tokens, item))
    .flatMap((item) => conditions(sql, item))

export function conditions(sql: Sql, range: Range): SqlEdit[] {
  return conditionsOf(sql.tokens, range)
    .filter(({ from, to }) => to - from > 1 || sql.tokens[from]?.isHole === false)
    .flatMap((one) => {
      const text = textOf(sql, one)
      const out = {
        ...one,
        kind: 'sql: condition out',
        replacement: `(${text} or true)`,
        says: `without the condition ${short(text)}`,
      }
      return [out, ...turns(sql, one)]
    })
}

const TURNED: Record<string, string[]> = {
  '=': ['<>'],
  '<>': ['='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
}

function turns(sql: Sql, one: Range): SqlEdit[] {
  const kind = 'sql: condition turned'
  const text = textOf(sql, one)
  const at = [...shallow(sql.tokens, one)].find((index) => (sql.tokens[index]?.text ?? '') in TURNED)
  const isAny = at !== undefined && /^(?:any|all)$/.test(sql.tokens[at + 1]?.text ?? '')
  if (at === undefined || isAny)
    return [{ ...one, kind, replacement: `not (${text})`, says: `turned: not (${short(text)})` }]
  return (TURNED[sql.tokens[at]?.text ?? ''] ?? []).map((other) => {
    const [left, right] = [textOf(sql, { from: one.from, to: at }), textOf(sql, { from: at + 1, to: one.to })]
    const replacement = `${left} ${other} ${right}`
    return { ...one, kind, replacement, says: `turned: ${short(text)} became ${short(replacement)}` }
  })
}

/** Single words: a sum's sign, `max` and `min`, `distinct`, and calls that choose one of several values. */
const words = (sql: Sql, range: Range): SqlEdit[] =>
  [...shallow(sql.tokens, range)].flatMap((at): SqlEdit[] => {
    const { text } = sql.tokens[at] as Token
    const other = OTHER_SIGN.get(text)
    const says = `${text} became ${other}`
    if (other !== undefined) return [{ from: at, to: at + 1, kind: 'sql: sign', replacement: other, says }]
    if (text === 'distinct') return distinct(sql, at)
    return CHOOSES.test(text) && sql.tokens[at + 1]?.text === '(' ? chosen(sql, at) : []
  })

const OTHER_SIGN = new Map([
  ['+', '-'],
  ['-', '+'],
  ['max', 'min'],
  ['min', 'max'],
])
const CHOOSES = /^(?:coalesce|greatest|least|nullif)$/

function distinct(sql: Sql, at: number): SqlEdit[] {
  if (['is', 'not'].includes(sql.tokens[at - 1]?.text ?? '')) return []
  const isOn = sql.tokens[at + 1]?.text === 'on'
  const to = isOn ? (sql.tokens[at + 2]?.close ?? at) + 1 : at + 1
  return [{ from: at, to, kind: 'sql: distinct', replacement: '', says: `without ${textOf(sql, { from: at, to })}` }]
}

/** `coalesce(a, b)` always its first or always its second value. */
function chosen(sql: Sql, at: number): SqlEdit[] {
  const close = sql.tokens[at + 1]?.close ?? at
  const [first, ...others] = items(sql.tokens, { from: at + 2, to: close }).map((item) => textOf(sql, item))
  const last = others.at(-1)
  if (first === undefined || last === undefined) return []
  const whole = { from: at, to: close + 1 }
  const call = short(textOf(sql, whole))
  const always = (one: string, other: string): SqlEdit => ({
    ...whole,
    kind: 'sql: default',
    replacement: `case when true then ${one} else ${other} end`,
    says: `${call} always its ${short(one)}`,
  })
  return [always(first, last), always(last, first)]
}
