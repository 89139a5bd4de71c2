/** An order's timeline: a list of its changes, in which each entry's hash covers the entry before it. */
import { createHash } from 'node:crypto'
import { type Db, run } from '../db.ts'

/** The hash that an order's first entry is chained to. It names the order, so the chain cannot be used for another one. */
export const genesisHash = (mchNo: string, transactionNo: string): Buffer =>
  createHash('sha256').update(`acopay timeline v1\n${mchNo}\n${transactionNo}`, 'utf8').digest()

/** SHA-256 over the previous hash and the entry's bytes. PostgreSQL computes the same in `moveUntouched`. */
export const nextHash = (previous: Buffer, entry: string): Buffer =>
  createHash('sha256').update(previous).update(entry, 'utf8').digest()

export type TimelineEntry = { seq: number; at: Date; entry: string; hash: Buffer }

/** Every entry of an order, first to last. */
export const readTimeline = (db: Db, mchNo: string, transactionNo: string): Promise<TimelineEntry[]> =>
  run(
    db,
    'readTimeline',
    'select seq, at, entry, hash from timeline where mch_no = $1 and transaction_no = $2 order by seq',
    [mchNo, transactionNo],
  )

/**
 * The number of the first entry that does not match the chain, or null when the chain is intact. Without the order's own
 * `head`, entries that were removed at the end go unnoticed.
 */
export function brokenAt(
  entries: TimelineEntry[],
  mchNo: string,
  transactionNo: string,
  head?: { headSeq: number; headHash: Buffer },
): number | null {
  let hash = genesisHash(mchNo, transactionNo)
  let seq = 0
  for (const { entry, at, hash: stored, seq: number } of entries) {
    seq += 1
    hash = nextHash(hash, entry)
    // The hash covers the time inside the entry; the column `at` is only for searching, so it must equal that time.
    if (number !== seq || !hash.equals(stored) || !entry.includes(`"at":"${at.toISOString()}"`)) return seq
  }
  return head === undefined || (head.headSeq === seq && head.headHash.equals(hash)) ? null : seq + 1
}
