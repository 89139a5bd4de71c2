/** What a start needs of its database: this version's tables, the keys in it, and the time that a sandbox was moved to. */
import { mayRewriteHistory, type Pool } from '@acopay/store'
import { readAheadMs } from '@acopay/store/sandbox'
import type { KeyHolders } from '../security/key-places.ts'
import { loadSigningKey } from '../security/platform-key.ts'
import { loadPurposeKeys } from '../security/purpose-keys.ts'
import { beginStamping, stampsOf } from '../security/stamps.ts'
import type { MasterKeys } from '../security/vault.ts'
import type { World } from '../world.ts'
import type { MovableClock } from './clock.ts'
import type { Config } from './config.ts'
import { lostOnTheWay, prepareSchema } from './database.ts'

const STAMPING_CHANGED = 'the moment at which stamping began was removed or changed in the database'

const MAY_REWRITE =
  'the database role may rewrite timelines and the audit log; serve with another one (docs/operating.md, two roles)'

const MOVED =
  '这个数据库属于一个时钟被快进过的沙箱，不能用于生产：请换一个新数据库 (this is the database of a sandbox whose clock was moved ahead, and not for production: take a new database)'

/** `begun`: another process of the same gateway has prepared the database, and said what there is to say. */
export type Preparing = 'first' | 'begun'

type Unprepared = {
  as: Preparing
  config: Config
  pool: Pool
  master: MasterKeys
  holders: KeyHolders
  clock: MovableClock
  log: World['log']
  signal: AbortSignal
}

/** Brings the database to this version, and reads or makes the keys in it. */
export async function prepareDatabase({ as, config, pool, master, holders, clock, log, signal }: Unprepared) {
  try {
    const migrate = as === 'first' ? config.migrate : 'never'
    const schema = await prepareSchema({ migrate }, pool, (line) => log.info({ migration: line.trim() }, 'migrating'))
    if (schema === 'newer' && as === 'first')
      log.warn('the database is newer than this program, which goes on serving it; update it soon')
    signal.throwIfAborted()
    await readMovedClock({ config, pool, clock })
    await clock.compare()
    const key = { current: await loadSigningKey(pool, master, clock.now(), holders) }
    const purposeKey = await loadPurposeKeys(pool, master)
    const isStamping = await beginStamping(pool, stampsOf(purposeKey), clock.now())
    if (!isStamping) log.error({ alarm: true }, STAMPING_CHANGED)
    const mayRewrite = await mayRewriteHistory(pool)
    if (mayRewrite && config.mode === 'production' && as === 'first') log.warn(MAY_REWRITE)
    return { key, purposeKey, mayRewrite }
  } catch (error) {
    throw signal.aborted ? error : lostOnTheWay(error)
  }
}

/** A sandbox goes on at the time to which it was moved. Its orders, bills and keys lie in a future that production must not live in. */
async function readMovedClock({ config, pool, clock }: Pick<Unprepared, 'config' | 'pool' | 'clock'>): Promise<void> {
  const aheadMs = await readAheadMs(pool)
  if (aheadMs > 0 && config.mode !== 'sandbox') throw new Error(MOVED)
  clock.setAheadMs(aheadMs)
}
