/**
 * A process's way to the database. The engine, the statements and the constraints are real; one connection serves all
 * processes, a statement or a whole transaction at a time, in the order of the scheduler. What two transactions do to
 * each other's locks is not seen here: that is what the crash tests on real connections are for.
 */
import type { Pool } from '@acopay/store'
import type pg from 'pg'
import type { Random } from './random.ts'
import type { Process, Scheduler } from './scheduler.ts'

/** Rows of these come in no promised order; here they come in one. */
const UNORDERED = new Set(['takeJobs', 'takeNotifications', 'endNotificationTries'])

/** Leases and nonces: nothing that an invariant speaks of. */
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

type Query = { name?: string; text?: string } | string

export type Turnstile = {
  poolOf: (process: Process) => Pool
  /** Whether somebody is in a transaction: whoever then waits for anything but the database is wrong. */
  isHeld: () => boolean
  /** How many statements there were. */
  statements: () => number
}

export function turnstile(
  connection: pg.Client,
  schedule: Scheduler,
  dice: Random,
  told: { isSlow: () => boolean; onWrite: () => Promise<void>; onForeignWait: () => void },
): Turnstile {
  let held = false
  let hasWritten = false
  let statements = 0
  const latencyMs = (): number => (told.isSlow() && dice.isOneIn(0.05) ? dice.between(500, 8000) : dice.between(1, 9))

  async function ask(query: Query, values?: unknown[]): Promise<pg.QueryResult> {
    statements += 1
    const isWrite = typeof query === 'object' && /\b(insert|update|delete)\b/.test(query.text ?? '')
    const result = await connection.query(query as string, values as never[])
    if (isWrite && result.rowCount !== 0 && !HARMLESS.has(query.name ?? '')) hasWritten = true
    if (typeof query === 'object' && UNORDERED.has(query.name ?? '')) {
      result.rows = result.rows
        .map((row) => ({ row, key: JSON.stringify(row, textOfBigint) }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map(({ row }) => row)
    }
    return result
  }

  async function lookAtWrites(): Promise<void> {
    if (!hasWritten) return
    hasWritten = false
    await told.onWrite()
  }

  const poolOf = (process: Process): Pool => {
    const query = (asked: Query, values?: unknown[]) =>
      new Promise<pg.QueryResult>((resolve, reject) => {
        if (held) {
          told.onForeignWait()
          reject(new Error('a statement beside the transaction that is open'))
          return
        }
        schedule.at(schedule.nowMs() + latencyMs(), process, async () => {
          try {
            const result = await ask(asked, values)
            await lookAtWrites()
            resolve(result)
          } catch (error) {
            reject(error)
          }
        })
      })
    const connect = () =>
      new Promise<object>((resolve) => {
        schedule.at(
          schedule.nowMs() + latencyMs(),
          process,
          () =>
            new Promise<void>((done) => {
              held = true
              const release = async (): Promise<void> => {
                held = false
                await lookAtWrites()
                done()
              }
              resolve({ query: ask, release: () => void release(), on: () => {}, off: () => {} })
            }),
        )
      })
    return { query, connect } as unknown as Pool
  }
  return { poolOf, isHeld: () => held, statements: () => statements }
}

const textOfBigint = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)
