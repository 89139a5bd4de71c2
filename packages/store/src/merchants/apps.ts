/** A merchant's apps: adding one, changing one, and the picture that its payers see. */
import { type Db, run } from '../db.ts'

export type AppKey = { mchNo: string; appNo: string }

/** False when the merchant has an app with this number. */
export async function newApp(db: Db, app: AppKey & { name: string }, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'newApp',
    'insert into app (mch_no, app_no, name, created_at) values ($1, $2, $3, $4) on conflict do nothing returning 1',
    [app.mchNo, app.appNo, app.name, now],
  )
  return rows.length === 1
}

export type Logo = { bytes: Buffer; type: string; digest: string }

/** An undefined value stays. Null takes a value away; of `channels` it means all. */
export type AppChange = {
  name?: string
  isEnabled?: boolean
  isToldOfSentBack?: boolean
  channels?: string[] | null
  returnUrl?: string | null
  brandColor?: string | null
  logo?: Logo | null
}

/** False when there is no such app. */
export async function changeApp(db: Db, app: AppKey, change: AppChange): Promise<boolean> {
  const { channels, returnUrl, brandColor, logo } = change
  const rows = await run(
    db,
    'changeApp',
    `update app set name = coalesce($3, name), enabled = coalesce($4, enabled),
            channels = case when $5 then $6::text[] else channels end,
            return_url = case when $7 then $8 else return_url end,
            brand_color = case when $9 then $10 else brand_color end,
            logo = case when $11 then $12::bytea else logo end,
            logo_type = case when $11 then $13 else logo_type end,
            logo_digest = case when $11 then $14 else logo_digest end,
            told_of_sent_back = coalesce($15, told_of_sent_back)
      where mch_no = $1 and app_no = $2 returning 1`,
    [
      ...[app.mchNo, app.appNo, change.name, change.isEnabled],
      ...[channels !== undefined, channels ?? null],
      ...[returnUrl !== undefined, returnUrl ?? null],
      ...[brandColor !== undefined, brandColor ?? null],
      ...[logo !== undefined, logo?.bytes ?? null, logo?.type ?? null, logo?.digest ?? null],
      change.isToldOfSentBack,
    ],
  )
  return rows.length === 1
}

/** Null where the app has no picture, or has another one now. */
export async function readLogo(db: Db, app: AppKey, digest: string): Promise<{ bytes: Buffer; type: string } | null> {
  const rows = await run<{ bytes: Buffer; type: string }>(
    db,
    'readLogo',
    'select logo as bytes, logo_type as type from app where mch_no = $1 and app_no = $2 and logo_digest = $3',
    [app.mchNo, app.appNo, digest],
  )
  return rows[0] ?? null
}
