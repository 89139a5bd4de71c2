/**
 * Spreads the tables of merchants over the nodes of a Citus, all by `mch_no` and in one colocation: whatever belongs to a merchant lies in
 * one place. One transaction: either all of it is done, or nothing.
 */
import type pg from 'pg'
import { UNHURRIED } from '../db.ts'
import { type Cluster, unspread } from './cluster.ts'

/** The others lie where its rows lie. */
const FIRST = 'merchant'

type ForeignKey = { table: string; name: string; definition: string; isHeld: boolean }

/** What it did, for people. */
export type Spreading = {
  tables: string[]
  /** Foreign keys from the installation's tables, which Citus does not hold: the program looks instead. */
  dropped: string[]
  functions: string[]
}

/** In the caller's transaction. */
export async function spread(client: pg.PoolClient, cluster: Cluster, say: (line: string) => void): Promise<Spreading> {
  const tables = unspread(cluster).map(({ table }) => table)
  // Statements over many shards in a transaction that also changes tables run one after the other.
  await client.query(`set local citus.multi_shard_modify_mode = 'sequential'`)
  const keys = await foreignKeysOf(client, tables)
  // Citus takes no key between a table that is spread and one that is not yet; so all are off while the tables are spread.
  for (const { table, name } of keys) await client.query(`alter table ${table} drop constraint ${name}`)
  for (const table of FIRST === tables[0] ? tables : [...tables].sort(firstFirst)) {
    say(`${table}: 按商户分布 spread by merchant`)
    const beside = table === FIRST ? 'none' : FIRST
    const text = `select create_distributed_table($1, 'mch_no', colocate_with => $2)`
    await client.query({ text, values: [table, beside], ...UNHURRIED })
  }
  for (const { table, name, definition } of keys.filter(({ isHeld }) => isHeld)) {
    await client.query({ text: `alter table ${table} add constraint ${name} ${definition}`, ...UNHURRIED })
  }
  const functions = await delegate(client)
  return { tables, functions, dropped: keys.flatMap(({ name, isHeld }) => (isHeld ? [] : [name])) }
}

const firstFirst = (one: string, other: string): number => Number(other === FIRST) - Number(one === FIRST)

/** Every key from or to one of these. `isHeld`: both sides belong to merchants, so Citus can hold it. */
async function foreignKeysOf(client: pg.PoolClient, tables: string[]): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(
    `with own as (
       select c.oid from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
         join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] and a.attname = 'mch_no'
        where c.relnamespace = current_schema()::regnamespace)
     select f.conrelid::regclass::text as table, quote_ident(f.conname) as name, pg_get_constraintdef(f.oid) as definition,
            f.conrelid in (select oid from own) as "isHeld"
       from pg_constraint f join pg_class t on t.oid = f.conrelid join pg_class r on r.oid = f.confrelid
      where f.contype = 'f' and f.conparentid = 0 and (t.relname = any ($1) or r.relname = any ($1))
      order by f.oid`,
    [tables],
  )
  return rows
}

/** Functions that say by `p_group` where they work run there, in one trip. Again where a migration has changed one. */
async function delegate(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select oid::regprocedure::text as name from pg_proc
      where pronamespace = current_schema()::regnamespace and proargnames[1] = 'p_group' order by 1`,
  )
  for (const { name } of rows) {
    await client.query(`select create_distributed_function($1, 'p_group', colocate_with => $2)`, [name, FIRST])
  }
  return rows.map(({ name }) => name.replace(/\(.*$/s, ''))
}
