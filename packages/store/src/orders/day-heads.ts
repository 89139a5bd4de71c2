/** What each day's rows were: reading the day, and the heads that were made of it. Days are texts, `yyyy-MM-dd`, in UTC+8. */
import { type Db, type Pool, run, transaction, UNHURRIED } from '../db.ts'

/** `heads`: the text that is signed. */
export type DayHeads = { day: string; heads: string; keyId: string; signature: string }

/** Of all days, or one; the oldest first. */
export const readDayHeads = (db: Db, day: string | null = null): Promise<DayHeads[]> =>
  run<DayHeads>(
    db,
    'readDayHeads',
    `select day::text, heads, key_id as "keyId", signature from day_heads
      where $1::date is null or day = $1 order by day_heads.day`,
    [day],
  )

export async function lastDayHeads(db: Db): Promise<DayHeads | null> {
  const rows = await run<DayHeads>(
    db,
    'lastDayHeads',
    `select day::text, heads, key_id as "keyId", signature from day_heads order by day_heads.day desc limit 1`,
    [],
  )
  return rows[0] ?? null
}

/** False when another process has written them. */
export async function insertDayHeads(db: Db, { day, heads, keyId, signature }: DayHeads): Promise<boolean> {
  const rows = await run(
    db,
    'insertDayHeads',
    `insert into day_heads (day, heads, key_id, signature) values ($1, $2, $3, $4) on conflict do nothing returning 1`,
    [day, heads, keyId, signature],
  )
  return rows.length === 1
}

/** Whether this process may make heads until `until`; no other one does meanwhile. */
export async function leaseDayHeads(db: Db, now: Date, until: Date): Promise<boolean> {
  const rows = await run(
    db,
    'leaseDayHeads',
    'update day_heads_lease set held_until = $2 where held_until <= $1 returning 1',
    [now, until],
  )
  return rows.length === 1
}

/** Ends the lease that lasts until `heldUntil`, if it is still that one. */
export async function releaseDayHeads(db: Db, heldUntil: Date, now: Date): Promise<void> {
  await run(db, 'releaseDayHeads', 'update day_heads_lease set held_until = $2 where held_until = $1', [heldUntil, now])
}

export type DayEntry = { mchNo: string; transactionNo: string; seq: number; hash: Buffer }

/** Rows of one read. */
const PAGE = 5000

/** Calls `take` with the entries from `from` on and before `until`, in the order of their keys, some at a time. One snapshot. */
export const readEntriesOf = (
  pool: Pool,
  { from, until }: { from: Date; until: Date },
  take: (entries: DayEntry[]) => void,
): Promise<void> =>
  transaction(pool, async (db) => {
    // Sorting a day of a large installation takes longer than a request may.
    await db.query('set local statement_timeout = 0')
    await db.query({
      ...UNHURRIED,
      text: `declare entries_of_day no scroll cursor for
        select mch_no as "mchNo", transaction_no as "transactionNo", seq, hash from timeline
         where at >= $1 and at < $2 order by mch_no, transaction_no, seq`,
      values: [from, until],
    })
    for (;;) {
      const { rows } = await db.query<DayEntry>({ ...UNHURRIED, text: `fetch ${PAGE} from entries_of_day` })
      take(rows)
      if (rows.length < PAGE) return
    }
  })
