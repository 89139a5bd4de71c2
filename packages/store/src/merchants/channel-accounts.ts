/** Merchants' accounts with upstreams. The server seals their settings; the store cannot read them. */
import { type Db, run } from '../db.ts'

export async function findChannelAccount(db: Db, mchNo: string, channel: string): Promise<Buffer | null> {
  const rows = await run<{ sealed: Buffer }>(
    db,
    'findChannelAccount',
    'select settings_sealed as sealed from channel_account where mch_no = $1 and channel = $2',
    [mchNo, channel],
  )
  return rows[0]?.sealed ?? null
}

/** Adds the account, or replaces its settings. */
export async function putChannelAccount(
  db: Db,
  account: { mchNo: string; channel: string; settingsSealed: Buffer },
  now: Date,
): Promise<void> {
  await run(
    db,
    'putChannelAccount',
    `insert into channel_account (mch_no, channel, settings_sealed, created_at, changed_at)
     values ($1, $2, $3, $4, $4)
     on conflict (mch_no, channel) do update set settings_sealed = excluded.settings_sealed, changed_at = $4,
       complaint = null, complained_at = null`,
    [account.mchNo, account.channel, account.settingsSealed, now],
  )
}

/**
 * Whether an attempt was ever opened through this account. If so, its queries and refunds must go on using the same
 * account.
 */
export async function isAccountUsed(db: Db, mchNo: string, channel: string): Promise<boolean> {
  const rows = await run(db, 'isAccountUsed', 'select 1 from attempt where mch_no = $1 and channel = $2 limit 1', [
    mchNo,
    channel,
  ])
  return rows.length > 0
}

/** Writes what the upstream says against this account; null: nothing any more. False when that was written before. */
export async function noteComplaint(
  db: Db,
  key: { mchNo: string; channel: string },
  complaint: string | null,
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'noteComplaint',
    `update channel_account set complaint = $3, complained_at = case when $3::text is not null then $4::timestamptz end
      where mch_no = $1 and channel = $2 and complaint is distinct from $3 returning 1`,
    [key.mchNo, key.channel, complaint, now],
  )
  return rows.length === 1
}
