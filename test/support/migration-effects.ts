/** Asks PostgreSQL what each migration does to the tables that were there before it: its locks, what it reads, what it writes anew. */
import type { Effects, Pool } from '@acopay/store'
import type { PoolClient } from 'pg'
import type { Migration } from '../../packages/store/src/migrations/files.ts'

/** From the weakest to the strongest. */
const LOCKS = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
]

type Table = { table: string; file: string; scans: number; lock: string | null }

/** Runs all of them on an empty database, which has an empty table for each that a large one has. */
export async function effectsOf(pool: Pool, migrations: Migration[]): Promise<Effects> {
  const client = await pool.connect()
  try {
    const effects: Effects = {}
    for (const migration of migrations) effects[migration.name] = await effectsOfOne(client, migration)
    return effects
  } finally {
    client.release()
  }
}

async function effectsOfOne(client: PoolClient, { sql, concurrently }: Migration): Promise<Effects[string]> {
  if (concurrently !== null) {
    for (const statement of concurrently) await client.query(statement.sql)
    const tables = new Set(concurrently.flatMap(({ table }) => table ?? []))
    return [...tables]
      .sort()
      .map((table) => ({ table, lock: 'ShareUpdateExclusiveLock', scans: true, rewrites: false }))
  }
  await client.query('begin')
  const before = await tablesOf(client)
  await client.query(sql)
  const after = new Map((await tablesOf(client)).map((row) => [row.table, row]))
  await client.query('commit')
  return before.flatMap(({ table, file, scans }) => {
    const now = after.get(table)
    if (now === undefined) return [{ table, lock: 'AccessExclusiveLock', scans: false, rewrites: false }]
    const effect = { table, lock: now.lock ?? '', scans: now.scans > scans, rewrites: now.file !== file }
    // To read without a lock that others feel is no effect.
    const isFelt = LOCKS.indexOf(effect.lock) > LOCKS.indexOf('RowShareLock') || effect.scans || effect.rewrites
    return isFelt ? [effect] : []
  })
}

/** `file`: a rewritten table has another one. `scans`: how often it was read from its beginning. */
async function tablesOf(client: PoolClient): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select c.relname as table, c.relfilenode::text as file, pg_stat_get_xact_numscans(c.oid)::integer as scans,
            (select l.mode from pg_locks l where l.relation = c.oid and l.pid = pg_backend_pid()
              order by array_position($1, l.mode) desc limit 1) as lock
       from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') order by 1`,
    [LOCKS],
  )
  return rows
}
