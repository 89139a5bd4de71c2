/**
 * Citus below the store: which tables are spread over its nodes by merchant. Nothing here is asked of a plain PostgreSQL but whether it is one.
 * A table of merchants is one whose primary key begins with `mch_no`; all others belong to the installation and stay on the coordinator.
 */
import pg from 'pg'
import type { Db } from '../db.ts'

export type ClusterTable = {
  table: string
  /** Of a merchant's rows; else it belongs to the installation. */
  isOfMerchants: boolean
  isSpread: boolean
  /** PostgreSQL's estimate. */
  rows: number
  bytes: number
}

export type Cluster = {
  version: string
  /** Nodes that hold merchants' rows. */
  nodes: string[]
  tables: ClusterTable[]
}

/** Null on a plain PostgreSQL. */
export async function readCluster(db: Db): Promise<Cluster | null> {
  const { rows: found } = await db.query<{ version: string }>(
    `select extversion as version from pg_extension where extname = 'citus'`,
  )
  const [citus] = found
  if (citus === undefined) return null
  const { rows: nodes } = await db.query<{ node: string }>(
    `select nodename || ':' || nodeport as node from pg_dist_node where isactive and shouldhaveshards and noderole = 'primary' order by groupid`,
  )
  const { rows: tables } = await db.query<ClusterTable>(
    `select c.relname as table, a.attname = 'mch_no' as "isOfMerchants", p.logicalrelid is not null as "isSpread",
            greatest(c.reltuples, 0)::float8 as rows, case when p.logicalrelid is null then pg_total_relation_size(c.oid) else 0 end::float8 as bytes
       from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
       join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
       left join pg_dist_partition p on p.logicalrelid = c.oid and p.partmethod = 'h'
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      order by c.relname`,
  )
  return { version: citus.version, nodes: nodes.map(({ node }) => node), tables }
}

/** Whether every table of merchants is spread: a merchant's rows then lie in one place, and its calls run there. */
export const isSpread = ({ tables }: Cluster): boolean =>
  tables.every(({ isOfMerchants, isSpread: is }) => is || !isOfMerchants)

/** Tables of merchants that are not spread yet. */
export const unspread = ({ tables }: Cluster): ClusterTable[] =>
  tables.filter(({ isOfMerchants, isSpread: is }) => isOfMerchants && !is)

/** Null where there is nothing to spread. */
export async function clusterToSpread(db: Db): Promise<Cluster | null> {
  const cluster = await readCluster(db)
  return cluster === null || unspread(cluster).length === 0 ? null : cluster
}

/** Whether a table that is to be spread has any row. */
export async function hasRows(db: Db, cluster: Cluster): Promise<boolean> {
  const each = unspread(cluster).map(({ table }) => `exists (select from ${pg.escapeIdentifier(table)})`)
  const { rows } = await db.query<{ has: boolean }>(`select ${each.join(' or ')} as has`)
  return rows[0]?.has === true
}
