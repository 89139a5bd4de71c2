/** The console's list of notifications, over all merchants or of one. */
import type { NotificationState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { type ListedNotification, listedNotifications } from '../notifications/notification-lists.ts'

export type NotificationPlace = { createdAt: Date; mchNo: string; transactionNo: string; seq: number }

/** Notifications that were written from `from` on and before `until`. */
type Period = { from: Date | null; until: Date | null }

/** Notifications of all merchants that are not acknowledged yet, or are dead letters; the newest first. */
export const listUndelivered = (
  db: Db,
  state: Exclude<NotificationState, 'DELIVERED'>,
  { before, from, until }: Period & { before: NotificationPlace | null },
  limit: number,
): Promise<ListedNotification[]> =>
  run<ListedNotification>(
    db,
    'listUndelivered',
    `${listedNotifications('n.mch_no')}
      where n.state <> 'DELIVERED' and n.state = $1
        and ($2::timestamptz is null or (n.created_at, n.mch_no, n.transaction_no, n.seq) < ($2, $3::text, $4::text, $5::int))
        and ($7::timestamptz is null or n.created_at >= $7) and ($8::timestamptz is null or n.created_at < $8)
      order by n.created_at desc, n.mch_no desc, n.transaction_no desc, n.seq desc limit $6`,
    [state, before?.createdAt, before?.mchNo, before?.transactionNo, before?.seq, limit, from, until],
  )

/**
 * Notifications of all merchants: reads the `examined` newest and returns at most `limit` of them that have this state, the
 * newest first. `next` is where the next page begins, null at the end. An index over all merchants would slow every send, so
 * the statement reads each merchant's newest and takes the newest of these.
 */
export async function listAllNotifications(
  db: Db,
  { state, before, from, until }: Period & { state: NotificationState | null; before: NotificationPlace | null },
  limit: number,
  examined: number,
): Promise<{ rows: ListedNotification[]; next: NotificationPlace | null }> {
  const places = await run<NotificationPlace & { state: NotificationState }>(
    db,
    'listAllNotificationPlaces',
    `select n.created_at as "createdAt", n.mch_no as "mchNo", n.transaction_no as "transactionNo", n.seq, n.state
       from merchant m cross join lateral (
         select x.mch_no, x.transaction_no, x.seq, x.created_at, x.state from notification x
          where x.mch_no = m.mch_no and x.created_at >= coalesce($5::timestamptz, '-infinity')
            and x.created_at < coalesce($6::timestamptz, 'infinity') and x.created_at <= coalesce($1::timestamptz, 'infinity')
            and ($1::timestamptz is null
                 or (x.created_at, x.mch_no, x.transaction_no, x.seq) < ($1, $2::text, $3::text, $4::int))
          order by x.created_at desc, x.transaction_no desc, x.seq desc limit $7) n
      order by n.created_at desc, n.mch_no desc, n.transaction_no desc, n.seq desc limit $7`,
    [before?.createdAt, before?.mchNo, before?.transactionNo, before?.seq, from, until, examined],
  )
  const matching = places.filter((place) => state === null || place.state === state)
  const shown = matching.slice(0, limit)
  const rows = await run<ListedNotification>(
    db,
    'listAllNotifications',
    `${listedNotifications('n.mch_no')} join unnest($1::text[], $2::text[], $3::int[]) as p (mch_no, transaction_no, seq)
         on p.mch_no = n.mch_no and p.transaction_no = n.transaction_no and p.seq = n.seq
      order by n.created_at desc, n.mch_no desc, n.transaction_no desc, n.seq desc`,
    [shown.map(({ mchNo }) => mchNo), shown.map(({ transactionNo }) => transactionNo), shown.map(({ seq }) => seq)],
  )
  // There is a next page where this page is full, or where all examined rows are used and there may be more.
  const lastExamined = places.length === examined ? places.at(-1) : undefined
  const last = matching.length > limit ? shown.at(-1) : lastExamined
  return { rows, next: last ?? null }
}

/** The merchant of the order with this platform number; null when there is no such order. */
export async function merchantOfOrder(db: Db, transactionNo: string): Promise<string | null> {
  const sql = 'select mch_no as "mchNo" from orders where transaction_no = $1 limit 1'
  const rows = await run<{ mchNo: string }>(db, 'merchantOfOrder', sql, [transactionNo])
  return rows[0]?.mchNo ?? null
}
