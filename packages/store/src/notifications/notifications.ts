/** Notifications to merchants, and every try to send one. */
import type { NotificationState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { PENDING_HOSTS } from './pending-hosts.ts'

export type NotificationKey = { mchNo: string; transactionNo: string; seq: number }

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
     values ($1, $2, $3, $4, $5, $6, $7, $9, $10, 'PENDING', greatest($8::timestamptz, (
       select max(e.due_at) from notification e
        where e.mch_no = $1 and e.transaction_no = $2 and e.state = 'PENDING')), $8, $8)`,
    [one.mchNo, one.transactionNo, one.seq, one.kind, one.url, one.host, one.news, now, one.requestId, one.traceparent],
  )
}

/** `taken` is the lease's number; `tries` is the number of failed tries before this one. */
export type TakenNotification = NewNotification & Cause & { taken: number; tries: number }

/** How many calls may start now: `perHost` for a host that is not in `free`, `free` for the others, `total` in all. */
export type TakeLimits = { perHost: number; free: ReadonlyMap<string, number>; total: number }

/**
 * Leases due notifications until `leaseUntil`. One statement, so that no row lock outlives it. It reads each host apart, so
 * that notifications for a dead host are neither read nor delay others. It skips a notification while an earlier one of the
 * same order is pending.
 */
export const takeNotifications = (
  db: Db,
  { perHost, free, total }: TakeLimits,
  now: Date,
  leaseUntil: Date,
): Promise<TakenNotification[]> =>
  run<TakenNotification>(
    db,
    'takeNotifications',
    `with recursive ${PENDING_HOSTS},
     allowed as (
       select h.host, coalesce(f.free, $3::integer) as free
         from host h left join unnest($4::text[], $5::integer[]) as f (host, free) on f.host = h.host
        where h.host is not null and coalesce(f.free, $3::integer) > 0),
     due as materialized (
       select d.*, a.free, row_number() over (partition by a.host order by d.due_at, d.seq) as place
         from allowed a cross join lateral (
           select n.mch_no, n.transaction_no, n.seq, n.due_at from notification n
            where n.state = 'PENDING' and n.host = a.host and n.due_at <= $1
              and not exists (
                select from notification e where e.mch_no = n.mch_no and e.transaction_no = n.transaction_no
                   and e.seq < n.seq and e.state = 'PENDING')
            order by n.due_at limit $3 for update skip locked) d)
     update notification n set due_at = $2, taken = n.taken + 1
       from (select * from due where place <= free order by due_at, seq limit $6) d
      where n.mch_no = d.mch_no and n.transaction_no = d.transaction_no and n.seq = d.seq
      returning n.mch_no as "mchNo", n.transaction_no as "transactionNo", n.seq, n.kind, n.url, n.host, n.news, n.taken,
                n.tries, n.request_id as "requestId", n.traceparent`,
    [now, leaseUntil, perHost, [...free.keys()], [...free.values()], total],
  )

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
 * Writes tries and the state that follows from each. Returns the states in the order of the tries; null where the
 * notification had ended, or where a try failed and another process has leased the notification since. An acknowledgement
 * counts also when the lease has ended.
 */
export async function endNotificationTries(db: Db, tries: NotificationTry[]): Promise<(NotificationState | null)[]> {
  const column = <Name extends keyof NotificationTry>(name: Name) => tries.map((one) => one[name])
  const rows = await run<{ place: bigint; state: NotificationState }>(
    db,
    'endNotificationTries',
    `with told as (
       select * from unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::timestamptz[], $6::integer[],
         $7::integer[], $8::text[], $9::text[], $10::timestamptz[]) with ordinality
         as t (mch_no, transaction_no, seq, taken, at, ms, http_status, reply, failure, next_at, place)),
     kept as (
       insert into notification_try (mch_no, transaction_no, seq, taken, at, ms, http_status, reply, failure)
       select mch_no, transaction_no, seq, taken, at, ms, http_status, reply, failure from told on conflict do nothing),
     -- Later notifications of the same order become due with this one. Left due now, they would be read at every lease.
     behind as (
       update notification b
          set due_at = case when t.next_at is null then least(b.due_at, t.at) else greatest(b.due_at, t.next_at) end
         from told t
        where b.mch_no = t.mch_no and b.transaction_no = t.transaction_no and b.seq > t.seq and b.state = 'PENDING')
     update notification n
        set state = case when t.failure is null then 'DELIVERED' when t.next_at is null then 'DEAD' else 'PENDING' end,
            tries = n.tries + case when t.failure is null then 0 else 1 end, due_at = coalesce(t.next_at, n.due_at)
       from told t
      where n.mch_no = t.mch_no and n.transaction_no = t.transaction_no and n.seq = t.seq and n.state = 'PENDING'
        and (t.failure is null or n.taken = t.taken)
      returning t.place, n.state`,
    [
      column('mchNo'),
      column('transactionNo'),
      column('seq'),
      column('taken'),
      column('at'),
      column('ms'),
      column('httpStatus'),
      column('reply'),
      column('failure'),
      column('nextAt'),
    ],
  )
  const states = new Map(rows.map(({ place, state }) => [Number(place), state]))
  return tries.map((_, index) => states.get(index + 1) ?? null)
}

/** Turns at most `limit` notifications that have waited since before `before` into dead letters. Returns how many. */
export async function giveUpNotifications(db: Db, before: Date, now: Date, limit: number): Promise<number> {
  const rows = await run(
    db,
    'giveUpNotifications',
    `with late as materialized (
       select mch_no, transaction_no, seq from notification
        where state = 'PENDING' and round_at <= $1 and due_at <= $2 order by round_at limit $3 for update skip locked)
     update notification n set state = 'DEAD' from late d
      where n.mch_no = d.mch_no and n.transaction_no = d.transaction_no and n.seq = d.seq returning 1`,
    [before, now, limit],
  )
  return rows.length
}
