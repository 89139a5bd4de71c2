/** The platform's own key pairs. The server seals the private key before it is stored. */
import type { Db } from '../db.ts'

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

/** Adds a key pair unless one with this id exists, so that two processes on their first start end up with the same key. */
export async function addPlatformKey(db: Db, key: PlatformKey): Promise<void> {
  await db.query(
    `insert into platform_key (key_id, public_key, private_key_sealed, valid_from) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [key.keyId, key.publicKey, key.privateKeySealed, key.validFrom],
  )
}
