/** `acopay-server seed-orders`: fills a sandbox's database with many plausible orders, so that its speed can be measured. */

import {
  addLoadMerchants,
  addLoadOrders,
  analyzeLoad,
  countLoadHours,
  countLoadOrders,
  LOAD_MERCHANTS,
} from '@acopay/store/sandbox'
import { loadPurposeKeys } from '../security/purpose-keys.ts'
import { loadMasterKeys } from '../security/vault.ts'
import { ConfigError, readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase, prepareSchema } from '../start/database.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const BATCH = 50_000
const DAYS = 90

const USAGE = '--orders 10000000   1 到 100000000 的整数 1 to 100000000'

export const seedOrders: OperatorCommand = {
  usage: USAGE,
  zh: '在沙箱的数据库中生成许多订单，用于压测',
  en: "fill a sandbox's database with many orders, to measure its speed",
  run: async ([flag, orders, ...more], io) => {
    const total = flag === '--orders' && more.length === 0 ? Number(orders) : Number.NaN
    if (!Number.isInteger(total) || total < 1 || total > 100_000_000) throw new UsageError(USAGE)
    await seed(total, io)
    return 0
  },
}

/** Continues an interrupted run, and says a line for each batch. */
async function seed(total: number, { env, defaultHome, say }: OperatorIo): Promise<void> {
  const config = readConfig(env, defaultHome)
  if (config.mode !== 'sandbox') {
    throw new ConfigError('只能用于沙箱模式的数据库 (only for a sandbox: ACOPAY_MODE=sandbox)')
  }
  const { pool, close } = await openDatabase(config, { statementTimeoutMs: LONG_STATEMENT_MS })
  try {
    await prepareSchema(config, pool)
    const stampKey = (await loadPurposeKeys(pool, loadMasterKeys(config)))('timeline stamp')
    const client = await pool.connect()
    await client.query('set synchronous_commit = off')
    const startedMs = performance.now()
    const end = await nowOf(pool)
    const begin = new Date(end.getTime() - DAYS * 86_400_000)
    await addLoadMerchants(client, begin)
    say(
      `${LOAD_MERCHANTS} 个压测商户，每天各有一份对账单，没有订单的为空 (merchants, each with a bill a day, which is empty without orders)`,
    )
    const first = await countLoadOrders(client)
    for (let from = first; from < total; from += BATCH) {
      const until = Math.min(from + BATCH, total)
      await addLoadOrders(client, { from, until, total, begin, end, stampKey })
      const seconds = (performance.now() - startedMs) / 1000
      const rate = (until - first) / seconds
      const left = Math.ceil((total - until) / rate)
      say(`${until} / ${total}   ${Math.round(rate)} 单/秒 (orders a second)   还需 ${left} 秒 (seconds left)`)
    }
    say('整理统计信息 vacuum analyze …')
    await analyzeLoad(client)
    await countLoadHours(client, begin)
    client.release()
    say('总览的统计由网关重新计算 (the gateway counts the figures of the overview again)')
  } finally {
    await close()
  }
}
