/**
 * Brings a database to this program's schema while it is being served. A migration waits for a lock for a moment only, because what
 * comes after it waits behind it; then it steps back and tries again. One process migrates at a time.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { clusterToSpread, hasRows } from '../citus/cluster.ts'
import { isSpreadAlready, runInPieces } from '../citus/pieces.ts'
import { spread } from '../citus/spread.ts'
import { type Pool, UNHURRIED } from '../db.ts'
import { isBehindPooler } from '../pooler.ts'
import { type ConcurrentStatement, type Migration, ourMigrations } from './files.ts'
import { prepareLedger, readSchema, whyNotServed, writeApplied } from './ledger.ts'

/** How long traffic may wait behind a migration that waits for a lock. A call may take ten times as long. */
export const LOCK_WAIT_MS = 500

/** About a quarter of an hour of trying in all. */
const TRIES = 100

/** Any number that no other program takes in this database. */
const RUNNER = 2_026_112_701

export type UpOptions = {
  /** The version of this program, which is written beside each migration. */
  program?: string
  migrations?: Migration[]
  /** Is told of each step, in one line. */
  say?: (line: string) => void
  /** Ends early when the signal aborts. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>
  lockWaitMs?: number
  tries?: number
  /** Also where programs run that will not work any more. */
  evenWhileServing?: boolean
  /** On Citus: spreads tables of merchants that have rows too. Tables without rows are spread in any case. */
  spreadRows?: boolean
}

type Run = Required<UpOptions> & { pool: Pool; client: pg.PoolClient }

/**
 * Runs what is missing; a database that lacks nothing is only read, so that a role which owns no tables may ask. Throws an error of
 * one line: a migration was edited, the database is too new, the role may not, a program runs that would not work any more, or a
 * table was never free for long enough.
 */
export async function migrate(pool: Pool, options: UpOptions = {}): Promise<void> {
  const { migrations = ourMigrations(), spreadRows = false } = options
  if ((await missingIn(pool, migrations)).length === 0 && !(await isToSpread(pool, spreadRows))) return
  const client = await pool.connect()
  const run: Run = {
    ...{ program: 'unknown', say: () => {}, sleep: pauseOf, lockWaitMs: LOCK_WAIT_MS, tries: TRIES },
    ...{ evenWhileServing: false, spreadRows, migrations },
    ...options,
    ...{ pool, client },
  }
  try {
    // A lock of the session, and what it is told, would stay behind with a connection that others get next.
    if (await isBehindPooler(client)) throw new Error(NOT_THROUGH_POOLER)
    await client.query(`set statement_timeout = 0`)
    if (await becomeRunner(run)) {
      await runMissing(run)
      if (await isToSpread(client, spreadRows)) await spreadTables(run)
    }
  } catch (error) {
    throw (error as { code?: string }).code === '42501' ? new Error(NOT_THE_OWNER) : error
  } finally {
    // Its settings end with the connection, and so does being the runner; said first, so that the next one need not wait for that.
    await client.query('select pg_advisory_unlock_all()').catch(() => {})
    client.release(true)
  }
}

/** Tables with rows are spread when that is asked for: all their rows are copied, and nobody can write meanwhile. */
async function isToSpread(db: Pool | pg.PoolClient, spreadRows: boolean): Promise<boolean> {
  const cluster = await clusterToSpread(db)
  return cluster !== null && (spreadRows || !(await hasRows(db, cluster)))
}

async function spreadTables(run: Run): Promise<void> {
  const { client } = run
  if (run.spreadRows && !run.evenWhileServing) await refuseUnderPrograms(client)
  const say = (line: string): void => run.say(`citus   ${line}`)
  await whenFree({ ...run, say }, async () => {
    const cluster = await clusterToSpread(client)
    if (cluster === null) return
    const { dropped, functions } = await spread(client, cluster, say)
    if (dropped.length > 0)
      say(`程序自行检查，不再由数据库检查 looked at by the program from now on: ${dropped.join(', ')}`)
    say(`在商户所在节点执行 run where the merchant lies: ${functions.join(', ')}`)
  })
}

/** A program knows at its start only whether the tables are spread. */
async function refuseUnderPrograms(client: pg.PoolClient): Promise<void> {
  const { rowCount } = await client.query(
    `select 1 from pg_stat_activity where datname = current_database() and application_name like 'acopay serves %'`,
  )
  if (rowCount === 0) return
  throw new Error(
    '有网关正在运行：请先停掉它们，再分布有数据的表 (gateways are running: stop them before tables that have rows are spread)',
  )
}

const pauseOf = (ms: number, signal?: AbortSignal) => pause(ms, undefined, signal ? { signal } : {}).catch(() => {})

const NOT_THE_OWNER =
  '数据库须先升级，而此角色无权修改表结构：请用表的所有者执行 npm run migrate ' +
  '(the database has to be migrated, and this role may not: run npm run migrate as the owner of the tables)'

const NOT_THROUGH_POOLER =
  '数据库须先升级，迁移不能经过 PgBouncer：请以数据库本身的 DATABASE_URL 执行 npm run migrate ' +
  '(the database has to be migrated, which does not go through PgBouncer: run npm run migrate with a DATABASE_URL of the database itself)'

async function missingIn(db: Pool | pg.PoolClient, migrations: Migration[]): Promise<Migration[]> {
  const schema = await readSchema(db, migrations)
  const wrong = whyNotServed({ ...schema, missing: [] }, migrations)
  if (wrong !== null) throw new Error(wrong)
  return schema.missing
}

/** False: another process has done the work meanwhile. A waiting statement would hold up `create index concurrently`, so it asks again. */
async function becomeRunner({ client, migrations, spreadRows, say, sleep }: Run): Promise<boolean> {
  for (let asked = 0; ; asked += 1) {
    const { rows } = await client.query<{ isMine: boolean }>(`select pg_try_advisory_lock(${RUNNER}) as "isMine"`)
    if (rows[0]?.isMine === true) return true
    if (asked === 0) say('另一个进程正在迁移，等它结束 (another process is migrating: waiting for it)')
    await sleep(250)
    const isDone = (await missingIn(client, migrations)).length === 0 && !(await isToSpread(client, spreadRows))
    if (isDone) return false
  }
}

async function runMissing(run: Run): Promise<void> {
  const { client, migrations } = run
  const missing = await missingIn(client, migrations)
  if (!run.evenWhileServing) await refuseToStop(client, missing)
  await whenFree(run, () => prepareLedger(client))
  for (const migration of missing) {
    const startedMs = performance.now()
    const say = (line: string): void => run.say(`${migration.name}   ${line}`)
    if (migration.concurrently === null) await whenFree({ ...run, say }, () => apply(run, migration))
    else await applyConcurrently({ ...run, say }, migration, migration.concurrently)
    say(`完成 done, ${Math.round(performance.now() - startedMs)} ms`)
  }
}

/** Programs that serve the database now, and that a migration would stop. */
async function refuseToStop(client: pg.PoolClient, missing: Migration[]): Promise<void> {
  const stops = missing.findLast(({ needsProgram }) => needsProgram !== null)
  if (stops?.needsProgram == null) return
  const { rows } = await client.query<{ last: number | null }>(
    `select min(substr(application_name, 15)::integer) as last from pg_stat_activity
      where datname = current_database() and application_name ~ '^acopay serves [0-9]{4}$'`,
  )
  const last = rows[0]?.last ?? Number.POSITIVE_INFINITY
  if (last >= stops.needsProgram) return
  throw new Error(
    `${stops.name} 会使正在运行的旧版本网关停止：请先换成中间的版本，或停掉它们后加 --even-while-serving ` +
      `(would stop gateways that are running, whose last migration is ${last}: go by the release between, or stop them, or add --even-while-serving)`,
  )
}

/** Waits for each lock for a moment only. When that is not enough, nothing was done, and it is done again after a pause. */
async function whenFree(run: Run, work: () => Promise<void>): Promise<void> {
  const { client, tries, lockWaitMs, say, sleep } = run
  for (let tried = 1; ; tried += 1) {
    try {
      await client.query('begin')
      await client.query(`set local lock_timeout = ${lockWaitMs}`)
      await work()
      await client.query('commit')
      return
    } catch (error) {
      const { code } = error as { code?: string }
      // Not before the rollback: until then it holds its locks.
      await client.query('rollback').catch(() => {})
      if (code !== '55P03' && code !== '40P01') throw error
      const blocker = await longestTransaction(client)
      if (tried >= tries) throw new Error(notFree(tried, blocker))
      say(`表被占用，${tried} / ${tries}，稍后再试 (a table is in use, trying again)${blocker}`)
      await sleep(Math.min(250 * 2 ** tried, 10_000))
    }
  }
}

const notFree = (tries: number, blocker: string): string =>
  `${tries} 次都没有等到表空闲，数据库未改动；可再次执行 (no table was free in ${tries} tries; nothing was changed, and it can be run again)${blocker}`

/** For people: the transaction that has been open for longest, which is most often the one in the way. */
async function longestTransaction(client: pg.PoolClient): Promise<string> {
  const { rows } = await client.query<{ text: string }>(
    `select format(': pid %s, %s, %s s', pid, coalesce(nullif(application_name, ''), usename),
                   extract(epoch from clock_timestamp() - xact_start)::integer) as text
       from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
      order by xact_start limit 1`,
  )
  return rows[0]?.text ?? ''
}

async function apply({ client, program, migrations }: Run, migration: Migration): Promise<void> {
  // The number goes in first: a second process, which a connection pooler may let through, waits here and then skips.
  if (!(await writeApplied(client, migration, program))) await missingIn(client, migrations)
  else if (await isSpreadAlready(client)) await runInPieces(client, migration.sql)
  else await client.query({ text: migration.sql, ...UNHURRIED })
}

/** Each statement is durable by itself. Interrupted, it goes on with the first index that is not there or is not whole. */
async function applyConcurrently(run: Run, migration: Migration, statements: ConcurrentStatement[]): Promise<void> {
  const { client, program } = run
  for (const statement of statements) {
    if (statement.table !== null && (await stateOf(client, statement.index)) === 'whole') continue
    if (statement.table !== null && (await stateOf(client, statement.index)) === 'broken') {
      run.say(`${statement.index}: 删除上次中断留下的 (drops what an interrupted build left)`)
      await client.query({ text: `drop index concurrently if exists ${statement.index}`, ...UNHURRIED })
    }
    run.say(statement.sql)
    await told(run, client.query({ text: statement.sql, ...UNHURRIED }))
  }
  await writeApplied(client, migration, program)
}

async function stateOf(client: pg.PoolClient, index: string): Promise<'none' | 'broken' | 'whole'> {
  const { rows } = await client.query<{ isWhole: boolean }>(
    'select indisvalid and indisready as "isWhole" from pg_index where indexrelid = to_regclass($1)',
    [index],
  )
  if (rows[0] === undefined) return 'none'
  return rows[0].isWhole ? 'whole' : 'broken'
}

const TOLD_EVERY_MS = 5000

/** Says how far the build of an index is, until it is done. */
async function told({ pool, client, say, sleep }: Run, built: Promise<unknown>): Promise<void> {
  const ended = new AbortController()
  const end = (): void => ended.abort()
  built.then(end, end)
  const { processID } = client as unknown as { processID: number }
  for (;;) {
    await Promise.race([built, sleep(TOLD_EVERY_MS, ended.signal)])
    if (ended.signal.aborted) break
    const { rows } = await pool
      .query<{ text: string }>(
        `select format('%s %s / %s', phase, blocks_done, blocks_total) as text from pg_stat_progress_create_index where pid = $1`,
        [processID],
      )
      .catch(() => ({ rows: [] }))
    for (const { text } of rows) say(text)
  }
  await built
}

/** Like `migrate`, and stops after this number: an archive is read into the schema that it was written from. */
export const migrateTo = (pool: Pool, lastNumber: number, program: string): Promise<void> =>
  migrate(pool, { program, migrations: ourMigrations().slice(0, lastNumber) })
