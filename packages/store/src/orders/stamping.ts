/** When the stamps began. */
import { type Db, run } from '../db.ts'

export type Stamping = { what: string; since: Date; mac: Buffer }

export async function readStamping(db: Db, what: string): Promise<Stamping | null> {
  const rows = await run<Stamping>(
    db,
    'readStamping',
    'select what, begun_at as since, mac from stamping where what = $1',
    [what],
  )
  return rows[0] ?? null
}

/** Leaves what another process has written. */
export async function beginStampingAt(db: Db, { what, since, mac }: Stamping): Promise<void> {
  await run(
    db,
    'beginStampingAt',
    'insert into stamping (what, begun_at, mac) values ($1, $2, $3) on conflict do nothing',
    [what, since, mac],
  )
}

const FOUND = {
  timeline: `select exists (select 1 from orders) as any, exists (
       select 1 from (select mch_no, transaction_no from orders order by transaction_no desc limit 100) newest
         join timeline t on t.mch_no = newest.mch_no and t.transaction_no = newest.transaction_no
        where t.mac is not null) as stamped`,
  audit: `select exists (select from console_audit) as any,
                 exists (select from console_audit where seq is not null) as stamped`,
}

/** Whether there is any row of this kind, and whether the newest orders' timelines, or an entry of the audit log, are stamped. */
export async function isStamped(db: Db, what: keyof typeof FOUND): Promise<'empty' | 'unstamped' | 'stamped'> {
  const [row] = await run<{ any: boolean; stamped: boolean }>(db, `isStamped ${what}`, FOUND[what], [])
  if (row?.stamped === true) return 'stamped'
  return row?.any === true ? 'unstamped' : 'empty'
}
