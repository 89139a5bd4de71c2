/** What files of rows consist of: columns with a heading in each language, and how a cell is written in CSV and in a workbook. */
import { CHINA_MS } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import { csvLine, defused } from '../../../actions/bill/bill-csv.ts'

export type Language = 'zh' | 'en'

/** `amount`: yuan as a text with two decimals. `time`: ISO 8601. `count`: a whole number. All others are texts. */
export type Column<Row> = {
  zh: string
  en: string
  kind?: 'amount' | 'time' | 'count'
  of: (row: Row) => string | number | null
}

export const headings = <Row>(columns: readonly Column<Row>[], language: Language): string[] =>
  columns.map((column) => column[language])

/** The byte order mark tells spreadsheets that the file is UTF-8. */
export const csvHead = (names: string[]): string => `\uFEFF${csvLine(names)}`

/** One row as a record. Amounts may be negative and stay numbers; times are in UTC+8, as on the pages. */
export const csvRecord = <Row>(columns: readonly Column<Row>[], row: Row): string =>
  csvLine(
    columns.map(({ kind, of }) => {
      const value = of(row)
      if (value === null) return ''
      if (kind === 'time') return timeText(new Date(value))
      return kind === undefined ? defused(String(value)) : String(value)
    }),
  )

export type SheetCell = string | number | Date | null

/** A workbook's times have no zone: they are written as the clocks of UTC+8 show them. */
const sheetTime = (iso: string | number): Date => new Date(Date.parse(String(iso)) + CHINA_MS)

/** One row for a workbook. A text stays what it is: no program runs the text of a cell that says it is text. */
export const sheetRow = <Row>(columns: readonly Column<Row>[], row: Row): SheetCell[] =>
  columns.map(({ kind, of }) => {
    const value = of(row)
    if (value === null) return null
    if (kind === 'time') return sheetTime(value)
    return kind === undefined ? plain(String(value)) : Number(value)
  })

/** XML has no way to write these. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
const plain = (text: string): string => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')

/** How a workbook shows a column's numbers. */
export const SHEET_FORMATS = { amount: '#,##0.00', time: 'yyyy-mm-dd hh:mm:ss', count: '0' } as const
