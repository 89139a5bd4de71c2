/** The platform's own key pairs. The server seals the private key before it is stored. */
import { type Db, type Pool, transaction } from '../db.ts'

export type PlatformKey = { keyId: string; publicKey: string; privateKeySealed: Buffer; validFrom: Date }

/** Every key valid at `now`, newest first. The gateway signs with the first. */
export async function platformKeys(db: Db, now: Date): Promise<PlatformKey[]> {
  const { rows } = await db.query<PlatformKey>(
    `select key_id as "keyId", public_key as "publicKey", private_key_sealed as "privateKeySealed",
            valid_from as "validFrom"
       from platform_key where valid_from <= $1 and (valid_until is null or valid_until > $1)
      order by valid_from desc, key_id`,
    [now],
  )
  return rows
}

export type ListedPlatformKey = Pick<PlatformKey, 'keyId' | 'publicKey' | 'validFrom'> & { validUntil: Date | null }

/** Every key that there ever was, newest first: the one that signs, those before it, and those that will sign. */
export async function listPlatformKeys(db: Db): Promise<ListedPlatformKey[]> {
  const { rows } = await db.query<ListedPlatformKey>(
    `select key_id as "keyId", public_key as "publicKey", valid_from as "validFrom", valid_until as "validUntil"
       from platform_key order by valid_from desc, key_id`,
  )
  return rows
}

/** Every key that there ever was, with its sealed half. */
export async function sealedPlatformKeys(db: Db): Promise<Pick<PlatformKey, 'keyId' | 'privateKeySealed'>[]> {
  const { rows } = await db.query<Pick<PlatformKey, 'keyId' | 'privateKeySealed'>>(
    `select key_id as "keyId", private_key_sealed as "privateKeySealed" from platform_key order by key_id`,
  )
  return rows
}

/**
 * From `at` on the key signs nothing; one that has not begun is removed, since it has signed nothing. 'absent': there is no such key, or it has ended before. 'last': no other key could sign then;
 * of two calls at once for two keys only one ends its key.
 */
export const endPlatformKey = (pool: Pool, keyId: string, at: Date): Promise<'ended' | 'absent' | 'last'> =>
  transaction(pool, async (db) => {
    await db.query('select 1 from platform_key order by key_id for update')
    // Without a look at the time of an end: the call that waited for the lock may have asked before it.
    const signing = await db.query<{ keyId: string }>(
      'select key_id as "keyId" from platform_key where valid_from <= $1 and valid_until is null',
      [at],
    )
    if (signing.rows.length === 1 && signing.rows[0]?.keyId === keyId) return 'last'
    const removed = await db.query('delete from platform_key where key_id = $1 and valid_from >= $2', [keyId, at])
    const ended = await db.query(
      'update platform_key set valid_until = $2 where key_id = $1 and (valid_until is null or valid_until > $2)',
      [keyId, at],
    )
    return removed.rowCount === 1 || ended.rowCount === 1 ? 'ended' : 'absent'
  })

/** Adds a key pair. False where one with this id exists: two processes on their first start end up with the same key. */
export async function addPlatformKey(db: Db, key: PlatformKey): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into platform_key (key_id, public_key, private_key_sealed, valid_from) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [key.keyId, key.publicKey, key.privateKeySealed, key.validFrom],
  )
  return rowCount === 1
}
