/** What a process with nothing to do asks: since when something has been due, or when it will be. */
import { type Db, run } from '../db.ts'
import { PENDING_HOSTS } from '../notifications/pending-hosts.ts'

/** The earliest of each; null where there is none. `nonces`: when the oldest one was used. */
export type DueTimes = Record<'expiry' | 'nonces' | 'jobs' | 'notifications', Date | null>

/**
 * One statement, which reads one entry of an index for each, and of the notifications one for each host with any that are pending. It locks
 * nothing: the statement that then takes the work does.
 */
export async function readDueTimes(db: Db): Promise<DueTimes> {
  const [row] = await run<DueTimes>(
    db,
    'readDueTimes',
    `with recursive ${PENDING_HOSTS}
     select (select min(time_expire) from orders where state = 'NOTPAY') as expiry,
            (select min(used_at) from nonce) as nonces,
            (select min(due_at) from job) as jobs,
            (select min(first.due_at) from host h cross join lateral (
               select n.due_at from notification n where n.state = 'PENDING' and n.host = h.host
                order by n.due_at limit 1) first) as notifications`,
    [],
  )
  if (row === undefined) throw new Error('the database did not say what is due')
  return row
}
