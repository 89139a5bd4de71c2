/** Notifications as merchants and operators list them, and sending them again on request. */
import type { NotificationState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import type { NotificationKey } from './due-notifications.ts'
import type { NewNotification } from './notifications.ts'

/** A notification with its last try (null before the first). `nextAt`: when it is tried next; null when it is not. */
export type ListedNotification = NotificationKey & {
  kind: NewNotification['kind']
  url: string
  state: NotificationState
  tries: number
  createdAt: Date
  nextAt: Date | null
  triedAt: Date | null
  httpStatus: number | null
  failure: string | null
}

/** Selects `ListedNotification` rows; the notification is `n`, and `mchNo` its merchant. The caller appends joins, conditions and order. */
export const listedNotifications = (
  mchNo: string,
): string => `select n.mch_no as "mchNo", n.transaction_no as "transactionNo", n.seq, n.kind, n.url, n.state, n.taken as tries,
            n.created_at as "createdAt", case when n.state = 'PENDING' then n.due_at end as "nextAt", t.at as "triedAt",
            t.http_status as "httpStatus", t.failure
       from notification n left join lateral (
         select at, http_status, failure from notification_try t
          where t.mch_no = ${mchNo} and t.transaction_no = n.transaction_no and t.seq = n.seq
          order by taken desc limit 1) t on true`

export type NotificationFilter = {
  transactionNo: string | null
  state: NotificationState | null
  /** The last notification of the previous page. */
  before: { createdAt: Date; transactionNo: string; seq: number } | null
  /** Only those that were written from `from` on and before `until`. */
  from?: Date | null
  until?: Date | null
}

/** A merchant's notifications, the newest first, at most `limit`. */
export const listNotifications = (
  db: Db,
  mchNo: string,
  { transactionNo, state, before, from, until }: NotificationFilter,
  limit: number,
): Promise<ListedNotification[]> => {
  // Few are PENDING or DEAD, and partial indexes hold only those. PostgreSQL uses them if the statement names the state.
  const one = state === 'PENDING' || state === 'DEAD' ? state : null
  const ofOrder = transactionNo === null ? '' : 'OfOrder'
  return run<ListedNotification>(
    db,
    `listNotifications${one ?? ''}${ofOrder}`,
    `${listedNotifications('$1')}
      where n.mch_no = $1 and ${transactionNo === null ? '($2::text is null or n.transaction_no = $2)' : 'n.transaction_no = $2'}
        and ($3::text is null or n.state = $3)${one === null ? '' : ` and n.state = '${one}' and n.state <> 'DELIVERED'`}
        and ($4::timestamptz is null or (n.created_at, n.transaction_no, n.seq) < ($4, $5::text, $6::integer))
        and ($8::timestamptz is null or n.created_at >= $8) and ($9::timestamptz is null or n.created_at < $9)
      order by n.created_at desc, n.transaction_no desc, n.seq desc limit $7`,
    [mchNo, transactionNo, state, before?.createdAt, before?.transactionNo, before?.seq, limit, from, until],
  )
}

export type ListedTry = {
  at: Date
  ms: number
  httpStatus: number | null
  reply: string | null
  failure: string | null
}

/** Every try of one notification, the newest first, at most `limit`. */
export const listNotificationTries = (
  db: Db,
  { mchNo, transactionNo, seq }: NotificationKey,
  limit: number,
): Promise<ListedTry[]> =>
  run<ListedTry>(
    db,
    'listNotificationTries',
    `select at, ms, http_status as "httpStatus", reply, failure from notification_try
      where mch_no = $1 and transaction_no = $2 and seq = $3 order by taken desc limit $4`,
    [mchNo, transactionNo, seq, limit],
  )

/** Dead letters of a period or of one order. */
export type DeadChoice = { from: Date | null; until: Date | null; transactionNo?: string | null }

/** Which notifications to send again: all of an order, one of them, or dead letters. */
export type ResendChoice = { transactionNo: string; seq: number | null } | { dead: DeadChoice }

const DEAD = `mch_no = $1 and state = 'DEAD' and ($2::timestamptz is null or created_at >= $2)
  and ($3::timestamptz is null or created_at < $3) and ($4::text is null or transaction_no = $4)`
const deadValues = (mchNo: string, { from, until, transactionNo }: DeadChoice): unknown[] => [
  mchNo,
  from,
  until,
  transactionNo,
]

/** How many dead letters there are; counting stops at `limit`. */
export async function countDeadNotifications(db: Db, mchNo: string, dead: DeadChoice, limit: number): Promise<number> {
  const rows = await run<{ count: number }>(
    db,
    'countDeadNotifications',
    `select count(*)::int as count from (select 1 from notification where ${DEAD} limit $5) d`,
    [...deadValues(mchNo, dead), limit],
  )
  return rows[0]?.count ?? 0
}

/**
 * Makes notifications due again from the start of their schedule, also acknowledged ones; of dead letters the oldest
 * `limit`. Returns how many.
 */
export async function resendNotifications(
  db: Db,
  mchNo: string,
  choice: ResendChoice,
  { limit, now }: { limit: number; now: Date },
): Promise<number> {
  const again = (now: string): string => `state = 'PENDING', tries = 0, due_at = ${now}, round_at = ${now}`
  const rows =
    'dead' in choice
      ? await run(
          db,
          'resendDeadNotifications',
          `with oldest as materialized (
             select mch_no, transaction_no, seq from notification where ${DEAD} order by created_at limit $6 for update)
           update notification n set ${again('$5')} from oldest d
            where n.mch_no = $1 and n.transaction_no = d.transaction_no and n.seq = d.seq returning 1`,
          [...deadValues(mchNo, choice.dead), now, limit],
        )
      : await run(
          db,
          'resendNotifications',
          `update notification set ${again('$2')}
            where mch_no = $1 and transaction_no = $3 and ($4::integer is null or seq = $4) returning 1`,
          [mchNo, now, choice.transactionNo, choice.seq],
        )
  return rows.length
}
