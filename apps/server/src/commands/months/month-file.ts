/**
 * The text of a month's file: as a backup it is an SQL script, with the orders of one merchant after the other, some hundred at a time. Each
 * such part is the COPY of their rows from each table, and so is complete in itself.
 */
import { createHash } from 'node:crypto'
import type { OrderRows } from '@acopay/store'
import { copyStatement } from '@acopay/store'
import { readArchiveFile } from '../archive/archive-file.ts'
import type { Unlock } from '../archive/encryption.ts'
import { DAMAGED, endText, type Piece, type TableEnd, tableText } from '../archive/format.ts'
import { tally } from '../archive/tally.ts'

const KIND = 'acopay archived orders 1'

export type MonthHeader = {
  kind: typeof KIND
  archiveNo: string
  month: string
  /** The program's. */
  version: string
  migration: { number: number; name: string }
  writtenAt: string
  /** Fingerprints of the master keys that were at hand. */
  masterKeys: string[]
}

export const monthHeader = (of: Omit<MonthHeader, 'kind'>): MonthHeader => ({ kind: KIND, ...of })

/** Orders of one merchant with all their rows. `part` counts from 1. */
export type MonthPart = { part: number; mchNo: string; numbers: string[]; rows: OrderRows[] }

/** Rows and bytes by table. */
export type Totals = Map<string, { rows: number; bytes: number }>

export type Written = { orders: number; rows: number; totals: Totals }

/** The whole text. `written` adds up what has been handed out. */
export async function* monthText(
  header: MonthHeader,
  parts: AsyncIterable<MonthPart>,
  written: Written,
): AsyncGenerator<Buffer> {
  yield Buffer.from(
    [
      `-- ACO Pay: orders of ${header.month}. Bring them back with: acopay-server archive restore FILE`,
      `-- acopay header ${JSON.stringify(header)}`,
      `set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set client_encoding = 'UTF8';`,
      '',
    ].join('\n'),
  )
  const contents = createHash('sha256')
  for await (const { rows, numbers } of parts) {
    written.orders += numbers.length
    for (const one of rows) {
      if (one.lines.length === 0) continue
      const bytes = Buffer.from(`${one.lines.join('\n')}\n`, 'latin1')
      const end = endOf(one.table, bytes)
      add(written, end)
      contents.update(tableText(end))
      yield Buffer.concat([Buffer.from(`${copyStatement(one)}\n`), bytes, Buffer.from(tableText(end))])
    }
  }
  yield Buffer.from(endText({ rows: written.rows, sums: [], mac: contents.digest('hex') }))
}

export const nothingYet = (): Written => ({ orders: 0, rows: 0, totals: new Map() })

function add(written: Written, { table, rows, bytes }: TableEnd): void {
  const known = written.totals.get(table) ?? { rows: 0, bytes: 0 }
  written.totals.set(table, { rows: known.rows + rows, bytes: known.bytes + bytes })
  written.rows += rows
}

function endOf(table: string, bytes: Buffer): TableEnd {
  const counted = tally()
  counted.add(bytes)
  return counted.end(table)
}

/** Reads a file once, part by part, and throws where a byte of it is not what was written. Returns what it holds. */
export const readMonthFile = (
  file: string,
  unlock: Unlock,
  use: (part: MonthPart, header: MonthHeader) => Promise<void>,
): Promise<{ header: MonthHeader; written: Written }> =>
  readArchiveFile(file, unlock, async (pieces) => {
    const header = headerOf((await pieces.next()).value)
    const written = nothingYet()
    for await (const part of partsOf(pieces, written)) await use(part, header)
    return { header, written }
  })

function headerOf(first: Piece | undefined): MonthHeader {
  const header = first?.kind === 'header' ? (first.header as unknown as MonthHeader) : null
  if (header?.kind !== KIND) throw new Error('这不是订单归档文件 (this is no file of archived orders)')
  return header
}

/** Whether this is the header of a month's file, and not of a backup. */
export const isMonthHeader = (header: object): boolean => 'kind' in header && header.kind === KIND

/** A part begins with its orders. */
async function* partsOf(pieces: AsyncGenerator<Piece>, written: Written): AsyncGenerator<MonthPart> {
  let [rows, part]: [OrderRows[], number] = [[], 1]
  for await (const table of rowsOf(pieces, written)) {
    if (table.table === 'orders' && rows.length > 0) {
      yield partOf(part, rows)
      part += 1
      rows = []
    }
    rows.push(table)
  }
  if (rows.length > 0) yield partOf(part, rows)
}

/** Table after table, up to an end that says what they were. */
async function* rowsOf(pieces: AsyncGenerator<Piece>, written: Written): AsyncGenerator<OrderRows> {
  const contents = createHash('sha256')
  for (;;) {
    const { value: piece } = (await pieces.next()) as { value: Piece | undefined }
    if (piece?.kind === 'end') {
      if (piece.end.mac !== contents.digest('hex') || piece.end.rows !== written.rows) throw new Error(DAMAGED)
      return
    }
    if (piece?.kind !== 'begin') throw new Error(DAMAGED)
    const { lines, end } = await linesOf(pieces, piece.table.table)
    contents.update(tableText(end))
    add(written, end)
    if (piece.table.table === 'orders') written.orders += lines.length
    yield { ...piece.table, lines }
  }
}

async function linesOf(pieces: AsyncGenerator<Piece>, table: string): Promise<{ lines: string[]; end: TableEnd }> {
  const chunks: Buffer[] = []
  for (;;) {
    const next = await pieces.next()
    if (next.done === true) throw new Error(DAMAGED)
    if (next.value.kind === 'rows') chunks.push(next.value.bytes)
    else if (next.value.kind === 'table') {
      const bytes = Buffer.concat(chunks)
      if (JSON.stringify(endOf(table, bytes)) !== JSON.stringify(next.value.table))
        throw new Error(`${DAMAGED}: ${table}`)
      return { lines: bytes.toString('latin1').split('\n').slice(0, -1), end: next.value.table }
    } else throw new Error(DAMAGED)
  }
}

/** The merchant's number and the order's, which are the first two of every line. */
export const orderOfLine = (line: string): { mchNo: string; number: string } => {
  const [mchNo = '', number = ''] = line.split('\t', 2)
  return { mchNo, number }
}

function partOf(part: number, rows: OrderRows[]): MonthPart {
  const orders = rows[0]?.table === 'orders' ? rows[0].lines.map(orderOfLine) : []
  const [first] = orders
  if (first === undefined || orders.some(({ mchNo }) => mchNo !== first.mchNo)) throw new Error(DAMAGED)
  return { part, mchNo: first.mchNo, numbers: orders.map(({ number }) => number), rows }
}

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** The values of a line by the names of their columns, as texts. */
export function valuesOf({ columns }: OrderRows, line: string): Record<string, string | null> {
  const values = Buffer.from(line, 'latin1').toString('utf8').split('\t')
  return Object.fromEntries(
    columns.map((name, index) => {
      const value = values[index] ?? ''
      return [name, value === '\\N' ? null : value.replaceAll(/\\(.)/gs, (_, sign: string) => ESCAPES[sign] ?? sign)]
    }),
  )
}
