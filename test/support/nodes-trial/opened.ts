/**
 * A gateway process on a coordinator and two workers of Citus, with several merchants who have accounts with the sandbox's upstreams. It serves
 * as a role that owns nothing.
 */
import path from 'node:path'
import { findChannelAccount, grantServing, migrate, openPool, type Pool, putChannelAccount } from '@acopay/store'
import type { DemoSettings } from '../../../apps/server/src/sandbox/demo-merchant.ts'
import { masterKeysIn, unseal } from '../../../apps/server/src/security/vault.ts'
import { accountPlace, sealSettings } from '../../../apps/server/src/upstream/accounts.ts'
import { addMerchants } from '../../../bench/closes.ts'
import { type Citus, databaseOf, makeCluster, startCitus } from '../citus.ts'
import { PATIENT, type StartedProcess, startProcess } from '../process.ts'

const DATABASE = 'gateway'
const ROLE = 'serving'

/** The worker's port, and the shard there, which other merchants share. */
type Place = { port: number; shard: string }

export type Trial = {
  citus: Citus
  pool: Pool
  gateway: StartedProcess
  merchants: DemoSettings[]
  /** Where each merchant lies now. */
  placesNow: () => Promise<Map<string, Place>>
  stop: () => Promise<void>
}

/** Everything lies below `dir`. */
export async function openTrial(dir: string, merchants: number): Promise<Trial> {
  const citus = await startCitus(dir, { workers: 2 })
  const ends: (() => Promise<unknown>)[] = [citus.stop]
  const stop = async (): Promise<void> => {
    for (const end of ends.reverse()) await end()
  }
  try {
    await makeCluster(citus, DATABASE)
    const url = databaseOf(citus.url, DATABASE)
    const pool = openPool({ connectionString: url, max: 4, statementTimeoutMs: 60_000 })
    ends.push(() => pool.end())
    await migrate(pool)
    await pool.query(`create role ${ROLE} login`)
    await grantServing(pool, ROLE)
    const home = path.join(dir, 'home')
    const env = { ACOPAY_HOME: home, ACOPAY_RATE_PER_ADDRESS: '0', ACOPAY_RATE_PER_MERCHANT: '0', LOG_LEVEL: 'error' }
    const served = url.replace('postgres@', `${ROLE}@`)
    const gateway = await startProcess({ ...PATIENT, ...env, DATABASE_URL: served, ACOPAY_MIGRATE: 'never' })
    ends.push(() => gateway.end('SIGTERM'))
    const added = await addMerchants(pool, gateway.demo, merchants)
    for (const { mchNo } of added) await addAccounts(pool, { home, from: gateway.demo.mchNo, to: mchNo })
    const mchNos = added.map(({ mchNo }) => mchNo)
    return { citus, pool, gateway, merchants: added, placesNow: () => placesNow(pool, mchNos), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The demo merchant's accounts, for another one. */
async function addAccounts(pool: Pool, { home, from, to }: { home: string; from: string; to: string }): Promise<void> {
  const master = masterKeysIn(home)
  for (const channel of ['wechat', 'alipay']) {
    const sealed = await findChannelAccount(pool, from, channel)
    if (sealed === null) throw new Error(`the demo merchant has no account with ${channel}`)
    const settings = JSON.parse(unseal(master, accountPlace({ mchNo: from, channel }), sealed)) as object
    const settingsSealed = sealSettings(master, { mchNo: to, channel }, settings)
    await putChannelAccount(pool, { mchNo: to, channel, settingsSealed }, new Date())
  }
}

/** Asks the coordinator alone, so that it has an answer also while connections to a worker are made anew. */
async function placesNow(pool: Pool, mchNos: string[]): Promise<Map<string, Place>> {
  const { rows } = await pool.query<Place & { mchNo: string }>(
    `select mch_no as "mchNo", nodeport as port, shardid::text as shard from unnest($1::text[]) as m (mch_no)
       join pg_dist_placement on shardid = get_shard_id_for_distribution_column('orders', mch_no)
       join pg_dist_node using (groupid)`,
    [mchNos],
  )
  return new Map(rows.map(({ mchNo, ...place }) => [mchNo, place]))
}

/** Moves this merchant's shard to another worker while whatever goes on goes on. */
export async function moveAway({ citus, pool, placesNow: where }: Trial, mchNo: string): Promise<void> {
  const from = (await where()).get(mchNo)?.port
  const to = citus.workers.find(({ port }) => port !== from)?.port
  // The coordinator may still hold connections to a worker that was killed; each is found out once.
  await pool.query('select count(*) from merchant').catch(() => {})
  await pool.query(
    `select citus_move_shard_placement(get_shard_id_for_distribution_column('orders', $1::text), '127.0.0.1', $2, '127.0.0.1', $3, 'force_logical')`,
    [mchNo, from, to],
  )
}
