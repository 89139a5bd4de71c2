/** Open sessions of the console. The key is a hash of the cookie's token, so a copy of the table cannot be used to sign in. */

import { type Db, run } from '../db.ts'
import type { ConsoleUser } from './users.ts'

export type SessionUser = Pick<
  ConsoleUser,
  'username' | 'role' | 'mchNo' | 'mustChangePassword' | 'isTotpEnabled' | 'passkeys'
>

export type ConsoleSession = SessionUser & {
  /** When the user last proved who they are. */
  provenAt: Date
}

/** One that began by the identity provider has proved nothing to us: the provider may have asked nobody anything. */
export const addConsoleSession = (
  db: Db,
  session: { key: Buffer; username: string; address: string; expiresAt: Date; isByProvider?: boolean },
  now: Date,
) =>
  run(
    db,
    'addConsoleSession',
    `insert into console_session (session_key, username, address, created_at, seen_at, proven_at, expires_at, by_provider)
     values ($1, $2, $3, $4, $4, case when $6 then to_timestamp(0) else $4 end, $5, $6)`,
    [session.key, session.username, session.address, now, session.expiresAt, session.isByProvider ?? false],
  )

/**
 * The session with its user as of now. Null when the session has ended, was idle since `idleSince`, or its user is disabled.
 * `isActive`: the user acts; false where the page polls by itself.
 */
export async function useConsoleSession(
  db: Db,
  key: Buffer,
  { now, idleSince, isActive }: { now: Date; idleSince: Date; isActive: boolean },
): Promise<ConsoleSession | null> {
  // `seen_at` is written at most once a minute, so that reading pages does not write a row each time.
  const rows = await run<ConsoleSession>(
    db,
    'useConsoleSession',
    `with seen as (
       update console_session set seen_at = $2
        where $4 and session_key = $1 and expires_at > $2 and seen_at > $3
          and seen_at < $2::timestamptz - interval '1 minute')
     select u.username, u.role, u.mch_no as "mchNo", u.must_change_password as "mustChangePassword",
            u.totp_enabled as "isTotpEnabled", s.proven_at as "provenAt",
            (select count(*)::integer from console_passkey p where p.username = u.username) as passkeys
       from console_session s join console_user u on u.username = s.username and u.enabled
      where s.session_key = $1 and s.expires_at > $2 and s.seen_at > $3`,
    [key, now, idleSince, isActive],
  )
  return rows[0] ?? null
}

/** The user of this session has proved who they are. */
export const proveConsoleSession = (db: Db, key: Buffer, now: Date) =>
  run(db, 'proveConsoleSession', 'update console_session set proven_at = $2 where session_key = $1', [key, now])

/** Whether its user had come by the identity provider. */
export async function endConsoleSession(db: Db, key: Buffer): Promise<boolean> {
  const text = 'delete from console_session where session_key = $1 returning by_provider as "isByProvider"'
  return (await run<{ isByProvider: boolean }>(db, 'endConsoleSession', text, [key]))[0]?.isByProvider ?? false
}

/** An open session as its user sees it. `id` is the beginning of the key, in hexadecimal digits. */
export type OpenSession = { id: string; address: string; createdAt: Date; seenAt: Date }

const ID = "left(encode(session_key, 'hex'), 16)"
const SESSIONS_MAX = 100

/** The user's open sessions, those used last first, at most 100. */
export const listConsoleSessions = (
  db: Db,
  username: string,
  { now, idleSince }: { now: Date; idleSince: Date },
): Promise<OpenSession[]> =>
  run<OpenSession>(
    db,
    'listConsoleSessions',
    `select ${ID} as id, address, created_at as "createdAt", seen_at as "seenAt" from console_session
      where username = $1 and expires_at > $2 and seen_at > $3 order by seen_at desc, session_key limit ${SESSIONS_MAX}`,
    [username, now, idleSince],
  )

/** Ends one of the user's sessions. False when the user has no such session. */
export async function endConsoleSessionOf(db: Db, username: string, id: string): Promise<boolean> {
  const text = `delete from console_session where username = $1 and ${ID} = $2 returning 1`
  return (await run(db, 'endConsoleSessionOf', text, [username, id])).length > 0
}

/** Ends all of a user's sessions. */
export const endConsoleSessions = (db: Db, username: string) =>
  run(db, 'endConsoleSessions', 'delete from console_session where username = $1', [username])

/** Removes sessions that have ended. */
export const forgetConsoleSessions = (db: Db, now: Date, idleSince: Date) =>
  run(db, 'forgetConsoleSessions', 'delete from console_session where expires_at <= $1 or seen_at <= $2', [
    now,
    idleSince,
  ])
