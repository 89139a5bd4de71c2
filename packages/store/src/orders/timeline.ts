/**
 * An order's timeline: a list of its changes, in which each entry's hash covers the entry before it. Everybody can compute such a
 * hash, so each entry also has a keyed one, whose key is not in the database.
 */
import { createHash, createHmac } from 'node:crypto'
import { CHINA_MS, type OrderRef } from '@acopay/core'
import { type Db, run } from '../db.ts'

/** The hash that an order's first entry is chained to. It names the order, so the chain cannot be used for another one. */
export const genesisHash = (mchNo: string, transactionNo: string): Buffer =>
  createHash('sha256').update(`acopay timeline v1\n${mchNo}\n${transactionNo}`, 'utf8').digest()

/** SHA-256 over the previous hash and the entry's bytes. PostgreSQL computes the same in `moveUntouched`. */
export const nextHash = (previous: Buffer, entry: string): Buffer =>
  createHash('sha256').update(previous).update(entry, 'utf8').digest()

/** `mac` null: written before stamping began. */
export type TimelineEntry = { seq: number; at: Date; entry: string; hash: Buffer; mac: Buffer | null }

/**
 * An entry and its place. `ref`: the order by the number that the writer knew: one caller of the cheap close knows only the
 * merchant's. Either number is the order's alone among the merchant's.
 */
export type EntryPlace = { mchNo: string; ref: OrderRef; seq: number; entry: string }

/** The keyed hash of an entry in its place. */
export type EntryStamp = (place: EntryPlace) => Buffer

/** The key of one merchant's entries. Not even the sandbox, which makes orders in SQL, then needs to know all merchants'. */
export const merchantStampKey = (key: Buffer, mchNo: string): Buffer =>
  createHmac('sha256', key).update(mchNo, 'utf8').digest()

/** None of the numbers can contain a line's end, and the entry comes last, so no two places have the same text. */
export const entryStamp =
  (key: Buffer): EntryStamp =>
  ({ mchNo, ref, seq, entry }) => {
    const order = 'transactionNo' in ref ? `transaction_no ${ref.transactionNo}` : `mch_trade_no ${ref.mchTradeNo}`
    return createHmac('sha256', merchantStampKey(key, mchNo)).update(`${order}\n${seq}\n${entry}`, 'utf8').digest()
  }

/** Every entry of an order, first to last. */
export const readTimeline = (db: Db, mchNo: string, transactionNo: string): Promise<TimelineEntry[]> =>
  run(
    db,
    'readTimeline',
    'select seq, at, entry, hash, mac from timeline where mch_no = $1 and transaction_no = $2 order by seq',
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

/** `since`: entries from before this moment may lack a keyed hash; null: none may. */
export type Stamps = { entry: EntryStamp; since: Date | null }

/** The number of the first entry whose keyed hash is not that of its place, or null. */
export function unstampedAt(
  entries: TimelineEntry[],
  { mchNo, transactionNo }: { mchNo: string; transactionNo: string },
  { entry: stamp, since }: Stamps,
): number | null {
  const refs: OrderRef[] = [{ transactionNo }]
  // Not the number in the order's row, which has no stamp.
  const mchTradeNo = tradeNoOf(entries[0]?.entry)
  if (mchTradeNo !== null) refs.push({ mchTradeNo })
  const isOld = since !== null && transactionNo < numberFrom(since)
  for (const { seq, at, entry, mac } of entries) {
    if (mac === null && isOld && at < since) continue
    if (!refs.some((ref) => mac !== null && stamp({ mchNo, ref, seq, entry }).equals(mac))) return seq
  }
  return null
}

/** The merchant's number in the first entry of a timeline. */
function tradeNoOf(entry: string | undefined): string | null {
  try {
    const { mchTradeNo } = JSON.parse(entry ?? '{}') as { mchTradeNo?: unknown }
    return typeof mchTradeNo === 'string' ? mchTradeNo : null
  } catch {
    return null
  }
}

/** The smallest number of an order of this moment: platform numbers begin with the time. */
const numberFrom = (at: Date): string =>
  `AP${new Date(at.getTime() + CHINA_MS).toISOString().replace(/\D/g, '').slice(0, 17)}`
