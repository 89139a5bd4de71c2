/** The numbered .sql files of this program, forward only, and what each says of itself in its comments. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { MIGRATIONS_FOLDER } from '../migrations-folder.ts'

const NAME = /^(\d{4})-[a-z0-9-]+\.sql$/

export type Migration = {
  number: number
  name: string
  sql: string
  checksum: string
  /** Statements that run one by one outside of a transaction (`-- concurrently`); null: the whole file is one transaction. */
  concurrently: ConcurrentStatement[] | null
  /**
   * `-- needs program 0027`: a program whose last migration is older does not work once this one ran. Null: all programs go on that
   * worked before.
   */
  needsProgram: number | null
}

/** `table` is that on which the index is built; null where one is dropped. */
export type ConcurrentStatement = { sql: string; index: string; table: string | null }

let ours: Migration[] | undefined
/** This program's own, as they were when it started: on the disk there may be those of a newer one by now. */
export const ourMigrations = (): Migration[] => {
  ours ??= readMigrations()
  return ours
}

/** Throws when a file is not the next number, or says something of itself that cannot be. */
function readMigrations(): Migration[] {
  const names = readdirSync(MIGRATIONS_FOLDER).filter((name) => name.endsWith('.sql'))
  return names.sort().map((name, index) => {
    const number = Number(NAME.exec(name)?.[1])
    if (number !== index + 1) throw new Error(`migrations/${name} should be number ${index + 1}`)
    return readMigration(number, name, readFileSync(new URL(name, MIGRATIONS_FOLDER), 'utf8'))
  })
}

export function readMigration(number: number, name: string, sql: string): Migration {
  const needsProgram = Number(/^-- needs program (\d{4})$/m.exec(sql)?.[1] ?? 0) || null
  // The program that brings a migration always works with it.
  if (needsProgram !== null && needsProgram >= number) {
    throw new Error(`migrations/${name} may need programs of an earlier migration only, not of ${needsProgram}`)
  }
  const concurrently = /^-- concurrently$/m.test(sql) ? statementsOf(sql).map((text) => concurrent(name, text)) : null
  return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex'), concurrently, needsProgram }
}

/** The statements without comments. For people to read, and to run those of a `-- concurrently` file, in which no text holds `--` or `;`. */
export const statementsOf = (sql: string): string[] =>
  sql
    .replaceAll(/--.*$/gm, '')
    .split(/;\s*$/m)
    .flatMap((text) => text.trim().replaceAll(/\s+/g, ' ') || [])

/** Only what can be begun again after an interruption: an index by its name. */
function concurrent(name: string, sql: string): ConcurrentStatement {
  const create = /^create (?:unique )?index concurrently ([a-z0-9_]+) on ([a-z0-9_]+) /.exec(sql)
  if (create !== null) return { sql, index: create[1] as string, table: create[2] as string }
  const drop = /^drop index concurrently if exists ([a-z0-9_]+)$/.exec(sql)
  if (drop !== null) return { sql, index: drop[1] as string, table: null }
  throw new Error(
    `migrations/${name}: only "create index concurrently NAME on TABLE …" and "drop index concurrently if exists NAME" can run outside of a transaction, not: ${sql}`,
  )
}
