/** Lists that come in pages. */

/**
 * The first page, when awaited; every row, page after page, in `for await`. A page is fetched when its first row is needed, so a
 * loop that ends early fetches no more of them.
 */
export type Listing<Page, Row> = Promise<Page> & AsyncIterable<Row>

/** `fetchPage` is called without a place at first, and then with the `next` of the page before. */
export function listing<Page extends { next: string | null }, Row>(
  fetchPage: (before?: string) => Promise<Page>,
  rowsOf: (page: Page) => Row[],
): Listing<Page, Row> {
  const first = fetchPage()
  async function* rows(): AsyncGenerator<Row, void> {
    for (let page = await first; ; page = await fetchPage(page.next)) {
      yield* rowsOf(page)
      if (page.next === null) return
    }
  }
  return Object.assign(first, { [Symbol.asyncIterator]: rows })
}
