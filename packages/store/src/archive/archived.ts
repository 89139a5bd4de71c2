/** What stays in the database of orders whose rows lie in files: decision 50. */
import type { CloseReason, OrderRef, OrderState, RefundRef } from '@acopay/core'
import { type Db, run } from '../db.ts'

export type ArchivedOrder = {
  mchNo: string
  transactionNo: string
  mchTradeNo: string
  state: Extract<OrderState, 'CLOSED' | 'SUCCESS' | 'REFUND'>
  closeReason: CloseReason | null
  /** Begins with the month: 2026-01-… */
  archiveNo: string
}

const COLUMNS = `mch_no as "mchNo", transaction_no as "transactionNo", mch_trade_no as "mchTradeNo", state,
  close_reason as "closeReason", archive_no as "archiveNo"`

/** The merchant's order, by either number, whose rows lie in a file; null where it is not archived. */
export async function findArchivedOrder(db: Db, mchNo: string, ref: OrderRef): Promise<ArchivedOrder | null> {
  const [found] =
    'transactionNo' in ref
      ? await run<ArchivedOrder>(
          db,
          'findArchivedOrder',
          `select ${COLUMNS} from archived_order where mch_no = $1 and transaction_no = $2`,
          [mchNo, ref.transactionNo],
        )
      : await run<ArchivedOrder>(
          db,
          'findArchivedOrderByTradeNo',
          `select ${COLUMNS} from archived_order where mch_no = $1 and mch_trade_no = $2`,
          [mchNo, ref.mchTradeNo],
        )
  return found ?? null
}

/** The archived order of the merchant's refund, by either number of the refund. */
export async function findArchivedRefund(db: Db, mchNo: string, ref: RefundRef): Promise<ArchivedOrder | null> {
  const which = `select transaction_no as number from archived_refund where mch_no = $1 and`
  const [found] =
    'refundNo' in ref
      ? await run<{ number: string }>(db, 'findArchivedRefund', `${which} refund_no = $2`, [mchNo, ref.refundNo])
      : await run<{ number: string }>(db, 'findArchivedRefundByMchNo', `${which} mch_refund_no = $2`, [
          mchNo,
          ref.mchRefundNo,
        ])
  return found === undefined ? null : findArchivedOrder(db, mchNo, { transactionNo: found.number })
}

export type ArchiveState = 'WRITING' | 'REMOVING' | 'REMOVED' | 'RESTORING' | 'RESTORED'

/** Days are texts, `yyyy-MM-dd`. */
export type Archive = {
  archiveNo: string
  file: string
  sha256: string | null
  orders: bigint | null
  lastDay: string | null
  state: ArchiveState
  begunAt: Date
  changedAt: Date
}

/** The oldest first. */
export const listArchives = (db: Db): Promise<Archive[]> =>
  run<Archive>(
    db,
    'listArchives',
    `select archive_no as "archiveNo", file, sha256, orders, last_day::text as "lastDay", state, begun_at as "begunAt",
            changed_at as "changedAt" from archive order by begun_at, archive_no`,
    [],
  )

export async function beginArchive(
  db: Db,
  { archiveNo, file, now }: { archiveNo: string; file: string; now: Date },
): Promise<void> {
  const text = `insert into archive (archive_no, file, state, begun_at, changed_at) values ($1, $2, 'WRITING', $3, $3)`
  await run(db, 'beginArchive', text, [archiveNo, file, now])
}

/** What a run that was killed while it wrote its file has left. */
export const forgetUnwritten = (db: Db): Promise<{ archiveNo: string; file: string }[]> =>
  run(
    db,
    'forgetUnwrittenArchives',
    `delete from archive where state = 'WRITING' returning archive_no as "archiveNo", file`,
    [],
  )

export type WrittenArchive = { archiveNo: string; sha256: string; orders: number; lastDay: string }

/** The file is complete and was read again. Throws where another run has taken this one for dead. */
export async function archiveWritten(db: Db, written: WrittenArchive, now: Date): Promise<void> {
  const rows = await run(
    db,
    'archiveWritten',
    `update archive set state = 'REMOVING', sha256 = $2, orders = $3, last_day = $4, changed_at = $5
      where archive_no = $1 and state = 'WRITING' returning 1`,
    [written.archiveNo, written.sha256, written.orders, written.lastDay, now],
  )
  if (rows.length === 0) throw new Error('另一个 archive 命令接手了 (another archive command has taken over)')
}

export async function moveArchive(
  db: Db,
  archiveNo: string,
  { from, to, now }: { from: ArchiveState[]; to: ArchiveState; now: Date },
): Promise<void> {
  const rows = await run(
    db,
    'moveArchive',
    'update archive set state = $3, changed_at = $4 where archive_no = $1 and state = any ($2) returning 1',
    [archiveNo, from, to, now],
  )
  if (rows.length === 0) throw new Error(`归档 ${archiveNo} 不在可继续的状态 (this archive is in another state)`)
}

/** One part of a file: orders of one merchant. */
export type PartOf = { mchNo: string; archiveNo: string; part: number }

/** What stays of these orders, written in the transaction that removes them. Call it before their rows are removed. */
export async function keepOfOrders(db: Db, { mchNo, archiveNo }: PartOf, numbers: string[]): Promise<void> {
  await run(
    db,
    'keepOfOrders',
    `insert into archived_order (mch_no, transaction_no, mch_trade_no, state, close_reason, archive_no)
     select mch_no, transaction_no, mch_trade_no, state, close_reason, $3 from orders
      where mch_no = $1 and transaction_no = any ($2)`,
    [mchNo, numbers, archiveNo],
  )
  await run(
    db,
    'keepOfRefunds',
    `insert into archived_refund (mch_no, mch_refund_no, refund_no, transaction_no)
     select mch_no, mch_refund_no, refund_no, transaction_no from refund where mch_no = $1 and transaction_no = any ($2)`,
    [mchNo, numbers],
  )
  await run(
    db,
    'keepOfAttempts',
    `insert into archived_attempt (mch_no, attempt_no, transaction_no, app_no, channel, method, amount_fen, payments)
     select a.mch_no, a.attempt_no, a.transaction_no, o.app_no, a.channel, a.method, a.amount_fen,
            array(select p.payment_no from payment p where p.mch_no = $1 and p.attempt_no = a.attempt_no order by 1)
       from attempt a join orders o on o.mch_no = $1 and o.transaction_no = a.transaction_no
      where a.mch_no = $1 and a.transaction_no = any ($2)`,
    [mchNo, numbers],
  )
}

/** Which of these orders this archive has taken out of the database. `lock`: until the transaction ends. */
export async function archivedNumbers(
  db: Db,
  { mchNo, archiveNo }: Pick<PartOf, 'mchNo' | 'archiveNo'>,
  numbers: string[],
): Promise<string[]> {
  const rows = await run<{ number: string }>(
    db,
    'archivedNumbers',
    `select transaction_no as number from archived_order
      where mch_no = $1 and transaction_no = any ($2) and archive_no = $3 order by transaction_no for update`,
    [mchNo, numbers, archiveNo],
  )
  return rows.map(({ number }) => number)
}

/** The rows are back: nothing else stays of them. */
export async function forgetArchived(db: Db, { mchNo, archiveNo, part }: PartOf, numbers: string[]): Promise<void> {
  const orders = 'delete from archived_order where mch_no = $1 and transaction_no = any ($2)'
  await run(db, 'forgetArchivedOrders', orders, [mchNo, numbers])
  const attempts = `delete from archived_attempt where mch_no = $1 and attempt_no in (
    select attempt_no from attempt where mch_no = $1 and transaction_no = any ($2))`
  await run(db, 'forgetArchivedAttempts', attempts, [mchNo, numbers])
  const refunds = 'delete from archived_refund where mch_no = $1 and transaction_no = any ($2)'
  await run(db, 'forgetArchivedRefunds', refunds, [mchNo, numbers])
  const lines = 'delete from archived_lines where mch_no = $1 and archive_no = $2 and part = $3'
  await run(db, 'forgetArchivedLines', lines, [mchNo, archiveNo, part])
}
