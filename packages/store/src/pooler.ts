/**
 * A pooler between this program and PostgreSQL, such as PgBouncer, gives a connection of PostgreSQL to each transaction in turn. What one
 * session sets is then lost or meets another: the settings have to be the role's, and named statements have to be followed by the pooler.
 */
import pg from 'pg'
import { IDLE_TRANSACTION_MS, type Pool } from './db.ts'

export type Pooler = {
  /** The statements that give the role the settings which the sessions lack. */
  missing: string[]
  followsNames: boolean
}

/** A pooler answers the start with a number of its own. */
export async function isBehindPooler(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return (client as { processID?: number | null }).processID !== rows[0]?.pid
}

/** Null where PostgreSQL itself answers. */
export async function readPooler(pool: Pool, statementTimeoutMs: number): Promise<Pooler | null> {
  const client = await pool.connect()
  try {
    if (!(await isBehindPooler(client))) return null
    const missing = await missingSettings(client, statementTimeoutMs)
    return { missing, followsNames: await followsNames(pool, client) }
  } finally {
    client.release()
  }
}

async function missingSettings(client: pg.PoolClient, statementTimeoutMs: number): Promise<string[]> {
  // In milliseconds, as PostgreSQL keeps them.
  const wanted: Record<string, string> = {
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: String(IDLE_TRANSACTION_MS),
    TimeZone: 'UTC',
    default_transaction_isolation: 'read committed',
  }
  const { rows } = await client.query<{ name: string; setting: string; role: string; database: string }>(
    'select name, setting, current_user as role, current_database() as database from pg_settings where name = any ($1)',
    [Object.keys(wanted)],
  )
  return rows
    .filter(({ name, setting }) => setting !== wanted[name])
    .map(({ name, role, database }) => {
      const whose = `${pg.escapeIdentifier(role)} in database ${pg.escapeIdentifier(database)}`
      return `alter role ${whose} set ${name.toLowerCase()} = ${pg.escapeLiteral(wanted[name] ?? '')}`
    })
}

/** PostgreSQL's words for a name that another session has taken, and for one that this session never gave. */
const LOST_NAMES = ['42P05', '26000']

/** Two that ask under one name: a pooler that does not follow names brings both to one connection, which knows it already. */
async function followsNames(pool: Pool, first: pg.PoolClient): Promise<boolean> {
  const asked = { name: 'isNameFollowed', text: 'select 1' }
  const second = await pool.connect()
  try {
    for (const client of [first, second, first]) await client.query(asked)
    return true
  } catch (error) {
    if (!LOST_NAMES.includes((error as { code?: string }).code ?? '')) throw error
    return false
  } finally {
    second.release(true)
  }
}
