/**
 * What it costs to be seen: the server's CPU time per close with /metrics read every 15 seconds, and with traces of one request in a hundred,
 * as multiples of the same without either. Rounds alternate, so that a busy machine hurts each alike. `npm run bench:seeing`; Linux.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { metrics } from '../apps/server/src/metrics/metrics.ts'
import { type StartedProcess, startProcess } from '../test/support/process.ts'
import { closeRequest, placeOrders, quantile } from './closes.ts'
import { openConnection } from './connection.ts'
import { cpuMicros } from './machine.ts'

const { values } = parseArgs({
  options: { closes: { type: 'string', default: '500' }, rounds: { type: 'string', default: '8' } },
})
const CLOSES = Number(values.closes)
const ROUNDS = Number(values.rounds)
const CONNECTIONS = 32

const dir = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const postgres = await startEmbeddedPostgres(path.join(dir, 'postgres'))
const collector = createServer((request, response) => request.resume().on('end', () => response.end('{}')))
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
try {
  await main()
} finally {
  await postgres.stop()
  collector.close()
  collector.closeAllConnections()
  rmSync(dir, { recursive: true })
}

async function main(): Promise<void> {
  const { host, port, user, database } = postgres.connection
  const home = path.join(dir, 'home')
  const databaseUrl = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`
  const base = { DATABASE_URL: databaseUrl, ACOPAY_HOME: home, ACOPAY_RATE_PER_ADDRESS: '0' }
  const token = 'a-token-of-the-bench'
  const off = await startProcess(base)
  const scraped = await startProcess({ ...base, ACOPAY_METRICS_TOKEN: token })
  const traced = await startProcess({
    ...base,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
  })
  const reading = setInterval(
    () =>
      void fetch(`${scraped.url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).then((one) => one.text()),
    15_000,
  )
  const each = { off, 'metrics, read every 15 s': scraped, 'traces of 1 %': traced }
  const costs = new Map(Object.keys(each).map((name) => [name, [] as number[]]))
  for (const gateway of [...Object.values(each), ...Object.values(each)]) await closeMany(gateway)
  for (let round = 0; round < ROUNDS; round += 1) {
    // Who goes first goes last in the next round.
    const all = Object.entries(each)
    for (const [name, gateway] of round % 2 === 0 ? all : all.reverse()) costs.get(name)?.push(await closeMany(gateway))
  }
  clearInterval(reading)
  for (const gateway of Object.values(each)) await gateway.end('SIGTERM')

  const plain = costs.get('off') ?? []
  say(`${ROUNDS} rounds of ${CLOSES} closes each, no attempt, ${CONNECTIONS} connections, Node ${process.version}`)
  for (const [name, some] of costs) {
    const ratios = some.map((us, round) => us / (plain[round] ?? us))
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3))
    say(`${name.padEnd(28)} ${quantile(some, 0.5).toFixed(0)} µs per close   × ${middle} (${low} to ${high})`)
  }
  const counting = countingMicros()
  say(
    `counting, in any of them     ${counting.toFixed(1)} µs per close = ${((100 * counting) / quantile(plain, 0.5)).toFixed(2)} %`,
  )
}

/** Microseconds of CPU of one close. */
async function closeMany(gateway: StartedProcess): Promise<number> {
  const orders = await placeOrders([gateway.demo], CLOSES)
  const requests = await Promise.all(orders.map(closeRequest))
  const lanes = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(gateway.url)))
  const before = cpuMicros(gateway.pid)
  await Promise.all(
    lanes.map(async (lane) => {
      for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
        const answer = await lane.ask(request)
        if (!answer.includes('关单成功')) throw new Error(answer)
      }
    }),
  )
  const used = cpuMicros(gateway.pid) - before
  for (const lane of lanes) lane.end()
  return used / CLOSES
}

/** What a cheap close counts: the counters have no switch. */
function countingMicros(): number {
  const counted = metrics({ version: '1', mode: 'sandbox' })
  const times = 100_000
  const before = process.cpuUsage()
  for (let one = 0; one < times; one += 1) {
    counted.call({ call: 'close', outcome: 'SUCCESS', by: 'merchant' }, 0.004)
    counted.close('cheap', 0.004)
    counted.batch('close', 8)
    counted.batch('merchant', 8)
  }
  const { user, system } = process.cpuUsage(before)
  counted.registry.clear()
  return (user + system) / times
}
