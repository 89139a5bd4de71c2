/**
 * The processes' access to the database. The engine, the statements and the constraints are real. All processes share one
 * connection, one statement or one whole transaction at a time, in the scheduler's order. So two transactions never wait for
 * each other's locks here: the crash tests on real connections test that.
 */
import type { Pool } from '@acopay/store'
import type pg from 'pg'
import type { Mishap } from './mishaps.ts'
import type { Random } from './random.ts'
import type { Process, Scheduler } from './scheduler.ts'

/** Statements that return rows in no fixed order. Here their rows are sorted. */
const UNORDERED = new Set(['dueJobs', 'dueNotifications', 'endNotificationTries'])

/** Statements that write only leases and nonces, which no invariant reads. */
const HARMLESS = new Set([
  'takeJobs',
  'takeJob',
  'postponeJob',
  'extendJob',
  'hastenJob',
  'alarmJob',
  'takeNotifications',
  'useNonce',
  'forgetNonces',
  'insertHeldJob',
])

/** A statement that writes, or calls a function that does. */
const WRITES = new RegExp(
  String.raw`\b(insert|update|delete|move_untouched|place_orders|expire_untouched|move_order|lease_jobs|take_notifications|` +
    String.raw`shut_attempts|end_notification_tries|give_up_notifications|forget_nonces)\b`,
)

type Query = { name?: string; text?: string } | string

export type Turnstile = {
  poolOf: (process: Process) => Pool
  /** A transaction is open: then a wait for anything but the database is an error. */
  isHeld: () => boolean
  /** How many statements were run. */
  statements: () => number
}

type Observer = {
  isSlow: () => boolean
  mishap: () => Mishap | null
  onWrite: () => Promise<void>
  onForeignWait: () => void
}

/** Whether a transaction is open. */
type Turn = { isHeld: boolean }

/** Runs statements, and fails them as `observer` says. */
function statementsOn(connection: pg.Client, turn: Turn, observer: Observer) {
  let hasWritten = false
  let count = 0

  async function ask(query: Query, values?: unknown[]): Promise<pg.QueryResult> {
    count += 1
    const isWrite = typeof query === 'object' && WRITES.test(query.text ?? '')
    const result = await connection.query(query as string, values as never[])
    if (isWrite && result.rowCount !== 0 && !HARMLESS.has(query.name ?? '')) hasWritten = true
    return typeof query === 'object' && UNORDERED.has(query.name ?? '') ? inFixedOrder(result) : result
  }

  async function lookAtWrites(): Promise<void> {
    if (!hasWritten) return
    hasWritten = false
    await observer.onWrite()
  }

  /** Runs a statement, unless it meets a mishap. Only inside a transaction can PostgreSQL end a deadlock. */
  async function askOrFail(query: Query, values?: unknown[]): Promise<pg.QueryResult> {
    const mishap = query === 'rollback' ? null : observer.mishap()
    if (mishap === 'deadlock' && turn.isHeld) throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
    if (mishap === 'not run') throw new Error('the connection to the database is lost')
    const result = await ask(query, values)
    if (mishap === 'answer lost') {
      if (!turn.isHeld) await lookAtWrites()
      throw new Error('the connection to the database was lost before it answered')
    }
    return result
  }

  /** Of a connection that is lost, PostgreSQL rolls back what was not committed; so it does after a deadlock. */
  const askInTransaction = (query: Query, values?: unknown[]): Promise<pg.QueryResult> =>
    askOrFail(query, values).catch(async (error: unknown) => {
      await connection.query('rollback')
      throw error
    })

  return { askOrFail, askInTransaction, lookAtWrites, count: () => count }
}

export function turnstile(connection: pg.Client, schedule: Scheduler, dice: Random, observer: Observer): Turnstile {
  const turn: Turn = { isHeld: false }
  const { askOrFail, askInTransaction, lookAtWrites, count } = statementsOn(connection, turn, observer)
  const latencyMs = (): number =>
    observer.isSlow() && dice.isOneIn(0.05) ? dice.between(500, 8000) : dice.between(1, 9)
  const atNextTurn = (process: Process, work: () => Promise<void>): void =>
    void schedule.at(schedule.nowMs() + latencyMs(), process, work)

  function query(process: Process, asked: Query, values?: unknown[]): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      if (turn.isHeld) {
        observer.onForeignWait()
        reject(new Error('a statement outside the open transaction'))
        return
      }
      atNextTurn(process, async () => {
        try {
          const result = await askOrFail(asked, values)
          await lookAtWrites()
          resolve(result)
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** A connection for one transaction: nobody else has a turn until it is released. */
  const connect = (process: Process): Promise<object> =>
    new Promise((resolve) =>
      atNextTurn(
        process,
        () =>
          new Promise<void>((done) => {
            turn.isHeld = true
            const release = async (): Promise<void> => {
              turn.isHeld = false
              await lookAtWrites()
              done()
            }
            resolve({ query: askInTransaction, release: () => void release(), on: () => {}, off: () => {} })
          }),
      ),
    )

  const poolOf = (process: Process): Pool =>
    ({
      query: (asked: Query, values?: unknown[]) => query(process, asked, values),
      connect: () => connect(process),
    }) as unknown as Pool
  return { poolOf, isHeld: () => turn.isHeld, statements: count }
}

function inFixedOrder(result: pg.QueryResult): pg.QueryResult {
  const rows = result.rows
    .map((row) => ({ row, key: JSON.stringify(row, textOfBigint) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row)
  return { ...result, rows }
}

const textOfBigint = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)
