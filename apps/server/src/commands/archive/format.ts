/**
 * The text of a backup. It is an SQL script that psql can load into the empty schema of the same version: for each table a COPY
 * statement, its rows and `\.`. What the script itself does not need stands in comments: `-- acopay header`, `-- acopay table` after
 * each table, `-- acopay end`.
 */
import type { MoneySum, TableColumns } from '@acopay/store'

export const FORMAT = 1

export type Header = {
  format: typeof FORMAT
  /** The program's. */
  version: string
  migration: { number: number; name: string }
  /** The moment of the database that the archive shows, by the gateway's clock. */
  takenAt: string
  /** Of the master keys that were at hand; one of them is needed. Never the keys. */
  masterKeys: string[]
  /** Platform keys whose private halves lie elsewhere, by their place: these are needed too. */
  platformKeysElsewhere: string[]
}

export type TableEnd = { table: string; rows: number; bytes: number; sha256: string }

export type End = {
  rows: number
  sums: MoneySum[]
  /** Keyed hash over the header, the tables and the sums, by a key that is in the database, sealed. */
  mac: string
}

export type Piece =
  | { kind: 'header'; header: Header }
  | { kind: 'begin'; table: TableColumns }
  | { kind: 'rows'; bytes: Buffer }
  | { kind: 'table'; table: TableEnd }
  | { kind: 'end'; end: End }

export const headerText = (header: Header): string =>
  [
    `-- ACO Pay backup. Data of every table; the schema is that of migration ${header.migration.name}.`,
    '-- Restore it with: acopay-server restore FILE',
    `-- acopay header ${JSON.stringify(header)}`,
    `set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set client_encoding = 'UTF8';`,
    '',
  ].join('\n')

export const tableText = (table: TableEnd): string => `\\.\n-- acopay table ${JSON.stringify(table)}\n`

export const endText = (end: End): string => `-- acopay end ${JSON.stringify(end)}\n`

/** What the archive's keyed hash is over. */
export const statementOf = (header: Header, tables: TableEnd[], sums: MoneySum[]): string =>
  `backup\n${JSON.stringify([header, tables, sums])}`

const MARK = /^-- acopay (header|table|end) (.*)$/
const COPY = /^COPY ("[^"]+"|[a-z_]+) \((.*)\) FROM stdin;$/
const LAST_ROW = Buffer.from('\\.\n')
const BREAK_AND_LAST_ROW = Buffer.from('\n\\.\n')
/** A comment of the archive's own; rows may be longer. */
const LINE_BYTES_MAX = 16 * 1024 * 1024

export const DAMAGED = '备份文件不完整或已损坏 (the archive is incomplete or damaged)'

/** Reads an archive's pieces, in their order. Rows come in pieces that end with a line. Throws where it is no archive. */
export async function* piecesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  let at: Place = { rest: Buffer.alloc(0), isInRows: false, isStuck: false }
  for await (const chunk of source) {
    at = { ...at, rest: at.rest.length === 0 ? chunk : Buffer.concat([at.rest, chunk]), isStuck: false }
    while (!at.isStuck) {
      const { piece, ...next } = at.isInRows ? rowsAt(at.rest) : lineAt(at.rest)
      at = next
      if (piece !== null) yield piece
    }
  }
  if (at.isInRows || at.rest.length > 0) throw new Error(DAMAGED)
}

/** `isStuck`: more bytes are needed. */
type Place = { rest: Buffer; isInRows: boolean; isStuck: boolean }
type Step = Place & { piece: Piece | null }

function rowsAt(bytes: Buffer): Step {
  const { rows, isLast, after } = rowsOf(bytes)
  return {
    piece: rows.length > 0 ? { kind: 'rows', bytes: rows } : null,
    rest: after,
    isInRows: !isLast,
    isStuck: !isLast,
  }
}

function lineAt(bytes: Buffer): Step {
  const end = bytes.indexOf(10)
  if (end < 0 && bytes.length > LINE_BYTES_MAX) throw new Error(DAMAGED)
  if (end < 0) return { piece: null, rest: bytes, isInRows: false, isStuck: true }
  const piece = pieceOf(bytes.subarray(0, end).toString('utf8'))
  return { piece, rest: bytes.subarray(end + 1), isInRows: piece?.kind === 'begin', isStuck: false }
}

/** The rows that are complete, and whether the last row of the table is among them. */
function rowsOf(bytes: Buffer): { rows: Buffer; isLast: boolean; after: Buffer } {
  if (bytes.subarray(0, LAST_ROW.length).equals(LAST_ROW)) {
    return { rows: Buffer.alloc(0), isLast: true, after: bytes.subarray(LAST_ROW.length) }
  }
  const last = bytes.indexOf(BREAK_AND_LAST_ROW)
  if (last >= 0) {
    return { rows: bytes.subarray(0, last + 1), isLast: true, after: bytes.subarray(last + BREAK_AND_LAST_ROW.length) }
  }
  const end = bytes.lastIndexOf(10) + 1
  return { rows: bytes.subarray(0, end), isLast: false, after: bytes.subarray(end) }
}

function pieceOf(line: string): Piece | null {
  const [, mark, json = ''] = MARK.exec(line) ?? []
  if (mark !== undefined) return markOf(mark, json)
  const [, table, columns] = COPY.exec(line) ?? []
  if (table === undefined || columns === undefined) return null
  return { kind: 'begin', table: { table: unquoted(table), columns: columns.split(', ').map(unquoted) } }
}

function markOf(mark: string, json: string): Piece {
  let found: unknown
  try {
    found = JSON.parse(json)
  } catch {
    throw new Error(DAMAGED)
  }
  if (mark === 'header') return { kind: 'header', header: found as Header }
  if (mark === 'table') return { kind: 'table', table: found as TableEnd }
  return { kind: 'end', end: found as End }
}

const unquoted = (name: string): string => name.replace(/^"|"$/g, '')
