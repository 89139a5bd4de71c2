/** Copies whole tables out of the database and into it, as PostgreSQL's COPY writes them. */
import type { Readable, Writable } from 'node:stream'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import { type Pool, UNHURRIED } from '../db.ts'
import { ourMigrations } from '../migrations/files.ts'

export type TableColumns = { table: string; columns: string[] }

/** Sessions, invitations and the like that have ended since must not come back to life; the schema's ledger is written by the migrations. */
const LEFT_OUT = [
  'schema_migration',
  'console_session',
  'console_challenge',
  'console_invitation',
  'console_provider_trip',
  'shared_count',
]

const BEGIN = {
  read: 'begin isolation level repeatable read read only',
  write: 'begin',
  'write as read': 'begin isolation level repeatable read',
} as const

/**
 * The connection of one transaction in which nothing times out. `read`: all its statements see one moment of the database, which is
 * not changed. `write as read`: they see one moment, and what somebody else has changed since cannot be changed: it fails.
 */
export async function inOneTransaction<Result>(
  pool: Pool,
  way: keyof typeof BEGIN,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    await client.query(BEGIN[way])
    await client.query('set local statement_timeout = 0')
    await client.query('set local idle_in_transaction_session_timeout = 0')
    // Else two readings of one large table may begin at different rows.
    await client.query('set local synchronize_seqscans = off')
    await client.query(`set local datestyle = 'ISO, YMD'`)
    await client.query(`set local bytea_output = 'hex'`)
    const result = await work(client)
    await client.query({ text: 'commit', ...UNHURRIED })
    return result
  } catch (error) {
    failure = error as Error
    throw error
  } finally {
    // After an error the connection may be in the middle of a COPY: it is closed, and PostgreSQL rolls back.
    client.release(failure)
  }
}

/** Every table with its columns, a table after those that it refers to. */
export async function tablesInOrder(client: pg.PoolClient): Promise<TableColumns[]> {
  const { rows } = await client.query<{ table: string; columns: string[]; needs: string[] }>(
    `select c.relname as table,
            (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
            array(select distinct k.confrelid::regclass::text from pg_constraint k
                   where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as needs
       from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname <> all ($1)
      order by c.relname`,
    [LEFT_OUT],
  )
  const ordered: TableColumns[] = []
  const isThere = (name: string): boolean => ordered.some(({ table }) => table === name)
  while (ordered.length < rows.length) {
    const next = rows.find(({ table, needs }) => !isThere(table) && needs.every(isThere))
    if (next === undefined) throw new Error('the tables refer to each other in a circle')
    ordered.push({ table: next.table, columns: next.columns })
  }
  return ordered
}

const listed = ({ table, columns }: TableColumns): string =>
  `${pg.escapeIdentifier(table)} (${columns.map((name) => pg.escapeIdentifier(name)).join(', ')})`

/** The statement after which psql takes the rows. */
export const copyStatement = (of: TableColumns): string => `COPY ${listed(of)} FROM stdin;`

/** Rows as lines; a line break in a value is written `\n`. */
export const copyOut = (client: pg.PoolClient, of: TableColumns): Readable =>
  client.query(to(`copy ${listed(of)} to stdout`))

export const copyIn = (client: pg.PoolClient, of: TableColumns): Writable =>
  client.query(from(`copy ${listed(of)} from stdin`))

export const emptyTables = async (client: pg.PoolClient, tables: TableColumns[]): Promise<void> => {
  if (tables.length > 0)
    await client.query(`truncate ${tables.map(({ table }) => pg.escapeIdentifier(table)).join(', ')} cascade`)
}

/** Whether a gateway has ever written into these tables. */
export async function holdsRows(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ isThere: boolean }>(
    `select to_regclass('purpose_key') is not null as "isThere"`,
  )
  if (rows[0]?.isThere !== true) return false
  const found = await client.query('select 1 from purpose_key union all select 1 from merchant limit 1')
  return found.rows.length > 0
}

/** Whether the current schema has tables of another program, which this one never touches. */
export async function foreignTables(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
        and to_regclass('schema_migration') is null order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Removes every table and function of this program; the caller has made sure that there is nothing of others. */
export async function dropTables(client: pg.PoolClient): Promise<void> {
  // `move_untouched` has a row of `orders` in its answer, so functions go first.
  const functions = await client.query<{ name: string }>(
    `select p.oid::regprocedure::text as name from pg_proc p
      where p.pronamespace = current_schema()::regnamespace and p.proname = any ($1)`,
    [ourFunctions()],
  )
  for (const { name } of functions.rows) await client.query(`drop function ${name}`)
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'`,
  )
  if (rows.length > 0)
    await client.query(`drop table ${rows.map(({ name }) => pg.escapeIdentifier(name)).join(', ')} cascade`)
}

/** The names of the functions that our migrations make. */
const ourFunctions = (): string[] =>
  ourMigrations().flatMap(({ sql }) =>
    [...sql.matchAll(/^create (?:or replace )?function (\w+)/gm)].map(([, name = '']) => name),
  )

/** Sums that an operator can hold against other papers: orders, payments, refunds and reversals by state, in fen. */
export async function moneySums(client: pg.PoolClient): Promise<MoneySum[]> {
  const { rows } = await client.query<{ of: string; state: string; count: bigint; fen: string }>(
    `select 'orders' as of, state, count(*) as count, sum(amount_fen)::text as fen from orders group by state
     union all select 'payment', fate, count(*), sum(amount_fen)::text from payment group by fate
     union all select 'refund', state, count(*), sum(amount_fen)::text from refund group by state
     union all select 'reversal', state, count(*), sum(amount_fen)::text from reversal group by state
     union all select 'stray_payment', case when settled_at is null then 'unsettled' else 'settled' end, count(*),
                      sum(amount_fen)::text from stray_payment group by 2
     order by 1, 2`,
  )
  return rows.map(({ count, ...row }) => ({ ...row, count: Number(count) }))
}

export type MoneySum = { of: string; state: string; count: number; fen: string }
