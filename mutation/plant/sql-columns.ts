/** Columns that a statement no longer reads, and values that it no longer writes. */

import { type Clause, items, type Range, type Sql, type SqlEdit, shallow, textOf } from './sql-clauses.ts'
import { short } from './syntax.ts'

/** Each column of a select or a returning list as null. What is selected for an insert is written as nothing. */
export function columnsOut(sql: Sql, range: Range, all: Clause[] = []): SqlEdit[] {
  const target = insertBefore(sql, range, all)
  if (target !== null) return valuesOut(sql, range, target)
  return items(sql.tokens, afterDistinct(sql, range)).flatMap((item) => {
    const { value, alias } = named(sql, item)
    const text = textOf(sql, value)
    if (isConstant(text) || isUnread(sql, value)) return []
    const own = /^(?:\w+\.)?(\w+)$/.exec(text)?.[1]
    const implied = own === undefined ? '' : `as ${own}`
    const replacement = `case when true then null else ${text} end ${alias || implied}`.trim()
    return [{ ...item, kind: 'sql: column', replacement, says: `null instead of ${short(textOf(sql, item))}` }]
  })
}

/** `select 1`, `select *`: nothing that is read by its name. */
const isConstant = (text: string): boolean => /^(?:\d*|(?:\w+\.)?\*)$/.test(text)

/** Pieces from elsewhere: their columns are planted where they stand. */
const isUnread = (sql: Sql, { from, to }: Range): boolean =>
  sql.tokens.slice(from, to).every(({ isHole }) => isHole) && to > from

function afterDistinct(sql: Sql, { from, to }: Range): Range {
  if (sql.tokens[from]?.text !== 'distinct') return { from, to }
  return { from: sql.tokens[from + 1]?.text === 'on' ? (sql.tokens[from + 2]?.close ?? from) + 1 : from + 1, to }
}

function named(sql: Sql, { from, to }: Range): { value: Range; alias: string } {
  const at = [...shallow(sql.tokens, { from, to })].find((index) => sql.tokens[index]?.text === 'as')
  return { value: { from, to: at ?? to }, alias: at === undefined ? '' : textOf(sql, { from: at, to }) }
}

type Target = { table: string; columns: string[] }

/** The table and columns of the insert whose rows this select or values makes. */
function insertBefore(sql: Sql, range: Range, all: Clause[]): Target | null {
  const insert = all.find(({ name, at }) => name === 'insert' && at < range.from)
  const isFirst = !all.some(
    (one) => one.name === 'select' && insert !== undefined && one.at > insert.at && one.from < range.from,
  )
  if (insert === undefined || !isFirst || sql.tokens[range.from - 1]?.text === 'returning') return null
  return targetAt(sql, insert.at)
}

function targetAt(sql: Sql, at: number): Target | null {
  const open = at + 3
  const [table, bracket] = [sql.tokens[at + 2], sql.tokens[open]]
  if (table === undefined || bracket?.text !== '(') return null
  return {
    table: table.text,
    columns: items(sql.tokens, { from: open + 1, to: bracket.close }).map((one) => textOf(sql, one)),
  }
}

/** A null of the column's own type, so that the parameter beside it keeps its type. */
const valuesOut = (sql: Sql, range: Range, { table, columns }: Target): SqlEdit[] =>
  items(sql.tokens, range).flatMap((item, index) => {
    const column = columns[index]
    if (column === undefined || isUnread(sql, item)) return []
    const replacement = `case when true then (select x.${column} from ${table} x where false) else ${textOf(sql, item)} end`
    return [{ ...item, kind: 'sql: column', replacement, says: `${column} is not written` }]
  })

/** Each `column = value` of an update leaves the column as it is; each value of an insert's `values` is null. */
export function writtenOut(sql: Sql, range: Range, all: Clause[] | null): SqlEdit[] {
  const open = sql.tokens[range.from]
  if (sql.tokens[range.from - 1]?.text === 'values' && open?.text === '(') {
    const insert = sql.tokens.slice(0, range.from).findLastIndex(({ text }) => text === 'insert')
    const target = insert === -1 ? null : targetAt(sql, insert)
    return target === null ? [] : valuesOut(sql, { from: range.from + 1, to: open.close }, target)
  }
  const table = updated(sql, range, all)
  return items(sql.tokens, range).flatMap((item) => {
    if (sql.tokens[item.from + 1]?.text !== '=') return []
    const column = textOf(sql, { from: item.from, to: item.from + 1 })
    const value = textOf(sql, { from: item.from + 2, to: item.to })
    const replacement = `${column} = case when true then ${table}${column} else ${value} end`
    return [{ ...item, kind: 'sql: column', replacement, says: `${column} is not written` }]
  })
}

/** What the updated table is called in its statement. */
function updated(sql: Sql, range: Range, all: Clause[] | null): string {
  if (all === null) return ''
  const before = all.findLast(({ name, at }) => (name === 'update' || name === 'insert') && at < range.from)
  if (before === undefined) return ''
  const isInsert = before.name === 'insert'
  const at = isInsert ? before.at + 2 : before.to - 1
  return `${sql.tokens[at]?.text}.`
}
