/** What somebody can do who writes the database and has read our sources, but has no key. */
import { createHash } from 'node:crypto'
import type { Db } from '@acopay/store'

export type ForgedEntry = { at: Date; entry: string; mac: Buffer | null }

const sha = (...parts: (string | Buffer)[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

/** Writes another timeline in place of the order's, with every hash recomputed and the order's head set to the last one. */
export async function forgeTimeline(
  db: Db,
  order: { mchNo: string; transactionNo: string },
  change: (entries: ForgedEntry[]) => ForgedEntry[],
): Promise<void> {
  const key = [order.mchNo, order.transactionNo]
  const { rows } = await db.query<ForgedEntry>(
    'select at, entry, mac from timeline where mch_no = $1 and transaction_no = $2 order by seq',
    key,
  )
  await db.query('delete from timeline where mch_no = $1 and transaction_no = $2', key)
  let hash = sha(`acopay timeline v1\n${order.mchNo}\n${order.transactionNo}`)
  let seq = 0
  for (const { at, entry, mac } of change(rows)) {
    seq += 1
    hash = sha(hash, entry)
    await db.query(
      `insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac) values ($1, $2, $3, $4, $5, $6, $7)`,
      [...key, seq, at, entry, hash, mac],
    )
  }
  await db.query('update orders set head_seq = $3, head_hash = $4 where mch_no = $1 and transaction_no = $2', [
    ...key,
    seq,
    hash,
  ])
}
