/** The stand-ins' documents, by key. This table takes the place of the upstreams' own databases; all processes share it. */
import { type Pool, run, transaction } from '../db.ts'

type Document = object

/** What a change of one document writes; `beside` is a second document, and null removes it. */
type Edited<Result> = {
  after: Document | null
  result: Result
  beside?: { key: string; document: Document | null } | undefined
}

const read = (rows: { document: string }[]): Document | null =>
  rows[0] === undefined ? null : (JSON.parse(rows[0].document) as Document)

/** The books in the form that the stand-ins require. */
export function sandboxBooks(pool: Pool) {
  return {
    read: async (key: string): Promise<Document | null> =>
      read(
        await run<{ document: string }>(
          pool,
          'readBook',
          "select document from sandbox_book where key = $1 and document <> ''",
          [key],
        ),
      ),

    list: async (prefix: string): Promise<Document[]> => {
      const sql = `select document from sandbox_book where starts_with(key, $1) and document <> '' order by key`
      // Not a named statement: PostgreSQL uses the index only when it plans with the prefix itself.
      const { rows } = await pool.query<{ document: string }>(sql, [prefix])
      return rows.map(({ document }) => JSON.parse(document) as Document)
    },

    change: <Result>(key: string, edit: (before: Document | null) => Edited<Result>): Promise<Result> =>
      transaction(pool, async (db) => {
        // An empty text is a document that does not exist yet. The row is there to be locked, so that two first changes
        // wait for each other.
        await run(db, 'beginBook', `insert into sandbox_book (key, document) values ($1, '') on conflict do nothing`, [
          key,
        ])
        const rows = await run<{ document: string }>(
          db,
          'lockBook',
          'select document from sandbox_book where key = $1 for update',
          [key],
        )
        const { after, result, beside } = edit(read(rows.filter(({ document }) => document !== '')))
        if (after !== null) {
          const sql = 'update sandbox_book set document = $2 where key = $1'
          await run(db, 'writeBook', sql, [key, JSON.stringify(after)])
        } else {
          await run(db, 'endBook', `delete from sandbox_book where key = $1 and document = ''`, [key])
        }
        if (beside?.document === null) {
          await run(db, 'removeBesideBook', 'delete from sandbox_book where key = $1', [beside.key])
        } else if (beside !== undefined) {
          const sql = `insert into sandbox_book (key, document) values ($1, $2)
                       on conflict (key) do update set document = excluded.document`
          await run(db, 'writeBesideBook', sql, [beside.key, JSON.stringify(beside.document)])
        }
        return result
      }),
  }
}
