/** The one way to PostgreSQL: named statements, short transactions, bigint for money. */
import pg from 'pg'

/** Runs one statement: a pool, or a transaction's connection. */
export type Db = Pick<pg.Pool | pg.PoolClient, 'query'>
export type Pool = pg.Pool

const INT8 = 20

/** Whole numbers of the database are bigint here; everything else is as `pg` reads it. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary'
      ? (text: string) => BigInt(text)
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

export type PoolOptions = pg.PoolConfig & { statementTimeoutMs?: number }

/**
 * A pool whose statements give up after `statementTimeoutMs` (default 5 s), so that no request outlives the
 * merchant's patience because of a lock. `onError` hears of connections lost while idle; the pool replaces them.
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

/** Runs a named statement, which the server parses once per connection. The name is the store function's. */
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

/** Names the statement and repeats no value: PostgreSQL quotes them in its details and in every message of class 22. */
function statementError(name: string, { code, constraint, message }: pg.DatabaseError): Error {
  const says = code?.startsWith('22') ? 'a value cannot be stored' : message
  return Object.assign(new Error(`${name}: ${says} (${code})`), { code, constraint })
}

const TX_TRIES = 5
// Serialization failure and deadlock: nothing happened, the same work may be done again.
const isTransient = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01')

/** Runs work that may simply be done again when the database says that it lost a race. */
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
 * One short transaction. `work` must do nothing but talk to the database: it is run again when the database
 * reports a deadlock. A failed COMMIT is an error, never taken for success.
 */
export const transaction = <Result>(pool: Pool, work: (db: Db) => Promise<Result>): Promise<Result> =>
  retried(async () => {
    const client = await pool.connect()
    let broken: Error | undefined
    const onLost = (error: Error): void => {
      broken = error
    }
    // A connection lost between two statements is told as an event; unheard, it would end the process.
    client.on('error', onLost)
    try {
      await client.query('begin')
      const result = await work(client)
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
