/**
 * `npm run test:failover`: a primary under Patroni is killed while orders are closed, and every acknowledged close is looked for
 * afterwards; once behind HAProxy, once with both servers in DATABASE_URL; then a planned switchover, and what is lost
 * without a synchronous standby. `-- --closes 500`, `-- --only planned`. Installs nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { closesDuring, lostOf, placeOrders } from '../test/support/failover/closes.ts'
import { type Cluster, missingPackages, startCluster } from '../test/support/failover/patroni.ts'
import { PATIENT, type StartedProcess, startProcess } from '../test/support/process.ts'

const { values } = parseArgs({ options: { closes: { type: 'string', default: '500' }, only: { type: 'string' } } })
const CLOSES = Number(values.closes)
const DEADLINE_MS = 180_000
const STALL_MS = 1000

const missing = missingPackages()
if (missing.length > 0) {
  console.error(
    `缺少 Debian 软件包，请先安装 (Debian packages are missing, install them first): apt-get install ${missing.join(' ')}`,
  )
  process.exit(2)
}

type Leader = Awaited<ReturnType<Cluster['whole']>>
type Run = {
  name: string
  replication: 'synchronous' | 'asynchronous'
  address: (cluster: Cluster) => string
  happen: (cluster: Cluster, leader: Leader) => Promise<void>
  /** Of a run that shows a loss. */
  mayLose?: true
}

const proxied = ({ proxied: host }: Cluster): string => `postgresql://postgres@${host}/gateway`
const severalHosts = ({ hosts }: Cluster): string =>
  `postgresql://postgres@${hosts}/gateway?target_session_attrs=read-write`
const killed = async (cluster: Cluster, leader: Leader): Promise<void> => cluster.kill(leader)
const switched = (cluster: Cluster, leader: Leader): Promise<void> => cluster.switchover(leader)
/** What the network brings late is lost with the primary, unless the primary waits for it. */
async function stalledAndKilled(cluster: Cluster, leader: Leader): Promise<void> {
  await cluster.stall()
  await pause(STALL_MS)
  cluster.kill(leader)
}

const RUNS: Run[] = [
  { name: 'kill -9, HAProxy', replication: 'synchronous', address: proxied, happen: killed },
  { name: 'kill -9, two hosts', replication: 'synchronous', address: severalHosts, happen: killed },
  {
    name: 'planned switchover, two hosts',
    replication: 'synchronous',
    address: severalHosts,
    happen: switched,
  },
  {
    name: 'stalled and kill -9, two hosts',
    replication: 'synchronous',
    address: severalHosts,
    happen: stalledAndKilled,
  },
  {
    name: 'stalled and kill -9, two hosts, asynchronous',
    replication: 'asynchronous',
    address: severalHosts,
    happen: stalledAndKilled,
    mayLose: true,
  },
]

async function during(cluster: Cluster, home: string, run: Run): Promise<boolean> {
  const leader = await cluster.whole()
  const gateway = await startProcess({
    ...PATIENT,
    ACOPAY_HOME: home,
    ACOPAY_RATE_PER_ADDRESS: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: run.address(cluster),
  })
  try {
    return await killing({ cluster, leader, run }, gateway)
  } finally {
    await gateway.end('SIGTERM')
  }
}

type Scene = { cluster: Cluster; leader: Leader; run: Run }

/** Prints the run's line; answers whether nothing was lost that should not be. */
async function killing({ cluster, leader, run }: Scene, gateway: StartedProcess): Promise<boolean> {
  const orders = await placeOrders(gateway.demo, CLOSES)
  const event = { after: Math.floor(CLOSES / 3), happen: () => run.happen(cluster, leader) }
  const closes = await closesDuring(gateway.demo, orders, { event, deadlineMs: DEADLINE_MS })
  if (run.happen !== switched) cluster.revive(leader)
  const now = await cluster.whole()
  const pool = cluster.pool('gateway')
  const lost = await lostOf(pool, closes.acknowledged)
  await pool.end()
  const { acknowledged, gapMs, others } = closes
  console.log(
    `${run.name}: ${leader} -> ${now}; acknowledged ${acknowledged.length} of ${CLOSES}, lost ${lost.length}, ${(gapMs / 1000).toFixed(1)} s without closes; ${JSON.stringify(others)}`,
  )
  return acknowledged.length === CLOSES && (lost.length === 0 || run.mayLose === true)
}

const chosen = RUNS.filter(({ name }) => values.only === undefined || name.includes(values.only))
let areRight = chosen.length > 0
for (const how of ['synchronous', 'asynchronous'] as const) {
  const runs = chosen.filter(({ replication }) => replication === how)
  if (runs.length === 0) continue
  const dir = mkdtempSync(path.join(tmpdir(), 'acopay-failover-'))
  const home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
  const cluster = await startCluster(dir, how)
  try {
    await cluster.whole()
    const admin = cluster.pool('postgres')
    await admin.query('create database gateway')
    await admin.end()
    for (const run of runs) areRight = (await during(cluster, home, run)) && areRight
  } finally {
    await cluster.stop()
    for (const folder of [dir, home]) rmSync(folder, { recursive: true, force: true })
  }
}
process.exitCode = areRight ? 0 : 1
