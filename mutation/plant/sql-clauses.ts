/** Cuts a statement's tokens into clauses, and clauses into items and conditions. A range is [from, to) of token numbers. */
import type { Edit } from '../mutant.ts'
import type { Token } from './sql-tokens.ts'

export type Range = { from: number; to: number }
/** A statement, or a piece of one, with its tokens. */
export type Sql = { text: string; tokens: Token[] }
/** A mistake that speaks in token numbers; an empty range is a place before its token. */
export type SqlEdit = Range & { kind: string; replacement: string; says: string }

export const textOf = ({ text, tokens }: Sql, { from, to }: Range): string =>
  from >= to ? '' : text.slice(tokens[from]?.start, tokens[to - 1]?.end)

/** A mistake in token numbers as one in offsets. An empty range is a place before its token. */
export const withOffsets = ({ tokens }: Sql, { from, to, ...rest }: SqlEdit): Edit => {
  const start = tokens[from]?.start ?? 0
  return { ...rest, start, end: from === to ? start : (tokens[to - 1]?.end ?? start) }
}

export type Clause = Range & { name: string; at: number }

/** The words that begin a clause; `group by` and the like are one. */
const BEGINS = new Set(
  [
    'with',
    'insert',
    'update',
    'delete',
    'select',
    'from',
    'where',
    'group',
    'having',
    'order',
    'limit',
    'offset',
  ].concat(
    [
      'for',
      'returning',
      'on',
      'set',
      'values',
      'join',
      'left',
      'cross',
      'inner',
      'full',
      'union',
      'window',
      'partition',
    ],
    ['case', 'when', 'then', 'else', 'using'],
  ),
)

/** Every token number of a range at its own depth: what stands in brackets is one with its opening bracket. */
export function* shallow(tokens: Token[], { from, to }: Range): Generator<number> {
  for (let at = from; at < to; at += 1) {
    yield at
    const { close } = tokens[at] as Token
    if (close > at) at = close
  }
}

/** The ranges inside the brackets of a range, one level down. */
export const inside = (tokens: Token[], range: Range): Range[] =>
  [...shallow(tokens, range)].flatMap((at) => {
    const { close } = tokens[at] as Token
    return close > at ? [{ from: at + 1, to: close }] : []
  })

export function clausesOf(tokens: Token[], range: Range): Clause[] {
  const begins = [...shallow(tokens, range)].filter((at) => doesBegin(tokens, at))
  return begins.map((at, index) => {
    const name = nameAt(tokens, at)
    return { name, at, from: at + name.split(' ').length, to: begins[index + 1] ?? range.to }
  })
}

function doesBegin(tokens: Token[], at: number): boolean {
  const { text, isKeyword, close } = tokens[at] as Token
  const before = tokens[at - 1]?.text ?? ''
  if (!isKeyword || close > at || !BEGINS.has(text)) return false
  if (text === 'from') return before !== 'distinct'
  if (text === 'update') return before !== 'do' && before !== 'for' && before !== 'key'
  return text !== 'on' || before !== 'distinct'
}

function nameAt(tokens: Token[], at: number): string {
  const [{ text }, next] = [tokens[at] as Token, tokens[at + 1]?.text ?? '']
  const isPair = ['by', 'conflict', 'all'].includes(next) || (text === 'left' && next === 'join')
  return isPair ? `${text} ${next}` : text
}

function split(tokens: Token[], range: Range, isBreak: (at: number) => boolean): Range[] {
  const breaks = [...shallow(tokens, range)].filter(isBreak)
  const parts = [...breaks, range.to].map((to, index) => ({ from: (breaks[index - 1] ?? range.from - 1) + 1, to }))
  return parts.filter(({ from, to }) => to > from)
}

export const items = (tokens: Token[], range: Range): Range[] => split(tokens, range, (at) => tokens[at]?.text === ',')

/** The single conditions of a condition, at whatever depth of `and`, `or` and brackets. */
export function conditionsOf(tokens: Token[], range: Range): Range[] {
  const first = tokens[range.from]
  if (first === undefined || range.to <= range.from) return []
  const isGroup = first.text === '(' && first.close === range.to - 1
  if (isGroup && !/^(?:select|with)$/.test(tokens[range.from + 1]?.text ?? '')) {
    return conditionsOf(tokens, { from: range.from + 1, to: range.to - 1 })
  }
  for (const word of ['or', 'and']) {
    const parts = split(
      tokens,
      range,
      (at) => tokens[at]?.text === word && !(word === 'and' && isBetween(tokens, range, at)),
    )
    if (parts.length > 1 || (parts.length === 1 && parts[0]?.to !== range.to)) {
      return parts.flatMap((part) => conditionsOf(tokens, part))
    }
    if (parts.length === 1 && parts[0]?.from !== range.from) return conditionsOf(tokens, parts[0] as Range)
  }
  const own = withoutPieces(tokens, range)
  return own.from < own.to ? [own] : []
}

const JOINS = /^(?:[=<>!+\-*/|.,:(]+|is|in|like|between|not|any|::)$/

/** Without the `${…}` before or behind it that bring conditions of their own: `${which}state = $1${more}`. */
function withoutPieces(tokens: Token[], { from, to }: Range): Range {
  const isPiece = (at: number, neighbour: number): boolean =>
    tokens[at]?.isHole === true && to - from > 1 && !JOINS.test(tokens[neighbour]?.text ?? '')
  return { from: isPiece(from, from + 1) ? from + 1 : from, to: isPiece(to - 1, to - 2) ? to - 1 : to }
}

/** Whether this `and` belongs to a `between`. */
function isBetween(tokens: Token[], range: Range, at: number): boolean {
  for (let before = at - 1; before >= range.from; before -= 1) {
    if (tokens[before]?.text === 'and' || tokens[before]?.text === 'or') return false
    if (tokens[before]?.text === 'between') return true
  }
  return false
}

export const isCompared = (tokens: Token[], range: Range): boolean =>
  [...shallow(tokens, range)].some((at) => COMPARES.test(tokens[at]?.text ?? ''))

const COMPARES = /^(?:=|<>|!=|<|>|<=|>=|is|in|like|exists|between)$/
