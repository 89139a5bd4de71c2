/** Three nodes of a Citus: what goes on while one of them is dead, and that nothing of its merchants is left out for good. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { migrate, openPool, type Pool } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Citus, type CitusNode, citusPrograms, databaseOf, makeCluster, startCitus } from './support/citus.ts'
import { openTrial } from './support/nodes-trial/opened.ts'
import { failedOf, runTrial } from './support/nodes-trial/trial.ts'
import { leaveWork, type NodesWorld, nodesWorld, progressOf } from './support/nodes-world.ts'
import './support/only-long.ts'
import { NOW, seedMerchant } from './support/orders.ts'
import './support/postgres.ts'

const LONG_MS = 600_000
const DAY_MS = 86_400_000
/** So long is believed that a node does not answer. */
const BELIEVED_MS = 5000
const HAS_CITUS = citusPrograms() !== null
const MERCHANTS = Array.from({ length: 8 }, (_, index) => `MCH${index + 1}`)

let dir: string
let citus: Citus
let pool: Pool
let nodes: NodesWorld
let places: Map<string, number>
beforeAll(async () => {
  if (!HAS_CITUS) return
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-background-'))
  citus = await startCitus(dir, { workers: 2 })
  await makeCluster(citus, 'served')
  pool = openPool({ connectionString: databaseOf(citus.url, 'served'), statementTimeoutMs: 60_000 })
  await migrate(pool)
  for (const mchNo of MERCHANTS) await seedMerchant(pool, mchNo)
  const { rows } = await pool.query<{ mchNo: string; port: number }>(
    `select mch_no as "mchNo", nodeport as port from merchant
       join pg_dist_placement on shardid = get_shard_id_for_distribution_column('orders', mch_no)
       join pg_dist_node using (groupid)`,
  )
  places = new Map(rows.map(({ mchNo, port }) => [mchNo, port]))
  nodes = await nodesWorld(pool, new Date(NOW.getTime() + 2 * DAY_MS))
}, LONG_MS)
afterAll(async () => {
  if (!HAS_CITUS) return
  await pool.end()
  await citus.stop()
  fs.rmSync(dir, { recursive: true })
}, LONG_MS)

const on = (port: number, isThere: boolean): string[] =>
  MERCHANTS.filter((mchNo) => (places.get(mchNo) === port) === isThere)

/** An hour ago, for every merchant. */
async function leaveWorkForAll(): Promise<Map<string, string>> {
  const orders = new Map<string, string>()
  const at = new Date(nodes.world.now().getTime() - 3_600_000)
  for (const mchNo of MERCHANTS) orders.set(mchNo, await leaveWork(pool, mchNo, at))
  return orders
}

const only = (orders: Map<string, string>, mchNos: string[]): Map<string, string> =>
  new Map(mchNos.map((mchNo) => [mchNo, orders.get(mchNo) as string]))

const said = (): string[] =>
  nodes.lines.splice(0).flatMap(({ level, msg, nodes: named = [] }) => {
    return level >= 40 ? [[msg, ...named].join(' ')] : []
  })

async function whileDead(worker: CitusNode, bills: number): Promise<void> {
  const orders = await leaveWorkForAll()
  const others = on(worker.port, false)
  const done = { state: 'CLOSED', told: 'DELIVERED', bills, jobs: 0 }
  worker.kill()
  for (let round = 0; round < 3; round += 1) await nodes.round()
  const progress = await progressOf(pool, only(orders, others))
  expect(progress).toEqual(new Map(others.map((mchNo) => [mchNo, done])))
  expect(said()).toEqual([`nodes of the database do not answer: their merchants wait 127.0.0.1:${worker.port}`])
  await worker.start()
  nodes.advance(BELIEVED_MS)
  // The look goes on beside the round that asks for it.
  await nodes.round()
  await expect.poll(said, { timeout: 60_000 }).toEqual(['all nodes of the database answer again'])
  for (let round = 0; round < 3; round += 1) await nodes.round()
  const theirs = on(worker.port, true)
  expect(await progressOf(pool, only(orders, theirs))).toEqual(new Map(theirs.map((mchNo) => [mchNo, done])))
}

describe.skipIf(!HAS_CITUS)('the background work on three nodes', () => {
  it(
    'goes on for the merchants of the others while a worker is dead, and does the rest once it is back',
    async () => {
      await leaveWorkForAll()
      for (let round = 0; round < 3; round += 1) await nodes.round()
      expect(said()).toEqual([])
      const { rows } = await pool.query<{ bills: number }>('select count(*)::int as bills from bill group by mch_no')
      expect(rows).toHaveLength(MERCHANTS.length)
      let bills = rows[0]?.bills ?? 0
      for (const worker of citus.workers) {
        nodes.advance(DAY_MS)
        bills += 1
        await whileDead(worker, bills)
      }
    },
    LONG_MS,
  )
})

describe.skipIf(!HAS_CITUS)('a gateway on three nodes', () => {
  it(
    'answers every call of the others while a worker is dead or a merchant is moved, and the books are right afterwards',
    async () => {
      const home = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-trial-'))
      const trial = await openTrial(home, 6)
      try {
        const lines: string[] = []
        const report = await runTrial(trial, { phaseMs: 3000, lanes: 1 }, (line) => void lines.push(line))
        console.info(lines.join('\n'))
        expect(report.rows.map(({ othersFailed }) => othersFailed)).toEqual([{}, {}, {}])
        expect(report.rows.slice(0, 2).map(({ theirsFailed }) => failedOf(theirsFailed) > 0)).toEqual([true, true])
        expect(report.wrong).toEqual([])
        expect(report.closed).toBeGreaterThan(0)
      } finally {
        await trial.stop()
        fs.rmSync(home, { recursive: true })
      }
    },
    2 * LONG_MS,
  )
})
