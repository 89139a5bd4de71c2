/** What a process with nothing to do asks: since when something has been due, or when it will be. */
import { type Db, run } from '../db.ts'

/** The earliest of each; null where there is none. `nonces`: when the oldest one was used. */
export type DueTimes = Record<'expiry' | 'nonces' | 'jobs' | 'notifications', Date | null>

/** One call, which reads one entry of an index for each, and two for each host with pending notifications. It locks nothing. */
export async function readDueTimes(db: Db): Promise<DueTimes> {
  const [row] = await run<DueTimes>(
    db,
    'readDueTimes',
    'select expiry, nonces, jobs, notifications from due_times()',
    [],
  )
  if (row === undefined) throw new Error('the database did not say what is due')
  return row
}
