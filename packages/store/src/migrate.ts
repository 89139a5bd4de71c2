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
 * Brings the database to this version's schema. Throws when a migration was edited after it ran, and when the database is
 * newer than this program, because an old server must not write into tables that it does not know.
 */
export async function migrate(pool: Pool): Promise<void> {
  const migrations = readMigrations()
  await createLedger(pool)
  for (const migration of migrations) await transaction(pool, (db) => apply(db, migration))
  const { rows } = await pool.query<{ number: number; name: string }>(
    'select number, name from schema_migration where number > $1 order by number limit 1',
    [migrations.length],
  )
  const newer = rows[0]
  if (newer !== undefined) {
    throw new Error(`the database is newer than this program (migration ${newer.name}); start the newer version`)
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
  const { rows } = await db.query<{ checksum: string }>('select checksum from schema_migration where number = $1', [
    migration.number,
  ])
  if (rows[0]?.checksum !== migration.checksum) {
    throw new Error(`migrations/${migration.name} was edited after it ran; add a new migration instead`)
  }
}
