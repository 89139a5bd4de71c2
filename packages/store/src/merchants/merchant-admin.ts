/** Merchants as the console lists and changes them: their apps, their keys with validity times, their channel accounts. */
import { type Db, run } from '../db.ts'

export type ListedMerchant = {
  mchNo: string
  name: string
  isEnabled: boolean
  createdAt: Date
  apps: number
  keys: number
}

/** Ordered by number, at most `limit` after `after`; with `search`, those whose number or name holds it. `keys` counts those valid at `now`. */
export const listMerchants = (
  db: Db,
  { mchNo, after, search }: { mchNo: string | null; after: string; search: string | null },
  now: Date,
  limit: number,
): Promise<ListedMerchant[]> =>
  run<ListedMerchant>(
    db,
    'listMerchants',
    `select mch_no as "mchNo", name, enabled as "isEnabled", created_at as "createdAt",
            (select count(*)::int from app a where a.mch_no = m.mch_no) as apps,
            (select count(*)::int from merchant_key k where k.mch_no = m.mch_no and k.valid_from <= $3
                and (k.valid_until is null or k.valid_until > $3)) as keys
       from merchant m where ($1::text is null or mch_no = $1) and mch_no > $2
        and ($5::text is null or strpos(lower(mch_no), lower($5)) > 0 or strpos(lower(name), lower($5)) > 0)
      order by mch_no limit $4`,
    [mchNo, after, now, limit, search],
  )

export type MerchantPart = {
  mchNo: string
  name: string
  isEnabled: boolean
  allowedIps: string[]
  ratePerSecond: number | null
  createdAt: Date
}
/** `channels`: those that the app's payers are offered; null: all. The last three are null where they are not set. */
export type AppPart = {
  appNo: string
  name: string
  isEnabled: boolean
  channels: string[] | null
  createdAt: Date
  returnUrl: string | null
  brandColor: string | null
  logoDigest: string | null
  isToldOfSentBack: boolean
}
export type KeyPart = { keyId: string; publicKey: string; validFrom: Date; validUntil: Date | null }
export type AccountPart = {
  channel: string
  settingsSealed: Buffer
  changedAt: Date
  /** The upstream's word for refusing this account's requests as such, and since when. */
  complaint: string | null
  complainedAt: Date | null
}

/** Null when there is no such merchant. */
export async function readMerchantParts(db: Db, mchNo: string) {
  const of = <Row extends object>(name: string, sql: string) => run<Row>(db, name, sql, [mchNo])
  const [merchant] = await of<MerchantPart>(
    'readMerchant',
    `select mch_no as "mchNo", name, enabled as "isEnabled", allowed_ips as "allowedIps",
            rate_per_second as "ratePerSecond", created_at as "createdAt" from merchant where mch_no = $1`,
  )
  if (merchant === undefined) return null
  const apps = await of<AppPart>(
    'readMerchantApps',
    `select app_no as "appNo", name, enabled as "isEnabled", channels, created_at as "createdAt",
            return_url as "returnUrl", brand_color as "brandColor", logo_digest as "logoDigest",
            told_of_sent_back as "isToldOfSentBack" from app
      where mch_no = $1 order by created_at, app_no`,
  )
  const keys = await of<KeyPart>(
    'readMerchantKeys',
    `select key_id as "keyId", public_key as "publicKey", valid_from as "validFrom", valid_until as "validUntil"
       from merchant_key where mch_no = $1 order by valid_from desc, key_id`,
  )
  const accounts = await of<AccountPart>(
    'readMerchantAccounts',
    `select channel, settings_sealed as "settingsSealed", changed_at as "changedAt", complaint,
            complained_at as "complainedAt" from channel_account
      where mch_no = $1 order by channel`,
  )
  return { merchant, apps, keys, accounts }
}

/** False when the number is taken. */
export async function newMerchant(db: Db, merchant: { mchNo: string; name: string }, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'newMerchant',
    'insert into merchant (mch_no, name, created_at) values ($1, $2, $3) on conflict do nothing returning 1',
    [merchant.mchNo, merchant.name, now],
  )
  return rows.length === 1
}

/** An undefined value stays. A rate of null is the gateway's default. */
export async function changeMerchant(
  db: Db,
  mchNo: string,
  change: { name?: string; isEnabled?: boolean; allowedIps?: string[]; ratePerSecond?: number | null },
): Promise<void> {
  await run(
    db,
    'changeMerchant',
    `update merchant set name = coalesce($2, name), enabled = coalesce($3, enabled),
            allowed_ips = coalesce($4::text[], allowed_ips), rate_per_second = case when $5 then $6::int else rate_per_second end
      where mch_no = $1`,
    [
      mchNo,
      change.name,
      change.isEnabled,
      change.allowedIps,
      change.ratePerSecond !== undefined,
      change.ratePerSecond ?? null,
    ],
  )
}

/**
 * Adds a public key that is valid from now on. The merchant's other keys end at `othersUntil`, unless they end earlier.
 * False when the merchant has this key already.
 */
export async function rotateMerchantKey(
  db: Db,
  key: { mchNo: string; keyId: string; publicKey: string },
  othersUntil: Date,
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'rotateMerchantKey',
    `with added as (
       insert into merchant_key (mch_no, key_id, public_key, valid_from) values ($1, $2, $3, $5)
       on conflict do nothing returning key_id),
     others as materialized (
       select key_id, greatest($4, valid_from + interval '1 millisecond') as until from merchant_key
        where mch_no = $1 and (valid_until is null or valid_until > $4)),
     ended as (
       update merchant_key k set valid_until = o.until from others o
        where k.mch_no = $1 and k.key_id = o.key_id and exists (select from added))
     select 1 from added`,
    [key.mchNo, key.keyId, key.publicKey, othersUntil, now],
  )
  return rows.length === 1
}

/**
 * Ends a key's validity now. Changes nothing and returns `last` where it is the only valid key of an enabled merchant, who
 * could not call any more without it.
 */
export async function endKeyNow(
  db: Db,
  key: { mchNo: string; keyId: string },
  now: Date,
): Promise<'ended' | 'last' | 'absent'> {
  const rows = await run<{ isEnded: boolean }>(
    db,
    'endKeyNow',
    `with merchant_now as (select enabled from merchant where mch_no = $1 for update),
     own as (
       select key_id, greatest($3::timestamptz, valid_from + interval '1 millisecond') as until from merchant_key
        where mch_no = $1 and key_id = $2 and (valid_until is null or valid_until > $3)),
     ended as (
       update merchant_key k set valid_until = own.until
         from own, merchant_now m
        where k.mch_no = $1 and k.key_id = own.key_id and (not m.enabled or exists (
          select from merchant_key o where o.mch_no = $1 and o.key_id <> $2 and o.valid_from <= $3
             and (o.valid_until is null or o.valid_until > $3)))
       returning 1)
     select exists (select from ended) as "isEnded" from own`,
    [key.mchNo, key.keyId, now],
  )
  const [row] = rows
  if (row === undefined) return 'absent'
  return row.isEnded ? 'ended' : 'last'
}
