/**
 * A migration on a database that is spread already, statement by statement: Citus hands the text of some on to its nodes as it came, and these
 * take one statement at a time. It takes no new table that refers to one which is spread: so a table is made on the coordinator only, and is
 * spread before the next statement.
 */
import type pg from 'pg'
import { UNHURRIED } from '../db.ts'
import { isSpread, readCluster } from './cluster.ts'
import { spread } from './spread.ts'

/** What may hold a semicolon that ends nothing, or the semicolon that ends a statement. */
const TOKEN = /--[^\n]*|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$|;/g
const MAKES_TABLE = /^(?:\s|--[^\n]*\n)*create (?:unlogged )?table /

/** The statements of the text, in its order, each with the comments before it. */
export function piecesOf(sql: string): { text: string; makesTable: boolean }[] {
  const texts: string[] = []
  let from = 0
  for (const { 0: token, index } of sql.matchAll(TOKEN)) {
    if (token !== ';') continue
    texts.push(sql.slice(from, index + 1))
    from = index + 1
  }
  texts.push(sql.slice(from))
  return texts.filter((text) => text.trim() !== '').map((text) => ({ text, makesTable: MAKES_TABLE.test(text) }))
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
