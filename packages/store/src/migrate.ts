/** Numbered .sql files, forward only, each in a transaction; many processes may start at once. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type Db, type Pool, transaction, UNHURRIED } from './db.ts'

const FOLDER = new URL('../migrations/', import.meta.url)
const NAME = /^(\d{4})-[a-z0-9-]+\.sql$/

type Migration = { number: number; name: string; sql: string; checksum: string }

function readMigrations(): Migration[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.sql'))
  return names.sort().map((name, index) => {
    const number = Number(NAME.exec(name)?.[1])
    if (number !== index + 1) throw new Error(`migrations/${name} should be number ${index + 1}`)
    const sql = readFileSync(new URL(name, FOLDER), 'utf8')
    return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
  })
}

/**
 * Brings the database to this version's schema; a database that has it is only read, so that a role which owns no tables may serve it.
 * Throws when a migration was edited after it ran, when the database is newer than this program, because an old server must not
 * write into tables that it does not know, and when the role may not change the schema.
 */
export async function migrate(pool: Pool): Promise<void> {
  await migrateTo(pool, Number.POSITIVE_INFINITY)
}

/** Like `migrate`, and stops after this number: an archive is read into the schema that it was written from. */
export async function migrateTo(pool: Pool, lastNumber: number): Promise<void> {
  const migrations = readMigrations()
  const ran = await ranAlready(pool)
  for (const migration of migrations) checkUnedited(migration, ran.get(migration.number)?.checksum)
  const newer = [...ran].find(([number]) => number > migrations.length)
  if (newer !== undefined) {
    throw new Error(`the database is newer than this program (migration ${newer[1].name}); start the newer version`)
  }
  const pending = migrations.filter(({ number }) => !ran.has(number) && number <= lastNumber)
  if (pending.length === 0) return
  try {
    await createLedger(pool)
    for (const migration of pending) await transaction(pool, (db) => apply(db, migration))
  } catch (error) {
    throw (error as { code?: string }).code === '42501' ? new Error(NOT_THE_OWNER) : error
  }
}

/** The last migration that this program has. */
export const newestMigration = (): { number: number; name: string } => readMigrations().at(-1) as Migration

/** The last migration that ran on this database; null where none has. */
export async function lastMigration(db: Db): Promise<{ number: number; name: string } | null> {
  return [...(await ranAlready(db)).values()].at(-1) ?? null
}

const NOT_THE_OWNER =
  '数据库须先升级，而此角色无权修改表结构：请用表的所有者执行 npm run migrate ' +
  '(the database has to be migrated, and this role may not: run npm run migrate as the owner of the tables)'

type Ran = { number: number; name: string; checksum: string }

/** The migrations that ran, in their order. */
async function ranAlready(db: Db): Promise<Map<number, Ran>> {
  const { rows: found } = await db.query<{ isThere: boolean }>(
    `select to_regclass('schema_migration') is not null as "isThere"`,
  )
  if (found[0]?.isThere !== true) return new Map()
  const { rows } = await db.query<Ran>('select number, name, checksum from schema_migration order by number')
  return new Map(rows.map((row) => [row.number, row]))
}

function checkUnedited({ name, checksum }: Migration, ran: string | undefined): void {
  if (ran !== undefined && ran !== checksum) {
    throw new Error(`migrations/${name} was edited after it ran; add a new migration instead`)
  }
}

async function createLedger(pool: Pool): Promise<void> {
  const sql = `create table if not exists schema_migration (
    number integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now()
  )`
  // When two processes create it at once, one gets an error that the table or its type exists, which is harmless.
  await pool.query(sql).catch((error: Error & { code?: string }) => {
    if (!['23505', '42P07', '42710'].includes(error.code ?? '')) throw error
  })
}

async function apply(db: Db, migration: Migration): Promise<void> {
  await db.query('set local statement_timeout = 0')
  // The number goes in first: a second process waits here until this transaction ends, then skips.
  const inserted = await db.query({
    text: 'insert into schema_migration (number, name, checksum) values ($1, $2, $3) on conflict do nothing',
    values: [migration.number, migration.name, migration.checksum],
    ...UNHURRIED,
  })
  if (inserted.rowCount === 1) {
    await db.query({ text: migration.sql, ...UNHURRIED })
    return
  }
  checkUnedited(migration, (await ranAlready(db)).get(migration.number)?.checksum)
}
