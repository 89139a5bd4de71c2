/** Each function of the store waits for its statement: when the statement fails, the caller gets the error. */
import { expect, it } from 'vitest'
import * as consoleDoor from './console.ts'
import type { Db } from './db.ts'
import * as door from './index.ts'
import * as readDoor from './read.ts'
import * as sandboxDoor from './sandbox.ts'

const LOST = new Error('the connection is lost')

/** A database that is gone. */
const gone = { query: () => Promise.reject(LOST), connect: () => Promise.reject(LOST) } as unknown as Db

/** Stands for every argument: a record with every member, a function, a text. */
const anything: unknown = new Proxy(() => anything, {
  get: (_, name) => {
    if (name === Symbol.toPrimitive) return () => '2026-03-01'
    if (name === Symbol.iterator) return () => [anything][Symbol.iterator]()
    if (name === 'length') return 1
    if (name === 'map' || name === 'flatMap') return () => [anything]
    if (name === 'then') return undefined
    return anything
  },
})

/** What takes no database, or nothing to wait for. */
const NO_STATEMENT = new Set([
  'LAST_ANSWER',
  'NoServerError',
  'behind',
  'brokenAt',
  'chainedText',
  'columnsOfOrder',
  'conditionsOf',
  'copyStatement',
  'entryStamp',
  'genesisHash',
  'isRefundNoTaken',
  'isSpread',
  'lastOfEach',
  'listedNotifications',
  'merchantStampKey',
  'newestMigration',
  'nextHash',
  'openPool',
  'readOrder',
  'retried',
  'run',
  'sandboxBooks',
  'servingName',
  'stopsWriters',
  'unspread',
  'unstampedAt',
  'watchStatements',
  'whyNotServed',
  'whyBack',
])

const sealed = { table: 'purpose_key', key: ['a'], head: Buffer.alloc(4), sealed: Buffer.alloc(1), after: null }
const bytes = { genesis: Buffer.alloc(32), headHash: Buffer.alloc(32), stampKey: Buffer.alloc(32), entry: '' }
/** Arguments of those for whom anything is too little. */
const ARGUMENTS: Record<string, unknown[]> = {
  sealedValues: [sealed, 1],
  replaceSealed: [sealed, Buffer.alloc(1)],
  forgetRows: ['order_hour', { before: '2026-01-01', limit: 1 }],
  insertOrders: [[{ order: anything, ...bytes }]],
  moveOrder: [{ headSeq: 1, ...bytes }, bytes],
  moveAttempt: [{ state: 'OPEN' }, { event: 'shut' }],
  addLoadOrders: [bytes],
  readOrderRows: [{ mchNo: 'M', numbers: [] }, new Map([['orders', ['mch_no']]])],
  putOrderRows: [[{ table: 'orders', columns: [], lines: ['x'] }]],
}

type Call = (db: Db, ...rest: unknown[]) => unknown
const doors = { ...door, ...consoleDoor, ...readDoor, ...sandboxDoor }
const calls = Object.entries(doors).flatMap(([name, call]): [string, Call][] =>
  typeof call === 'function' && !NO_STATEMENT.has(name) ? [[name, call as Call]] : [],
)

it('there are more than a hundred and sixty', () => {
  expect(calls.length).toBeGreaterThan(160)
})

it.each(calls)('%s fails with its statement', async (name, call) => {
  const asked = async (): Promise<unknown> => {
    const answer = call(gone, ...(ARGUMENTS[name] ?? [anything, anything, anything]))
    // Pages are read when they are asked for.
    const isPaged = typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer
    return isPaged ? (answer as AsyncGenerator).next() : answer
  }
  await expect(asked()).rejects.toBe(LOST)
})
