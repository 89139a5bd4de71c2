/** Passkeys of the console's users, and the challenges that they sign. */
import { type Db, type Pool, run, transaction } from '../db.ts'
import { putRecoveryCodes } from './users.ts'

export type Passkey = {
  /** The beginning of the hash of `credentialId`, in hexadecimal digits. */
  id: string
  credentialId: Buffer
  /** COSE. */
  publicKey: Buffer
  transports: string[]
  name: string
  createdAt: Date
  /** Null before its first use after the registration. */
  usedAt: Date | null
}

const ID = "left(encode(sha256(credential_id), 'hex'), 16)"
const COLUMNS = `${ID} as id, credential_id as "credentialId", public_key as "publicKey", transports, name,
  created_at as "createdAt", used_at as "usedAt"`

/** The user's passkeys, the oldest first. `PASSKEYS_MAX` in the server bounds their number. */
export const listPasskeys = (db: Db, username: string): Promise<Passkey[]> =>
  run<Passkey>(
    db,
    'listPasskeys',
    `select ${COLUMNS} from console_passkey where username = $1 order by created_at, credential_id`,
    [username],
  )

/** Null where this user has no such passkey. */
export async function findPasskey(db: Db, username: string, credentialId: Buffer): Promise<Passkey | null> {
  const text = `select ${COLUMNS} from console_passkey where username = $1 and credential_id = $2`
  return (await run<Passkey>(db, 'findPasskey', text, [username, credentialId]))[0] ?? null
}

export type NewPasskey = Pick<Passkey, 'credentialId' | 'publicKey' | 'transports' | 'name'> & {
  username: string
  counter: number
}

/**
 * Adds a passkey, at most `max` for one user. Where it is the user's only second factor, `recoveryHashes` become the user's recovery
 * codes ('first'). 'known': this or another user has this passkey already.
 */
export const addPasskey = (
  pool: Pool,
  passkey: NewPasskey,
  { max, recoveryHashes }: { max: number; recoveryHashes: Buffer[] },
  now: Date,
): Promise<'added' | 'first' | 'too_many' | 'known'> =>
  transaction(pool, async (db) => {
    const { username, credentialId, publicKey, counter, transports, name } = passkey
    const isTotpEnabled = await lockUser(db, username)
    const before = (await listPasskeys(db, username)).length
    if (before >= max) return 'too_many'
    const added = await run(
      db,
      'addPasskey',
      `insert into console_passkey (credential_id, username, public_key, counter, transports, name, created_at)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1`,
      [credentialId, username, publicKey, counter, transports, name, now],
    )
    if (added.length === 0) return 'known'
    if (isTotpEnabled || before > 0) return 'added'
    await putRecoveryCodes(db, username, recoveryHashes)
    return 'first'
  })

/** False when the user has no such passkey. With the last second factor its recovery codes go. */
export const removePasskey = (pool: Pool, username: string, id: string): Promise<boolean> =>
  transaction(pool, async (db) => {
    await lockUser(db, username)
    const text = `delete from console_passkey where username = $1 and ${ID} = $2 returning 1`
    const removed = await run(db, 'removePasskey', text, [username, id])
    await dropIdleRecoveryCodes(db, username)
    return removed.length > 0
  })

/** The user turns the authenticator off. Passkeys stay; recovery codes stay where there is a passkey that they stand in for. */
export const turnTotpOff = (pool: Pool, username: string): Promise<void> =>
  transaction(pool, async (db) => {
    const text = 'update console_user set totp_enabled = false, totp_sealed = null where username = $1'
    await run(db, 'turnTotpOff', text, [username])
    await dropIdleRecoveryCodes(db, username)
  })

/**
 * Notes that a passkey has signed. False when its counter did not grow although it counts: then two authenticators have the same key.
 * One statement, so that of two signatures at once the second is compared with the first.
 */
export async function usePasskey(
  db: Db,
  { credentialId, counter }: { credentialId: Buffer; counter: number },
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'usePasskey',
    `update console_passkey set counter = $2, used_at = $3
      where credential_id = $1 and (counter < $2 or (counter = 0 and $2 = 0)) returning 1`,
    [credentialId, counter, now],
  )
  return rows.length === 1
}

/** Locks the row of the user until the transaction ends. Answers whether an authenticator is on. */
async function lockUser(db: Db, username: string): Promise<boolean> {
  const text = 'select totp_enabled as "isTotpEnabled" from console_user where username = $1 for update'
  return (await run<{ isTotpEnabled: boolean }>(db, 'lockUser', text, [username]))[0]?.isTotpEnabled ?? false
}

/** Recovery codes stand in for a second factor. Without one they would be good again with the next one. */
const dropIdleRecoveryCodes = (db: Db, username: string) =>
  run(
    db,
    'dropIdleRecoveryCodes',
    `delete from console_recovery_code where username = $1
        and not exists (select from console_passkey where username = $1)
        and not exists (select from console_user where username = $1 and totp_enabled)`,
    [username],
  )

/** What a challenge was given out for: it is good for nothing else. */
export type ChallengePurpose = 'register' | 'sign_in' | 'prove'

export type Challenge = { challenge: Buffer; username: string; purpose: ChallengePurpose }

/** Stores a challenge. Of the user's challenges for this purpose the newest `max` stay. */
export const addChallenge = (
  db: Db,
  { challenge, username, purpose, expiresAt }: Challenge & { expiresAt: Date },
  max: number,
) =>
  run(
    db,
    'addChallenge',
    `with too_many as (
       delete from console_challenge where challenge in (
         select challenge from console_challenge where username = $2 and purpose = $3
          order by expires_at desc, challenge offset $5::int - 1))
     insert into console_challenge (challenge, username, purpose, expires_at) values ($1, $2, $3, $4)`,
    [challenge, username, purpose, expiresAt, max],
  )

/** Uses a challenge up. False where it was never given to this user for this purpose, was used before, or has expired. */
export async function takeChallenge(db: Db, { challenge, username, purpose }: Challenge, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'takeChallenge',
    `delete from console_challenge where challenge = $1 and username = $2 and purpose = $3 and expires_at > $4 returning 1`,
    [challenge, username, purpose, now],
  )
  return rows.length === 1
}

/** Removes challenges that have expired. */
export const forgetChallenges = (db: Db, now: Date) =>
  run(db, 'forgetChallenges', 'delete from console_challenge where expires_at <= $1', [now])
