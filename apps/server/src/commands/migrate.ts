/** `acopay-server migrate`: shows what a database lacks of this version's schema and what that would do, does it, and lets a role serve. */
import {
  clusterToSpread,
  grantServing,
  hasRows,
  LOCK_WAIT_MS,
  migrate as migrateDatabase,
  type PlannedStep,
  type PlannedTable,
  type Pool,
  planMigrations,
  readCluster,
  readSchema,
  stopsWriters,
  whyNotServed,
} from '@acopay/store'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../start/database.ts'
import { VERSION } from '../version.ts'
import { clusterLines, spreadingLines } from './migrate-citus.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

export const migrate: OperatorCommand = {
  usage: '[status | plan | up] [--serving-role NAME] [--lock-wait 1…4000] [--even-while-serving] [--spread-rows]',
  zh: '查看、预演、执行数据库迁移；DATABASE_URL 须为表的所有者',
  en: 'shows, plans and runs migrations of the database; DATABASE_URL names the owner of the tables',
  async run(args, io) {
    const options = optionsOf(args)
    const { pool, close } = await openDatabase(readConfig(io.env, io.defaultHome), {
      statementTimeoutMs: LONG_STATEMENT_MS,
    })
    try {
      return await RUNS[options.what](pool, io, options)
    } finally {
      await close()
    }
  },
}

type Options = {
  what: keyof typeof RUNS
  role: string | null
  lockWaitMs: number
  evenWhileServing: boolean
  spreadRows: boolean
}

/** By the words of the command. */
const FLAGS = { '--even-while-serving': 'evenWhileServing', '--spread-rows': 'spreadRows' } as const
const isFlag = (word = ''): word is keyof typeof FLAGS => Object.hasOwn(FLAGS, word)

const LONGEST_LOCK_WAIT_MS = 4000

function optionsOf(args: string[]): Options {
  const options: Options = {
    ...{ what: 'up', role: null, lockWaitMs: LOCK_WAIT_MS },
    ...{ evenWhileServing: false, spreadRows: false },
  }
  const [what = '', ...more] = args
  const isNamed = Object.hasOwn(RUNS, what)
  if (isNamed) options.what = what as keyof typeof RUNS
  const rest = isNamed ? more : args
  while (rest.length > 0) {
    const [option, value] = rest.splice(0, isFlag(rest[0]) ? 1 : 2)
    if (options.what === 'up' && isFlag(option)) options[FLAGS[option]] = true
    else if (options.what === 'up' && option === '--serving-role' && value) options.role = value
    else if (options.what === 'up' && option === '--lock-wait' && isLockWait(value)) options.lockWaitMs = Number(value)
    else throw new UsageError(migrate.usage)
  }
  return options
}

/** A call gives up after 5 s: what waits behind a migration has to go on before. */
const isLockWait = (text = ''): boolean =>
  /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= LONGEST_LOCK_WAIT_MS

const RUNS = { status, plan, up }

/** 1 where this program could not serve the database as it is. */
async function status(pool: Pool, { say }: OperatorIo): Promise<number> {
  const schema = await readSchema(pool)
  const edited = new Set(schema.edited.map(({ number }) => number))
  const unknown = new Set(schema.unknown.map(({ number }) => number))
  for (const { number, name, appliedAt, appliedBy } of schema.applied) {
    const at = `${appliedAt.toISOString().slice(0, 19)}Z`
    const notes = [
      edited.has(number) && '执行后文件被改动 edited after it ran',
      unknown.has(number) && '本程序不认识 unknown to this program',
    ].filter(Boolean)
    say([name, `已执行 applied ${at}`, appliedBy ?? '< 0.2.0', ...notes].join('   '))
  }
  for (const { name } of schema.missing) say(`${name}   未执行 missing`)
  for (const line of clusterLines(await readCluster(pool))) say(line)
  const wrong = whyNotServed(schema)
  say(wrong ?? (schema.unknown.length > 0 ? STILL_SERVED : AT_THIS_VERSION))
  return wrong === null ? 0 : 1
}

const AT_THIS_VERSION = '数据库已是本版本 (the database is at this version)'
const STILL_SERVED =
  '数据库比本程序新，本程序仍可使用 (the database is newer than this program, which can still serve it)'

/** Changes nothing, takes no lock. */
async function plan(pool: Pool, { say }: OperatorIo): Promise<number> {
  const steps = await planMigrations(pool)
  if (steps.length === 0) say(AT_THIS_VERSION)
  for (const step of steps) for (const line of linesOf(step)) say(line)
  const cluster = await clusterToSpread(pool)
  if (cluster !== null) for (const line of spreadingLines(cluster, await hasRows(pool, cluster))) say(line)
  return 0
}

function* linesOf({ migration, statements, tables }: PlannedStep): Generator<string> {
  const how =
    migration.concurrently === null
      ? '一个事务 one transaction'
      : '逐条执行，不在事务中，可中断后再执行 one by one outside of a transaction; may be interrupted and run again'
  yield `${migration.name}   ${how}`
  for (const statement of statements) yield `    ${statement}`
  for (const table of tables ?? []) yield `  ${lineOf(table)}`
  if (tables?.length === 0) yield '  不涉及已有的表 touches no table that is there'
  if (tables === null) yield '  没有记录过它的锁 its locks were not recorded'
  if (migration.concurrently === null) {
    yield `  每个锁最多等 ${LOCK_WAIT_MS} 毫秒，等不到则放弃并稍后再试 waits ${LOCK_WAIT_MS} ms at most for each lock, then steps back and tries again`
  }
  if (migration.needsProgram !== null) {
    yield `  之后，最后迁移早于 ${migration.needsProgram} 的网关不能再运行 gateways whose last migration is older than ${migration.needsProgram} cannot go on after it`
  }
}

function lineOf(table: PlannedTable): string {
  const mode = table.lock
    .replace(/Lock$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase()
  const size = `${Math.round(table.rows)} 行 rows, ${(table.bytes / 1024 ** 2).toFixed(1)} MB`
  const work = [
    table.rewrites && '重写全表 writes the table anew',
    table.scans && '读全表 reads every row',
    stopsWriters(table) && (table.scans || table.rewrites) && '期间不能写入 nobody can write meanwhile',
  ].filter(Boolean)
  return [table.table, mode, size, ...(work.length > 0 ? work : ['片刻 a moment'])].join('   ')
}

async function up(pool: Pool, { say }: OperatorIo, options: Options): Promise<number> {
  const { lockWaitMs, evenWhileServing, spreadRows, role } = options
  await migrateDatabase(pool, { program: VERSION, say, lockWaitMs, evenWhileServing, spreadRows })
  say(AT_THIS_VERSION)
  const left = await clusterToSpread(pool)
  if (left !== null) for (const line of spreadingLines(left, true)) say(line)
  if (role !== null) say(await grant(pool, role))
  return 0
}

async function grant(pool: Pool, role: string): Promise<string> {
  switch (await grantServing(pool, role)) {
    case 'no such role':
      throw new Error(`没有数据库角色 ${role}，请先 create role (no such role, create it first)`)
    case 'may do anything':
      throw new Error(`${role} 是表的所有者或超级用户 (owns the tables, or is a superuser): create another role`)
    case 'granted':
      return `${role} 可以运行网关，不能修改或删除时间线与审计日志 (may serve, and cannot change or remove timelines and audit rows)`
  }
}
