/** Notifications to merchants, and every try to send one. */
import type { NotificationState } from '@acopay/core'
import { EACH_ALONE, inGroups, type Spread, takenOfEach, whereOf } from '../citus/groups.ts'
import { runOver } from '../citus/reach.ts'
import { type Db, retried, run } from '../db.ts'
import { dueInReach, dueOfAll, type NotificationKey, type TakeLimits } from './due-notifications.ts'

/** `news`: the business fields as a JSON object. `host`: of the URL; notifications to one host succeed or fail together. */
export type NewNotification = NotificationKey & {
  kind: 'payment' | 'refund' | 'sent_back'
  url: string
  host: string
  news: string
}

/** The request or run that made it, for the log and the trace of its tries; null where that is not known. */
type Cause = { requestId: string | null; traceparent: string | null }

/** Call it in the transaction of the change that the notification reports. `seq` is that change's timeline entry. */
export async function insertNotification(db: Db, one: NewNotification & Partial<Cause>, now: Date): Promise<void> {
  await run(
    db,
    'insertNotification',
    `insert into notification (mch_no, transaction_no, seq, kind, url, host, news, request_id, traceparent, state, due_at, round_at,
       created_at)
     select $1::text, $2::text, $3::integer, $4::text, $5::text, $6::text, $7::text, $9::text, $10::text, 'PENDING',
            greatest($8::timestamptz, max(e.due_at)), $8::timestamptz, $8::timestamptz
       from notification e where e.mch_no = $1 and e.transaction_no = $2 and e.state || '' = 'PENDING'`,
    [one.mchNo, one.transactionNo, one.seq, one.kind, one.url, one.host, one.news, now, one.requestId, one.traceparent],
  )
}

/** `taken` is the lease's number; `tries` is the number of failed tries before this one. */
export type TakenNotification = NewNotification & Cause & { taken: number; tries: number }

/** What another process has taken meanwhile is passed over; when it has taken all of them, there may be others. */
const LOOKS = 3

/**
 * Leases due notifications until `leaseUntil`. They are found without a lock, each host apart, so that notifications for a dead host are
 * neither read nor delay others, and without those that have an earlier one of their order before them. Then they are taken, group by group.
 */
export async function takeNotifications(
  db: Db,
  limits: TakeLimits & Spread,
  now: Date,
  leaseUntil: Date,
): Promise<TakenNotification[]> {
  const { groupOf = EACH_ALONE, reach = null } = limits
  for (let look = 0; look < LOOKS; look += 1) {
    const due = reach === null ? await dueOfAll(db, limits, now) : await dueInReach(db, limits, now, reach)
    if (due.length === 0) return []
    const taken = await takenOfEach(inGroups(due, groupOf), (keys) => takeThese(db, keys, now, leaseUntil))
    if (taken.length > 0) return taken
  }
  return []
}

async function takeThese(db: Db, keys: NotificationKey[], now: Date, leaseUntil: Date): Promise<TakenNotification[]> {
  const rows = await run<Omit<TakenNotification, keyof NotificationKey> & { place: number }>(
    db,
    'takeNotifications',
    `select place, kind, url, host, news, taken, tries, request_id as "requestId", traceparent
       from take_notifications($1, $2, $3, $4, $5, $6) order by place`,
    [whereOf(keys), now, leaseUntil, ...keyColumns(keys)],
  )
  return rows.map(({ place, ...row }) => ({ ...(keys[place - 1] as NotificationKey), ...row }))
}

/** As the functions of the store take them. */
const keyColumns = (keys: readonly NotificationKey[]): unknown[] => [
  keys.map(({ mchNo }) => mchNo),
  keys.map(({ transactionNo }) => transactionNo),
  keys.map(({ seq }) => seq),
]

/** One try. `failure` is null when the merchant acknowledged it; `nextAt` is null then, and after the last try. */
export type NotificationTry = Pick<TakenNotification, 'mchNo' | 'transactionNo' | 'seq' | 'taken'> & {
  at: Date
  ms: number
  httpStatus: number | null
  reply: string | null
  failure: string | null
  nextAt: Date | null
}

/**
 * Writes tries and the state that follows from each; they are of merchants of one group. Returns the states in the order of the tries; null
 * where the notification had ended, or where a try failed and another process has leased the notification since. An acknowledgement
 * counts also when the lease has ended.
 */
export async function endNotificationTries(db: Db, tries: NotificationTry[]): Promise<(NotificationState | null)[]> {
  const column = <Name extends keyof NotificationTry>(name: Name) => tries.map((one) => one[name])
  const rows = await retried(() =>
    run<{ place: number; state: NotificationState }>(
      db,
      'endNotificationTries',
      'select place, state from end_notification_tries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
      [
        whereOf(tries),
        ...keyColumns(tries),
        column('taken'),
        column('at'),
        column('ms'),
        column('httpStatus'),
        column('reply'),
        column('failure'),
        column('nextAt'),
      ],
    ),
  )
  const states = new Map(rows.map(({ place, state }) => [place, state]))
  return tries.map((_, index) => states.get(index + 1) ?? null)
}

export type GivingUp = Spread & { before: Date; now: Date }

/** Turns at most `limit` notifications that have waited since before `before` into dead letters. Returns how many. */
export async function giveUpNotifications(db: Db, giving: GivingUp, limit: number): Promise<number> {
  const { before, now, groupOf = EACH_ALONE, reach } = giving
  const late = await runOver<NotificationKey>(
    { db, reach },
    'lateNotifications',
    `select mch_no as "mchNo", transaction_no as "transactionNo", seq from notification
      where state = 'PENDING' and round_at <= $1 and due_at <= $2 /* of those in reach: mch_no */ order by round_at limit $3`,
    [before, now, limit],
  )
  let given = 0
  for (const keys of inGroups(late, groupOf)) {
    const rows = await run(
      db,
      'giveUpNotifications',
      'select place from give_up_notifications($1, $2, $3, $4, $5, $6)',
      [whereOf(keys), before, now, ...keyColumns(keys)],
    )
    given += rows.length
  }
  return given
}
