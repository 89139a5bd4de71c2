/** Tables of many calls: made some at a time, and judged together, so that a failure names every wrong row. */

/** Calls at once. More would only wait for the connections of the gateway's pool. */
const AT_ONCE = 32

/** What `run` answers for each row, in the order of the rows. */
export async function inBatches<Row, Answer>(
  rows: readonly Row[],
  run: (row: Row) => Promise<Answer> | Answer,
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let first = 0; first < rows.length; first += AT_ONCE) {
    answers.push(...(await Promise.all(rows.slice(first, first + AT_ONCE).map(run))))
  }
  return answers
}

/** One line for each row whose answer is not the expected one. `judge` names the row, what was answered and what is right. */
export const wrongRows = <Row>(
  rows: readonly Row[],
  judge: (row: Row, index: number) => [name: string, said: unknown, expected: unknown],
): string[] =>
  rows.flatMap((row, index) => {
    const [name, said, expected] = judge(row, index)
    return said === expected ? [] : [`${name}: ${said}, not ${expected}`]
  })
