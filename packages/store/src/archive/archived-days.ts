/** What is left of a merchant's timeline entries of a day, after some were archived, under a keyed hash that only a gateway can make. */
import { type Db, run } from '../db.ts'

/** `day`: `yyyy-MM-dd` in UTC+8. */
export type ArchivedDay = { mchNo: string; day: string; entries: number; digest: string }

export const readArchivedDays = async (db: Db): Promise<(ArchivedDay & { mac: Buffer })[]> =>
  (
    await run<Omit<ArchivedDay, 'entries'> & { entries: bigint; mac: Buffer }>(
      db,
      'readArchivedDays',
      'select mch_no as "mchNo", day::text, entries, digest, mac from archived_day order by mch_no, archived_day.day',
      [],
    )
  ).map(({ entries, ...day }) => ({ ...day, entries: Number(entries) }))

export async function writeArchivedDay(db: Db, one: ArchivedDay, mac: Buffer): Promise<void> {
  await run(
    db,
    'writeArchivedDay',
    `insert into archived_day (mch_no, day, entries, digest, mac) values ($1, $2, $3, $4, $5)
     on conflict (mch_no, day) do update set entries = excluded.entries, digest = excluded.digest, mac = excluded.mac`,
    [one.mchNo, one.day, one.entries, one.digest, mac],
  )
}

export async function removeArchivedDay(db: Db, { mchNo, day }: Pick<ArchivedDay, 'mchNo' | 'day'>): Promise<void> {
  await run(db, 'removeArchivedDay', 'delete from archived_day where mch_no = $1 and day = $2', [mchNo, day])
}
