/** Archived orders as the search finds them: the numbers that stay of them, and the file that has their rows. */
import type { ArchivedOrder } from '../archive/archived.ts'
import { type Db, run } from '../db.ts'

/** `file`: where `archive` wrote it. */
export type FoundArchived = Omit<ArchivedOrder, 'closeReason'> & { file: string | null }

/**
 * Archived orders with this number: the platform's or the merchant's of the order or of a refund, or that of an attempt, or of a payment
 * that arrived since or its return. Merchant by merchant; the newest first, at most `limit`.
 */
export async function findArchivedByNumber(
  db: Db,
  number: string,
  mchNo: string | null,
  limit: number,
): Promise<FoundArchived[]> {
  const found = await run<Omit<FoundArchived, 'file'>>(
    db,
    'findArchivedByNumber',
    `select distinct o.mch_no as "mchNo", o.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo", o.state, o.archive_no as "archiveNo"
       from merchant m cross join lateral (
         select transaction_no from archived_order x where x.mch_no = m.mch_no and x.transaction_no = $1
         union all select transaction_no from archived_order x where x.mch_no = m.mch_no and x.mch_trade_no = $1
         union all select transaction_no from archived_refund x where x.mch_no = m.mch_no and x.mch_refund_no = $1
         union all select transaction_no from archived_refund x where x.mch_no = m.mch_no and x.refund_no = $1
         union all select transaction_no from archived_attempt x where x.mch_no = m.mch_no and x.attempt_no = $1
         union all select transaction_no from archived_reversal x
          where x.mch_no = m.mch_no and (x.refund_no = $1 or x.payment_no = $1)) f
       join archived_order o on o.mch_no = m.mch_no and o.transaction_no = f.transaction_no
      where $2::text is null or m.mch_no = $2 order by o.transaction_no desc limit $3`,
    [number, mchNo, limit],
  )
  // By itself: archives belong to the installation and not to a merchant.
  const archives = await run<{ archiveNo: string; file: string }>(
    db,
    'archivesOf',
    'select archive_no as "archiveNo", file from archive where archive_no = any ($1)',
    [found.map(({ archiveNo }) => archiveNo)],
  )
  const fileOf = (wanted: string) => archives.find(({ archiveNo }) => archiveNo === wanted)?.file ?? null
  return found.map((one) => ({ ...one, file: fileOf(one.archiveNo) }))
}
