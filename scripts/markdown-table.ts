/** What the pages that are made from the code have in common. */
export const WRITTEN_BY = '<!-- Made from the code by `npm run docs`; edit the table there, not this page. -->'

/** A table in Markdown, one row a line. */
export const table = (head: string[], rows: string[][]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n')

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`
