/** Merchants, their apps and their public keys. */
import { type Db, run } from '../db.ts'

export type Merchant = {
  mchNo: string
  name: string
  isEnabled: boolean
  allowedIps: string[]
  ratePerSecond: number | null
  /** Base64 SPKI of every key valid now, newest first. */
  publicKeys: string[]
}

/** The merchant with the keys that are valid at `now`; null when there is none. */
export const findMerchant = async (db: Db, mchNo: string, now: Date): Promise<Merchant | null> =>
  (await findMerchants(db, [mchNo], now)).get(mchNo) ?? null

/** Those of these merchants that there are, by their numbers, each with the keys that are valid at `now`. */
export async function findMerchants(db: Db, mchNos: string[], now: Date): Promise<Map<string, Merchant>> {
  const rows = await run<Merchant>(
    db,
    'findMerchants',
    `select mch_no as "mchNo", name, enabled as "isEnabled", allowed_ips as "allowedIps",
            rate_per_second as "ratePerSecond",
            array(select k.public_key from merchant_key k
                   where k.mch_no = m.mch_no and k.mch_no = any ($1) and k.valid_from <= $2 and (k.valid_until is null or k.valid_until > $2)
                   order by k.valid_from desc) as "publicKeys"
       from merchant m where m.mch_no = any ($1)`,
    [mchNos, now],
  )
  return new Map(rows.map((row) => [row.mchNo, row]))
}

/** Adds a merchant unless its number is taken. */
export async function addMerchant(db: Db, merchant: { mchNo: string; name: string }, now: Date): Promise<void> {
  await db.query('insert into merchant (mch_no, name, created_at) values ($1, $2, $3) on conflict do nothing', [
    merchant.mchNo,
    merchant.name,
    now,
  ])
}

/** Adds an app unless the merchant has one with this number. */
export async function addApp(db: Db, app: { mchNo: string; appNo: string; name: string }, now: Date): Promise<void> {
  await db.query('insert into app (mch_no, app_no, name, created_at) values ($1, $2, $3, $4) on conflict do nothing', [
    app.mchNo,
    app.appNo,
    app.name,
    now,
  ])
}

export type MerchantKey = { mchNo: string; keyId: string; publicKey: string; validFrom: Date; validUntil: Date | null }

/** Adds a public key (Base64 SPKI) unless the merchant has a key with this id. */
export async function addMerchantKey(db: Db, key: MerchantKey): Promise<void> {
  await db.query(
    `insert into merchant_key (mch_no, key_id, public_key, valid_from, valid_until) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [key.mchNo, key.keyId, key.publicKey, key.validFrom, key.validUntil],
  )
}

/** Ends a key's validity: requests that are signed with it are refused from then on. */
export async function endMerchantKey(db: Db, key: { mchNo: string; keyId: string; validUntil: Date }): Promise<void> {
  await db.query('update merchant_key set valid_until = $3 where mch_no = $1 and key_id = $2', [
    key.mchNo,
    key.keyId,
    key.validUntil,
  ])
}

/** Enables or disables a merchant. */
export async function setMerchantEnabled(db: Db, mchNo: string, isEnabled: boolean): Promise<void> {
  await db.query('update merchant set enabled = $2 where mch_no = $1', [mchNo, isEnabled])
}

/** The merchant's oldest app in use, for the sandbox's test orders; null when it has none. */
export async function ownApp(db: Db, mchNo: string): Promise<string | null> {
  const rows = await run<{ appNo: string }>(
    db,
    'ownApp',
    'select app_no as "appNo" from app where mch_no = $1 and enabled order by created_at, app_no limit 1',
    [mchNo],
  )
  return rows[0]?.appNo ?? null
}
