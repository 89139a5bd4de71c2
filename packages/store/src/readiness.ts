/** Proves that the database takes writes, for the health check. */
import { type Pool, run, transaction } from './db.ts'

/** Throws where a merchant's order could not be written. */
export const proveWritable = (pool: Pool, now: Date): Promise<void> =>
  transaction(pool, async (db) => {
    // A full disk still takes a small write into a page that is there. So a sort that does not fit into memory asks for new ones.
    await db.query(`set local work_mem = '64kB'`)
    await run(
      db,
      'sortOnDisk',
      `select max(number) from (select number from generate_series(1, 600) number
                                 order by repeat(md5(number::text), 10)) sorted`,
      [],
    )
    await run(
      db,
      'noteReadiness',
      'insert into readiness (id, at) values (1, $1) on conflict (id) do update set at = excluded.at',
      [now],
    )
  })
