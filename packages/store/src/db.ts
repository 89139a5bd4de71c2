/** Every access to PostgreSQL goes through here: named statements, short transactions, bigint for money. */
import pg from 'pg'

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

export type PoolOptions = pg.PoolConfig & { statementTimeoutMs?: number }

/**
 * A pool whose statements time out after `statementTimeoutMs` (default 5 s), so that a lock does not hold a request for
 * longer than the merchant waits. `onError` is called for connections that are lost while idle; the pool replaces them.
 */
export function openPool(options: PoolOptions, onError: (error: Error) => void = () => {}): Pool {
  const { statementTimeoutMs = 5000, ...config } = options
  const pool = new pg.Pool({
    max: 16,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    application_name: 'acopay',
    options: '-c default_transaction_isolation=read\\ committed -c timezone=UTC',
    statement_timeout: statementTimeoutMs,
    ...config,
    types,
  })
  pool.on('error', onError)
  return pool
}

/** The moment at which the database answers, by its own clock, in milliseconds since 1970. */
export async function readDatabaseClock(pool: Pool): Promise<number> {
  const [row] = await run<{ at: Date }>(pool, 'readDatabaseClock', 'select clock_timestamp() as at', [])
  if (row === undefined) throw new Error('the database did not tell its time')
  return row.at.getTime()
}

/** Runs a named statement, which PostgreSQL parses once per connection. Errors carry the name. */
export async function run<Row extends pg.QueryResultRow>(
  db: Db,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    const result = await db.query<Row>({ name, text, values })
    return result.rows
  } catch (error) {
    throw error instanceof pg.DatabaseError ? statementError(name, error) : error
  }
}

/** Names the statement and repeats no value. PostgreSQL quotes values in its details and in every message of class 22. */
function statementError(name: string, { code, constraint, message }: pg.DatabaseError): Error {
  const reason = code?.startsWith('22') ? 'a value cannot be stored' : message
  return Object.assign(new Error(`${name}: ${reason} (${code})`), { code, constraint })
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
 * would be lost, and with it that the transaction came to nothing.
 */
function oneByOne(client: pg.PoolClient): { db: Db; isIdle: () => boolean } {
  let isRunning = false
  const query = async (...statement: unknown[]): Promise<unknown> => {
    if (isRunning) throw new Error('a statement of the transaction before this one was not awaited')
    isRunning = true
    try {
      return await (client.query as (...asked: unknown[]) => Promise<unknown>).apply(client, statement)
    } finally {
      isRunning = false
    }
  }
  return { db: { query } as Db, isIdle: () => !isRunning }
}

/**
 * One short transaction. `work` may only use the database, because it runs again after a deadlock. A COMMIT that PostgreSQL
 * answers with ROLLBACK is an error.
 */
export const transaction = <Result>(pool: Pool, work: (db: Db) => Promise<Result>): Promise<Result> =>
  retried(async () => {
    const client = await pool.connect()
    let broken: Error | undefined
    const onLost = (error: Error): void => {
      broken = error
    }
    // `pg` reports a connection that is lost between two statements by this event; without a listener the process would end.
    client.on('error', onLost)
    try {
      await client.query('begin')
      const { db, isIdle } = oneByOne(client)
      const result = await work(db)
      if (!isIdle()) throw new Error("the transaction's last statement was not awaited")
      const { command } = await client.query('commit')
      if (command !== 'COMMIT') throw new Error(`the transaction ended in ${command}`)
      return result
    } catch (error) {
      await client.query('rollback').catch(onLost)
      throw error
    } finally {
      client.release(broken)
      client.off('error', onLost)
    }
  })
