/** Every access to PostgreSQL goes through here: named statements, short transactions, bigint for money. */
import pg from 'pg'
import { leavesServer, type ServersOptions, ServersPool } from './servers.ts'

/** What a statement runs on: the pool, or the connection of a transaction. */
export type Db = Pick<pg.Pool | pg.PoolClient, 'query'>
export type Pool = pg.Pool

const INT8 = 20

/** PostgreSQL's int8 becomes bigint; all other types are read as `pg` reads them. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary'
      ? (text: string) => BigInt(text)
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/** `several`: the servers of which one gets the connections, instead of one address. */
export type PoolOptions = pg.PoolConfig & { statementTimeoutMs?: number; several?: ServersOptions }

/** How long PostgreSQL keeps a transaction, and its locks, for a process that sends no next statement. */
export const IDLE_TRANSACTION_MS = 30_000

/** How much longer than PostgreSQL the caller waits for a statement: then no answer comes, and the connection is closed. */
const NO_ANSWER_MS = 1000

/**
 * A pool whose statements time out after `statementTimeoutMs` (default 5 s), so that a lock does not hold a request for
 * longer than the merchant waits. A server that is paused or out of reach says nothing at all: a statement then fails a second
 * later. `onError` is called for connections that are lost while idle; the pool replaces them.
 */
export function openPool(options: PoolOptions, onError: (error: Error) => void = () => {}): Pool {
  const { statementTimeoutMs = 5000, several = null, ...config } = options
  const ours = {
    max: 16,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'acopay',
    options: '-c default_transaction_isolation=read\\ committed -c timezone=UTC',
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + NO_ANSWER_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
    ...config,
    types,
  }
  const pool = new ServersPool(ours, several)
  pool.on('error', onError)
  // A connection may be lost in the same moment in which it is made, before its user listens: the process would end.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** How many connections the database's server takes from users that are not its administrators. */
export async function connectionsMax(pool: Pool): Promise<number> {
  const text = `
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0) as n`
  const [row] = await run<{ n: number }>(pool, 'connectionsMax', text, [])
  return row?.n ?? 0
}

/** The moment at which the database answers, by its own clock, in milliseconds since 1970. */
export async function readDatabaseClock(pool: Pool): Promise<number> {
  const [row] = await run<{ at: Date }>(pool, 'readDatabaseClock', 'select clock_timestamp() as at', [])
  if (row === undefined) throw new Error('the database did not tell its time')
  return row.at.getTime()
}

/** For statements that may take minutes, such as migrations; `set local statement_timeout` is PostgreSQL's side of it. */
export const UNHURRIED = { query_timeout: 2 ** 31 - 1 }

/** Runs the work of a statement, or of another step of a transaction, and answers what that answers. */
export type Around = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>

let around: Around = (_name, work) => work()

/** From now on `watch` is around everything that this process asks of a database: for traces. */
export const watchStatements = (watch: Around): void => {
  around = watch
}

/** Runs a named statement, which PostgreSQL parses once per connection. Errors carry the name. */
export async function run<Row extends pg.QueryResultRow>(
  db: Db,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    const result = await around(name, () => db.query<Row>({ name, text, values }))
    return result.rows
  } catch (error) {
    throw error instanceof pg.DatabaseError ? statementError(name, error) : error
  }
}

/** Citus names a constraint by its shard too. No constraint of ours ends in a number. */
const SHARD = /_\d{6,}$/

/** Names the statement and repeats no value. PostgreSQL quotes values in its details and in every message of class 22. */
function statementError(name: string, { code, constraint, message }: pg.DatabaseError): Error {
  const reason = code?.startsWith('22') ? 'a value cannot be stored' : message
  return Object.assign(new Error(`${name}: ${reason} (${code})`), { code, constraint: constraint?.replace(SHARD, '') })
}

const TX_TRIES = 5
// After a serialization failure or a deadlock nothing was written, so the same work may run again.
const isTransient = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01')

/** Runs the work again after a serialization failure or a deadlock, at most `TX_TRIES` times in all. */
export async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isTransient(error) || tries >= TX_TRIES) throw error
    }
  }
}

/**
 * A transaction's connection, for one statement after the other. A statement that nothing waits for is an error: its own error
 * would be lost, and with it that the transaction came to nothing. `lost` is why PostgreSQL no longer answers on it.
 */
function oneByOne(client: pg.PoolClient): { db: Db; isIdle: () => boolean; lost: () => Error | undefined } {
  let isRunning = false
  let lost: Error | undefined
  const query = async (...statement: unknown[]): Promise<unknown> => {
    if (isRunning) throw new Error('a statement of the transaction before this one was not awaited')
    isRunning = true
    try {
      return await (client.query as (...asked: unknown[]) => Promise<unknown>).apply(client, statement)
    } catch (error) {
      if (error instanceof Error && (!(error instanceof pg.DatabaseError) || leavesServer(error))) lost = error
      throw error
    } finally {
      isRunning = false
    }
  }
  return { db: { query } as Db, isIdle: () => !isRunning, lost: () => lost }
}

/**
 * One short transaction. `work` may only use the database, because it runs again after a deadlock. A COMMIT that PostgreSQL
 * answers with ROLLBACK is an error.
 */
export const transaction = <Result>(pool: Pool, work: (db: Db) => Promise<Result>): Promise<Result> =>
  retried(async () => {
    const client = await around('connect', () => pool.connect())
    const { db, isIdle, lost } = oneByOne(client)
    try {
      await db.query('begin')
      const result = await work(db)
      if (!isIdle()) throw new Error("the transaction's last statement was not awaited")
      const { command } = await around('commit', () => db.query('commit'))
      if (command !== 'COMMIT') throw new Error(`the transaction ended in ${command}`)
      return result
    } catch (error) {
      // Nothing can be said on a connection that is lost. PostgreSQL rolls back by itself.
      if (lost() === undefined) await client.query('rollback').catch(() => {})
      throw error
    } finally {
      client.release(lost())
    }
  })
