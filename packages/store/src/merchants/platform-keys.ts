/** The platform's own key pairs. The private half is sealed before it comes here. */
import type { Db } from '../db.ts'

export type PlatformKey = { keyId: string; publicKey: string; privateKeySealed: Buffer; validFrom: Date }

/** Every key valid at `now`, newest first; the first is the one that signs. */
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

/** Adds a key pair; one of the same id is left as it is, so that of two first starts one wins. */
export async function addPlatformKey(db: Db, key: PlatformKey): Promise<void> {
  await db.query(
    `insert into platform_key (key_id, public_key, private_key_sealed, valid_from) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [key.keyId, key.publicKey, key.privateKeySealed, key.validFrom],
  )
}
