/** An order's timeline: who did what and when, each entry's hash covering the one before it. */
import { createHash } from 'node:crypto'
import { type Db, run } from '../db.ts'

/** The hash that stands before an order's first entry: the chain belongs to this order and no other. */
export const genesisHash = (mchNo: string, transactionNo: string): Buffer =>
  createHash('sha256').update(`acopay timeline v1\n${mchNo}\n${transactionNo}`, 'utf8').digest()

/** SHA-256 over the previous hash and the entry's bytes; PostgreSQL computes the same in `moveUntouched`. */
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
 * Number of the first entry that does not follow from those before it, or null when the chain holds. Without the
 * order's own `head`, entries cut off at the end do not show.
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
    // The column `at` is there to be searched; the hash covers the moment inside the entry.
    if (number !== seq || !hash.equals(stored) || !entry.includes(`"at":"${at.toISOString()}"`)) return seq
  }
  return head === undefined || (head.headSeq === seq && head.headHash.equals(hash)) ? null : seq + 1
}
