/** Counts the overview's hourly figures: recent hours again and again, older ones once. */

import { retried } from '@acopay/store'
import { countedHours, countHour } from '@acopay/store/console'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

export const HOUR_MS = 3_600_000
/** The hours that the overview shows. */
export const HOURS_KEPT = 31 * 24
/** Transactions that were open at an hour's end have ended by then, because statements time out much earlier. */
export const SETTLED_MS = 10 * 60_000

/** Counts the newest hour first and stops between two hours when `stopping` aborts. Returns how many hours it counted. */
export async function countHourlyFigures(world: World, stopping?: AbortSignal): Promise<number> {
  const now = world.now()
  const newestMs = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS
  const oldestMs = newestMs - (HOURS_KEPT - 1) * HOUR_MS
  const counted = new Map(
    (await countedHours(world.pool, new Date(oldestMs))).map(({ hourAt, countedAt }) => [+hourAt, +countedAt]),
  )
  let count = 0
  for (let beginMs = newestMs; beginMs >= oldestMs && stopping?.aborted !== true; beginMs -= HOUR_MS) {
    const endMs = beginMs + HOUR_MS
    if ((counted.get(beginMs) ?? 0) >= endMs + SETTLED_MS) continue
    const [begin, end] = [new Date(beginMs), new Date(endMs)]
    const numbers = { from: platformNumber('AP', begin, ''), until: platformNumber('AP', end, '') }
    await retried(() => countHour(world.pool, { begin, end, numbers }, now))
    count += 1
  }
  return count
}
