/** The console's users. The permissions of a role are defined in @acopay/protocol, not here. */
import { type Db, run } from '../db.ts'

export type ConsoleUser = {
  username: string
  role: string
  /** Null: the user sees every merchant. */
  mchNo: string | null
  isEnabled: boolean
  passwordHash: string
  mustChangePassword: boolean
  /** Null where it does not end: a password that the user chose. */
  passwordEndsAt: Date | null
  totpSealed: Buffer | null
  isTotpEnabled: boolean
  /** How many passkeys the user has. */
  passkeys: number
  /** The latest end of a lock of the name, from wherever the failed sign-ins came. It may have passed. */
  lockedUntil: Date | null
  lastSignedInAt: Date | null
  createdAt: Date
}

const COLUMNS = `username, role, mch_no as "mchNo", enabled as "isEnabled", password_hash as "passwordHash",
  must_change_password as "mustChangePassword", password_ends_at as "passwordEndsAt", totp_sealed as "totpSealed", totp_enabled as "isTotpEnabled",
  (select count(*)::integer from console_passkey p where p.username = console_user.username) as passkeys,
  (select max(locked_until) from console_sign_in l where l.username = console_user.username) as "lockedUntil", last_signed_in_at as "lastSignedInAt", created_at as "createdAt"`

export async function findConsoleUser(db: Db, username: string): Promise<ConsoleUser | null> {
  const rows = await run<ConsoleUser>(
    db,
    'findConsoleUser',
    `select ${COLUMNS} from console_user where username = $1`,
    [username],
  )
  return rows[0] ?? null
}

/** Ordered by name, at most `limit` after `after`; of one merchant, or of all where `mchNo` is null. */
export const listConsoleUsers = (db: Db, mchNo: string | null, after: string, limit: number): Promise<ConsoleUser[]> =>
  run<ConsoleUser>(
    db,
    'listConsoleUsers',
    `select ${COLUMNS} from console_user where username > $2 and ($1::text is null or mch_no = $1)
      order by username limit $3`,
    [mchNo, after, limit],
  )

export type NewConsoleUser = Pick<
  ConsoleUser,
  'username' | 'role' | 'mchNo' | 'passwordHash' | 'mustChangePassword'
> & {
  /** Left out where the password does not end. */
  passwordEndsAt?: Date
}

/** False when the name is taken. */
export async function addConsoleUser(db: Db, user: NewConsoleUser, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'addConsoleUser',
    `insert into console_user (username, role, mch_no, password_hash, must_change_password, created_at, password_ends_at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1`,
    [user.username, user.role, user.mchNo, user.passwordHash, user.mustChangePassword, now, user.passwordEndsAt],
  )
  return rows.length === 1
}

/**
 * A value that is left out stays. `unlock` forgets the failed sign-ins. `dropSecondFactor`: the authenticator, the passkeys and the
 * recovery codes.
 */
export async function changeConsoleUser(
  db: Db,
  username: string,
  change: {
    role?: string
    isEnabled?: boolean
    /** A one-time password has an end. */
    password?: { hash: string; endsAt: Date | null }
    unlock?: boolean
    dropSecondFactor?: boolean
  },
): Promise<void> {
  await run(
    db,
    'changeConsoleUser',
    `with forgotten as (delete from console_sign_in where username = $1 and $6),
          passkeys as (delete from console_passkey where username = $1 and $7),
          codes as (delete from console_recovery_code where username = $1 and $7)
     update console_user set role = coalesce($2, role), enabled = coalesce($3, enabled),
            password_hash = coalesce($4, password_hash), must_change_password = coalesce($5, must_change_password),
            password_ends_at = case when $4::text is null then password_ends_at else $8::timestamptz end,
            totp_enabled = totp_enabled and not $7, totp_sealed = case when $7 then null else totp_sealed end
      where username = $1`,
    [
      username,
      change.role,
      change.isEnabled,
      change.password?.hash,
      change.password && change.password.endsAt !== null,
      change.unlock ?? change.password !== undefined,
      change.dropSecondFactor ?? false,
      change.password?.endsAt,
    ],
  )
}

/** Stores a new TOTP secret. Codes are not required until `takeTotpStep` enables it. */
export const putTotpSecret = (db: Db, username: string, sealed: Buffer) =>
  run(db, 'putTotpSecret', 'update console_user set totp_sealed = $2, totp_enabled = false where username = $1', [
    username,
    sealed,
  ])

/** Replaces the user's recovery codes. */
export const putRecoveryCodes = (db: Db, username: string, hashes: Buffer[]) =>
  run(
    db,
    'putRecoveryCodes',
    `with gone as (delete from console_recovery_code where username = $1)
     insert into console_recovery_code (username, code_hash) select $1, hash from unnest($2::bytea[]) as t (hash)`,
    [username, hashes],
  )

/** Uses up a recovery code. False when the user has no such code. */
export async function takeRecoveryCode(db: Db, username: string, hash: Buffer): Promise<boolean> {
  const text = 'delete from console_recovery_code where username = $1 and code_hash = $2 returning 1'
  return (await run(db, 'takeRecoveryCode', text, [username, hash])).length === 1
}

/**
 * Uses the code of a time step. False when it was used before: each code counts once. `enable` also requires codes from now
 * on.
 */
export async function takeTotpStep(db: Db, username: string, step: bigint, enable: boolean): Promise<boolean> {
  const rows = await run(
    db,
    'takeTotpStep',
    `update console_user set totp_step = $2, totp_enabled = totp_enabled or $3
      where username = $1 and totp_step < $2 and totp_sealed is not null returning 1`,
    [username, step, enable],
  )
  return rows.length === 1
}

/** `origin`: where the sign-in comes from. Sign-ins from one origin lock no other. */
export type SignInFrom = { username: string; origin: string }

/**
 * Counts a sign-in before its password is checked, so that parallel sign-ins are all counted. Null while the name is locked for
 * this origin, or where there is no such name. The fifth failure locks it for a minute; each further failure doubles the time,
 * up to one hour.
 */
export async function beginSignIn(
  db: Db,
  { username, origin }: SignInFrom,
  now: Date,
): Promise<{ failures: number } | null> {
  const rows = await run<{ failures: number }>(
    db,
    'beginSignIn',
    `insert into console_sign_in as s (username, origin, failures, tried_at)
     select username, $2, 1, $3 from console_user where username = $1
     on conflict (username, origin) do update set failures = s.failures + 1, tried_at = $3,
       locked_until = case when s.failures >= 4
         then $3::timestamptz + least(60 * power(2, least(s.failures - 4, 6)), 3600) * interval '1 second' end
       where s.locked_until is null or s.locked_until <= $3
     returning failures`,
    [username, origin, now],
  )
  return rows[0] ?? null
}

/** Forgets the failures of this origin after a right password (and code). `now` is null where it was checked without signing in. */
export const endSignIn = (db: Db, { username, origin }: SignInFrom, now: Date | null) =>
  run(
    db,
    'endSignIn',
    `with forgotten as (delete from console_sign_in where username = $1 and origin = $2)
     update console_user set last_signed_in_at = $3 where username = $1 and $3::timestamptz is not null`,
    [username, origin, now],
  )

/** Forgets failed sign-ins that ended before `before`. */
export const forgetSignIns = (db: Db, before: Date) =>
  run(db, 'forgetSignIns', 'delete from console_sign_in where tried_at < $1', [before])
