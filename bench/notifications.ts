/**
 * How many notifications a second reach a fast merchant, alone and while as many wait for a dead one: a host that takes
 * connections and never answers. Also the server's CPU time for each, in RSA-2048 signatures of the same run.
 * `npm run bench:notifications`; Linux.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool } from '@acopay/store'
import { startProcess } from '../test/support/process.ts'
import { cpuMicros, signatureMicros } from './machine.ts'

const { values } = parseArgs({ options: { count: { type: 'string', default: '10000' } } })
const COUNT = Number(values.count)
const PROMISED_PER_SECOND = 500
const MCH = 'MCH1000000'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'))
const { host, port, user, database } = postgres.connection
const databaseUrl = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`

let arrived = 0
const fast = createHttpServer((request, response) => {
  request.resume().on('end', () => {
    arrived += 1
    response.end('{"status":"SUCCESS","message":"成功"}')
  })
})
const held = new Set<Socket>()
const dead = createServer((socket) => {
  held.add(socket.on('error', () => {}))
})

const fastUrl = await listening(fast)
const deadUrl = await listening(dead)
const gateway = await startProcess({ DATABASE_URL: databaseUrl, ACOPAY_HOME: path.join(dir, 'home') })
const pool = openPool({ connectionString: databaseUrl, max: 2, statementTimeoutMs: 120_000 })

const signature = signatureMicros(2)
await told(1000)
const alone = await told(COUNT)
await waiting(COUNT, deadUrl)
await pause(1000)
const beside = await told(COUNT)
const { rows } = await pool.query(`select count(*) as n from notification where url = $1 and state = 'PENDING'`, [
  deadUrl,
])
say(`one signature: ${signature.us.toFixed(0)} µs (${signature.measuredBy})`)
report(`${COUNT} to a fast merchant`, alone)
report(`the same, ${rows[0].n} waiting for a dead one`, beside)
say(
  `beside the dead one: ${((100 * beside.perSecond) / alone.perSecond).toFixed(0)} % of alone; promised: ${PROMISED_PER_SECOND}/s`,
)

await pool.end()
await gateway.end('SIGKILL')
for (const socket of held) socket.destroy()
fast.close()
dead.close()
await postgres.stop()
rmSync(dir, { recursive: true, force: true })
process.exit(Math.min(alone.perSecond, beside.perSecond) >= PROMISED_PER_SECOND ? 0 : 1)

type Run = { perSecond: number; cpuUs: number }

function report(name: string, { perSecond, cpuUs }: Run): void {
  const signatures = (cpuUs / signature.us).toFixed(1)
  say(
    `${name.padEnd(48)} ${perSecond.toFixed(0).padStart(5)}/s  CPU ${cpuUs.toFixed(0)} µs = ${signatures} signatures each`,
  )
}

/** Writes `count` notifications for the fast merchant and measures the time until the last has arrived. */
async function told(count: number): Promise<Run> {
  const until = arrived + count
  const cpuBefore = cpuMicros(gateway.pid)
  await waiting(count, fastUrl)
  const start = performance.now()
  const arrivedBefore = arrived
  while (arrived < until) await pause(5)
  const seconds = (performance.now() - start) / 1000
  return { perSecond: (until - arrivedBefore) / seconds, cpuUs: (cpuMicros(gateway.pid) - cpuBefore) / count }
}

/** Paid orders with their notifications, as the gateway would have written them. */
async function waiting(count: number, url: string): Promise<void> {
  const news = JSON.stringify({
    transaction_no: 'AP',
    mch_trade_no: 'mp',
    app_no: 'APP1000000',
    extra: null,
    code: 'SUCCESS',
    description: '支付成功',
    amount_total: '12.50',
    amount_currency: 'CNY',
    success_time: '2026-01-31T08:00:00+08:00',
    acoid: 'payer',
  })
  await pool.query(
    `with n as (
       select 'AP' || lpad(((select count(*) from orders) + g)::text, 36, '0') as no from generate_series(1, $1::integer) g),
     placed as (
       insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire,
         state, success_time, head_seq, head_hash, created_at, changed_at)
       select '${MCH}', no, 'APP1000000', no, 'x', 1250, 'CNY', now(), 'SUCCESS', now(), 1, '', now(), now() from n),
     entries as (
       insert into timeline (mch_no, transaction_no, seq, at, entry, hash) select '${MCH}', no, 1, now(), '{}', '' from n)
     insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
     select '${MCH}', no, 1, 'payment', $2, $3, $4, 'PENDING', now(), now(), now() from n`,
    [count, url, new URL(url).host, news],
  )
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`
}
