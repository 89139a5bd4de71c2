/** A database role that serves and cannot rewrite what happened: it owns no table, and only adds to those that tell of the past. */
import pg from 'pg'
import { type Db, type Pool, transaction } from './db.ts'

/** Nothing that serves changes or removes a row of these. */
const ADDED_TO = [
  'timeline',
  'console_audit',
  'console_audit_outcome',
  'day_heads',
  'stamping',
  'platform_key',
  'purpose_key',
]
/** The owner writes these: by `migrate`, when it removes old rows of the audit log, and by `archive`. */
const ONLY_READ = [
  'schema_migration',
  'console_audit_mark',
  'archive',
  'archived_order',
  'archived_refund',
  'archived_attempt',
  'archived_lines',
  'archived_day',
]

/** Lets `role` serve this database. Refused for a role that does not exist, and for one that could do anything anyway. */
export const grantServing = (pool: Pool, role: string): Promise<'granted' | 'no such role' | 'may do anything'> =>
  transaction(pool, async (db) => {
    const { rows } = await db.query<{ isSuper: boolean; isOwner: boolean; schema: string }>(
      `select rolsuper as "isSuper", current_schema() as schema,
              pg_has_role(rolname, (select relowner from pg_class where oid = 'orders'::regclass), 'member') as "isOwner"
         from pg_roles where rolname = $1`,
      [role],
    )
    const [found] = rows
    if (found === undefined) return 'no such role'
    if (found.isSuper || found.isOwner) return 'may do anything'
    const [to, schema] = [pg.escapeIdentifier(role), pg.escapeIdentifier(found.schema)]
    await db.query(`grant usage on schema ${schema} to ${to}`)
    await db.query(`grant select, insert, update, delete on all tables in schema ${schema} to ${to}`)
    await db.query(`revoke update, delete on ${ADDED_TO.join(', ')} from ${to}`)
    await db.query(`revoke insert, update, delete on ${ONLY_READ.join(', ')} from ${to}`)
    return 'granted'
  })

/** Whether the role of this connection could rewrite timelines or the audit log. */
export async function mayRewriteHistory(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ may: boolean }>(
    `select bool_or(has_table_privilege(name, 'update') or has_table_privilege(name, 'delete')) as may
       from unnest($1::text[]) as t (name)`,
    [ADDED_TO],
  )
  return rows[0]?.may === true
}
