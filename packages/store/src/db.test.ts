import net from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts'
import { type Db, openPool, type Pool, retried, run, transaction } from './db.ts'

let database: TestDatabase
let pool: Pool
beforeAll(async () => {
  database = await testDatabase()
  pool = database.pool
  await pool.query('create table ledger (id integer primary key, amount bigint not null check (amount >= 0))')
})
afterAll(() => database.drop())
beforeEach(async () => {
  await pool.query('truncate ledger')
  await pool.query('insert into ledger values (1, 10), (2, 20)')
})

const add = (db: Db, id: number, amount: number) =>
  db.query('update ledger set amount = amount + $2 where id = $1', [id, amount])
const amounts = async () => (await pool.query('select amount from ledger order by id')).rows.map(({ amount }) => amount)

/** Resolves for all callers once `expected` of them have called. */
function gate(expected: number): () => Promise<void> {
  let open = (): void => {}
  let arrived = 0
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return () => {
    arrived += 1
    if (arrived >= expected) open()
    return opened
  }
}

describe('a transaction', () => {
  it('commits all of its work and returns its result', async () => {
    const result = await transaction(pool, async (db) => {
      await add(db, 1, 1)
      await add(db, 2, 1)
      return 'done'
    })
    expect(result).toBe('done')
    expect(await amounts()).toEqual([11n, 21n])
  })

  it('is rolled back when the work throws, does not run again, and releases a usable connection', async () => {
    const small = openPool({ connectionString: database.connectionString, max: 1 })
    let tries = 0
    const work = transaction(small, async (db) => {
      tries += 1
      await add(db, 1, 1)
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect(tries).toBe(1)
    expect(await amounts()).toEqual([10n, 20n])
    await transaction(small, (db) => add(db, 2, 1))
    expect(await amounts()).toEqual([10n, 21n])
    await small.end()
  })

  it('whose work swallowed an error of the database fails', async () => {
    const work = transaction(pool, async (db) => {
      await add(db, 1, 1)
      await db.query('select 1 / 0').catch(() => {})
      return 'fine'
    })
    await expect(work).rejects.toThrow('ended in ROLLBACK')
    expect(await amounts()).toEqual([10n, 20n])
  })

  it('with a statement that nothing waits for fails, wherever that stands, and nothing is written', async () => {
    const works: Record<string, (db: Db) => Promise<unknown>> = {
      'the last one': async (db) => void add(db, 1, 1),
      'one before another': async (db) => {
        add(db, 1, 1)
        await add(db, 2, 1)
      },
      'one beside another': (db) => Promise.all([add(db, 1, 1), add(db, 2, 1)]),
      'one that fails': async (db) => void db.query('select 1 / 0').catch(() => {}),
    }
    for (const [name, work] of Object.entries(works)) {
      await expect(transaction(pool, work), name).rejects.toThrow('was not awaited')
    }
    expect(await amounts()).toEqual([10n, 20n])
  })

  it('whose connection is lost fails, and the pool goes on with another one', async () => {
    const work = transaction(pool, async (db) => {
      const { rows } = await db.query('select pg_backend_pid() as pid')
      await pool.query('select pg_terminate_backend($1::int)', [rows[0]?.pid])
      await add(db, 1, 1)
    })
    await expect(work).rejects.toThrow()
    await transaction(pool, (db) => add(db, 1, 1))
    expect(await amounts()).toEqual([11n, 20n])
  })

  it('whose work fails for a reason of its own fails for that reason, also where the connection is lost by then', async () => {
    const work = transaction(pool, async (db) => {
      const { rows } = await db.query('select pg_backend_pid() as pid')
      await pool.query('select pg_terminate_backend($1::int)', [rows[0]?.pid])
      while ((await pool.query('select from pg_stat_activity where pid = $1', [rows[0]?.pid])).rows.length > 0);
      throw new Error('of its own')
    })
    await expect(work).rejects.toThrow('of its own')
  })

  it('whose connection is lost between two statements fails, and that connection is not used again', async () => {
    const small = openPool({ connectionString: database.connectionString, max: 1 })
    const pids: number[] = []
    const pidOf = async (db: Db): Promise<number> => (await db.query('select pg_backend_pid() as pid')).rows[0]?.pid
    const work = transaction(small, async (db) => {
      pids.push(await pidOf(db))
      await pool.query('select pg_terminate_backend($1::int)', [pids[0]])
      const isThere = async () =>
        (await pool.query('select from pg_stat_activity where pid = $1', [pids[0]])).rows.length > 0
      while (await isThere());
      // What the server says of it has arrived before the next statement is sent.
      for (let turn = 0; turn < 5; turn += 1) await isThere()
      await add(db, 1, 1)
    })
    await expect(work).rejects.toThrow()
    await transaction(small, async (db) => pids.push(await pidOf(db)))
    expect(pids[1]).not.toBe(pids[0])
    await small.end()
    expect(await amounts()).toEqual([10n, 20n])
  })

  it('leaves no listener behind on its connection', async () => {
    const small = openPool({ connectionString: database.connectionString, max: 1 })
    const listeners = async (): Promise<number> => {
      const client = await small.connect()
      const count = client.listenerCount('error')
      client.release()
      return count
    }
    const before = await listeners()
    for (let count = 0; count < 3; count += 1) await transaction(small, (db) => add(db, 1, 1))
    await expect(transaction(small, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await listeners()).toBe(before)
    await small.end()
  })

  it('that loses a deadlock runs again, so that both succeed', async () => {
    const bothHoldOne = gate(2)
    let tries = 0
    const cross = (first: number, second: number) =>
      transaction(pool, async (db) => {
        tries += 1
        await db.query(`set local deadlock_timeout = '10ms'`)
        await add(db, first, 1)
        await bothHoldOne()
        await add(db, second, 1)
      })
    await Promise.all([cross(1, 2), cross(2, 1)])
    // The loser may lock its first row again before the winner has woken up, and lose once more.
    expect(tries).toBeGreaterThanOrEqual(3)
    expect(await amounts()).toEqual([12n, 22n])
  })

  it('that cannot be serialized runs again', async () => {
    let tries = 0
    await transaction(pool, async (db) => {
      tries += 1
      await db.query('set transaction isolation level repeatable read')
      await db.query('select from ledger')
      if (tries === 1) await add(pool, 1, 5)
      await run(db, 'addOne', 'update ledger set amount = amount + 1 where id = $1', [1])
    })
    expect(tries).toBe(2)
    expect(await amounts()).toEqual([16n, 20n])
  })
})

describe('work that runs again', () => {
  const losing = (code: string) => {
    const state = { tries: 0 }
    const work = async () => {
      state.tries += 1
      throw Object.assign(new Error('lost'), { code })
    }
    return { state, work }
  }

  it.each(['40001', '40P01'])('after %s runs five times in all, then throws the error', async (code) => {
    const { state, work } = losing(code)
    await expect(retried(work)).rejects.toMatchObject({ code })
    expect(state.tries).toBe(5)
  })

  it.each(['23505', '57014', 'ECONNREFUSED'])('does not run again after %s', async (code) => {
    const { state, work } = losing(code)
    await expect(retried(work)).rejects.toMatchObject({ code })
    expect(state.tries).toBe(1)
  })
})

describe('a statement', () => {
  it('returns whole numbers as bigint, also those that a float cannot hold', async () => {
    const rows = await run(pool, 'bigNumber', 'select $1::bigint as big, 1 as small', [9_007_199_254_740_993n])
    expect(rows).toEqual([{ big: 9_007_199_254_740_993n, small: 1 }])
  })

  const SECRET = 'geheimnis-1234'
  it.each([
    ['a constraint', '23514', `insert into ledger select 3, -length($1::text)`],
    ['a type', '22P02', 'select $1::text::integer'],
    [
      'a unique key',
      '23505',
      `insert into merchant select n, 'x', true, '{}', null, now() from (values ($1), ($1)) v (n)`,
    ],
    ['syntax', '42601', 'select $1::text wrong wrong'],
  ])('that fails for %s names itself and the code, and none of its values', async (_, code, text) => {
    const error: unknown = await run(pool, `fails${code}`, text, [SECRET]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining(`fails${code}`) })
    const { message, stack, ...rest } = Object.getOwnPropertyDescriptors(error as Error)
    expect(JSON.stringify([message, stack, rest])).not.toContain(SECRET)
  })

  it('that takes too long is cancelled', async () => {
    const impatient = openPool({ connectionString: database.connectionString, max: 1, statementTimeoutMs: 20 })
    await expect(run(impatient, 'slow', 'select pg_sleep($1)', [60])).rejects.toMatchObject({ code: '57014' })
    await impatient.end()
  })
})

/** Servers that end or fall silent in moments at which a real one is hard to stop: they speak just enough of the protocol. */
describe('a server that is lost', () => {
  const message = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length + 4)
    return Buffer.concat([Buffer.from(type), length, body])
  }
  const WELCOME = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))])
  const FAREWELL = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'))
  const BEGUN = Buffer.concat([message('C', Buffer.from('BEGIN\0')), message('Z', Buffer.from('T'))])

  const STATEMENT_MS = 50
  /** A second longer than the statement may take. */
  const GIVEN_UP_MS = 1050

  let server: net.Server
  let sockets: net.Socket[]
  let faked: Pool
  /** What the server says when it was asked the first, the second … time on a connection; null: nothing any more. */
  let script: (Buffer | null)[]
  const uncaught: Error[] = []
  const onUncaught = (error: Error): void => void uncaught.push(error)

  beforeEach(async () => {
    sockets = []
    uncaught.length = 0
    process.on('uncaughtException', onUncaught)
    server = net.createServer((socket) => {
      sockets.push(socket)
      let asked = 0
      socket.on('error', () => {})
      socket.on('data', () => {
        const said = script[asked] ?? null
        asked += 1
        if (said === null) return
        socket.write(said)
        if (said.includes('FATAL')) socket.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as net.AddressInfo
    faked = openPool({ connectionString: `postgresql://a@127.0.0.1:${port}/a`, statementTimeoutMs: STATEMENT_MS })
  })
  afterEach(async () => {
    process.off('uncaughtException', onUncaught)
    for (const socket of sockets) socket.destroy()
    await faked.end()
    await new Promise((resolve) => server.close(resolve))
  })

  it('a connection that is ended in the moment in which it is made ends no process', async () => {
    script = [Buffer.concat([WELCOME, FAREWELL])]
    const works = [run(faked, 'one', 'select 1', []), transaction(faked, async () => 'done')]
    const outcomes = await Promise.allSettled(works)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    // Nothing is asked on this one, and nobody but the pool listens.
    await faked.connect().then(
      (client) => client.release(true),
      () => {},
    )
    await new Promise(setImmediate)
    expect(uncaught).toEqual([])
  })

  it.each([
    ['a statement', [WELCOME], () => run(faked, 'one', 'select 1', [])],
    ['the beginning of a transaction', [WELCOME], () => transaction(faked, async () => 'done')],
    ['a transaction', [WELCOME, BEGUN], () => transaction(faked, async (db) => db.query('select 1'))],
  ])(
    'a server that falls silent fails %s in bounded time, once, and its connection is closed',
    async (_, words, work) => {
      script = words
      const begun = performance.now()
      await expect(work()).rejects.toThrow('Query read timeout')
      const ms = performance.now() - begun
      expect(ms).toBeGreaterThan(GIVEN_UP_MS - 50)
      expect(ms).toBeLessThan(2 * GIVEN_UP_MS)
      expect(faked.totalCount).toBe(0)
      await expect.poll(() => sockets[0]?.destroyed).toBe(true)
    },
  )
})
