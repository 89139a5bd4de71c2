/**
 * What orders cost the disk and the memory: bytes of tables and of indexes per order, WAL per call, the memory of the gateway and of
 * one of its connections. `npm run bench:storage`; Linux.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import { seedOrders } from '../apps/server/src/commands/seed-orders.ts'
import { openAttempt, place } from '../test/support/merchant.ts'
import { type StartedProcess, startProcess } from '../test/support/process.ts'
import { closeRequest } from './closes.ts'
import { openConnection } from './connection.ts'
import { cpuMicros } from './machine.ts'

const { values } = parseArgs({
  options: { orders: { type: 'string', default: '50000' }, calls: { type: 'string', default: '1000' } },
})
const ORDERS = Number(values.orders)
const CALLS = Number(values.calls)
const AT_ONCE = 32

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'))
try {
  await main()
} finally {
  await postgres.stop()
  rmSync(dir, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const { host, port, user, database } = postgres.connection
  const databaseUrl = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
  const pool = openPool({ connectionString: databaseUrl, max: 1, statementTimeoutMs: 600_000 })
  const env = { DATABASE_URL: databaseUrl, ACOPAY_HOME: path.join(dir, 'home'), ACOPAY_RATE_PER_ADDRESS: '0' }
  const gateway = await startProcess(env)
  say(
    `${spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim()}, Node ${process.version}`,
  )
  say(`memory of the gateway after its start: ${memory(gateway.pid)}`)

  const orders: string[] = []
  await measured('placing', gateway, pool, async () => void orders.push(await place(gateway.demo)))
  const requests = await Promise.all(orders.map((transactionNo) => closeRequest({ of: gateway.demo, transactionNo })))
  const lanes = await Promise.all(Array.from({ length: AT_ONCE }, () => openConnection(gateway.url)))
  await measured('closing, no attempt', gateway, pool, async (lane) => {
    const answer = await (lanes[lane] as (typeof lanes)[number]).ask(requests.pop() as Buffer)
    if (!answer.includes('关单成功')) throw new Error(answer)
  })
  for (const lane of lanes) lane.end()
  await measured('placing and opening an attempt (with the stand-in)', gateway, pool, async () => {
    await openAttempt(gateway.demo, await place(gateway.demo))
  })
  say(`memory of the gateway after ${3 * CALLS} calls: ${memory(gateway.pid)}`)
  await connections(pool)
  await gateway.end('SIGTERM')

  await pool.query('truncate orders cascade')
  await seedOrders.run(['--orders', String(ORDERS)], { env, defaultHome: '', say: () => {} })
  await tables(pool)
  await pool.end()
}

/** WAL and CPU for each of `CALLS` calls, of the gateway and of PostgreSQL. A checkpoint before, so that the WAL has full pages as in life. */
async function measured(
  name: string,
  gateway: StartedProcess,
  pool: Pool,
  work: (lane: number) => Promise<void>,
): Promise<void> {
  await pool.query('checkpoint')
  const before = await walBytes(pool)
  const [cpu, databaseCpu] = [cpuMicros(gateway.pid), postgresMicros()]
  const start = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, lane) => {
      for (; next < CALLS; ) {
        next += 1
        await work(lane)
      }
    }),
  )
  const per = (sum: number): string => (sum / CALLS).toFixed(0).padStart(6)
  const seconds = (performance.now() - start) / 1000
  say(
    `${name.padEnd(52)} ${(CALLS / seconds).toFixed(0).padStart(6)}/s  WAL ${per((await walBytes(pool)) - before)} B  ` +
      `gateway ${per(cpuMicros(gateway.pid) - cpu)} µs  PostgreSQL ${per(postgresMicros() - databaseCpu)} µs`,
  )
}

async function walBytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: string }>(`select pg_current_wal_insert_lsn() - '0/0' as n`)
  return Number(rows[0]?.n)
}

/** CPU of the server and everything that it started and that still runs. */
function postgresMicros(): number {
  const server = Number(readFileSync(path.join(dir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  const children = readFileSync(`/proc/${server}/task/${server}/children`, 'utf8').trim().split(' ').map(Number)
  return [server, ...children].reduce((sum, pid) => sum + cpuMicros(pid), 0)
}

function memory(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (field: string): string =>
    `${(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024).toFixed(0)} MB`
  return `${mb('VmRSS')}, at most ${mb('VmHWM')}`
}

/** What is a connection's own: memory that it shares with no other. */
async function connections(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = 'acopay' and pid <> pg_backend_pid()`,
  )
  const own = rows.map(({ pid }) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return ['Private_Clean', 'Private_Dirty'].reduce(
      (sum, field) => sum + Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]),
      0,
    )
  })
  const mean = own.reduce((sum, kb) => sum + kb, 0) / own.length / 1024
  say(`${own.length} connections, ${mean.toFixed(1)} MB each that it shares with no other`)
}

async function tables(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; rows: number; heap: number; indexes: number }>(
    `select relname as name, reltuples::float8 as rows, pg_table_size(c.oid)::float8 as heap,
            pg_indexes_size(c.oid)::float8 as indexes
       from pg_class c join pg_namespace n on n.oid = relnamespace and nspname = 'public'
      where relkind = 'r' and reltuples > $1 order by pg_total_relation_size(c.oid) desc`,
    [ORDERS / 100],
  )
  say(`\n${ORDERS} seeded orders, bytes per order:\n`)
  say('| table | rows per order | rows | indexes |\n|---|---|---|---|')
  const per = (sum: number): string => (sum / ORDERS).toFixed(0)
  for (const row of rows)
    say(`| ${row.name} | ${(row.rows / ORDERS).toFixed(2)} | ${per(row.heap)} | ${per(row.indexes)} |`)
  const [heap, indexes] = [
    rows.reduce((sum, row) => sum + row.heap, 0),
    rows.reduce((sum, row) => sum + row.indexes, 0),
  ]
  say(`| sum | | ${per(heap)} | ${per(indexes)} |`)
}
