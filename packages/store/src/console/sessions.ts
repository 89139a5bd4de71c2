/** Who is signed in at the console. The key is a hash of what the cookie holds: a copy of the table opens nothing. */

import { type Db, run } from '../db.ts'
import type { ConsoleUser } from './users.ts'

export type ConsoleSession = Pick<ConsoleUser, 'username' | 'role' | 'mchNo' | 'mustChangePassword' | 'isTotpEnabled'>

export const addConsoleSession = (
  db: Db,
  session: { key: Buffer; username: string; address: string; expiresAt: Date },
  now: Date,
) =>
  run(
    db,
    'addConsoleSession',
    `insert into console_session (session_key, username, address, created_at, seen_at, expires_at)
     values ($1, $2, $3, $4, $4, $5)`,
    [session.key, session.username, session.address, now, session.expiresAt],
  )

/**
 * The session with its user as of now, if it has neither ended nor been idle since `idleSince`, and the user is enabled.
 * `isActive`: a person acts, and it is not the page that polls.
 */
export async function useConsoleSession(
  db: Db,
  key: Buffer,
  { now, idleSince, isActive }: { now: Date; idleSince: Date; isActive: boolean },
): Promise<ConsoleSession | null> {
  // Seen once a minute is seen: reading pages does not write rows.
  const rows = await run<ConsoleSession>(
    db,
    'useConsoleSession',
    `with seen as (
       update console_session set seen_at = $2
        where $4 and session_key = $1 and expires_at > $2 and seen_at > $3
          and seen_at < $2::timestamptz - interval '1 minute')
     select u.username, u.role, u.mch_no as "mchNo", u.must_change_password as "mustChangePassword",
            u.totp_enabled as "isTotpEnabled"
       from console_session s join console_user u on u.username = s.username and u.enabled
      where s.session_key = $1 and s.expires_at > $2 and s.seen_at > $3`,
    [key, now, idleSince, isActive],
  )
  return rows[0] ?? null
}

export const endConsoleSession = (db: Db, key: Buffer) =>
  run(db, 'endConsoleSession', 'delete from console_session where session_key = $1', [key])

/** Ends all of a user's sessions. */
export const endConsoleSessions = (db: Db, username: string) =>
  run(db, 'endConsoleSessions', 'delete from console_session where username = $1', [username])

/** Removes sessions that are over. */
export const forgetConsoleSessions = (db: Db, now: Date, idleSince: Date) =>
  run(db, 'forgetConsoleSessions', 'delete from console_session where expires_at <= $1 or seen_at <= $2', [
    now,
    idleSince,
  ])
