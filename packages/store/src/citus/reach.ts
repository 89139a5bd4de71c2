/** Lists over all merchants while a node of a Citus does not answer: then they go over those merchants whose rows lie elsewhere. */
import type pg from 'pg'
import { type Db, type Pool, run, transaction } from '../db.ts'

/** Whom a list over all merchants goes over: null is everybody. */
export type Reach = readonly string[] | null

/** The places of the condition in such a list, behind other conditions, each with its column: a Citus wants to be told it of every table. */
const PLACES = /\/\* of those in reach: ([\w.]+) \*\//g

/** Runs a named list over all merchants. While everybody is in reach it is sent as it stands. */
export const runOver = <Row extends pg.QueryResultRow>(
  { db, reach = null }: { db: Db; reach?: Reach | undefined },
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> => {
  if (reach === null) return run<Row>(db, name, text, values)
  const kept = text.replaceAll(PLACES, `and $1 = any ($$${values.length + 1}::text[])`)
  return run<Row>(db, `${name} in reach`, kept, [...values, reach])
}

/** A node that takes no connection for so long does not answer. A statement has five seconds, of which this takes up to twice as much. */
const ANSWERS_WITHIN_MS = 1500

export type Answering = {
  /** Nodes with rows of merchants that cannot be read now. */
  silent: string[]
  /** Whose rows can be read. */
  mchNos: string[]
}

/** Asks every shard by itself, through the coordinator, so that it has an answer also where some have none. */
export const readAnswering = (pool: Pool): Promise<Answering> =>
  transaction(pool, async (db) => {
    await db.query(`set local citus.node_connection_timeout = ${ANSWERS_WITHIN_MS}`)
    const shards = await run<{ node: string; hasAnswered: boolean; result: string }>(
      db,
      'readAnswering',
      `select n.nodename || ':' || n.nodeport as node, s.success as "hasAnswered", s.result
         from run_command_on_shards('merchant', 'select array_to_json(array_agg(mch_no)) from %s') s
         join pg_dist_placement p using (shardid) join pg_dist_node n on n.groupid = p.groupid and n.noderole = 'primary'`,
      [],
    )
    const silent = shards.filter(({ hasAnswered }) => !hasAnswered).map(({ node }) => node)
    const read = shards.filter(({ hasAnswered, result }) => hasAnswered && result !== '')
    return {
      silent: [...new Set(silent)].sort(),
      mchNos: read.flatMap(({ result }) => JSON.parse(result) as string[]),
    }
  })
