/**
 * How long a merchant waits for a close when no upstream ever answers: orders with an attempt with each, closed while
 * both keep silent. Prints the slowest answer, the promised 7 s, and the 10 s after which clients give up.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { close, openAttempt, place } from '../test/support/merchant.ts'
import { startProcess } from '../test/support/process.ts'

const ORDERS = 200
const PAUSE_MS = 20
const PROMISED_MS = 7000
const CHANNELS = ['wechat', 'alipay'] as const

const home = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const gateway = await startProcess({ ACOPAY_HOME: home, LOG_LEVEL: 'silent', ACOPAY_RATE_PER_ADDRESS: '0' })
const { demo, url } = gateway

process.stdout.write(`${ORDERS} orders with an attempt with each upstream …\n`)
const orders: string[] = []
for (let n = 0; n < ORDERS; n += 1) {
  const order = await place(demo)
  for (const channel of CHANNELS) await openAttempt(demo, order, channel)
  orders.push(order)
}
const silence = JSON.stringify([{ kind: 'slow_answer', probability: 1, ms: 600_000 }])
for (const channel of CHANNELS) {
  await fetch(`${url}/sandbox/upstreams/${channel}/faults`, { method: 'PUT', body: silence })
}
process.stdout.write('both upstreams are silent; closing …\n')
const answers = await Promise.all(
  orders.map(async (order, n) => {
    await pause(n * PAUSE_MS)
    const startedMs = performance.now()
    const { data } = await close(demo, order)
    return { ms: performance.now() - startedMs, says: data.description }
  }),
)
const ms = answers.map((answer) => answer.ms).sort((a, b) => a - b)
const at = (share: number): string => (ms[Math.ceil(share * ms.length) - 1] as number).toFixed(0)
const says = [...new Set(answers.map((answer) => answer.says))].join(', ')
process.stdout.write(`p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p100 ${at(1)} ms of ${PROMISED_MS} ms; said: ${says}\n`)
await gateway.end('SIGKILL')
rmSync(home, { recursive: true, force: true })
process.exit(Number(at(1)) <= PROMISED_MS ? 0 : 1)
