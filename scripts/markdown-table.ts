/** A table in Markdown, one row a line. */
export const table = (head: string[], rows: string[][]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n')

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`
