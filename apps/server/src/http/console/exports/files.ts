/**
 * Files of any number of rows, as CSV or as a workbook. Rows come page by page while the browser takes the file, so that no file is in
 * memory as a whole; when the browser gives up, the next page is not asked for.
 */
import { writeXlsxStream } from 'hucre/xlsx'
import type { ConsoleFile } from '../call.ts'
import {
  type Column,
  csvHead,
  csvRecord,
  headings,
  type Language,
  SHEET_FORMATS,
  type SheetCell,
  sheetRow,
} from './cells.ts'

export const FORMATS = ['csv', 'xlsx'] as const
export type Format = (typeof FORMATS)[number]

/** Rows, or at the end of a file that is cut a line that says why and where, in both languages. */
export type Part<Row> = { rows: readonly Row[] } | { says: string }

export type Table<Row> = { columns: readonly Column<Row>[]; parts: AsyncIterable<Part<Row>>; language: Language }

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const satisfies Record<Format, string>

/** `name` without its ending, from letters, digits and dashes. */
export const fileOf = <Row>(name: string, format: Format, table: Table<Row>): ConsoleFile => ({
  file: `${name}.${format}`,
  contentType: TYPES[format],
  chunks: format === 'csv' ? csvOf(table) : xlsxOf(name, table),
})

export async function* csvOf<Row>({ columns, parts, language }: Table<Row>): AsyncGenerator<string> {
  yield csvHead(headings(columns, language))
  for await (const part of parts) {
    if ('says' in part) yield csvRecord(lineOf(columns.length), part.says)
    else yield part.rows.map((row) => csvRecord(columns, row)).join('')
  }
}

/** A record with as many cells as the others, so that programs can read it; the first cell holds the message. */
const lineOf = (cells: number): Column<string>[] =>
  Array.from({ length: cells }, (_, index) => ({ zh: '', en: '', of: (says: string) => (index === 0 ? says : null) }))

const WIDTHS = { amount: 14, time: 20, count: 10, text: 24 } as const

async function* xlsxOf<Row>(name: string, { columns, parts, language }: Table<Row>): AsyncGenerator<Uint8Array> {
  const file = writeXlsxStream(sheetRows({ columns, parts, language }), {
    name,
    columns: columns.map(({ kind, ...names }) => ({
      header: names[language],
      width: WIDTHS[kind ?? 'text'],
      ...(kind === undefined ? {} : { numFmt: SHEET_FORMATS[kind] }),
    })),
    freezePane: { rows: 1, columns: 1 },
  })
  for await (const bytes of file) yield bytes
}

async function* sheetRows<Row>({ columns, parts }: Table<Row>): AsyncGenerator<SheetCell[]> {
  for await (const part of parts) {
    if ('says' in part) yield [part.says]
    else for (const row of part.rows) yield sheetRow(columns, row)
  }
}
