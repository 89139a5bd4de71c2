/** A gateway that knows two servers, and the death of the one that takes writes. `npm run test:failover` does it with Patroni. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { closesDuring, lostOf, placeOrders } from './support/failover/closes.ts'
import { PATIENT, type StartedProcess, startProcess } from './support/process.ts'
import { type PairedServer, type ServerPair, startPair } from './support/server-pair.ts'
import { SIZE } from './support/size.ts'

const CLOSES = SIZE.failoverCloses
/** How long the standby hears nothing before the primary dies. */
const STALLED_S = 0.5
/** Two servers and a gateway start in each, also beside other work. */
const LONG_MS = 180_000

let dir: string
let pair: ServerPair
let gateway: StartedProcess

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-failover-'))
})
afterEach(async () => {
  await gateway?.end('SIGTERM')
  await pair?.stop()
  rmSync(dir, { recursive: true })
})

async function start(how: 'synchronous' | 'asynchronous'): Promise<string[]> {
  pair = await startPair(dir, how)
  const hosts = `${pair.primary.host},${pair.standby.host}`
  gateway = await startProcess({
    ...PATIENT,
    ACOPAY_HOME: path.join(dir, 'home'),
    ACOPAY_RATE_PER_ADDRESS: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: `postgresql://acopay@${hosts}/acopay?target_session_attrs=read-write`,
  })
  return placeOrders(gateway.demo, CLOSES)
}

/** The primary's processes that send to a standby stop, as a network that stalls. */
async function stall({ admin }: PairedServer): Promise<void> {
  const { rows } = await admin.query<{ pid: number }>('select pid from pg_stat_replication')
  for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
  await admin.query('select pg_sleep($1)', [STALLED_S])
}

async function dies(): Promise<void> {
  await stall(pair.primary)
  pair.primary.kill()
  await pair.standby.admin.query('select pg_promote()')
}

it.runIf(CLOSES > 0)(
  'every close that was acknowledged is found at the new primary, with no restart',
  async () => {
    const orders = await start('synchronous')
    const event = { after: Math.floor(CLOSES / 3), happen: dies }
    const closes = await closesDuring(gateway.demo, orders, { event, deadlineMs: 30_000 })
    expect(closes.acknowledged).toHaveLength(CLOSES)
    expect(await lostOf(pair.standby.admin, closes.acknowledged)).toEqual([])
  },
  LONG_MS,
)

it.runIf(CLOSES > 0)(
  'without a synchronous standby, closes that were acknowledged are lost with the primary',
  async () => {
    const orders = await start('asynchronous')
    const event = { after: Math.floor(CLOSES / 3), happen: dies }
    const closes = await closesDuring(gateway.demo, orders, { event, deadlineMs: 30_000 })
    expect(closes.acknowledged).toHaveLength(CLOSES)
    expect((await lostOf(pair.standby.admin, closes.acknowledged)).length).toBeGreaterThan(0)
  },
  LONG_MS,
)
