/** The table `schema_migration` says what ran. From it a program knows whether the database is one that it may serve. */
import type { Db } from '../db.ts'
import { type Migration, ourMigrations } from './files.ts'

export type Applied = {
  number: number
  name: string
  checksum: string
  appliedAt: Date
  /** The version of the program that ran it; null: one before 0.2.0. */
  appliedBy: string | null
  /** The oldest program that works with the database from here on, by its last migration; null: one before 0.2.0 ran it. */
  oldestProgram: number | null
}

export type Schema = {
  applied: Applied[]
  missing: Migration[]
  /** Ran with another text than the file now has. */
  edited: Migration[]
  /** Ran by a newer program. */
  unknown: Applied[]
}

/** The migrations that ran, in their order. */
async function readLedger(db: Db): Promise<Applied[]> {
  const { rows: found } = await db.query<{ isThere: boolean }>(
    `select to_regclass('schema_migration') is not null as "isThere"`,
  )
  if (found[0]?.isThere !== true) return []
  // Tables that a version before 0.2.0 made lack the last two columns.
  const { rows } = await db.query<Applied>(
    `select number, name, checksum, applied_at as "appliedAt", to_jsonb(m) ->> 'applied_by' as "appliedBy",
            (to_jsonb(m) ->> 'oldest_program')::integer as "oldestProgram"
       from schema_migration as m order by number`,
  )
  return rows
}

export async function readSchema(db: Db, migrations: Migration[] = ourMigrations()): Promise<Schema> {
  const applied = await readLedger(db)
  const ran = new Map(applied.map((row) => [row.number, row]))
  return {
    applied,
    missing: migrations.filter(({ number }) => !ran.has(number)),
    edited: migrations.filter(({ number, checksum }) => ran.has(number) && ran.get(number)?.checksum !== checksum),
    unknown: applied.filter(({ number }) => number > migrations.length),
  }
}

/** How a program by its last migration names itself to the database while it serves: `migrate` sees which programs are running. */
export const servingName = (migrations: Migration[] = ourMigrations()): string =>
  `acopay serves ${String(migrations.length).padStart(4, '0')}`

/**
 * Whether this program may serve the database: null, or in one line why not and what to do. A newer database is served as long as
 * none of its migrations needs a newer program.
 */
export function whyNotServed(
  { applied, missing, edited, unknown }: Schema,
  migrations: Migration[] = ourMigrations(),
): string | null {
  const known = migrations.length
  // What a newer program ran says always which programs it needs.
  const tooNew = unknown.find(({ oldestProgram }) => (oldestProgram ?? Number.POSITIVE_INFINITY) > known)
  if (tooNew !== undefined) {
    return `数据库比本程序新，本程序不能再使用它：请启动新版本 (the database is newer than this program, which cannot serve it any more: migration ${tooNew.name}; start the newer version)`
  }
  const [first] = edited
  if (first !== undefined) {
    return `migrations/${first.name} 在执行后被改动，请改回并另加迁移 (was edited after it ran; restore it, and add a new migration instead)`
  }
  if (missing.length === 0) return null
  const [next] = missing
  const what =
    applied.length === 0
      ? '数据库还没有表 (the database has no tables yet)'
      : `数据库比本程序旧 (the database is older than this program: it lacks ${missing.length}, first ${next?.name})`
  return `${what}: 请用表的所有者执行 npm run migrate (run npm run migrate as the owner of the tables)`
}

/** Also brings a table that a version before 0.2.0 made to today's columns. */
export async function prepareLedger(db: Db): Promise<void> {
  await db.query(`create table if not exists schema_migration (
    number integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now()
  )`)
  await db.query('alter table schema_migration add column if not exists applied_by text')
  await db.query('alter table schema_migration add column if not exists oldest_program integer')
}

/** False: another process has run it. */
export async function writeApplied(db: Db, migration: Migration, program: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into schema_migration (number, name, checksum, applied_by, oldest_program)
     select $1, $2, $3, $4, greatest($5::integer, (select max(oldest_program) from schema_migration), 0)
     on conflict do nothing`,
    [migration.number, migration.name, migration.checksum, program, migration.needsProgram],
  )
  return rowCount === 1
}

/** The last migration that this program has. */
export const newestMigration = (): { number: number; name: string } => ourMigrations().at(-1) as Migration

/** The last migration that ran on this database; null where none has. */
export const lastMigration = async (db: Db): Promise<{ number: number; name: string } | null> =>
  (await readSchema(db)).applied.at(-1) ?? null
