/**
 * A migration on a database that is spread already. Citus takes no new table that refers to one which is spread: so a table is made on the
 * coordinator only, and is spread before the next statement.
 */
import type pg from 'pg'
import { UNHURRIED } from '../db.ts'
import { isSpread, readCluster } from './cluster.ts'
import { spread } from './spread.ts'

const TABLE = /^create table [a-z0-9_]+ \([\s\S]*?^\);$/gm

/** The text in its order, cut before and after each table that it makes. */
export function piecesOf(sql: string): { text: string; makesTable: boolean }[] {
  const pieces: { text: string; makesTable: boolean }[] = []
  let from = 0
  for (const { 0: text, index } of sql.matchAll(TABLE)) {
    pieces.push({ text: sql.slice(from, index), makesTable: false }, { text, makesTable: true })
    from = index + text.length
  }
  pieces.push({ text: sql.slice(from), makesTable: false })
  return pieces.filter(({ text }) => text.trim() !== '')
}

/** Whether migrations have to be run in pieces. */
export async function isSpreadAlready(client: pg.PoolClient): Promise<boolean> {
  const cluster = await readCluster(client)
  return cluster?.tables.some(({ isSpread: is }) => is) ?? false
}

/** In the caller's transaction. */
export async function runInPieces(client: pg.PoolClient, sql: string): Promise<void> {
  await client.query(`set local citus.multi_shard_modify_mode = 'sequential'`)
  for (const { text, makesTable } of piecesOf(sql)) {
    if (makesTable) await client.query('set local citus.enable_ddl_propagation = off')
    await client.query({ text, ...UNHURRIED })
    if (!makesTable) continue
    await client.query('set local citus.enable_ddl_propagation = on')
    const cluster = await readCluster(client)
    if (cluster !== null && !isSpread(cluster)) await spread(client, cluster, () => {})
  }
  const cluster = await readCluster(client)
  // What it made or changed among the functions.
  if (cluster !== null) await spread(client, cluster, () => {})
}
