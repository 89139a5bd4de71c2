/** Finds due notifications, each host apart, without a lock. */
import type { Reach } from '../citus/reach.ts'
import { type Db, run } from '../db.ts'

export type NotificationKey = { mchNo: string; transactionNo: string; seq: number }

/** How many calls may start now: `perHost` for a host that is not in `free`, `free` for the others, `total` in all. */
export type TakeLimits = { perHost: number; free: ReadonlyMap<string, number>; total: number }

export const dueOfAll = (db: Db, { perHost, free, total }: TakeLimits, now: Date): Promise<NotificationKey[]> =>
  run(
    db,
    'dueNotifications',
    `select mch_no as "mchNo", transaction_no as "transactionNo", seq from due_notifications($1, $2, $3, $4)
      order by due_at, seq limit $5`,
    [now, perHost, [...free.keys()], [...free.values()], total],
  )

type Due = NotificationKey & { dueAt: Date }

/** What `dueOfAll` finds, of some merchants. Two statements for each host: it is for as long as a node does not answer. */
export async function dueInReach(
  db: Db,
  { perHost, free, total }: TakeLimits,
  now: Date,
  reach: NonNullable<Reach>,
): Promise<NotificationKey[]> {
  const due: Due[] = []
  for (let host = await hostAfter(db, '', reach); host !== null; host = await hostAfter(db, host, reach)) {
    const room = free.get(host) ?? perHost
    if (room > 0) due.push(...(await dueAt(db, host, { now, room }, reach)))
  }
  due.sort((one, other) => +one.dueAt - +other.dueAt || one.seq - other.seq)
  return due.slice(0, total)
}

async function hostAfter(db: Db, last: string, reach: NonNullable<Reach>): Promise<string | null> {
  const [next] = await run<{ host: string }>(
    db,
    'nextHostInReach',
    `select host from notification where mch_no = any ($2) and state = 'PENDING' and host > $1 order by host limit 1`,
    [last, reach],
  )
  return next?.host ?? null
}

/** None that has an earlier one of its order before it. */
const dueAt = (
  db: Db,
  host: string,
  { now, room }: { now: Date; room: number },
  reach: NonNullable<Reach>,
): Promise<Due[]> =>
  run<Due>(
    db,
    'dueAtHostInReach',
    `select n.mch_no as "mchNo", n.transaction_no as "transactionNo", n.seq, n.due_at as "dueAt" from notification n
      where n.mch_no = any ($4) and n.state = 'PENDING' and n.host = $1 and n.due_at <= $2
        and not exists (
          select from notification e where e.mch_no = any ($4) and e.mch_no = n.mch_no and e.transaction_no = n.transaction_no
             and e.seq < n.seq and e.state || '' = 'PENDING')
      order by n.due_at, n.seq limit $3`,
    [host, now, room, reach],
  )
