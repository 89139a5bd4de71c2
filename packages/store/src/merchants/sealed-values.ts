/** Every column that holds values sealed with the master key. The server seals and unseals; the store cannot read them. */
import { type Db, run } from '../db.ts'

export async function findPurposeKey(db: Db, purpose: string): Promise<Buffer | null> {
  const text = 'select sealed from purpose_key where purpose = $1'
  return (await run<{ sealed: Buffer }>(db, 'findPurposeKey', text, [purpose]))[0]?.sealed ?? null
}

/** Adds a key unless there is one for this purpose, so that two processes on their first start end up with the same key. */
export async function addPurposeKey(db: Db, purpose: string, sealed: Buffer): Promise<void> {
  const text = 'insert into purpose_key (purpose, sealed) values ($1, $2) on conflict do nothing'
  await run(db, 'addPurposeKey', text, [purpose, sealed])
}

/** `key`: the row's key, as its columns lie in the table's. */
export type SealedValue = { table: SealedTable; key: string[]; sealed: Buffer }

const TABLES = {
  platform_key: { key: ['key_id'], column: 'private_key_sealed' },
  purpose_key: { key: ['purpose'], column: 'sealed' },
  channel_account: { key: ['mch_no', 'channel'], column: 'settings_sealed' },
  console_user: { key: ['username'], column: 'totp_sealed' },
  alarm_channel: { key: ['channel_id'], column: 'settings_sealed' },
} as const

export type SealedTable = keyof typeof TABLES
export const SEALED_TABLES = Object.keys(TABLES) as SealedTable[]

/** At most `limit` values after the row `after` whose first bytes are not `head`, in the order of the table's key. */
export async function sealedValues(
  db: Db,
  { table, head, after }: { table: SealedTable; head: Buffer; after: string[] | null },
  limit: number,
): Promise<SealedValue[]> {
  const { key, column } = TABLES[table]
  const keys = key.map((name) => `${name}::text`).join(', ')
  const isAfter = after === null ? 'true' : `(${keys}) > (${after.map((_, index) => `$${index + 4}`).join(', ')})`
  const rows = await run<{ key: string[]; sealed: Buffer }>(
    db,
    `sealedValues ${table}${after === null ? '' : ' after'}`,
    `select array[${keys}] as key, ${column} as sealed from ${table}
      where substr(${column}, 1, $2::int) <> $1 and ${isAfter} order by ${keys} limit $3`,
    [head, head.length, limit, ...(after ?? [])],
  )
  return rows.map((row) => ({ table, ...row }))
}

/** Replaces a sealed value; false when it was changed meanwhile. */
export async function replaceSealed(db: Db, { table, key, sealed }: SealedValue, by: Buffer): Promise<boolean> {
  const { key: names, column } = TABLES[table]
  const isRow = names.map((name, index) => `${name} = $${index + 3}`).join(' and ')
  const text = `update ${table} set ${column} = $2 where ${column} = $1 and ${isRow} returning 1`
  return (await run(db, `replaceSealed ${table}`, text, [sealed, by, ...key])).length === 1
}
