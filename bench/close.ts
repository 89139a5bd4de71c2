/**
 * What a close costs: closes per second and latency over HTTP with pre-signed requests, and the server's CPU time per
 * close as a multiple of one RSA-2048 signature measured in the same run. `npm run bench:close`; Linux.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { openAttempt } from '../test/support/merchant.ts'
import { START_FROM_SOURCE, startProcess } from '../test/support/process.ts'
import { addMerchants, closeRequest, type Placed, placeOrders, quantile } from './closes.ts'
import { openConnection } from './connection.ts'
import { cpuMicros, familyMicros, signatureMicros } from './machine.ts'
import { summarize } from './profile.ts'

const { values } = parseArgs({
  options: {
    closes: { type: 'string', default: '8000' },
    connections: { type: 'string', default: '64' },
    merchants: { type: 'string', default: '1000' },
    'openssl-seconds': { type: 'string', default: '3' },
  },
})
const CLOSES = Number(values.closes)
const CONNECTIONS = Number(values.connections)
const MERCHANTS = Number(values.merchants)
const OPENSSL_SECONDS = Number(values['openssl-seconds'])
const WARM_UP = 500

type Run = {
  perSecond: number
  p50: number
  p99: number
  cpuUs: number
  databaseUs: number
  databaseCalls: number
  bytes: number
}

const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'))
try {
  await main()
} finally {
  await postgres.stop()
  rmSync(dir, { recursive: true })
}

async function main(): Promise<void> {
  const { host, port, user, database } = postgres.connection
  const databaseUrl = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
  const pool = openPool({ connectionString: databaseUrl, max: 1 })
  const env = { DATABASE_URL: databaseUrl, ACOPAY_HOME: path.join(dir, 'home'), ACOPAY_RATE_PER_ADDRESS: '0' }

  const before = signatureMicros(OPENSSL_SECONDS)
  const gateway = await startProcess(env)
  say(`placing ${3 * CLOSES + 2 * WARM_UP} orders …`)
  const orders = await placeOrders([gateway.demo], 2 * CLOSES + 2 * WARM_UP)
  const ofMany = await placeOrders(await addMerchants(pool, gateway.demo, MERCHANTS), CLOSES)
  await closeAll(gateway, pool, orders.splice(0, WARM_UP), CONNECTIONS)
  const many = await closeAll(gateway, pool, orders.splice(0, CLOSES), CONNECTIONS)
  const one = await closeAll(gateway, pool, orders.splice(0, WARM_UP), 1)
  const spread = await closeAll(gateway, pool, ofMany, CONNECTIONS)
  const attended = await placeOrders([gateway.demo], WARM_UP)
  for (const { of, transactionNo } of attended) await openAttempt(of, transactionNo)
  const three = await closeAll(gateway, pool, attended, CONNECTIONS)
  await gateway.end('SIGTERM')
  const after = signatureMicros(OPENSSL_SECONDS)
  await pool.end()

  const signatureUs = (before.us + after.us) / 2
  const report = (name: string, run: Run): void => {
    const { perSecond, p50, p99, cpuUs, databaseUs, databaseCalls, bytes } = run
    say(
      `${name.padEnd(34)} ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  ` +
        `CPU ${cpuUs.toFixed(0)} µs = ${(cpuUs / signatureUs).toFixed(2)} signatures  ` +
        `database CPU ${databaseUs.toFixed(0)} µs = ${(databaseUs / signatureUs).toFixed(2)}  ` +
        `${databaseCalls.toFixed(2)} database transactions  ${bytes} bytes`,
    )
  }
  say('')
  say(`${availableParallelism()} cores, Node ${process.version}, UV_THREADPOOL_SIZE as npm start sets it`)
  say(`one signature: ${before.us.toFixed(0)} µs before, ${after.us.toFixed(0)} µs after (${before.measuredBy})`)
  report(`no attempt, ${CONNECTIONS} connections`, many)
  report(`no attempt, ${MERCHANTS} merchants`, spread)
  report('no attempt, 1 connection', one)
  report(`one open attempt, ${CONNECTIONS} connections`, three)
  say(
    `closes per second of the signatures two cores make: ${((100 * many.perSecond * signatureUs) / 2e6).toFixed(0)} %`,
  )

  say('\nthe same closes under the profiler, main thread only, with its start:')
  const profiles = path.join(dir, 'profile')
  const profiled = await startProcess(env, ['--cpu-prof', `--cpu-prof-dir=${profiles}`, ...START_FROM_SOURCE])
  const profiledPool = openPool({ connectionString: databaseUrl, max: 1 })
  await closeAll(profiled, profiledPool, orders, CONNECTIONS)
  await profiled.end('SIGTERM')
  await profiledPool.end()
  for (const { name, share } of summarize(profiles).slice(0, 14))
    say(`  ${(100 * share).toFixed(1).padStart(5)} %  ${name}`)
}

/** Closes every order once, over `connections` connections, and checks that each was closed. */
async function closeAll(
  gateway: { url: string; demo: DemoSettings; pid: number },
  pool: Pool,
  orders: Placed[],
  connections: number,
): Promise<Run> {
  const requests = await Promise.all(orders.map(closeRequest))
  const lanes = await Promise.all(Array.from({ length: connections }, () => openConnection(gateway.url)))
  const millis: number[] = []
  let next = 0
  let bytes = 0
  const transactionsBefore = await transactions(pool)
  const [cpuBefore, databaseBefore] = [cpuMicros(gateway.pid), familyMicros(postgres.pid)]
  const start = performance.now()
  await Promise.all(
    lanes.map(async (lane) => {
      while (next < requests.length) {
        const request = requests[next] as Buffer
        next += 1
        const asked = performance.now()
        const answer = await lane.ask(request)
        millis.push(performance.now() - asked)
        if (!answer.includes('关单成功')) throw new Error(answer)
        bytes = request.length + Buffer.byteLength(answer)
      }
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const cpuUs = (cpuMicros(gateway.pid) - cpuBefore) / orders.length
  const databaseUs = (familyMicros(postgres.pid) - databaseBefore) / orders.length
  const databaseCalls = ((await transactions(pool)) - transactionsBefore) / orders.length
  for (const lane of lanes) lane.end()
  return {
    perSecond: orders.length / seconds,
    p50: quantile(millis, 0.5),
    p99: quantile(millis, 0.99),
    cpuUs,
    databaseUs,
    databaseCalls,
    bytes,
  }
}

/** Transactions that the database has committed. A session reports its own at most once a second, so this waits first. */
async function transactions(pool: Pool): Promise<number> {
  await setTimeout(1500)
  const { rows } = await pool.query<{ n: string }>(
    'select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()',
  )
  return Number(rows[0]?.n)
}
