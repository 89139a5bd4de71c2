/** How far the sandbox's clock was moved ahead. It lies beside the stand-ins' books, where all processes read it. */
import { type Db, type Pool, run, transaction } from '../db.ts'

const aheadOf = (rows: { document: string }[]): number =>
  rows[0] === undefined ? 0 : (JSON.parse(rows[0].document) as { aheadMs: number }).aheadMs

const textOf = (aheadMs: number): string => JSON.stringify({ aheadMs })

/** 0 where the clock was never moved. */
export const readAheadMs = async (db: Db): Promise<number> =>
  aheadOf(await run(db, 'readSandboxClock', `select document from sandbox_book where key = 'clock'`, []))

/**
 * Moves the clock on, never back; the answer is how far it is ahead then. The open sessions of the console move along: the time
 * of the users who are signed in has not passed.
 */
export const moveAhead = (pool: Pool, aheadMs: number): Promise<number> =>
  transaction(pool, async (db) => {
    const begin = `insert into sandbox_book (key, document) values ('clock', $1) on conflict do nothing`
    await run(db, 'beginSandboxClock', begin, [textOf(0)])
    const lock = `select document from sandbox_book where key = 'clock' for update`
    const before = aheadOf(await run(db, 'lockSandboxClock', lock, []))
    if (before >= aheadMs) return before
    const write = `update sandbox_book set document = $1 where key = 'clock'`
    await run(db, 'moveSandboxClock', write, [textOf(aheadMs)])
    await run(
      db,
      'moveConsoleSessions',
      `update console_session set seen_at = seen_at + $1 * interval '1 ms', proven_at = proven_at + $1 * interval '1 ms',
              expires_at = expires_at + $1 * interval '1 ms'`,
      [aheadMs - before],
    )
    return aheadMs
  })

/** When something is due next after this moment; null where nothing is. */
export type NextDue = {
  /** A notification, or the expiry of an order. */
  exact: Date | null
  /** A job: most of them ask an upstream again and again, and may do so a little later. */
  job: Date | null
}

export async function nextDue(db: Db, after: Date): Promise<NextDue> {
  const rows = await run<NextDue>(
    db,
    'nextDue',
    `select least((select min(due_at) from notification where state = 'PENDING' and due_at > $1),
                  (select min(time_expire) from orders where state = 'NOTPAY' and time_expire > $1)) as exact,
            (select min(due_at) from job where due_at > $1) as job`,
    [after],
  )
  return rows[0] ?? { exact: null, job: null }
}
