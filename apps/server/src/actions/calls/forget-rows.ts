/** Removes, beside the jobs, what is no part of the books and older than its retention. The audit log has a way of its own, for its chain. */
import { DAY_MS, dayOf } from '@acopay/core'
import { forgetRows, type Retained } from '@acopay/store'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

/** Of each table in one statement. */
const ROWS_AT_ONCE = 5000
/** The overview shows 31 days, and upstreams' bills are asked for during some. */
const DAYS_MIN = 32

/** Removes at most some rows of each table, and says how many. */
export async function forgetOldRows(world: World): Promise<number> {
  if (world.clockDoubt() !== null) return 0
  const { tryDays, hourDays, reconciliationDays } = world.limits
  let sum = await forget(world, 'notification_try', tryDays, (at) => platformNumber('AP', at, ''))
  sum += await forget(world, 'order_hour', hourDays, (at) => at)
  sum += await forget(world, 'reconciliation', reconciliationDays, (at) => dayOf(at.getTime()))
  sum += await forget(world, 'reconciliation_difference', reconciliationDays, (at) => dayOf(at.getTime()))
  return sum
}

/** 0 days: for good. */
async function forget(world: World, of: Retained, days: number, beginOf: (at: Date) => string | Date): Promise<number> {
  if (days === 0) return 0
  const at = new Date(world.sureNow().getTime() - Math.max(days, DAYS_MIN) * DAY_MS)
  const old = { before: beginOf(at), limit: ROWS_AT_ONCE }
  const removed = await world.overAll((spread) => forgetRows(world.pool, of, { ...old, ...spread }))
  if (removed === 0) return 0
  world.metrics.forgotten(of, removed)
  world.log.info({ of, removed, before: at }, 'rows older than their retention removed')
  return removed
}
