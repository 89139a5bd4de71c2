/** What each missing migration would do, and to how large a table: for the operator who decides when to run it. */
import { readFileSync } from 'node:fs'
import type { Db } from '../db.ts'
import { MIGRATIONS_FOLDER } from '../migrations-folder.ts'
import { type Migration, ourMigrations, statementsOf } from './files.ts'
import { readSchema } from './ledger.ts'

/** What a migration does to a table that was there before it, as PostgreSQL itself said (`npm run record:locks`). */
export type Effect = {
  table: string
  /** The strongest lock, in PostgreSQL's words. */
  lock: string
  /** Reads every row. */
  scans: boolean
  /** Writes the table anew, or every index of it. */
  rewrites: boolean
}

/** By the name of the file. */
export type Effects = Record<string, Effect[]>

const RECORDED = new URL('effects.json', MIGRATIONS_FOLDER)

export const readEffects = (): Effects => JSON.parse(readFileSync(RECORDED, 'utf8')) as Effects

/** With this lock others may still write rows. */
const WRITERS_GO_ON = ['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock']

export const stopsWriters = ({ lock }: Effect): boolean => !WRITERS_GO_ON.includes(lock)

export type PlannedTable = Effect & { rows: number; bytes: number }

export type PlannedStep = {
  migration: Migration
  statements: string[]
  /** Null where nothing was recorded: a migration that is not this program's own. */
  tables: PlannedTable[] | null
}

/** Only reads. Rows are PostgreSQL's estimate; a table that is not there yet is empty. */
export async function planMigrations(db: Db, migrations: Migration[] = ourMigrations(), effects = readEffects()) {
  const { missing } = await readSchema(db, migrations)
  const { rows } = await db.query<{ table: string; rows: number; bytes: number }>(
    `select relname as table, greatest(reltuples, 0)::float8 as rows, pg_total_relation_size(oid)::float8 as bytes
       from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')`,
  )
  const sizes = new Map(rows.map((row) => [row.table, row]))
  return missing.map(
    (migration): PlannedStep => ({
      migration,
      statements: statementsOf(migration.sql),
      tables:
        effects[migration.name]?.map((effect) => {
          const { rows: count, bytes } = sizes.get(effect.table) ?? { rows: 0, bytes: 0 }
          return { ...effect, rows: count, bytes }
        }) ?? null,
    }),
  )
}
