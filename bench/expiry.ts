/**
 * How many lapsed orders a second are closed by one, two and three processes. All lapse in one moment, four fifths of them one merchant's
 * and a millisecond before those of 200 others; it says also when the last of the others was closed. `npm run bench:expiry`; Linux.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fen } from '@acopay/core'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { entryStamp, genesisHash, insertOrders, type NewOrder, openPool } from '@acopay/store'
import { startProcess } from '../test/support/process.ts'
import { addMerchants } from './closes.ts'
import { cpuMicros, familyMicros, signatureMicros } from './machine.ts'

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '20000' },
    processes: { type: 'string', default: '1,2,3' },
  },
})
const ORDERS = Number(values.orders)
const PROMISED_PER_SECOND = 2000
const OTHERS = 200
const PLACED_TOGETHER = 500
/** Longer than placing them takes on a slow machine. */
const PLACING_MS = 15_000 + ORDERS
const LARGE = 'BENCH1'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'))
const { host, port, user, database } = postgres.connection
const databaseUrl = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
const env = { DATABASE_URL: databaseUrl, ACOPAY_HOME: path.join(dir, 'home') }
const pool = openPool({ connectionString: databaseUrl, max: 2, statementTimeoutMs: 120_000 })
const stamp = entryStamp(randomBytes(32))

const signature = signatureMicros(2)
say(`one signature: ${signature.us.toFixed(0)} µs (${signature.measuredBy}); ${ORDERS} lapsed orders`)
const rates: number[] = []
for (const count of values.processes.split(',').map(Number)) rates.push(await sweep(count))
await pool.end()
await postgres.stop()
rmSync(dir, { recursive: true, force: true })
process.exit(Math.min(...rates) >= PROMISED_PER_SECOND ? 0 : 1)

async function sweep(count: number): Promise<number> {
  const gateways = [await startProcess(env)]
  while (gateways.length < count) gateways.push(await startProcess(env))
  const [one] = gateways as [(typeof gateways)[0]]
  await addMerchants(pool, one.demo, 1 + OTHERS)
  const lapseAt = new Date(Date.now() + PLACING_MS)
  await placeAll(one.demo.appNo, lapseAt)
  if (Date.now() >= lapseAt.getTime()) throw new Error('placing took longer than the orders live')
  const cpu = (): number => gateways.reduce((micros, { pid }) => micros + cpuMicros(pid), 0)
  await pause(lapseAt.getTime() - 50 - Date.now())
  const before = { gateways: cpu(), postgres: familyMicros(postgres.pid) }
  while (await isAnyOpen()) await pause(200)
  const cpuUs = (cpu() - before.gateways) / ORDERS
  const postgresUs = (familyMicros(postgres.pid) - before.postgres) / ORDERS
  for (const gateway of gateways) await gateway.end('SIGTERM')
  const { perSecond, othersMs, ms, entries } = await whatTheBooksSay(lapseAt)
  say(
    `${count} process${count === 1 ? '' : 'es'}  ${perSecond.toFixed(0).padStart(6)}/s  CPU ${cpuUs.toFixed(0)} µs  ` +
      `database CPU ${postgresUs.toFixed(0)} µs  the last one ${ms.toFixed(0)} ms after all had lapsed, the last one of the ` +
      `other merchants ${othersMs.toFixed(0)} ms; ${entries} timeline entries of each`,
  )
  return perSecond
}

async function placeAll(appNo: string, lapseAt: Date): Promise<void> {
  const run = `${Date.now()}`.padStart(17, '0')
  for (let from = 0; from < ORDERS; from += PLACED_TOGETHER) {
    const some = Array.from({ length: Math.min(PLACED_TOGETHER, ORDERS - from) }, (_, index) => from + index)
    await insertOrders(
      pool,
      some.map((index) => placing(newOrder({ run, index, appNo, lapseAt }))),
    )
  }
}

type Numbered = { run: string; index: number; appNo: string; lapseAt: Date }

function newOrder({ run, index, appNo, lapseAt }: Numbered): NewOrder {
  const isOther = index % 5 === 4
  return {
    mchNo: isOther ? `BENCH${2 + (Math.floor(index / 5) % OTHERS)}` : LARGE,
    transactionNo: `AP${run}${`${index}`.padStart(19, '0')}`,
    appNo,
    mchTradeNo: `${run}-${index}`,
    description: 'bench',
    amountFen: fen(100n),
    extra: null,
    notifyUrl: null,
    askedExpire: null,
    timeExpire: new Date(lapseAt.getTime() - (isOther ? 0 : 1)),
  }
}

function placing(order: NewOrder) {
  const now = new Date()
  const entry = JSON.stringify({ at: now.toISOString(), event: 'placed', to: 'NOTPAY', mchTradeNo: order.mchTradeNo })
  const mac = stamp({ mchNo: order.mchNo, ref: { transactionNo: order.transactionNo }, seq: 1, entry })
  return { order, nonce: null, entry, genesis: genesisHash(order.mchNo, order.transactionNo), mac, now }
}

async function isAnyOpen(): Promise<boolean> {
  const { rows } = await pool.query(`select min(time_expire) as first from orders where state = 'NOTPAY'`)
  return rows[0]?.first !== null
}

/** By the books' own times: from the first close to the last. */
async function whatTheBooksSay(lapseAt: Date) {
  const { rows } = await pool.query<{ n: string; first: Date; last: Date; others: Date; entries: string }>(
    `select count(*) as n, min(closed_at) as first, max(closed_at) as last,
            max(closed_at) filter (where mch_no <> $2) as others, max(head_seq)::text as entries
       from orders where close_reason = 'EXPIRED' and closed_at >= $1`,
    [lapseAt, LARGE],
  )
  const [row] = rows
  if (row === undefined || Number(row.n) !== ORDERS) throw new Error(`${row?.n} orders are closed`)
  return {
    perSecond: (1000 * ORDERS) / (row.last.getTime() - row.first.getTime()),
    ms: row.last.getTime() - lapseAt.getTime(),
    othersMs: row.others.getTime() - lapseAt.getTime(),
    entries: row.entries,
  }
}
