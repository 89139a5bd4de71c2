/** Notes and tags that people of the console give an order. Notes are only added; the tags are a set. */
import { type Db, type Pool, run, transaction } from '../db.ts'

type OfOrder = { mchNo: string; transactionNo: string }

export type OrderNote = { noteNo: string; at: Date; username: string; forMerchant: boolean; note: string }
export type OrderTag = { tag: string; at: Date; username: string }

/** False where the order has `max` notes already. */
export async function addOrderNote(
  db: Db,
  { mchNo, transactionNo }: OfOrder,
  { noteNo, at, username, forMerchant, note }: OrderNote,
  max: number,
): Promise<boolean> {
  const rows = await run(
    db,
    'addOrderNote',
    `insert into order_note (mch_no, transaction_no, note_no, at, username, for_merchant, note)
     select $1, $2, $3, $4, $5, $6, $7
      where (select count(*) from order_note where mch_no = $1 and transaction_no = $2) < $8 returning 1`,
    [mchNo, transactionNo, noteNo, at, username, forMerchant, note, max],
  )
  return rows.length === 1
}

/** The oldest first. */
export const orderNotes = (db: Db, { mchNo, transactionNo }: OfOrder): Promise<OrderNote[]> =>
  run<OrderNote>(
    db,
    'orderNotes',
    `select note_no as "noteNo", at, username, for_merchant as "forMerchant", note from order_note
      where mch_no = $1 and transaction_no = $2 order by note_no`,
    [mchNo, transactionNo],
  )

/** In the order of the alphabet. */
export const orderTags = (db: Db, { mchNo, transactionNo }: OfOrder): Promise<OrderTag[]> =>
  run<OrderTag>(
    db,
    'orderTags',
    'select tag, at, username from order_tag where mch_no = $1 and transaction_no = $2 order by tag',
    [mchNo, transactionNo],
  )

/** Makes these the order's tags. A tag that it had keeps who gave it, and when. */
export const setOrderTags = (
  pool: Pool,
  { mchNo, transactionNo }: OfOrder,
  { tags, at, username }: { tags: string[]; at: Date; username: string },
): Promise<void> =>
  transaction(pool, async (db) => {
    await run(
      db,
      'dropOrderTags',
      'delete from order_tag where mch_no = $1 and transaction_no = $2 and tag <> all($3)',
      [mchNo, transactionNo, tags],
    )
    await run(
      db,
      'addOrderTags',
      `insert into order_tag (mch_no, transaction_no, tag, at, username)
       select $1, $2, tag, $4, $5 from unnest($3::text[]) as t (tag) on conflict do nothing`,
      [mchNo, transactionNo, tags, at, username],
    )
  })
