/**
 * What the console's pages cost on a large database: `npm run seed-orders -- --orders 10000000`, then `npm run bench:console`,
 * with the same ACOPAY_HOME or DATABASE_URL. A caller on this machine measures the times, so the server's are less. Fails
 * above the promised times: lists and searches 100 ms, the overview 500 ms.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { OrderDetail, Overview } from '@acopay/protocol/console'
import type { ConsoleUsers } from '../apps/server/src/sandbox/users.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { startGateway } from '../apps/server/src/start/gateway.ts'

const TIMES = 30
const LIST_MS = 100
const OVERVIEW_MS = 500
const COUNTED_WITHIN_MS = 600_000

const home = fileURLToPath(new URL('../.acopay/', import.meta.url))
const gateway = await startGateway(
  readConfig({ LOG_LEVEL: 'error', ...process.env, PORT: '0', ACOPAY_RATE_PER_ADDRESS: '0' }, home),
)
const api = `${gateway.url}/console/api`
const { users } = JSON.parse(readFileSync(gateway.sandbox?.consoleFile ?? '', 'utf8')) as ConsoleUsers
const operator = users.find(({ role }) => role === 'operator')
const signedIn = await fetch(`${api}/session`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ username: operator?.username, password: operator?.password }),
})
const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${api}/${path}`, { headers: { cookie } })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path}: ${text}`)
  return JSON.parse(text) as Answer
}

/** The first start counts the 31 days once; the measurements begin when they are counted. */
async function allCounted(): Promise<void> {
  const started = performance.now()
  for (;;) {
    const { days } = await get<Overview>('overview')
    const counted = days.filter(({ placed }) => placed > 0).length
    if (counted >= 29 || performance.now() - started > COUNTED_WITHIN_MS) {
      console.log(`${counted} days counted, ${Math.round((performance.now() - started) / 1000)} s after the start`)
      return
    }
    await pause(1000)
  }
}

const slow: string[] = []

async function measure(name: string, path: string, promisedMs: number): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < TIMES; i += 1) {
    const started = performance.now()
    await get(path)
    times.push(performance.now() - started)
  }
  const [first = 0] = times
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.min(TIMES - 1, Math.floor(TIMES * share))] as number
  const line = [
    name.padEnd(44),
    `first ${first.toFixed(1)}`,
    `p50 ${at(0.5).toFixed(1)}`,
    `p95 ${at(0.95).toFixed(1)} ms`,
  ].join('   ')
  console.log(line)
  if (at(0.95) > promisedMs) slow.push(`${name}: ${at(0.95).toFixed(1)} ms, promised ${promisedMs}`)
}

type Row = { mch_no: string; transaction_no: string }
const firstOf = async (path: string): Promise<Row> => {
  const [row] = (await get<{ rows: Row[] }>(path)).rows
  if (row === undefined) throw new Error(`${path}: nothing there; run npm run seed-orders first`)
  return row
}

await allCounted()
const until = new Date(Date.now() - 45 * 86_400_000).toISOString()
const refunded = await firstOf(`orders?state=REFUND&until=${until}`)
const order = await get<OrderDetail>(`orders/${refunded.mch_no}/${refunded.transaction_no}`)
const lists: [string, string][] = [
  ['orders, first page, all merchants', 'orders'],
  ['orders, first page, one merchant', 'orders?mch_no=LOAD0007'],
  ['orders, first page, paid', 'orders?state=SUCCESS'],
  ['orders, first page, being closed (none)', 'orders?state=CLOSING'],
  ['orders, first page, Alipay', 'orders?channel=alipay'],
  ['orders, first page, 77.77 yuan exactly', 'orders?amount_min=77.77&amount_max=77.77'],
  ['orders, a page of 45 days ago', `orders?until=${until}`],
  ['orders stuck', 'orders?state=STUCK'],
  ['orders, first page, of an app', 'orders?app_no=APPLOAD0007'],
  ['orders, first page, of an app that is nowhere', 'orders?app_no=NOWHERE'],
  ['orders, money sent back, all merchants', 'orders?sent_back=true'],
  ['orders, money sent back, one merchant', 'orders?mch_no=LOAD0000&sent_back=true'],
  ['orders, paid 77.77 yuan exactly', 'orders?state=SUCCESS&amount_min=77.77&amount_max=77.77'],
  ['orders, from 77 to 78 yuan, 45 days ago', `orders?amount_min=77&amount_max=78&until=${until}`],
  ['orders with a dead letter', 'orders?notified=DEAD'],
  ['orders that were not heard of yet', 'orders?notified=PENDING'],
  ['orders that were heard of', 'orders?notified=DELIVERED'],
  ['orders, how many', 'totals/orders'],
  ['orders, how many with rare filters', 'totals/orders?app_no=NOWHERE'],
  ['by the beginning of an order number', `orders?number=${order.transaction_no.slice(0, 16)}`],
  ["by the beginning of a merchant's number", `orders?number=${order.mch_trade_no.slice(0, 12)}`],
  ["by the end of the upstream's payment number", `orders?number=${order.payments[0]?.payment_no.slice(-8)}`],
  ['everything, by an order number', `find?text=${order.transaction_no}`],
  ['everything, by an amount', 'find?text=77.77'],
  ['everything, by what is nowhere', 'find?text=nowhere'],
  ['by the order number', `orders?number=${order.transaction_no}`],
  ["by the merchant's order number", `orders?number=${order.mch_trade_no}`],
  ['by the attempt number', `orders?number=${order.attempts[0]?.attempt_no}`],
  ["by the upstream's payment number", `orders?number=${order.payments[0]?.payment_no}`],
  ['by the refund number', `orders?number=${order.refunds[0]?.refund_no}`],
  ["by the merchant's refund number", `orders?number=${order.refunds[0]?.mch_refund_no}`],
  ['by a number that is nowhere', 'orders?number=nowhere'],
  ['an order page', `orders/${order.mch_no}/${order.transaction_no}`],
  ['refunds, first page', 'refunds'],
  ['refunds of one merchant, stuck', 'refunds?mch_no=LOAD0007&state=STUCK'],
  ['refunds under way, all merchants', 'refunds?state=PROCESSING'],
  ['refunds, 45 days ago, Alipay, from 77 yuan', `refunds?until=${until}&channel=alipay&amount_min=77`],
  ['refunds that failed (few)', 'refunds?state=FAIL'],
  ['refunds by a number', `refunds?number=${order.refunds[0]?.refund_no}`],
  ['refunds by a number that is nowhere', 'refunds?number=nowhere'],
  ['reversals, first page', 'reversals'],
  ['merchants by a part of a name', 'merchants?search=100'],
  ['notifications not acknowledged', 'notifications'],
  ['notifications acknowledged, all merchants', 'notifications?state=DELIVERED'],
  ['bills, first page', 'bills'],
  ['differences, first page', 'differences'],
  ['unmatched payments, first page', 'unmatched-payments'],
  ['work that is stuck', 'jobs'],
]
for (const [name, path] of lists) await measure(name, path, LIST_MS)
await measure('overview, all merchants', 'overview', OVERVIEW_MS)
await measure('overview, one merchant', 'overview?mch_no=LOAD0000', OVERVIEW_MS)
await gateway.stop()
for (const line of slow) console.error(line)
process.exitCode = slow.length > 0 ? 1 : 0
